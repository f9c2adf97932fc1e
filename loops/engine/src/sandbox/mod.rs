//! The port `Sandbox`: where every agent, gate and `run:` step goes. What runs inside sees only what its spec lists.

#[cfg(target_os = "linux")]
pub mod bubblewrap;
pub mod grants;
#[cfg(target_os = "linux")]
mod kernel;
pub mod log;
#[cfg(target_os = "linux")]
mod pins;
#[cfg(target_os = "linux")]
pub mod probe;
#[cfg(target_os = "linux")]
mod pump;
#[cfg(target_os = "linux")]
mod seccomp;
pub mod stop;
pub mod toolchain;
#[cfg(target_os = "linux")]
pub mod view;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{bubblewrap, probe, view};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use loopwright_core::check::Ended;

use crate::traffic::Traffic;
use crate::workspace::Identity;

/// One thing to run inside.
#[derive(Clone, Debug)]
pub struct BoxSpec {
    /// What it is, for the journal and the kill switch: `maker`, `gate tests_pass`, `clone`.
    pub label: String,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The whole environment besides `HOME`, `PATH`, `TMPDIR` and the toolchains' own variables, which the sandbox sets.
    pub env: BTreeMap<String, String>,
    /// Working directory inside.
    pub cwd: String,
    /// What is visible besides the system's and the toolchains' read-only folders.
    pub mounts: Vec<Mount>,
    /// Written to standard input, which is then closed.
    pub stdin: Vec<u8>,
    /// When it is ended.
    pub limits: Limits,
    /// Where standard output goes.
    pub stdout: Output,
}

/// A folder or file of the host made visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path on the host.
    pub source: PathBuf,
    /// Absolute path inside.
    pub target: String,
    /// Whether it may be written.
    pub access: Access,
}

/// What may be done with a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Only read.
    ReadOnly,
    /// Read and written.
    Writable,
}

/// When a box is ended.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// After this long in all.
    pub wall: Duration,
    /// After this long without output; none = no such limit.
    pub idle: Option<Duration>,
    /// After this many bytes of output (both streams, each).
    pub output: u64,
}

/// Where standard output goes.
#[derive(Clone, Debug)]
pub enum Output {
    /// Into [`BoxOutput::stdout`].
    Memory,
    /// Into a new file of the engine's (a bundle, a large log).
    File(PathBuf),
    /// Both streams, into a new file of the engine's that keeps the newest; no amount is too much.
    Log(PathBuf),
}

/// How it went.
#[derive(Clone, Debug)]
pub struct BoxOutput {
    /// How its first process ended.
    pub ended: Ended,
    /// Standard output, up to the limit; empty when it went into a file.
    pub stdout: Vec<u8>,
    /// Standard error, up to the limit; its beginning where both streams went into a log.
    pub stderr: Vec<u8>,
    /// How long it took.
    pub took: Duration,
    /// What went through its way out, if it was granted any host.
    pub traffic: Traffic,
}

/// Encloses what it runs, or refuses.
pub trait Sandbox: Send + Sync {
    /// Runs `spec` to its end; every process of it is gone on return.
    ///
    /// # Errors
    /// Only what lies outside of the box: a missing layer, a mount that can't be made. How the program ended is data.
    fn run(&self, spec: &BoxSpec) -> anyhow::Result<BoxOutput>;

    /// From now on a box that mounts `folder` sees the one with this identity, or is not made.
    fn pin(&self, folder: &Path, identity: &Identity);

    /// Forgets a folder that is discarded.
    fn unpin(&self, folder: &Path);
}

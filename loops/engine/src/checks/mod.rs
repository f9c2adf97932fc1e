//! A project's own checks: which it has, and running one in the sandbox.
//!
//! What their output means is `core::check`'s; whether it is good enough is `core::gate`'s.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use loopwright_core::check::{self, CheckReport, Ended};
use loopwright_core::definition::Command;
use sha2::{Digest as _, Sha256};

use crate::sandbox::{Access, BoxSpec, Limits, Mount, Output, Sandbox};

mod detect;
mod seal;

pub(crate) use detect::RUFF;
pub use detect::{DetectedCheck, DetectedChecks, Look, detect};
pub use seal::Seal;

/// Where build products go, so that nothing lands in the tree; mount a folder there to keep them between boxes.
///
/// Each checkout has its own folder in it. It must not be one that a maker could write: planted products are run.
pub const TARGET_DIR: &str = "/tmp/target";

/// Where the tree lies inside.
pub const WORKSPACE: &str = "/workspace";

/// One check to run.
#[derive(Clone, Copy, Debug)]
pub struct CheckOrder<'a> {
    /// The gate's name: `tests_pass`.
    pub check: &'a str,
    /// What is run, one after the other; all of them run even if one fails.
    pub commands: &'a [Command],
    /// A throw-away checkout on the host; writable inside.
    pub workspace: &'a Path,
    /// Variables of the loop's `env:`.
    pub env: &'a BTreeMap<String, String>,
    /// What else is visible: prepared dependencies, a kept folder for [`TARGET_DIR`].
    pub mounts: &'a [Mount],
    /// When one command is ended.
    pub limits: Limits,
}

/// How a check went.
#[derive(Clone, Debug)]
pub struct CheckRun {
    /// All commands put together.
    pub report: CheckReport,
    /// What was written, command by command, to be kept as evidence.
    pub output: Vec<u8>,
}

/// Runs a check to its end, each command in a box of its own.
///
/// # Errors
/// Only what lies outside of the boxes; how a command ended is part of the report.
pub fn run(order: &CheckOrder<'_>, sandbox: &dyn Sandbox) -> anyhow::Result<CheckRun> {
    let mut output = Vec::new();
    let mut whole: Option<CheckReport> = None;
    for command in order.commands {
        let out = sandbox
            .run(&spec(order, command))
            .with_context(|| format!("running `{command}` of the check {}", order.check))?;
        output.extend_from_slice(format!("$ {command}\n").as_bytes());
        output.extend_from_slice(&out.stdout);
        output.extend_from_slice(&out.stderr);
        output.extend_from_slice(format!("\n(it {})\n", out.ended).as_bytes());
        let report = check::read(order.check, command, out.ended, &out.stdout, &out.stderr);
        whole = Some(match whole {
            Some(before) => before.merge(report),
            None => report,
        });
        if out.ended == Ended::Halted {
            break;
        }
    }
    let report = whole.unwrap_or_else(|| CheckReport {
        check: order.check.to_owned(),
        ended: Ended::Exited(0),
        cases: Vec::new(),
        tail: String::new(),
    });
    Ok(CheckRun { report, output })
}

fn spec(order: &CheckOrder<'_>, command: &Command) -> BoxSpec {
    let mut argv = command.argv();
    if check::wants_one_stream(command) {
        let merge = ["sh", "-c", "exec \"$@\" 2>&1", "sh"];
        argv.splice(0..0, merge.map(str::to_owned));
    }
    let mut env = order.env.clone();
    env.insert("CARGO_TARGET_DIR".to_owned(), target_of(order.workspace));
    // Colours and progress bars are for terminals.
    env.entry("CARGO_TERM_COLOR".to_owned()).or_insert_with(|| "never".to_owned());
    env.entry("NO_COLOR".to_owned()).or_insert_with(|| "1".to_owned());
    // What is compiled on the way belongs to the products too, never into the tree.
    env.entry("PYTHONDONTWRITEBYTECODE".to_owned()).or_insert_with(|| "1".to_owned());
    env.entry("GOCACHE".to_owned()).or_insert_with(|| format!("{}/go", target_of(order.workspace)));
    let mut mounts =
        vec![Mount { source: order.workspace.to_owned(), target: WORKSPACE.to_owned(), access: Access::Writable }];
    mounts.extend_from_slice(order.mounts);
    BoxSpec {
        label: format!("gate {}", order.check),
        argv,
        env,
        cwd: WORKSPACE.to_owned(),
        mounts,
        stdin: Vec::new(),
        limits: order.limits,
        stdout: Output::Memory,
    }
}

/// The folder for the products of one checkout. Cargo goes by the age of files: what was built of another tree that lay
/// at the same place inside would pass for this one's.
fn target_of(workspace: &Path) -> String {
    let digest = Sha256::digest(workspace.as_os_str().as_encoded_bytes());
    format!("{TARGET_DIR}/{}", &loopwright_core::hex(&digest)[..16])
}

#[cfg(test)]
mod tests;

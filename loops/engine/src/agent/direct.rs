//! A test double: starts `bwrap` with the mounts of a spec and nothing else. It has no limits and no kill switch, so it
//! is no sandbox for anything but our own tests.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use loopwright_core::check::Ended;

use crate::sandbox::{Access, BoxOutput, BoxSpec, Sandbox};

/// The test double.
pub(crate) struct Direct;

impl Sandbox for Direct {
    fn run(&self, spec: &BoxSpec) -> anyhow::Result<BoxOutput> {
        let mut command = Command::new("bwrap");
        command.env_clear().args(["--unshare-all", "--die-with-parent", "--clearenv", "--proc", "/proc"]);
        command.args(["--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/home/agent", "--chdir", &spec.cwd]);
        for dir in ["/usr", "/lib", "/lib64", "/bin", "/etc/alternatives", "/etc/ld.so.cache"] {
            command.args(["--ro-bind-try", dir, dir]);
        }
        let home = PathBuf::from(std::env::var_os("HOME").context("HOME")?);
        command.arg("--ro-bind").arg(home.join(".rustup")).arg("/toolchain/rustup");
        command.arg("--ro-bind").arg(home.join(".cargo/bin")).arg("/toolchain/cargo/bin");
        for mount in &spec.mounts {
            let bind = if mount.access == Access::Writable { "--bind" } else { "--ro-bind" };
            command.arg(bind).arg(&mount.source).arg(&mount.target);
        }
        let own = [
            ("HOME", "/home/agent"),
            ("PATH", "/toolchain/cargo/bin:/usr/local/bin:/usr/bin:/bin"),
            ("RUSTUP_HOME", "/toolchain/rustup"),
            ("CARGO_NET_OFFLINE", "true"),
        ];
        let asked = spec.env.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in own.into_iter().chain(asked) {
            command.args(["--setenv", name, value]);
        }
        command.arg("--").args(&spec.argv);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().context("starting bwrap")?;
        let mut stdin = child.stdin.take().context("standard input")?;
        let prompt = spec.stdin.clone();
        // A program that does not read its input is no error.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&prompt)));
        let out = child.wait_with_output().context("waiting for bwrap")?;
        drop(writer.join());
        let ended = out.status.code().map_or(Ended::Signalled(0), Ended::Exited);
        Ok(BoxOutput { ended, stdout: out.stdout, stderr: out.stderr, took: Duration::ZERO })
    }
}

//! The only way in which the host starts `git`: a fixed environment, a time limit, and its stderr in the error.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::home::is_full;
use crate::os;

/// A `git` of the host's that did not end well.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// It could not be started.
    #[error("git could not be started")]
    Start(#[source] std::io::Error),
    /// It ended with something other than 0.
    #[error("git {verb} failed: {stderr}")]
    Failed {
        /// The subcommand.
        verb: String,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// The same, and no room is left where it writes, which it does not always say itself.
    #[error("git {verb} failed: {stderr}")]
    NoRoom {
        /// The subcommand.
        verb: String,
        /// What it wrote to standard error.
        stderr: String,
        /// What the disk says.
        #[source]
        full: std::io::Error,
    },
    /// It ran longer than it may.
    #[error("git {verb} took longer than {limit:?}")]
    TimedOut {
        /// The subcommand.
        verb: String,
        /// The limit.
        limit: Duration,
    },
}

/// Settings of every `git` of the host's, whatever a repository's own configuration says.
const SETTINGS: [&str; 12] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.protectNTFS=true",
    "core.protectHFS=true",
    "core.bigFileThreshold=32m",
    "gc.auto=0",
    "maintenance.auto=false",
    "protocol.version=2",
    "protocol.allow=never",
    "protocol.file.allow=always",
    "credential.helper=",
];

/// Runs `git` in the bare repository `git_dir` of the engine's own with `input` on its standard input, and returns its output.
/// The program is found through the caller's `PATH`; nothing else of the environment is passed on.
///
/// # Errors
/// It could not be started, failed (with its stderr), or took longer than `limit`.
pub fn git(git_dir: &Path, args: &[&str], input: &[u8], limit: Duration) -> Result<Vec<u8>, GitError> {
    let verb = args.first().copied().unwrap_or_default().to_owned();
    let mut child = command(git_dir, args).spawn().map_err(GitError::Start)?;
    feed(&mut child, input.to_vec());
    let streams = (drain(child.stdout.take()), drain(child.stderr.take()));
    let (stdout, stderr) = match (streams.0.recv_timeout(limit), streams.1.recv_timeout(limit)) {
        (Ok(out), Ok(err)) => (out, err),
        _ => {
            // Ended or not: the error below is the same.
            let _ = child.kill();
            let _ = child.wait();
            return Err(GitError::TimedOut { verb, limit });
        }
    };
    let status = child.wait().map_err(GitError::Start)?;
    if status.success() {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
    Err(match is_full(git_dir) {
        true => GitError::NoRoom { verb, stderr, full: std::io::ErrorKind::StorageFull.into() },
        false => GitError::Failed { verb, stderr },
    })
}

fn command(git_dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.env_clear();
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        // Missing objects of a partial clone are an error, never a way to the network.
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
    ] {
        command.env(name, value);
    }
    for setting in SETTINGS {
        command.args(["-c", setting]);
    }
    command.arg("--git-dir").arg(git_dir).args(args);
    // A repository of the engine's is the only working directory that no one else can plant anything in.
    command.current_dir(if git_dir.is_dir() { git_dir.to_owned() } else { PathBuf::from("/") });
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What a process that died had begun must not go on beside whoever takes its place.
    os::bind(&mut command);
    command
}

/// Writes on a thread of its own: a full pipe must not keep its output from being read.
fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        std::thread::spawn(move || {
            // A git that stops reading says why on stderr.
            let _ = stdin.write_all(&input);
        });
    }
}

fn drain(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read until an error is what there is.
            let _ = stream.read_to_end(&mut bytes);
        }
        let _ = sender.send(bytes);
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_carries_its_stderr() {
        let folder = tempfile::tempdir().expect("a folder");
        let error =
            git(folder.path(), &["rev-parse", "HEAD"], &[], Duration::from_secs(20)).expect_err("no repository");
        assert!(error.to_string().starts_with("git rev-parse failed: fatal: not a git repository"), "{error}");
    }

    #[test]
    fn a_limit_ends_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let args = ["-c", "alias.wait=!sleep 600", "wait"];
        let error = git(folder.path(), &args, &[], Duration::from_millis(50)).expect_err("too long");
        assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
    }
}

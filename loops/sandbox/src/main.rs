//! The last stage inside a box whose step was granted hosts: it makes a listener in the box's own network, passes it out by
//! descriptor, tells programs that there is a proxy, and becomes the command.
//!
//! `loopwright-box DESCRIPTOR PROGRAM ARGUMENTS…`. It grants nothing: who listens outside decides what is reached. When the
//! command begins, neither the listener nor the way out is open in its process.

#[cfg(target_os = "linux")]
mod pass;

use std::process::ExitCode;

/// As a shell says that a program can't be run, or is not there.
#[cfg(target_os = "linux")]
const NOT_RUN: u8 = 126;
#[cfg(target_os = "linux")]
const NOT_FOUND: u8 = 127;
/// Usage errors, and failures of its own.
const USAGE: u8 = 2;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let number = words.next().and_then(|word| word.to_str()?.parse().ok());
    let (Some(number), Some(program)) = (number, words.next()) else {
        return complain(USAGE, "a descriptor and a program are wanted");
    };
    match pass::listener_out(number) {
        Ok(port) => become_command(program, words, port),
        Err(problem) => complain(USAGE, &format!("no way to the proxy: {problem}")),
    }
}

#[cfg(target_os = "linux")]
fn become_command(program: std::ffi::OsString, words: impl Iterator<Item = std::ffi::OsString>, port: u16) -> ExitCode {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new(&program);
    command.args(words).envs(loopwright_core::gateway::variables(port));
    let problem = command.exec();
    let code = if problem.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN };
    complain(code, &format!("{}: {problem}", program.display()))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    complain(USAGE, "this system is not supported yet")
}

fn complain(code: u8, problem: &str) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "loopwright-box: {problem}");
    ExitCode::from(code)
}

//! The watchdog: parent of one run, and its kill switch. Reads files, kills, writes `end`; knows no database, no lock, no agent.
//!
//! It depends on nothing that a run could hold, fill or stop: not on the runner, not on a pipe, not on its own standard streams.

#[cfg(target_os = "linux")]
mod args;
#[cfg(target_os = "linux")]
mod child;
#[cfg(target_os = "linux")]
mod finally;
#[cfg(target_os = "linux")]
mod processes;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod watch;

use std::process::ExitCode;

/// Usage errors, and failures of its own.
const USAGE: u8 = 2;
#[cfg(target_os = "linux")]
const INTERNAL: u8 = 70;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let order = match args::parse(std::env::args_os().skip(1)) {
        Ok(order) => order,
        Err(problem) => {
            complain(&problem);
            return ExitCode::from(USAGE);
        }
    };
    match watch::run(&order) {
        Ok(code) => ExitCode::from(code),
        Err(problem) => {
            complain(&problem.to_string());
            ExitCode::from(INTERNAL)
        }
    }
}

/// Nothing is watched here yet; without a watchdog nothing runs.
#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    complain("the watchdog is not supported on this system yet");
    ExitCode::from(USAGE)
}

/// Only before the run begins, or after all of it is gone; nobody has to read it.
fn complain(problem: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "loopwright-watchdog: {problem}");
}

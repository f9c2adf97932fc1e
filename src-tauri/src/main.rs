//! The desktop shell: without arguments the tray, with `--window VIEW` one window. Decisions are made in the core, deeds
//! are the engine's.
#![cfg_attr(windows, windows_subsystem = "windows")]

use std::process::ExitCode;

mod arguments;
mod commands;
mod desktop;
mod instance;
mod news;
mod notices;
mod tray;
mod window;

use arguments::Asked;

fn main() -> ExitCode {
    let begun = match arguments::read(std::env::args().skip(1)) {
        Ok(Asked::Tray { at_login }) => tray::run(at_login),
        Ok(Asked::Window(asked)) => window::run(asked),
        Ok(Asked::Version) => arguments::version(),
        Ok(Asked::Help) => arguments::help(),
        Err(wrong) => return arguments::refuse(&wrong),
    };
    match begun {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => arguments::fail(&error),
    }
}

//! `loopwright serve`: the scheduler, until a signal ends it.

use std::io;
#[cfg(unix)]
use std::os::fd::AsFd as _;
#[cfg(windows)]
use std::os::windows::io::AsHandle as _;
use std::time::Duration;

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, Began, ServeUnitView};
use serde::Serialize;
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
#[cfg(unix)]
use signal_hook::iterator::Signals;

use crate::App;
use crate::args::ServeArgs;
use crate::commands::command;
use crate::log;
use crate::page::Tint;
use crate::render::marked;

/// How long a pass may take to its end once a signal came.
const LEAVE: Duration = Duration::from_millis(800);

/// What is said once it is the scheduler.
#[derive(Serialize)]
struct Started {
    pid: i32,
}

pub(crate) fn run(args: &ServeArgs, app: &App) -> Result<u8, ApiError> {
    match (args.install, args.uninstall) {
        (true, _) => unit(app, &api::install_serve_unit(&app.context)?, "Written"),
        (_, true) => unit(app, &api::remove_serve_unit(&app.context)?, "Removed"),
        _ => serve(app),
    }
}

/// Tells what was written or removed, and the commands that follow.
fn unit(app: &App, view: &ServeUnitView, done: &str) -> Result<u8, ApiError> {
    app.output.answer(view, |page| {
        marked(page, 0, Mark::Passed, &format!("{done}: {}. Now:", view.path));
        view.commands.iter().for_each(|command| page.tinted(Tint::Accent, &format!("  {command}")));
    })?;
    Ok(exit::DONE)
}

fn serve(app: &App) -> Result<u8, ApiError> {
    let stop = stopped_by_signals().map_err(unwatched)?;
    log::to_file(app.context.home.state.join("log/serve.log")).map_err(|e| {
        let folder = app.context.home.state.join("log");
        ApiError::new(exit::FAILED, format!("the log can't be opened in {}: {e}", folder.display()))
            .hint("make that folder writable, or set LOOPWRIGHT_HOME to another one")
    })?;
    #[cfg(unix)]
    let word = stop.as_fd();
    #[cfg(windows)]
    let word = stop.as_handle();
    api::serve(&app.context, word, |began| said(app, began))?;
    Ok(exit::DONE)
}

fn said(app: &App, began: Began) {
    // What can't be said keeps nothing from starting.
    let _ = app.output.answer(&Started { pid: began.pid }, |page| {
        let status = command("status");
        page.line(&format!(
            "Scheduler {} starts loops at their times; `{status}` shows it, Ctrl-C ends it.",
            began.pid
        ));
    });
}

/// Something to read once a signal came that ends it. A pass that takes long is not waited for: whatever it is cut off in, the
/// next scheduler takes up, as after a crash.
#[cfg(unix)]
fn stopped_by_signals() -> io::Result<io::PipeReader> {
    let (stop, mut say) = io::pipe()?;
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP])?;
    let watch = move || {
        if signals.forever().next().is_some() {
            leave(&mut say);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).stack_size(64 << 10).spawn(watch)?;
    Ok(stop)
}

/// The same by Ctrl-C, which is all that there is here; unproven.
#[cfg(windows)]
fn stopped_by_signals() -> io::Result<io::PipeReader> {
    let (stop, mut say) = io::pipe()?;
    ctrlc::set_handler(move || leave(&mut say)).map_err(io::Error::other)?;
    Ok(stop)
}

/// Says that it is to stop, and stops it where it does not by itself. The pipe is held open meanwhile: it is the word.
fn leave(say: &mut io::PipeWriter) {
    let said = io::Write::write_all(say, b"!");
    std::thread::sleep(if said.is_ok() { LEAVE } else { Duration::ZERO });
    std::process::exit(i32::from(exit::DONE));
}

fn unwatched(error: io::Error) -> ApiError {
    ApiError::new(exit::FAILED, format!("signals can't be watched: {error}")).hint("try again")
}

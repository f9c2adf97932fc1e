//! `loopwright run LOOP`: starts a run, follows it to its end, and exits with its code.

use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_engine::api::{self, ApiError, StartRequest};
use serde::Serialize;

use crate::App;
use crate::args::RunArgs;
use crate::commands::command;
use crate::interrupt::Interrupt;
use crate::live::{self, Screen};
use crate::page::Tint;
use crate::render::{runs, summary};

pub(crate) fn run(args: &RunArgs, app: &App) -> Result<u8, ApiError> {
    let request = StartRequest { name: args.name.clone(), ship: args.ship, finding: args.finding.clone() };
    match args.detach {
        true => detached(app, api::start(&app.context, request)?),
        false => followed(app, request),
    }
}

/// A run that nobody waits for.
#[derive(Serialize)]
struct Detached {
    run: RunId,
}

fn detached(app: &App, id: RunId) -> Result<u8, ApiError> {
    app.output.answer(&Detached { run: id }, |page| {
        page.line(&format!("Started run {}.", id.short()));
        page.tinted(Tint::Accent, &command(&format!("show {}", id.short())));
        page.tinted(Tint::Accent, &command(&format!("halt --run {}", id.short())));
    })?;
    Ok(exit::DONE)
}

fn followed(app: &App, request: StartRequest) -> Result<u8, ApiError> {
    let screen = Screen::new(&app.output);
    let interrupt = Interrupt::listen(&screen)?;
    let id = api::start(&app.context, request)?;
    interrupt.watch(id);
    let (row, entries) = live::follow(app, &screen, id).map_err(|e| lost(e, id))?;
    match app.output.json() {
        true => {
            let view = api::show(&app.context, &id.to_string())?;
            app.output.answer(&view, |_| {})?;
        }
        false => {
            let mut page = app.output.page();
            if app.output.live() {
                page.gap();
            }
            runs::head(&mut page, &row, app.zone, app.context.now);
            summary::summary(&mut page, &entries);
            app.output.print(&page);
        }
    }
    Ok(row.code.unwrap_or(exit::INTERNAL))
}

/// What can't be followed goes on all the same.
fn lost(error: ApiError, id: RunId) -> ApiError {
    if error.code == exit::PARKED {
        return error;
    }
    let show = command(&format!("show {}", id.short()));
    ApiError {
        message: format!("run {} can't be followed: {}", id.short(), error.message),
        hint: Some(format!("it may go on without this terminal; see `{show}`")),
        ..error
    }
}

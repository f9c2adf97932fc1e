//! `loopwright run LOOP`: starts a run, follows it to its end, and exits with its code.

use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_engine::api::{self, ApiError, Deed, RunView, StartRequest};
use serde::Serialize;

use crate::App;
use crate::args::RunArgs;
use crate::commands::command;
use crate::interrupt::Interrupt;
use crate::live::{self, Screen};
use crate::page::Tint;
use crate::render::{runs, summary};
use crate::verbs::tick;

pub(crate) fn run(args: &RunArgs, app: &App) -> Result<u8, ApiError> {
    let request = StartRequest { name: args.name.clone(), ship: args.ship, finding: args.finding.clone() };
    let deeds = settled(app)?;
    match args.detach {
        true => detached(app, api::start(&app.context, request)?, deeds),
        false => followed(app, request, deeds),
    }
}

/// What was due and is done before anything new begins is told, even where the run is refused then.
fn settled(app: &App) -> Result<Vec<Deed>, ApiError> {
    let deeds = api::settle(&app.context)?;
    if !app.output.json() {
        let mut page = app.output.error_page();
        tick::deeds(&mut page, &deeds);
        app.output.print_error(&page);
    }
    Ok(deeds)
}

/// A run that was followed to its end.
#[derive(Serialize)]
struct Followed {
    #[serde(flatten)]
    view: RunView,
    deeds: Vec<Deed>,
}

/// A run that nobody waits for.
#[derive(Serialize)]
struct Detached {
    run: RunId,
    deeds: Vec<Deed>,
}

fn detached(app: &App, id: RunId, deeds: Vec<Deed>) -> Result<u8, ApiError> {
    app.output.answer(&Detached { run: id, deeds }, |page| {
        page.line(&format!("Started run {}.", id.short()));
        page.tinted(Tint::Accent, &command(&format!("show {}", id.short())));
        page.tinted(Tint::Accent, &command(&format!("halt --run {}", id.short())));
    })?;
    Ok(exit::DONE)
}

fn followed(app: &App, request: StartRequest, deeds: Vec<Deed>) -> Result<u8, ApiError> {
    let screen = Screen::new(&app.output);
    let interrupt = Interrupt::listen(&screen)?;
    let id = api::start(&app.context, request)?;
    interrupt.watch(id);
    let (row, entries) = live::follow(app, &screen, id).map_err(|e| lost(e, id))?;
    match app.output.json() {
        true => {
            let view = api::show(&app.context, &id.to_string())?;
            app.output.answer(&Followed { view, deeds }, |_| {})?;
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
    let parked = if row.parked.is_some() { exit::PARKED } else { exit::INTERNAL };
    Ok(row.code.unwrap_or(parked))
}

/// What can't be followed goes on all the same.
fn lost(error: ApiError, id: RunId) -> ApiError {
    // What keeps the run itself was told as that.
    if error.message.starts_with(&format!("run {} ", id.short())) {
        return error;
    }
    let show = command(&format!("show {}", id.short()));
    ApiError {
        message: format!("run {} can't be followed: {}", id.short(), error.message),
        hint: Some(format!("it may go on without this terminal; see `{show}`")),
        ..error
    }
}

//! `loopwright disable LOOP` and `loopwright enable LOOP`

use loopwright_core::exit;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError, EnableView};

use crate::App;
use crate::args::EnableArgs;
use crate::commands::command;
use crate::page::{Page, Tint};
use crate::render::{count, marked};

pub(crate) fn disable(args: &EnableArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::disable(&app.context, &args.name)?;
    app.output.answer(&view, |page| paused(page, &view, app))?;
    Ok(exit::DONE)
}

pub(crate) fn enable(args: &EnableArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::enable(&app.context, &args.name)?;
    app.output.answer(&view, |page| enabled(page, &view, app))?;
    Ok(exit::DONE)
}

fn paused(page: &mut Page, view: &EnableView, app: &App) {
    let since = view.paused_at.map(|at| app.zone.day_time(&at.to_rfc3339(), app.context.now)).unwrap_or_default();
    let said = match view.changed {
        true => format!("Paused: nothing starts {} by itself.", view.loop_name),
        false => format!("{} is paused since {since} already.", view.loop_name),
    };
    marked(page, 0, Mark::Skipped, &said);
    page.say("  A run that goes on is not halted by that. To let it start by itself again: ");
    page.tinted(Tint::Accent, &command(&format!("enable {}", view.loop_name)));
}

fn enabled(page: &mut Page, view: &EnableView, app: &App) {
    let said = match view.changed {
        true => format!("{} starts by itself again.", view.loop_name),
        false => format!("{} was not paused.", view.loop_name),
    };
    marked(page, 0, Mark::Passed, &said);
    if view.skipped > 0 {
        page.line(&format!("  {} in between: skipped.", count(view.skipped, "due time")));
    }
    if let Some(next) = &view.next {
        page.line(&format!("  Next: {}", app.zone.day_time(next, app.context.now)));
    }
}

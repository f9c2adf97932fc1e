//! `loopwright later ID [WHEN]`

use loopwright_core::exit;
use loopwright_core::review::Via;
use loopwright_core::story::Mark;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::LaterArgs;
use crate::commands;
use crate::page::Tint;
use crate::render::marked;

pub(crate) fn run(args: &LaterArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::later(&app.context, &args.id, &args.when, Via::Terminal)?;
    app.output.answer(&view, |page| {
        let until = app.zone.day_time(&view.until, app.context.now);
        marked(page, 0, Mark::Passed, &format!("Put off until {until}. Nothing is decided by that."));
        page.tinted(Tint::Accent, &commands::in_text(&view.undo));
    })?;
    Ok(exit::DONE)
}

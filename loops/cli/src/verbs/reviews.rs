//! `loopwright reviews [--all]`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError};

use crate::App;
use crate::args::ReviewsArgs;
use crate::commands::command;
use crate::page::Tint;
use crate::render::review;

pub(crate) fn run(args: &ReviewsArgs, app: &App) -> Result<u8, ApiError> {
    let rows = api::reviews(&app.context, args.all)?;
    app.output.answer(&rows, |page| match rows.first() {
        None => page.line("Nothing waits for you."),
        Some(first) => {
            review::rows(page, &rows, app.zone, app.context.now);
            page.tinted(Tint::Accent, &command(&format!("review {}", first.short)));
        }
    })?;
    Ok(exit::DONE)
}

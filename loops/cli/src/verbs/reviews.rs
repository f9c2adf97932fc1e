//! `loopwright reviews [--all]`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, PullRequestRow};

use crate::App;
use crate::args::ReviewsArgs;
use crate::commands::command;
use crate::page::Tint;
use crate::render::review;

pub(crate) fn run(args: &ReviewsArgs, app: &App) -> Result<u8, ApiError> {
    let rows = api::reviews(&app.context, args.all)?;
    app.output.answer(&rows, |page| {
        review::rows(page, &rows, app.zone, app.context.now);
        match rows.iter().find(|row| waits(row)) {
            None => page.line("Nothing waits for you."),
            Some(first) => page.tinted(Tint::Accent, &command(&format!("review {}", first.short))),
        }
    })?;
    Ok(exit::DONE)
}

/// Whether somebody still has something to do about it.
fn waits(row: &PullRequestRow) -> bool {
    matches!(row.state.as_str(), "open" | "approved")
}

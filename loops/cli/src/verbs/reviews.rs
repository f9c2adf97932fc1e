//! `loopwright reviews [--all]`

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, PullRequestRow};

use crate::App;
use crate::args::ReviewsArgs;
use crate::commands::command;
use crate::page::{Page, Tint};
use crate::render::{count, review};

pub(crate) fn run(args: &ReviewsArgs, app: &App) -> Result<u8, ApiError> {
    let rows = api::reviews(&app.context, args.all)?;
    let put_off = if args.all { Vec::new() } else { api::put_off(&app.context)? };
    app.output.answer(&rows, |page| {
        review::rows(page, &rows, app.zone, app.context.now);
        later(page, &put_off, app);
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

/// What is put off is counted, and nothing more.
fn later(page: &mut Page, put_off: &[PullRequestRow], app: &App) {
    let Some(until) = put_off.first().and_then(|row| row.later_until.as_deref()) else { return };
    let (many, until) = (count(put_off.len(), "pull request"), app.zone.day_time(until, app.context.now));
    page.tinted(Tint::Muted, &format!("◷ {many} put off; the next comes back {until}."));
}

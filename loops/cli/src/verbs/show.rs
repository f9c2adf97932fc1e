//! `loopwright show [RUN|last]`: the story of one run.

use loopwright_core::exit;
use loopwright_core::run::{Entry, RunEvent};
use loopwright_core::story::{self, Mark};
use loopwright_engine::api::{self, ApiError, RunView};

use crate::App;
use crate::args::ShowArgs;
use crate::commands::command;
use crate::page::{Page, Tint};
use crate::render::{marked, review, runs, story as lines};

pub(crate) fn run(args: &ShowArgs, app: &App) -> Result<u8, ApiError> {
    let view = api::show(&app.context, &args.run)?;
    app.output.answer(&view, |page| tell(page, app, &view))?;
    Ok(exit::DONE)
}

fn tell(page: &mut Page, app: &App, view: &RunView) {
    let now = app.context.now;
    runs::head(page, &view.row, app.zone, now);
    let told = story::tell(&view.journal, &view.titles, app.zone.offset(now));
    lines::lines(page, &told);
    if let Some(doing) = story::doing(&view.journal, &view.titles) {
        marked(page, 0, Mark::Running, &format!("{doing}…"));
    }
    if !view.pull_requests.is_empty() {
        page.gap();
        review::rows(page, &view.pull_requests, app.zone, now);
    }
    let only_reports = |e: &Entry| matches!(&e.event, RunEvent::RunStarted(start) if start.only_reports);
    if runs::reported(&view.row) && !view.journal.iter().any(only_reports) {
        page.tinted(Tint::Accent, &command(&format!("run {} --ship", view.row.loop_name)));
    }
    if !view.intact {
        let text = "The journal was changed from outside: its chain of hashes is broken.";
        marked(page, 0, Mark::Failed, text);
    }
}

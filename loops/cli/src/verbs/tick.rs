//! `loopwright tick`

use loopwright_core::story::{Mark, end_mark, ending};
use loopwright_core::triage::plain;
use loopwright_engine::api::{self, ApiError, Deed, TickView};

use crate::App;
use crate::commands;
use crate::page::Page;
use crate::render::marked;

pub(crate) fn run(app: &App) -> Result<u8, ApiError> {
    let view = api::tick(&app.context)?;
    app.output.answer(&view, |page| answer(page, &view))?;
    Ok(view.code())
}

fn answer(page: &mut Page, view: &TickView) {
    if view.deeds.is_empty() {
        marked(page, 0, Mark::Nothing, "Nothing to do.");
    }
    deeds(page, &view.deeds);
}

/// Adds a line for each deed.
pub(super) fn deeds(page: &mut Page, deeds: &[Deed]) {
    for deed in deeds {
        let (mark, text) = line(deed);
        marked(page, 0, mark, &plain(&text, 400));
    }
}

fn line(deed: &Deed) -> (Mark, String) {
    match deed {
        Deed::TookUp { run, loop_name, parked: true, .. } => {
            let text = format!("Run {} of {loop_name} goes on: what it waited for is there.", run.short());
            (Mark::Running, text)
        }
        Deed::TookUp { run, loop_name, epoch, parked: false } => {
            let text = format!("Run {} of {loop_name} goes on (its processes had died; epoch {epoch}).", run.short());
            (Mark::Running, text)
        }
        Deed::Ended { run, loop_name, end } => {
            (end_mark(end), format!("Run {} of {loop_name} has its end: {}", run.short(), ending(end)))
        }
        Deed::Finishes { run, loop_name, end } => {
            let text = format!("Run {} of {loop_name}: {} Its last steps follow.", run.short(), ending(end));
            (end_mark(end), text)
        }
        Deed::GaveUp { .. } => (Mark::Note, "A start that came to nothing is given up.".to_owned()),
        Deed::Landed { pull_request, commit, branch } => {
            (Mark::Passed, format!("Pull request {} landed as {commit} on {branch}.", pull_request.short()))
        }
        Deed::Started { run, loop_name, .. } => {
            (Mark::Running, format!("Run {} of {loop_name} was started for its time.", run.short()))
        }
        Deed::Began { run, loop_name, pull_request } => {
            let text =
                format!("Run {} of {loop_name} works on pull request {} again.", run.short(), pull_request.short());
            (Mark::Running, text)
        }
        Deed::Held { pull_request, why, command, .. } => {
            let repair = command.as_ref().map_or_else(String::new, |c| format!(" ({})", commands::in_text(c)));
            (Mark::NeedsYou, format!("What you decided on pull request {} waits: {why}{repair}", pull_request.short()))
        }
        Deed::GaveBack { pull_request, why } => {
            (Mark::NeedsYou, format!("Pull request {} waits for you again: {why}", pull_request.short()))
        }
        Deed::Waits { run, loop_name, why } => {
            let text = format!("Run {} of {loop_name} waits: {why}. The first pass after that goes on.", run.short());
            (Mark::Skipped, text)
        }
        Deed::Swept { what } => (Mark::Note, format!("Swept: {what}.")),
        Deed::Failed { what, why } => {
            (Mark::Failed, format!("{what}: {why}. The next pass tries again; see `loopwright doctor`."))
        }
    }
}

#[cfg(test)]
mod tests {
    use loopwright_core::run::{End, HaltWhy};

    use super::*;

    #[test]
    fn a_line_for_each_deed() {
        let run = "01936f2e-0000-7000-8000-00001a2b3c4d";
        let loop_name = "daily-triage".to_owned();
        let end = End::Halted { why: HaltWhy::Halt, detail: "HALT for everything".to_owned() };
        let deeds = vec![
            Deed::TookUp { run: run.parse().expect("an id"), loop_name: loop_name.clone(), epoch: 2, parked: false },
            Deed::TookUp { run: run.parse().expect("an id"), loop_name: loop_name.clone(), epoch: 2, parked: true },
            Deed::Ended { run: run.parse().expect("an id"), loop_name, end },
            Deed::Finishes {
                run: run.parse().expect("an id"),
                loop_name: "trading-day".to_owned(),
                end: End::Finished,
            },
            Deed::GaveUp { occurrence: run.parse().expect("an id") },
            Deed::Landed {
                pull_request: run.parse().expect("an id"),
                commit: "c0ffee0".to_owned(),
                branch: "main".to_owned(),
            },
            Deed::Began {
                run: run.parse().expect("an id"),
                loop_name: "daily-triage".to_owned(),
                pull_request: run.parse().expect("an id"),
            },
            Deed::Held {
                pull_request: run.parse().expect("an id"),
                why: "halted: HALT for everything; nothing starts".to_owned(),
                command: Some("loopwright resume --reason \"…\"".to_owned()),
                halted: true,
            },
            Deed::GaveBack {
                pull_request: run.parse().expect("an id"),
                why: "the branch moved, and the change is not verified on it: conflicts in src/a.rs".to_owned(),
            },
            Deed::Waits {
                run: run.parse().expect("an id"),
                loop_name: "daily-triage".to_owned(),
                why: "the disk is full (/data)".to_owned(),
            },
            Deed::Swept { what: "2 refs that no run knows".to_owned() },
            Deed::Failed { what: "run 1a2b3c4d".to_owned(), why: "its journal can't be read".to_owned() },
        ];
        let mut page = Page::new(false);
        for deeds in [Vec::new(), deeds] {
            answer(&mut page, &TickView { deeds, next_at: None });
        }
        insta::assert_snapshot!(page.text());
    }
}

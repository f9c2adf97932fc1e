//! What a run came to, with the commands to type next. Printed at the end of `run`.

use std::collections::BTreeMap;

use loopwright_core::ids::PullRequestId;
use loopwright_core::run::{End, Entry, HoldBack, Item, Mode, Outcome, Run, RunEvent, Shipped, Stage, Step};
use loopwright_core::story::{self, Mark};
use loopwright_core::triage::plain;

use super::{count, marked, review};
use crate::commands::command;
use crate::page::{Page, Tint};

/// Adds the summary of a journal; nothing if it can't be read as a run.
pub(crate) fn summary(page: &mut Page, entries: &[Entry]) {
    let Ok(Some(run)) = Run::replay(entries.iter().map(|e| &e.event)) else {
        return;
    };
    if let Some(found) = &run.discovered {
        page.line(&story::found(found, run.start.only.is_some()));
    }
    pull_requests(page, &run, &shipped(entries));
    handed_over(page, &run);
    held_back(page, &run, entries);
    undecided(page, &run);
    if let Some(parked) = &run.parked {
        marked(
            page,
            0,
            Mark::Skipped,
            &format!("Parked {}; `serve` or the next pass takes it up", plain(&parked.why, 200)),
        );
    }
    if let Some(end) = run.end.as_ref().filter(|e| **e != End::Finished) {
        marked(page, 0, story::end_mark(end), &story::ending(end));
    }
}

fn pull_requests(page: &mut Page, run: &Run, shipped: &BTreeMap<PullRequestId, &Shipped>) {
    let opened: Vec<PullRequestId> = run.items.iter().filter_map(opened).collect();
    if opened.is_empty() {
        return;
    }
    let many = count(opened.len(), "pull request");
    let verb = if opened.len() == 1 { "waits" } else { "wait" };
    marked(page, 0, Mark::NeedsYou, &format!("{many} {verb} for you"));
    for (id, shipped) in opened.iter().filter_map(|id| Some((id, shipped.get(id)?))) {
        let short = id.short();
        page.say("  ").tinted(Tint::Strong, &plain(&shipped.title, 100));
        page.say("    ").tinted(Tint::Accent, &command(&format!("review {short}")));
        page.say("    ").tinted(Tint::Accent, &review::approve(&short, &shipped.tree));
    }
}

fn opened(item: &Item) -> Option<PullRequestId> {
    match item.stage {
        Stage::Shipped { pull_request } => Some(PullRequestId(pull_request)),
        _ => None,
    }
}

fn handed_over(page: &mut Page, run: &Run) {
    let handed: Vec<(&Item, String)> = run.items.iter().filter_map(handed).collect();
    if handed.is_empty() {
        return;
    }
    let many = count(handed.len(), "finding");
    marked(page, 0, Mark::NeedsYou, &format!("{many} handed to you"));
    for (item, why) in handed {
        page.say("  ").add(Tint::Strong, &plain(&item.queued.title, 80)).say(": ");
        page.line(&plain(&why, 400));
        let again = format!("run {} --finding {}", run.start.loop_name, item.queued.finding.short());
        page.say("    ").tinted(Tint::Accent, &command(&again));
    }
}

fn handed(item: &Item) -> Option<(&Item, String)> {
    match &item.stage {
        Stage::HandedOver(why) => Some((item, story::handed_over(why, &item.reasons))),
        _ => None,
    }
}

/// What nobody got to: all of it in a run that only reports.
fn undecided(page: &mut Page, run: &Run) {
    let decided = |i: &Item| matches!(i.stage, Stage::Shipped { .. } | Stage::HandedOver(_) | Stage::HeldBack);
    let left = run.items.iter().filter(|i| !decided(i)).count();
    if left == 0 {
        return;
    }
    let many = count(left, "finding");
    if run.start.mode == Mode::Ship {
        return marked(page, 0, Mark::Skipped, &format!("{many} left for another run"));
    }
    marked(page, 0, Mark::NeedsYou, &format!("{many} to act on; this run only reported"));
    match run.start.only_reports {
        true => page.line("  The loop only looks: add act, verify and ship to its file to let it work on them."),
        false => page.say("  ").tinted(Tint::Accent, &command(&format!("run {} --ship", run.start.loop_name))),
    }
}

fn held_back(page: &mut Page, run: &Run, entries: &[Entry]) {
    let held = run.items.iter().filter(|i| i.stage == Stage::HeldBack).count();
    let why = entries.iter().rev().find_map(|e| match &e.event {
        RunEvent::StepStarted { step: Step::HoldBack { why }, .. } => Some(why),
        _ => None,
    });
    if held == 0 {
        return;
    }
    let why = why.map_or_else(String::new, |w: &HoldBack| format!(": {}", story::held_back(w)));
    let many = count(held, "finding");
    marked(page, 0, Mark::Skipped, &format!("{many} held back{why}"));
}

/// Pull requests by the id of the step that opened them.
fn shipped(entries: &[Entry]) -> BTreeMap<PullRequestId, &Shipped> {
    entries
        .iter()
        .filter_map(|e| match &e.event {
            RunEvent::StepFinished { id, outcome: Outcome::Shipped(s) } => Some((s.id(*id), s)),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use loopwright_core::run::HaltWhy;

    use super::*;
    use crate::render::samples;

    #[test]
    fn a_summary_ends_with_what_to_type() {
        let mut page = Page::new(false);
        summary(&mut page, &samples::journal());
        insta::assert_snapshot!(page.text());
    }

    #[test]
    fn no_journal_no_summary() {
        let mut page = Page::new(false);
        summary(&mut page, &[]);
        assert_eq!(page.text(), "");
    }

    #[test]
    fn a_halted_run_says_what_it_left() {
        let mut journal = samples::journal();
        journal.truncate(6);
        let at = "2026-11-22T09:05:00Z".to_owned();
        let end = End::Halted { why: HaltWhy::Halt, detail: "this run was halted: Ctrl-C".to_owned() };
        let event = RunEvent::RunEnded { end };
        journal.push(Entry { v: 1, at, event });
        let mut page = Page::new(false);
        summary(&mut page, &journal);
        insta::assert_snapshot!(page.text());
    }

    #[test]
    fn a_loop_that_only_looks_says_what_it_lacks() {
        let mut journal = samples::journal();
        journal.truncate(5);
        let text = |only_reports| {
            let mut journal = journal.clone();
            if let RunEvent::RunStarted(start) = &mut journal[0].event {
                (start.mode, start.only_reports) = (Mode::Report, only_reports);
            }
            let mut page = Page::new(false);
            summary(&mut page, &journal);
            page.text().to_owned()
        };
        assert!(text(true).contains("add act, verify and ship") && !text(true).contains("--ship"), "{}", text(true));
        assert!(text(false).contains("--ship"), "the control");
    }

    #[test]
    fn a_report_says_how_to_ship() {
        let mut journal = samples::journal();
        journal.truncate(5);
        if let RunEvent::RunStarted(start) = &mut journal[0].event {
            start.mode = Mode::Report;
        }
        let mut page = Page::new(false);
        summary(&mut page, &journal);
        insta::assert_snapshot!(page.text());
    }
}

//! A pull request as a person reads it: finding, gates, checker, cost, diff, and at last the command that approves it.

use loopwright_core::definition::Merge;
use loopwright_core::gate::{GateResult, Level};
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_core::verdict::CheckerVerdict;
use loopwright_engine::api::{Happened, PullRequestRow, ReviewView, Since};

use super::{aligned, count, diff, mark, marked, money};
use crate::commands;
use crate::page::{Page, Tint};
use crate::zone::{self, Zone};
use chrono::{DateTime, Utc};

/// Adds everything a person decides by; the diff is whole, or what the last update changed.
pub(crate) fn review(page: &mut Page, view: &ReviewView, since: bool, zone: Zone, now: DateTime<Utc>) {
    evidence(page, view);
    page.gap();
    history(page, view, zone, now);
    match view.since.as_ref().filter(|_| since) {
        Some(since) => update(page, since),
        None => diff::diff(page, &view.diff),
    }
    page.gap();
    last_line(page, view);
}

/// What the last update changed; said in words where a patch alone would mislead.
fn update(page: &mut Page, since: &Since) {
    if since.whole {
        page.line("What was shown before does not fit the branch as it is now. This is the whole change:");
    } else if since.diff.is_empty() {
        page.line("The same change, on the branch as it is now.");
    }
    diff::diff(page, &since.diff);
}

/// What happened to it, where that is more than its opening; nothing else stands above the change.
fn history(page: &mut Page, view: &ReviewView, zone: Zone, now: DateTime<Utc>) {
    if view.history.len() < 2 {
        return;
    }
    page.tinted(Tint::Strong, "History");
    for Happened { at, what, said, commit } in &view.history {
        let mut text = format!("  {}  {what}", zone.day_time(at, now));
        if let Some(commit) = commit {
            text += &format!(" {}", commit.get(..12).unwrap_or(commit));
        }
        if let Some(said) = said {
            text += &format!(": {}", plain(said, 400));
        }
        page.line(&text);
    }
    if let Some(since) = &view.since {
        let before = since.commit.get(..12).unwrap_or(&since.commit);
        page.line(&format!("  since {before}: {}", since.stat));
        page.say("  ").tinted(Tint::Accent, &commands::command(&format!("review {} --since", view.row.short)));
    }
    page.gap();
}

/// Adds a list of pull requests.
pub(crate) fn rows(page: &mut Page, rows: &[PullRequestRow], zone: Zone, now: DateTime<Utc>) {
    let cells = |r: &PullRequestRow| {
        let mark = state_mark(r);
        vec![
            (super::tint(mark), format!("{} {}", mark.shape(), r.short)),
            (Tint::Plain, plain(&r.loop_name, 64)),
            (Tint::Strong, plain(&r.title, 60)),
            (Tint::Plain, r.stat.to_string()),
            (Tint::Plain, money(r.cost)),
            (Tint::Muted, zone.day_time(&r.opened, now)),
            (Tint::Muted, standing(r, zone, now)),
        ]
    };
    aligned(page, 0, &rows.iter().map(cells).collect::<Vec<_>>());
}

/// Where it stands, and why, in one cell.
fn standing(row: &PullRequestRow, zone: Zone, now: DateTime<Utc>) -> String {
    let mut text = state(row).to_owned();
    if let Some(at) = &row.lands_at {
        text += &format!(" until {}", zone.clock(at));
    }
    let later = row.later_until.as_deref().filter(|at| zone::is_after(at, now));
    if let Some(until) = later {
        text += &format!(", put off until {}", zone.day_time(until, now));
    }
    if let Some(why) = &row.why {
        text += &format!(": {}", plain(why, 120));
    }
    text
}

fn evidence(page: &mut Page, view: &ReviewView) {
    let row = &view.row;
    mark(page, state_mark(row)).add(Tint::Strong, &plain(&row.title, 120));
    let origin = format!("  {} · {} · {}", row.short, row.loop_name, state(row));
    page.add(Tint::Muted, &origin).end();
    if let Some(why) = row.why.as_ref().filter(|_| row.state == "open") {
        marked(page, 0, Mark::NeedsYou, &plain(why, 400));
    }
    page.gap();
    for (title, should) in &view.findings {
        field(page, "Finding", &plain(title, 300));
        field(page, "Should", &plain(should, 300));
    }
    page.gap();
    gates(page, &view.gates);
    page.gap();
    checker(page, view);
    page.gap();
    facts(page, view);
}

fn field(page: &mut Page, name: &str, text: &str) {
    page.cell(Tint::Muted, name, 9).line(text);
}

/// Failed first, then what needs a person, then passed.
fn gates(page: &mut Page, gates: &[GateResult]) {
    page.tinted(Tint::Strong, "Gates");
    if gates.is_empty() {
        page.line("  none");
    }
    let width = gates.iter().map(|g| g.gate.chars().count()).max().unwrap_or(0);
    let mut sorted: Vec<&GateResult> = gates.iter().collect();
    sorted.sort_by_key(|g| g.level);
    for gate in sorted {
        page.say("  ");
        mark(page, Mark::from(gate.level)).cell(Tint::Plain, &gate.gate, width + 2);
        page.line(&plain(&gate.summary, 300));
        for reason in gate.reasons.iter().filter(|_| gate.level != Level::Pass) {
            page.tinted(Tint::Plain, &format!("      {}", plain(reason, 300)));
        }
    }
}

/// What it did not check first, objections next, acceptance last.
fn checker(page: &mut Page, view: &ReviewView) {
    page.add(Tint::Strong, "Checker").say("  ").line(&plain(&view.checked_by, 80));
    if let Some(why) = &view.not_independent {
        marked(page, 2, Mark::NeedsYou, &format!("not independent: {}", plain(why, 200)));
    }
    let Some(answer) = &view.checker else {
        return;
    };
    for unchecked in &answer.not_checked {
        let text = format!("not checked: {}", plain(unchecked, 300));
        marked(page, 2, Mark::NeedsYou, &text);
    }
    for fault in &answer.faults {
        let text = format!("{}: {}: {}", fault.file, fault.rule, fault.message);
        marked(page, 2, Mark::Failed, &plain(&text, 300));
    }
    conclusion(page, answer);
}

fn conclusion(page: &mut Page, answer: &CheckerVerdict) {
    let (mark, word) = match answer.accepted {
        true => (Mark::Note, "accepts"),
        false => (Mark::Failed, "rejects"),
    };
    marked(page, 2, mark, word);
    for reason in &answer.reasons {
        page.line(&format!("      {}", plain(reason, 300)));
    }
}

fn facts(page: &mut Page, view: &ReviewView) {
    let row = &view.row;
    let rounds = count(view.iterations as usize, "round");
    field(page, "Cost", &format!("{} · {rounds}", money(row.cost)));
    field(page, "Maker", &plain(&view.maker, 120));
    let (repo, branch) = &view.target;
    let how = match view.merge {
        Merge::Squash => "as one commit",
        Merge::Merge => "as a merge",
        Merge::FastForward => "fast-forward only",
    };
    field(page, "Into", &format!("{} of {repo}, {how}", plain(branch, 120)));
    field(page, "Tree", &format!("{} · commit {}", view.tree, view.commit));
    field(page, "Change", &row.stat.to_string());
}

/// The command that approves, or why there is none.
fn last_line(page: &mut Page, view: &ReviewView) {
    match (view.row.state.as_str(), &view.merged) {
        ("open", _) => {
            let others = [("send-back", " --note '…'"), ("reject", " --reason '…'"), ("later", "")];
            for (verb, rest) in others {
                page.tinted(Tint::Muted, &commands::command(&format!("{verb} {}{rest}", view.row.short)));
            }
            page.tinted(Tint::Accent, &approve_command(view));
        }
        (_, Some(commit)) => marked(page, 0, Mark::Passed, &format!("Merged as {commit}.")),
        (_, None) => {
            let why = view.row.why.as_ref().map(|why| format!(": {}", plain(why, 400))).unwrap_or_default();
            page.line(&format!("Nothing to approve: it is {}{why}.", state(&view.row)));
            if matches!(view.row.state.as_str(), "approved" | "sent back" | "rejected") {
                page.tinted(Tint::Accent, &commands::command(&format!("undo {}", view.row.short)));
            }
        }
    }
}

/// `loopwright approve ID --tree <12 hex>`.
pub(crate) fn approve_command(view: &ReviewView) -> String {
    approve(&view.row.short, &view.tree)
}

/// The same from its parts.
pub(crate) fn approve(id: &str, tree: &str) -> String {
    let tree = tree.get(..12).unwrap_or(tree);
    commands::command(&format!("approve {id} --tree {tree}"))
}

fn state_mark(row: &PullRequestRow) -> Mark {
    match row.state.as_str() {
        "open" | "approved" => Mark::NeedsYou,
        "sent back" => Mark::Running,
        "merged" => Mark::Passed,
        "rejected" | "reverted" => Mark::Failed,
        _ => Mark::Skipped,
    }
}

fn state(row: &PullRequestRow) -> &str {
    match row.state.as_str() {
        "open" if row.needs_person => "needs your look",
        "open" => "ready",
        "approved" => "approved, waiting",
        other => other,
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::render::samples;
    use crate::zone::tests::{BERLIN, now};

    fn shown(view: &ReviewView) -> String {
        let mut page = Page::new(false);
        review(&mut page, view, false, BERLIN, now());
        page.text().to_owned()
    }

    #[test]
    fn a_whole_review() {
        insta::assert_snapshot!(shown(&samples::review()));
    }

    #[test]
    fn the_last_line_approves_what_was_shown() {
        let text = shown(&samples::review());
        assert_eq!(text.lines().last(), Some("loopwright approve 0000002a --tree 0123456789ab"));
    }

    #[test]
    fn what_happened_to_it_and_what_is_new_stand_above_the_change() {
        let mut view = samples::review();
        let happened = |what: &str, said: Option<&str>, commit: Option<&str>| Happened {
            at: "2026-11-22T08:05:00Z".to_owned(),
            what: what.to_owned(),
            said: said.map(str::to_owned),
            commit: commit.map(str::to_owned),
        };
        view.history.push(happened("sent back", Some("src/a.rs:1: a better name"), None));
        view.history.push(happened("updated", None, Some("facade00facade00")));
        let since = Since {
            commit: "c0ffeec0ffee".to_owned(),
            stat: view.row.stat,
            diff: "+the new part\n".to_owned(),
            whole: false,
        };
        view.since = Some(since);
        view.row.why = Some("the attempt after your note came to nothing: halted".to_owned());
        let text = shown(&view);
        let (_, history) = text.split_once("History\n").expect("a history");
        let (history, _) = history.split_once("\n\n").expect("an end");
        insta::assert_snapshot!(history);
        assert!(text.lines().nth(1).is_some_and(|l| l.contains("came to nothing")), "{text}");
        let mut page = Page::new(false);
        review(&mut page, &view, true, BERLIN, now());
        assert!(page.text().contains("+the new part") && !page.text().contains("b( );"), "{}", page.text());
    }

    #[test]
    fn a_decision_that_can_be_taken_back_says_how() {
        let mut view = samples::review();
        for (state, last) in
            [("approved", "undo 0000002a"), ("rejected", "undo 0000002a"), ("sent back", "undo 0000002a")]
        {
            view.row.state = state.to_owned();
            assert!(shown(&view).trim_end().ends_with(last), "{state}");
        }
        view.row.state = "closed elsewhere".to_owned();
        assert!(!shown(&view).contains("undo"));
    }

    #[test]
    fn a_merged_one_offers_nothing() {
        let mut view = samples::review();
        view.row.state = "merged".to_owned();
        view.merged = Some("c0ffee0".to_owned());
        assert_eq!(shown(&view).lines().last(), Some("✓ Merged as c0ffee0."));
        assert!(!shown(&view).contains("approve"));
    }

    #[test]
    fn untrusted_text_can_not_pose_as_evidence() {
        let mut view = samples::review();
        let evil = "x\n  ✓ tests_pass  999 passed\u{1b}[1A\u{202e}";
        view.row.title = evil.to_owned();
        view.findings[0] = (evil.to_owned(), evil.to_owned());
        view.maker = evil.to_owned();
        view.gates[0].summary = evil.to_owned();
        let text = shown(&view);
        assert!(!text.lines().any(|l| l.starts_with("  ✓ tests_pass  999")), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']));
        assert!(evil.lines().any(|l| l.starts_with("  ✓ tests_pass  999")), "the control would pass too");
    }

    #[test]
    fn lists_line_up() {
        let mut page = Page::new(false);
        let mut merged = samples::pull_request("Bump serde");
        merged.state = "merged".to_owned();
        let list = [samples::pull_request("Formatting: 4 files"), merged];
        rows(&mut page, &list, BERLIN, now());
        insta::assert_snapshot!(page.text());
    }
}

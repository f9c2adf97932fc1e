//! Everything at a glance, in the order that matters: halted, running, waiting, handed over, next.

use chrono::{DateTime, Utc};
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_engine::api::{CeilingRow, FindingRow, LostRow, StatusView};

use super::{count, marked, money, review, runs};
use crate::commands::{self, command};
use crate::page::{Page, Tint};
use crate::zone::{Zone, due};

/// Adds the whole status.
pub(crate) fn status(page: &mut Page, view: &StatusView, zone: Zone, now: DateTime<Utc>) {
    if let Some(why) = &view.halted {
        marked(page, 0, Mark::Halted, &format!("Halted: {}", plain(why, 200)));
        let resume = command("resume --reason '…'");
        page.line(&format!("  Nothing starts until you resume: {resume}"));
        page.gap();
    }
    if let Some(fault) = &view.settings {
        marked(page, 0, Mark::Failed, &plain(fault, 300));
        page.line("  No run starts until it is corrected; the ceilings over all loops are not shown");
        page.gap();
    }
    if !view.running.is_empty() {
        marked(page, 0, Mark::Running, &format!("{} running", view.running.len()));
        runs::rows(page, 2, &view.running, zone, now);
        page.gap();
    }
    lost(page, &view.lost);
    waiting(page, view, zone, now);
    ceilings(page, &view.ceilings);
    closing(page, view, now);
}

fn lost(page: &mut Page, rows: &[LostRow]) {
    for row in rows {
        let name = plain(&row.loop_name, 64);
        let text = match &row.waits {
            Some(why) => format!("Run {} of {name} waits: {}", row.short, plain(why, 200)),
            None => format!("Run {} of {name} lost its processes and goes on with the next pass", row.short),
        };
        marked(page, 0, Mark::Skipped, &text);
    }
    if !rows.is_empty() {
        page.line(&format!("  {}", command("tick")));
        page.gap();
    }
}

fn ceilings(page: &mut Page, rows: &[CeilingRow]) {
    for row in rows {
        let text = format!("{}: {} spent or reserved", plain(&row.ceiling, 120), money(row.committed));
        marked(page, 0, Mark::Halted, &text);
        page.line(&format!("  There is room again from {}", plain(&row.until, 80)));
    }
    if !rows.is_empty() {
        page.gap();
    }
}

fn waiting(page: &mut Page, view: &StatusView, zone: Zone, now: DateTime<Utc>) {
    if !view.waiting.is_empty() {
        let many = count(view.waiting.len(), "pull request");
        let verb = if view.waiting.len() == 1 { "waits" } else { "wait" };
        marked(page, 0, Mark::NeedsYou, &format!("{many} {verb} for you"));
        review::rows(page, &view.waiting, zone, now);
        page.tinted(Tint::Accent, &command(&format!("review {}", view.waiting[0].short)));
        page.gap();
    }
    if !view.needs_you.is_empty() {
        let many = count(view.needs_you.len(), "finding");
        marked(page, 0, Mark::NeedsYou, &format!("{many} handed to you"));
        handed(page, &view.needs_you);
        page.gap();
    }
}

fn handed(page: &mut Page, findings: &[FindingRow]) {
    for finding in findings {
        page.say("  ").say(&finding.short).say("  ").say(&plain(&finding.loop_name, 64)).say("  ");
        page.tinted(Tint::Strong, &plain(&finding.title, 120));
        page.say("    ").line(&plain(&finding.why, 400));
        page.say("    ").tinted(Tint::Accent, &commands::in_text(&finding.again));
    }
}

fn closing(page: &mut Page, view: &StatusView, now: DateTime<Utc>) {
    if view.loops.is_empty() {
        marked(page, 0, Mark::Nothing, "No loops yet.");
        page.line(&format!("  {}", command("templates")));
        return;
    }
    let quiet = view.halted.is_none()
        && view.settings.is_none()
        && view.running.is_empty()
        && view.lost.is_empty()
        && view.waiting.is_empty()
        && view.needs_you.is_empty();
    let many = count(view.loops.len(), "loop");
    let said = if quiet { format!("All quiet · {many}") } else { many };
    marked(page, 0, Mark::Nothing, &said);
    let next = view.loops.iter().filter_map(|l| Some((l.next.first()?, &l.name)));
    if let Some((at, name)) = next.min_by_key(|(at, _)| instant(at)) {
        page.line(&format!("  Next: {}, {}", plain(name, 64), due(at, now)));
    }
}

/// Times of several zones compare only as instants.
fn instant(at: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(at).ok().map(|t| t.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use loopwright_core::money::Micros;

    use super::*;
    use crate::render::samples;
    use crate::zone::tests::{BERLIN, now};

    fn shown(view: &StatusView) -> String {
        let mut page = Page::new(false);
        status(&mut page, view, BERLIN, now());
        page.text().to_owned()
    }

    fn empty() -> StatusView {
        StatusView {
            halted: None,
            loops: Vec::new(),
            running: Vec::new(),
            lost: Vec::new(),
            waiting: Vec::new(),
            needs_you: Vec::new(),
            ceilings: Vec::new(),
            settings: None,
        }
    }

    #[test]
    fn nothing_yet() {
        assert_eq!(shown(&empty()), "○ No loops yet.\n  loopwright templates\n");
    }

    #[test]
    fn all_quiet() {
        let loops = vec![samples::a_loop()];
        insta::assert_snapshot!(shown(&StatusView { loops, ..empty() }));
    }

    #[test]
    fn everything_at_once() {
        insta::assert_snapshot!(shown(&StatusView {
            halted: Some("by hand: wrong branch".to_owned()),
            loops: vec![samples::a_loop()],
            running: vec![samples::run(None, None)],
            lost: [None, Some("the disk is full (/data)".to_owned())]
                .map(|waits| LostRow { short: "1a2b3c4d".to_owned(), loop_name: "deps".to_owned(), waits })
                .into(),
            waiting: vec![samples::pull_request("Formatting: 4 files")],
            needs_you: vec![samples::handed_over()],
            settings: Some("settings.yaml is not valid: unknown key `budgett` (1:1)".to_owned()),
            ceilings: vec![CeilingRow {
                ceiling: "$20/day of daily-triage".to_owned(),
                committed: Micros(19_500_000),
                until: "2026-11-23 (Europe/Berlin)".to_owned(),
            }],
        }));
    }
}

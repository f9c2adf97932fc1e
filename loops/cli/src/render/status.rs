//! Everything at a glance, in the order that matters: halted, running, waiting, handed over, next.

use chrono::{DateTime, Utc};
use loopwright_core::scheduler::Health;
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_engine::api::{CeilingRow, FindingRow, LostRow, StatusView};

use super::{count, loops, marked, money, review, runs};
use crate::commands::{self, command};
use crate::page::{Page, Tint};
use crate::zone::{Zone, is_after};

/// So many troubles of loops are told one by one.
const MOST: usize = 20;

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
    parked(page, view, zone, now);
    lost(page, &view.lost);
    troubled(page, view);
    last_steps(page, view, zone, now);
    waiting(page, view, zone, now);
    ceilings(page, &view.ceilings);
    drill(page, view);
    scheduler(page, view, zone, now);
    closing(page, view, zone, now);
}

/// Runs that wait, without processes. Only where nobody else makes a pass is one asked for.
fn parked(page: &mut Page, view: &StatusView, zone: Zone, now: DateTime<Utc>) {
    if view.parked.is_empty() {
        return;
    }
    marked(page, 0, Mark::Skipped, &format!("{} parked", count(view.parked.len(), "run")));
    runs::rows(page, 2, &view.parked, zone, now);
    let over = |at: &String| !is_after(at, now);
    if view.scheduler.health != Health::Alive && view.parked.iter().any(|r| r.parked_until.as_ref().is_some_and(over)) {
        page.line(&format!("  {}", command("tick")));
    }
    page.gap();
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

/// Loops that are not well: what a paused one lacks is asked for when it is enabled.
fn troubled(page: &mut Page, view: &StatusView) {
    let enabled = view.loops.iter().filter(|l| l.paused_at.is_none() && !l.troubles.is_empty());
    let rows: Vec<_> = enabled.flat_map(|l| l.troubles.iter().map(|trouble| (&l.name, trouble))).collect();
    for (name, trouble) in rows.iter().take(MOST) {
        marked(page, 0, Mark::Failed, &format!("{}: {}", plain(name, 64), plain(&trouble.why, 300)));
        page.say("  ").tinted(Tint::Accent, &commands::in_text(&trouble.command));
    }
    if rows.len() > MOST {
        page.line(&format!("  and {} more; see `{}`", rows.len() - MOST, command("next")));
    }
    if !rows.is_empty() {
        page.gap();
    }
}

/// Loops whose last run left its last steps undone: positions may be open, folders mounted.
fn last_steps(page: &mut Page, view: &StatusView, zone: Zone, now: DateTime<Utc>) {
    let last = view.loops.iter().filter_map(|of| of.last.as_ref()).filter(|last| last.last_steps.is_some());
    for row in last {
        marked(
            page,
            0,
            Mark::Failed,
            &format!("Run {} of {}: {}", row.short, plain(&row.loop_name, 64), runs::result(row, zone, now)),
        );
        page.line(&format!("  {}", command(&format!("show {}", row.short))));
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

/// A drill that failed: whatever runs may not be stopped.
fn drill(page: &mut Page, view: &StatusView) {
    if let Some(drill) = view.drill.as_ref().filter(|drill| !drill.passed) {
        marked(page, 0, Mark::Failed, &plain(&drill.words, 200));
        page.say("  The kill switch may not hold; try it again: ").tinted(Tint::Accent, &command("drill"));
        page.gap();
    }
}

/// How the scheduler is, where a loop goes by it.
fn scheduler(page: &mut Page, view: &StatusView, zone: Zone, now: DateTime<Utc>) {
    let at = |at: Option<DateTime<Utc>>| at.map(|at| zone.day_time(&at.to_rfc3339(), now));
    let state = &view.scheduler;
    let pid = state.pid.map(|pid| format!("process {pid}")).unwrap_or_default();
    match (state.health, &state.fault) {
        (Health::Gone, _) if !view.loops.iter().any(|l| l.by_itself) => {}
        (Health::Gone, _) => {
            let last = at(state.last_pass).map(|at| format!(" (the last one looked {at})")).unwrap_or_default();
            marked(page, 0, Mark::NeedsYou, &format!("No scheduler runs: loops start only by hand{last}"));
            page.say("  Start it: ").tinted(Tint::Accent, &command("serve"));
            page.gap();
        }
        (Health::Alive, None) => {
            let since = at(state.since).map(|at| format!(" since {at}")).unwrap_or_default();
            marked(page, 0, Mark::Running, &format!("Scheduler{since} ({pid})"));
        }
        (_, fault) => {
            let last = at(state.last_pass).unwrap_or_else(|| "never".to_owned());
            marked(page, 0, Mark::Failed, &format!("The scheduler ({pid}) makes no passes; its last: {last}"));
            match fault {
                Some(fault) => page.line(&format!("  {}", commands::in_text(&plain(fault, 300)))),
                None => page
                    .line("  It is stopped, or the computer has too little time for it; end it and start another one"),
            }
            page.gap();
        }
    }
}

fn closing(page: &mut Page, view: &StatusView, zone: Zone, now: DateTime<Utc>) {
    if view.loops.is_empty() {
        marked(page, 0, Mark::Nothing, "No loops yet.");
        page.line(&format!("  {}", command("templates")));
        return;
    }
    let quiet = view.halted.is_none()
        && view.settings.is_none()
        && view.running.is_empty()
        && view.parked.is_empty()
        && view.lost.is_empty()
        && view.waiting.is_empty()
        && view.needs_you.is_empty()
        && view.drill.as_ref().is_none_or(|drill| drill.passed)
        && view.loops.iter().all(|l| l.paused_at.is_some() || l.troubles.is_empty())
        && view.loops.iter().all(|of| of.last.as_ref().is_none_or(|last| last.last_steps.is_none()));
    let many = count(view.loops.len(), "loop");
    let said = if quiet { format!("All quiet · {many}") } else { many };
    marked(page, 0, Mark::Nothing, &said);
    let paused = view.loops.iter().filter(|l| l.paused_at.is_some()).count();
    if paused > 0 {
        page.line(&format!("  {} paused; see `{}`", count(paused, "loop"), command("next")));
    }
    let enabled = view.loops.iter().filter(|l| l.paused_at.is_none());
    let next = enabled.filter_map(|l| Some((l.next.first()?, l)));
    if let Some((at, one)) = next.min_by_key(|(at, _)| instant(at)) {
        let quiet = (one.quiet_until.first().and_then(Option::as_deref), one.quiet_skips);
        page.line(&format!("  Next: {}, {}", plain(&one.name, 64), loops::start(at, quiet, zone, now)));
    }
    if let Some(drill) = view.drill.as_ref().filter(|drill| drill.passed) {
        page.line(&format!("  Kill switch: {}", plain(&drill.words, 200)));
    }
}

/// Times of several zones compare only as instants.
fn instant(at: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(at).ok().map(|t| t.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use loopwright_core::money::Micros;
    use loopwright_engine::api::{DrillView, LoopView, RunRow, SchedulerView, TroubleRow};

    use super::*;
    use crate::render::samples;
    use crate::zone::tests::{BERLIN, now};

    fn shown(view: &StatusView) -> String {
        let mut page = Page::new(false);
        status(&mut page, view, BERLIN, now());
        page.text().to_owned()
    }

    fn scheduler_of(health: Health) -> SchedulerView {
        let at = |text: &str| Some(text.parse().expect("a time"));
        let (since, last_pass) = (at("2026-11-21T07:00:00Z"), at("2026-11-22T09:29:40Z"));
        match health {
            Health::Gone => SchedulerView { health, pid: None, since: None, last_pass, fault: None },
            _ => SchedulerView { health, pid: Some(4711), since, last_pass, fault: None },
        }
    }

    fn empty() -> StatusView {
        StatusView {
            halted: None,
            scheduler: scheduler_of(Health::Alive),
            loops: Vec::new(),
            running: Vec::new(),
            parked: Vec::new(),
            lost: Vec::new(),
            waiting: Vec::new(),
            needs_you: Vec::new(),
            ceilings: Vec::new(),
            settings: None,
            drill: None,
        }
    }

    #[test]
    fn a_drill_is_told_and_one_that_failed_stands_above() {
        let at = "2026-11-19T09:30:00Z".parse().expect("a time");
        let drill = |words: &str, passed| DrillView {
            at,
            passed,
            words: words.to_owned(),
            processes: 9,
            left: 0,
            took_ms: 400,
        };
        let of = |drill| shown(&StatusView { loops: vec![samples::a_loop()], drill: Some(drill), ..empty() });
        let good = of(drill("Drilled 3 d ago, ended in 0.4 s", true));
        assert!(
            good.contains("All quiet") && good.ends_with("  Kill switch: Drilled 3 d ago, ended in 0.4 s\n"),
            "{good}"
        );
        let bad = of(drill("Drill failed 3 d ago: 2 of 9 processes lived on after 1.0 s", false));
        assert!(bad.starts_with("✕ Drill failed 3 d ago: 2 of 9") && bad.contains("loopwright drill"), "{bad}");
        assert!(!bad.contains("All quiet"), "{bad}");
    }

    #[test]
    fn nothing_yet() {
        let gone = StatusView { scheduler: scheduler_of(Health::Gone), ..empty() };
        assert_eq!(shown(&gone), "○ No loops yet.\n  loopwright templates\n");
    }

    #[test]
    fn all_quiet() {
        let loops = vec![samples::a_loop()];
        insta::assert_snapshot!(shown(&StatusView { loops, ..empty() }));
    }

    #[test]
    fn a_parked_run_is_not_lost_and_its_day_is_said() {
        let until = |at: &str| RunRow {
            parked: Some("until 16:08".to_owned()),
            parked_until: Some(at.to_owned()),
            ..samples::run(None, None)
        };
        let of = |at: &str| {
            let scheduler = scheduler_of(Health::Gone);
            shown(&StatusView { scheduler, loops: vec![samples::a_loop()], parked: vec![until(at)], ..empty() })
        };
        let (today, tomorrow) = (of("2026-11-22T15:08:00Z"), of("2026-11-23T15:08:00Z"));
        assert!(today.contains("1 run parked") && today.contains("parked until 16:08"), "{today}");
        assert!(tomorrow.contains("parked until tomorrow 16:08"), "{tomorrow}");
        assert!(!today.contains("loopwright tick") && !today.contains("All quiet"), "{today}");
        assert!(of("2026-11-22T08:00:00Z").contains("loopwright tick"), "its moment is over, and nobody looks");
    }

    #[test]
    fn a_loop_that_is_not_well_is_told_and_nothing_is_quiet() {
        let trouble = |why: &str, command: &str| TroubleRow { why: why.to_owned(), command: command.to_owned() };
        let troubles = vec![
            trouble("its file /l/loop.yaml changed since it was confirmed", "loopwright add /l/loop.yaml"),
            trouble("its last run 00000001: Failed: no base.", "loopwright show 00000001"),
        ];
        let ill = LoopView { troubles, ..samples::a_loop() };
        let said = shown(&StatusView { loops: vec![ill.clone()], ..empty() });
        assert!(said.contains("daily-triage: its file /l/loop.yaml changed") && !said.contains("All quiet"), "{said}");
        assert!(said.contains("\n  loopwright add /l/loop.yaml\n") && said.contains("show 00000001"), "{said}");
        let paused = LoopView { paused_at: Some("2026-11-21T08:00:00Z".to_owned()), ..ill };
        assert!(shown(&StatusView { loops: vec![paused], ..empty() }).contains("All quiet"), "the control");
    }

    #[test]
    fn a_scheduler_that_is_not_well_and_a_paused_loop() {
        let scheduler = scheduler_of(Health::Stuck);
        let paused = LoopView { paused_at: Some("2026-11-21T08:00:00Z".to_owned()), ..samples::a_loop() };
        let stuck = StatusView { scheduler, loops: vec![paused], ..empty() };
        let fault = Some("the disk is full: /data".to_owned());
        let failing = SchedulerView { fault, ..scheduler_of(Health::Alive) };
        let failing = StatusView { scheduler: failing, loops: vec![samples::a_loop()], ..empty() };
        insta::assert_snapshot!(shown(&stuck) + &shown(&failing));
    }

    #[test]
    fn everything_at_once() {
        insta::assert_snapshot!(shown(&StatusView {
            halted: Some("by hand: wrong branch".to_owned()),
            scheduler: scheduler_of(Health::Gone),
            loops: vec![samples::a_loop()],
            running: vec![samples::run(None, None)],
            parked: Vec::new(),
            lost: [None, Some("the disk is full (/data)".to_owned())]
                .map(|waits| LostRow { short: "1a2b3c4d".to_owned(), loop_name: "deps".to_owned(), waits })
                .into(),
            waiting: vec![samples::pull_request("Formatting: 4 files")],
            needs_you: vec![samples::handed_over()],
            settings: Some("settings.yaml is not valid: unknown key `budgett` (1:1)".to_owned()),
            drill: None,
            ceilings: vec![CeilingRow {
                ceiling: "$20/day of daily-triage".to_owned(),
                committed: Micros(19_500_000),
                until: "2026-11-23 (Europe/Berlin)".to_owned(),
            }],
        }));
    }
}

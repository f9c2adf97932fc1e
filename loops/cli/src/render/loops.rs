//! Registered loops: what they work on, and when they are due.

use chrono::{DateTime, Utc};
use loopwright_core::run::Mode;
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_engine::api::{Does, LoopView, NextRow};

use super::{aligned, mark, runs};
use crate::commands::{self, command};
use crate::page::{Page, Tint};
use crate::zone::Zone;

/// Adds one loop with its next times.
pub(crate) fn one(page: &mut Page, view: &LoopView, zone: Zone, now: DateTime<Utc>) {
    let state = view.last.as_ref().map_or(Mark::Nothing, runs::mark_of);
    mark(page, state).add(Tint::Strong, &plain(&view.name, 64)).say("  ");
    page.line(&plain(&view.schedule, 120));
    let mode = match (view.does, view.mode) {
        (Does::Chores, _) => "does its steps",
        (Does::Finds, _) => "only reports: it has nothing to change or ship with",
        (Does::Ships, Mode::Report) => "only reports; `run --ship` lets it open pull requests",
        (Does::Ships, Mode::Ship) => "opens pull requests",
    };
    if view.does != Does::Chores {
        field(page, "works on", &view.repo);
    }
    field(page, "mode", mode);
    match (&view.paused_at, &view.without_times) {
        (Some(since), _) => {
            let (since, enable) = (zone.day_time(since, now), command(&format!("enable {}", view.name)));
            field(page, "next", &format!("paused since {since}; `{enable}` lets it start again"));
        }
        (None, Some(how)) => field(page, "next", &plain(how, 120)),
        (None, None) => field(page, "next", &next(view, zone, now)),
    }
    if let Some(last) = &view.last {
        let when = zone.day_time(&last.started, now);
        field(page, "last", &format!("{when}: {}", runs::result(last, zone, now)));
    }
    for trouble in &view.troubles {
        field(page, "trouble", &plain(&trouble.why, 300));
        page.say("            ").tinted(Tint::Accent, &commands::in_text(&trouble.command));
    }
}

/// Adds the next times of several loops, a line each.
pub(crate) fn times(page: &mut Page, rows: &[NextRow], zone: Zone, now: DateTime<Utc>) {
    let cells = |row: &NextRow| {
        let wake = if row.wake { "wakes the computer" } else { "" };
        vec![
            (Tint::Strong, start(&row.at, (row.quiet_until.as_deref(), row.quiet_skips), zone, now)),
            (Tint::Plain, plain(&row.loop_name, 64)),
            (Tint::Muted, plain(&row.trigger, 60)),
            (Tint::Muted, wake.to_owned()),
        ]
    };
    aligned(page, 0, &rows.iter().map(cells).collect::<Vec<_>>());
}

/// The next times in one line.
fn next(view: &LoopView, zone: Zone, now: DateTime<Utc>) -> String {
    let times = view.next.iter().enumerate();
    let quiet = |n: usize| (view.quiet_until.get(n).and_then(Option::as_deref), view.quiet_skips);
    let times: Vec<String> = times.map(|(n, at)| start(at, quiet(n), zone, now)).collect();
    let wake = if view.wake { " (wakes the computer)" } else { "" };
    format!("{}{wake}", times.join(" · "))
}

/// A due time on the computer's clock, and what quiet hours make of it: when they end, and whether they skip it.
pub(super) fn start(at: &str, quiet: (Option<&str>, bool), zone: Zone, now: DateTime<Utc>) -> String {
    let due = zone.day_time(at, now);
    match quiet {
        (None, _) => due,
        (Some(_), true) => format!("{due} (skipped: quiet hours)"),
        (Some(until), false) => {
            let until = zone.day_time(until, now);
            let same = due.rsplit_once(' ').and_then(|(day, _)| until.strip_prefix(day)?.strip_prefix(' '));
            format!("{due}, held until {}", same.unwrap_or(&until))
        }
    }
}

fn field(page: &mut Page, name: &str, text: &str) {
    page.say("  ").cell(Tint::Muted, name, 10).line(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use crate::zone::tests::{BERLIN, now};

    #[test]
    fn a_time_of_another_zone_is_told_on_the_computers_clock_with_its_quiet_hours() {
        let told = |quiet| start("2026-11-23T03:00:00-05:00", quiet, BERLIN, now());
        assert_eq!(told((None, false)), "tomorrow 09:00");
        assert_eq!(told((Some("2026-11-23T09:00:00Z"), false)), "tomorrow 09:00, held until 10:00");
        assert_eq!(told((Some("2026-11-23T23:30:00Z"), false)), "tomorrow 09:00, held until Tue 24 Nov 00:30");
        assert_eq!(told((Some("2026-11-23T09:00:00Z"), true)), "tomorrow 09:00 (skipped: quiet hours)");
    }

    #[test]
    fn a_loop_on_schedule_and_one_by_hand() {
        let mut page = Page::new(false);
        let mut by_hand = samples::a_loop();
        by_hand.next.clear();
        by_hand.without_times = Some("only by hand".to_owned());
        by_hand.last = None;
        by_hand.schedule = "by hand".to_owned();
        by_hand.mode = Mode::Report;
        one(&mut page, &samples::a_loop(), BERLIN, now());
        one(&mut page, &by_hand, BERLIN, now());
        let paused_at = Some("2026-11-21T08:00:00Z".to_owned());
        one(&mut page, &LoopView { paused_at, ..samples::a_loop() }, BERLIN, now());
        let row = |loop_name: &str, at: &str, wake| NextRow {
            loop_name: loop_name.to_owned(),
            at: at.to_owned(),
            trigger: "cron(\"0 9 * * *\")".to_owned(),
            quiet_until: None,
            quiet_skips: false,
            wake,
        };
        page.gap();
        let rows =
            [row("daily-triage", "2026-11-23T09:00:00+01:00", false), row("b", "2026-11-23T03:00:00-05:00", true)];
        times(&mut page, &rows, BERLIN, now());
        insta::assert_snapshot!(page.text());
    }
}

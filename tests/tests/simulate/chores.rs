//! Loops of steps on a virtual clock: waits are parked and hold nothing up, services end when their time has come, and the last
//! steps follow on any end.

use chrono_tz::Tz;
use loopwright_core::definition::read;
use loopwright_core::run::Mode;
use loopwright_core::scenario::{Halted, Scenario, Script, Span};
use loopwright_engine::api::{Simulated, What};

use crate::support::{Row, naive, played, rows, setting, told};

const DAY: &str = r#"
name: a-day
trigger: cron("25 8 * * MON-FRI")
steps:
  - run: {name: login, command: ./login, retry: {times: 2, every: 30s}}
  - wait: {until: "09:15"}
  - run: {name: engine, command: ./engine, service: true, until: "15:30"}
  - run: {name: square-off, command: ./square-off, until: exit(engine)}
  - finally:
      - run: {name: report, command: ./report}
guardrails: {max_iterations: 1, budget: $1/run, halt_on: no_progress(1), max_duration: 10h}
"#;

fn a_day() -> Simulated {
    let reading = read(DAY);
    Simulated {
        definition: reading.definition.unwrap_or_else(|| panic!("{:?}", reading.diagnostics)),
        mode: Mode::Ship,
    }
}

/// A trading week's Monday and Tuesday.
fn two_days(scenario: Scenario) -> (Vec<Row>, Vec<(String, What)>) {
    let zone = chrono_tz::Europe::Berlin;
    let runs = if scenario.runs.is_empty() { vec![Script { takes_s: 60, ..Script::default() }] } else { scenario.runs };
    let played = played(&setting("2026-11-30 00:00", 2, zone, Scenario { runs, ..scenario }), &[a_day()]);
    let line = |l: &loopwright_engine::api::Line| (l.at.with_timezone(&zone).format("%d %H:%M").to_string(), l.what);
    let lines = played.lines.iter().map(line).collect();
    (rows(played.store()), lines)
}

fn ends(lines: &[(String, What)]) -> Vec<(&str, What)> {
    let ends = lines.iter().filter(|(_, what)| matches!(what, What::Finished | What::Failed | What::Halted));
    ends.map(|(at, what)| (at.as_str(), *what)).collect()
}

#[test]
fn a_day_begins_waits_and_ends_at_its_times() {
    let (rows, lines) = two_days(Scenario::default());
    let zone: Tz = chrono_tz::Europe::Berlin;
    assert_eq!(told(&rows, zone), ["Mon 30 08:25 finished at 08:25", "Tue 01 08:25 finished at 08:25"]);
    assert_eq!(ends(&lines), [("30 15:30", What::Finished), ("01 15:30", What::Finished)]);
}

#[test]
fn a_login_that_fails_ends_it_after_its_tries_and_a_halt_at_once() {
    let failing = Script { failing: vec!["login".to_owned()], takes_s: 60, ..Script::default() };
    let (_, lines) = two_days(Scenario { runs: vec![failing], ..Scenario::default() });
    // Three tries of a minute, half a minute apart.
    assert_eq!(ends(&lines), [("30 08:29", What::Failed), ("01 08:29", What::Failed)]);
    let halts = vec![Halted {
        from: naive("2026-11-30 11:02"),
        to: Some(naive("2026-11-30 18:00")),
        of: Some("a-day".to_owned()),
    }];
    let (_, lines) = two_days(Scenario { halts, ..Scenario::default() });
    assert_eq!(ends(&lines), [("30 11:02", What::Halted), ("01 15:30", What::Finished)]);
}

#[test]
fn a_power_cut_while_it_is_parked_or_at_work_loses_no_day() {
    for (from, to, end) in [
        ("2026-11-30 08:40", "2026-11-30 09:40", "30 15:30"),
        ("2026-11-30 13:00", "2026-11-30 13:20", "30 15:30"),
        ("2026-11-30 13:00", "2026-11-30 16:00", "30 16:00"),
    ] {
        let off = vec![Span::Once { from: naive(from), to: naive(to) }];
        let (rows, lines) = two_days(Scenario { off, ..Scenario::default() });
        assert_eq!(ends(&lines)[0], (end, What::Finished), "{from}");
        assert!(lines.iter().any(|(_, what)| *what == What::TakenUp) && rows.iter().all(Row::is_terminal));
    }
}

//! The seed's loop over two weeks: weekdays at 09:00 on the clock of its zone, also where the clock changes, and one start in
//! the place of one that was slept through.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc, Weekday};
use chrono_tz::Tz;
use loopwright_core::definition::read;
use loopwright_core::run::Mode;
use loopwright_core::scenario::{Scenario, Span};
use loopwright_engine::api::{Simulated, templates};

use crate::support::{Row, naive, played, rows, setting, told};

/// The template, as it ships.
fn seed() -> Simulated {
    let text = templates().into_iter().find(|t| t.name == "daily-triage").expect("the template").text;
    Simulated { definition: read(&text).definition.expect("a loop"), mode: Mode::Ship }
}

fn night(from: &str, to: &str) -> Scenario {
    Scenario { sleeps: vec![Span::Once { from: naive(from), to: naive(to) }], ..Scenario::default() }
}

/// What is wrong with two weeks in which each weekday has one start at 09:00, by whoever remembers nothing else.
fn wrong(rows: &[Row], monday: &str, zone: Tz, late: &[&str]) -> Vec<String> {
    let first = naive(monday).date();
    let mut faults = Vec::new();
    for day in first.iter_days().take(14) {
        let starts: Vec<DateTime<Tz>> = rows
            .iter()
            .filter_map(|r| r.began)
            .map(|at| at.with_timezone(&zone))
            .filter(|at| at.date_naive() == day)
            .collect();
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        let expected = usize::from(!weekend);
        if starts.len() != expected {
            faults.push(format!("{day} has {} starts", starts.len()));
        }
        let on_time = starts.iter().all(|at| (at.hour(), at.minute()) == (9, 0));
        if !on_time && !late.contains(&day.to_string().as_str()) {
            faults.push(format!("{day} starts at another time"));
        }
    }
    faults
}

#[test]
fn two_weeks_of_the_seeds_loop() {
    let zone = chrono_tz::Europe::Berlin;
    let scenario = night("2026-12-02 22:00", "2026-12-03 10:30");
    let played = played(&setting("2026-11-30 00:00", 14, zone, scenario), &[seed()]);
    let rows = rows(played.store());
    assert_eq!(wrong(&rows, "2026-11-30 00:00", zone, &["2026-12-03"]), Vec::<String>::new());
    assert_eq!(
        told(&rows, zone),
        [
            "Mon 30 09:00 finished at 09:00",
            "Tue 01 09:00 finished at 09:00",
            "Wed 02 09:00 finished at 09:00",
            "Thu 03 09:00 finished at 10:30",
            "Fri 04 09:00 finished at 09:00",
            "Mon 07 09:00 finished at 09:00",
            "Tue 08 09:00 finished at 09:00",
            "Wed 09 09:00 finished at 09:00",
            "Thu 10 09:00 finished at 09:00",
            "Fri 11 09:00 finished at 09:00",
        ]
    );
    assert!(rows.iter().all(Row::is_terminal));
}

#[test]
fn a_week_away_has_one_start_and_a_reason_for_each_that_it_lacks() {
    let zone = chrono_tz::Europe::Berlin;
    let scenario = night("2026-12-01 18:00", "2026-12-07 11:15");
    let played = played(&setting("2026-11-30 00:00", 14, zone, scenario), &[seed()]);
    let rows = rows(played.store());
    let away: Vec<&Row> = rows.iter().filter(|r| r.began.is_none()).collect();
    assert_eq!(away.iter().map(|r| r.state.as_str()).collect::<Vec<_>>(), ["missed"; 3], "Wednesday to Friday");
    for row in away {
        let reason = "the computer was asleep from 2026-12-01 18:00 to 2026-12-07 11:15";
        assert!(row.reason.starts_with(reason), "{}", row.reason);
    }
    let monday: Vec<String> = told(&rows, zone).into_iter().filter(|line| line.starts_with("Mon 07")).collect();
    assert_eq!(monday, ["Mon 07 09:00 finished at 11:15"]);
}

#[test]
fn weeks_in_which_the_clock_changes() {
    for (zone, monday) in [
        (chrono_tz::Europe::Berlin, "2026-10-19 00:00"),
        (chrono_tz::Europe::Berlin, "2026-03-23 00:00"),
        (chrono_tz::America::New_York, "2026-03-02 00:00"),
        (chrono_tz::Australia::Lord_Howe, "2026-09-28 00:00"),
    ] {
        let played = played(&setting(monday, 14, zone, Scenario::default()), &[seed()]);
        assert_eq!(wrong(&rows(played.store()), monday, zone, &[]), Vec::<String>::new(), "{zone} {monday}");
    }
}

/// The control: every 24 hours from the first start, which is what a scheduler without zones does, and one that starts whatever
/// it slept through.
#[test]
fn control_a_scheduler_that_adds_24_hours_fails_the_same_test() {
    let zone = chrono_tz::Europe::Berlin;
    let row = |at: DateTime<Utc>| Row {
        loop_name: String::new(),
        due_at: at,
        times: 1,
        state: "finished".to_owned(),
        reason: String::new(),
        until: None,
        began: Some(at),
        ended: Some(at),
    };
    let first: DateTime<Utc> = "2026-10-19T07:00:00Z".parse().expect("a time");
    let naive: Vec<Row> = (0..14).map(|day| row(first + chrono::Duration::days(day))).collect();
    let faults = wrong(&naive, "2026-10-19 00:00", zone, &[]);
    assert!(faults.contains(&"2026-10-24 has 1 starts".to_owned()), "{faults:?}");
    assert!(faults.contains(&"2026-10-26 starts at another time".to_owned()), "{faults:?}");
    let twice = [row(first), row(first)];
    assert!(wrong(&twice, "2026-10-19 00:00", zone, &[]).contains(&"2026-10-19 has 2 starts".to_owned()));
}

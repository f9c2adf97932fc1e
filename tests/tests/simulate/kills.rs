//! The scheduler is killed again and again over 100 days, also in the middle of its passes: nothing is missed that was not slept
//! through, and nothing is doubled.

use std::ops::Range;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use loopwright_core::scenario::{Kill, Scenario, Span, kills, times};
use loopwright_engine::api::What;
use loopwright_tests::dice::Dice;
use loopwright_tests::tell;

use crate::fires::{Deed, deeds, doubled, lost, overlaps};
use crate::support::{Row, cron, every, full, looped, naive, played, rows, setting, taking};

const DAYS: i64 = 100;
const FROM: &str = "2026-12-01 00:00";

fn start() -> DateTime<Utc> {
    naive(FROM).and_utc()
}

fn within() -> Range<DateTime<Utc>> {
    start()..start() + Duration::days(DAYS)
}

/// What is due, by nothing but arithmetic: `hourly` each six hours, `daily` at 09:00.
fn due() -> Vec<(String, DateTime<Utc>)> {
    let six_hours = (1..DAYS * 4).map(|n| ("hourly".to_owned(), start() + Duration::hours(6 * n)));
    let daily = (0..DAYS).map(|n| ("daily".to_owned(), start() + Duration::days(n) + Duration::hours(9)));
    six_hours.chain(daily).collect()
}

fn nights() -> Vec<Span> {
    let time = |text: &str| naive(&format!("2026-12-01 {text}")).time();
    vec![
        Span::Weekly { from: chrono::Weekday::Sat, to: chrono::Weekday::Sun },
        Span::Daily { from: time("23:00"), to: time("05:30") },
    ]
}

#[test]
fn nothing_is_missed_that_was_not_slept_through_and_nothing_is_doubled() {
    let mut dice = Dice::seeded("a killed scheduler");
    let (cases, killed) = if full() { (20, 2_000) } else { (1, 400) };
    let mut struck = 0;
    for _ in 0..cases {
        // As often at a due time as anywhere: that is where there is something to lose.
        let mut at: Vec<Kill> = vec![Kill::Random { seed: dice.roll(), times: killed }];
        at.extend(due().iter().filter(|_| dice.below(3) == 0).map(|(_, at)| Kill::At(at.naive_utc())));
        let scenario = Scenario { sleeps: nights(), kills: at, runs: vec![taking(300)], ..Scenario::default() };
        let loops = [looped("hourly", every(6 * 3600)), looped("daily", cron("0 9 * * *"))];
        let played = played(&setting(FROM, DAYS, Tz::UTC, scenario), &loops);
        let (rows, deeds) = (rows(played.store()), deeds(&played.lines));
        let asleep = times(&nights(), &within(), Tz::UTC);
        let away = |at: DateTime<Utc>| asleep.iter().any(|span| span.contains(&at));
        assert_eq!(lost(&due(), &deeds, away), Vec::<String>::new());
        assert_eq!(doubled(&deeds), Vec::<String>::new());
        assert_eq!(overlaps(&rows), Vec::<String>::new());
        for row in rows.iter().filter(|row| row.began.is_none()) {
            assert!(row.state == "missed" && away(row.due_at), "{row:?}");
        }
        assert!(rows.iter().all(Row::is_terminal));
        struck += played.lines.iter().filter(|line| line.what == What::Killed).count();
    }
    assert!(struck > 150 * cases, "{struck}");
    tell(&format!("{cases} x {DAYS} days, {struck} kills: nothing missed but what was slept through, nothing doubled"));
}

/// A scheduler that keeps the next time in memory, and writes down a start before or after it.
fn with_a_memory(kills: &[DateTime<Utc>], writes_first: bool) -> Vec<Deed> {
    let mut deeds = Vec::new();
    for (of, due) in due() {
        let at = due;
        let fired = Deed::Fired { of, due, at };
        // Killed between the two, it starts again from what it had written down.
        match (kills.contains(&due), writes_first) {
            (true, true) => {}
            (true, false) => deeds.extend([fired.clone(), fired]),
            (false, _) => deeds.push(fired),
        }
    }
    deeds
}

/// The control: with the next time in memory, a kill at a due time loses its start or doubles it.
#[test]
fn control_a_scheduler_with_a_memory_fails_the_same_test() {
    let at: Vec<Kill> = due().iter().step_by(7).map(|(_, at)| Kill::At(at.naive_utc())).collect();
    let at: Vec<DateTime<Utc>> = kills(&at, &within(), Tz::UTC).into_iter().map(|(at, _)| at).collect();
    let loses = with_a_memory(&at, true);
    assert!(!lost(&due(), &loses, |_| false).is_empty());
    assert!(!doubled(&with_a_memory(&at, false)).is_empty());
    let sound = with_a_memory(&[], true);
    assert!(lost(&due(), &sound, |_| false).is_empty() && doubled(&sound).is_empty(), "without a kill it is right");
}

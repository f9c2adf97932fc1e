//! The clock is set, by a second or by ten years, back and forth: no due time starts twice, no jump makes more than one start late,
//! and afterwards all goes on (T2).

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use loopwright_core::scenario::{Jump, Scenario};
use loopwright_engine::api::{Line, What};
use loopwright_tests::dice::Dice;
use loopwright_tests::tell;

use crate::fires::{Deed, deeds, doubled, storms};
use crate::support::{Row, below, cron, every, full, looped, naive, played, rows, setting, taking, two_fates};

const FROM: &str = "2026-12-01 00:00";
/// By how much a clock is set at most, in seconds, the least first.
const SIZES: [i64; 8] = [1, 60, 300, 3_600, 86_400, 30 * 86_400, 366 * 86_400, 3_652 * 86_400];

/// Up to five jumps within a day, in seconds since [`FROM`]; half of them are taken back.
fn rolled(dice: &mut Dice) -> Vec<(i64, i64)> {
    let mut jumps = Vec::new();
    for _ in 0..=dice.below(3) {
        let at = below(dice, 86_400);
        let most = SIZES[dice.below(SIZES.len())];
        let size = 1 + below(dice, most);
        let by = if dice.below(2) == 0 { size } else { -size };
        jumps.push((at, by));
        if dice.below(2) == 0 {
            jumps.push((at + 1 + below(dice, 20_000), -by));
        }
    }
    jumps.sort_unstable();
    jumps
}

fn played_with(jumps: &[(i64, i64)]) -> (Vec<Line>, Vec<Row>) {
    let clock = jumps.iter().map(|(at, by)| Jump { at: naive(FROM) + Duration::seconds(*at), by_s: *by }).collect();
    let scenario = Scenario { clock, runs: vec![taking(30)], ..Scenario::default() };
    let loops = [looped("often", every(3 * 3_600)), looped("daily", cron("0 9 * * *"))];
    let played = played(&setting(FROM, 3, Tz::UTC, scenario), &loops);
    let rows = rows(played.store());
    (played.lines, rows)
}

/// Due times of the last day by the computer's clock that have no row: after all jumps, it must go on as ever.
fn stands_still(jumps: &[(i64, i64)], rows: &[Row]) -> Vec<String> {
    let ahead: i64 = jumps.iter().map(|(_, by)| *by).sum();
    let end = naive(FROM).and_utc() + Duration::days(3) + Duration::seconds(ahead);
    let day = (end - Duration::days(1)).timestamp() / 10_800 + 1..end.timestamp() / 10_800;
    let due = day.filter_map(|n| DateTime::from_timestamp(n * 10_800, 0));
    let known = |at: &DateTime<Utc>| {
        let over = |row: &Row| row.due_at == *at || row.due_at <= *at && row.until.is_some_and(|until| *at <= until);
        rows.iter().any(|row| row.loop_name == "often" && over(row))
    };
    due.filter(|at| !known(at)).map(|at| format!("nothing of {at} is known")).collect()
}

#[test]
fn no_jump_doubles_or_storms() {
    let mut dice = Dice::seeded("clocks that are set");
    let (scripts, mut starts, mut sets) = (if full() { 10_000 } else { 40 }, 0, 0);
    for n in 0..scripts {
        let jumps = rolled(&mut dice);
        let (lines, rows) = played_with(&jumps);
        let deeds = deeds(&lines);
        assert_eq!(doubled(&deeds), Vec::<String>::new(), "script {n}: {jumps:?}");
        assert_eq!(storms(&deeds), Vec::<String>::new(), "script {n}: {jumps:?}");
        assert_eq!(stands_still(&jumps, &rows), Vec::<String>::new(), "script {n}: {jumps:?}");
        let trouble: Vec<&Line> = lines.iter().filter(|line| line.what == What::Trouble).collect();
        assert!(trouble.is_empty(), "script {n}: {trouble:?}");
        starts += deeds.iter().filter(|deed| matches!(deed, Deed::Fired { .. })).count();
        sets += jumps.len();
    }
    tell(&format!(
        "{scripts} scripts, {sets} jumps of 1 s to 10 years, {starts} starts: none doubled, none in a storm"
    ));
}

/// A row of many times that have not come, as the clock was ahead, goes no further than what has come.
#[test]
fn many_times_that_have_not_come_are_taken_back() {
    const YEAR: i64 = 365 * 86_400;
    let (_, rows) = played_with(&[(50_000, YEAR), (60_000, -YEAR)]);
    assert_eq!(two_fates(&rows), Vec::<String>::new());
    let (_, ahead) = played_with(&[(50_000, YEAR)]);
    let many = |rows: &[Row]| rows.iter().filter(|row| row.times > 1).map(|row| row.times).max();
    assert!(many(&ahead) > Some(1_000) && many(&rows) <= Some(1), "the control: it was ahead");
}

/// A scheduler that reckons its next time from the clock as it is, and starts all that lie behind.
fn naive_scheduler(jumps: &[(i64, i64)]) -> Vec<Deed> {
    let (mut ahead, mut next, mut deeds) = (0, 10_800, Vec::new());
    let start = naive(FROM).and_utc();
    let at = |s: i64| start + Duration::seconds(s);
    for truly in (0..3 * 86_400).step_by(30) {
        for (_, by) in jumps.iter().filter(|(at, _)| (truly - 30..truly).contains(at)) {
            ahead += by;
            deeds.push(Deed::Set);
            if *by < 0 {
                next = (truly + ahead).div_euclid(10_800) * 10_800 + 10_800;
            }
        }
        while next <= truly + ahead {
            deeds.push(Deed::Fired { of: "often".to_owned(), due: at(next), at: at(truly + ahead) });
            next += 10_800;
        }
    }
    deeds
}

/// The control: it doubles where the clock is set back, and storms where it is set forward.
#[test]
fn control_a_scheduler_that_believes_the_clock_fails_the_same_test() {
    assert!(!doubled(&naive_scheduler(&[(50_000, -7 * 3_600)])).is_empty());
    assert!(!storms(&naive_scheduler(&[(50_000, 86_400)])).is_empty());
    let quiet = naive_scheduler(&[]);
    assert!(doubled(&quiet).is_empty() && storms(&quiet).is_empty() && quiet.len() == 23);
}

//! Clocks that jump (T2) and computers that sleep, with the whole program: nothing starts twice, nothing comes in a storm, and
//! what happened to the clock is written down.
//!
//! The clock is put by a file that debug builds read (`LOOPWRIGHT_CLOCK`): tests must not set the computer's own.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeMap;

use chrono::Utc;
use loopwright_core::fleet::FleetEvent;
use loopwright_tests::dice::Dice;
use loopwright_tests::stage::{Stage, wait_for};
use loopwright_tests::tell;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

/// How far clocks are set.
const JUMPS: [i64; 11] =
    [1, 30, 4 * MINUTE, 6 * MINUTE, 59 * MINUTE, 3 * HOUR, DAY, 40 * DAY, YEAR, 3 * YEAR, 10 * YEAR];

fn cases() -> usize {
    if std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1") { 50 } else { 4 }
}

/// How often a run was started for each due time.
fn starts(stage: &Stage) -> BTreeMap<String, usize> {
    let db = stage.database();
    let sql = "SELECT o.due_at FROM runs r JOIN occurrences o ON o.id = r.occurrence";
    let mut rows = db.prepare(sql).expect("a statement");
    let mut starts = BTreeMap::new();
    for at in rows.query_map([], |r| r.get::<_, String>(0)).expect("rows") {
        *starts.entry(at.expect("a row")).or_default() += 1;
    }
    starts
}

fn runs(stage: &Stage) -> usize {
    starts(stage).values().sum()
}

/// Due times for which more than one run was started.
fn doubled(stage: &Stage) -> Vec<String> {
    starts(stage).into_iter().filter(|(_, n)| *n > 1).map(|(at, _)| at).collect()
}

/// Waits until nothing waits for its start or goes on.
fn settle(stage: &Stage) {
    wait_for("calm", || (["due", "claimed", "running"].iter().all(|s| stage.in_state(s) == 0)).then_some(()));
}

fn jumps_told(stage: &Stage) -> usize {
    stage.fleet().iter().filter(|event| matches!(event, FleetEvent::ClockJumped { .. })).count()
}

#[test]
fn a_clock_that_jumps_starts_nothing_twice_and_no_storm() {
    let mut dice = Dice::seeded("clock jumps");
    let (stage, cases) = (Stage::scheduled("trigger: every(1h)\ntimezone: Europe/Berlin"), cases());
    let serving = stage.serve();
    let (mut set, mut told, mut most) = (0, 0, 0);
    for _ in 0..cases {
        let by = JUMPS[dice.below(JUMPS.len())] * if dice.below(2) == 0 { 1 } else { -1 };
        // Within what a computer's clock can show.
        let by = if (set + by).abs() > 12 * YEAR { -by } else { by };
        set += by;
        told += usize::from(by.abs() > 5 * MINUTE);
        let before = runs(&stage);
        stage.put_clock_and_pass(set, 0);
        settle(&stage);
        let started = runs(&stage) - before;
        most = most.max(started);
        // One that is caught up, and one if its time came in these very seconds.
        assert!(started <= 2, "{started} after {by} s");
        assert_eq!(doubled(&stage), [""; 0], "after {by} s");
        assert_eq!(jumps_told(&stage), told, "after {by} s");
    }
    tell(&format!(
        "{cases} jumps of ±1 s to ±10 years: 0 double, {most} starts after one at most, {told} written down"
    ));
    drop(serving);
    stage.until_nobody_lives();
}

/// The control: a ledger that forgets what ran starts it again when the clock is set back.
#[test]
fn without_its_row_a_time_starts_again() {
    let stage = Stage::scheduled("trigger: every(1h)");
    stage.put_clock(-HOUR, 0);
    let serving = stage.serve();
    stage.put_clock_and_pass(0, 0);
    settle(&stage);
    assert_eq!(runs(&stage), 1, "caught up");
    stage.put_clock_and_pass(-2 * HOUR, 0);
    stage.put_clock_and_pass(0, 0);
    settle(&stage);
    assert_eq!(doubled(&stage), [""; 0]);
    let forgotten = "UPDATE occurrences SET key = id WHERE trigger = 'every'";
    assert!(stage.change_rows(forgotten, &[]) > 0);
    stage.put_clock_and_pass(-2 * HOUR, 0);
    stage.put_clock_and_pass(0, 0);
    wait_for("a second start", || (doubled(&stage).len() == 1).then_some(()));
    settle(&stage);
    drop(serving);
    stage.until_nobody_lives();
}

fn sentence(stage: &Stage, when: &str) -> String {
    let why = stage.verb(&["why", "work", when]).exits(0).json();
    why["answers"][0]["sentence"].as_str().expect("a sentence").to_owned()
}

#[test]
fn a_night_asleep_is_told_and_caught_up_once() {
    let stage = Stage::scheduled("trigger: every(1h)\ntimezone: UTC");
    let serving = stage.serve();
    let asleep_from = Utc::now();
    stage.put_clock_and_pass(0, 8 * 3600);
    settle(&stage);
    drop(serving);
    stage.until_nobody_lives();
    assert_eq!((stage.in_state("finished"), stage.in_state("missed")), (1, 7), "{:?}", stage.ledger());
    assert_eq!(jumps_told(&stage), 0, "nobody set the clock");
    let slept = stage.fleet().into_iter().find_map(|event| match event {
        FleetEvent::Slept { from, to } => Some(to - from),
        _ => None,
    });
    assert!(slept.is_some_and(|slept| (slept.num_seconds() - 8 * HOUR).abs() < MINUTE), "{slept:?}");
    let first = stage.ledger()[0].0;
    assert!(first > asleep_from);
    let why = sentence(&stage, &first.format("%Y-%m-%d %H:%M").to_string());
    assert!(why.contains("missed: the computer was asleep from ") && why.contains(" stands for it"), "{why}");
    assert!(sentence(&stage, "last").contains(" finished at "));
}

#[test]
fn nobody_ran_and_another_boot() {
    let stage = Stage::scheduled("trigger: every(1h)\ntimezone: UTC\ncatch_up: skip");
    drop(stage.serve());
    // Half an hour after a whole one nothing is on time any more.
    let late = 3 * HOUR + 30 * MINUTE - Utc::now().timestamp().rem_euclid(HOUR);
    let late = u32::try_from(late).expect("some hours");
    std::fs::write(stage.beside("clock"), format!("0 0 - {late}")).expect("a clock");
    drop(stage.serve());
    let rows = stage.ledger();
    assert!(rows.iter().all(|(_, state, why)| state == "missed" && why.contains("no scheduler ran from ")), "{rows:?}");
    assert_eq!(rows.len(), 3, "{rows:?}");
    std::fs::write(stage.beside("clock"), format!("{} 0 another-boot {late}", 2 * HOUR)).expect("a clock");
    drop(stage.serve());
    let rows = stage.ledger();
    let off = |why: &str| why.contains("the computer was off from ");
    assert_eq!(rows.iter().filter(|(_, state, why)| state == "missed" && off(why)).count(), 2, "{rows:?}");
}

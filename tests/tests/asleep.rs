//! Sleep in the middle of a run (T4): everything stands still at a boundary and goes on later, under a scheduler that does
//! too. Nothing is lost, nothing is done twice, and the limits of time count what was awake.
//!
//! A short sleep is real; of eight hours, the clocks tell.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::time::{Duration, Instant};

use chrono::DateTime;
use loopwright_tests::crash::{Kill, acknowledged, audit, small};
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Stage, wait_for};
use loopwright_tests::tell;

const NIGHT_S: u32 = 8 * 3600;

/// Where it falls asleep.
const BOUNDARIES: [&str; 16] = [
    "step-intent#1",
    "step-intent#2",
    "workspace-made#1",
    "box-recorded#2",
    "box-running#2",
    "box-ended#2",
    "base-kept#1",
    "triage-written#1",
    "agent-answered#1",
    "attempt-imported#1",
    "attempt-ref#1",
    "workspace-in-trash#1",
    "ship-ref#1",
    "step-acted#3",
    "step-result#3",
    "run-ending#1",
];

/// The short form takes some of them, the full one all.
fn boundaries() -> impl Iterator<Item = &'static str> {
    let full = std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1");
    BOUNDARIES.into_iter().step_by(if full { 1 } else { 5 })
}

/// Whether a process stands still.
fn stopped(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('T'))
}

/// Stops every process of the stage, and says which.
fn stop(stage: &Stage) -> Vec<i32> {
    // Whoever was just being started is stopped by the next look.
    wait_for("everything to stand still", || {
        let all = stage.processes();
        all.iter().filter(|pid| !stopped(**pid)).for_each(|pid| signal(*pid, "STOP"));
        (!all.is_empty() && all.iter().all(|pid| stopped(*pid))).then_some(all)
    })
}

/// Falls asleep at a boundary of a run for a night by the clocks, or a real second, and lets it come to its end.
fn sleep_at(boundary: &str, night: bool) {
    let stage = small();
    let serving = stage.serve();
    let stopping = Kill { at: boundary.to_owned(), whom: "stop" };
    stage.ask(&mut stage.killing(&["run", "work", "--detach"], &stopping, "once"));
    wait_for(boundary, || stage.struck("once").then_some(()));
    // It leaves word just before it stops itself: one that is woken in between would stop for good.
    wait_for("it to stand still", || stopped(stage.runner()).then_some(()));
    let before = acknowledged(&stage);
    let all = stop(&stage);
    match night {
        true => stage.put_clock(0, NIGHT_S),
        false => {
            let until = Instant::now() + Duration::from_secs(1);
            wait_for("a second", || (Instant::now() >= until).then_some(()));
        }
    }
    assert!(all.iter().all(|pid| stopped(*pid)), "{boundary}: something went on");
    for pid in all {
        signal(pid, "CONT");
    }
    let row = stage.ended();
    let (end, code) = (&row["end"], row["code"].as_i64());
    assert_eq!(code, Some(21), "{boundary}: {end}");
    drop(serving);
    stage.tick_until_quiet();
    assert_eq!(audit(&stage, &before), [""; 0], "{boundary}");
    let epochs = loopwright_tests::stage::events(&stage.last(), "run_started").len();
    assert_eq!(epochs, 1, "{boundary}: it was taken up though it lived");
    if night {
        told(&stage, &row);
    }
}

/// The control: by the wall clock the run took longer than it may, and a limit that counts that would have ended it.
fn told(stage: &Stage, row: &serde_json::Value) {
    let at = |key: &str| DateTime::parse_from_rfc3339(row[key].as_str().expect("a time")).expect("a time");
    let most = stage.last()["journal"][0]["rails"]["max_duration_s"].as_i64().expect("a limit");
    let took = (at("ended") - at("started")).num_seconds();
    assert!(took >= i64::from(NIGHT_S) && took > most, "{took} s of {most} s");
}

#[test]
fn a_second_at_each_boundary() {
    let count = boundaries().map(|boundary| sleep_at(boundary, false)).count();
    tell(&format!("a second asleep at {count} boundaries: 0 lost, 0 doubled"));
}

#[test]
fn a_night_at_each_boundary() {
    let count = boundaries().map(|boundary| sleep_at(boundary, true)).count();
    tell(&format!("8 h asleep (virtual) at {count} boundaries: 0 lost, 0 doubled, no limit of time reached"));
}

/// The control: with its runner dead instead of asleep, the same scheduler takes the run up.
#[test]
fn one_that_died_is_taken_up_by_the_scheduler() {
    let stage = small();
    let serving = stage.serve();
    stage.ask(&mut stage.killing(&["run", "work", "--detach"], &Kill::own("step-intent", 2), "once"));
    wait_for("the strike", || stage.struck("once").then_some(()));
    let row = stage.ended();
    assert_eq!(row["code"].as_i64(), Some(21), "{row}");
    drop(serving);
    stage.until_nobody_lives();
    assert_eq!(loopwright_tests::stage::events(&stage.last(), "run_started").len(), 2);
}

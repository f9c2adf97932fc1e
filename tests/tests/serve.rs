//! `serve`: one per data folder (C8), replaced at once, ended within a second; woken by what concerns it and by nothing else.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::time::{Duration, Instant};

use chrono::{Timelike as _, Utc};
use loopwright_core::fleet::FleetEvent;
use loopwright_engine::home::Home;
use loopwright_engine::store::{Store, fleet};
use loopwright_tests::stage::{Serving, Stage, wait_for};
use loopwright_tests::tell;

const AT_ONCE: usize = 20;

fn full() -> bool {
    std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1")
}

/// Starts twenty schedulers at once; those that stay.
fn twenty(stage: &Stage) -> Vec<Serving> {
    let mut all: Vec<Serving> =
        (0..AT_ONCE).map(|_| stage.serve_by(&mut stage.command(&["serve", "--json"]))).collect();
    let beat = wait_for("a scheduler", || stage.beat().filter(|beat| all.iter().any(|one| one.pid() == beat.pid)));
    let at = all.iter().position(|one| one.pid() == beat.pid).expect("it is one of them");
    let mut stay = vec![all.swap_remove(at)];
    for one in all {
        let (ended, pid) = (wait_for("an end", || is_over(one.pid()).then_some(true)), one.pid());
        assert!(ended, "{pid}");
        let said = one.ended();
        let error = String::from_utf8_lossy(&said.stderr).into_owned();
        match said.status.code() {
            Some(1) => {
                assert!(error.contains("a scheduler runs already") && error.contains("loopwright status"), "{error}")
            }
            other => panic!("{other:?}: {error}"),
        }
    }
    stay.retain(|one| !is_over(one.pid()));
    stay
}

/// Whether a process has ended, collected or not.
fn is_over(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

#[test]
fn of_twenty_at_once_one_stays_and_another_takes_over() {
    let rounds = if full() { 50 } else { 2 };
    let stage = Stage::empty();
    stage.verb(&["status"]).exits(0);
    let mut slowest = Duration::ZERO;
    for _ in 0..rounds {
        let mut stay = twenty(&stage);
        assert_eq!(stay.len(), 1);
        let first = stay.remove(0);
        let status = stage.verb(&["status"]).exits(0).json();
        assert_eq!(
            (status["scheduler"]["health"].as_str(), status["scheduler"]["pid"].as_i64()),
            (Some("alive"), Some(i64::from(first.pid())))
        );
        first.signal("KILL");
        let began = Instant::now();
        drop(first.ended());
        assert_eq!(stage.verb(&["status"]).exits(0).json()["scheduler"]["health"], "gone");
        let next = stage.serve();
        slowest = slowest.max(began.elapsed());
        let stopping = Instant::now();
        next.signal("TERM");
        assert_eq!(next.ended().status.code(), Some(0));
        assert!(stopping.elapsed() < Duration::from_secs(2), "{:?}", stopping.elapsed());
    }
    tell(&format!("{rounds} × {AT_ONCE} schedulers at once: 1 active each; takeover {slowest:?} at most"));
    // Only a guard, as this machine is busy with other tests: that it takes two seconds at most is the benchmark's (`takeover`).
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    let started = stage.fleet().iter().filter(|event| matches!(event, FleetEvent::SchedulerStarted { .. })).count();
    assert_eq!(started, 2 * rounds);
}

/// The control: without the lock there are two.
#[test]
fn without_its_lock_a_second_one_stays() {
    let stage = Stage::empty();
    let first = stage.serve();
    fs::remove_file(stage.home.join("data/scheduler.lock")).expect("a lock");
    let second = stage.serve();
    assert!(!is_over(first.pid()) && !is_over(second.pid()));
}

#[test]
fn steps_of_runs_wake_nobody_for_long_and_what_concerns_does_at_once() {
    let stage = Stage::scheduled("trigger: cron(\"0 9 29 2 *\")");
    let serving = stage.serve();
    let before = stage.beat().expect("a beat").reading;
    let mut store = Store::open(&Home::under(&stage.home)).expect("the store");
    let switched = switches(serving.pid());
    let slept = FleetEvent::Slept { from: Utc::now(), to: Utc::now() };
    store.write(|tx| fleet::record(tx, slept, Utc::now())).expect("a commit");
    wait_for("its look at the commit", || (switches(serving.pid()) > switched).then_some(()));
    assert_eq!(stage.beat().expect("a beat").reading, before, "no pass");
    stage.verb(&["disable", "work"]).exits(0);
    wait_for("a pass", || (stage.beat().expect("a beat").reading != before).then_some(()));
    let before = stage.beat().expect("a beat").reading;
    stage.verb(&["halt"]).exits(0);
    wait_for("a pass", || (stage.beat().expect("a beat").reading != before).then_some(()));
    stage.verb(&["resume", "--reason", "a test"]).exits(0);
    stage.verb(&["enable", "work"]).exits(0);
}

/// How often a process gave up the processor by itself.
fn switches(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|number| number.trim().parse().ok()).expect("a number")
}

#[test]
fn a_loop_starts_at_its_time_and_its_run_outlives_the_scheduler() {
    let stage = Stage::scheduled("trigger: cron(\"* * * * *\")");
    // A second before the next minute.
    stage.put_clock(i64::from(59 - Utc::now().second()), 0);
    let serving = stage.serve();
    wait_for("a start", || (stage.in_state("running") + stage.in_state("finished") > 0).then_some(()));
    serving.signal("TERM");
    assert_eq!(serving.ended().status.code(), Some(0));
    wait_for("its end", || (stage.in_state("finished") > 0).then_some(()));
    stage.until_nobody_lives();
    let run = stage.last();
    assert_eq!((run["row"]["cause"].as_str(), run["row"]["code"].as_i64()), (Some("cron"), Some(20)));
    let why = stage.verb(&["why", "work", "last"]).exits(0).json();
    let sentence = why["answers"][0]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains(" finished at "), "{sentence}");
}

#[test]
fn its_children_are_collected() {
    let stage = Stage::scheduled("trigger: cron(\"* * * * *\")");
    stage.put_clock(i64::from(59 - Utc::now().second()), 0);
    let serving = stage.serve();
    wait_for("an end", || (stage.in_state("finished") > 0).then_some(()));
    let children = || fs::read_to_string(format!("/proc/{0}/task/{0}/children", serving.pid())).expect("it lives");
    wait_for("no child", || children().trim().is_empty().then_some(()));
}

#[test]
fn files_that_change_start_their_loop_at_once() {
    let stage = Stage::scheduled("trigger: file(\"in/*.csv\")");
    stage.write("in/old.csv", "1\n");
    let serving = stage.serve();
    stage.write("in/new.csv", "1\n");
    let began = Instant::now();
    wait_for("a start", || (stage.in_state("finished") > 0).then_some(()));
    assert!(began.elapsed() < Duration::from_secs(25), "not by the tick of half a minute: {:?}", began.elapsed());
    drop(serving);
    stage.until_nobody_lives();
}

#[test]
fn one_that_is_stopped_is_not_called_well() {
    let stage = Stage::scheduled("trigger: cron(\"0 9 * * *\")");
    let serving = stage.serve();
    serving.signal("STOP");
    let mut beat: serde_json::Value =
        serde_json::from_slice(&fs::read(stage.home.join("state/scheduler")).expect("a beat")).expect("JSON");
    let health = || stage.verb(&["status"]).exits(0).json()["scheduler"]["health"].clone();
    assert_eq!(health(), "alive", "the control: its beat is young");
    // As if that had been two minutes ago.
    let monotonic = beat["monotonic_ms"].as_u64().expect("a number");
    beat["monotonic_ms"] = monotonic.saturating_sub(120_000).into();
    fs::write(stage.home.join("state/scheduler"), beat.to_string()).expect("written");
    assert_eq!(health(), "stuck");
    let why = stage.verb(&["why", "work"]).exits(0).json()["answers"][0]["sentence"].clone();
    assert!(why.as_str().is_some_and(|why| why.contains("makes no passes")), "{why}");
}

//! The template trading-day, run as it ships but for its clock: whatever ends the day, it ends flat, is squared off and
//! reported once, and the report is what an independent sum over the trades says.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use loopwright_tests::book::{self, flat_and_reported, held, trades};
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Stage, events, steps, wait_for};
use loopwright_tests::tell;
use serde_json::Value;

/// HALT to nothing held.
const AT_ONCE: Duration = Duration::from_secs(2);

/// A day of seconds that ends when a file is there, as 15:30 is no time for a test.
const FAST: [(&str, &str); 5] = [
    ("until: \"15:30\"", "until: file(\"state/close\")"),
    ("every: 30s", "every: 1s"),
    ("TICK: \"1\"", "TICK: \"0.05\""),
    ("MAX_DRAWDOWN: \"20000\"", "MAX_DRAWDOWN: \"900000\""),
    ("MAX_SILENCE: \"30\"", "MAX_SILENCE: \"400\""),
];

/// A trading day that was added, with more of its text changed.
struct Day {
    stage: Stage,
    state: PathBuf,
}

impl Day {
    fn new(changes: &[(&str, &str)]) -> Day {
        let stage = Stage::empty();
        let path = stage.template("trading-day", &[&FAST, changes].concat());
        stage.add(&path.display().to_string(), false);
        Day { state: stage.state(), stage }
    }

    /// Starts it and waits until something is held; `during` happens then, and the run ends by itself or by that.
    fn run(&self, during: impl FnOnce(&Stage, &Path)) -> Value {
        let running = self.stage.start(&["run", "trading-day"]);
        wait_for("a purchase", || (held(&self.state) > 0).then_some(()));
        during(&self.stage, &self.state);
        let _ = self.stage.ended();
        running.end();
        self.stage.last()
    }

    /// That the day of this run ended as it must.
    fn assert_flat(&self, run: &Value, what: &str) -> Value {
        let id = run["row"]["id"].as_str().expect("an id");
        let report = flat_and_reported(&self.state, id).unwrap_or_else(|why| panic!("{what}: {why}: {run:#}"));
        for name in ["square_off", "report", "notify"] {
            let begun = steps(run, "finally").iter().filter(|step| step["name"] == name).count();
            assert_eq!(begun, 1, "{what}: {name}: {run:#}");
        }
        tell(&format!("{what}: flat after {} trades, result {}", trades(&self.state).len(), report["result"]));
        report
    }
}

fn close(_: &Stage, state: &Path) {
    wait_for("some trades", || (trades(state).len() > 5).then_some(()));
    fs::write(state.join("close"), "").expect("the end of the day");
}

fn end(run: &Value) -> &str {
    run["row"]["end"]["state"].as_str().unwrap_or_default()
}

/// How often a step was tried.
fn tries(run: &Value, name: &str) -> usize {
    steps(run, "run").iter().filter(|step| step["name"] == name).count()
}

#[test]
fn a_normal_day() {
    let day = Day::new(&[]);
    let run = day.run(close);
    assert_eq!(end(&run), "finished", "{run:#}");
    let report = day.assert_flat(&run, "a normal day");
    assert_eq!((report["login"].as_str(), report["tries"].as_u64()), (Some("accepted"), Some(1)));
    assert_eq!(report["stopped"], "");
}

#[test]
fn a_login_that_is_accepted_at_the_third_try() {
    let day = Day::new(&[("LOGIN_FAILS: \"0\"", "LOGIN_FAILS: \"2\"")]);
    let run = day.run(close);
    assert_eq!((end(&run), tries(&run, "login")), ("finished", 3), "{run:#}");
    let report = day.assert_flat(&run, "login at the third try");
    assert_eq!((report["login"].as_str(), report["tries"].as_u64()), (Some("accepted"), Some(3)));
}

#[test]
fn a_login_that_is_never_accepted() {
    let day = Day::new(&[("LOGIN_FAILS: \"0\"", "LOGIN_FAILS: \"99\"")]);
    day.stage.run("trading-day").exits(1);
    let run = day.stage.last();
    assert_eq!((end(&run), tries(&run, "login"), tries(&run, "engine")), ("failed", 3, 0), "{run:#}");
    let report = day.assert_flat(&run, "login never");
    assert_eq!((report["login"].as_str(), report["purchases"].as_u64()), (Some("refused"), Some(0)));
}

#[test]
fn an_engine_that_is_killed() {
    let day = Day::new(&[]);
    let run = day.run(|stage, _| {
        for pid in stage.with("/loop/engine.sh") {
            signal(pid, "KILL");
        }
    });
    assert_eq!(end(&run), "failed", "{run:#}");
    day.assert_flat(&run, "engine killed");
}

#[test]
fn an_engine_that_hangs() {
    let day = Day::new(&[("MAX_SILENCE: \"400\"", "MAX_SILENCE: \"40\"")]);
    let run = day.run(|stage, _| {
        for pid in stage.with("/loop/engine.sh") {
            signal(pid, "STOP");
        }
    });
    assert_eq!(end(&run), "failed", "{run:#}");
    let report = day.assert_flat(&run, "engine hangs");
    assert!(report["stopped"].as_str().is_some_and(|why| why.starts_with("no price for")), "{report}");
}

#[test]
fn halt_in_the_middle() {
    let day = Day::new(&[]);
    let run = day.run(|stage, state| {
        let began = Instant::now();
        stage.verb(&["halt", "--reason", "enough"]);
        wait_for("nothing held", || (held(state) == 0 && squared_off(state)).then_some(()));
        let took = began.elapsed();
        tell(&format!("flat {took:.2?} after HALT was asked for"));
        assert!(took < AT_ONCE, "flat only after {took:?}");
    });
    assert_eq!(end(&run), "halted", "{run:#}");
    day.assert_flat(&run, "HALT");
    day.stage.verb(&["resume", "--reason", "the test is over"]).exits(0);
}

fn squared_off(state: &Path) -> bool {
    trades(state).iter().any(|trade| trade.name.ends_with("/square-off"))
}

#[test]
fn the_drawdown_limit() {
    let day = Day::new(&[("MAX_DRAWDOWN: \"900000\"", "MAX_DRAWDOWN: \"300\"")]);
    let run = day.run(|_, _| ());
    assert_eq!(end(&run), "finished", "{run:#}");
    let report = day.assert_flat(&run, "drawdown limit");
    assert!(report["stopped"].as_str().is_some_and(|why| why.ends_with("the limit is 300")), "{report}");
}

#[test]
fn a_power_cut() {
    let day = Day::new(&[]);
    let running = day.stage.start(&["run", "trading-day"]);
    wait_for("a purchase", || (held(&day.state) > 0).then_some(()));
    // All at once, as far as that goes: the watchdog and the runner first, so that nobody squares off.
    signal(day.stage.watchdog(), "KILL");
    for pid in day.stage.processes() {
        signal(pid, "KILL");
    }
    let _ = running.end();
    day.stage.until_nobody_lives();
    let before = trades(&day.state).len();
    assert!(!squared_off(&day.state) && book::reports(&day.state).is_empty(), "nobody was left to do it");
    day.stage.verb(&["tick"]).exits(0);
    wait_for("more trades", || (trades(&day.state).len() > before).then_some(()));
    fs::write(day.state.join("close"), "").expect("the end of the day");
    let _ = day.stage.ended();
    let run = day.stage.last();
    assert_eq!((end(&run), events(&run, "run_started").len()), ("finished", 2), "{run:#}");
    assert_eq!(tries(&run, "login"), 1, "what had ended is not repeated: {run:#}");
    day.assert_flat(&run, "power cut");
}

#[test]
fn control_a_day_without_a_square_off_fails_the_same_test() {
    let day = Day::new(&[("[./square-off.sh]", "[/bin/true]")]);
    let run = day.run(|stage, state| {
        wait_for("a position", || (held(state) > 20).then_some(()));
        stage.verb(&["halt", "--reason", "enough"]);
    });
    day.stage.verb(&["resume", "--reason", "the test is over"]).exits(0);
    let id = run["row"]["id"].as_str().expect("an id");
    assert!(flat_and_reported(&day.state, id).is_err(), "{run:#}");
}

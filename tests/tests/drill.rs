//! The drill of the kill switch: a real tree of processes under a real watchdog, halted for real; and a switch that does
//! nothing, which fails it.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_engine::api::{self, Context};
use loopwright_engine::home::Home;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_tests::stage::{Stage, programs, wait_for};
use serde_json::Value;

/// What a verb in this process works with, on the home of a stage.
fn context(stage: &Stage) -> Context {
    let home = Home::under(&stage.home);
    let now = chrono::Utc::now();
    home.create(now).expect("a home");
    let (zone, cwd) = (chrono_tz::Tz::UTC, stage.repo.clone());
    Context { home, chosen: true, host: HostEnvironment::read(), cwd, zone, now, by: "terminal" }
}

fn row(stage: &Stage) -> Value {
    let rows = stage.verb(&["doctor"]).json();
    rows.as_array().and_then(|rows| rows.iter().find(|row| row["part"] == "drill")).expect("a row").clone()
}

fn nobody_lives(stage: &Stage) {
    wait_for("everything of the drill to be gone", || stage.processes().is_empty().then_some(()));
    assert!(!stage.home.join("data/drill").exists(), "and its home");
}

#[test]
fn a_drill_ends_a_stubborn_tree_and_is_remembered() {
    let stage = Stage::empty();
    assert_eq!(row(&stage)["state"], "not seen");
    assert_eq!(stage.verb(&["status"]).exits(0).json()["drill"], Value::Null);
    // A loop of the person is neither halted nor told of by it, also where everything is halted.
    stage.verb(&["halt"]).exits(0);
    let answer = stage.verb(&["drill"]).exits(0).json();
    assert_eq!((&answer["passed"], &answer["left"]), (&Value::Bool(true), &0.into()), "{answer}");
    assert!(answer["processes"].as_u64().expect("a number") >= 8, "{answer}");
    assert!(answer["took_ms"].as_u64().expect("a number") <= 1000, "{answer}");
    nobody_lives(&stage);
    let last = stage.verb(&["status"]).exits(0).json()["drill"].clone();
    assert_eq!((&last["took_ms"], &last["passed"]), (&answer["took_ms"], &Value::Bool(true)));
    assert_eq!(stage.verb(&["runs"]).exits(0).json(), Value::Array(Vec::new()), "it is no run of the person");
    stage.put_clock(3 * 86_400, 0);
    let told = row(&stage);
    assert_eq!(told["state"], "ok");
    assert!(told["detail"].as_str().expect("words").starts_with("Drilled 3 d ago, ended in "), "{told}");
    let said = stage.plain(&["drill"]).exits(0);
    assert!(said.out.starts_with("✓ Drilled just now, ended in "), "{said:?}");
}

#[test]
fn a_switch_that_does_nothing_fails_the_drill_and_nobody_is_left_by_it() {
    let stage = Stage::empty();
    let view = api::drill_with(&context(&stage), &programs().loopwright, &|_| Ok(())).expect("a drill");
    assert!(!view.passed && view.left >= 8, "{view:?}");
    assert!(view.words.contains("processes lived on after 1.0 s"), "{view:?}");
    nobody_lives(&stage);
    assert_eq!(row(&stage)["state"], "failed");
    let status = stage.plain(&["status"]).exits(0);
    assert!(status.out.starts_with("✕ Drill failed just now"), "{status:?}");
    // One that only pretends is told by what it says, too.
    let broken = |_: &Context| Err(api::ApiError::new(1, "no such file"));
    let view = api::drill_with(&context(&stage), &programs().loopwright, &broken).expect("a drill");
    assert!(!view.passed && view.words.contains("the kill switch failed: no such file"), "{view:?}");
    nobody_lives(&stage);
}

#[test]
fn a_drill_that_can_not_begin_tries_nothing_and_is_not_remembered() {
    let stage = Stage::empty();
    let context = context(&stage);
    let error = api::drill_with(&context, std::path::Path::new("/bin/false"), &|_| Ok(())).expect_err("no run");
    assert!(error.message.contains("the drill did not begin") && error.message.contains("nothing was tried"));
    assert_eq!(row(&stage)["state"], "not seen");
    let other = std::fs::File::options().write(true).open(stage.home.join("data/drill.lock")).expect("the lock");
    other.lock().expect("held");
    let refused = stage.verb(&["drill"]).exits(1);
    assert!(refused.message().contains("another one is under way"), "{refused:?}");
}

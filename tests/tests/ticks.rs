//! Twenty passes at once do each thing once (C8): a run is taken up once, what was approved lands once.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use loopwright_tests::crash::{Kill, acknowledged, audit, small};
use loopwright_tests::stage::{Stage, events, wait_for};

const AT_ONCE: usize = 20;

fn rounds() -> usize {
    if std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1") { 50 } else { 2 }
}

/// Makes twenty passes at once.
fn ticks(stage: &Stage) -> Vec<Output> {
    thread::scope(|scope| {
        let ticks: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let mut command = stage.command(&["tick", "--json"]);
                scope.spawn(move || command.output().expect("starts"))
            })
            .collect();
        ticks.into_iter().map(|tick| tick.join().expect("a thread")).collect()
    })
}

/// How many of them say that they did this.
fn count(ticks: &[Output], deed: &str) -> usize {
    let said = |tick: &&Output| String::from_utf8_lossy(&tick.stdout).contains(&format!("\"did\": \"{deed}\""));
    ticks.iter().filter(said).count()
}

fn assert_well(ticks: &[Output]) {
    for tick in ticks {
        let code = tick.status.code();
        assert!(matches!(code, Some(0 | 20)), "{code:?}: {}", String::from_utf8_lossy(&tick.stdout));
    }
}

#[test]
fn a_run_is_taken_up_once() {
    let mut worst = Duration::ZERO;
    for _ in 0..rounds() {
        let stage = small();
        stage.ask(&mut stage.killing(&["run", "work", "--detach"], &Kill::own("step-intent", 3), "once"));
        wait_for("the strike", || stage.struck("once").then_some(()));
        stage.until_nobody_lives();
        let before = acknowledged(&stage);
        let began = Instant::now();
        let ticks = ticks(&stage);
        worst = worst.max(began.elapsed());
        assert_well(&ticks);
        assert_eq!(count(&ticks, "took_up"), 1);
        stage.tick_until_quiet();
        assert_eq!(events(&stage.last(), "run_started").len(), 2, "{}", stage.last());
        assert_eq!(audit(&stage, &before), [""; 0]);
    }
    println!("{} × {AT_ONCE} passes at once, {worst:?} at most", rounds());
}

#[test]
fn what_was_approved_lands_once() {
    for _ in 0..rounds() {
        let stage = small();
        stage.run("work").exits(21);
        let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
        let (id, tree) = (review["row"]["id"].as_str().expect("an id"), review["tree"].as_str().expect("a tree"));
        stage.ask(&mut stage.killing(&["approve", id, "--tree", tree], &Kill::own("approved-written", 1), "once"));
        let before = acknowledged(&stage);
        let ticks = ticks(&stage);
        stage.remember();
        assert_well(&ticks);
        assert!(count(&ticks, "landed") >= 1);
        stage.tick_until_quiet();
        assert_eq!(stage.git(&["rev-list", "--count", "main"]), "2");
        assert_eq!(stage.git(&["show", "main:NOTES"]), "1");
        assert_eq!(audit(&stage, &before), [""; 0]);
    }
}

/// The control: without the claim, which one pass has at a time, several take the run up.
#[test]
fn without_the_claim_it_is_taken_up_more_than_once() {
    let stage = small();
    stage.ask(&mut stage.killing(&["run", "work", "--detach"], &Kill::own("step-intent", 3), "first"));
    wait_for("the strike", || stage.struck("first").then_some(()));
    stage.until_nobody_lives();
    let dir = stage.home.join("data/runs").join(stage.last()["row"]["id"].as_str().expect("an id"));
    // A pass that stands still after it has the claim; then the claim is taken from it.
    let stopped = Kill { at: "taking-up#1".to_owned(), whom: "stop" };
    let first = stage.killing(&["tick"], &stopped, "once").spawn().expect("starts");
    wait_for("the first pass", || stage.struck("once").then_some(()));
    assert_eq!(stage.verb(&["tick"]).code, 20, "as long as it is claimed, nobody else does");
    std::fs::remove_file(dir.join("claim")).expect("a claim");
    let second = stage.verb(&["tick"]).exits(0).json();
    assert_eq!(second["deeds"][0]["did"], "took_up", "{second}");
    loopwright_tests::nasty::signal(i32::try_from(first.id()).expect("a number"), "CONT");
    let said = first.wait_with_output().expect("it ends");
    // Even then the journal has one writer: the slower one is refused there.
    assert!(!said.status.success(), "both took it up");
    stage.tick_until_quiet();
}

//! I/O errors: whichever call of our own programs fails, nothing panics, nothing is said to be done that is not stored,
//! and without the fault the same home goes on.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::sync::atomic::{AtomicUsize, Ordering};

use loopwright_tests::faults::{BEGINNINGS, CHANGES, EIO, ENOSPC, Faults, full};
use loopwright_tests::stage::{Answer, RAILS, Stage, wait_for};
use loopwright_tests::tell;
use serde_json::Value;

const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n";

fn shop() -> (Stage, Faults) {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    let faults = Faults::below(&stage.home, &stage.beside("faults"));
    (stage, faults)
}

/// Runs the loop while the call number `nth` fails, and waits until nothing of it lives.
fn run(stage: &Stage, faults: &Faults, calls: &str, nth: u64, errno: i32) -> Answer {
    let mut command = stage.command(&["run", "work", "--json"]);
    faults.fail_of(&mut command, calls, nth, errno);
    let answer = stage.ask(&mut command);
    wait_for("the run's processes to be gone", || stage.processes().is_empty().then_some(()));
    answer
}

/// What must hold after a run in which a call failed.
fn assert_honest(stage: &Stage, answer: &Answer, told: &str) {
    assert!([0, 1, 10, 14, 20, 21].contains(&answer.code), "{told}: {answer:?}");
    assert!(!answer.err.contains("panicked"), "{told}: {answer:?}");
    for log in std::fs::read_dir(stage.home.join("data/runs")).expect("runs").flatten() {
        let said = std::fs::read_to_string(log.path().join("runner.err")).unwrap_or_default();
        assert!(!said.contains("panicked"), "{told}: {said}");
    }
    let stored = stage.verb(&["runs"]).exits(0).json();
    // What is printed as done is stored: the code of the run, and every pull request that it names.
    if let Ok(view) = serde_json::from_str::<Value>(&answer.out) {
        assert_eq!(view["row"]["code"], stored[0]["code"], "{told}: {stored}");
        assert_eq!(view["row"]["pull_requests"], stage.reviews().len(), "{told}");
    } else {
        // What can't be read halts.
        assert!([1, 10].contains(&answer.code), "{told}: without an answer it is an error: {answer:?}");
        assert!(answer.err.contains("message"), "{told}: {answer:?}");
    }
}

/// Without the fault: a run completes, and each finding has one pull request or waits for the person.
fn assert_goes_on(stage: &Stage, told: &str) {
    let answer = stage.run("work");
    assert!([20, 21].contains(&answer.code), "{told}: {answer:?}");
    let sound = stage.verb(&["doctor", "--repair"]).exits(0).json();
    assert_eq!(sound["damaged"], false, "{told}");
    let titles: Vec<String> = stage.reviews().iter().map(|r| r["title"].to_string()).collect();
    let mut once = titles.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), titles.len(), "{told}: {titles:?}");
    let waiting = stage.triage().iter().filter(|line| line.contains("needs you")).count();
    assert_eq!(titles.len() + waiting, 2, "{told}: {titles:?}, {:?}", stage.triage());
}

fn one(calls: &str, nth: u64, errno: i32) {
    let (stage, faults) = shop();
    let answer = run(&stage, &faults, calls, nth, errno);
    let told = format!("call {nth}, {}, errno {errno}", faults.hit().unwrap_or_default().trim());
    tell(&format!("{told}: the run exits {}", answer.code));
    assert_honest(&stage, &answer, &told);
    assert_goes_on(&stage, &told);
}

/// Lets these calls fail, each in a run of its own: about `short` of them in the short form, else one of `full_step`.
fn each(calls: &str, short: u64, full_step: u64) {
    let (stage, faults) = shop();
    let answer = run(&stage, &faults, calls, 0, EIO);
    let all = faults.calls();
    assert_eq!((answer.code, faults.hit()), (21, None), "the control: no call failed");
    let step = if full() { full_step } else { all.div_ceil(short) };
    tell(&format!("{all} calls of{calls}, every {step} of them fails, EIO and ENOSPC in turn"));
    let cases: Vec<(usize, u64)> = (1..=all).step_by(usize::try_from(step).expect("small")).enumerate().collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((n, nth)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(calls, *nth, if n % 2 == 0 { EIO } else { ENOSPC });
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
}

#[test]
fn any_change_may_fail() {
    each(CHANGES, 6, 1);
}

#[test]
fn any_beginning_may_fail() {
    each(BEGINNINGS, 3, 4);
}

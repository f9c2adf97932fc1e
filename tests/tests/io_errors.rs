//! I/O errors: whichever call of our own programs fails, nothing panics, nothing is said to be done that is not stored,
//! and without the fault the same home goes on.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::sync::atomic::{AtomicUsize, Ordering};

use loopwright_tests::crash::small;
use loopwright_tests::faults::{BEGINNINGS, CHANGES, EIO, ENOSPC, Faults, full};
use loopwright_tests::stage::{Answer, RAILS, Stage, id, state, tree, wait_for};
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

/// Lets these calls fail, each in a run of its own: about `short` of them in the short form, all of them in full.
fn each(calls: &str, short: u64) {
    let (stage, faults) = shop();
    let answer = run(&stage, &faults, calls, 0, EIO);
    assert_eq!((answer.code, faults.hit()), (21, None), "the control: no call failed");
    every(faults.calls(), if full() { 1 } else { faults.calls().div_ceil(short) }, calls, one);
}

/// Lets one of `step` of so many calls fail, each in a case of its own.
fn every(all: u64, step: u64, calls: &str, one: impl Fn(&str, u64, i32) + Sync) {
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

/// A pull request that is to land by this verb: by `approve`, or by `tick` once it waited for the person.
fn due(verb: &str) -> (Stage, Faults, Value) {
    let stage = small();
    stage.run("work").exits(21);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    stage.write("mine", "not known to git\n");
    if verb == "tick" {
        stage.write("README.md", "being written\n");
        stage.approve(&review).exits(21);
        stage.git(&["checkout", "--quiet", "README.md"]);
    }
    // The user's repository as well as the home.
    let faults = Faults::below(&stage.beside(""), &stage.beside("faults"));
    (stage, faults, review)
}

/// The words of that verb.
fn words<'a>(verb: &'a str, review: &'a Value) -> Vec<&'a str> {
    let approval = ["approve", id(review), "--tree", tree(review)];
    if verb == "tick" { vec!["tick"] } else { approval.to_vec() }
}

fn land(stage: &Stage, faults: &Faults, words: &[&str], calls: &str, nth: u64, errno: i32) -> Answer {
    let mut command = stage.command(words);
    faults.fail_of(command.arg("--json"), calls, nth, errno);
    let answer = stage.ask(&mut command);
    stage.remember();
    answer
}

/// What is wrong with the user's checkout, which has `mine` besides what is committed.
fn wrong(stage: &Stage) -> Vec<String> {
    let mut wrong = stage.unlike_head(&stage.repo);
    wrong.retain(|line| line != "?? mine");
    if std::fs::read_to_string(stage.repo.join("mine")).ok().as_deref() != Some("not known to git\n") {
        wrong.push("mine is lost".to_owned());
    }
    if stage.repo.join(".git/index.lock").exists() {
        wrong.push("the index is locked".to_owned());
    }
    wrong
}

fn one_landing(verb: &str, calls: &str, nth: u64, errno: i32) {
    let (stage, faults, review) = due(verb);
    let before = stage.git(&["rev-parse", "main"]);
    let answer = land(&stage, &faults, &words(verb, &review), calls, nth, errno);
    let told = format!("{verb}, call {nth}, {}, errno {errno}: {answer:?}", faults.hit().unwrap_or_default().trim());
    assert!([0, 1, 10, 20, 21].contains(&answer.code) && !answer.err.contains("panicked"), "{told}");
    let said = state(&stage, &review);
    let moved = stage.git(&["rev-parse", "main"]) != before;
    tell(&format!("{verb}, call {nth}: exits {}, {said}, moved: {moved}", answer.code));
    assert!(moved || (said != "merged" && (answer.code != 0 || verb == "tick")), "it did not land: {told}");
    assert_eq!(wrong(&stage), Vec::<String>::new(), "{told}");
    // Without the fault it lands, whole and once.
    let rest = if said == "open" { words("approve", &review) } else { vec!["tick"] };
    let answer = stage.verb(&rest);
    stage.remember();
    assert_eq!(state(&stage, &review), "merged", "{told}; then {answer:?}");
    assert_eq!(stage.git(&["rev-parse", "main^"]), before, "{told}");
    assert_eq!(wrong(&stage), Vec::<String>::new(), "{told}");
}

/// Lets these calls of a landing fail: all of them in full.
fn each_of_a_landing(verb: &str, calls: &str, short: u64) {
    let (stage, faults, review) = due(verb);
    land(&stage, &faults, &words(verb, &review), calls, 0, EIO);
    assert_eq!((state(&stage, &review).as_str(), faults.hit()), ("merged", None), "the control: no call failed");
    let step = if full() { 1 } else { faults.calls().div_ceil(short) };
    every(faults.calls(), step, calls, |calls, nth, errno| one_landing(verb, calls, nth, errno));
}

/// The control: a landing beside the checkout, which takes a HEAD that it can't read for another branch's.
#[test]
fn a_landing_that_forgets_the_checkout_is_told() {
    let (stage, _, _) = due("approve");
    assert_eq!(wrong(&stage), Vec::<String>::new());
    let first = stage.git(&["rev-parse", "HEAD"]);
    stage.write("landed", "x\n");
    stage.git(&["add", "landed"]);
    stage.git(&["commit", "--quiet", "-m", "landed"]);
    let landed = stage.git(&["rev-parse", "HEAD"]);
    stage.git(&["reset", "--quiet", "--hard", &first]);
    stage.git(&["update-ref", "refs/heads/main", &landed]);
    assert_eq!(wrong(&stage), ["D  landed"]);
}

#[test]
fn any_change_of_an_approval_may_fail() {
    each_of_a_landing("approve", CHANGES, 5);
}

#[test]
fn any_beginning_of_an_approval_may_fail() {
    each_of_a_landing("approve", BEGINNINGS, 8);
}

#[test]
fn any_change_of_a_waiting_landing_may_fail() {
    each_of_a_landing("tick", CHANGES, 4);
}

#[test]
fn any_beginning_of_a_waiting_landing_may_fail() {
    each_of_a_landing("tick", BEGINNINGS, 6);
}

#[test]
fn any_change_may_fail() {
    each(CHANGES, 6);
}

#[test]
fn any_beginning_may_fail() {
    each(BEGINNINGS, 3);
}

//! The algebra and the comparison with the base; whole makers, cheating and honest, are in [`makers`].

use std::collections::BTreeSet;

use super::*;
use crate::check::{self, CaseId, CheckReport, Ended};
use crate::definition::Command;
use crate::finding::Finding;

mod makers;

fn gate(name: &str, level: Level) -> GateResult {
    GateResult { gate: name.into(), level, summary: String::new(), reasons: Vec::new(), evidence: None }
}

fn name(name: &str) -> Box<Expression> {
    Box::new(Expression::Gate(name.into()))
}

#[test]
fn and_is_the_least_or_the_greatest_not_swaps_the_ends() {
    let levels = [Level::Fail, Level::NeedsPerson, Level::Pass];
    for a in levels {
        for b in levels {
            let results = [gate("a", a), gate("b", b)];
            assert_eq!(Expression::And(name("a"), name("b")).level(&results), a.min(b));
            assert_eq!(Expression::Or(name("a"), name("b")).level(&results), a.max(b));
        }
        let not = Expression::Not(name("a"));
        assert_eq!(not.level(&[gate("a", a)]), levels[2 - levels.iter().position(|l| *l == a).expect("a level")]);
        assert_eq!(Expression::Not(Box::new(not)).level(&[gate("a", a)]), a);
    }
    assert_eq!(Expression::Gate("absent".into()).level(&[]), Level::NeedsPerson);
}

#[test]
fn expressions_are_written_as_they_are_read() {
    let or = Box::new(Expression::Or(name("a"), name("b")));
    let whole = Expression::And(or, Box::new(Expression::Not(name("a"))));
    assert_eq!(whole.to_string(), "(a OR b) AND NOT a");
    assert_eq!(whole.gates(), ["a", "b"]);
}

/// A test run as libtest prints it: `a ok`, `b FAILED`, `c ignored`.
pub(super) fn tests(results: &[&str]) -> CheckReport {
    let mut out = format!("running {} tests\n", results.len());
    for result in results {
        let (name, status) = result.split_once(' ').expect("name and status");
        out.push_str(&format!("test {name} ... {status}\n"));
    }
    let of = |word: &str| results.iter().filter(|r| r.ends_with(word)).count();
    out.push_str(&format!(
        "test result: x. {} passed; {} failed; {} ignored\n",
        of(" ok"),
        of(" FAILED"),
        of(" ignored")
    ));
    let out = format!("     Running unittests src/lib.rs (target/debug/deps/t-0123456789abcdef)\n{out}");
    ended("cargo test", if of(" FAILED") > 0 { 101 } else { 0 }, &out)
}

pub(super) fn ended(command: &str, code: i32, out: &str) -> CheckReport {
    check::read("g", &Command::Shell(command.into()), Ended::Exited(code), out.as_bytes(), b"")
}

/// A clippy run with these lints as `rule path`.
pub(super) fn lints(found: &[&str]) -> CheckReport {
    let line = |l: &&str| {
        let (rule, path) = l.split_once(' ').expect("rule and path");
        format!("warning: {rule} here\n --> {path}:1:1\n  = note: `#[warn({rule})]` on by default\n")
    };
    ended("cargo clippy", 0, &found.iter().map(line).collect::<String>())
}

const BROKEN: &str = "error[E0308]: mismatched types\n --> src/a.rs:3:1\n";

fn finding(base: &CheckReport) -> Finding {
    crate::scan::findings(std::slice::from_ref(base)).into_iter().next().expect("a finding")
}

fn issue() -> Finding {
    Finding { gate: None, failing: BTreeSet::new(), ..finding(&tests(&["x FAILED"])) }
}

fn reasons(base: &CheckReport, attempt: &CheckReport, finding: &Finding) -> (Level, String) {
    let result = relative("g", base, attempt, finding);
    (result.level, result.reasons.join("\n"))
}

#[test]
fn what_passed_must_pass_and_run() {
    let base = tests(&["a ok", "b FAILED", "c ignored", "d FAILED"]);
    let own = Finding { failing: [CaseId("t::b".into())].into(), ..finding(&base) };
    for (attempt, word) in [
        (tests(&["a FAILED", "b ok", "c ignored", "d FAILED"]), "passed on the base and fails now: t::a"),
        (tests(&["a ignored", "b ok", "c ignored", "d FAILED"]), "passed on the base and is skipped now: t::a"),
        (tests(&["b ok", "c ignored", "d FAILED"]), "passed on the base and no longer runs: t::a"),
        (tests(&["a ok", "b FAILED", "c ignored", "d FAILED"]), "still fails: t::b"),
        (tests(&["a ok", "b ok", "c FAILED", "d FAILED"]), "was skipped on the base and fails now: t::c"),
        (tests(&["a ok", "b ok", "c ignored"]), "failed on the base and no longer runs: t::d"),
        (tests(&["a ok", "b ok", "c ignored", "d FAILED", "e FAILED"]), "fails and is not on the base: t::e"),
        (ended("cargo test", 101, BROKEN), "does not build: build @ src/a.rs: mismatched types"),
        (tests(&["c ignored"]), "no test ran; the base ran 3"),
    ] {
        let (level, said) = reasons(&base, &attempt, &own);
        assert_eq!((level, said.contains(word)), (Level::Fail, true), "{word}: {said}");
    }
}

#[test]
fn an_end_that_is_not_its_own_fails_even_where_the_base_did_the_same() {
    for how in [Ended::TimedOut, Ended::Silent, Ended::Flooded, Ended::Signalled(9), Ended::Halted] {
        let report = check::read("g", &Command::Shell("cargo test".into()), how, b"", b"");
        assert_eq!(relative("g", &report, &report, &issue()).level, Level::Fail, "{how:?}");
    }
}

#[test]
fn without_tests_the_gate_is_absent_and_clean_lints_are_not() {
    let none = ended("cargo test", 0, "");
    let (level, said) = reasons(&none, &none, &issue());
    assert_eq!((level, said.starts_with("absent")), (Level::NeedsPerson, true));
    assert_eq!(reasons(&none, &tests(&["a ok"]), &issue()).0, Level::Pass);
    assert_eq!(reasons(&lints(&[]), &lints(&[]), &issue()).0, Level::Pass);
    let silent = ended("cargo clippy", 101, "");
    assert_eq!(reasons(&lints(&[]), &silent, &issue()).0, Level::Fail);
}

#[test]
fn a_base_that_does_not_build_leaves_doubt_and_not_refusal() {
    let base = ended("cargo test", 101, BROKEN);
    let (level, said) = reasons(&base, &tests(&["a ok", "b FAILED"]), &finding(&base));
    assert_eq!((level, said.contains("did not get that far")), (Level::NeedsPerson, true), "{said}");
    let (level, said) = reasons(&base, &base, &issue());
    assert_eq!((level, said.contains("does not build, as before")), (Level::NeedsPerson, true), "{said}");
    assert_eq!(reasons(&base, &base, &finding(&base)).0, Level::Fail);
}

#[test]
fn a_known_build_fault_hides_nothing() {
    let partly = |results: &[&str]| ended("cargo test", 101, BROKEN).merge(tests(results));
    let base = partly(&["a ok", "b ok"]);
    for (attempt, word) in [
        (partly(&["a FAILED", "b ok"]), "passed on the base and fails now: t::a"),
        (partly(&["a ignored", "b ok"]), "passed on the base and is skipped now: t::a"),
        (partly(&["b ok"]), "passed on the base and no longer runs: t::a"),
    ] {
        let (level, said) = reasons(&base, &attempt, &issue());
        assert_eq!((level, said.contains(word)), (Level::Fail, true), "{word}: {said}");
    }
    assert_eq!(reasons(&base, &base, &issue()).0, Level::NeedsPerson);
    // A new fault is told once, not again for each test that it keeps from running.
    let (level, said) = reasons(&tests(&["a ok", "b ok"]), &ended("cargo test", 101, BROKEN), &issue());
    assert_eq!((level, said.lines().count()), (Level::Fail, 1), "{said}");
}

#[test]
fn a_crashed_suite_is_fixed_only_by_tests_that_run() {
    let header = "     Running unittests src/lib.rs (target/debug/deps/t-0123456789abcdef)\n";
    let base = ended("cargo test", 101, &format!("{header}running 2 tests\ntest a ... "));
    let other = "     Running unittests src/lib.rs (target/debug/deps/u-0123456789abcdef)\n\
                 running 1 test\ntest z ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
    assert_eq!(reasons(&base, &tests(&["a ok", "b ok"]), &finding(&base)).0, Level::Pass);
    assert_eq!(reasons(&base, &ended("cargo test", 0, other), &finding(&base)).0, Level::Fail);
}

#[test]
fn a_command_is_not_hidden_by_another_of_its_check() {
    for (red, other) in
        [("make a", "make b"), ("cargo clippy -p a", "cargo clippy -p b"), ("cargo test a", "cargo test b")]
    {
        let run = |a: i32, b: i32| ended(red, a, "").merge(ended(other, b, ""));
        let (level, said) = reasons(&run(1, 0), &run(1, 1), &issue());
        assert_eq!((level, said.contains(other)), (Level::Fail, true), "{said}");
        assert_eq!(reasons(&run(1, 0), &run(1, 0), &issue()).0, Level::Pass, "{red} was red before");
    }
}

#[test]
fn a_suite_does_not_stand_for_a_deleted_test_of_its_name() {
    let of = |suite: &str, results: &[&str]| {
        let report = tests(results);
        let rename = |c: &check::Case| check::Case {
            id: CaseId(c.id.0.replacen("t::", &format!("{suite}::"), 1)),
            group: suite.to_owned(),
            ..c.clone()
        };
        CheckReport { cases: report.cases.iter().map(rename).collect(), ..report }
    };
    let base = of("t", &["a ok", "foo FAILED"]);
    let attempt = of("t", &["a ok"]).merge(of("t::foo", &["x ok"]));
    let (level, said) = reasons(&base, &attempt, &finding(&base));
    assert_eq!((level, said.contains("no longer runs, which is no fix: t::foo")), (Level::Fail, true), "{said}");
    let (level, said) = reasons(&base, &attempt, &issue());
    assert_eq!((level, said.contains("failed on the base and no longer runs: t::foo")), (Level::Fail, true), "{said}");
}

#[test]
fn new_tests_of_a_fault_must_fail_on_the_base() {
    let red = tests(&["a ok", "b FAILED"]);
    let attempt = tests(&["a ok", "b ok", "c ok", "d ok"]);
    let new = new_tests(&red, &attempt);
    assert_eq!(new.len(), 2);
    let fault = finding(&red);
    let judged = |on_base: Option<&CheckReport>| judge_new_tests(&fault, &new, on_base).expect("an answer");
    let (level, said) = judged(Some(&tests(&["a ok", "b FAILED", "c FAILED", "d FAILED"])));
    assert_eq!(level, Level::Pass, "{said}");
    let (level, said) = judged(Some(&tests(&["a ok", "b FAILED", "c FAILED", "d ok"])));
    assert!(level == Level::NeedsPerson && said.contains("t::d") && !said.contains("t::c"), "{said}");
    for untried in [None, Some(ended("cargo test", 101, BROKEN)), Some(red.clone())] {
        assert_eq!(judged(untried.as_ref()).0, Level::NeedsPerson);
    }
    let lint = Finding { fault: false, ..fault.clone() };
    assert_eq!(judge_new_tests(&lint, &new, None), None);
    assert_eq!(judge_new_tests(&fault, &BTreeSet::new(), None), None);
}

#[test]
fn reasons_are_capped() {
    let many: Vec<String> = (0..50).map(|n| format!("t{n} ok")).collect();
    let names: Vec<&str> = many.iter().map(String::as_str).collect();
    let result = relative("g", &tests(&names), &tests(&names[..1]), &issue());
    assert_eq!((result.reasons.len(), result.reasons[20].as_str()), (21, "and 29 more"));
    assert_eq!(result.summary, "1 passed, 0 failed (base: 50 passed, 0 failed)");
}

//! Twelve cheating and twelve honest makers, judged by all gates together.

use super::*;
use crate::diff::tests::{binary, file, judge, new};
use crate::diff::{ChangeKind, FileChange};

/// The verdict over all gates that a maker can cheat, as the engine combines them.
fn verify(base: &CheckReport, attempt: &CheckReport, finding: &Finding, diff: Vec<FileChange>) -> (Level, Vec<String>) {
    let results = [relative("g", base, attempt, finding), judge(diff)];
    let added = new_tests(base, attempt);
    let tried = judge_new_tests(finding, &added, Some(attempt)).filter(|(l, _)| *l != Level::Pass);
    let mut reasons: Vec<String> = results.iter().flat_map(|r| r.reasons.clone()).collect();
    let mut level = results.iter().map(|r| r.level).min().expect("results");
    if let Some((doubt, reason)) = tried {
        level = level.min(doubt);
        reasons.push(reason);
    }
    (level, reasons)
}

#[test]
fn twelve_cheating_makers_are_refused_under_the_right_name() {
    let red = tests(&["a ok", "b FAILED"]);
    let green = tests(&["a ok", "b ok"]);
    let deleted = FileChange { kind: ChangeKind::Deleted, new_mode: 0, ..file("tests/b.rs", "-x") };
    let link = FileChange { new_mode: 0o120_000, ..new("out", "+/etc") };
    let lint = lints(&["clippy::x src/a.rs"]);
    let rows = [
        ("deleted test", "no longer runs, which is no fix", &red, tests(&["a ok"]), deleted),
        ("skipped test", "skipped, which is no fix", &red, tests(&["a ok", "b ignored"]), file("src/a.rs", "+x")),
        ("shell or-true", "failure pass", &red, green.clone(), file("ci/test.sh", "+cargo test || true")),
        ("edited CI", "continuous integration", &red, green.clone(), file(".github/workflows/ci.yml", "-x")),
        ("loosened lint", "silences lints", &lint, lints(&[]), file("src/a.rs", "+#![allow(clippy::x)]")),
        ("huge lock file", "large", &red, green.clone(), file("Cargo.lock", &"+x\n".repeat(5000))),
        ("binary", "is binary", &red, green.clone(), binary("tests/fixture.bin")),
        ("git hooks", ".git", &red, green.clone(), new(".git/hooks/post-commit", "+x")),
        ("link out", "leaves the tree", &red, green.clone(), link),
        ("vendored copy", "a vendored copy", &red, green.clone(), new("vendor/day/lib.rs", "+x")),
        (
            "test that asserts nothing",
            "pass on the base too",
            &red,
            tests(&["a ok", "b ok", "c ok"]),
            file("src/a.rs", "+x"),
        ),
        ("filter matching nothing", "no test ran", &red, tests(&[]), file("src/a.rs", "+x")),
    ];
    for (cheat, word, base, attempt, diff) in rows {
        let (level, reasons) = verify(base, &attempt, &finding(base), vec![diff]);
        assert_ne!(level, Level::Pass, "{cheat}");
        assert!(reasons.iter().any(|r| r.contains(word)), "{cheat}: {reasons:?}");
    }
}

#[test]
fn twelve_honest_makers_pass() {
    let red = tests(&["a ok", "b FAILED"]);
    let also = tests(&["a ok", "b FAILED", "c FAILED", "d ignored"]);
    let only_b = |f: Finding| Finding { failing: [CaseId("t::b".into())].into(), ..f };
    let lint = lints(&["clippy::x src/a.rs", "clippy::y src/b.rs"]);
    let only_x = Finding { failing: [CaseId("clippy::x @ src/a.rs".into())].into(), ..finding(&lint) };
    let unformatted = ended("cargo fmt --check", 1, "Diff in /workspace/src/a.rs:1:\n");
    let unbuilt = ended("cargo test", 101, BROKEN);
    let make = ended("make", 2, "no");
    let diff = || file("src/a.rs", "-return 1;\n+1");
    let green = tests(&["a ok", "b ok"]);
    let rows = [
        ("a fixed test", &red, green.clone(), finding(&red)),
        ("one of two, red base", &also, tests(&["a ok", "b ok", "c FAILED", "d ignored"]), only_b(finding(&also))),
        ("another test fixed too", &also, tests(&["a ok", "b ok", "c ok", "d ignored"]), only_b(finding(&also))),
        ("an ignored test runs now", &also, tests(&["a ok", "b ok", "c FAILED", "d ok"]), only_b(finding(&also))),
        ("work on an issue, red base", &red, red.clone(), issue()),
        ("work on an issue, green base", &green, green.clone(), issue()),
        ("one lint of two", &lint, lints(&["clippy::y src/b.rs"]), only_x.clone()),
        ("both lints", &lint, lints(&[]), only_x),
        ("formatting", &unformatted, ended("cargo fmt --check", 0, ""), finding(&unformatted)),
        ("a build fault", &unbuilt, tests(&["a ok"]), Finding { fault: false, ..finding(&unbuilt) }),
        ("a plain command", &make, ended("make", 0, "yes"), finding(&make)),
        (
            "more tests for a lint",
            &lint,
            lints(&["clippy::y src/b.rs"]),
            Finding { failing: BTreeSet::new(), ..issue() },
        ),
    ];
    for (work, base, attempt, finding) in rows {
        let (level, reasons) = verify(base, &attempt, &finding, vec![diff()]);
        assert_eq!(level, Level::Pass, "{work}: {reasons:?}");
    }
}

//! Which failures an attempt has really removed: one that did not run, or was not looked for, is not gone.

use std::collections::BTreeSet;

use super::relative::revived;
use crate::check::{Case, CaseId, CaseKind, CaseStatus, CheckReport, Ended};

/// Those of `failures` (of the base, and of earlier rounds) that are known to be gone: a test ran and passed; anything else is
/// no longer reported by a check that got as far as on the base. What an earlier round broke and this one did not repair
/// but hide is not among them, nor is a build or a command that only a round broke.
pub fn cleared(failures: &BTreeSet<CaseId>, base: &[CheckReport], attempt: &[CheckReport]) -> BTreeSet<CaseId> {
    let fails = |id: &&CaseId| {
        attempt.iter().any(|report| report.case(id).is_some_and(|case| case.status == CaseStatus::Failed))
    };
    failures.iter().filter(|id| !fails(id) && is_cleared(id, base, attempt)).cloned().collect()
}

fn is_cleared(id: &CaseId, base: &[CheckReport], attempt: &[CheckReport]) -> bool {
    let mut failed_in = base.iter().filter_map(|b| {
        let case = b.case(id).filter(|case| case.status == CaseStatus::Failed)?;
        Some((b, case))
    });
    let Some((before, case)) = failed_in.next() else {
        let passed = |case: &Case| case.kind == CaseKind::Test && case.status == CaseStatus::Passed;
        return attempt.iter().any(|report| report.case(id).is_some_and(passed));
    };
    let Some(now) = attempt.iter().find(|report| report.check == before.check) else { return false };
    match now.case(id).map(|case| case.status) {
        Some(status) => status == CaseStatus::Passed,
        None if case.kind == CaseKind::Test => revived(before, now, id),
        None => got_as_far(before, now),
    }
}

/// Tells whether nothing kept a check from its work that did not on the base.
fn got_as_far(base: &CheckReport, attempt: &CheckReport) -> bool {
    let known = base.failing();
    let stops = |case: &Case| {
        matches!(case.kind, CaseKind::Build | CaseKind::Command)
            && case.status == CaseStatus::Failed
            && !known.contains(&case.id)
    };
    matches!(attempt.ended, Ended::Exited(_)) && !attempt.cases.iter().any(stops)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ended, lints, tests};
    use super::*;

    fn gone(base: &CheckReport, attempt: &CheckReport, round: &[&str]) -> Vec<String> {
        let failures = base.failing().into_iter().chain(round.iter().map(|id| CaseId((*id).to_owned()))).collect();
        let gone = cleared(&failures, std::slice::from_ref(base), std::slice::from_ref(attempt));
        gone.into_iter().map(|id| id.0).collect()
    }

    #[test]
    fn only_what_ran_is_gone() {
        let broken = |file: &str| ended("cargo test", 101, &format!("error[E0308]: no\n --> {file}:3:1\n"));
        let base = tests(&["a ok", "b FAILED", "c FAILED"]);
        let one = ["t::b"];
        assert_eq!(gone(&base, &tests(&["a ok", "b ok", "c FAILED"]), &[]), one);
        assert_eq!(gone(&base, &tests(&["a ok", "b ok", "c ignored"]), &[]), one);
        assert_eq!(gone(&base, &tests(&["a ok", "b ok"]), &[]), one);
        assert!(gone(&base, &broken("src/a.rs"), &[]).is_empty());
        assert!(gone(&base, &broken("src/b.rs"), &["build @ src/a.rs"]).is_empty(), "another break is no repair");
        assert_eq!(gone(&base, &tests(&["a ok", "b FAILED", "c FAILED"]), &["t::a"]), ["t::a"]);
        assert_eq!(gone(&broken("src/a.rs"), &base, &[]), ["build @ src/a.rs"]);
        assert!(gone(&broken("src/a.rs"), &broken("src/b.rs"), &[]).is_empty());
    }

    #[test]
    fn a_lint_is_gone_when_it_was_looked_for() {
        let base = lints(&["clippy::x src/a.rs", "clippy::y src/b.rs"]);
        assert_eq!(gone(&base, &lints(&["clippy::y src/b.rs"]), &[]), ["clippy::x @ src/a.rs"]);
        let broken = ended("cargo clippy", 101, "error[E0308]: no\n --> src/c.rs:3:1\n");
        assert!(gone(&base, &broken, &[]).is_empty());
    }
}

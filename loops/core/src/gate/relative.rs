//! Comparing what a check says of an attempt with what it said of the base commit.
//!
//! Running the check is *not* here, nor is judging the diff.

use std::collections::BTreeSet;

use super::{GateResult, Level};
use crate::check::{CONTRADICTION, Case, CaseId, CaseKind, CaseStatus, CheckReport, Ended, text};
use crate::finding::Finding;

/// Most reasons that one answer gives.
const SHOWN: usize = 20;

/// Answers for a gate: what passed on the base still passes and still runs, the finding's own failure is gone, and
/// nothing new fails. What was red before and is not the finding's does not matter, as long as it still runs.
pub fn relative(gate: &str, base: &CheckReport, attempt: &CheckReport, finding: &Finding) -> GateResult {
    let mut judged = Judgement::default();
    if !matches!(attempt.ended, Ended::Exited(_)) {
        judged.fail(format!("the check did not end by itself: {}", words(attempt.ended)));
    }
    if base.cases.is_empty() && attempt.cases.is_empty() && attempt.ended.well() {
        judged.person("absent: no test ran, neither on the base nor with this change".to_owned());
    }
    let little_ran = unbuilt(base, attempt, &mut judged);
    own(gate, base, attempt, finding, &mut judged);
    still(base, attempt, finding, little_ran, &mut judged);
    fresh(base, attempt, &mut judged);
    unsure(base, attempt, &mut judged);
    judged.answer(gate, summary(base, attempt))
}

/// The tests that only the attempt has.
pub fn new_tests(base: &CheckReport, attempt: &CheckReport) -> BTreeSet<CaseId> {
    let added = |c: &&Case| c.kind == CaseKind::Test && base.case(&c.id).is_none();
    attempt.cases.iter().filter(added).map(|c| c.id.clone()).collect()
}

/// Judges the tests that an attempt added for a fault, by how they ended on the base commit; none where nothing is to
/// be judged.
pub fn judge_new_tests(
    finding: &Finding,
    new: &BTreeSet<CaseId>,
    on_base: Option<&CheckReport>,
) -> Option<(Level, String)> {
    if !finding.fault || new.is_empty() {
        return None;
    }
    let untried = |why: &str| {
        let reason = format!("new tests could not be tried on the base ({why}): {}", named(new));
        Some((Level::NeedsPerson, reason))
    };
    let Some(on_base) = on_base else {
        return untried("not run");
    };
    let ended = |status| -> BTreeSet<CaseId> {
        let of = |id: &&CaseId| on_base.case(id).is_some_and(|c| c.status == status);
        new.iter().filter(of).cloned().collect()
    };
    let (passing, failing) = (ended(CaseStatus::Passed), ended(CaseStatus::Failed));
    if !passing.is_empty() {
        let reason = format!("new tests pass on the base too, so they don't show the fault: {}", named(&passing));
        return Some((Level::NeedsPerson, reason));
    }
    if failing.len() < new.len() {
        return untried("it does not build with them, or they did not run");
    }
    Some((Level::Pass, format!("new tests fail on the base and pass now: {}", named(new))))
}

#[derive(Default)]
struct Judgement {
    failures: Vec<String>,
    doubts: Vec<String>,
}

impl Judgement {
    fn fail(&mut self, reason: String) {
        self.failures.push(text::line(&reason));
    }

    fn person(&mut self, reason: String) {
        self.doubts.push(text::line(&reason));
    }

    fn answer(mut self, gate: &str, summary: String) -> GateResult {
        let level = match (self.failures.is_empty(), self.doubts.is_empty()) {
            (false, _) => Level::Fail,
            (true, false) => Level::NeedsPerson,
            (true, true) => Level::Pass,
        };
        self.failures.append(&mut self.doubts);
        let reasons = capped(self.failures);
        GateResult { gate: gate.to_owned(), level, summary, reasons, evidence: None }
    }
}

/// Keeps the first reasons and counts the rest.
pub(crate) fn capped(mut reasons: Vec<String>) -> Vec<String> {
    if reasons.len() > SHOWN {
        let more = reasons.len() - SHOWN;
        reasons.truncate(SHOWN);
        reasons.push(format!("and {more} more"));
    }
    reasons
}

/// Says what does not build; true if a failure that is told explains why cases are missing. A build fault that the base has
/// too explains nothing: what ran beside it there must run now.
fn unbuilt(base: &CheckReport, attempt: &CheckReport, judged: &mut Judgement) -> bool {
    let broken = failed(attempt, CaseKind::Build);
    let known = base.failing();
    let mut explained = false;
    for case in &broken {
        if known.contains(&case.id) {
            judged.person(format!("does not build, as before, so little could be checked: {}", told(case)));
        } else {
            judged.fail(format!("does not build: {}", told(case)));
            explained = true;
        }
    }
    if broken.is_empty() && base.tests_run() > 0 && attempt.tests_run() == 0 {
        judged.fail(format!("no test ran; the base ran {}", base.tests_run()));
        return true;
    }
    explained
}

/// The finding's own cases: gone, and for tests: because they run and pass.
fn own(gate: &str, base: &CheckReport, attempt: &CheckReport, finding: &Finding, judged: &mut Judgement) {
    if finding.gate.as_deref() != Some(gate) {
        return;
    }
    for id in &finding.failing {
        let test = base.case(id).map_or_else(|| !id.0.contains(" @ "), |c| c.kind == CaseKind::Test);
        match attempt.case(id).map(|c| (c.status, c)) {
            Some((CaseStatus::Failed, case)) => judged.fail(format!("still fails: {}", told(case))),
            Some((CaseStatus::Skipped, _)) => {
                judged.fail(format!("the finding's test is skipped, which is no fix: {id}"));
            }
            None if test && !revived(base, attempt, id) => {
                judged.fail(format!("the finding's test no longer runs, which is no fix: {id}"));
            }
            Some((CaseStatus::Passed, _)) | None => {}
        }
    }
}

/// Tells whether a case was a whole suite's crash whose tests run now: they speak for it. A test is never spoken for, even
/// by a suite that bears its name.
pub(super) fn revived(base: &CheckReport, attempt: &CheckReport, id: &CaseId) -> bool {
    base.case(id).is_some_and(|c| c.id.0 == c.group)
        && attempt.cases.iter().any(|c| c.group == id.0 && c.status != CaseStatus::Skipped)
}

/// What passed must still pass, and what the base has must still be there; where `little_ran`, what is missing is told already.
fn still(base: &CheckReport, attempt: &CheckReport, finding: &Finding, little_ran: bool, judged: &mut Judgement) {
    for case in &base.cases {
        let now = attempt.case(&case.id);
        let (test, status) = (case.kind == CaseKind::Test, now.map(|c| c.status));
        match (case.status, status) {
            (CaseStatus::Passed, Some(CaseStatus::Failed)) => {
                judged.fail(format!("passed on the base and fails now: {}", told(now.unwrap_or(case))));
            }
            (CaseStatus::Passed, Some(CaseStatus::Skipped)) => {
                judged.fail(format!("passed on the base and is skipped now: {}", case.id));
            }
            (_, None) if little_ran => {}
            (CaseStatus::Passed, None) => {
                judged.fail(format!("passed on the base and no longer runs: {}", case.id));
            }
            // Hiding a red test is no honest work either; the finding's own are judged by `own`.
            (CaseStatus::Failed, None | Some(CaseStatus::Skipped))
                if test && !finding.failing.contains(&case.id) && !revived(base, attempt, &case.id) =>
            {
                judged.fail(format!("failed on the base and no longer runs: {}", case.id));
            }
            _ => {}
        }
    }
}

/// What fails now and did not fail on the base.
fn fresh(base: &CheckReport, attempt: &CheckReport, judged: &mut Judgement) {
    let unbuilt = !failed(base, CaseKind::Build).is_empty() || !matches!(base.ended, Ended::Exited(_));
    let crashed = |suite: &str| {
        let whole = CaseId(suite.to_owned());
        base.case(&whole).is_some_and(|c| c.status == CaseStatus::Failed)
    };
    for case in attempt.cases.iter().filter(|c| c.status == CaseStatus::Failed) {
        if case.kind == CaseKind::Build {
            continue;
        }
        match base.case(&case.id).map(|c| c.status) {
            None if unbuilt || (case.id.0 != case.group && crashed(&case.group)) => judged.person(format!(
                "fails; unknown whether it did before, because the base did not get that far: {}",
                told(case)
            )),
            None => judged.fail(format!("fails and is not on the base: {}", told(case))),
            Some(CaseStatus::Skipped) => {
                judged.fail(format!("was skipped on the base and fails now: {}", told(case)));
            }
            Some(CaseStatus::Passed | CaseStatus::Failed) => {}
        }
    }
}

/// Results that contradicted each other on the base already prove nothing now either.
fn unsure(base: &CheckReport, attempt: &CheckReport, judged: &mut Judgement) {
    let known = base.failing();
    for case in attempt.cases.iter().filter(|c| c.group == CONTRADICTION && known.contains(&c.id)) {
        judged.person(format!("as on the base, its results can't be believed: {}", told(case)));
    }
}

fn failed(report: &CheckReport, kind: CaseKind) -> Vec<&Case> {
    let of = |c: &&Case| c.kind == kind && c.status == CaseStatus::Failed;
    report.cases.iter().filter(of).collect()
}

fn told(case: &Case) -> String {
    let cause = case.cause.as_ref().map_or(String::new(), |c| format!(": {c}"));
    format!("{}{cause}", case.id)
}

fn named(ids: &BTreeSet<CaseId>) -> String {
    let first: Vec<&str> = ids.iter().take(5).map(|id| id.0.as_str()).collect();
    let more = ids.len().saturating_sub(5);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

fn words(ended: Ended) -> String {
    match ended {
        Ended::Exited(code) => format!("exit code {code}"),
        Ended::Signalled(signal) => format!("killed by signal {signal}"),
        Ended::TimedOut => "it ran longer than it may".to_owned(),
        Ended::Silent => "it was silent for longer than it may".to_owned(),
        Ended::Flooded => "it wrote more than it may".to_owned(),
        Ended::Halted => "halted".to_owned(),
    }
}

fn summary(base: &CheckReport, attempt: &CheckReport) -> String {
    let count = |report: &CheckReport| {
        let of = |status| report.cases.iter().filter(|c| c.status == status).count();
        (of(CaseStatus::Passed), of(CaseStatus::Failed))
    };
    let ((base_passed, base_failed), (passed, failed)) = (count(base), count(attempt));
    format!("{passed} passed, {failed} failed (base: {base_passed} passed, {base_failed} failed)")
}

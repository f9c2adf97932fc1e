//! Verify: the gates in a fresh checkout of the attempt, then the checker in its own box. No model can talk a gate over.
//!
//! No gate sees what the attempt's code did while another ran: see [`Checkout`].

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use git2::Oid;
use loopwright_core::check::{CaseId, CheckReport, Ended};
use loopwright_core::diff::{
    ChangeKind, DiffFacts, DiffLimits, FileChange, Source, is_test, judge_inline_tests, judge_programs, reasonable,
};
use loopwright_core::finding::Finding;
use loopwright_core::gate::{self, Expression, GateResult, Level};
use loopwright_core::independence::{self, Identity, Independence};
use loopwright_core::money::Micros;
use loopwright_core::run::{Item, Outcome, Revise, Revision, Run, Stage};
use loopwright_core::triage::plain;
use loopwright_core::verdict::{AgentResult, CheckerVerdict, Verdict};
use uuid::Uuid;

use super::checkout::Checkout;
use super::{Work, build, revise};
use crate::agent::prompt::{self, Prompt};
use crate::agent::{Agent, Order, Role};
use crate::checks::DetectedCheck as Check;
use crate::resolve::{DIFF_REASONABLE, environment};
use crate::workspace::{Origin, Workspace};

/// The attempt that is judged.
struct Judged<'a> {
    finding: Finding,
    item: &'a Item,
    attempt: Uuid,
    commit: Oid,
    diff: DiffFacts,
}

/// Judges the last attempt on a finding.
///
/// # Errors
/// A checkout or the sandbox can't be had, or HALT came. What gates and checker say is data.
pub fn verify(
    work: &Work,
    run: &Run,
    finding: &loopwright_core::finding::Fingerprint,
    reserve: Micros,
) -> Result<Outcome> {
    let item = run.item(finding).context("the finding is not in this run")?;
    let Stage::Built { attempt, commit } = item.stage.resting() else {
        anyhow::bail!("no attempt waits for its verdict")
    };
    let commit = Oid::from_str(commit).context("the attempt's commit")?;
    let judged = Judged {
        finding: work.known(finding)?.finding,
        item,
        attempt: *attempt,
        commit,
        diff: work.code()?.repos.diff(work.code()?.base.commit, commit)?,
    };
    let (gates, reports) = gates(work, &judged)?;
    let level = expression(work)?.level(&gates);
    let mut verdict = Verdict {
        verified: level >= Level::NeedsPerson,
        level,
        reasons: reasons(&gates),
        failing: reports.iter().flat_map(CheckReport::failing).collect(),
        cleared: Some(gate::cleared(&failures(item), &work.base_reports, &reports)),
        gates,
        checker: None,
        checked_by: None,
        not_independent: None,
    };
    let charged = if verdict.verified { check(work, &judged, &mut verdict, reserve)? } else { Micros::ZERO };
    if let Some(revision @ Revision { why: Revise::Moved, .. }) = &run.start.revises {
        revise::keep_the_checkers_word(work, revision, commit, &mut verdict)?;
    }
    Ok(Outcome::Verified { charged, verdict: Box::new(verdict) })
}

/// All that failed on the base or in a round before this one.
fn failures(item: &Item) -> BTreeSet<CaseId> {
    let rounds = item.rounds.iter().filter_map(|round| round.failing.as_ref());
    rounds.chain([&item.queued.base_failing]).flatten().cloned().collect()
}

/// Why gates are not content, for the maker and the person.
fn reasons(gates: &[GateResult]) -> Vec<String> {
    let failed = gates.iter().filter(|g| g.level == Level::Fail);
    failed.flat_map(|g| g.reasons.iter().map(move |r| format!("{}: {r}", g.gate))).collect()
}

fn gates(work: &Work, judged: &Judged<'_>) -> Result<(Vec<GateResult>, Vec<CheckReport>)> {
    let name = format!("verify-{}", judged.attempt.simple());
    let workspaces = work.workspaces()?;
    let base = work.code()?.base.commit;
    let trusted = [judged.diff.check_configuration(), programs(work, judged)?].concat();
    let checkout = workspaces.checkout_for_gates(&name, judged.commit, base, &trusted)?;
    let names = expression(work)?.gates();
    let checks = work.code()?.checks.iter().filter(|c| names.contains(&c.name)).count();
    let mut checkout = Checkout::new(work, checkout, Origin::Results, checks)?;
    let answered = answer_all(work, judged, &names, &mut checkout);
    checkout.discard()?;
    answered
}

fn answer_all(
    work: &Work,
    judged: &Judged<'_>,
    names: &[String],
    checkout: &mut Checkout<'_>,
) -> Result<(Vec<GateResult>, Vec<CheckReport>)> {
    let (mut results, mut reports) = (Vec::new(), Vec::new());
    for name in names {
        if name == DIFF_REASONABLE {
            results.push(diff_reasonable(work, judged)?);
            continue;
        }
        let Some(check) = work.code()?.checks.iter().find(|c| c.name == *name) else {
            results.push(absent(name));
            continue;
        };
        let (result, report) = answer(work, judged, check, checkout)?;
        results.push(result);
        reports.push(report);
    }
    Ok((results, reports))
}

fn diff_reasonable(work: &Work, judged: &Judged<'_>) -> Result<GateResult> {
    let rust = |f: &&FileChange| f.kind == ChangeKind::Modified && !f.binary && f.path.ends_with(".rs");
    let text = |commit, path: &str| -> Result<String> {
        let bytes = work.code()?.repos.file(commit, path)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut answer = reasonable(&judged.diff, &DiffLimits::default());
    let mut texts = Vec::new();
    for FileChange { path, .. } in judged.diff.files.iter().filter(rust) {
        match (text(work.code()?.base.commit, path), text(judged.commit, path)) {
            (Ok(before), Ok(after)) => texts.push((path, before, after)),
            _ => {
                answer.level = answer.level.min(Level::NeedsPerson);
                answer.reasons.push(format!("{} is too large to look for tests in it", plain(path, 120)));
            }
        }
    }
    let sources: Vec<Source<'_>> = texts.iter().map(|(path, before, after)| Source { path, before, after }).collect();
    let answer = judge_inline_tests(answer, &judged.diff, &sources);
    Ok(judge_programs(answer, &programs(work, judged)?))
}

/// The files of the change that the commands of checks name.
fn programs<'j>(work: &Work, judged: &'j Judged<'_>) -> Result<Vec<&'j str>> {
    Ok(judged.diff.named_in(work.code()?.checks.iter().flat_map(|check| &check.commands)))
}

fn expression(work: &Work) -> Result<&Expression> {
    let definition = work.resolved.definition.work.as_ref().context("a loop that only reports")?;
    Ok(&definition.verify.check)
}

fn absent(name: &str) -> GateResult {
    GateResult {
        gate: name.to_owned(),
        level: Level::NeedsPerson,
        summary: "absent".to_owned(),
        reasons: vec!["absent: no command is known for it in this repository".to_owned()],
        evidence: None,
    }
}

fn answer(
    work: &Work,
    judged: &Judged<'_>,
    check: &Check,
    checkout: &mut Checkout<'_>,
) -> Result<(GateResult, CheckReport)> {
    let base = work.base_reports.iter().find(|r| r.check == check.name).context("the check never ran on the base")?;
    let (report, output) = checkout.run(check)?;
    let mut result = gate::relative(&check.name, base, &report, &judged.finding);
    let new = gate::new_tests(base, &report);
    let on_base = new_tests_on_base(work, judged, check, !new.is_empty())?;
    if let Some((level, reason)) = gate::judge_new_tests(&judged.finding, &new, on_base.as_ref()) {
        result.level = result.level.min(level);
        result.reasons.push(reason);
    }
    result.evidence = Some(work.keep_evidence(&output)?);
    Ok((result, report))
}

/// Where the finding is a fault and the attempt adds tests: these tests on the base, to see that they fail there.
fn new_tests_on_base(work: &Work, judged: &Judged<'_>, check: &Check, any: bool) -> Result<Option<CheckReport>> {
    if !any || !judged.finding.fault {
        return Ok(None);
    }
    let tests: Vec<&str> = judged.diff.files.iter().map(|f| f.path.as_str()).filter(|p| is_test(p)).collect();
    if tests.is_empty() {
        return Ok(None);
    }
    let name = format!("newtests-{}", judged.attempt.simple());
    let workspaces = work.workspaces()?;
    // The base with nothing but the attempt's test files.
    let checkout = workspaces.checkout_for_gates(&name, work.code()?.base.commit, judged.commit, &tests)?;
    let mut checkout = Checkout::new(work, checkout, Origin::Results, 1)?;
    let ran = checkout.run(check);
    checkout.discard()?;
    ran.map(|(report, _)| Some(report))
}

/// Asks the checker, if there is one; what it costs is charged whatever it says.
fn check(work: &Work, judged: &Judged<'_>, verdict: &mut Verdict, reserve: Micros) -> Result<Micros> {
    let Some(checker) = &work.checker else { return Ok(Micros::ZERO) };
    let name = format!("checker-{}", judged.attempt.simple());
    let workspaces = work.workspaces()?;
    let checkout = workspaces.create(&name, judged.commit, Origin::Results)?;
    let asked = checker.run(&order(work, judged, verdict, &checkout)?, &work.sandbox);
    workspaces.discard(checkout)?;
    let report = asked?;
    anyhow::ensure!(report.ended != Ended::Halted, "halted while the checker worked");
    verdict.checked_by = Some(checker.facts().name);
    let not_same = independent(work, judged, &report.result, verdict);
    match report.result.verdict.clone().filter(|_| report.ended.well()) {
        Some(answer) if not_same => accept(verdict, answer),
        Some(_) => verdict.verified = false,
        None => {
            verdict.verified = false;
            verdict
                .reasons
                .push(format!("the checker gave no valid verdict (it {}); that is a rejection", report.ended));
        }
    }
    Ok(build::charge(&report.result, reserve))
}

/// Whether the checker's answer counts at all, by what both agents are and report to be.
fn independent(work: &Work, judged: &Judged<'_>, checked: &AgentResult, verdict: &mut Verdict) -> bool {
    let identity = |agent: &dyn Agent, reported: &Option<String>| {
        let facts = agent.facts();
        Identity { configured: facts.model, reported: reported.clone(), vendor: facts.vendor }
    };
    let Some(checker) = &work.checker else { return true };
    let reported = checked.model.as_deref().map(|m| plain(m, 100));
    let maker = identity(work.maker.as_ref(), &judged.item.model);
    match independence::judge(&maker, &identity(checker.as_ref(), &reported)) {
        Independence::Full => true,
        Independence::Marked(why) => {
            verdict.not_independent = Some(why);
            true
        }
        Independence::None(why) => {
            verdict.reasons.push(format!("{why}; its verdict does not count"));
            verdict.not_independent = Some(why);
            false
        }
    }
}

fn accept(verdict: &mut Verdict, answer: CheckerVerdict) {
    if !answer.accepted {
        verdict.verified = false;
        verdict.reasons.extend(answer.reasons.iter().map(|r| format!("checker: {}", plain(r, 300))));
        let faults = answer.faults.iter();
        verdict.reasons.extend(faults.map(|f| {
            format!("checker: {} in {}: {}", plain(&f.rule, 80), plain(&f.file, 120), plain(&f.message, 200))
        }));
    }
    verdict.checker = Some(answer);
}

fn order(work: &Work, judged: &Judged<'_>, verdict: &Verdict, checkout: &Workspace) -> Result<Order> {
    let diff = work.code()?.repos.diff_text(work.code()?.base.commit, judged.commit)?;
    let gates: String = verdict.gates.iter().map(|g| format!("{}: {:?}: {}\n", g.gate, g.level, g.summary)).collect();
    let iteration = u32::try_from(judged.item.rounds.len()).unwrap_or(u32::MAX);
    Ok(Order {
        role: Role::Checker,
        prompt: prompt::build(&Prompt {
            role: Role::Checker,
            finding: &judged.finding,
            iteration,
            reasons: &[],
            person: None,
            attachments: &[("The change", &String::from_utf8_lossy(&diff)), ("What the gates said", &gates)],
        }),
        finding: judged.finding.clone(),
        workspace: checkout.path.clone(),
        iteration,
        reasons: Vec::new(),
        env: environment(&work.resolved.definition),
        mounts: work.prepared.clone(),
        raw: work.raw(&format!("checker-{}", judged.attempt)),
    })
}

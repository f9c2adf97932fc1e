//! TAP, the Test Anything Protocol, versions 12 to 14: `ok 1 - name`, `not ok 2 - name # TODO`.

use std::collections::BTreeMap;

use super::read::{Streams, fault};
use super::{Case, CaseKind, CaseStatus, text};

/// Tells TAP from other output: a version line, or a plan with a result.
pub(crate) fn looks_like(out: &str) -> bool {
    let mut lines = out.lines();
    lines.clone().any(|l| l.starts_with("TAP version "))
        || (lines.clone().any(|l| plan(l).is_some()) && lines.any(|l| result(l).is_some()))
}

/// Reads the results of the top level; sub-tests are summed up in their parent's line.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for line in streams.out.lines() {
        if let Some((ok, said)) = result(line) {
            cases.push(case(streams.check, ok, said, &mut seen));
        }
    }
    let planned = streams.out.lines().find_map(plan);
    match planned {
        Some(n) if n != cases.len() => {
            let told = format!("{n} results were planned, {} came", cases.len());
            cases.push(fault(CaseKind::Command, &format!("{}: plan not kept", streams.check), "plan", Some(told)));
        }
        _ => {}
    }
    if let Some(why) = streams.out.lines().find_map(|l| l.strip_prefix("Bail out!")) {
        cases.push(fault(CaseKind::Command, &format!("{}: bailed out", streams.check), "plan", Some(text::line(why))));
    }
    cases
}

/// Reads `1..12`.
fn plan(line: &str) -> Option<usize> {
    let count = line.strip_prefix("1..")?;
    count.split_whitespace().next()?.parse().ok()
}

fn result(line: &str) -> Option<(bool, &str)> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    (rest.is_empty() || rest.starts_with(' ')).then_some((ok, rest))
}

fn case(check: &str, ok: bool, said: &str, seen: &mut BTreeMap<String, usize>) -> Case {
    let said = said.trim();
    let digits = said.len() - said.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let said = said[digits..].trim_start().trim_start_matches("- ");
    let (name, directive) = said.split_once(" # ").unwrap_or((said, ""));
    let directive = directive.to_ascii_lowercase();
    let name = if name.trim().is_empty() { "unnamed" } else { name.trim() };
    // Equal names are told apart by their order, never by their number: a new test in front must not rename the rest.
    let times = seen.entry(name.to_owned()).or_default();
    *times += 1;
    let id = if *times == 1 { format!("{check}::{name}") } else { format!("{check}::{name} #{times}") };
    let status = match (ok, directive.as_str()) {
        (_, d) if d.starts_with("skip") || d.starts_with("todo") => CaseStatus::Skipped,
        (true, _) => CaseStatus::Passed,
        (false, _) => CaseStatus::Failed,
    };
    let cause = (status == CaseStatus::Failed).then(|| text::line(&format!("not ok: {name}")));
    Case { status, ..fault(CaseKind::Test, &id, check, cause) }
}

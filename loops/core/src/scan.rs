//! From failing checks to findings: what belongs together, and what to call it.
//!
//! Which findings are known already is *not* decided here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::check::{Case, CaseId, CaseKind, CaseStatus, CheckReport, text};
use crate::finding::{Finding, FindingSource, Fingerprint};

/// A failed case and its check's name.
type Failed<'a> = (&'a str, &'a Case);

/// What cases must share to be one finding: kind, name, and for tests the cause.
type Shared = (CaseKind, String, String);

/// Most cases whose causes and places a finding spells out.
const SHOWN: usize = 20;

/// Groups the failing cases of all checks into findings, sorted by key.
///
/// Lints are grouped by rule, unformatted files into one, tests by suite and first cause line, build faults and commands
/// one per check.
pub fn findings(reports: &[CheckReport]) -> Vec<Finding> {
    let mut groups: BTreeMap<Shared, Vec<Failed<'_>>> = BTreeMap::new();
    let mut unbuilt: BTreeSet<&CaseId> = BTreeSet::new();
    for report in reports {
        for case in report.cases.iter().filter(|c| c.status == CaseStatus::Failed) {
            // What does not build fails in every check that builds it; the first one tells it.
            if case.kind == CaseKind::Build && !unbuilt.insert(&case.id) {
                continue;
            }
            let (name, apart) = group(report, case);
            groups.entry((case.kind, name, apart)).or_default().push((&report.check, case));
        }
    }
    let mut found: BTreeMap<Fingerprint, Finding> = BTreeMap::new();
    for ((kind, name, _), cases) in groups {
        let one = finding(kind, &name, &cases);
        found.entry(one.fingerprint.clone()).or_insert(one);
    }
    let mut all: Vec<Finding> = found.into_values().collect();
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

/// What cases must share to be one finding.
fn group(report: &CheckReport, case: &Case) -> (String, String) {
    match case.kind {
        CaseKind::Lint => (case.group.clone(), String::new()),
        CaseKind::Format => ("format".to_owned(), String::new()),
        // Without a cause nothing says that two tests fail for the same reason.
        CaseKind::Test => {
            let apart = case.cause.clone().unwrap_or_else(|| case.id.0.clone());
            (format!("{}\n{}", report.check, case.group), apart)
        }
        CaseKind::Build | CaseKind::Command => (report.check.clone(), String::new()),
    }
}

fn finding(kind: CaseKind, group: &str, cases: &[Failed<'_>]) -> Finding {
    let check = cases.first().map_or("", |(check, _)| check);
    let failing: BTreeSet<CaseId> = cases.iter().map(|(_, c)| c.id.clone()).collect();
    let first = failing.first().map_or(String::new(), |id| id.0.clone());
    let key = match kind {
        CaseKind::Lint | CaseKind::Format => group.to_owned(),
        CaseKind::Test => first.clone(),
        CaseKind::Build => format!("{check}: build"),
        CaseKind::Command => format!("{check}: command"),
    };
    let mut places: Vec<_> = cases.iter().filter_map(|(_, c)| c.place.clone()).collect();
    places.sort();
    places.dedup();
    places.truncate(SHOWN);
    Finding {
        fingerprint: Fingerprint::of(FindingSource::Check, &key),
        source: FindingSource::Check,
        title: title(kind, group, cases, &first),
        detail: detail(cases),
        should: should(kind, group, check, failing.len()),
        gate: Some(check.to_owned()),
        fault: matches!(kind, CaseKind::Test | CaseKind::Build | CaseKind::Command),
        suspects: Vec::new(),
        key,
        failing,
        places,
    }
}

fn title(kind: CaseKind, group: &str, cases: &[Failed<'_>], first: &str) -> String {
    let count = cases.len();
    let title = match kind {
        CaseKind::Test => format!("Test fails: {}{}", short(first), more(count)),
        CaseKind::Lint => format!("Lint: {group} in {}", counted(count, "file")),
        CaseKind::Format => format!("Formatting: {}", counted(count, "file")),
        CaseKind::Build => {
            let file = first.strip_prefix("build @ ").unwrap_or(first);
            format!("Does not build: {file}{}", more(count))
        }
        CaseKind::Command => {
            let cause = cases.first().and_then(|(_, c)| c.cause.as_deref());
            match cause {
                Some(cause) => format!("Check fails: {first}: {cause}"),
                None => format!("Check fails: {first}"),
            }
        }
    };
    text::bounded(&title, 120)
}

/// The last part of a test's id, which is what people call it.
fn short(id: &str) -> &str {
    match id.split_once("::doc::") {
        Some((_, doc)) => doc,
        None => id.rsplit("::").next().unwrap_or(id),
    }
}

fn more(count: usize) -> String {
    if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn should(kind: CaseKind, group: &str, check: &str, count: usize) -> String {
    match kind {
        CaseKind::Test if count == 1 => "the test runs and passes; no other test fails".to_owned(),
        CaseKind::Test => format!("all {count} tests run and pass; no other test fails"),
        CaseKind::Lint => format!("{check} no longer reports {group}; nothing new is reported"),
        CaseKind::Format => "every file is formatted as the project's configuration says".to_owned(),
        CaseKind::Build => format!("{check} builds, and its tests run"),
        CaseKind::Command => format!("{check} ends with exit code 0"),
    }
}

fn detail(cases: &[Failed<'_>]) -> String {
    let mut out = String::new();
    for (_, case) in cases.iter().take(SHOWN) {
        let place = case.place.as_ref().map_or(String::new(), |p| match p.line {
            Some(line) => format!(" ({}:{line})", p.path),
            None => format!(" ({})", p.path),
        });
        let cause = case.cause.as_ref().map_or(String::new(), |c| format!(": {c}"));
        // Writing to a string can't fail.
        let _ = writeln!(out, "{}{place}{cause}", case.id);
    }
    if cases.len() > SHOWN {
        let _ = writeln!(out, "and {} more", cases.len() - SHOWN);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{Ended, Place};

    fn case(kind: CaseKind, id: &str, group: &str, cause: &str) -> Case {
        let path = id.split_once(" @ ").map_or("src/a.rs", |(_, p)| p).to_owned();
        Case {
            id: CaseId(id.into()),
            kind,
            status: CaseStatus::Failed,
            group: group.into(),
            cause: (!cause.is_empty()).then(|| cause.into()),
            place: Some(Place { path, line: Some(3) }),
        }
    }

    fn report(check: &str, cases: Vec<Case>) -> CheckReport {
        CheckReport { check: check.into(), ended: Ended::Exited(1), cases, tail: String::new() }
    }

    fn reports() -> Vec<CheckReport> {
        let rule = "clippy::needless_return";
        vec![
            report(
                "tests_pass",
                vec![
                    case(CaseKind::Test, "day::tests::parses_basic_day", "day", "not a day"),
                    case(CaseKind::Test, "day::tests::parses_iso_day", "day", "not a day"),
                    case(CaseKind::Test, "day::tests::other", "day", "no month"),
                    case(CaseKind::Test, "day::tests::silent_a", "day", ""),
                    case(CaseKind::Test, "day::tests::silent_b", "day", ""),
                    case(CaseKind::Test, "week::tests::first", "week", "not a day"),
                    Case { status: CaseStatus::Passed, ..case(CaseKind::Test, "day::tests::fine", "day", "") },
                ],
            ),
            report(
                "lint_clean",
                vec![
                    case(CaseKind::Lint, "clippy::needless_return @ src/a.rs", rule, "unneeded"),
                    case(CaseKind::Lint, "clippy::needless_return @ src/b.rs", rule, "unneeded"),
                    case(CaseKind::Format, "format @ src/a.rs", "format", ""),
                    case(CaseKind::Format, "format @ src/b.rs", "format", ""),
                    case(CaseKind::Build, "build @ tests/x.rs", "build", "mismatched types"),
                    case(CaseKind::Command, "lint_clean: timed out", "lint_clean", ""),
                ],
            ),
        ]
    }

    #[test]
    fn groups_have_keys_titles_and_goals() {
        let shown: Vec<String> = findings(&reports())
            .iter()
            .map(|f| format!("{} | {} | {} | {} | {}", f.key, f.title, f.should, f.fault, f.failing.len()))
            .collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn neither_messages_nor_lines_change_the_fingerprint() {
        let before = findings(&reports());
        let mut moved = reports();
        for case in moved.iter_mut().flat_map(|r| &mut r.cases) {
            case.place = Some(Place { path: "elsewhere.rs".into(), line: None });
            case.cause = case.cause.take().map(|c| format!("{c}, reworded"));
        }
        let prints = |f: &[Finding]| f.iter().map(|f| f.fingerprint.clone()).collect::<Vec<_>>();
        assert_eq!(prints(&before), prints(&findings(&moved)));
    }

    #[test]
    fn details_are_bounded() {
        let many = (0..50).map(|n| case(CaseKind::Lint, &format!("r @ f{n:02}.rs"), "r", "c")).collect();
        let found = findings(&[report("lint_clean", many)]);
        assert_eq!((found.len(), found[0].places.len(), found[0].failing.len()), (1, SHOWN, 50));
        assert_eq!(found[0].detail.lines().count(), SHOWN + 1);
    }
}

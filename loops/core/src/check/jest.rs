//! `jest --json` and `vitest run --reporter=json`, which write the same report: one JSON object on a line of its own.
//!
//! What a test prints stands on the same stream, so there is one report or none is believed, and it agrees with its counts.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::read::{Streams, at_file, contradicts, fault};
use super::{Case, CaseKind, CaseStatus, Place, cause, text};

/// The report; what is not read is not declared.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    num_total_tests: usize,
    num_passed_tests: usize,
    num_failed_tests: usize,
    success: bool,
    test_results: Vec<Suite>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Suite {
    name: String,
    status: String,
    #[serde(default)]
    message: String,
    assertion_results: Vec<Assertion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assertion {
    #[serde(default)]
    ancestor_titles: Vec<String>,
    title: String,
    status: String,
    #[serde(default)]
    failure_messages: Option<Vec<String>>,
}

/// Tells such a report from other output.
pub(crate) fn looks_like(out: &str) -> bool {
    reports(out).next().is_some()
}

fn reports(out: &str) -> impl Iterator<Item = Report> {
    let like = |l: &&str| l.starts_with("{\"num") && l.contains("\"testResults\"");
    out.lines().filter(like).filter_map(|l| serde_json::from_str(l).ok())
}

/// Reads every test, and the files that could not be run.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let all: Vec<Report> = reports(streams.out).collect();
    let [report] = &all[..] else {
        return vec![contradicts(streams.check, &format!("{} reports in one output", all.len()))];
    };
    let mut cases: Vec<Case> = report.test_results.iter().flat_map(suite).collect();
    if let Some(why) = doubt(report) {
        cases.push(contradicts(streams.check, &why));
    }
    cases
}

/// Why a report can't be believed, if so.
fn doubt(report: &Report) -> Option<String> {
    let all = || report.test_results.iter().flat_map(|s| &s.assertion_results);
    let of = |wanted: &str| all().filter(|a| a.status == wanted).count();
    let (total, passed, failed) = (all().count(), of("passed"), of("failed"));
    let counted = (report.num_total_tests, report.num_passed_tests, report.num_failed_tests);
    if (total, passed, failed) != counted {
        return Some(format!(
            "{counted:?} tests in all, passed and failed were counted, ({total}, {passed}, {failed}) are listed"
        ));
    }
    let red = failed > 0 || report.test_results.iter().any(|s| s.status == "failed");
    (red && report.success).then(|| "it calls failing tests a success".to_owned())
}

fn suite(suite: &Suite) -> Vec<Case> {
    let file = text::path(&suite.name).unwrap_or_else(|| text::id(&suite.name));
    if suite.assertion_results.is_empty() && suite.status == "failed" {
        let why = suite.message.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('●'));
        let place = Place { path: file, line: None };
        return vec![at_file(CaseKind::Build, "build", place, why.map(text::line))];
    }
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    suite.assertion_results.iter().map(|test| self::test(&file, test, &mut seen)).collect()
}

fn test(file: &str, test: &Assertion, seen: &mut BTreeMap<String, usize>) -> Case {
    let titles: Vec<&str> = test.ancestor_titles.iter().map(String::as_str).chain([test.title.as_str()]).collect();
    let titles: Vec<&str> = titles.into_iter().filter(|t| !t.is_empty()).collect();
    let name = titles.join(" > ");
    let times = seen.entry(name.clone()).or_default();
    *times += 1;
    let id = if *times == 1 { format!("{file}::{name}") } else { format!("{file}::{name} #{times}") };
    let status = match test.status.as_str() {
        "passed" => CaseStatus::Passed,
        "failed" => CaseStatus::Failed,
        _ => CaseStatus::Skipped,
    };
    let said = test.failure_messages.iter().flatten().next().filter(|_| status == CaseStatus::Failed);
    let why = said.and_then(|s| cause::assertion(s.lines()));
    Case { status, place: said.and_then(|s| place(s)), ..fault(CaseKind::Test, &id, file, why) }
}

/// The first place below the tree in a stack that is not a dependency's.
fn place(said: &str) -> Option<Place> {
    let places = said.lines().filter_map(|l| l.trim().strip_prefix("at ")).filter(|l| !l.contains("node_modules"));
    places.filter_map(in_frame).next()
}

/// Reads `Object.toBe (/workspace/a.test.js:4:39)` and `file:///workspace/a.test.js:4:39`.
pub(super) fn in_frame(frame: &str) -> Option<Place> {
    let at = frame.rsplit_once('(').map_or(frame, |(_, at)| at).trim_end_matches(')');
    let at = at.strip_prefix("file://").unwrap_or(at);
    at.starts_with("/workspace/").then(|| cause::location_of(at))?
}

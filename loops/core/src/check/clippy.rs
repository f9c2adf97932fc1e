//! `cargo clippy`: JSON messages where there are any, else what it prints for people.

use serde::Deserialize;

use super::read::{Streams, at_file, fault, ran};
use super::{Case, CaseKind, Ended, Place, rustc, text};

/// A line of `--message-format=json`; what is not read is not declared.
#[derive(Deserialize)]
struct Line {
    reason: String,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    message: String,
    level: String,
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    is_primary: bool,
    suggestion_applicability: Option<String>,
}

#[derive(Deserialize)]
struct Child {
    #[serde(default)]
    spans: Vec<Span>,
}

/// What a lint's cause ends in when clippy can fix it by itself.
pub(crate) const FIXABLE: &str = " (machine-applicable)";

/// Reads lints and build faults.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let messages: Vec<Message> = streams
        .out
        .lines()
        .filter(|l| l.starts_with('{'))
        .filter_map(|l| serde_json::from_str::<Line>(l).ok())
        .filter(|l| l.reason == "compiler-message")
        .filter_map(|l| l.message)
        .collect();
    let mut cases: Vec<Case> = messages.iter().filter_map(message).collect();
    let mut explained = streams.ended.well() || messages.iter().any(|m| m.level == "error");
    if cases.is_empty() {
        (cases, explained) = printed(streams);
    }
    if !explained {
        cases.extend(unexplained(streams));
    }
    let done = explained && matches!(streams.ended, Ended::Exited(_));
    if done && !cases.iter().any(|c| c.kind == CaseKind::Build) {
        cases.push(ran("clippy"));
    }
    cases
}

/// What stands for a failed end beside lints that don't fail by themselves: a crash must not hide behind warnings.
fn unexplained(streams: &Streams<'_>) -> Vec<Case> {
    let mut faults = rustc::build_faults(streams.err.lines());
    if faults.is_empty() {
        faults.push(fault(CaseKind::Command, "clippy: did not end well", "clippy", None));
    }
    faults
}

fn message(m: &Message) -> Option<Case> {
    let span = m.spans.iter().find(|s| s.is_primary).or(m.spans.first())?;
    let place = Place { path: text::path(&span.file_name)?, line: Some(span.line_start) };
    let rule = m.code.as_ref().map(|c| c.code.as_str()).filter(|c| !is_error_code(c));
    match (rule, m.level.as_str()) {
        (Some(rule), _) => {
            let cause = format!("{}{}", text::bounded(&m.message, 270), if fixable(m) { FIXABLE } else { "" });
            Some(at_file(CaseKind::Lint, rule, place, Some(cause)))
        }
        (None, "error") => Some(at_file(CaseKind::Build, "build", place, Some(text::line(&m.message)))),
        (None, _) => Some(at_file(CaseKind::Lint, "warning", place, Some(text::line(&m.message)))),
    }
}

/// Tells `E0308` from a lint's name.
fn is_error_code(code: &str) -> bool {
    code.len() == 5 && code.starts_with('E') && code[1..].bytes().all(|b| b.is_ascii_digit())
}

fn fixable(m: &Message) -> bool {
    let machine = |s: &Span| s.suggestion_applicability.as_deref() == Some("MachineApplicable");
    m.spans.iter().chain(m.children.iter().flat_map(|c| &c.spans)).any(machine)
}

/// Reads what is printed for people, and tells whether it explains the end. Repeats of a lint name no rule, so it is
/// taken from an earlier one of the same message.
fn printed(streams: &Streams<'_>) -> (Vec<Case>, bool) {
    let lines = streams.err.lines().chain(streams.out.lines());
    let found = rustc::diagnostics(lines);
    let mut cases = Vec::new();
    let mut explained = streams.ended.well();
    for d in &found {
        let earlier = || found.iter().find(|o| o.message == d.message).and_then(|o| o.rule.clone());
        let Some(place) = d.place.clone() else {
            continue;
        };
        let (error, rule) = (d.level.starts_with("error"), d.rule.clone().or_else(earlier));
        let (kind, rule) = match rule {
            Some(rule) => (CaseKind::Lint, rule),
            None if error => (CaseKind::Build, "build".to_owned()),
            None => (CaseKind::Lint, "warning".to_owned()),
        };
        explained |= error;
        cases.push(at_file(kind, &rule, place, Some(d.message.clone())));
    }
    (cases, explained)
}

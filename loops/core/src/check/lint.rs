//! Linters and formatters that are neither Rust's nor Go's: eslint and ruff as JSON, prettier and `ruff format` as lists.

use serde::Deserialize;

use super::clippy::FIXABLE;
use super::read::{Streams, at_file, fault, ran};
use super::{Case, CaseKind, Ended, Place, text};

/// One file of `eslint --format json`; what is not read is not declared.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    file_path: String,
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    rule_id: Option<String>,
    message: String,
    line: Option<u32>,
    #[serde(default)]
    fatal: bool,
    fix: Option<serde::de::IgnoredAny>,
}

/// Tells eslint's JSON from other output.
pub(crate) fn looks_like_eslint(out: &str) -> bool {
    files(out).is_some()
}

fn files(out: &str) -> Option<Vec<File>> {
    out.lines().filter(|l| l.starts_with("[{\"filePath\"")).find_map(|l| serde_json::from_str(l).ok())
}

/// Reads eslint's rules by file, and files that can't be parsed.
pub(crate) fn eslint(streams: &Streams<'_>) -> Vec<Case> {
    let Some(files) = files(streams.out) else { return vec![unreadable("eslint", streams)] };
    let of = |file: File| {
        let path = text::path(&file.file_path);
        file.messages.into_iter().filter_map(move |m| message(path.clone()?, &m)).collect::<Vec<_>>()
    };
    finish("eslint", streams, files.into_iter().flat_map(of).collect())
}

fn message(path: String, m: &Message) -> Option<Case> {
    let place = Place { path, line: m.line };
    let fixable = if m.fix.is_some() { FIXABLE } else { "" };
    let cause = Some(format!("{}{fixable}", text::bounded(&m.message, 270)));
    match &m.rule_id {
        Some(rule) => Some(at_file(CaseKind::Lint, &format!("eslint::{rule}"), place, cause)),
        None if m.fatal => Some(at_file(CaseKind::Build, "build", place, cause)),
        // Such as `File ignored because of a matching ignore pattern`.
        None => None,
    }
}

/// One finding of `ruff check --output-format json`.
#[derive(Deserialize)]
struct Ruff {
    code: Option<String>,
    filename: String,
    message: String,
    location: Option<Location>,
    fix: Option<RuffFix>,
}

#[derive(Deserialize)]
struct Location {
    row: u32,
}

#[derive(Deserialize)]
struct RuffFix {
    applicability: String,
}

/// Reads ruff's rules by file, and files that can't be parsed.
pub(crate) fn ruff(streams: &Streams<'_>) -> Vec<Case> {
    match serde_json::from_str::<Vec<Ruff>>(streams.out.trim()) {
        Ok(found) => finish("ruff", streams, found.iter().filter_map(ruff_case).collect()),
        Err(_) => vec![unreadable("ruff", streams)],
    }
}

fn ruff_case(found: &Ruff) -> Option<Case> {
    let place = Place { path: text::path(&found.filename)?, line: found.location.as_ref().map(|l| l.row) };
    let safe = found.fix.as_ref().is_some_and(|f| f.applicability == "safe");
    let cause = Some(format!("{}{}", text::bounded(&found.message, 270), if safe { FIXABLE } else { "" }));
    match found.code.as_deref() {
        // Older versions give what can't be parsed no code at all.
        None | Some("invalid-syntax" | "E999" | "io-error" | "E902") => {
            Some(at_file(CaseKind::Build, "build", place, cause))
        }
        Some(code) => Some(at_file(CaseKind::Lint, &format!("ruff::{code}"), place, cause)),
    }
}

/// Reads `ruff format --check`: `Would reformat: a.py`, in newer versions `unformatted: …` above ` --> a.py:3:1`.
pub(crate) fn ruff_format(streams: &Streams<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut kind = None;
    for line in streams.out.lines().chain(streams.err.lines()) {
        if let Some(path) = line.strip_prefix("Would reformat: ").and_then(text::path) {
            cases.push(unformatted(path));
        } else if let Some(at) = line.trim_start().strip_prefix("--> ") {
            let place = super::cause::location_of(at);
            cases.extend(place.and_then(|place| match kind.take()? {
                CaseKind::Format => Some(unformatted(place.path)),
                kind => Some(at_file(kind, "build", place, Some("can't be parsed".to_owned()))),
            }));
        } else if line.starts_with("unformatted: ") {
            kind = Some(CaseKind::Format);
        } else if line.starts_with("invalid-syntax: ") {
            kind = Some(CaseKind::Build);
        } else if let Some((path, why)) = line.strip_prefix("error: Failed to parse ").and_then(|l| l.split_once(": "))
        {
            cases.extend(
                super::cause::location_of(path).map(|p| at_file(CaseKind::Build, "build", p, Some(text::line(why)))),
            );
        }
    }
    finish("ruff format", streams, cases)
}

/// Reads `prettier --check`: `[warn] a.js`, and `[error] a.js: SyntaxError: …`.
pub(crate) fn prettier(streams: &Streams<'_>) -> Vec<Case> {
    let lines = streams.err.lines().chain(streams.out.lines());
    finish("prettier", streams, lines.filter_map(prettier_line).collect())
}

fn prettier_line(line: &str) -> Option<Case> {
    if let Some((path, why)) = line.strip_prefix("[error] ").and_then(|l| l.split_once(": ")) {
        // Below it stand the lines of the file itself: `[error] > 1 | let = 3`.
        let place = Place { path: text::path(path).filter(|p| !p.contains('|'))?, line: None };
        return Some(at_file(CaseKind::Build, "build", place, Some(text::line(why))));
    }
    let path = line.strip_prefix("[warn] ")?;
    let sentence = path.starts_with("Code style issues ") || path.starts_with("Ignored ");
    (!sentence).then(|| text::path(path).map(unformatted))?
}

fn unformatted(path: String) -> Case {
    at_file(CaseKind::Format, "format", Place { path, line: None }, Some("is not formatted".to_owned()))
}

/// Adds that the tool ran to its end, where it did: with the codes that mean clean and findings, and findings for the latter.
fn finish(tool: &str, streams: &Streams<'_>, mut cases: Vec<Case>) -> Vec<Case> {
    let explained = match streams.ended {
        Ended::Exited(0) => true,
        Ended::Exited(1) => !cases.is_empty(),
        // A configuration that can't be read, a crash: what was listed is not all there is.
        _ => cases.iter().any(|c| c.kind == CaseKind::Build),
    };
    if !explained {
        cases.push(fault(CaseKind::Command, &format!("{tool}: did not end well"), tool, last_line(streams)));
    }
    if explained && !cases.iter().any(|c| c.kind == CaseKind::Build) {
        cases.push(ran(tool));
    }
    cases
}

/// What stands for a report that is missing, cut or something else.
fn unreadable(tool: &str, streams: &Streams<'_>) -> Case {
    fault(CaseKind::Command, &format!("{tool}: unreadable report"), tool, last_line(streams))
}

fn last_line(streams: &Streams<'_>) -> Option<String> {
    let said = if streams.err.trim().is_empty() { streams.out } else { streams.err };
    said.lines().map(str::trim).find(|l| !l.is_empty()).map(text::line)
}

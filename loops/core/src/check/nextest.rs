//! `cargo nextest run`: one status line per test, with what a failed one printed below it.
//!
//! What a failed test printed is indented by four and can look like a status line of ours, so the lines must agree with the
//! one `Summary` at the end. Below it nextest repeats what did not pass.

use std::collections::BTreeMap;

use super::read::{Streams, contradicts};
use super::{Case, CaseId, CaseKind, CaseStatus, cause, rustc, text};

/// Reads status lines and build faults.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let lines: Vec<&str> = streams.out.lines().chain(streams.err.lines()).collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| status(lines[*at]).is_some()).collect();
    let before = starts.first().copied().unwrap_or(lines.len());
    let mut cases = rustc::build_faults(lines[..before].iter().copied());
    for (n, &at) in starts.iter().enumerate() {
        let end = starts.get(n + 1).copied().unwrap_or(lines.len());
        cases.extend(case(lines[at], &lines[at + 1..end]));
    }
    if !starts.is_empty() {
        cases.extend(doubt(&lines).map(|why| contradicts("nextest", &why)));
    }
    cases
}

/// Why the lines can't be believed, if so.
fn doubt(lines: &[&str]) -> Option<String> {
    let summaries: Vec<usize> = (0..lines.len()).filter(|at| summary(lines[*at]).is_some()).collect();
    let [at] = summaries[..] else { return Some(format!("{} summaries", summaries.len())) };
    let mut last: BTreeMap<(&str, &str), (CaseStatus, bool)> = BTreeMap::new();
    for line in &lines[..at] {
        let Some(found) = status(line) else { continue };
        let before = last.insert((found.binary, found.test), (found.status, found.again));
        // Only what is tried again has several results.
        if before.is_some_and(|(_, again)| !again) {
            return Some(format!("{} {} has two results", found.binary, found.test));
        }
    }
    let repeats = |f: &Status<'_>| last.get(&(f.binary, f.test)).is_some_and(|(status, _)| *status == f.status);
    if let Some(odd) = lines[at..].iter().find(|l| status(l).is_some_and(|f| !repeats(&f))) {
        return Some(format!("a result follows the summary: {}", odd.trim()));
    }
    let of = |wanted| last.values().filter(|(status, _)| *status == wanted).count();
    let counted = (of(CaseStatus::Passed), of(CaseStatus::Failed));
    let differ = summary(lines[at]) != Some(counted);
    differ.then(|| format!("its lines and its summary differ: {}", lines[at].trim()))
}

/// Reads `     Summary [   0.034s] 11 tests run: 5 passed (1 slow), 6 failed, 1 skipped` as passed and failed.
fn summary(line: &str) -> Option<(usize, usize)> {
    let rest = line.strip_prefix("     Summary [")?.split_once(']')?.1;
    let (_, counts) = rest.split_once("run:")?;
    let (mut passed, mut failed) = (0, 0);
    for part in counts.split(',').map(str::trim) {
        // Of several words in brackets behind a count, the later ones stand in parts of their own.
        let inside = part.ends_with(')') && !part.contains('(');
        let mut words = part.split(|c: char| c.is_whitespace() || c == '(');
        let (Some(count), Some(what)) = (words.next().and_then(|n| n.parse::<usize>().ok()), words.next()) else {
            continue;
        };
        match what {
            _ if inside => {}
            "passed" => passed += count,
            "failed" | "timed" | "exec" => failed += count,
            _ => {}
        }
    }
    Some((passed, failed))
}

fn case(line: &str, below: &[&str]) -> Option<Case> {
    let Status { status, binary, test, .. } = status(line)?;
    // Both captured streams are shown; the panic is in the second.
    let said = below.iter().position(|l| l.trim().starts_with("stderr ─")).map_or(below, |at| &below[at + 1..]);
    let why = if status == CaseStatus::Failed { cause::of(said) } else { cause::Cause::default() };
    Some(Case {
        id: CaseId(text::id(&format!("{binary}::{test}"))),
        kind: CaseKind::Test,
        status,
        group: text::line(binary),
        cause: why.line,
        place: why.place,
    })
}

/// What a status line says.
struct Status<'a> {
    status: CaseStatus,
    /// Whether it is one try of several.
    again: bool,
    binary: &'a str,
    test: &'a str,
}

/// Where the word of a status line ends: nextest aligns them on the right.
const COLUMN: usize = 12;

/// Reads `        PASS [   0.005s] ( 1/11) one::days fine`, and `  TRY 2 PASS [   0.005s] one::days fine`.
fn status(line: &str) -> Option<Status<'_>> {
    let (words, rest) = line.split_at_checked(COLUMN)?;
    let (_, named) = rest.strip_prefix(" [")?.split_once(']')?;
    let word = words.trim_start();
    let (again, word) = match word.strip_prefix("TRY ") {
        Some(tried) => (true, tried.split_once(' ')?.1),
        None => (false, word),
    };
    let status = match word.split(' ').next()? {
        "PASS" | "LEAK" | "FLAKY" => CaseStatus::Passed,
        "SKIP" => CaseStatus::Skipped,
        "FAIL" | "FL+LK" | "ABORT" | "TIMEOUT" | "TMT" | "LEAK-FAIL" => CaseStatus::Failed,
        signal if signal.starts_with("SIG") => CaseStatus::Failed,
        _ => return None,
    };
    let named = named.trim_start();
    let named = match named.strip_prefix('(') {
        Some(counted) => counted.split_once(')')?.1.trim_start(),
        None => named,
    };
    let (binary, test) = named.split_once(' ')?;
    Some(Status { status, again, binary, test: test.trim() })
}

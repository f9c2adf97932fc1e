//! `cargo nextest run`: one status line per test, with what a failed one printed below it.

use super::read::Streams;
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
    cases
}

fn case(line: &str, below: &[&str]) -> Option<Case> {
    let (status, binary, test) = status(line)?;
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

/// Reads `PASS [   0.005s] ( 1/11) one::days fine`.
fn status(line: &str) -> Option<(CaseStatus, &str, &str)> {
    let (word, rest) = line.trim_start().split_once([' ', '\t'])?;
    let status = match word {
        "PASS" | "LEAK" | "FLAKY" => CaseStatus::Passed,
        "SKIP" => CaseStatus::Skipped,
        "FAIL" | "ABORT" | "TIMEOUT" | "LEAK-FAIL" => CaseStatus::Failed,
        signal if signal.starts_with("SIG") => CaseStatus::Failed,
        _ => return None,
    };
    let (_, named) = rest.split_once('[')?.1.split_once(']')?;
    let named = named.trim_start();
    let named = match named.strip_prefix('(') {
        Some(counted) => counted.split_once(')')?.1.trim_start(),
        None => named,
    };
    let (binary, test) = named.split_once(' ')?;
    Some((status, binary, test.trim()))
}

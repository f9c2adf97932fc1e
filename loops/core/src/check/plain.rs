//! What `go test` and `pytest` print for people, where a project's own script runs them without a report.
//!
//! Tests that pass are not named there, so a case is a package or a file: what fails in it is its cause.

use super::read::{Streams, at_file, contradicts, fault};
use super::{Case, CaseId, CaseKind, CaseStatus, Place, cause, text};

/// Tells the package lines of `go test` from other output.
pub(crate) fn looks_like_go(out: &str) -> bool {
    out.lines().any(|l| package(l).is_some())
}

/// Reads `ok` or `FAIL`, a tab and a package's name, as passed or not.
fn package(line: &str) -> Option<(bool, &str)> {
    let (word, rest) = line.split_once('\t')?;
    let ok = match word {
        "ok  " => true,
        "FAIL" => false,
        _ => return None,
    };
    let name = rest.split(['\t', ' ']).next()?;
    let told = rest.len() > name.len() && name.contains(|c: char| c.is_ascii_alphanumeric());
    told.then_some((ok, name))
}

/// Reads packages and build faults.
pub(crate) fn go(streams: &Streams<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut failed = None;
    for line in streams.out.lines() {
        if let Some((ok, name)) = package(line) {
            let cause = (!ok).then(|| failed.take().unwrap_or_else(|| "failed".to_owned()));
            if !line.ends_with("[build failed]") && !line.ends_with("[setup failed]") {
                let status = if ok { CaseStatus::Passed } else { CaseStatus::Failed };
                cases.push(Case { status, ..fault(CaseKind::Test, name, name, cause) });
            }
            failed = None;
        } else if let Some(test) = line.trim_start().strip_prefix("--- FAIL: ") {
            failed = failed.or_else(|| Some(text::line(test.split(" (").next().unwrap_or(test))));
        } else if let Some(message) = line.split_once("_test.go:").and_then(|(_, m)| m.split_once(": ")) {
            failed = failed.map(|f| if f.contains(": ") { f } else { text::line(&format!("{f}: {}", message.1)) });
        }
    }
    cases.extend(streams.err.lines().chain(streams.out.lines()).filter_map(unbuilt));
    doubled(&mut cases);
    cases
}

/// Reads `pkg/file.go:3:5: message` of the compiler; a test's own messages are indented.
fn unbuilt(line: &str) -> Option<Case> {
    let (at, message) = line.split_once(": ")?;
    let compiler = at.contains(".go:") && !at.contains(char::is_whitespace) && at.matches(':').count() == 2;
    let place = compiler.then(|| cause::location_of(at))??;
    Some(at_file(CaseKind::Build, "build", place, Some(text::line(message))))
}

/// A package or file that is told twice has printed one of the lines itself.
fn doubled(cases: &mut Vec<Case>) {
    let mut ids: Vec<CaseId> = cases.iter().filter(|c| c.kind == CaseKind::Test).map(|c| c.id.clone()).collect();
    ids.sort();
    let twice = ids.windows(2).find(|w| w[0] == w[1]).map(|w| w[0].clone());
    cases.extend(twice.map(|id| contradicts(&id.0, "it has two results")));
}

/// Tells pytest's session from other output.
pub(crate) fn looks_like_pytest(out: &str) -> bool {
    out.lines().any(|l| l.starts_with("====") && l.contains(" test session starts ")) && summary(out).is_some()
}

/// The last line, `=== 3 failed, 4 passed in 0.11s ===`, as how many results it counts and how many are bad.
fn summary(out: &str) -> Option<(usize, usize)> {
    let last = out.lines().rfind(|l| l.starts_with("==") && l.ends_with("==") && l.contains(" in "))?;
    let (counts, _) = last.trim_matches(['=', ' ']).split_once(" in ")?;
    let (mut all, mut bad) = (0, 0);
    for part in counts.split(", ") {
        let (count, what) = part.split_once(' ')?;
        let count: usize = count.parse().ok()?;
        match what {
            "failed" | "error" | "errors" => (all, bad) = (all + count, bad + count),
            "passed" | "skipped" | "xfailed" | "xpassed" => all += count,
            _ => {}
        }
    }
    Some((all, bad))
}

/// Reads files by their letters (`tests/test_a.py .F.s [100%]`) and those that can't be imported; none unless all of the
/// letters are as many as the last line counts.
pub(crate) fn pytest(streams: &Streams<'_>) -> Vec<Case> {
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in streams
        .out
        .lines()
        .take_while(|l| !(l.starts_with("===") && (l.contains(" ERRORS ") || l.contains(" FAILURES "))))
    {
        match letters(line) {
            Some((Some(file), said)) => files.push((file, said.to_owned())),
            Some((None, said)) => files.last_mut().into_iter().for_each(|(_, all)| all.push_str(said)),
            None => {}
        }
    }
    let below = streams.out.lines().skip_while(|l| !l.contains("short test summary info"));
    let told: Vec<(&str, &str)> = below.filter_map(failure).collect();
    let unbuilt: Vec<&str> =
        told.iter().map(|(id, _)| *id).filter(|id| id.ends_with(".py") && !id.contains("::")).collect();
    let of = |signs: &[char]| files.iter().map(|(_, said)| said.matches(signs).count()).sum::<usize>();
    let listed = (of(&['.', 'F', 'E', 's', 'x', 'X']) + unbuilt.len(), of(&['F', 'E']) + unbuilt.len());
    if Some(listed) != summary(streams.out) {
        return Vec::new();
    }
    let build = |file: &&str| {
        let place = Place { path: text::path(file)?, line: None };
        Some(at_file(CaseKind::Build, "build", place, Some("can't be imported".to_owned())))
    };
    let mut cases: Vec<Case> = files.iter().map(|(file, said)| of_file(file, said, &told)).collect();
    cases.extend(unbuilt.iter().filter_map(build));
    doubled(&mut cases);
    cases
}

fn of_file(file: &str, said: &str, told: &[(&str, &str)]) -> Case {
    let status = match said {
        s if s.contains(['F', 'E']) => CaseStatus::Failed,
        s if s.contains(['.', 'x', 'X']) => CaseStatus::Passed,
        _ => CaseStatus::Skipped,
    };
    let below = format!("{file}::");
    let first = told.iter().find_map(|(id, why)| Some((id.strip_prefix(&below)?, why)));
    let cause = first.map(|(test, why)| text::line(&format!("{test}: {why}")));
    let place = text::path(file).map(|path| Place { path, line: None });
    Case { status, place, ..fault(CaseKind::Test, file, file, cause.filter(|_| status == CaseStatus::Failed)) }
}

/// A line of letters, with the file that it begins with.
fn letters(line: &str) -> Option<(Option<&str>, &str)> {
    let line = line.rsplit_once(" [").filter(|(_, end)| end.ends_with("%]")).map_or(line, |(before, _)| before);
    let only = |s: &str| !s.is_empty() && s.chars().all(|c| ".FEsxX".contains(c));
    match line.trim_end().split_once(' ') {
        Some((file, said)) if file.ends_with(".py") && only(said) => Some((Some(file), said)),
        None if only(line.trim_end()) => Some((None, line.trim_end())),
        _ => None,
    }
}

/// Reads `FAILED tests/test_a.py::test_b - assert 1 == 2`.
fn failure(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("FAILED ").or_else(|| line.strip_prefix("ERROR "))?;
    Some(rest.split_once(" - ").unwrap_or((rest, "failed")))
}

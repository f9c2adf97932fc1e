//! Understanding what a check printed: picks the reader, then settles what output and exit code say together.
//!
//! The formats themselves are in the files beside this one. Output is untrusted: nothing here panics on any bytes.

use super::{
    Case, CaseId, CaseKind, CaseStatus, CheckReport, Ended, Place, cargo_test, clippy, go, jest, junit, lint, nextest,
    plain, rustfmt, settle, tap, text,
};
use crate::definition::Command;

/// What both streams of one command said, cleaned.
pub(crate) struct Streams<'a> {
    /// The check's name.
    pub(crate) check: &'a str,
    /// Standard output.
    pub(crate) out: &'a str,
    /// Standard error.
    pub(crate) err: &'a str,
    /// How the process ended.
    pub(crate) ended: Ended,
}

/// The group of cases that say that results contradict each other.
pub(crate) const CONTRADICTION: &str = "contradictory results";

/// A program whose output is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tool {
    CargoTest,
    Nextest,
    Clippy,
    Rustfmt,
    GoTest,
    GoVet,
    Gofmt,
    Eslint,
    Prettier,
    Ruff,
    RuffFormat,
    Jest,
    GoPlain,
    PytestPlain,
    Tap,
    Junit,
    Unknown,
}

/// Reads the output of one command of a check.
///
/// A report never claims more than both output and exit code bear out: a failed end without a failed case becomes one.
pub fn read(check: &str, command: &Command, ended: Ended, stdout: &[u8], stderr: &[u8]) -> CheckReport {
    let (out, err) = (text::clean(stdout), text::clean(stderr));
    let streams = Streams { check, out: &out, err: &err, ended };
    let mut cases = match tool(command, &out) {
        Tool::CargoTest => cargo_test::cases(&streams),
        Tool::Nextest => nextest::cases(&streams),
        Tool::Clippy => clippy::cases(&streams),
        Tool::Rustfmt => rustfmt::cases(&streams),
        Tool::GoTest => go::tests(&streams),
        Tool::GoVet => go::vet(&streams),
        Tool::Gofmt => go::format(&streams),
        Tool::Eslint => lint::eslint(&streams),
        Tool::Prettier => lint::prettier(&streams),
        Tool::Ruff => lint::ruff(&streams),
        Tool::RuffFormat => lint::ruff_format(&streams),
        Tool::Jest => jest::cases(&streams),
        Tool::GoPlain => plain::go(&streams),
        Tool::PytestPlain => or_whole(plain::pytest(&streams), &streams),
        Tool::Tap => tap::cases(&streams),
        Tool::Junit => junit::cases(&streams),
        Tool::Unknown => vec![whole(&streams)],
    };
    cases.extend(contradiction(&streams, &cases));
    // Several commands of one check may end alike: each speaks for itself.
    for case in cases.iter_mut().filter(|c| c.kind == CaseKind::Command) {
        case.id = CaseId(text::id(&format!("{}: {command}", case.id)));
    }
    let shown = if err.trim().is_empty() { out } else { format!("{}\n{err}", out.trim_end()) };
    CheckReport { check: check.to_owned(), ended, cases: settle(cases), tail: text::tail(&shown) }
}

/// Tells whether a command's two streams must be one for its output to be understood: `cargo test` names the suite on
/// standard error and its tests on standard output, so only their order says which test belongs where.
pub fn wants_one_stream(command: &Command) -> bool {
    tool(command, "") == Tool::CargoTest
}

fn tool(command: &Command, out: &str) -> Tool {
    let line = command.to_string();
    let words: Vec<&str> = line.split(|c: char| c.is_whitespace() || ";&|()'\"".contains(c)).collect();
    let has = |word: &str| words.contains(&word);
    match () {
        () if has("nextest") => Tool::Nextest,
        () if has("cargo") && (has("test") || has("t")) => Tool::CargoTest,
        () if has("clippy") || has("cargo-clippy") => Tool::Clippy,
        () if has("rustfmt") || (has("cargo") && has("fmt")) => Tool::Rustfmt,
        // By their words alone where these say how the output looks.
        () if has("go") && has("test") && has("-json") => Tool::GoTest,
        () if has("go") && has("vet") && has("-json") => Tool::GoVet,
        () if has("gofmt") && has("-l") => Tool::Gofmt,
        () if has("ruff") && has("format") => Tool::RuffFormat,
        () if has("ruff") && line.contains("json") => Tool::Ruff,
        () if has("prettier") && has("--check") => Tool::Prettier,
        () if has("eslint") && line.contains("json") => Tool::Eslint,
        // Scripts of a project hide what they run; their output tells.
        () if go::looks_like(out) => Tool::GoTest,
        () if jest::looks_like(out) => Tool::Jest,
        () if lint::looks_like_eslint(out) => Tool::Eslint,
        () if junit::looks_like(out) => Tool::Junit,
        () if tap::looks_like(out) => Tool::Tap,
        () if cargo_test::looks_like(out) => Tool::CargoTest,
        () if plain::looks_like_go(out) => Tool::GoPlain,
        () if plain::looks_like_pytest(out) => Tool::PytestPlain,
        () => Tool::Unknown,
    }
}

/// Where nothing could be told apart, the end counts.
fn or_whole(cases: Vec<Case>, streams: &Streams<'_>) -> Vec<Case> {
    if cases.is_empty() { vec![whole(streams)] } else { cases }
}

/// The one case of a command of which only the end is known.
fn whole(streams: &Streams<'_>) -> Case {
    let well = streams.ended.well();
    Case {
        id: CaseId(text::id(streams.check)),
        kind: CaseKind::Command,
        status: if well { CaseStatus::Passed } else { CaseStatus::Failed },
        group: streams.check.to_owned(),
        cause: if well { None } else { last_words(streams) },
        place: None,
    }
}

/// The failed case that stands for an end which no other case explains.
fn contradiction(streams: &Streams<'_>, cases: &[Case]) -> Option<Case> {
    let failed = cases.iter().any(|c| c.status == CaseStatus::Failed);
    let how = match streams.ended {
        Ended::Exited(0) => return None,
        Ended::Exited(_) if failed => return None,
        Ended::Exited(code) => format!("exited with {code}"),
        Ended::Signalled(signal) => format!("killed by signal {signal}"),
        Ended::TimedOut => "timed out".to_owned(),
        Ended::Silent => "fell silent".to_owned(),
        Ended::Flooded => "wrote too much".to_owned(),
        Ended::Halted => "halted".to_owned(),
    };
    Some(fault(CaseKind::Command, &format!("{}: {how}", streams.check), streams.check, last_words(streams)))
}

/// The line that most likely says why: the first error, else the last line.
fn last_words(streams: &Streams<'_>) -> Option<String> {
    let lines = || streams.err.lines().chain(streams.out.lines()).map(str::trim);
    let error = lines().find(|l| l.to_ascii_lowercase().starts_with("error"));
    let last = |s: &str| s.lines().map(str::trim).rfind(|l| !l.is_empty()).map(text::line);
    error.map(text::line).or_else(|| last(streams.err)).or_else(|| last(streams.out))
}

/// A failed case without a place.
pub(crate) fn fault(kind: CaseKind, id: &str, group: &str, cause: Option<String>) -> Case {
    Case { id: CaseId(text::id(id)), kind, status: CaseStatus::Failed, group: text::line(group), cause, place: None }
}

/// The failed case of results that contradict each other: none of them can be believed.
pub(crate) fn contradicts(suite: &str, why: &str) -> Case {
    fault(CaseKind::Command, &format!("{suite}: {CONTRADICTION}"), CONTRADICTION, Some(text::line(why)))
}

/// A failed case of a file: `rule @ path`, or `build @ path`.
pub(crate) fn at_file(kind: CaseKind, rule: &str, place: Place, cause: Option<String>) -> Case {
    let id = format!("{rule} @ {}", place.path);
    Case { place: Some(place), ..fault(kind, &id, rule, cause) }
}

/// The passed case that says a tool without cases of its own ran to its end.
pub(crate) fn ran(tool: &str) -> Case {
    Case { status: CaseStatus::Passed, ..fault(CaseKind::Command, tool, tool, None) }
}

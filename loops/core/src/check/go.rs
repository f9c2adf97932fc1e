//! Go: `go test -json`, and the lines that `go build`, `go vet` and the compiler print (`pkg/file.go:3:5: message`).
//!
//! A test can print what looks like a result of its own or another's, so each has as many results as starts, and a
//! package's end agrees with those of its tests.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::read::{Streams, at_file, contradicts, fault, ran};
use super::{Case, CaseKind, CaseStatus, Ended, Place, cause, text};

/// A line of `go test -json`; what is not read is not declared.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    action: String,
    #[serde(default)]
    package: String,
    test: Option<String>,
    #[serde(default)]
    output: String,
    import_path: Option<String>,
}

/// Most lines of a test's output that are looked at for its cause.
const KEPT: usize = 200;

/// What is known of one test.
#[derive(Default)]
struct Test {
    starts: usize,
    results: Vec<CaseStatus>,
    said: Vec<String>,
}

/// What is known of one package.
#[derive(Default)]
struct Package {
    tests: BTreeMap<String, Test>,
    results: Vec<CaseStatus>,
    said: Vec<String>,
}

/// Tells `go test -json` from other output.
pub(crate) fn looks_like(out: &str) -> bool {
    out.lines().any(|l| event(l).is_some_and(|e| e.action == "output" || e.action == "run"))
}

fn event(line: &str) -> Option<Event> {
    let event: Event = line.starts_with("{\"").then(|| serde_json::from_str(line).ok())??;
    (!event.package.is_empty() || event.import_path.is_some()).then_some(event)
}

/// Reads tests, packages that crashed, and build faults.
pub(crate) fn tests(streams: &Streams<'_>) -> Vec<Case> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    let mut built: Vec<String> = streams.err.lines().map(str::to_owned).collect();
    for line in streams.out.lines() {
        match event(line) {
            Some(event) if event.action == "build-output" => built.push(event.output.trim_end().to_owned()),
            Some(event) if event.package.is_empty() => {}
            Some(event) => note(event, &mut packages),
            None => built.push(line.to_owned()),
        }
    }
    let mut cases = build_faults(&built);
    let unbuilt: BTreeSet<String> = built.iter().filter_map(|l| unbuilt(l)).collect();
    for (name, package) in &packages {
        cases.extend(package_cases(name, package, unbuilt.contains(name)));
    }
    if !cases.iter().any(|c| c.kind == CaseKind::Build) {
        cases.extend(unbuilt.iter().map(|name| fault(CaseKind::Build, &format!("build @ {name}"), "build", None)));
    }
    cases
}

fn note(event: Event, packages: &mut BTreeMap<String, Package>) {
    let status = match event.action.as_str() {
        "pass" | "bench" => Some(CaseStatus::Passed),
        "fail" => Some(CaseStatus::Failed),
        "skip" => Some(CaseStatus::Skipped),
        _ => None,
    };
    let package = packages.entry(event.package).or_default();
    let Some(test) = event.test else {
        package.results.extend(status);
        push(&mut package.said, event.output);
        return;
    };
    let test = package.tests.entry(test).or_default();
    test.starts += usize::from(event.action == "run");
    test.results.extend(status);
    push(&mut test.said, event.output);
}

fn push(said: &mut Vec<String>, output: String) {
    if said.len() < KEPT && !output.trim().is_empty() {
        said.push(output);
    }
}

/// Reads `FAIL`, a tab, and `example.com/a [build failed]`.
fn unbuilt(line: &str) -> Option<String> {
    let (name, why) = line.strip_prefix("FAIL\t")?.split_once(' ')?;
    matches!(why, "[build failed]" | "[setup failed]").then(|| name.to_owned())
}

fn package_cases(name: &str, package: &Package, unbuilt: bool) -> Vec<Case> {
    let unbuilt = unbuilt || package.said.iter().any(|l| l.contains("[build failed]") || l.contains("[setup failed]"));
    let mut cases: Vec<Case> = package.tests.iter().map(|(test, known)| case(name, test, known, package)).collect();
    let failed = cases.iter().any(|c| c.status == CaseStatus::Failed);
    let end = package.results.first();
    if let Some(why) = doubt(package, failed) {
        cases.push(contradicts(name, &why));
    } else if end != Some(&CaseStatus::Passed) && end != Some(&CaseStatus::Skipped) && !failed && !unbuilt {
        let why = package.said.iter().map(|l| l.trim()).find(|l| !is_frame(l)).unwrap_or("ended early");
        cases.push(fault(CaseKind::Test, name, name, Some(text::line(why))));
    }
    cases
}

/// Why a package's results can't be believed, if so.
fn doubt(package: &Package, failed: bool) -> Option<String> {
    let twice = package.tests.iter().find(|(_, t)| t.results.len() > t.starts.max(1));
    if let Some((test, _)) = twice {
        return Some(format!("{test} has more results than starts"));
    }
    match package.results[..] {
        [CaseStatus::Passed] if failed => Some("it passed with a test that failed".to_owned()),
        [_, _, ..] => Some(format!("it has {} ends", package.results.len())),
        _ => None,
    }
}

fn case(package: &str, test: &str, known: &Test, all: &Package) -> Case {
    let whole = known.results.len() >= known.starts;
    let failed = !whole || known.results.contains(&CaseStatus::Failed);
    let status = match known.results.first() {
        _ if failed => CaseStatus::Failed,
        Some(status) => *status,
        None => CaseStatus::Failed,
    };
    let cause = (status == CaseStatus::Failed).then(|| why(test, known, all));
    Case {
        status,
        place: known.said.iter().find_map(|l| place(l)),
        ..fault(CaseKind::Test, &format!("{package}::{test}"), package, cause)
    }
}

/// The first line that says why; a test that failed because of its sub-test has that one's cause, so that they are one.
fn why(test: &str, known: &Test, all: &Package) -> String {
    let said = known.said.iter().map(|l| l.trim()).find(|l| !is_frame(l));
    let below = format!("{test}/");
    let child = || {
        let failed = |t: &Test| t.results.contains(&CaseStatus::Failed);
        let mut children = all.tests.iter().filter(|(name, t)| name.starts_with(&below) && failed(t));
        children.find_map(|(_, t)| t.said.iter().map(|l| l.trim()).find(|l| !is_frame(l)))
    };
    let early = known.results.is_empty().then_some("its package ended before it did");
    said.or_else(child).or(early).map_or_else(|| "failed".to_owned(), without_place)
}

/// Lines of the test's frame, which say nothing of why.
fn is_frame(line: &str) -> bool {
    line.starts_with("=== ") || line.starts_with("--- ") || line.starts_with("FAIL") || line == "PASS"
}

/// `red_test.go:3: Two() = 3` without its place.
fn without_place(line: &str) -> String {
    let bare =
        line.split_once(": ").filter(|(at, _)| at.contains(".go:") && !at.contains(' ')).map_or(line, |(_, m)| m);
    text::line(bare.trim_end_matches(" [recovered]"))
}

/// A place below the tree, as the frames of a panic name it.
fn place(line: &str) -> Option<Place> {
    let at = line.split_whitespace().next()?.trim_end_matches(':');
    (at.starts_with("/workspace/") && at.contains(".go:")).then(|| cause::location_of(at))?
}

/// The files that don't compile, each with its first error.
fn build_faults(lines: &[String]) -> Vec<Case> {
    lines.iter().filter_map(|l| diagnostic(l)).map(|(p, m)| at_file(CaseKind::Build, "build", p, Some(m))).collect()
}

/// Reads `pkg/file.go:3:5: message`, with or without `vet: ` before it.
fn diagnostic(line: &str) -> Option<(Place, String)> {
    let line = line.strip_prefix("vet: ").unwrap_or(line);
    let (at, message) = line.split_once(": ")?;
    if at.contains(char::is_whitespace) || !at.contains(".go:") {
        return None;
    }
    let place = cause::location_of(at)?;
    Some((place, text::line(message)))
}

/// What `go vet -json` says of one package: by analyser, its findings.
type Vetted = BTreeMap<String, BTreeMap<String, serde_json::Value>>;

#[derive(Deserialize)]
struct Finding {
    posn: String,
    message: String,
}

/// Reads `go vet -json`: one JSON object a package, on either stream, among lines that begin with `#`.
pub(crate) fn vet(streams: &Streams<'_>) -> Vec<Case> {
    let mut cases = Vec::new();
    for stream in [streams.err, streams.out] {
        let (json, other): (Vec<&str>, Vec<&str>) = split(stream);
        let said = json.join("\n");
        let mut objects = serde_json::Deserializer::from_str(&said).into_iter::<Vetted>();
        for read in objects.by_ref() {
            match read {
                Ok(vetted) => {
                    cases.extend(vetted.into_values().flatten().flat_map(|(rule, found)| lints(&rule, found)))
                }
                Err(why) => {
                    cases.push(fault(
                        CaseKind::Command,
                        "go vet: unreadable",
                        "go vet",
                        Some(text::line(&why.to_string())),
                    ));
                    break;
                }
            }
        }
        cases.extend(
            other.iter().filter_map(|l| diagnostic(l)).map(|(p, m)| at_file(CaseKind::Build, "build", p, Some(m))),
        );
    }
    finish("go vet", streams, cases)
}

/// The lines of JSON objects, and all others.
fn split(stream: &str) -> (Vec<&str>, Vec<&str>) {
    let mut inside = false;
    let (mut json, mut other) = (Vec::new(), Vec::new());
    for line in stream.lines() {
        inside |= line.starts_with('{');
        if inside {
            json.push(line)
        } else {
            other.push(line)
        }
        inside &= !(line.starts_with('}') || line == "{}");
    }
    (json, other)
}

fn lints(rule: &str, found: serde_json::Value) -> Vec<Case> {
    let rule = format!("vet::{rule}");
    if let Some(error) = found.get("error").and_then(|e| e.as_str()) {
        return vec![fault(CaseKind::Command, &format!("go vet: {rule}"), "go vet", Some(text::line(error)))];
    }
    let found: Vec<Finding> = serde_json::from_value(found).unwrap_or_default();
    let case =
        |f: Finding| Some(at_file(CaseKind::Lint, &rule, cause::location_of(&f.posn)?, Some(text::line(&f.message))));
    found.into_iter().filter_map(case).collect()
}

/// Reads `gofmt -l`: a path a line, and syntax errors on standard error.
pub(crate) fn format(streams: &Streams<'_>) -> Vec<Case> {
    let errors: Vec<String> = streams.err.lines().map(str::to_owned).collect();
    let mut cases = build_faults(&errors);
    let listed = streams.out.lines().filter(|l| l.ends_with(".go")).filter_map(text::path);
    let case =
        |path| at_file(CaseKind::Format, "format", Place { path, line: None }, Some("is not formatted".to_owned()));
    cases.extend(listed.map(case));
    finish("gofmt", streams, cases)
}

/// Adds that the tool ran to its end, where it did.
fn finish(tool: &str, streams: &Streams<'_>, mut cases: Vec<Case>) -> Vec<Case> {
    let stopped = |c: &Case| matches!(c.kind, CaseKind::Build | CaseKind::Command);
    if matches!(streams.ended, Ended::Exited(code) if code == 0 || !cases.is_empty()) && !cases.iter().any(stopped) {
        cases.push(ran(tool));
    }
    cases
}

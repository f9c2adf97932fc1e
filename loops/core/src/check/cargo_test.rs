//! `cargo test`: suites from cargo's own lines, tests from libtest's.
//!
//! Cargo names a suite on standard error and the suite prints on standard output. When both came as one stream their
//! order says which belongs where; when they came apart, the nth block of results belongs to the nth suite.

use super::read::{Streams, contradicts, fault};
use super::{Case, CaseId, CaseKind, CaseStatus, cause, rustc, text};

mod suite;

use suite::{Names, is_header};

/// Tells libtest's results in the output of some other command (`make test`).
pub(crate) fn looks_like(out: &str) -> bool {
    out.lines().any(|l| l.starts_with("test result: ")) && out.lines().any(|l| expected(l).is_some())
}

/// Reads suites, tests and build faults.
pub(crate) fn cases(streams: &Streams<'_>) -> Vec<Case> {
    let merged = streams.out.lines().any(is_header);
    let mut reader = Reader { separate: Vec::new(), ..Reader::default() };
    if !merged {
        let mut names = Names::default();
        reader.separate = streams.err.lines().filter_map(|l| names.suite(l)).collect();
        reader.separate.reverse();
    }
    for line in streams.out.lines() {
        reader.line(line);
    }
    reader.close();
    let mut cases = reader.cases;
    let both = || streams.err.lines().chain(streams.out.lines());
    for target in suite::failed_targets(both()) {
        explain(&mut cases, &target, suite::ending(both()));
    }
    // What tests print may look like a compiler's error; what is printed before any test runs is one.
    let building = |l: &&str| !is_header(l) && expected(l).is_none();
    cases.extend(rustc::build_faults(streams.err.lines().take_while(building)));
    cases.extend(rustc::build_faults(streams.out.lines().take_while(building)));
    cases
}

/// Gives a target that cargo calls failed its failed case, and a suite that crashed the reason that cargo prints.
fn explain(cases: &mut Vec<Case>, target: &str, why: Option<String>) {
    let mut failed =
        cases.iter_mut().filter(|c| c.status == CaseStatus::Failed && suite::belongs(&c.group, target)).peekable();
    if failed.peek().is_none() {
        drop(failed);
        cases.push(ended_early(target, why));
    } else if let Some(crashed) = failed.find(|c| c.cause.as_deref() == Some(CRASHED)) {
        crashed.cause = why.or(crashed.cause.take());
    }
}

/// The cause of a suite whose results stop.
const CRASHED: &str = "ended before its last test";

/// The case of a suite that failed as a whole: it crashed, or has no tests of its own that say so.
fn ended_early(suite: &str, why: Option<String>) -> Case {
    fault(CaseKind::Test, suite, suite, Some(why.unwrap_or_else(|| "ended early".to_owned())))
}

/// Reads `running 7 tests`.
fn expected(line: &str) -> Option<usize> {
    let count = line.strip_prefix("running ")?;
    count.strip_suffix(" tests").or_else(|| count.strip_suffix(" test"))?.parse().ok()
}

/// Where in a block of results the reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Outside,
    Results,
    Failures,
}

#[derive(Default)]
struct Reader<'a> {
    names: Names,
    /// Suites that another stream named, the next one last.
    separate: Vec<String>,
    /// A header without results so far.
    waiting: Option<String>,
    at: At,
    suite: String,
    /// How many tests the block announced.
    announced: usize,
    /// Tests of the block: name as printed, and status.
    tests: Vec<(&'a str, CaseStatus)>,
    /// A test whose result did not follow on its line, because something else wrote to the stream.
    pending: Option<&'a str>,
    /// What failed tests printed.
    said: Vec<(&'a str, Vec<&'a str>)>,
    cases: Vec<Case>,
    unnamed: usize,
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) {
        if let Some(suite) = self.names.suite(line) {
            self.close();
            self.waiting = Some(suite);
        } else if let Some(announced) = expected(line).filter(|_| self.at != At::Failures) {
            self.open(announced);
        } else if self.at != At::Outside && line.starts_with("test result: ") {
            self.summary(line);
        } else if self.at == At::Results && line == "failures:" {
            self.at = At::Failures;
        } else if self.at == At::Results {
            self.result(line);
        } else if self.at == At::Failures {
            self.failure(line);
        } else if self.waiting.is_none() && is_result(line) {
            self.contradiction("results follow its summary", line);
        }
    }

    fn open(&mut self, announced: usize) {
        if self.at != At::Outside {
            self.crashed();
        }
        let named = self.waiting.take().or_else(|| self.separate.pop());
        self.suite = named.unwrap_or_else(|| {
            self.unnamed += 1;
            format!("suite {}", self.unnamed)
        });
        self.announced = announced;
        self.at = At::Results;
    }

    fn result(&mut self, line: &'a str) {
        if let Some((name, status)) = line.strip_prefix("test ").and_then(|l| l.split_once(" ... ")) {
            match status_of(status) {
                Some(status) => self.tests.push((name, status)),
                None => self.pending = Some(name),
            }
        } else if let Some(name) = self.pending {
            let known = [("ok", CaseStatus::Passed), ("FAILED", CaseStatus::Failed)];
            let found = known.into_iter().find(|(word, _)| line.ends_with(word));
            if let Some((_, status)) = found {
                self.tests.push((name, status));
                self.pending = None;
            }
        }
    }

    /// Reads the part below `failures:`: each failed test's output, then their names again.
    fn failure(&mut self, line: &'a str) {
        let head = line.strip_prefix("---- ").and_then(|l| l.strip_suffix(" ----"));
        if let Some(name) = head.and_then(|l| l.strip_suffix(" stdout").or_else(|| l.strip_suffix(" stderr"))) {
            self.said.push((name, Vec::new()));
        } else if let Some((_, said)) = self.said.last_mut() {
            said.push(line);
        }
        let named = line.strip_prefix("    ").filter(|n| self.said.iter().any(|(s, _)| s == n));
        // Something else may have written over the line with its result.
        let told = |name: &str| {
            self.tests.iter().any(|(n, s)| *s == CaseStatus::Failed && suite::bare(n) == suite::bare(name))
        };
        if let Some(name) = named.filter(|n| !told(n)) {
            self.tests.push((name, CaseStatus::Failed));
        }
    }

    /// Holds the block against its own first and last line: what is tested runs in the process that reports on it and can
    /// print what looks like a result, so each test has one and all counts agree.
    fn summary(&mut self, line: &str) {
        let counted = |word: &str| {
            let part = line.split([';', '.']).find_map(|p| p.trim().strip_suffix(word));
            part.and_then(|n| n.trim().parse::<usize>().ok()).unwrap_or(0)
        };
        let of = |status| self.tests.iter().filter(|(_, s)| *s == status).count();
        let agree = of(CaseStatus::Passed) == counted("passed") + counted("measured")
            && of(CaseStatus::Failed) == counted("failed")
            && of(CaseStatus::Skipped) == counted("ignored")
            && self.tests.len() == self.announced;
        if !agree {
            self.contradiction("its lines and its counts differ", line);
        } else if let Some(twice) = suite::repeated(&self.tests) {
            self.contradiction("a test has two results", twice);
        }
        self.finish();
    }

    fn contradiction(&mut self, what: &str, line: &str) {
        self.cases.push(contradicts(&self.suite, &format!("{what}: {line}")));
    }

    /// Ends what is open at a new header or at the end of the output.
    fn close(&mut self) {
        if self.at != At::Outside {
            self.crashed();
        }
        // A program of its own that cargo ran as a test (`harness = false`) has no results to read, only its end.
        if let Some(suite) = self.waiting.take() {
            self.cases.push(Case { status: CaseStatus::Passed, cause: None, ..ended_early(&suite, None) });
        }
    }

    fn crashed(&mut self) {
        self.cases.push(ended_early(&self.suite, Some(CRASHED.to_owned())));
        self.finish();
    }

    fn finish(&mut self) {
        let tests = suite::without_lines(std::mem::take(&mut self.tests));
        for (printed, name, status) in tests {
            let said = self.said.iter().find(|(n, _)| suite::bare(n) == suite::bare(printed));
            let why = said.filter(|_| status == CaseStatus::Failed).map(|(_, s)| cause::of(s)).unwrap_or_default();
            self.cases.push(Case {
                id: CaseId(text::id(&format!("{}::{name}", self.suite))),
                kind: CaseKind::Test,
                status,
                group: self.suite.clone(),
                place: why.place.or_else(|| suite::doc_place(printed)),
                cause: why.line,
            });
        }
        self.said.clear();
        self.pending = None;
        self.at = At::Outside;
    }
}

/// Tells a result or a summary that stands where none belongs.
fn is_result(line: &str) -> bool {
    let result = line.strip_prefix("test ").and_then(|l| l.split_once(" ... "));
    line.starts_with("test result: ") || result.is_some_and(|(_, status)| status_of(status).is_some())
}

fn status_of(word: &str) -> Option<CaseStatus> {
    match word {
        w if w == "ok" || w.starts_with("ok <") || w.starts_with("bench:") => Some(CaseStatus::Passed),
        w if w == "FAILED" || w.starts_with("FAILED <") || w.starts_with("FAILED (") => Some(CaseStatus::Failed),
        w if w == "ignored" || w.starts_with("ignored,") => Some(CaseStatus::Skipped),
        _ => None,
    }
}

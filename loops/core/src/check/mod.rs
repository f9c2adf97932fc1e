//! What a project's own check said: the common shape of what test runners, linters and formatters of Rust, Node, Python
//! and Go print, of TAP and JUnit XML, and of any other output.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

mod cargo_test;
mod cause;
mod clippy;
mod go;
mod jest;
mod junit;
mod lint;
mod nextest;
mod plain;
mod read;
mod rustc;
mod rustfmt;
mod tap;
pub mod text;

#[cfg(test)]
mod tests;

pub(crate) use read::CONTRADICTION;
pub use read::{read, wants_one_stream};

/// Most cases that one report keeps.
pub const MAX_CASES: usize = 20_000;

/// The identity of one case of a check: a test's id (`suite::name`), or a lint's rule and file (`clippy::needless_return @ src/a.rs`).
/// Never a message, a line number or a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub String);

impl std::fmt::Display for CaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What kind of case it is; decides how cases are grouped into findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseKind {
    /// A test.
    Test,
    /// A lint's rule in one file.
    Lint,
    /// A file that is not formatted.
    Format,
    /// The check could not even build or start its work.
    Build,
    /// A command of which only the exit code is known.
    Command,
}

/// How one case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStatus {
    /// It ran and passed.
    Passed,
    /// It ran and failed.
    Failed,
    /// It exists and did not run.
    Skipped,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its identity.
    pub id: CaseId,
    /// Its kind.
    pub kind: CaseKind,
    /// How it ended.
    pub status: CaseStatus,
    /// What it belongs to: the test binary, the lint's rule, `format`.
    pub group: String,
    /// The first line that says why it failed.
    pub cause: Option<String>,
    /// Where a person would look first: path relative to the repository, and line.
    pub place: Option<Place>,
}

/// A place in the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Path relative to the repository's root.
    pub path: String,
    /// Line from 1, if known.
    pub line: Option<u32>,
}

/// One check, run once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The gate's name: `tests_pass`.
    pub check: String,
    /// How the process ended.
    pub ended: Ended,
    /// All cases that the output names, sorted by id, each once.
    pub cases: Vec<Case>,
    /// The end of the output, for people (at most 4 KiB, control characters replaced).
    pub tail: String,
}

/// How a process in the sandbox ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// By itself, with this code.
    Exited(i32),
    /// By a signal that was not ours.
    Signalled(i32),
    /// It ran longer than it may.
    TimedOut,
    /// It said nothing for longer than it may.
    Silent,
    /// It wrote more than it may.
    Flooded,
    /// HALT.
    Halted,
}

impl Ended {
    /// Whether it ended by itself with code 0.
    pub fn well(self) -> bool {
        self == Ended::Exited(0)
    }
}

/// In words that follow the name of what ended: `make` "exited with 3".
impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Exited(code) => write!(f, "exited with {code}"),
            Ended::Signalled(signal) => write!(f, "was killed by signal {signal}"),
            Ended::TimedOut => f.write_str("took longer than it may"),
            Ended::Silent => f.write_str("said nothing for longer than it may"),
            Ended::Flooded => f.write_str("wrote more than it may"),
            Ended::Halted => f.write_str("was halted"),
        }
    }
}

impl CheckReport {
    /// The ids of all failed cases.
    pub fn failing(&self) -> BTreeSet<CaseId> {
        self.with_status(CaseStatus::Failed)
    }

    /// Puts the reports of several commands of one gate together: each case once with its worst status, the worst end.
    #[must_use]
    pub fn merge(self, other: CheckReport) -> CheckReport {
        let mut cases = self.cases;
        cases.extend(other.cases);
        let ended = if self.ended.well() { other.ended } else { self.ended };
        // A process that did not end by itself says more than one that ended with an error.
        let ended = match (ended, other.ended) {
            (Ended::Exited(_), worse) if !matches!(worse, Ended::Exited(_)) => worse,
            (ended, _) => ended,
        };
        let tail = text::tail(&format!("{}\n{}", self.tail, other.tail));
        CheckReport { check: self.check, ended, cases: settle(cases), tail: tail.trim_start().to_owned() }
    }

    /// The case with this id.
    pub fn case(&self, id: &CaseId) -> Option<&Case> {
        self.cases.binary_search_by(|c| c.id.cmp(id)).ok().map(|at| &self.cases[at])
    }

    /// How many tests ran.
    pub fn tests_run(&self) -> usize {
        let ran = |c: &&Case| c.kind == CaseKind::Test && c.status != CaseStatus::Skipped;
        self.cases.iter().filter(ran).count()
    }

    /// The ids of all cases with this status.
    pub fn with_status(&self, status: CaseStatus) -> BTreeSet<CaseId> {
        self.cases.iter().filter(|c| c.status == status).map(|c| c.id.clone()).collect()
    }
}

/// Sorts cases by id, each once with its worst status, at most [`MAX_CASES`] (failed ones are kept first).
fn settle(mut cases: Vec<Case>) -> Vec<Case> {
    let badness = |c: &Case| match c.status {
        CaseStatus::Failed => 0,
        CaseStatus::Skipped => 1,
        CaseStatus::Passed => 2,
    };
    cases.sort_by(|a, b| a.id.cmp(&b.id).then(badness(a).cmp(&badness(b))));
    cases.dedup_by(|later, first| later.id == first.id);
    if cases.len() > MAX_CASES {
        cases.sort_by_key(|c| c.status != CaseStatus::Failed);
        cases.truncate(MAX_CASES);
        cases.sort_by(|a, b| a.id.cmp(&b.id));
    }
    cases
}

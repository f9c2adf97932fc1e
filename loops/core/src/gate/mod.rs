//! Gates: what each may answer, how answers combine, and how an attempt is compared with its base.

use serde::{Deserialize, Serialize};

mod cleared;
mod relative;

#[cfg(test)]
mod tests;

pub use cleared::cleared;
pub(crate) use relative::capped;
pub use relative::{judge_new_tests, new_tests, relative};

/// What a gate answers, from worst to best; the order is the algebra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[cfg_attr(feature = "types", ts(rename = "GateLevel"))]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// No.
    Fail,
    /// Yes, but a person must look (protected path, binary, large diff, absent gate).
    NeedsPerson,
    /// Yes.
    Pass,
}

/// One gate's answer with its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct GateResult {
    /// Its name: `tests_pass`.
    pub gate: String,
    /// The answer.
    pub level: Level,
    /// One line for people: `212 passed, 1 failed before and after`.
    pub summary: String,
    /// Why it is not `Pass`, one line each; for the maker of the next attempt and for the person.
    pub reasons: Vec<String>,
    /// SHA-256 of the kept output, if there is one.
    pub evidence: Option<String>,
}

/// Gates combined: `tests_pass AND lint_clean AND NOT x`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// A gate by its name.
    Gate(String),
    /// The least of both.
    And(Box<Expression>, Box<Expression>),
    /// The greatest of both.
    Or(Box<Expression>, Box<Expression>),
    /// Fail and pass swapped.
    Not(Box<Expression>),
}

impl Expression {
    /// The gates it names, in order, each once.
    pub fn gates(&self) -> Vec<String> {
        let mut names = Vec::new();
        self.collect(&mut names);
        names
    }

    fn collect(&self, names: &mut Vec<String>) {
        match self {
            Expression::Gate(name) if !names.contains(name) => names.push(name.clone()),
            Expression::Gate(_) => {}
            Expression::And(a, b) | Expression::Or(a, b) => {
                a.collect(names);
                b.collect(names);
            }
            Expression::Not(a) => a.collect(names),
        }
    }

    /// The level of the whole; a gate without an answer is absent and needs a person.
    pub fn level(&self, results: &[GateResult]) -> Level {
        match self {
            Expression::Gate(name) => results.iter().find(|r| r.gate == *name).map_or(Level::NeedsPerson, |r| r.level),
            Expression::And(a, b) => a.level(results).min(b.level(results)),
            Expression::Or(a, b) => a.level(results).max(b.level(results)),
            Expression::Not(a) => match a.level(results) {
                Level::Fail => Level::Pass,
                Level::NeedsPerson => Level::NeedsPerson,
                Level::Pass => Level::Fail,
            },
        }
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Expression::Gate(name) => f.write_str(name),
            Expression::And(a, b) => {
                a.fmt_in(f, matches!(**a, Expression::Or(..)))?;
                f.write_str(" AND ")?;
                b.fmt_in(f, matches!(**b, Expression::Or(..)))
            }
            Expression::Or(a, b) => write!(f, "{a} OR {b}"),
            Expression::Not(a) => {
                f.write_str("NOT ")?;
                a.fmt_in(f, matches!(**a, Expression::Or(..) | Expression::And(..)))
            }
        }
    }
}

impl Expression {
    fn fmt_in(&self, f: &mut std::fmt::Formatter<'_>, brackets: bool) -> std::fmt::Result {
        if brackets { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

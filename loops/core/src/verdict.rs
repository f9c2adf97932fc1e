//! What an agent reports: usage, and a checker's verdict. Reports are claims; only gates are facts.

use serde::{Deserialize, Serialize};

use crate::gate::{GateResult, Level};
use crate::money::Micros;

/// What an agent says of its attempt. Everything is optional, nothing is believed beyond its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentResult {
    /// What it did, in its own words (untrusted).
    pub summary: Option<String>,
    /// What it cost.
    pub cost: Option<Micros>,
    /// Tokens used.
    pub tokens: Option<u64>,
    /// Turns taken.
    pub turns: Option<u32>,
    /// The model that answered.
    pub model: Option<String>,
    /// Why it did not try.
    pub declined: Option<String>,
    /// A checker's answer.
    pub verdict: Option<CheckerVerdict>,
}

/// A checker's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckerVerdict {
    /// Whether it accepts the change.
    pub accepted: bool,
    /// Why, one line each (untrusted).
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What it objects to.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What it did not look at.
    #[serde(default)]
    pub not_checked: Vec<String>,
}

/// One objection. File and rule count as progress when they are new; the message never does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fault {
    /// Path relative to the root.
    pub file: String,
    /// A short name of what is wrong.
    pub rule: String,
    /// In its own words (untrusted).
    #[serde(default)]
    pub message: String,
}

/// The outcome of verifying one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Expression at least needs-a-person, and the checker, if there is one, accepts.
    pub verified: bool,
    /// The level of the gates' expression.
    pub level: Level,
    /// Each gate.
    pub gates: Vec<GateResult>,
    /// The checker's answer; none = gates alone, or it gave none (see `reasons`).
    pub checker: Option<CheckerVerdict>,
    /// Who checked: an agent's name, or none for gates alone.
    pub checked_by: Option<String>,
    /// Why it is not verified, for the next attempt and the person.
    pub reasons: Vec<String>,
    /// The cases that fail with this attempt, of all gates.
    pub failing: std::collections::BTreeSet<crate::check::CaseId>,
}

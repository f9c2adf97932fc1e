//! Findings: what a loop found to do, and how one is recognised again tomorrow.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::check::{CaseId, Place};

/// The identity of a finding within its loop: a hash of source and key, as 64 hex digits.
/// Never of a line number, a time or a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl Fingerprint {
    /// The fingerprint of what `source` calls `key`.
    pub fn of(source: FindingSource, key: &str) -> Fingerprint {
        let mut hash = Sha256::new();
        hash.update(source.word().as_bytes());
        // A byte that neither part contains keeps (a, bc) and (ab, c) apart.
        hash.update([0]);
        hash.update(key.as_bytes());
        Fingerprint(crate::hex(&hash.finalize()))
    }

    /// The first eight digits: what people see and type.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// Where a finding was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingSource {
    /// A failing check on the base commit.
    Check,
    /// An open issue of the forge.
    Issue,
    /// A comment in the sources that says what is still to be done.
    Todo,
    /// A program of the project that names what is to be done.
    Command,
}

impl FindingSource {
    /// The word that is stored and hashed.
    pub fn word(self) -> &'static str {
        match self {
            FindingSource::Check => "check",
            FindingSource::Issue => "issue",
            FindingSource::Todo => "todo",
            FindingSource::Command => "command",
        }
    }
}

/// What was found, before it is compared with what is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// Where it was found.
    pub source: FindingSource,
    /// What the source calls it: a test's id, a lint's rule, an issue's number, a comment's path and text.
    pub key: String,
    /// One line for people.
    pub title: String,
    /// What is known of it, as data for the maker (untrusted text).
    pub detail: String,
    /// What "fixed" means, one line from the finding's data.
    pub should: String,
    /// The gate whose failure it is; none for what no gate reports.
    pub gate: Option<String>,
    /// The failing cases that are this finding; empty for what no gate reports.
    pub failing: BTreeSet<CaseId>,
    /// Where to look first.
    pub places: Vec<Place>,
    /// Commits that touched these places lately: short id and subject.
    pub suspects: Vec<String>,
    /// Whether it is a fault (red check, bug), so that a test added for it must fail on the base.
    pub fault: bool,
}

/// Where a finding stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FindingState {
    /// To be acted on.
    Open,
    /// A run works on it.
    Acting,
    /// A pull request for it is open.
    InReview,
    /// Its pull request landed, or a person ticked it.
    Done {
        /// It landed: seen again, it came back.
        #[serde(default)]
        landed: bool,
    },
    /// A person must decide; why.
    NeedsYou {
        /// The reason, for people.
        why: String,
    },
    /// A person wants it later.
    Snoozed {
        /// RFC 3339 UTC.
        until: String,
    },
    /// A person doesn't want it.
    Dismissed {
        /// What did it: `triage.md`, `reject`.
        by: String,
    },
    /// No longer seen on the base.
    Gone,
}

impl FindingState {
    /// The word that is stored.
    pub fn word(&self) -> &'static str {
        match self {
            FindingState::Open => "open",
            FindingState::Acting => "acting",
            FindingState::InReview => "in_review",
            FindingState::Done { .. } => "done",
            FindingState::NeedsYou { .. } => "needs_you",
            FindingState::Snoozed { .. } => "snoozed",
            FindingState::Dismissed { .. } => "dismissed",
            FindingState::Gone => "gone",
        }
    }
}

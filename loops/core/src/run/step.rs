//! The steps of a run, as they are stored within events. Only ever extended.

use serde::{Deserialize, Serialize};

use crate::definition::Until;
use crate::finding::Fingerprint;
use crate::money::Micros;

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// One try of a `run:` step.
    Run {
        /// Its name.
        name: String,
    },
    /// Nothing goes on until something is there.
    Wait {
        /// Its place in the list of chores, from 0.
        place: u32,
        /// What is waited for.
        until: Until,
    },
    /// One try of a `finally:` step, after [`crate::run::RunEvent::Ending`].
    Finally {
        /// Its name.
        name: String,
    },
    /// Fetches the base commit, runs `setup`, probes the environment.
    Prepare,
    /// Looks for work and writes the triage list.
    Discover,
    /// One round of the maker.
    Build {
        /// What it works on.
        finding: Fingerprint,
        /// The round, from 1.
        iteration: u32,
        /// Reserved before it starts.
        reserve: Micros,
    },
    /// Gates and checker on the last attempt.
    Verify {
        /// Whose.
        finding: Fingerprint,
        /// Reserved for the checker before it starts.
        reserve: Micros,
    },
    /// The pull request.
    Ship {
        /// For what.
        finding: Fingerprint,
    },
    /// A person must decide.
    HandOver {
        /// On what.
        finding: Fingerprint,
        /// Why.
        why: HandOver,
    },
    /// The rest waits.
    HoldBack {
        /// Why.
        why: HoldBack,
    },
}

/// Why a finding is handed to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum HandOver {
    /// The cap of rounds is reached.
    IterationCap {
        /// The cap.
        cap: u32,
    },
    /// Rounds in a row changed nothing that counts.
    NoProgress {
        /// How many.
        rounds: u32,
    },
    /// The maker says that it can't.
    Declined {
        /// In its own words (untrusted).
        why: String,
    },
    /// A step of it failed for a reason outside of the work.
    StepFailed {
        /// The error.
        why: String,
    },
}

/// Why findings wait for another run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum HoldBack {
    /// The run has acted on as many as it may.
    MaxFindings {
        /// The limit.
        max: u32,
    },
    /// As many pull requests wait for the person as may.
    ReviewFull {
        /// The limit.
        max: u32,
    },
}

impl Step {
    /// Its word in logs and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Run { .. } => "run",
            Step::Wait { .. } => "wait",
            Step::Finally { .. } => "finally",
            Step::Prepare => "prepare",
            Step::Discover => "discover",
            Step::Build { .. } => "build",
            Step::Verify { .. } => "verify",
            Step::Ship { .. } => "ship",
            Step::HandOver { .. } => "hand over",
            Step::HoldBack { .. } => "hold back",
        }
    }

    /// What people call it: the name of a `run:` or `finally:` step, else [`Step::name`].
    pub fn called(&self) -> &str {
        match self {
            Step::Run { name } | Step::Finally { name } => name,
            other => other.name(),
        }
    }

    /// The finding that it is about.
    pub fn finding(&self) -> Option<&Fingerprint> {
        match self {
            Step::Run { .. } | Step::Wait { .. } | Step::Finally { .. } => None,
            Step::Prepare | Step::Discover | Step::HoldBack { .. } => None,
            Step::Build { finding, .. }
            | Step::Verify { finding, .. }
            | Step::Ship { finding }
            | Step::HandOver { finding, .. } => Some(finding),
        }
    }

    /// What it reserves before it starts; none if it never costs anything.
    pub fn reserved(&self) -> Option<Micros> {
        match self {
            Step::Build { reserve, .. } | Step::Verify { reserve, .. } => Some(*reserve),
            _ => None,
        }
    }
}

impl HandOver {
    /// One line for people.
    pub fn text(&self) -> String {
        match self {
            HandOver::IterationCap { cap: 1 } => "not verified after 1 iteration".to_owned(),
            HandOver::IterationCap { cap } => format!("not verified after {cap} iterations"),
            HandOver::NoProgress { rounds: 1 } => "no progress".to_owned(),
            HandOver::NoProgress { rounds } => format!("no progress {rounds} times in a row"),
            HandOver::Declined { why } => format!("the maker did not try: {why}"),
            HandOver::StepFailed { why } => why.clone(),
        }
    }
}

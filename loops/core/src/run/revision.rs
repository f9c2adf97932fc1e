//! Why a run works on a pull request again, as it is stored. Only ever extended.

use serde::{Deserialize, Serialize};

use crate::ids::PullRequestId;

/// A pull request that a run works on again: its next attempt updates that pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// Which.
    pub pull_request: PullRequestId,
    /// The commit that it showed, in the engine's repository: what the first attempt starts from, carried onto the base.
    pub commit: String,
    /// Why.
    pub why: Revise,
}

/// Why a pull request is worked on again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Revise {
    /// The target branch moved: the same change on the new base, by no agent, judged by gates alone.
    Moved,
    /// A person sent it back: another attempt of the maker, with what is to be different.
    SentBack {
        /// The person's words.
        note: String,
    },
}

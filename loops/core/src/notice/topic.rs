//! What a notification tells of, as a word that is the same whenever it is the same thing.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::PullRequestId;

/// One thing that is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Topic(pub String);

impl Topic {
    /// A pull request as it is shown: with another tree it is told anew.
    pub fn waiting(id: PullRequestId, tree: &str) -> Topic {
        Topic(format!("pr:{id}:{tree}"))
    }

    /// A finding that a run handed over, or a run that was stopped.
    pub fn handed_over(loop_name: &str, what: &str, run: &str) -> Topic {
        Topic(format!("handed:{loop_name}:{what}:{run}"))
    }

    /// A ceiling.
    pub fn budget(ceiling: &str) -> Topic {
        Topic(format!("budget:{ceiling}"))
    }

    /// A key that a loop lacks.
    pub fn key(loop_name: &str, provider: &str) -> Topic {
        Topic(format!("key:{loop_name}:{provider}"))
    }

    /// A run that failed.
    pub fn failed(run: &str) -> Topic {
        Topic(format!("failed:{run}"))
    }

    /// A time of a loop that was missed.
    pub fn missed(loop_name: &str, due: DateTime<Utc>) -> Topic {
        Topic(format!("missed:{loop_name}:{}", due.timestamp()))
    }

    /// An approval on its way.
    pub fn merging(id: PullRequestId) -> Topic {
        Topic(format!("merging:{id}"))
    }

    /// That this desktop has no tray.
    pub fn no_tray() -> Topic {
        Topic("no-tray".to_owned())
    }

    /// The pull request of an approval on its way.
    pub fn merging_of(&self) -> Option<PullRequestId> {
        self.0.strip_prefix("merging:")?.parse().ok()
    }

    /// The loop of a missed time, whichever it was.
    pub(super) fn missed_loop(&self) -> Option<&str> {
        self.0.strip_prefix("missed:")?.rsplit_once(':').map(|(name, _)| name)
    }
}

//! Pull requests as Loopwright sees them: a state machine folded over events, and the binding of an approval to what was shown.
//!
//! The texts of a pull request are in [`text`]; how one lands is the engine's.

pub mod harmless;
pub mod text;

use serde::{Deserialize, Serialize};

/// What a person sees, and what an approval is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The commit, as hex.
    pub commit: String,
    /// Its tree, as hex: what is typed to approve it.
    pub tree: String,
    /// The id of the change apart from where it stands, as hex.
    pub patch_id: String,
    /// SHA-256 of the patch that was rendered, as hex.
    pub diff_sha256: String,
}

/// How a decision reached us; one from a notification is recorded as unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A terminal.
    Terminal,
    /// The review window.
    Window,
    /// A notification, without the diff.
    Notification,
}

/// Where a pull request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It waits for a person.
    Open {
        /// What it shows.
        shown: Shown,
    },
    /// A person approved it; it lands as soon as the way is clear.
    Approved {
        /// What was approved.
        shown: Shown,
        /// Why it has not landed yet.
        waiting: Option<String>,
        /// The commit that the branch is to get, as hex, once a landing was begun: it stays the same however often that is tried.
        landing: Option<String>,
    },
    /// A person wants another attempt; the next one opens it again.
    SentBack {
        /// What it showed.
        shown: Shown,
        /// What is to be different.
        note: String,
    },
    /// It is on the branch.
    Merged {
        /// The commit that the branch got.
        commit: String,
    },
    /// A person does not want it.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It was closed by others, on the forge.
    ClosedElsewhere,
    /// It was on the branch and was taken back.
    Reverted {
        /// The commit that did it.
        by: String,
    },
}

/// What happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// It was opened.
    Opened {
        /// What it shows.
        shown: Shown,
    },
    /// It shows another commit: a new attempt, or the same change on a newer base.
    Updated {
        /// What it shows now.
        shown: Shown,
    },
    /// A person approved what was shown.
    Approved {
        /// What was approved.
        shown: Shown,
        /// How.
        via: Via,
    },
    /// The approval was taken back before it took effect.
    Undone,
    /// An approved change could not land yet.
    Waiting {
        /// Why.
        why: String,
    },
    /// The commit that the branch is to get is made; written before anybody can see it, let alone the branch.
    Landing {
        /// The commit, as hex.
        commit: String,
        /// Who stands in it as its committer: `Una User <una@example.org>`.
        committer: String,
    },
    /// It landed.
    Merged {
        /// The commit that the branch got.
        commit: String,
    },
    /// A person sent it back.
    SentBack {
        /// What is to be different.
        note: String,
    },
    /// A person rejected it.
    Rejected {
        /// Why.
        reason: String,
    },
    /// It was closed on the forge.
    ClosedElsewhere,
    /// It was taken back after it had landed.
    Reverted {
        /// The commit that did it.
        by: String,
    },
}

/// Why an event can't have happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReviewError {
    /// Nothing can happen to what was not opened.
    #[error("the first event is `{event}`, not `opened`")]
    NotOpened {
        /// The event.
        event: &'static str,
    },
    /// It does not lead on from where it stands.
    #[error("a pull request that is {state} can't be {event}")]
    Illegal {
        /// The state's word.
        state: &'static str,
        /// The event's word.
        event: &'static str,
    },
    /// Something else is shown by now.
    #[error("the pull request changed since it was shown: it has tree {now}, not {asked}")]
    Stale {
        /// The first 12 digits of the tree.
        now: String,
        /// The first 12 digits of what was approved.
        asked: String,
    },
}

/// Folds all events of a pull request.
///
/// # Errors
/// The first illegal one.
pub fn fold<'e>(events: impl IntoIterator<Item = &'e Event>) -> Result<Option<State>, ReviewError> {
    events.into_iter().try_fold(None, |state, event| next(state, event).map(Some))
}

/// Where an event leads.
///
/// # Errors
/// It can't happen in this state.
pub fn next(state: Option<State>, event: &Event) -> Result<State, ReviewError> {
    let Some(state) = state else {
        return match event {
            Event::Opened { shown } => Ok(State::Open { shown: shown.clone() }),
            other => Err(ReviewError::NotOpened { event: other.word() }),
        };
    };
    let illegal = ReviewError::Illegal { state: state.word(), event: event.word() };
    match (state, event) {
        (State::Open { shown: now }, Event::Approved { shown, .. }) => approve(&now, shown),
        // The same change on a newer base stays approved; another one goes back to the person.
        (State::Approved { shown: old, waiting, .. }, Event::Updated { shown }) if old.patch_id == shown.patch_id => {
            Ok(State::Approved { shown: shown.clone(), waiting, landing: None })
        }
        (State::Open { .. } | State::Approved { .. } | State::SentBack { .. }, Event::Updated { shown }) => {
            Ok(State::Open { shown: shown.clone() })
        }
        (State::Approved { shown, .. }, Event::Undone) => Ok(State::Open { shown }),
        (State::Approved { shown, landing, .. }, Event::Waiting { why }) => {
            Ok(State::Approved { shown, waiting: Some(why.clone()), landing })
        }
        (State::Approved { shown, waiting, .. }, Event::Landing { commit, .. }) => {
            Ok(State::Approved { shown, waiting, landing: Some(commit.clone()) })
        }
        (State::Approved { .. }, Event::Merged { commit }) => Ok(State::Merged { commit: commit.clone() }),
        (State::Open { shown } | State::Approved { shown, .. }, Event::SentBack { note }) => {
            Ok(State::SentBack { shown, note: note.clone() })
        }
        (s, Event::Rejected { reason }) if s.undecided() => Ok(State::Rejected { reason: reason.clone() }),
        (s, Event::ClosedElsewhere) if s.undecided() => Ok(State::ClosedElsewhere),
        (State::Merged { .. }, Event::Reverted { by }) => Ok(State::Reverted { by: by.clone() }),
        _ => Err(illegal),
    }
}

fn approve(now: &Shown, shown: &Shown) -> Result<State, ReviewError> {
    if now == shown {
        return Ok(State::Approved { shown: shown.clone(), waiting: None, landing: None });
    }
    let short = |tree: &str| tree.chars().take(12).collect();
    Err(ReviewError::Stale { now: short(&now.tree), asked: short(&shown.tree) })
}

impl State {
    /// The word that is stored and shown.
    pub fn word(&self) -> &'static str {
        match self {
            State::Open { .. } => "open",
            State::Approved { .. } => "approved",
            State::SentBack { .. } => "sent back",
            State::Merged { .. } => "merged",
            State::Rejected { .. } => "rejected",
            State::ClosedElsewhere => "closed elsewhere",
            State::Reverted { .. } => "reverted",
        }
    }

    /// Whether it can still land.
    pub fn undecided(&self) -> bool {
        matches!(self, State::Open { .. } | State::Approved { .. } | State::SentBack { .. })
    }
}

impl Event {
    /// The word for messages.
    pub fn word(&self) -> &'static str {
        match self {
            Event::Opened { .. } => "opened",
            Event::Updated { .. } => "updated",
            Event::Approved { .. } => "approved",
            Event::Undone => "undone",
            Event::Waiting { .. } => "kept waiting",
            Event::Landing { .. } => "landed",
            Event::Merged { .. } => "merged",
            Event::SentBack { .. } => "sent back",
            Event::Rejected { .. } => "rejected",
            Event::ClosedElsewhere => "closed elsewhere",
            Event::Reverted { .. } => "reverted",
        }
    }
}

/// Fewest digits of a tree that name it.
const PREFIX: usize = 12;

/// Why an approval is not bound to what is shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    /// Too few digits, or something else.
    #[error("`{asked}` is not a tree: give at least {PREFIX} of its hex digits, as `review` prints them")]
    NotATree {
        /// What was given.
        asked: String,
    },
    /// It is the tree of something else.
    #[error("the pull request has tree {now}, not {asked}: it changed since you looked; review it again")]
    Mismatch {
        /// The first 12 digits of what it shows.
        now: String,
        /// What was given.
        asked: String,
    },
}

/// Binds an approval to what is shown, by at least 12 hex digits of its tree.
///
/// # Errors
/// The digits are too few or belong to something else.
pub fn bind<'s>(shown: &'s Shown, asked: &str) -> Result<&'s Shown, BindError> {
    let asked = asked.to_ascii_lowercase();
    let hex = asked.bytes().all(|b| b.is_ascii_hexdigit());
    if !hex || asked.len() < PREFIX || asked.len() > shown.tree.len() {
        return Err(BindError::NotATree { asked: harmless::line(&asked, 80) });
    }
    if !shown.tree.starts_with(&asked) {
        return Err(BindError::Mismatch { now: shown.tree.chars().take(PREFIX).collect(), asked });
    }
    Ok(shown)
}

#[cfg(test)]
mod tests;

//! Pull requests as Loopwright sees them: a state machine folded over events.
//!
//! The texts of a pull request are in [`text`], how an approval is bound to what was shown in `binding`, until when one is
//! put off in [`later`]; how one lands is the engine's.

mod binding;
pub mod comments;
pub mod harmless;
pub mod later;
mod risk;
pub mod text;

use serde::{Deserialize, Serialize};

pub use binding::{BindError, bind};
pub use risk::{Risk, risk};

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

/// How a decision reached us; one from a notification or the tray is recorded as unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A terminal.
    Terminal,
    /// The review window.
    Window,
    /// A notification, without the diff.
    Notification,
    /// The menu of the tray, without the diff.
    Tray,
}

impl Via {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Via::Terminal => "terminal",
            Via::Window => "window",
            Via::Notification => "notification",
            Via::Tray => "tray",
        }
    }

    /// How long an approval can be undone before it takes effect, in seconds.
    pub fn grace_s(self) -> u32 {
        match self {
            Via::Terminal => 0,
            Via::Window => 5,
            Via::Notification | Via::Tray => 20,
        }
    }

    /// Whether the diff was on screen, as far as we know.
    pub fn read(self) -> bool {
        matches!(self, Via::Terminal | Via::Window)
    }
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
        /// What it showed.
        shown: Shown,
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
        /// The change is the same, and all the same a person must look again: a gate asks for it now and did not before.
        #[serde(default, skip_serializing_if = "is_false")]
        look_again: bool,
    },
    /// A person approved what was shown.
    Approved {
        /// What was approved.
        shown: Shown,
        /// How.
        via: Via,
        /// When it takes effect, RFC 3339 UTC; none = at once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lands_at: Option<String>,
    },
    /// A decision was taken back: an approval that had not landed, a sending back whose run had not begun, a rejection.
    Undone,
    /// What followed from a decision could not be done: it waits for a person again, as it was.
    Reopened {
        /// Why, with what to do.
        why: String,
    },
    /// A person put it off, which decides nothing.
    Later {
        /// RFC 3339 UTC; none = it is no longer put off.
        until: Option<String>,
    },
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
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
        (State::Approved { shown: old, waiting, .. }, Event::Updated { shown, look_again: false })
            if old.patch_id == shown.patch_id =>
        {
            Ok(State::Approved { shown: shown.clone(), waiting, landing: None })
        }
        (State::Open { .. } | State::Approved { .. } | State::SentBack { .. }, Event::Updated { shown, .. }) => {
            Ok(State::Open { shown: shown.clone() })
        }
        (
            State::Approved { shown, .. } | State::SentBack { shown, .. } | State::Rejected { shown, .. },
            Event::Undone,
        )
        | (State::Approved { shown, .. } | State::SentBack { shown, .. }, Event::Reopened { .. }) => {
            Ok(State::Open { shown })
        }
        (s @ (State::Open { .. } | State::SentBack { .. }), Event::Later { .. }) => Ok(s),
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
        (
            State::Open { shown } | State::Approved { shown, .. } | State::SentBack { shown, .. },
            Event::Rejected { reason },
        ) => Ok(State::Rejected { shown, reason: reason.clone() }),
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

    /// What it shows, as long as it can be decided on or its decision taken back.
    pub fn shown(&self) -> Option<&Shown> {
        match self {
            State::Open { shown }
            | State::Approved { shown, .. }
            | State::SentBack { shown, .. }
            | State::Rejected { shown, .. } => Some(shown),
            State::Merged { .. } | State::ClosedElsewhere | State::Reverted { .. } => None,
        }
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
            Event::Reopened { .. } => "reopened",
            Event::Later { .. } => "put off",
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

#[cfg(test)]
mod tests;

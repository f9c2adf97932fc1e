//! `undo`: takes the last decision on a pull request back, as long as nothing followed from it.

use loopwright_core::exit;
use loopwright_core::finding::FindingState;
use loopwright_core::ids::ReviewId;
use loopwright_core::review::{Event, State, Via};
use rusqlite::Transaction;
use uuid::Uuid;

use super::{ApiError, Context, UndoView, landing, reviews};
use crate::steps::stamp;
use crate::store::pull_requests::{self as stored, LinkedFinding, PullRequestRecord};
use crate::store::reviews::{self as decisions, Decision};
use crate::store::{Store, due, findings};

/// Takes back an approval that has not landed, a rejection, a sending back whose run has not begun, or a putting off.
///
/// # Errors
/// There is nothing to take back, or something followed from it; nothing was written then.
pub fn undo(context: &Context, typed: &str, via: Via) -> Result<UndoView, ApiError> {
    let mut store = context.acting()?;
    let record = reviews::find(&store, typed)?;
    let (_no_landing, state) = landing::hold(context, &mut store, &record)?;
    let (event, what) = match &state {
        State::Approved { .. } => (Event::Undone, "approval"),
        State::Rejected { .. } => (Event::Undone, "rejection"),
        State::SentBack { .. } => (Event::Undone, "sending back"),
        State::Open { .. } if record.later_until.is_some() => (Event::Later { until: None }, "putting off"),
        other => return Err(nothing(other)),
    };
    let linked = stored::findings(store.read(), record.id)?;
    let at = stamp(context.now);
    let decision = Decision {
        id: ReviewId(Uuid::now_v7()),
        pull_request: record.id,
        word: "undo",
        via,
        tree: &record.tree,
        at: &at,
        note: Some(what),
    };
    stored::advance(&mut store, record.id, &event, &at, |tx| {
        undone(tx, &record, &linked, &state)?;
        decisions::put(tx, &decision)
    })
    .or_else(|error| explained(&store, &record, error))?;
    Ok(UndoView { id: record.id, what: what.to_owned(), state: "open".to_owned() })
}

/// What else the decision had moved.
fn undone(
    tx: &Transaction<'_>,
    record: &PullRequestRecord,
    linked: &[LinkedFinding],
    state: &State,
) -> anyhow::Result<()> {
    match state {
        State::Approved { .. } => due::skip(tx, record.id, due::MOVED, "the approval was undone").map(drop),
        State::SentBack { .. } => {
            let waited = due::skip(tx, record.id, due::REVIEW, "the sending back was undone")?;
            if waited { Ok(()) } else { Err(TooLate::RunBegan.into()) }
        }
        State::Rejected { .. } => {
            for linked in linked {
                let other = stored::undecided_for(tx, record.loop_id, &linked.finding)?;
                if let Some(other) = other.filter(|other| other.id != record.id) {
                    return Err(TooLate::AnotherStands(other.id.short()).into());
                }
                findings::set_state(tx, record.loop_id, &linked.finding, &FindingState::InReview)?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What followed from a decision.
#[derive(Debug, thiserror::Error)]
enum TooLate {
    /// Its attempt is made.
    #[error("its next attempt has begun")]
    RunBegan,
    /// Its finding has another one.
    #[error("pull request {0} stands for its finding by now")]
    AnotherStands(String),
}

/// The error with what a person can do all the same.
fn explained(store: &Store, record: &PullRequestRecord, error: anyhow::Error) -> Result<(), ApiError> {
    let hint = match error.downcast_ref::<TooLate>() {
        Some(TooLate::RunBegan) => {
            let run = due::last_on(store.read(), record.id)?.and_then(|asked| asked.run);
            run.map(|run| {
                format!("`loopwright halt --run {}` ends it, and the pull request is open again as it was", run.short())
            })
        }
        Some(TooLate::AnotherStands(other)) => Some(format!("decide on that one first: loopwright review {other}")),
        None => return Err(error.into()),
    };
    Err(ApiError { hint, ..ApiError::new(exit::FAILED, error) })
}

fn nothing(state: &State) -> ApiError {
    let error = ApiError::new(exit::FAILED, format!("nothing to take back: it is {}", state.word()));
    match state {
        State::Merged { commit } => error.hint(format!("git revert {commit}")),
        _ => error,
    }
}

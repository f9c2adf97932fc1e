//! `undo`: takes the last decision on a pull request back, as long as nothing followed from it.

use loopwright_core::exit;
use loopwright_core::finding::FindingState;
use loopwright_core::ids::ReviewId;
use loopwright_core::review::{Event, State, Via};
use loopwright_core::run::Revise;
use rusqlite::Transaction;
use uuid::Uuid;

use super::{ApiError, Context, UndoView, landing, reviews, revise};
use crate::steps::stamp;
use crate::store::due::Due;
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
    let away = record.later_until.as_ref().is_some_and(|until| *until > stamp(context.now));
    let (event, what) = match &state {
        // It was decided after the sending back, which would have ended it.
        State::Open { .. } | State::SentBack { .. } if away => (Event::Later { until: None }, "putting off"),
        State::Approved { .. } => (Event::Undone, "approval"),
        State::Rejected { .. } => (Event::Undone, "rejection"),
        State::SentBack { .. } => (Event::Undone, "sending back"),
        other => return Err(nothing(other)),
    };
    let linked = stored::findings(store.read(), record.id)?;
    let (id, at) = (ReviewId(Uuid::now_v7()), stamp(context.now));
    let again = match state {
        State::Rejected { .. } => attempt(context, &store, &record, id)?,
        _ => None,
    };
    let decision =
        Decision { id, pull_request: record.id, word: "undo", via, tree: &record.tree, at: &at, note: Some(what) };
    stored::advance(&mut store, record.id, &event, &at, |tx| {
        undone(tx, &record, &linked, (&state, &event))?;
        again.iter().try_for_each(|again| sent_back(tx, &record, again, &at))?;
        decisions::put(tx, &decision)
    })
    .or_else(|error| explained(&store, &record, error))?;
    let state = stored::by_id(store.read(), record.id)?.map_or_else(String::new, |now| now.state);
    Ok(UndoView { id: record.id, what: what.to_owned(), state })
}

/// The attempt that a person had asked for before the rejection.
struct Again {
    note: String,
    /// To be asked for anew, as the rejection came before its run; none = its run goes on.
    due: Option<Due>,
}

/// That attempt, unless its run came to its end meanwhile: it found the pull request rejected, and was left out.
fn attempt(
    context: &Context,
    store: &Store,
    record: &PullRequestRecord,
    id: ReviewId,
) -> anyhow::Result<Option<Again>> {
    let events = stored::events(store.read(), record.id)?;
    let before = events.into_iter().rev().map(|(_, event)| event);
    let mut before = before.skip_while(|event| matches!(event, Event::Rejected { .. } | Event::Later { .. }));
    let Some(Event::SentBack { note }) = before.next() else { return Ok(None) };
    let asked = due::last_on(store.read(), record.id)?;
    let due = match asked {
        Some(asked) if !asked.ended() => None,
        Some(asked) if asked.run.is_none() => {
            let why = Revise::SentBack { note: note.clone() };
            Some(revise::due_now(context, record, due::REVIEW, id.to_string(), why))
        }
        _ => return Ok(None),
    };
    Ok(Some(Again { note, due }))
}

fn sent_back(tx: &Transaction<'_>, record: &PullRequestRecord, again: &Again, at: &str) -> anyhow::Result<()> {
    stored::step(tx, record.id, &Event::SentBack { note: again.note.clone() }, at)?;
    again.due.iter().try_for_each(|due| due::put(tx, due))
}

/// What else the decision had moved.
fn undone(
    tx: &Transaction<'_>,
    record: &PullRequestRecord,
    linked: &[LinkedFinding],
    (state, event): (&State, &Event),
) -> anyhow::Result<()> {
    match state {
        _ if matches!(event, Event::Later { .. }) => Ok(()),
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

//! `send-back`: another attempt on a pull request, with what the person wants to be different.

use anyhow::Context as _;
use loopwright_core::exit;
use loopwright_core::ids::ReviewId;
use loopwright_core::review::{Event, State, Via};
use loopwright_core::revise as rules;
use loopwright_core::run::Revise;
use uuid::Uuid;

use super::{ApiError, Context, SendBackView, landing, reviews, revise};
use crate::steps::stamp;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::reviews::{self as decisions, Decision};
use crate::store::{Store, due, findings, loops};

/// Sends a pull request back with a note; its next attempt begins as soon as its loop is free and not halted.
///
/// # Errors
/// The note is empty, or it is decided already; nothing was written then.
pub fn send_back(context: &Context, typed: &str, note: &str, via: Via) -> Result<SendBackView, ApiError> {
    let note = rules::note(note).ok_or_else(|| {
        ApiError::new(exit::USAGE, "sending back wants a note").hint("say what is to be different: --note \"…\"")
    })?;
    let mut store = context.landing()?;
    let record = reviews::find(&store, typed)?;
    let (no_landing, state) = landing::hold(context, &mut store, &record)?;
    if !matches!(state, State::Open { .. } | State::Approved { .. }) {
        let verb = if matches!(state, State::Rejected { .. }) { "undo" } else { "review" };
        return Err(ApiError::new(exit::FAILED, format!("it is {} already", state.word()))
            .hint(format!("loopwright {verb} {}", record.id.short())));
    }
    let (id, at) = (ReviewId(Uuid::now_v7()), stamp(context.now));
    let why = Revise::SentBack { note: note.clone() };
    let due = revise::due_now(context, &record, due::REVIEW, id.to_string(), why);
    let decision = Decision {
        id,
        pull_request: record.id,
        word: "send_back",
        via,
        tree: &record.tree,
        at: &at,
        note: Some(&note),
    };
    stored::advance(&mut store, record.id, &Event::SentBack { note: note.clone() }, &at, |tx| {
        // An approval that was to be checked on a moved base is no more.
        due::skip(tx, record.id, due::MOVED, "the pull request was sent back")?;
        due::put(tx, &due)?;
        decisions::put(tx, &decision)
    })?;
    drop(no_landing);
    let granted = granted(&store, &record)?;
    let deeds = revise::begin_due(context, &mut store)?;
    let held = revise::held_now(&deeds, record.id);
    view(&store, &record, note, granted, held)
}

/// The cap of its loop, where a round is granted that it would not allow.
fn granted(store: &Store, record: &PullRequestRecord) -> Result<Option<u32>, ApiError> {
    let (rounds, max) = rounds(store, record)?;
    Ok(rules::grants_one(rounds, max).then_some(max))
}

/// How many rounds its loop still allows.
pub(super) fn rounds_left(store: &Store, record: &PullRequestRecord) -> anyhow::Result<u32> {
    let (rounds, max) = rounds(store, record)?;
    Ok(max.saturating_sub(u32::try_from(rounds).unwrap_or(u32::MAX)))
}

/// How many rounds its finding had, and how many its loop allows.
fn rounds(store: &Store, record: &PullRequestRecord) -> anyhow::Result<(usize, u32)> {
    let max = reviews::run_start(store, record)?.rails.max_iterations;
    let linked = stored::findings(store.read(), record.id)?;
    let Some(first) = linked.first() else { return Ok((0, max)) };
    let known = findings::one(store.read(), record.loop_id, &first.finding)?;
    Ok((known.map_or(0, |known| known.rounds.len()), max))
}

fn view(
    store: &Store,
    record: &PullRequestRecord,
    note: String,
    granted: Option<u32>,
    held: Option<(String, Option<String>)>,
) -> Result<SendBackView, ApiError> {
    let row = loops::by_id(store.read(), record.loop_id)?;
    let asked = due::last_on(store.read(), record.id)?.context("what was asked for is not stored")?;
    let (held, repair) = held.map_or((None, None), |(why, command)| (Some(why), command));
    let waits = match asked.state.as_str() {
        "due" => Some(held.unwrap_or_else(|| format!("{} is running; it begins after that run", row.name))),
        "failed" => Some(asked.reason.unwrap_or_else(|| "its run did not begin".to_owned())),
        _ => None,
    };
    Ok(SendBackView {
        id: record.id,
        note,
        run: asked.run,
        repair: repair.filter(|_| waits.is_some()),
        waits,
        granted,
        undo: format!("loopwright undo {}", record.id.short()),
    })
}

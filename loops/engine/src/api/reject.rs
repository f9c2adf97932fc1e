//! `reject`: a person does not want a change; its finding is left alone until what fails changes or a person asks for it.

use loopwright_core::exit;
use loopwright_core::finding::FindingState;
use loopwright_core::ids::ReviewId;
use loopwright_core::review::{Event, Via};
use loopwright_core::revise::note;
use uuid::Uuid;

use super::{ApiError, Context, RejectView, approve, landing, reviews};
use crate::steps::stamp;
use crate::store::pull_requests as stored;
use crate::store::reviews::{self as decisions, Decision};
use crate::store::{due, findings};

/// What dismissed a finding, as it is stored.
const BY: &str = "reject";

/// Rejects a pull request; works under HALT too.
///
/// # Errors
/// No reason is given, or it is decided already; nothing was written then.
pub fn reject(context: &Context, typed: &str, reason: &str, via: Via) -> Result<RejectView, ApiError> {
    let reason = note(reason).ok_or_else(|| {
        ApiError::new(exit::USAGE, "rejecting wants a reason").hint("say why, it is remembered: --reason \"…\"")
    })?;
    let mut store = context.acting()?;
    let record = reviews::find(&store, typed)?;
    let (_no_landing, state) = landing::hold(context, &mut store, &record)?;
    if !state.undecided() {
        return Err(approve::decided(&record, state.word()));
    }
    let at = stamp(context.now);
    let decision = Decision {
        id: ReviewId(Uuid::now_v7()),
        pull_request: record.id,
        word: "reject",
        via,
        tree: &record.tree,
        at: &at,
        note: Some(&reason),
    };
    let linked = stored::findings(store.read(), record.id)?;
    stored::advance(&mut store, record.id, &Event::Rejected { reason: reason.clone() }, &at, |tx| {
        for trigger in [due::MOVED, due::REVIEW] {
            due::skip(tx, record.id, trigger, "the pull request was rejected")?;
        }
        let state = FindingState::Dismissed { by: BY.to_owned() };
        linked.iter().try_for_each(|l| findings::set_state(tx, record.loop_id, &l.finding, &state))?;
        decisions::put(tx, &decision)
    })?;
    let finding = linked.first().map(|l| l.finding.short().to_owned()).unwrap_or_default();
    Ok(RejectView {
        id: record.id,
        reason,
        again: format!("loopwright run {} --finding {finding}", record.loop_name),
        undo: format!("loopwright undo {}", record.id.short()),
    })
}

//! `later`: out of sight until a time; it decides nothing.

use loopwright_core::exit;
use loopwright_core::ids::ReviewId;
use loopwright_core::review::later::until;
use loopwright_core::review::{Event, Via};
use uuid::Uuid;

use super::{ApiError, Context, LaterView, approve, reviews};
use crate::steps::stamp;
use crate::store::pull_requests as stored;
use crate::store::reviews::{self as decisions, Decision};

/// Puts a pull request off until what `when` means here; works under HALT too.
///
/// # Errors
/// It means no time to come, or it is decided already; nothing was written then.
pub fn later(context: &Context, typed: &str, when: &str, via: Via) -> Result<LaterView, ApiError> {
    let until = until(when, context.now, context.zone).map_err(|error| ApiError::new(exit::USAGE, error))?;
    let mut store = context.acting()?;
    let record = reviews::find(&store, typed)?;
    if !matches!(record.state.as_str(), "open" | "sent back") {
        return Err(approve::decided(&record, &record.state));
    }
    let (until, at) = (stamp(until), stamp(context.now));
    let decision = Decision {
        id: ReviewId(Uuid::now_v7()),
        pull_request: record.id,
        word: "later",
        via,
        tree: &record.tree,
        at: &at,
        note: Some(&until),
    };
    let event = Event::Later { until: Some(until.clone()) };
    stored::advance(&mut store, record.id, &event, &at, |tx| decisions::put(tx, &decision))?;
    Ok(LaterView { id: record.id, until, undo: format!("loopwright undo {}", record.id.short()) })
}

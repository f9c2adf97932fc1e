//! What the Review window lists: what waits, by how much it asks for; what was sent back; what was decided today.

use std::cmp::Reverse;

use chrono::{DateTime, LocalResult, NaiveTime, TimeZone, Utc};
use loopwright_core::review::{Risk, risk};
use serde::Serialize;

use super::landing::is_ahead;
use super::{ApiError, Context, PullRequestRow, reviews};
use crate::steps::stamp;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::{Store, runs};

/// The queue of the Review window.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct QueueView {
    /// What waits for a decision: the quickest first, then the oldest.
    pub waiting: Vec<QueueRow>,
    /// What is put off, the first to come back first.
    pub later: Vec<QueueRow>,
    /// What is worked on again.
    pub sent_back: Vec<QueueRow>,
    /// What was approved, merged or rejected since midnight, and approvals that did not land yet; the newest first.
    pub decided: Vec<QueueRow>,
    /// Whether there ever was a pull request.
    pub ever: bool,
}

/// A pull request of the queue.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct QueueRow {
    /// The row.
    pub row: PullRequestRow,
    /// What a decision asks for.
    pub risk: Risk,
    /// Why, if it is not quick.
    pub why: Option<String>,
}

/// The queue of the Review window.
///
/// # Errors
/// The store can't be read.
pub fn review_queue(context: &Context) -> Result<QueueView, ApiError> {
    let store = context.store()?;
    let mut view = QueueView {
        waiting: vec![],
        later: vec![],
        sent_back: vec![],
        decided: vec![],
        ever: stored::any(store.read())?,
    };
    for record in stored::list(store.read(), false)? {
        let row = queue_row(&store, &record)?;
        match record.state.as_str() {
            "approved" => view.decided.push(row),
            "sent back" => view.sent_back.push(row),
            _ if is_ahead(context, record.later_until.as_deref()) => view.later.push(row),
            _ => view.waiting.push(row),
        }
    }
    for record in stored::decided_since(store.read(), &stamp(midnight(context)))? {
        view.decided.push(queue_row(&store, &record)?);
    }
    view.waiting.sort_by_key(|row| (row.risk, row.row.opened.clone(), Reverse(row.row.cost)));
    view.later.sort_by_key(|row| row.row.later_until.clone());
    view.decided.reverse();
    Ok(view)
}

fn queue_row(store: &Store, record: &PullRequestRecord) -> Result<QueueRow, ApiError> {
    let row = reviews::row(store, record)?;
    let (verdict, _, _) = runs::attempt(store.read(), &record.attempt)?;
    let (risk, why) = match &verdict {
        Some(verdict) => risk(verdict, row.stat),
        None => (Risk::Risky, Some("its verdict is not stored".to_owned())),
    };
    Ok(QueueRow { row, risk, why })
}

/// When today began for this computer.
fn midnight(context: &Context) -> DateTime<Utc> {
    let today = context.now.with_timezone(&context.zone).date_naive().and_time(NaiveTime::MIN);
    match context.zone.from_local_datetime(&today) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.with_timezone(&Utc),
        // A day that begins in a gap: a little too much is no harm.
        LocalResult::None => context.now - chrono::Duration::hours(24),
    }
}

//! One reconcile pass: what lost its process gets its end; approved changes that waited land. Without input, safe to repeat.

use std::fs;

use anyhow::Result;
use chrono::Duration;
use loopwright_core::lease;
use loopwright_core::run::RunEvent;

use super::{Context, approve};
use crate::runner::end_left_by;
use crate::steps::stamp;
use crate::store::{Store, occurrences, projection, pull_requests, runs};

/// How long a claimed occurrence may take until its run begins.
const BEGIN_WITHIN: Duration = Duration::seconds(60);

/// Brings the store in line with what lives.
///
/// # Errors
/// The store can't be read or written.
pub(super) fn reconcile(context: &Context, store: &mut Store) -> Result<()> {
    for record in runs::live(store.read())? {
        let dir = context.home.run(record.id);
        if crate::lease::is_free(&dir)? {
            end(context, store, record.id)?;
        }
    }
    let before = stamp(context.now - BEGIN_WITHIN);
    for lost in occurrences::never_begun(store.read(), &before)? {
        store.write(|tx| occurrences::set(tx, lost, "failed", Some("its run never began")))?;
    }
    for waiting in pull_requests::list(store.read(), false)?.into_iter().filter(|p| p.state == "approved") {
        // What still can't land waits on; it says why when it is looked at.
        if let Err(error) = approve::land_approved(context, store, &waiting) {
            tracing::info!(pull_request = %waiting.id, "an approved change still waits: {error:#}");
        }
    }
    Ok(())
}

/// Writes the end of a run that lost its runner.
fn end(context: &Context, store: &mut Store, id: loopwright_core::ids::RunId) -> Result<()> {
    let Some(mut run) = projection::replay(store.read(), id)? else { return Ok(()) };
    if run.end.is_some() {
        return Ok(());
    }
    let left = fs::read(context.home.run(id).join(lease::END)).ok().and_then(|bytes| lease::End::parse(&bytes));
    let event = RunEvent::RunEnded { end: end_left_by(left.as_ref()) };
    projection::record(store, &mut run, event, &stamp(context.now), |_| Ok(()))
}

//! One reconcile pass: what lost its process gets its end; and, where a verb asks for it, approved changes that waited land.
//! Without input, safe to repeat.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::Duration;
use loopwright_core::ids::RunId;
use loopwright_core::lease;
use loopwright_core::run::RunEvent;

use super::{Context, approve, run};
use crate::agent::fixer::PRODUCTS;
use crate::runner::end_left_by;
use crate::steps::stamp;
use crate::store::{Store, ledger, loops, occurrences, projection, pull_requests, runs};

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
    clear_left_workspaces(context)?;
    let before = stamp(context.now - BEGIN_WITHIN);
    for lost in occurrences::never_begun(store.read(), &before)? {
        store.write(|tx| occurrences::give_up(tx, lost, "its run never began"))?;
    }
    Ok(())
}

/// Lands approved changes that waited, unless they are halted.
///
/// # Errors
/// The store can't be read.
pub(super) fn land_waiting(context: &Context, store: &mut Store) -> Result<()> {
    for waiting in pull_requests::list(store.read(), false)?.into_iter().filter(|p| p.state == "approved") {
        let row = loops::by_id(store.read(), waiting.loop_id)?;
        if run::refuse_halted(context, &row).is_err() {
            continue;
        }
        // What still can't land waits on; it says why when it is looked at.
        if let Err(error) = approve::land_approved(context, store, &waiting) {
            tracing::info!(pull_request = %waiting.id, "an approved change still waits: {error:#}");
        }
    }
    Ok(())
}

/// Writes the end of a run that lost its runner.
fn end(context: &Context, store: &mut Store, id: RunId) -> Result<()> {
    // Two passes at once would both write it; the second finds it written.
    let Some(_held) = crate::lease::hold(&context.home.run(id))? else { return Ok(()) };
    let Some(mut run) = projection::replay(store.read(), id)? else { return Ok(()) };
    if run.end.is_some() {
        return Ok(());
    }
    let left = fs::read(context.home.run(id).join(lease::END)).ok().and_then(|bytes| lease::End::parse(&bytes));
    let event = RunEvent::RunEnded { end: end_left_by(left.as_ref()) };
    let (at, open) = (stamp(context.now), run.open.clone());
    projection::record(store, &mut run, event, &at, |tx| ledger::cut_off(tx, &open, &at))
}

/// Clears the workspaces of every run that nobody holds any more.
fn clear_left_workspaces(context: &Context) -> Result<()> {
    let root = context.home.workspaces();
    for entry in fs::read_dir(&root).with_context(|| format!("reading {}", root.display()))? {
        let name = entry.context("reading the workspaces")?.file_name();
        let run = name.to_str().and_then(|name| name.parse::<RunId>().ok());
        if let Some(run) = run.filter(|run| crate::lease::is_free(&context.home.run(*run)).unwrap_or(false)) {
            clear_workspaces(context, run);
        }
    }
    Ok(())
}

/// Takes the workspaces of a run that is over out of their place, and deletes them.
/// What can't be deleted stays in the trash; links are not followed.
pub(super) fn clear_workspaces(context: &Context, run: RunId) {
    clear_products(&context.home.run(run).join(lease::RAW));
    let gone = context.home.trash().join(format!("run-{run}"));
    let moved = fs::rename(context.home.workspaces_of(run), &gone);
    if moved.is_ok()
        && let Err(error) = fs::remove_dir_all(&gone)
    {
        tracing::warn!(run.id = %run, "its workspaces stay in {}: {error}", gone.display());
    }
}

/// Takes away what attempts of a run that was cut off have built beside their streams.
fn clear_products(raw: &Path) {
    for attempt in fs::read_dir(raw).into_iter().flatten().flatten() {
        let built = attempt.path().join(PRODUCTS);
        // An attempt is a folder; nothing is deleted through a link.
        let real = attempt.file_type().is_ok_and(|kind| kind.is_dir()) && built.symlink_metadata().is_ok();
        if real && let Err(error) = fs::remove_dir_all(&built) {
            tracing::warn!("{} stays: {error}", built.display());
        }
    }
}

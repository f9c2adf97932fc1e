//! One reconcile pass: a run that lost its processes goes on or gets its end. Without input, safe to repeat; of many at once,
//! one does each thing.
//!
//! What becomes of a run is decided in `core::recover`; what was approved lands in `landing`, what a decision asked for begins
//! in `revise`, and what has no owner at all is swept in `crate::sweep`.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context as _, Result};
use loopwright_core::finally;
use loopwright_core::ids::{OccurrenceId, RunId};
use loopwright_core::lease::{self, Beat};
use loopwright_core::recover::{self, Left, Recovery};
use loopwright_core::run::{End, Run, RunEvent};
use serde::Serialize;
use uuid::Uuid;

use super::{Context, run, run_inner};
use crate::agent::fixer::PRODUCTS;
use crate::halt::HaltFiles;
use crate::steps::{chores, stamp};
use crate::store::runs::RunRecord;
use crate::store::{Store, due, ledger, occurrences, projection, runs, schedules};
use crate::{ending, fail};

/// What a pass did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "did", rename_all = "snake_case")]
pub enum Deed {
    /// A run goes on under a new watchdog.
    TookUp {
        /// Which.
        run: RunId,
        /// Of which loop.
        loop_name: String,
        /// The epoch that began.
        epoch: u32,
        /// Whether it was parked, and what it waited for is there; its processes had died otherwise.
        parked: bool,
    },
    /// A run that can't go on has its end now.
    Ended {
        /// Which.
        run: RunId,
        /// Of which loop.
        loop_name: String,
        /// How.
        end: End,
    },
    /// The steps after the end of a run that lost its processes are under way.
    Finishes {
        /// Which.
        run: RunId,
        /// Of which loop.
        loop_name: String,
        /// The end that is decided.
        end: End,
    },
    /// A start that came to nothing is given up.
    GaveUp {
        /// For which occurrence.
        occurrence: OccurrenceId,
    },
    /// An approved change is on its branch now.
    Landed {
        /// Which.
        pull_request: loopwright_core::ids::PullRequestId,
        /// The commit that the branch got.
        commit: String,
        /// The branch.
        branch: String,
    },
    /// A run was started for a time or an event.
    Started {
        /// Which.
        run: RunId,
        /// Of which loop.
        loop_name: String,
        /// For which occurrence.
        occurrence: OccurrenceId,
    },
    /// A run began that works on a pull request again.
    Began {
        /// Which.
        run: RunId,
        /// Of which loop.
        loop_name: String,
        /// The pull request.
        pull_request: loopwright_core::ids::PullRequestId,
    },
    /// What was decided on a pull request stands, and can't be done yet; the first pass after its cause does it.
    Held {
        /// Which.
        pull_request: loopwright_core::ids::PullRequestId,
        /// Why, for people.
        why: String,
        /// What a person may run about it, where one command does it.
        command: Option<String>,
        /// Whether HALT alone holds it.
        halted: bool,
    },
    /// A pull request waits for a person again: what was to follow from a decision came to nothing.
    GaveBack {
        /// Which.
        pull_request: loopwright_core::ids::PullRequestId,
        /// Why.
        why: String,
    },
    /// A run that lost its processes can't go on yet.
    Waits {
        /// Which.
        run: RunId,
        /// Of which loop.
        loop_name: String,
        /// For what.
        why: String,
    },
    /// What nobody owned any more is gone.
    Swept {
        /// What, for people.
        what: String,
    },
    /// Something could not be done; the next pass tries again.
    Failed {
        /// What, for people.
        what: String,
        /// Why, with what to do.
        why: String,
    },
}

/// How far a pass goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Ends are written, nothing starts: for verbs that look or halt.
    Ends,
    /// Runs go on too.
    Whole,
}

/// Brings runs and occurrences in line with what lives; says what it did.
///
/// # Errors
/// The store can't be read or written. What fails for one run keeps no other from its due, and is told.
pub(super) fn reconcile(context: &Context, store: &mut Store, reach: Reach) -> Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    for record in runs::live(store.read())? {
        match recover(context, store, &record, reach) {
            Ok(deed) => deeds.extend(deed),
            Err(error) => deeds.push(failed(format!("run {}", record.id.short()), &error)),
        }
    }
    clear_left_workspaces(context, store)?;
    for (occurrence, run) in occurrences::not_begun(store.read())? {
        if ending::lives(&context.home.run(run)) {
            continue;
        }
        // What a person decided is not lost by that: it begins again.
        if store.write(|tx| due::wait_again(tx, occurrence, run))? {
            continue;
        }
        let why = fs::read_to_string(context.home.run(run).join(run_inner::ERROR)).ok();
        if why.is_none() && store.write(|tx| schedules::begin_again(tx, occurrence, run))? {
            continue;
        }
        let why = why.as_deref().map_or("its run never began", str::trim_end);
        if store.write(|tx| occurrences::give_up(tx, occurrence, run, why))? {
            deeds.push(Deed::GaveUp { occurrence });
        }
    }
    Ok(deeds)
}

pub(super) fn failed(what: String, error: &anyhow::Error) -> Deed {
    tracing::warn!("{what}: {error:#}");
    Deed::Failed { what, why: format!("{error:#}") }
}

/// Does what is due for a run that has no end: nothing while it lives.
fn recover(context: &Context, store: &mut Store, record: &RunRecord, reach: Reach) -> Result<Option<Deed>> {
    let dir = context.home.run(record.id);
    if ending::lives(&dir) {
        return Ok(None);
    }
    // Of several passes one gets it; what the others saw before is read anew by the one that has it.
    let Some(claim) = crate::lease::claim(&dir)? else { return Ok(None) };
    if ending::watched(&dir) || !crate::lease::is_free(&dir)? {
        return Ok(None);
    }
    let Some(mut run) = projection::replay(store.read(), record.id)? else { return Ok(None) };
    // On a full disk they can't be struck out, and the run is judged all the same.
    if run.parked.is_none()
        && let Err(error) = crate::lease::end_leftovers(&dir)
    {
        tracing::warn!(run.id = %record.id, "what its processes left: {error:#}");
    }
    let (what, worked_s) = judge(context, store, &run)?;
    match what {
        Recovery::Leave => Ok(None),
        Recovery::End(_) if context.home.tight().is_some() && follows(&run) => Ok(Some(waits(context, record))),
        Recovery::End(end) if follows(&run) => last_steps(context, store, &mut run, end, claim).map(Some),
        Recovery::End(end) => {
            write(store, &mut run, RunEvent::RunEnded { end: end.clone() })?;
            fail::point("end-written");
            Ok(Some(Deed::Ended { run: record.id, loop_name: record.loop_name.clone(), end }))
        }
        Recovery::TakeUp if reach == Reach::Ends => Ok(None),
        Recovery::TakeUp if context.home.tight().is_some() => Ok(Some(waits(context, record))),
        // What waits is no run that goes on: it takes a slot again, if there is one.
        Recovery::TakeUp if run.parked.is_some() && !slot_is_free(context, store)? => Ok(None),
        Recovery::TakeUp => take_up(context, store, &mut run, worked_s, claim).map(Some),
    }
}

/// Whether one more run may go on beside the others.
fn slot_is_free(context: &Context, store: &Store) -> Result<bool> {
    let busy = schedules::live(store.read())?.iter().filter(|live| !live.parked).count();
    Ok(busy < crate::settings::read(&context.home)?.slots())
}

/// Whether steps follow on its end.
fn follows(run: &Run) -> bool {
    run::finally_s(&run.start.chores.finally).is_some()
}

/// Lets the steps after the end of a run begin, under a watchdog that keeps the claim; also under HALT. After `halt --now`
/// they are left out, and the run has its end.
fn last_steps(context: &Context, store: &mut Store, run: &mut Run, end: End, claim: File) -> Result<Deed> {
    let (id, loop_id, loop_name) = (run.start.run, run.start.loop_id, run.start.loop_name.clone());
    if HaltFiles::of_run(&context.home.state, loop_id, &context.home.run(id)).nows().look().is_some() {
        let text = format!("`halt --now` leaves out: {}", finally::ahead(run).join(", "));
        let noted = RunEvent::Noted { topic: "finally-left-out".to_owned(), text };
        projection::record(store, run, noted, &stamp(crate::clock::now()), |_| Ok(()))?;
        write(store, run, RunEvent::RunEnded { end: end.clone() })?;
        return Ok(Deed::Ended { run: id, loop_name, end });
    }
    fail::point("last-steps");
    let finally_s = run::finally_s(&run.start.chores.finally);
    run::finally_under_watchdog(context, run::Begin { run: id, loop_id, left_s: 0, only: None, finally_s, claim })?;
    Ok(Deed::Finishes { run: id, loop_name, end })
}

/// What is to become of a run that has no last event and no process but the one that asks, and how long it has worked.
pub(super) fn judge(context: &Context, store: &Store, run: &Run) -> Result<(Recovery, u64)> {
    let dir = context.home.run(run.start.run);
    let worked_s = worked_s(context, store, run)?;
    let halted = HaltFiles::of_run(&context.home.state, run.start.loop_id, &dir).look().map(|cause| cause.to_string());
    let ended = fs::read(dir.join(lease::END)).ok().and_then(|bytes| lease::End::parse(&bytes)).map(|end| end.cause);
    let seen = chores::observed(run, &context.home.loop_state(run.start.loop_id), crate::clock::now());
    let left = Left { run, alive: false, halted: halted.as_deref(), ended, worked_s, chores: &seen };
    Ok((recover::recover(&left), worked_s))
}

/// A run waits for room: what is begun on a full disk only stops again, and is counted each time.
fn waits(context: &Context, record: &RunRecord) -> Deed {
    let folder = context.home.tight().unwrap_or_else(|| context.home.data.clone());
    let why = format!("the disk is full ({})", folder.display());
    Deed::Waits { run: record.id, loop_name: record.loop_name.clone(), why }
}

/// Awake seconds of all epochs so far.
fn worked_s(context: &Context, store: &Store, run: &Run) -> Result<u64> {
    let id = run.start.run;
    let beat = fs::read(context.home.run(id).join(lease::BEAT)).ok().and_then(|bytes| Beat::parse(&bytes));
    let journal: Vec<_> = projection::entries(store.read(), id, 0)?.into_iter().map(|(_, entry)| entry).collect();
    Ok(run.start.worked_s.saturating_add(recover::last_worked_s(beat.as_ref(), &journal)))
}

/// Begins the next epoch of a run and starts its new watchdog, which keeps the claim.
///
/// The epoch is written first: whatever kills the processes that follow is counted, so that nothing goes round for ever.
fn take_up(context: &Context, store: &mut Store, run: &mut Run, worked_s: u64, claim: File) -> Result<Deed> {
    // Nothing is written where nothing can be started.
    crate::launch::watchdog_beside_us()?;
    fail::point("taking-up");
    let mut start = run.start.clone();
    start.epoch += 1;
    start.worked_s = worked_s;
    let (id, loop_name, epoch) = (start.run, start.loop_name.clone(), start.epoch);
    let parked = run.parked.is_some();
    let left_s = start.rails.max_duration_s.saturating_sub(worked_s);
    let (loop_id, finally_s) = (start.loop_id, run::finally_s(&start.chores.finally));
    write(store, run, RunEvent::RunStarted(Box::new(start)))?;
    // What it told is counted in the epoch that has begun; it must not be counted again if nothing comes of this one.
    let beat = context.home.run(id).join(lease::BEAT);
    if beat.exists() {
        fs::remove_file(&beat).with_context(|| format!("removing {}", beat.display()))?;
    }
    fail::point("taken-up");
    run::under_watchdog(context, run::Begin { run: id, loop_id, left_s, only: None, finally_s, claim })?;
    Ok(Deed::TookUp { run: id, loop_name, epoch, parked })
}

/// Writes an event that cuts off what was open: what that had reserved is charged.
pub(super) fn write(store: &mut Store, run: &mut Run, event: RunEvent) -> Result<()> {
    let (at, open) = (stamp(crate::clock::now()), run.open.clone());
    projection::record(store, run, event, &at, |tx| ledger::cut_off(tx, &open, &at))
}

/// Ends a run that was taken up and can't go on for a reason that another try would not change.
///
/// # Errors
/// Nothing can be stored.
pub(super) fn give_up(store: &mut Store, run: &mut Run, why: &anyhow::Error) -> Result<()> {
    let end = End::Failed { why: format!("it could not be taken up again: {why:#}") };
    let event = run.end_event(end);
    write(store, run, event)
}

/// Clears the workspaces of every run that is over. Those of a run that goes on are its own to rescue and to clear.
fn clear_left_workspaces(context: &Context, store: &Store) -> Result<()> {
    let root = context.home.workspaces();
    for entry in fs::read_dir(&root).with_context(|| format!("reading {}", root.display()))? {
        let name = entry.context("reading the workspaces")?.file_name();
        let Some(run) = name.to_str().and_then(|name| name.parse::<RunId>().ok()) else { continue };
        let over = runs::by_id(store.read(), run)?.is_none_or(|record| record.ended_at.is_some());
        if over && !ending::lives(&context.home.run(run)) {
            clear_workspaces(context, run);
        }
    }
    Ok(())
}

/// Takes the workspaces of a run that is over out of their place, and deletes them.
/// What can't be deleted stays in the trash; links are not followed.
pub(super) fn clear_workspaces(context: &Context, run: RunId) {
    clear_products(&context.home.run(run).join(lease::RAW));
    let gone = context.home.trash().join(format!("run-{run}-{}", Uuid::now_v7().simple()));
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

//! What a repair can't rely on where commits are lost, or may be: runs that had not ended, and decisions that may have been
//! taken back. Runs get their end with what they had spent, pull requests go back to the person; nothing goes on by itself.

use std::fs;

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDate};
use loopwright_core::lease::{self, Beat};
use loopwright_core::ledger::{Place, Scope};
use loopwright_core::money::Micros;
use loopwright_core::review::{Event, State};
use loopwright_core::run::{End, Run, RunEvent, Stage};

use super::{Context, RepairView, landing, repair};
use crate::steps::stamp;
use crate::store::adopt::{self, BOOKS_LOST};
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::runs::{self, RunRecord};
use crate::store::{Store, due, findings, ledger, occurrences, projection};

/// Ends the runs that go on in the database though their last commits are lost: all that had no end if `doubted`, otherwise
/// those alone that had spent more than is booked.
///
/// # Errors
/// The store can't be read or written.
pub(super) fn end_runs(context: &Context, store: &mut Store, view: &mut RepairView, doubted: bool) -> Result<()> {
    for record in runs::live(store.read())? {
        let beat = beat(context, &record);
        let booked = ledger::committed(store.read(), Scope::Run(record.id))?;
        // A beat is up to two seconds old, so what it says was reserved may be settled by now; what was spent only grows.
        if !doubted && beat.spent <= booked {
            continue;
        }
        let heard = beat.spent.checked_add(beat.reserved).unwrap_or(beat.spent);
        let missing = Micros(heard.0.saturating_sub(booked.0));
        let Some(mut run) = projection::replay(store.read(), record.id)? else { continue };
        end(context, store, &mut run, &record, missing)?;
        let (id, name) = (record.id.short(), &record.loop_name);
        view.lines.push(format!("run {id} of {name} is ended as failed, {} spent", heard.max(booked)));
        if run.items.iter().any(open) {
            view.left
                .push(format!("the findings of run {id} of {name} wait for you: loopwright run {name} --finding ID"));
        }
    }
    if doubted {
        for (occurrence, run) in occurrences::not_begun(store.read())? {
            store.write(|tx| occurrences::give_up(tx, occurrence, run, BOOKS_LOST))?;
        }
    }
    Ok(())
}

fn beat(context: &Context, record: &RunRecord) -> Beat {
    let beat = fs::read(context.home.run(record.id).join(lease::BEAT)).ok();
    beat.and_then(|bytes| Beat::parse(&bytes)).unwrap_or_default()
}

fn end(context: &Context, store: &mut Store, run: &mut Run, record: &RunRecord, missing: Micros) -> Result<()> {
    let (at, before, loop_id) = (stamp(context.now), run.clone(), run.start.loop_id);
    let day = day(context, record)?;
    let place = Place { run: record.id, loop_id, day, fleet_day: day };
    // Whether the steps after its end were done is lost too: they are left, and a decided end stays what it was.
    let end = run.ending.clone().unwrap_or_else(|| End::Failed { why: BOOKS_LOST.to_owned() });
    let event = RunEvent::RunEnded { end };
    projection::record(store, run, event, &at, |tx| {
        ledger::cut_off(tx, &before.open, &at)?;
        adopt::book_missing(tx, place, missing, &at)?;
        for item in before.items.iter().filter(|item| open(item)) {
            if let Some(known) = findings::one(tx, loop_id, &item.queued.finding)? {
                repair::put_off(tx, loop_id, known, &at)?;
            }
        }
        Ok(())
    })
}

/// Whether a run could go on with a finding.
fn open(item: &loopwright_core::run::Item) -> bool {
    !matches!(item.stage, Stage::Shipped { .. } | Stage::HandedOver(_) | Stage::HeldBack)
}

/// The day that a run is booked on.
fn day(context: &Context, record: &RunRecord) -> Result<NaiveDate> {
    if let Some(about) = repair::about(&context.home.run(record.id)) {
        return Ok(about.day);
    }
    let started = DateTime::parse_from_rfc3339(&record.started_at);
    Ok(started.with_context(|| format!("the start of run {}", record.id))?.date_naive())
}

/// Gives every pull request back to the person that a decision lets go on: the decision may have been taken back.
///
/// # Errors
/// The store can't be read or written.
pub(super) fn give_back(context: &Context, store: &mut Store, view: &mut RepairView) -> Result<()> {
    for record in stored::list(store.read(), false)?.into_iter().filter(|record| record.state != "open") {
        // A repository that is away keeps nothing from landing later, so nothing is left decided for its sake.
        let held = landing::hold(context, store, &record);
        let state = match &held {
            Ok((_, state)) => Some(state.clone()),
            Err(_) => stored::state(store.read(), record.id)?,
        };
        if matches!(state, Some(State::Approved { .. } | State::SentBack { .. })) {
            reopen(context, store, &record)?;
            let (id, was) = (record.id.short(), &record.state);
            view.left.push(format!(
                "the pull request {id} of {} was {was}, which may have been taken back since: it waits for you again; \
                 loopwright review {id}",
                record.loop_name
            ));
        }
    }
    Ok(())
}

fn reopen(context: &Context, store: &mut Store, record: &PullRequestRecord) -> Result<()> {
    const WHY: &str = "the database was repaired and lost its last commits; decide once more";
    let event = Event::Reopened { why: WHY.to_owned() };
    stored::advance(store, record.id, &event, &stamp(context.now), |tx| {
        due::skip(tx, record.id, due::MOVED, WHY)?;
        due::skip(tx, record.id, due::REVIEW, WHY).map(drop)
    })
}

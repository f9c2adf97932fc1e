//! What a repair takes up from outside of the database: money that a run spent whose books are lost.

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use loopwright_core::ids::{LoopId, RunId};
use loopwright_core::ledger::{Ceilings, Place, Scope};
use loopwright_core::money::Micros;
use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::ledger::{self, Booking};

/// Why a run has failed whose last commits are lost.
pub const BOOKS_LOST: &str = "its books were lost with the damaged database";

/// A run of which only the directory is left.
#[derive(Clone, Debug)]
pub struct LostRun {
    /// Its id.
    pub run: RunId,
    /// Its loop.
    pub loop_id: LoopId,
    /// The day that it is booked on.
    pub day: NaiveDate,
    /// What it had spent and reserved when it was last heard of.
    pub spent: Micros,
    /// RFC 3339 UTC.
    pub at: String,
}

/// Writes down a lost run as failed, and what it spent: nothing of that becomes free again.
///
/// # Errors
/// A row can't be written.
pub fn adopt(tx: &Transaction<'_>, lost: &LostRun) -> Result<()> {
    let (run, loop_id, at) = (lost.run.to_string(), lost.loop_id.to_string(), &lost.at);
    let spent = i64::try_from(lost.spent.0)?;
    tx.execute("UPDATE occurrences SET state = 'failed', reason = ?2 WHERE run = ?1", [&run, BOOKS_LOST])?;
    tx.execute(
        "INSERT OR IGNORE INTO occurrences (id, loop, trigger, key, due_at, claimed_at, zone, state, reason, run) \
         SELECT ?1, ?2, 'repair', ?1, ?3, ?3, 'UTC', 'failed', ?4, ?1 \
         WHERE NOT EXISTS (SELECT 1 FROM occurrences WHERE run = ?1)",
        params![run, loop_id, at, BOOKS_LOST],
    )?;
    let end = serde_json::to_string(&loopwright_core::run::End::Failed { why: BOOKS_LOST.to_owned() })?;
    tx.execute(
        "INSERT INTO runs (id, loop, occurrence, cause, started_at, ended_at, ended, epoch, spent, budget, acted, handed_over, \
         pull_requests, code) SELECT ?1, ?2, id, 'repair', ?3, ?3, ?4, 1, ?5, ?5, 0, 0, 0, 1 FROM occurrences WHERE run = ?1",
        params![run, loop_id, at, end, spent],
    )
    .with_context(|| format!("taking up run {run}"))?;
    let place = Place { run: lost.run, loop_id: lost.loop_id, day: lost.day, fleet_day: lost.day };
    book(tx, place, lost.spent, at)
}

/// Books on a run with a row what it had spent beyond its books.
///
/// # Errors
/// A row can't be written.
pub fn book_missing(tx: &Transaction<'_>, place: Place, missing: Micros, at: &str) -> Result<()> {
    if missing == Micros::ZERO {
        return Ok(());
    }
    book(tx, place, missing, at)?;
    tx.execute(
        "UPDATE runs SET spent = spent + ?2 WHERE id = ?1",
        params![place.run.to_string(), i64::try_from(missing.0)?],
    )
    .with_context(|| format!("booking what run {} spent", place.run))?;
    Ok(())
}

/// It is spent already, so no ceiling holds it back.
fn book(tx: &Transaction<'_>, place: Place, spent: Micros, at: &str) -> Result<()> {
    let step = Uuid::now_v7();
    let ceiling = ledger::committed(tx, Scope::Run(place.run))?.checked_add(spent).unwrap_or(Micros(u64::MAX));
    ledger::reserve(tx, &Booking { place, step, at }, spent, &Ceilings::of_run(ceiling))?;
    ledger::settle(tx, step, spent, at)
}

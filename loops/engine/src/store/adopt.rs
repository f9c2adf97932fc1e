//! What a repair takes up from outside of the database: money that a run spent whose books are lost.

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use loopwright_core::ids::{LoopId, RunId};
use loopwright_core::ledger::{Ceilings, Place};
use loopwright_core::money::Micros;
use rusqlite::{Transaction, params};
use uuid::Uuid;

use super::ledger::{self, Booking};

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
    const WHY: &str = "its books were lost with the damaged database";
    let (run, loop_id, at) = (lost.run.to_string(), lost.loop_id.to_string(), &lost.at);
    let spent = i64::try_from(lost.spent.0)?;
    tx.execute("UPDATE occurrences SET state = 'failed', reason = ?2 WHERE run = ?1", [&run, WHY])?;
    tx.execute(
        "INSERT OR IGNORE INTO occurrences (id, loop, trigger, key, due_at, claimed_at, zone, state, reason, run) \
         SELECT ?1, ?2, 'repair', ?1, ?3, ?3, 'UTC', 'failed', ?4, ?1 \
         WHERE NOT EXISTS (SELECT 1 FROM occurrences WHERE run = ?1)",
        params![run, loop_id, at, WHY],
    )?;
    let end = serde_json::to_string(&loopwright_core::run::End::Failed { why: WHY.to_owned() })?;
    tx.execute(
        "INSERT INTO runs (id, loop, occurrence, cause, started_at, ended_at, ended, epoch, spent, budget, acted, handed_over, \
         pull_requests, code) SELECT ?1, ?2, id, 'repair', ?3, ?3, ?4, 1, ?5, ?5, 0, 0, 0, 1 FROM occurrences WHERE run = ?1",
        params![run, loop_id, at, end, spent],
    )
    .with_context(|| format!("taking up run {run}"))?;
    let step = Uuid::now_v7();
    let place = Place { run: lost.run, loop_id: lost.loop_id, day: lost.day, fleet_day: lost.day };
    ledger::reserve(tx, &Booking { place, step, at }, lost.spent, &Ceilings::of_run(lost.spent))?;
    ledger::settle(tx, step, lost.spent, at)
}

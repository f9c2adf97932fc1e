//! Occurrences: every due time and every event of a loop, each with exactly one end.

use anyhow::{Context as _, Result};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// One occurrence that is claimed for a run.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// Its id.
    pub id: OccurrenceId,
    /// Its loop.
    pub loop_id: LoopId,
    /// `manual`, `cron`.
    pub trigger: String,
    /// What makes it the same again: the due time, or the event's id.
    pub key: String,
    /// RFC 3339 UTC.
    pub due_at: String,
    /// IANA zone.
    pub zone: String,
    /// The run it is claimed for.
    pub run: RunId,
}

/// Stores an occurrence as claimed; `false` if it was there before, or if another one of its loop is claimed or running:
/// a loop never has two live runs.
///
/// # Errors
/// The row can't be written.
pub fn claim(tx: &Transaction<'_>, o: &Occurrence) -> Result<bool> {
    let live: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM occurrences WHERE loop = ?1 AND state IN ('claimed', 'running'))",
        [o.loop_id.to_string()],
        |r| r.get(0),
    )?;
    if live {
        return Ok(false);
    }
    let stored = tx.execute(
        "INSERT OR IGNORE INTO occurrences (id, loop, trigger, key, due_at, zone, state, run) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'claimed', ?7)",
        params![o.id.to_string(), o.loop_id.to_string(), o.trigger, o.key, o.due_at, o.zone, o.run.to_string()],
    );
    Ok(stored.context("storing an occurrence")? == 1)
}

/// Moves an occurrence on; `reason` says why it ended.
///
/// # Errors
/// The row can't be written.
pub fn set(tx: &Transaction<'_>, id: OccurrenceId, state: &str, reason: Option<&str>) -> Result<()> {
    tx.execute("UPDATE occurrences SET state = ?2, reason = ?3 WHERE id = ?1", params![id.to_string(), state, reason])?;
    Ok(())
}

/// The occurrence that a run was started for.
///
/// # Errors
/// The row can't be read.
pub fn of_run(db: &Connection, run: RunId) -> Result<Option<Occurrence>> {
    db.query_row(
        "SELECT id, loop, trigger, key, due_at, zone FROM occurrences WHERE run = ?1",
        [run.to_string()],
        |r| {
            Ok(Occurrence {
                id: super::parsed(r, 0)?,
                loop_id: super::parsed(r, 1)?,
                trigger: r.get(2)?,
                key: r.get(3)?,
                due_at: r.get(4)?,
                zone: r.get(5)?,
                run,
            })
        },
    )
    .optional()
    .context("reading an occurrence")
}

/// Occurrences that were claimed before `before` (RFC 3339 UTC) and whose run never began.
///
/// # Errors
/// The rows can't be read.
pub fn never_begun(db: &Connection, before: &str) -> Result<Vec<OccurrenceId>> {
    let mut rows = db.prepare_cached("SELECT id FROM occurrences WHERE state = 'claimed' AND due_at < ?1")?;
    let found = rows.query_map([before], |r| super::parsed(r, 0))?;
    found.collect::<Result<_, _>>().context("reading claimed occurrences")
}

//! Pauses of loops: since when, until when, and which are over.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::ids::LoopId;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::moment;
use crate::steps::stamp;

/// Since when nothing starts a loop by itself; none = it starts.
///
/// # Errors
/// The row can't be read.
pub fn paused_at(db: &Connection, id: LoopId) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT paused_at FROM loops WHERE id = ?1";
    let found: Option<String> =
        db.query_row(sql, [id.to_string()], |r| r.get(0)).context("reading whether a loop is paused")?;
    found.map(|text| text.parse().context("a stored time")).transpose()
}

/// Until when a paused loop is paused; none = until a person says so, or it is not.
///
/// # Errors
/// The row can't be read.
pub fn paused_until(db: &Connection, id: LoopId) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT paused_until FROM loops WHERE id = ?1 AND paused_at IS NOT NULL";
    let found: Option<Option<String>> =
        db.query_row(sql, [id.to_string()], |r| r.get(0)).optional().context("reading until when a loop is paused")?;
    found.flatten().map(|text| text.parse().context("a stored time")).transpose()
}

/// The loops whose pause has come to its end.
///
/// # Errors
/// The rows can't be read.
pub fn rested(db: &Connection, now: DateTime<Utc>) -> Result<Vec<LoopId>> {
    let mut rows = db.prepare_cached("SELECT id FROM loops WHERE paused_at IS NOT NULL AND paused_until <= ?1")?;
    let found = rows.query_map([stamp(now)], |r| super::super::parsed(r, 0))?;
    found.collect::<Result<_, _>>().context("reading whose pause is over")
}

/// When the first pause that ends by itself does.
///
/// # Errors
/// The rows can't be read.
pub fn next_rested(db: &Connection) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT paused_until FROM loops WHERE paused_at IS NOT NULL AND paused_until IS NOT NULL \
               ORDER BY paused_until LIMIT 1";
    moment(db, sql)
}

/// Lets nothing start a loop by itself since `at`, until a time or until a person says so; none = it starts again.
///
/// # Errors
/// The row can't be written.
pub fn pause(tx: &Transaction<'_>, id: LoopId, at: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> Result<()> {
    let sql = "UPDATE loops SET paused_at = ?2, paused_until = ?3 WHERE id = ?1";
    tx.execute(sql, params![id.to_string(), at.map(stamp), until.map(stamp)]).context("pausing a loop")?;
    Ok(())
}

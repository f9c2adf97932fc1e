//! What is asked about loops that start by themselves and changes nothing: whom the computer wakes for, zones, limits, last starts.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::ids::LoopId;
use rusqlite::{Connection, Row};

use super::{SCHEDULED, Scheduled, scheduled};

/// Loops that ask to be woken for and may start by themselves.
///
/// # Errors
/// The rows can't be read.
pub fn waking(db: &Connection) -> Result<Vec<Scheduled>> {
    let mut rows = db.prepare_cached(&format!(
        "{SCHEDULED} WHERE l.paused_at IS NULL AND json_extract(l.timing, '$.wake') ORDER BY l.name"
    ))?;
    let found = rows.query_map([], scheduled)?;
    found.collect::<Result<_, _>>().context("reading which loops the computer is to be woken for")
}

/// The zones in which the times of loops are reckoned.
///
/// # Errors
/// The rows can't be read.
pub fn zones(db: &Connection) -> Result<Vec<Tz>> {
    let mut rows = db.prepare_cached("SELECT DISTINCT zone FROM schedules")?;
    let found = rows.query_map([], |r| crate::store::parsed(r, 0))?;
    found.collect::<Result<_, _>>().context("reading the zones of the loops")
}

/// The most that a run of a loop takes, and its `finally` steps, in seconds.
///
/// # Errors
/// The row can't be read.
pub fn limits(db: &Connection, id: LoopId) -> Result<(Option<u64>, u64)> {
    let sql = "SELECT max_duration_s, finally_s FROM loops WHERE id = ?1";
    let read =
        |r: &Row<'_>| Ok((r.get::<_, Option<i64>>(0)?.map(i64::unsigned_abs), r.get::<_, i64>(1)?.unsigned_abs()));
    db.query_row(sql, [id.to_string()], read).context("reading how long a run may take")
}

/// When the last run of a loop began.
///
/// # Errors
/// The row can't be read.
pub fn last_began(db: &Connection, id: LoopId) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT MAX(started_at) FROM runs WHERE loop = ?1";
    let found: Option<String> = db.query_row(sql, [id.to_string()], |r| r.get(0)).context("reading the last run")?;
    found.map(|text| text.parse().context("a stored time")).transpose()
}

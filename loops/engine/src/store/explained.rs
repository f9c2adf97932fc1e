//! The ledger of due times as `why` reads it: the row of a time, and those around it.
//!
//! What is said of a row is `core::why`'s.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use rusqlite::{Connection, Params, Row, params};

use crate::steps::stamp;

/// A due time or an event with what has become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its id.
    pub id: OccurrenceId,
    /// When it was due; the first of many.
    pub due_at: DateTime<Utc>,
    /// The last of many with one fate.
    pub until: Option<DateTime<Utc>>,
    /// How many they are.
    pub times: u64,
    /// The word of its trigger.
    pub trigger: String,
    /// The word of the ledger.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Its run, once that began: one that never did is nowhere to be seen.
    pub run: Option<RunId>,
    /// When its run began.
    pub began: Option<DateTime<Utc>>,
    /// When it got its end.
    pub ended: Option<DateTime<Utc>>,
    /// It goes on no earlier than this.
    pub not_before: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "SELECT o.id, o.due_at, o.until_at, o.times, o.trigger, o.state, o.reason, r.id, r.started_at, \
                       COALESCE(o.ended_at, r.ended_at), o.not_before FROM occurrences o LEFT JOIN runs r ON r.id = o.run";

/// What a person or a decision asked for was never due.
const BY_ITSELF: &str = "o.trigger IN ('cron', 'every', 'at', 'after', 'file')";

/// So many rows are told at once.
const MOST: u32 = 100;

/// The rows of a loop that were due from `from` until before `to`, the first hundred; those that stand for many times too.
///
/// # Errors
/// The rows can't be read.
pub fn within(db: &Connection, id: LoopId, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<Explained>> {
    let sql = format!(
        "{COLUMNS} WHERE o.loop = ?1 AND {BY_ITSELF} AND o.due_at >= ?2 AND o.due_at < ?3 ORDER BY o.due_at, o.id LIMIT {MOST}"
    );
    let mut rows = rows(db, &sql, params![id.to_string(), stamp(from), stamp(to)])?;
    // In the words of the index on them.
    let many = format!(
        "{COLUMNS} WHERE o.loop = ?1 AND o.until_at IS NOT NULL AND o.until_at >= ?2 AND o.due_at < ?2 ORDER BY o.due_at LIMIT {MOST}"
    );
    let mut before = self::rows(db, &many, params![id.to_string(), stamp(from)])?;
    before.append(&mut rows);
    Ok(before)
}

/// The last row of a loop that was due before `before`.
///
/// # Errors
/// The row can't be read.
pub fn last_before(db: &Connection, id: LoopId, before: DateTime<Utc>) -> Result<Option<Explained>> {
    Ok(rows(db, &last_sql(), params![id.to_string(), stamp(before)])?.pop())
}

// In the words of the index on what comes due by itself.
pub(super) fn last_sql() -> String {
    format!("{COLUMNS} WHERE o.loop = ?1 AND {BY_ITSELF} AND o.due_at < ?2 ORDER BY o.due_at DESC, o.id DESC LIMIT 1")
}

/// One row, of whatever trigger, with the loop that it belongs to.
///
/// # Errors
/// The row can't be read.
pub fn one(db: &Connection, id: OccurrenceId) -> Result<Option<(LoopId, Explained)>> {
    let Some(found) = rows(db, &format!("{COLUMNS} WHERE o.id = ?1"), [id.to_string()])?.pop() else {
        return Ok(None);
    };
    let sql = "SELECT loop FROM occurrences WHERE id = ?1";
    let of_loop = db.query_row(sql, [id.to_string()], |r| super::parsed(r, 0)).context("reading whose row it is")?;
    Ok(Some((of_loop, found)))
}

/// Times that were missed, as far as that was found out after `since`: the loop, the last of them, and why.
///
/// # Errors
/// The rows can't be read.
pub fn missed_since(db: &Connection, since: DateTime<Utc>) -> Result<Vec<(LoopId, DateTime<Utc>, String)>> {
    let sql = "SELECT loop, COALESCE(until_at, due_at), COALESCE(reason, '') FROM occurrences \
               WHERE state = 'missed' AND due_at >= ?1 AND ended_at >= ?1 ORDER BY due_at";
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map([stamp(since)], |r| Ok((super::parsed(r, 0)?, super::parsed(r, 1)?, r.get(2)?)))?;
    found.collect::<Result<_, _>>().context("reading the missed times")
}

fn rows(db: &Connection, sql: &str, values: impl Params) -> Result<Vec<Explained>> {
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map(values, row)?;
    found.collect::<Result<_, _>>().context("reading the ledger of due times")
}

fn row(r: &Row<'_>) -> rusqlite::Result<Explained> {
    Ok(Explained {
        id: super::parsed(r, 0)?,
        due_at: super::parsed(r, 1)?,
        until: moment(r, 2)?,
        times: r.get::<_, i64>(3)?.unsigned_abs(),
        trigger: r.get(4)?,
        state: r.get(5)?,
        reason: r.get(6)?,
        run: r.get::<_, Option<String>>(7)?.and_then(|id| id.parse().ok()),
        began: moment(r, 8)?,
        ended: moment(r, 9)?,
        not_before: moment(r, 10)?,
    })
}

/// A column that is a time or nothing.
fn moment(r: &Row<'_>, at: usize) -> rusqlite::Result<Option<DateTime<Utc>>> {
    Ok(r.get::<_, Option<String>>(at)?.and_then(|text| text.parse().ok()))
}

//! What a simulation tells of its store: rows that are new, what became of those that waited, and the sums at the end.

use anyhow::{Context as _, Result};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::money::Micros;
use rusqlite::{Connection, OptionalExtension, Row};

/// An occurrence as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its id.
    pub id: OccurrenceId,
    /// Of which loop.
    pub loop_id: LoopId,
    /// The word of its trigger.
    pub trigger: String,
    /// When it was due, RFC 3339 UTC; the first of several.
    pub due_at: String,
    /// The last of several, RFC 3339 UTC.
    pub until_at: Option<String>,
    /// How many due times it stands for.
    pub times: u64,
    /// `due`, `claimed`, `running`, `parked`, or how it ended.
    pub state: String,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Its run.
    pub run: Option<RunId>,
}

const COLUMNS: &str = "SELECT id, loop, trigger, due_at, until_at, times, state, reason, run FROM occurrences";

/// Occurrences that came after this one (ids grow), the oldest first; none before all of them is meant by no id.
///
/// # Errors
/// The rows can't be read.
pub fn after(db: &Connection, id: Option<OccurrenceId>) -> Result<Vec<Seen>> {
    let mut rows = db.prepare_cached(&format!("{COLUMNS} WHERE id > ?1 ORDER BY id"))?;
    let after = id.map_or_else(String::new, |id| id.to_string());
    let found = rows.query_map([after], row)?;
    found.collect::<Result<_, _>>().context("reading what is new")
}

/// One occurrence; none if it was taken back.
///
/// # Errors
/// The row can't be read.
pub fn one(db: &Connection, id: OccurrenceId) -> Result<Option<Seen>> {
    let mut rows = db.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?;
    rows.query_row([id.to_string()], row).optional().context("reading an occurrence")
}

fn row(r: &Row<'_>) -> rusqlite::Result<Seen> {
    let run: Option<String> = r.get(8)?;
    Ok(Seen {
        id: super::parsed(r, 0)?,
        loop_id: super::parsed(r, 1)?,
        trigger: r.get(2)?,
        due_at: r.get(3)?,
        until_at: r.get(4)?,
        times: r.get::<_, i64>(5)?.unsigned_abs(),
        state: r.get(6)?,
        reason: r.get(7)?,
        run: run.and_then(|id| id.parse().ok()),
    })
}

/// What became of the times of one loop.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// The loop.
    pub loop_name: String,
    /// Runs that were started.
    pub started: u64,
    /// Times that were missed.
    pub missed: u64,
    /// Times that were skipped.
    pub skipped: u64,
    /// Runs that were halted.
    pub halted: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Findings that were acted on.
    pub acted: u64,
    /// Pull requests that were opened.
    pub pull_requests: u64,
    /// Findings that were handed over.
    pub handed_over: u64,
    /// What it cost.
    pub spent: Micros,
}

/// What became of all times, a loop each, by name.
///
/// # Errors
/// The rows can't be read.
pub fn tallies(db: &Connection) -> Result<Vec<Tally>> {
    let sql = "SELECT l.name, COALESCE(r.started, 0), COALESCE(o.missed, 0), COALESCE(o.skipped, 0), \
               COALESCE(o.halted, 0), COALESCE(o.failed, 0), COALESCE(r.acted, 0), COALESCE(r.pull_requests, 0), \
               COALESCE(r.handed_over, 0), COALESCE(r.spent, 0) FROM loops l \
               LEFT JOIN (SELECT loop, SUM(times) FILTER (WHERE state = 'missed') AS missed, \
                          SUM(times) FILTER (WHERE state = 'skipped') AS skipped, \
                          SUM(times) FILTER (WHERE state = 'halted') AS halted, \
                          SUM(times) FILTER (WHERE state = 'failed') AS failed FROM occurrences GROUP BY loop) o \
               ON o.loop = l.id \
               LEFT JOIN (SELECT loop, COUNT(*) AS started, SUM(acted) AS acted, SUM(pull_requests) AS pull_requests, \
                          SUM(handed_over) AS handed_over, SUM(spent) AS spent FROM runs GROUP BY loop) r \
               ON r.loop = l.id ORDER BY l.name";
    let number = |r: &Row<'_>, at| r.get::<_, i64>(at).map(i64::unsigned_abs);
    let mut rows = db.prepare(sql)?;
    let found = rows.query_map([], |r| {
        Ok(Tally {
            loop_name: r.get(0)?,
            started: number(r, 1)?,
            missed: number(r, 2)?,
            skipped: number(r, 3)?,
            halted: number(r, 4)?,
            failed: number(r, 5)?,
            acted: number(r, 6)?,
            pull_requests: number(r, 7)?,
            handed_over: number(r, 8)?,
            spent: super::micros(r, 9)?,
        })
    })?;
    found.collect::<Result<_, _>>().context("adding up what became of all times")
}

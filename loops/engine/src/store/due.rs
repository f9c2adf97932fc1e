//! Occurrences that a person's decision asked for: they wait until their loop is free, and name what is worked on again.

use anyhow::{Context as _, Result};
use loopwright_core::ids::{LoopId, OccurrenceId, PullRequestId, RunId};
use loopwright_core::run::Revision;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

/// The trigger of a pull request that was sent back; its key is the review's id.
pub const REVIEW: &str = "review";

/// The trigger of an approved one whose base moved; its key names pull request, approval and new base.
pub const MOVED: &str = "moved";

/// One that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its id.
    pub id: OccurrenceId,
    /// Its loop.
    pub loop_id: LoopId,
    /// [`REVIEW`] or [`MOVED`].
    pub trigger: String,
    /// What makes it the same again.
    pub key: String,
    /// RFC 3339 UTC.
    pub due_at: String,
    /// IANA zone.
    pub zone: String,
    /// What is worked on again.
    pub revises: Revision,
}

/// What became of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `due`, `claimed`, `running`, or how it ended.
    pub state: String,
    /// Why it ended so.
    pub reason: Option<String>,
    /// Its run, once it was claimed for one.
    pub run: Option<RunId>,
    /// When it was asked for, RFC 3339 UTC.
    pub due_at: String,
}

impl Asked {
    /// Whether it came to its end.
    pub fn ended(&self) -> bool {
        !matches!(self.state.as_str(), "due" | "claimed" | "running")
    }
}

/// Stores one that waits; nothing happens where the same one is known.
///
/// # Errors
/// The row can't be written.
pub fn put(tx: &Transaction<'_>, due: &Due) -> Result<()> {
    tx.execute(
        "INSERT OR IGNORE INTO occurrences (id, loop, trigger, key, due_at, zone, state, revises) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'due', ?7)",
        params![
            due.id.to_string(),
            due.loop_id.to_string(),
            due.trigger,
            due.key,
            due.due_at,
            due.zone,
            serde_json::to_string(&due.revises)?
        ],
    )
    .context("storing what a decision asks for")?;
    Ok(())
}

// Left to itself, SQLite goes through every row that ever was due, in the order that is asked for.
pub(super) const ALL: &str = "SELECT id, loop, trigger, key, due_at, zone, revises FROM occurrences INDEXED BY due_occurrences \
                              WHERE state = 'due' AND revises IS NOT NULL ORDER BY due_at, id";

/// Those that wait, the oldest first.
///
/// # Errors
/// The rows can't be read.
pub fn all(db: &Connection) -> Result<Vec<Due>> {
    let mut rows = db.prepare_cached(ALL)?;
    let found = rows.query_map([], row)?;
    found.collect::<Result<_, _>>().context("reading what is due")
}

/// Claims one for a run; `false` if it no longer waits, or its loop has a live run.
///
/// # Errors
/// The row can't be written.
pub fn take(tx: &Transaction<'_>, id: OccurrenceId, run: RunId, at: &str) -> Result<bool> {
    let sql = "UPDATE OR IGNORE occurrences SET state = 'claimed', run = ?2, claimed_at = ?3 \
               WHERE id = ?1 AND state = 'due'";
    let rows = tx.execute(sql, params![id.to_string(), run.to_string(), at]).context("claiming what is due")?;
    Ok(rows == 1)
}

/// Lets one wait again whose run was claimed and never began; `false` if nobody asked for it by a decision, or it began.
///
/// # Errors
/// The row can't be written.
pub fn wait_again(tx: &Transaction<'_>, id: OccurrenceId, run: RunId) -> Result<bool> {
    // Whoever looked may have been slow: another run that claimed it since keeps it.
    let sql = "UPDATE occurrences SET state = 'due', run = NULL, claimed_at = NULL \
               WHERE id = ?1 AND run = ?2 AND state = 'claimed' AND revises IS NOT NULL";
    Ok(tx.execute(sql, [id.to_string(), run.to_string()]).context("letting what is due wait again")? == 1)
}

/// Ends one that still waits; `false` if it does not.
///
/// # Errors
/// The row can't be written.
pub fn skip(tx: &Transaction<'_>, id: PullRequestId, trigger: &str, why: &str) -> Result<bool> {
    let sql = "UPDATE occurrences SET state = 'skipped', reason = ?3 \
               WHERE trigger = ?2 AND state = 'due' AND revises IS NOT NULL AND json_extract(revises, '$.pull_request') = ?1";
    let rows = tx.execute(sql, params![id.to_string(), trigger, why]).context("ending what was due")?;
    Ok(rows > 0)
}

/// Ends one whose run can't begin.
///
/// # Errors
/// The row can't be written.
pub fn fail(tx: &Transaction<'_>, id: OccurrenceId, why: &str) -> Result<()> {
    let sql = "UPDATE occurrences SET state = 'failed', reason = ?2 WHERE id = ?1 AND state = 'due'";
    tx.execute(sql, params![id.to_string(), why]).context("ending what was due")?;
    Ok(())
}

/// What a run works on again; none for every run that begins something new.
///
/// # Errors
/// The row can't be read.
pub fn revised_by(db: &Connection, run: RunId) -> Result<Option<Revision>> {
    let sql = "SELECT revises FROM occurrences WHERE run = ?1";
    let found = db.query_row(sql, [run.to_string()], |r| super::json_or_none(r, 0)).optional();
    Ok(found.context("reading what a run works on again")?.flatten())
}

/// What became of the last order to work on a pull request again.
///
/// # Errors
/// The row can't be read.
pub fn last_on(db: &Connection, id: PullRequestId) -> Result<Option<Asked>> {
    let sql = "SELECT state, reason, run, due_at FROM occurrences WHERE revises IS NOT NULL AND json_extract(revises, '$.pull_request') = ?1 \
               ORDER BY rowid DESC LIMIT 1";
    let asked = |r: &Row<'_>| {
        let run: Option<String> = r.get(2)?;
        Ok(Asked { state: r.get(0)?, reason: r.get(1)?, run: run.and_then(|id| id.parse().ok()), due_at: r.get(3)? })
    };
    db.query_row(sql, [id.to_string()], asked).optional().context("reading what a decision asked for")
}

fn row(r: &Row<'_>) -> rusqlite::Result<Due> {
    Ok(Due {
        id: super::parsed(r, 0)?,
        loop_id: super::parsed(r, 1)?,
        trigger: r.get(2)?,
        key: r.get(3)?,
        due_at: r.get(4)?,
        zone: r.get(5)?,
        revises: super::json(r, 6)?,
    })
}

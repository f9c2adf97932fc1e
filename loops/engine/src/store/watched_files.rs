//! What files that start a loop looked like, so that only what is new or changed starts it.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::ids::LoopId;
use loopwright_core::timing::Timing;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::steps::stamp;

/// A loop that files start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watching {
    /// Which.
    pub loop_id: LoopId,
    /// Its name.
    pub name: String,
    /// When it starts.
    pub timing: Timing,
}

/// What was seen of the files of one glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// A mark of each file, as of the last start.
    pub marks: Vec<String>,
    /// The marks that are to start it next, and since when they are these.
    pub changed: Option<(Vec<String>, DateTime<Utc>)>,
}

/// The loops that files start.
///
/// # Errors
/// The rows can't be read.
pub fn loops(db: &Connection) -> Result<Vec<Watching>> {
    let sql = "SELECT id, name, timing FROM loops WHERE instr(timing, '\"file\"') > 0 ORDER BY name";
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map([], |r| {
        Ok(Watching { loop_id: super::parsed(r, 0)?, name: r.get(1)?, timing: super::json(r, 2)? })
    })?;
    found.collect::<Result<_, _>>().context("reading which loops files start")
}

/// What was seen last; none = nobody has looked yet.
///
/// # Errors
/// The row can't be read.
pub fn known(db: &Connection, id: LoopId, glob: &str) -> Result<Option<Known>> {
    let sql = "SELECT digest, changed, changed_at FROM watched_files WHERE loop = ?1 AND glob = ?2";
    let read = |r: &Row<'_>| {
        let changed: Option<Vec<String>> = super::json_or_none(r, 1)?;
        let at: Option<String> = r.get(2)?;
        let at = at.and_then(|text| text.parse().ok());
        Ok(Known { marks: super::json(r, 0)?, changed: changed.zip(at) })
    };
    db.query_row(sql, params![id.to_string(), glob], read).optional().context("reading what files looked like")
}

/// Keeps what was seen.
///
/// # Errors
/// The row can't be written.
pub fn keep(tx: &Transaction<'_>, id: LoopId, glob: &str, known: &Known) -> Result<()> {
    let (changed, at) = known.changed.as_ref().map(|(marks, at)| (marks, stamp(*at))).unzip();
    tx.execute(
        "INSERT OR REPLACE INTO watched_files (loop, glob, digest, changed, changed_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            id.to_string(),
            glob,
            serde_json::to_string(&known.marks)?,
            changed.map(serde_json::to_string).transpose()?,
            at
        ],
    )
    .context("storing what files look like")?;
    Ok(())
}

/// The earliest moment at which files were seen to change that may start their loop: one with a live run, or with a start that
/// waits, is looked at again when that is over.
///
/// # Errors
/// The row can't be read.
pub fn first_change(db: &Connection) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT MIN(w.changed_at) FROM watched_files w WHERE w.changed_at IS NOT NULL AND NOT EXISTS \
               (SELECT 1 FROM occurrences o WHERE o.loop = w.loop AND o.state IN ('due', 'claimed', 'running', 'parked'))";
    let found: Option<String> = db.query_row(sql, [], |r| r.get(0)).context("reading which files changed")?;
    found.map(|text| text.parse().context("a stored time")).transpose()
}

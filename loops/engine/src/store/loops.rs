//! Registered loops and the repositories they work on.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::{LoopId, RepoId};
use loopwright_core::money::Micros;
use loopwright_core::run::Mode;
use loopwright_core::timing::Timing;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

/// A registered loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopRow {
    /// Its id.
    pub id: LoopId,
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// The repository's id.
    pub repo: RepoId,
    /// The repository's path.
    pub repo_path: PathBuf,
    /// Only look, or ship too.
    pub mode: Mode,
    /// SHA-256 of the file that was confirmed.
    pub hash: String,
    /// Revision of the triage list that was written last.
    pub triage_revision: Option<String>,
    /// What that list held, in order.
    pub triage_listed: Vec<Fingerprint>,
}

const COLUMNS: &str = "SELECT l.id, l.name, l.path, l.repo, r.path, l.mode, l.hash, l.triage_revision, l.triage_listed \
                       FROM loops l JOIN repos r ON r.id = l.repo";

/// All loops by name.
///
/// # Errors
/// The rows can't be read.
pub fn all(db: &Connection) -> Result<Vec<LoopRow>> {
    let mut rows = db.prepare_cached(&format!("{COLUMNS} WHERE l.deleted_at IS NULL ORDER BY l.name"))?;
    let found = rows.query_map([], row)?;
    found.collect::<Result<_, _>>().context("reading the loops")
}

/// A loop by its name.
///
/// # Errors
/// The row can't be read.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<LoopRow>> {
    db.query_row(&format!("{COLUMNS} WHERE l.name = ?1 AND l.deleted_at IS NULL"), [name], row)
        .optional()
        .context("reading a loop")
}

/// A loop by its file; the newest, if a file is registered more than once.
///
/// # Errors
/// The row can't be read.
pub fn by_path(db: &Connection, path: &Path) -> Result<Option<LoopRow>> {
    db.query_row(
        &format!("{COLUMNS} WHERE l.path = ?1 AND l.deleted_at IS NULL ORDER BY l.added_at DESC LIMIT 1"),
        [path.to_str()],
        row,
    )
    .optional()
    .context("reading a loop")
}

/// A loop by its id.
///
/// # Errors
/// The row can't be read or isn't there.
pub fn by_id(db: &Connection, id: LoopId) -> Result<LoopRow> {
    db.query_row(&format!("{COLUMNS} WHERE l.id = ?1"), [id.to_string()], row)
        .with_context(|| format!("reading the loop {id}"))
}

/// When a loop was registered.
///
/// # Errors
/// The row can't be read.
pub fn added_at(db: &Connection, id: LoopId) -> Result<DateTime<Utc>> {
    db.query_row("SELECT added_at FROM loops WHERE id = ?1", [id.to_string()], |r| super::parsed(r, 0))
        .with_context(|| format!("reading when the loop {id} was registered"))
}

/// The id of the repository at `path`, made if it is new.
///
/// # Errors
/// The row can't be written.
pub fn repo(tx: &Transaction<'_>, path: &Path) -> Result<RepoId> {
    let path = path.to_str().context("the repository's path is not UTF-8")?;
    tx.execute("INSERT OR IGNORE INTO repos (id, path) VALUES (?1, ?2)", params![Uuid::now_v7().to_string(), path])?;
    let id: String = tx.query_row("SELECT id FROM repos WHERE path = ?1", [path], |r| r.get(0))?;
    id.parse().context("the repository's id")
}

/// Registers a loop, or confirms its changed file, by its id: its name may be another one than before.
///
/// # Errors
/// The row can't be written.
pub fn register(tx: &Transaction<'_>, row: &LoopRow, at: &str) -> Result<()> {
    let told = || format!("registering the loop {}", row.name);
    let (id, path) = (row.id.to_string(), row.path.to_str().context("the loop file's path is not UTF-8")?);
    let known = tx
        .execute(
            "UPDATE loops SET name = ?2, path = ?3, repo = ?4, mode = ?5, hash = ?6 WHERE id = ?1",
            params![id, row.name, path, row.repo.to_string(), row.mode.word(), row.hash],
        )
        .with_context(told)?;
    if known == 0 {
        tx.execute(
            "INSERT INTO loops (id, name, path, repo, mode, hash, added_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![id, row.name, path, row.repo.to_string(), row.mode.word(), row.hash, at],
        )
        .with_context(told)?;
    }
    Ok(())
}

/// Sets whether a loop ships.
///
/// # Errors
/// The row can't be written.
pub fn set_mode(tx: &Transaction<'_>, id: LoopId, mode: Mode) -> Result<()> {
    tx.execute("UPDATE loops SET mode = ?2 WHERE id = ?1", params![id.to_string(), mode.word()])?;
    Ok(())
}

/// Takes a loop out of all lists: nothing starts it any more, and its name is free. Its runs and receipts stay.
///
/// # Errors
/// The rows can't be written.
pub fn delete(tx: &Transaction<'_>, row: &LoopRow, at: &str) -> Result<()> {
    let (id, timing) = (row.id.to_string(), serde_json::to_string(&Timing::manual())?);
    let sql = "UPDATE loops SET deleted_at = ?2, paused_at = ?2, timing = ?3, name = name || ' (deleted ' || ?2 || ')' \
               WHERE id = ?1";
    tx.execute(sql, params![id, at, timing]).with_context(|| format!("deleting the loop {}", row.name))?;
    for table in ["schedules", "watched_files"] {
        tx.execute(&format!("DELETE FROM {table} WHERE loop = ?1"), [&id]).context("ending a timetable")?;
    }
    let sql = "UPDATE occurrences SET state = 'skipped', reason = 'its loop was deleted', ended_at = ?2 \
               WHERE loop = ?1 AND state = 'due'";
    tx.execute(sql, params![id, at]).context("ending what waited")?;
    Ok(())
}

/// What a loop's runs since `since` opened and spent.
///
/// # Errors
/// The rows can't be read.
pub fn since(db: &Connection, id: LoopId, since: &str) -> Result<(u32, Micros)> {
    let sql = "SELECT COALESCE(SUM(pull_requests), 0), COALESCE(SUM(spent), 0) FROM runs WHERE loop = ?1 AND started_at >= ?2";
    let read = |r: &Row<'_>| Ok((r.get(0)?, Micros(r.get::<_, i64>(1)?.unsigned_abs())));
    db.prepare_cached(sql)?.query_row([id.to_string().as_str(), since], read).context("reading what a loop did of late")
}

/// Keeps what was written into the triage list.
///
/// # Errors
/// The row can't be written.
pub fn set_triage(tx: &Transaction<'_>, id: LoopId, revision: &str, listed: &[Fingerprint]) -> Result<()> {
    tx.execute(
        "UPDATE loops SET triage_revision = ?2, triage_listed = ?3 WHERE id = ?1",
        params![id.to_string(), revision, serde_json::to_string(listed)?],
    )?;
    Ok(())
}

fn row(r: &Row<'_>) -> rusqlite::Result<LoopRow> {
    Ok(LoopRow {
        id: super::parsed(r, 0)?,
        name: r.get(1)?,
        path: PathBuf::from(r.get::<_, String>(2)?),
        repo: super::parsed(r, 3)?,
        repo_path: PathBuf::from(r.get::<_, String>(4)?),
        mode: if r.get::<_, String>(5)? == "ship" { Mode::Ship } else { Mode::Report },
        hash: r.get(6)?,
        triage_revision: r.get(7)?,
        triage_listed: super::json(r, 8)?,
    })
}

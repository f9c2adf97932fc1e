//! A cache: what the checks said of a commit, by everything that their answer depends on.

use anyhow::{Context as _, Result};
use loopwright_core::check::CheckReport;
use loopwright_core::ids::RepoId;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// What a check said of `commit`, if it is known; `key` is a hash of commands, environment and toolchain.
///
/// # Errors
/// The row can't be read.
pub fn get(db: &Connection, repo: RepoId, commit: &str, key: &str) -> Result<Option<CheckReport>> {
    db.query_row(
        "SELECT report FROM base_results WHERE repo = ?1 AND commit_id = ?2 AND key = ?3",
        params![repo.to_string(), commit, key],
        |r| super::json(r, 0),
    )
    .optional()
    .context("reading a kept check result")
}

/// Keeps what a check said.
///
/// # Errors
/// The row can't be written.
pub fn put(tx: &Transaction<'_>, repo: RepoId, commit: &str, key: &str, report: &CheckReport, at: &str) -> Result<()> {
    tx.execute(
        "INSERT OR REPLACE INTO base_results (repo, commit_id, key, report, at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![repo.to_string(), commit, key, serde_json::to_string(report)?, at],
    )?;
    Ok(())
}

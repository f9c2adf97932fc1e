//! What a person has on the desk while reading a pull request: files marked as viewed, and comments that are not sent yet.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use loopwright_core::ids::PullRequestId;
use rusqlite::{Connection, Transaction, params};

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id, which is the window's to choose.
    pub id: String,
    /// The file; none = it is about the whole.
    pub path: Option<String>,
    /// Whether the lines are those of the old file.
    pub old: bool,
    /// First line.
    pub from: u32,
    /// Last line.
    pub to: u32,
    /// The lines as they were shown (untrusted).
    pub code: String,
    /// What the person wrote.
    pub text: String,
}

/// The files that were marked as viewed: path and content.
///
/// # Errors
/// The rows can't be read.
pub fn viewed(db: &Connection, id: PullRequestId) -> Result<BTreeMap<String, String>> {
    let mut rows = db.prepare_cached("SELECT path, content FROM viewed_files WHERE pull_request = ?1")?;
    let found = rows.query_map([id.to_string()], |r| Ok((r.get(0)?, r.get(1)?)))?;
    found.collect::<Result<_, _>>().context("reading which files were viewed")
}

/// Marks a file with this content as viewed.
///
/// # Errors
/// The row can't be written.
pub fn mark(tx: &Transaction<'_>, id: PullRequestId, path: &str, content: &str, at: &str) -> Result<()> {
    let sql = "INSERT INTO viewed_files (pull_request, path, content, at) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO UPDATE SET content = excluded.content, at = excluded.at";
    tx.execute(sql, params![id.to_string(), path, content, at]).context("marking a file as viewed")?;
    Ok(())
}

/// Takes the mark of a file away.
///
/// # Errors
/// The row can't be written.
pub fn unmark(tx: &Transaction<'_>, id: PullRequestId, path: &str) -> Result<()> {
    let sql = "DELETE FROM viewed_files WHERE pull_request = ?1 AND path = ?2";
    tx.execute(sql, params![id.to_string(), path]).context("taking a viewed mark away")?;
    Ok(())
}

/// Comments that are not sent, by file and line.
///
/// # Errors
/// The rows can't be read.
pub fn drafts(db: &Connection, id: PullRequestId) -> Result<Vec<Draft>> {
    let mut rows = db.prepare_cached(
        "SELECT id, path, old, from_line, to_line, code, text FROM comment_drafts \
         WHERE pull_request = ?1 AND sent_at IS NULL ORDER BY path, from_line, id",
    )?;
    let found = rows.query_map([id.to_string()], |r| {
        Ok(Draft {
            id: r.get(0)?,
            path: r.get(1)?,
            old: r.get(2)?,
            from: r.get(3)?,
            to: r.get(4)?,
            code: r.get(5)?,
            text: r.get(6)?,
        })
    })?;
    found.collect::<Result<_, _>>().context("reading drafts of comments")
}

/// Keeps a comment, or what became of it.
///
/// # Errors
/// The row can't be written.
pub fn put(tx: &Transaction<'_>, id: PullRequestId, draft: &Draft, at: &str) -> Result<()> {
    let sql = "INSERT INTO comment_drafts (pull_request, id, path, old, from_line, to_line, code, text, at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
               ON CONFLICT DO UPDATE SET text = excluded.text, at = excluded.at, sent_at = NULL";
    let Draft { id: own, path, old, from, to, code, text } = draft;
    tx.execute(sql, params![id.to_string(), own, path, old, from, to, code, text, at]).context("keeping a draft")?;
    Ok(())
}

/// Throws a comment away.
///
/// # Errors
/// The row can't be written.
pub fn throw_away(tx: &Transaction<'_>, id: PullRequestId, draft: &str) -> Result<()> {
    let sql = "DELETE FROM comment_drafts WHERE pull_request = ?1 AND id = ?2";
    tx.execute(sql, params![id.to_string(), draft]).context("throwing a draft away")?;
    Ok(())
}

/// All comments that were drafts are sent.
///
/// # Errors
/// The rows can't be written.
pub fn sent(tx: &Transaction<'_>, id: PullRequestId, at: &str) -> Result<()> {
    let sql = "UPDATE comment_drafts SET sent_at = ?2 WHERE pull_request = ?1 AND sent_at IS NULL";
    tx.execute(sql, params![id.to_string(), at]).context("storing that drafts were sent")?;
    Ok(())
}

/// The comments that were sent last are drafts again.
///
/// # Errors
/// The rows can't be written.
pub fn taken_back(tx: &Transaction<'_>, id: PullRequestId) -> Result<()> {
    let sql = "UPDATE comment_drafts SET sent_at = NULL WHERE pull_request = ?1 \
               AND sent_at = (SELECT MAX(sent_at) FROM comment_drafts WHERE pull_request = ?1)";
    tx.execute(sql, [id.to_string()]).context("making drafts of what was sent")?;
    Ok(())
}

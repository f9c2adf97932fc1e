//! What people decided on pull requests, in their words.

use anyhow::{Context as _, Result};
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::{LoopId, PullRequestId, ReviewId};
use loopwright_core::review::Via;
use rusqlite::{Connection, Transaction, params};

/// One decision.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// Its identity.
    pub id: ReviewId,
    /// On what.
    pub pull_request: PullRequestId,
    /// `approve`, `send_back`, `reject`, `later`, `undo`.
    pub word: &'a str,
    /// How it reached us.
    pub via: Via,
    /// The tree that the pull request showed.
    pub tree: &'a str,
    /// RFC 3339 UTC.
    pub at: &'a str,
    /// What the person said with it.
    pub note: Option<&'a str>,
}

/// Keeps a decision.
///
/// # Errors
/// The row can't be written.
pub fn put(tx: &Transaction<'_>, d: &Decision<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO reviews (id, pull_request, decision, via, tree, at, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![d.id.to_string(), d.pull_request.to_string(), d.word, d.via.word(), d.tree, d.at, d.note],
    )
    .context("storing a review")?;
    Ok(())
}

/// The last decision of a kind on a pull request.
///
/// # Errors
/// The row can't be read.
pub fn last(db: &Connection, id: PullRequestId, word: &str) -> Result<Option<ReviewId>> {
    let mut rows = db.prepare_cached(
        "SELECT id FROM reviews WHERE pull_request = ?1 AND decision = ?2 ORDER BY rowid DESC LIMIT 1",
    )?;
    let mut found = rows.query_map([id.to_string(), word.to_owned()], |r| super::parsed(r, 0))?;
    found.next().transpose().context("reading the reviews")
}

/// Why earlier pull requests for a finding were rejected, the oldest first; rejections that were taken back are none.
///
/// # Errors
/// The rows can't be read.
pub fn rejections(db: &Connection, loop_id: LoopId, finding: &Fingerprint) -> Result<Vec<String>> {
    let mut rows = db.prepare_cached(
        "SELECT (SELECT r.note FROM reviews r WHERE r.pull_request = p.id AND r.decision = 'reject' ORDER BY r.id DESC \
         LIMIT 1) AS said FROM pull_requests p JOIN pull_request_findings f ON f.pull_request = p.id \
         WHERE p.loop = ?1 AND f.fingerprint = ?2 AND p.state = 'rejected' AND said IS NOT NULL ORDER BY p.opened_at",
    )?;
    let found = rows.query_map(params![loop_id.to_string(), finding.0], |r| r.get(0))?;
    found.collect::<Result<_, _>>().context("reading why earlier changes were rejected")
}

//! Pull requests and their findings: rows, and the streams that they follow from. What people decided is in `reviews`.

use anyhow::{Context as _, Result};
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::{LoopId, PullRequestId, RunId};
use loopwright_core::review::{self, Event, Shown, State};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::{Store, journal};

/// One pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestRecord {
    /// Its id.
    pub id: PullRequestId,
    /// Its loop.
    pub loop_id: LoopId,
    /// The loop's name now.
    pub loop_name: String,
    /// The run that opened it.
    pub run: RunId,
    /// The attempt it shows.
    pub attempt: String,
    /// Its title.
    pub title: String,
    /// Its text.
    pub body: String,
    /// Its state's word.
    pub state: String,
    /// Where it lands.
    pub branch: String,
    /// The commit it was made on.
    pub base: String,
    /// Its commit.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// Its patch id.
    pub patch_id: String,
    /// SHA-256 of its patch.
    pub diff_sha256: String,
    /// RFC 3339 UTC.
    pub opened_at: String,
    /// The commit on the target branch.
    pub merged: Option<String>,
    /// Until when it is put off, RFC 3339 UTC.
    pub later_until: Option<String>,
    /// When its approval takes effect, RFC 3339 UTC; none = at once, or there is none.
    pub lands_at: Option<String>,
}

impl PullRequestRecord {
    /// What it shows.
    pub fn shown(&self) -> Shown {
        Shown {
            commit: self.commit.clone(),
            tree: self.tree.clone(),
            patch_id: self.patch_id.clone(),
            diff_sha256: self.diff_sha256.clone(),
        }
    }
}

/// A finding of a pull request, and the issue that a merge closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedFinding {
    /// Which.
    pub finding: Fingerprint,
    /// The issue's number, if it is tied to one.
    pub issue: Option<String>,
}

const COLUMNS: &str = "SELECT p.id, p.loop, l.name, p.run, p.attempt, p.title, p.body, p.state, p.branch, p.base, \
                       p.commit_id, p.tree, p.patch_id, p.diff_sha256, p.opened_at, p.merged, \
                       p.later_until, p.lands_at \
                       FROM pull_requests p JOIN loops l ON l.id = p.loop";

/// The name of a pull request's stream.
pub fn stream(id: PullRequestId) -> String {
    format!("pr/{id}")
}

/// Pull requests that are not decided, those sent back among them; with `all`, decided ones too; the oldest first.
///
/// # Errors
/// The rows can't be read.
pub fn list(db: &Connection, all: bool) -> Result<Vec<PullRequestRecord>> {
    let which = if all { "" } else { "WHERE p.state IN ('open', 'approved', 'sent back')" };
    let mut rows = db.prepare_cached(&format!("{COLUMNS} {which} ORDER BY p.opened_at, p.id"))?;
    let found = rows.query_map([], row)?;
    found.collect::<Result<_, _>>().context("reading the pull requests")
}

/// Pull requests that were decided for good and that a person decided on since a time (RFC 3339 UTC), the oldest first.
///
/// # Errors
/// The rows can't be read.
pub fn decided_since(db: &Connection, since: &str) -> Result<Vec<PullRequestRecord>> {
    let mut rows = db.prepare_cached(&format!(
        "{COLUMNS} WHERE p.id IN (SELECT pull_request FROM reviews WHERE at >= ?1) \
         AND p.state NOT IN ('open', 'approved', 'sent back') ORDER BY p.opened_at, p.id"
    ))?;
    let found = rows.query_map([since], row)?;
    found.collect::<Result<_, _>>().context("reading what was decided")
}

/// Whether there ever was one.
///
/// # Errors
/// The rows can't be read.
pub fn any(db: &Connection) -> Result<bool> {
    db.query_row("SELECT EXISTS (SELECT 1 FROM pull_requests)", [], |r| r.get(0)).context("asking for pull requests")
}

/// Whether any is approved and has not landed yet.
///
/// # Errors
/// The rows can't be read.
pub fn any_approved(db: &Connection) -> Result<bool> {
    // In the words of the index, so that the decided ones are not read for it.
    let sql = "SELECT EXISTS (SELECT 1 FROM pull_requests \
               WHERE state IN ('open', 'approved', 'sent back') AND state = 'approved')";
    db.query_row(sql, [], |r| r.get(0)).context("asking for approved changes")
}

/// How many pull requests of a loop wait for a person that were not opened by `run`.
///
/// # Errors
/// The rows can't be read.
pub fn open_before(db: &Connection, loop_id: LoopId, run: RunId) -> Result<u32> {
    db.query_row(
        "SELECT COUNT(*) FROM pull_requests WHERE loop = ?1 AND run <> ?2 AND state IN ('open', 'approved', 'sent back')",
        [loop_id.to_string(), run.to_string()],
        |r| r.get(0),
    )
    .context("counting the open pull requests")
}

/// One pull request.
///
/// # Errors
/// The row can't be read.
pub fn by_id(db: &Connection, id: PullRequestId) -> Result<Option<PullRequestRecord>> {
    db.query_row(&format!("{COLUMNS} WHERE p.id = ?1"), [id.to_string()], row)
        .optional()
        .context("reading a pull request")
}

/// Pull requests whose id ends in what a person typed (or is it).
///
/// # Errors
/// The rows can't be read.
pub fn matching(db: &Connection, typed: &str) -> Result<Vec<PullRequestId>> {
    super::ids_matching(db, "SELECT id FROM pull_requests", typed)
}

/// The findings of a pull request.
///
/// # Errors
/// The rows can't be read.
pub fn findings(db: &Connection, id: PullRequestId) -> Result<Vec<LinkedFinding>> {
    let mut rows = db.prepare_cached(
        "SELECT fingerprint, linked_issue FROM pull_request_findings WHERE pull_request = ?1 ORDER BY fingerprint",
    )?;
    let found =
        rows.query_map([id.to_string()], |r| Ok(LinkedFinding { finding: Fingerprint(r.get(0)?), issue: r.get(1)? }))?;
    found.collect::<Result<_, _>>().context("reading the findings of a pull request")
}

/// Stores a pull request with its findings.
///
/// # Errors
/// The rows can't be written.
pub fn insert(tx: &Transaction<'_>, p: &PullRequestRecord, findings: &[LinkedFinding]) -> Result<()> {
    tx.execute(
        "INSERT INTO pull_requests (id, loop, run, attempt, title, body, state, branch, base, commit_id, tree, patch_id, \
         diff_sha256, opened_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            p.id.to_string(),
            p.loop_id.to_string(),
            p.run.to_string(),
            p.attempt,
            p.title,
            p.body,
            p.state,
            p.branch,
            p.base,
            p.commit,
            p.tree,
            p.patch_id,
            p.diff_sha256,
            p.opened_at
        ],
    )
    .context("storing a pull request")?;
    for linked in findings {
        tx.execute(
            "INSERT INTO pull_request_findings (pull_request, loop, fingerprint, linked_issue) VALUES (?1, ?2, ?3, ?4)",
            params![p.id.to_string(), p.loop_id.to_string(), linked.finding.0, linked.issue],
        )?;
    }
    Ok(())
}

/// Stores that a pull request shows another attempt.
///
/// # Errors
/// The row can't be written.
pub fn set_shown(tx: &Transaction<'_>, p: &PullRequestRecord) -> Result<()> {
    tx.execute(
        "UPDATE pull_requests SET attempt = ?2, body = ?3, base = ?4, commit_id = ?5, tree = ?6, patch_id = ?7, \
         diff_sha256 = ?8 WHERE id = ?1",
        params![p.id.to_string(), p.attempt, p.body, p.base, p.commit, p.tree, p.patch_id, p.diff_sha256],
    )
    .context("storing what a pull request shows")?;
    Ok(())
}

/// What an event and the state that it leads to mean for the row.
fn project(tx: &Transaction<'_>, id: PullRequestId, state: &State, event: &Event, at: &str) -> Result<()> {
    let merged = match state {
        State::Merged { commit } => Some(commit),
        _ => None,
    };
    // A landing that goes on, and the same change on a newer base, leave both times as they are.
    let keeps = matches!(event, Event::Waiting { .. } | Event::Landing { .. })
        || matches!((event, state), (Event::Updated { .. }, State::Approved { .. }));
    let (later, lands_at) = match event {
        Event::Later { until } => (until.as_ref(), None),
        Event::Approved { lands_at, .. } => (None, lands_at.as_ref()),
        _ => (None, None),
    };
    tx.execute(
        "UPDATE pull_requests SET state = ?2, merged = COALESCE(?3, merged), \
         merged_at = COALESCE(merged_at, CASE WHEN ?3 IS NOT NULL THEN ?7 END), \
         later_until = CASE WHEN ?4 THEN later_until ELSE ?5 END, lands_at = CASE WHEN ?4 THEN lands_at ELSE ?6 END \
         WHERE id = ?1",
        params![id.to_string(), state.word(), merged, keeps, later, lands_at, at],
    )
    .context("storing the state of a pull request")?;
    Ok(())
}

/// An event of a pull request as it is stored.
#[derive(Serialize, Deserialize)]
struct Entry {
    v: u32,
    at: String,
    #[serde(flatten)]
    event: Event,
}

/// The stored form of an event.
///
/// # Errors
/// It can't be written as JSON.
pub fn event_text(at: &str, event: &Event) -> Result<String> {
    let entry = Entry { v: 1, at: at.to_owned(), event: event.clone() };
    serde_json::to_string(&entry).context("writing an event of a pull request")
}

/// Everything that happened to a pull request, with the times (RFC 3339 UTC).
///
/// # Errors
/// The journal can't be read.
pub fn events(db: &Connection, id: PullRequestId) -> Result<Vec<(String, Event)>> {
    let stored = journal::after(db, &stream(id), 0)?;
    let parse = |(seq, body): (i64, String)| {
        let entry: Entry = serde_json::from_str(&body).with_context(|| format!("event {seq} of pull request {id}"))?;
        Ok((entry.at, entry.event))
    };
    stored.into_iter().map(parse).collect()
}

/// Where it stands, from its journal.
///
/// # Errors
/// The journal can't be read, or holds what can't follow.
pub fn state(db: &Connection, id: PullRequestId) -> Result<Option<State>> {
    let events = events(db, id)?;
    Ok(review::fold(events.iter().map(|(_, event)| event))?)
}

/// Appends an event to a pull request's stream if it can follow, together with its row and `also`.
///
/// # Errors
/// It was decided otherwise meanwhile, or nothing could be stored.
pub fn advance(
    store: &mut Store,
    id: PullRequestId,
    event: &Event,
    at: &str,
    also: impl FnOnce(&Transaction<'_>) -> Result<()>,
) -> Result<()> {
    store.write(|tx| {
        step(tx, id, event, at)?;
        also(tx)
    })
}

/// The same within a transaction; returns where the event leads.
///
/// # Errors
/// It can't follow, or nothing could be stored.
pub fn step(tx: &Transaction<'_>, id: PullRequestId, event: &Event, at: &str) -> Result<State> {
    let state = review::next(state(tx, id)?, event).context("the pull request was decided meanwhile")?;
    journal::append(tx, &stream(id), &event_text(at, event)?)?;
    project(tx, id, &state, event, at)?;
    Ok(state)
}

/// The pull request for a finding that is not decided: there is at most one.
///
/// # Errors
/// The rows can't be read.
pub fn undecided_for(db: &Connection, loop_id: LoopId, finding: &Fingerprint) -> Result<Option<PullRequestRecord>> {
    let sql = format!(
        "{COLUMNS} JOIN pull_request_findings f ON f.pull_request = p.id \
         WHERE p.loop = ?1 AND f.fingerprint = ?2 AND p.state IN ('open', 'approved', 'sent back') ORDER BY p.opened_at DESC"
    );
    db.query_row(&sql, params![loop_id.to_string(), finding.0], row)
        .optional()
        .context("reading a finding's pull request")
}

fn row(r: &Row<'_>) -> rusqlite::Result<PullRequestRecord> {
    Ok(PullRequestRecord {
        id: super::parsed(r, 0)?,
        loop_id: super::parsed(r, 1)?,
        loop_name: r.get(2)?,
        run: super::parsed(r, 3)?,
        attempt: r.get(4)?,
        title: r.get(5)?,
        body: r.get(6)?,
        state: r.get(7)?,
        branch: r.get(8)?,
        base: r.get(9)?,
        commit: r.get(10)?,
        tree: r.get(11)?,
        patch_id: r.get(12)?,
        diff_sha256: r.get(13)?,
        opened_at: r.get(14)?,
        merged: r.get(15)?,
        later_until: r.get(16)?,
        lands_at: r.get(17)?,
    })
}

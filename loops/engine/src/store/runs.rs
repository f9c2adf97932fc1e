//! Runs and their attempts, as projections of their journals.

use anyhow::{Context as _, Result};
use loopwright_core::diff::DiffStat;
use loopwright_core::exit;
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::{LoopId, PullRequestId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::run::{BuildResult, End, Run};
use loopwright_core::verdict::Verdict;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

/// One run.
#[derive(Clone, Debug)]
pub struct RunRecord {
    /// Its id.
    pub id: RunId,
    /// Its loop.
    pub loop_id: LoopId,
    /// The loop's name now.
    pub loop_name: String,
    /// `manual`, `cron`.
    pub cause: String,
    /// RFC 3339 UTC.
    pub started_at: String,
    /// RFC 3339 UTC.
    pub ended_at: Option<String>,
    /// How it ended.
    pub end: Option<End>,
    /// Charged.
    pub spent: Micros,
    /// The ceiling.
    pub budget: Micros,
    /// Findings acted on.
    pub acted: u32,
    /// Findings handed over.
    pub handed_over: u32,
    /// Pull requests opened.
    pub pull_requests: u32,
    /// The exit code that stands for it; none while it lives.
    pub code: Option<u8>,
    /// Steps that are not about findings, and are done.
    pub chores: u32,
    /// What it waits for while it is parked.
    pub parked: Option<String>,
    /// Until when it is parked, RFC 3339 UTC.
    pub parked_until: Option<String>,
    /// Which of its steps after the end did not end well, in words.
    pub last_steps: Option<String>,
}

const COLUMNS: &str = "SELECT r.id, r.loop, l.name, r.cause, r.started_at, r.ended_at, r.ended, r.spent, r.budget, \
                       r.acted, r.handed_over, r.pull_requests, r.code, r.chores, \
                       (SELECT o.reason FROM occurrences o WHERE o.id = r.occurrence AND o.state = 'parked'), \
                       (SELECT o.not_before FROM occurrences o WHERE o.id = r.occurrence AND o.state = 'parked'), r.last_steps \
                       FROM runs r JOIN loops l ON l.id = r.loop";

/// The name of a run's stream.
pub fn stream(run: RunId) -> String {
    format!("run/{run}")
}

/// The newest runs, of one loop or of all.
///
/// # Errors
/// The rows can't be read.
pub fn newest(db: &Connection, loop_id: Option<LoopId>, limit: u32) -> Result<Vec<RunRecord>> {
    // Two statements: one that fits both cases could use no index.
    let newest = "ORDER BY r.started_at DESC, r.id DESC LIMIT ?1";
    let found: rusqlite::Result<Vec<RunRecord>> = match loop_id {
        None => db.prepare_cached(&format!("{COLUMNS} {newest}"))?.query_map([limit], row)?.collect(),
        Some(id) => db
            .prepare_cached(&format!("{COLUMNS} WHERE r.loop = ?2 {newest}"))?
            .query_map(params![limit, id.to_string()], row)?
            .collect(),
    };
    found.context("reading the runs")
}

/// Runs that have not ended.
///
/// # Errors
/// The rows can't be read.
pub fn live(db: &Connection) -> Result<Vec<RunRecord>> {
    let mut rows = db.prepare_cached(&format!("{COLUMNS} WHERE r.ended_at IS NULL ORDER BY r.started_at"))?;
    let found = rows.query_map([], row)?;
    found.collect::<Result<_, _>>().context("reading the live runs")
}

/// One run.
///
/// # Errors
/// The row can't be read.
pub fn by_id(db: &Connection, id: RunId) -> Result<Option<RunRecord>> {
    db.query_row(&format!("{COLUMNS} WHERE r.id = ?1"), [id.to_string()], row).optional().context("reading a run")
}

/// Runs whose id ends in what a person typed (or is it).
///
/// # Errors
/// The rows can't be read.
pub fn matching(db: &Connection, typed: &str) -> Result<Vec<RunId>> {
    super::ids_matching(db, "SELECT id FROM runs", typed)
}

pub(super) fn insert(tx: &Transaction<'_>, run: &Run, at: &str) -> Result<()> {
    let start = &run.start;
    tx.execute(
        "INSERT INTO runs (id, loop, occurrence, cause, started_at, epoch, spent, budget, acted, handed_over, pull_requests) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 0, 0, 0)",
        params![
            start.run.to_string(),
            start.loop_id.to_string(),
            start.occurrence.to_string(),
            start.cause,
            at,
            start.epoch,
            i64::try_from(start.rails.budget.0)?
        ],
    )
    .context("storing a run")?;
    Ok(())
}

pub(super) fn update(tx: &Transaction<'_>, run: &Run, ended_at: Option<&str>) -> Result<()> {
    use loopwright_core::run::Stage;
    let count =
        |f: fn(&Stage) -> bool| u32::try_from(run.items.iter().filter(|i| f(&i.stage)).count()).unwrap_or(u32::MAX);
    tx.execute(
        "UPDATE runs SET epoch = ?2, spent = ?3, acted = ?4, handed_over = ?5, pull_requests = ?6, ended_at = ?7, ended = ?8, code = ?9, chores = ?10, last_steps = ?11 \
         WHERE id = ?1",
        params![
            run.start.run.to_string(),
            run.start.epoch,
            i64::try_from(run.spent.0)?,
            u32::try_from(run.items.iter().filter(|i| i.taken).count()).unwrap_or(u32::MAX),
            count(|s| matches!(s, Stage::HandedOver(_))),
            count(|s| matches!(s, Stage::Shipped { .. })),
            ended_at,
            run.end.as_ref().map(serde_json::to_string).transpose()?,
            exit::of_run(run),
            u32::try_from(run.chores.iter().filter(|chore| chore.done()).count()).unwrap_or(u32::MAX),
            run.last_steps_failed()
        ],
    )
    .context("updating a run")?;
    Ok(())
}

pub(super) fn attempt_started(tx: &Transaction<'_>, id: Uuid, run: RunId, finding: &str, iteration: u32) -> Result<()> {
    tx.execute(
        "INSERT INTO attempts (id, run, finding, iteration, charged) VALUES (?1, ?2, ?3, ?4, 0)",
        params![id.to_string(), run.to_string(), finding, iteration],
    )
    .context("storing an attempt")?;
    Ok(())
}

pub(super) fn attempt_built(tx: &Transaction<'_>, id: Uuid, result: &BuildResult, charged: Micros) -> Result<()> {
    tx.execute(
        "UPDATE attempts SET result = ?2, charged = ?3 WHERE id = ?1",
        params![id.to_string(), serde_json::to_string(result)?, i64::try_from(charged.0)?],
    )?;
    Ok(())
}

pub(super) fn attempt_verified(tx: &Transaction<'_>, id: Uuid, verdict: &Verdict, charged: Micros) -> Result<()> {
    tx.execute(
        "UPDATE attempts SET verdict = ?2, verify_charged = verify_charged + ?3 WHERE id = ?1",
        params![id.to_string(), serde_json::to_string(verdict)?, i64::try_from(charged.0)?],
    )?;
    Ok(())
}

pub(super) fn attempt_charged(tx: &Transaction<'_>, id: Uuid, build: Micros, verify: Micros) -> Result<()> {
    tx.execute(
        "UPDATE attempts SET charged = charged + ?2, verify_charged = verify_charged + ?3 WHERE id = ?1",
        params![id.to_string(), i64::try_from(build.0)?, i64::try_from(verify.0)?],
    )?;
    Ok(())
}

/// The verdict on an attempt, its round, and what all rounds on that finding in that run cost, checkers included.
///
/// # Errors
/// The row can't be read.
pub fn attempt(db: &Connection, id: &str) -> Result<(Option<Verdict>, u32, Micros)> {
    db.query_row(
        "SELECT verdict, iteration, (SELECT SUM(charged + verify_charged) FROM attempts b WHERE b.run = a.run AND b.finding = a.finding) \
         FROM attempts a WHERE id = ?1",
        [id],
        |r| Ok((super::json_or_none(r, 0)?, r.get(1)?, super::micros(r, 2)?)),
    )
    .with_context(|| format!("reading the attempt {id}"))
}

/// The rounds of a pull request and what they cost: of the run that opened it, and of those that worked on it again.
/// The same change on a newer base is no round.
///
/// # Errors
/// The rows can't be read.
pub fn on_pull_request(db: &Connection, id: PullRequestId) -> Result<(u32, Micros)> {
    let sql = "SELECT COALESCE(MAX(a.iteration) FILTER (WHERE o.trigger <> 'moved'), 0), \
               COALESCE(SUM(a.charged + a.verify_charged), 0) FROM attempts a JOIN runs r ON r.id = a.run \
               JOIN occurrences o ON o.id = r.occurrence \
               JOIN pull_request_findings f ON f.pull_request = ?1 AND f.fingerprint = a.finding \
               WHERE a.run IN (SELECT run FROM pull_requests WHERE id = ?1 UNION SELECT run FROM occurrences \
               WHERE revises IS NOT NULL AND json_extract(revises, '$.pull_request') = ?1)";
    db.query_row(sql, [id.to_string()], |r| Ok((r.get(0)?, super::micros(r, 1)?)))
        .with_context(|| format!("reading the rounds of pull request {id}"))
}

/// The runs that worked on a pull request: the one that opened it, and those that worked on it again.
///
/// # Errors
/// The rows can't be read.
pub fn behind(db: &Connection, id: PullRequestId) -> Result<Vec<RunId>> {
    let sql = "SELECT run FROM pull_requests WHERE id = ?1 UNION SELECT run FROM occurrences \
               WHERE run IS NOT NULL AND revises IS NOT NULL AND json_extract(revises, '$.pull_request') = ?1";
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map([id.to_string()], |r| super::parsed(r, 0))?;
    found.collect::<Result<_, _>>().with_context(|| format!("reading the runs of pull request {id}"))
}

/// Whether there is a row of an attempt: it is written before the attempt is made.
///
/// # Errors
/// The row can't be read.
pub fn knows_attempt(db: &Connection, id: Uuid) -> Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM attempts WHERE id = ?1)";
    db.query_row(sql, [id.to_string()], |r| r.get(0)).context("reading an attempt")
}

/// The run of an attempt.
///
/// # Errors
/// There is no such attempt.
pub fn of_attempt(db: &Connection, id: &str) -> Result<RunId> {
    db.query_row("SELECT run FROM attempts WHERE id = ?1", [id], |r| super::parsed(r, 0))
        .with_context(|| format!("reading the run of attempt {id}"))
}

/// How much an attempt changes.
///
/// # Errors
/// The row can't be read.
pub fn attempt_stat(db: &Connection, id: &str) -> Result<DiffStat> {
    let result: Option<BuildResult> =
        db.query_row("SELECT result FROM attempts WHERE id = ?1", [id], |r| super::json_or_none(r, 0))?;
    Ok(match result {
        Some(BuildResult::Change { stat, .. }) => stat,
        _ => DiffStat::default(),
    })
}

/// The commit of the last attempt on a finding in a run that left one.
///
/// # Errors
/// The row can't be read.
pub fn last_commit(db: &Connection, run: RunId, finding: &Fingerprint) -> Result<Option<String>> {
    let commit: Option<Option<String>> = db
        .query_row(
            "SELECT json_extract(result, '$.commit') FROM attempts WHERE run = ?1 AND finding = ?2 \
             AND json_extract(result, '$.result') = 'change' ORDER BY id DESC LIMIT 1",
            params![run.to_string(), finding.0],
            |r| r.get(0),
        )
        .optional()?;
    Ok(commit.flatten())
}

/// The last run of a loop that made an attempt on a finding.
///
/// # Errors
/// The row can't be read.
pub fn last_on(db: &Connection, loop_id: LoopId, finding: &Fingerprint) -> Result<Option<RunId>> {
    db.query_row(
        "SELECT a.run FROM attempts a JOIN runs r ON r.id = a.run WHERE r.loop = ?1 AND a.finding = ?2 \
         ORDER BY a.id DESC LIMIT 1",
        params![loop_id.to_string(), finding.0],
        |r| super::parsed(r, 0),
    )
    .optional()
    .context("reading the last run on a finding")
}

fn row(r: &Row<'_>) -> rusqlite::Result<RunRecord> {
    Ok(RunRecord {
        id: super::parsed(r, 0)?,
        loop_id: super::parsed(r, 1)?,
        loop_name: r.get(2)?,
        cause: r.get(3)?,
        started_at: r.get(4)?,
        ended_at: r.get(5)?,
        end: super::json_or_none(r, 6)?,
        spent: super::micros(r, 7)?,
        budget: super::micros(r, 8)?,
        acted: r.get(9)?,
        handed_over: r.get(10)?,
        pull_requests: r.get(11)?,
        code: r.get(12)?,
        chores: r.get(13)?,
        parked: r.get(14)?,
        parked_until: r.get(15)?,
        last_steps: r.get(16)?,
    })
}

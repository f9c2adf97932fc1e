//! The ledger of due times: how far it reaches for each loop, and the occurrences that wait for their start.
//!
//! What becomes of each is decided in `core::due`. Occurrences that a decision asked for are in [`super::due`].

mod looks;
mod pauses;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::due::{Arrival, Fate, Live, Waiting};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::run::{End, Run};
use loopwright_core::schedule::due_times;
use loopwright_core::timing::{After, Timing, Trigger};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use uuid::Uuid;

use crate::steps::stamp;

pub use looks::{last_began, limits, waking, zones};
pub use pauses::{next_rested, pause, paused_at, paused_until, rested};

/// A loop that starts by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheduled {
    /// Which.
    pub loop_id: LoopId,
    /// Its name.
    pub name: String,
    /// When it starts, as it was confirmed.
    pub timing: Timing,
    /// Whether nothing starts it by itself now.
    pub paused: bool,
    /// Every due time up to here has its row.
    pub since: DateTime<Utc>,
    /// The zone that its times were reckoned in.
    pub zone: Tz,
}

/// Loops whose time has come; whose ledger reaches past `ahead` (the clock was set back); or that were reckoned in another
/// zone than the computer's, where that is theirs. The times of one that is paused get their row when it is enabled.
///
/// # Errors
/// The rows can't be read.
pub fn come(db: &Connection, now: DateTime<Utc>, ahead: DateTime<Utc>, computer: Tz) -> Result<Vec<Scheduled>> {
    let mut rows = db.prepare_cached(&format!(
        "{SCHEDULED} WHERE l.paused_at IS NULL AND (s.next_at <= ?1 OR s.since > ?2 \
         OR (s.zone <> ?3 AND json_extract(l.timing, '$.zone') IS NULL)) ORDER BY l.name"
    ))?;
    let found = rows.query_map(params![stamp(now), stamp(ahead), computer.name()], scheduled)?;
    found.collect::<Result<_, _>>().context("reading which loops are due")
}

/// How far the ledger of one loop reaches; none for one without due times.
///
/// # Errors
/// The row can't be read.
pub fn of_loop(db: &Connection, id: LoopId) -> Result<Option<Scheduled>> {
    let found = db.query_row(&format!("{SCHEDULED} WHERE l.id = ?1"), [id.to_string()], scheduled);
    found.optional().context("reading how far a ledger reaches")
}

const SCHEDULED: &str = "SELECT l.id, l.name, l.timing, l.paused_at IS NOT NULL, s.since, s.zone \
                         FROM schedules s JOIN loops l ON l.id = s.loop";

fn scheduled(r: &Row<'_>) -> rusqlite::Result<Scheduled> {
    Ok(Scheduled {
        loop_id: super::parsed(r, 0)?,
        name: r.get(1)?,
        timing: super::json(r, 2)?,
        paused: r.get(3)?,
        since: super::parsed(r, 4)?,
        zone: super::parsed(r, 5)?,
    })
}

/// When a loop starts, and whether nothing starts it by itself now; none for one that an older program registered.
///
/// # Errors
/// The row can't be read.
pub fn timing(db: &Connection, id: LoopId) -> Result<Option<(Timing, bool)>> {
    let sql = "SELECT timing, paused_at IS NOT NULL FROM loops WHERE id = ?1";
    let read = |r: &Row<'_>| Ok((super::json_or_none(r, 0)?, r.get(1)?));
    let found: Option<(Option<Timing>, bool)> =
        db.query_row(sql, [id.to_string()], read).optional().context("reading when a loop starts")?;
    Ok(found.and_then(|(timing, paused)| Some((timing?, paused))))
}

/// Loops that an older program registered: nobody has read yet when they start.
///
/// # Errors
/// The rows can't be read.
pub fn unread(db: &Connection) -> Result<Vec<LoopId>> {
    let mut rows = db.prepare_cached("SELECT id FROM loops WHERE timing IS NULL")?;
    let found = rows.query_map([], |r| super::parsed(r, 0))?;
    found.collect::<Result<_, _>>().context("reading which loops are not scheduled yet")
}

/// What is kept of a loop's file so that its times come without it.
#[derive(Clone, Debug)]
pub struct Keep<'a> {
    /// When it starts.
    pub timing: &'a Timing,
    /// The most that a run takes, in seconds.
    pub max_duration_s: u64,
    /// The most that its `finally` steps take, in seconds; 0 = it has none.
    pub finally_s: u64,
    /// What it is for.
    pub does: Does,
}

/// What a loop is for, as far as people are told without its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It can open pull requests.
    Ships,
    /// It only finds.
    Finds,
    /// It has steps alone.
    Chores,
}

impl Does {
    fn word(self) -> &'static str {
        match self {
            Does::Ships => "ships",
            Does::Finds => "finds",
            Does::Chores => "chores",
        }
    }
}

/// What a loop is for.
///
/// # Errors
/// The row can't be read.
pub fn does(db: &Connection, id: LoopId) -> Result<Does> {
    let word: String = db
        .query_row("SELECT does FROM loops WHERE id = ?1", [id.to_string()], |r| r.get(0))
        .context("reading what a loop is for")?;
    Ok([Does::Finds, Does::Chores].into_iter().find(|does| does.word() == word).unwrap_or(Does::Ships))
}

/// Keeps when a loop starts, from now on; times of before are not made up for. A timing that is the same goes on as it was.
///
/// # Errors
/// The rows can't be written.
pub fn keep(tx: &Transaction<'_>, id: LoopId, keep: &Keep<'_>, now: DateTime<Utc>, computer: Tz) -> Result<()> {
    let same = timing(tx, id)?.is_some_and(|(before, _)| before == *keep.timing);
    let (most, finally) = (i64::try_from(keep.max_duration_s)?, i64::try_from(keep.finally_s)?);
    tx.execute(
        "UPDATE loops SET timing = ?2, max_duration_s = ?3, finally_s = ?4, does = ?5 WHERE id = ?1",
        params![id.to_string(), serde_json::to_string(keep.timing)?, most, finally, keep.does.word()],
    )
    .context("storing when a loop starts")?;
    forget_files(tx, id, keep.timing)?;
    if same {
        return Ok(());
    }
    reach(tx, id, keep.timing, now, computer)
}

/// Forgets what files looked like that start the loop no longer.
fn forget_files(tx: &Transaction<'_>, id: LoopId, timing: &Timing) -> Result<()> {
    let globs = timing.triggers.iter().filter_map(|t| if let Trigger::File(glob) = t { Some(glob) } else { None });
    let globs = serde_json::to_string(&globs.collect::<Vec<_>>())?;
    let sql = "DELETE FROM watched_files WHERE loop = ?1 AND glob NOT IN (SELECT value FROM json_each(?2))";
    tx.execute(sql, [id.to_string(), globs]).context("forgetting files that start nothing any more")?;
    Ok(())
}

/// The ledger of a loop reaches up to `since`.
///
/// # Errors
/// The row can't be written.
pub fn reach(tx: &Transaction<'_>, id: LoopId, timing: &Timing, since: DateTime<Utc>, computer: Tz) -> Result<()> {
    if !timing.triggers.iter().any(Trigger::is_time) {
        tx.execute("DELETE FROM schedules WHERE loop = ?1", [id.to_string()]).context("ending a timetable")?;
        return Ok(());
    }
    let zone = timing.zone.unwrap_or(computer);
    let next = due_times(timing, zone, since).next().map(|(at, _)| stamp(at));
    tx.execute(
        "INSERT INTO schedules (loop, since, next_at, zone) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (loop) DO UPDATE SET since = excluded.since, next_at = excluded.next_at, zone = excluded.zone",
        params![id.to_string(), stamp(since), next, zone.name()],
    )
    .context("storing the next time of a loop")?;
    Ok(())
}

/// The next due time of all loops.
///
/// # Errors
/// The row can't be read.
pub fn next(db: &Connection) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT s.next_at FROM schedules s JOIN loops l ON l.id = s.loop \
               WHERE s.next_at IS NOT NULL AND l.paused_at IS NULL ORDER BY s.next_at LIMIT 1";
    moment(db, sql)
}

/// The loops with a due time to come, those with the earliest first: as many as can have one of the `n` earliest after `now`.
///
/// # Errors
/// The rows can't be read.
pub fn earliest(db: &Connection, now: DateTime<Utc>, n: usize) -> Result<Vec<LoopId>> {
    // Where nobody looked for long, the stored times say nothing of the order.
    let late = "SELECT EXISTS (SELECT 1 FROM schedules WHERE next_at <= ?1)";
    let late: bool = db.query_row(late, [stamp(now)], |r| r.get(0)).context("reading the next times")?;
    let most = if late { -1 } else { i64::try_from(n)? };
    let sql = "SELECT s.loop FROM schedules s JOIN loops l ON l.id = s.loop \
               WHERE s.next_at IS NOT NULL AND l.paused_at IS NULL ORDER BY s.next_at LIMIT ?1";
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map([most], |r| super::parsed(r, 0))?;
    found.collect::<Result<_, _>>().context("reading the next times")
}

/// Up to when every due time of a loop has its row; none for one that has no due times.
///
/// # Errors
/// The row can't be read.
pub fn since(db: &Connection, id: LoopId) -> Result<Option<DateTime<Utc>>> {
    let sql = "SELECT since FROM schedules WHERE loop = ?1";
    let found = db.query_row(sql, [id.to_string()], |r| super::parsed(r, 0)).optional();
    found.context("reading how far a ledger reaches")
}

/// The first moment at which something that waits may start, a parked run may go on, or an approved change may land.
///
/// # Errors
/// The rows can't be read.
pub fn next_of_waiting(db: &Connection, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    // In the words of the indexes, so that a long ledger is not read for it.
    let sql = "SELECT MIN(at) FROM (SELECT MIN(not_before) AS at FROM occurrences WHERE state = 'due' AND not_before > ?1 \
               UNION ALL SELECT MIN(not_before) FROM occurrences \
               WHERE state IN ('claimed', 'running', 'parked') AND state = 'parked' AND not_before > ?1 \
               UNION ALL SELECT MIN(lands_at) FROM pull_requests \
               WHERE state IN ('open', 'approved', 'sent back') AND state = 'approved' AND lands_at > ?1)";
    let found: Option<String> = db.query_row(sql, [stamp(now)], |r| r.get(0)).context("reading what waits")?;
    found.map(|text| text.parse().context("a stored time")).transpose()
}

fn moment(db: &Connection, sql: &str) -> Result<Option<DateTime<Utc>>> {
    let found: Option<String> = db.query_row(sql, [], |r| r.get(0)).optional().context("reading the next time")?;
    found.map(|text| text.parse().context("a stored time")).transpose()
}

/// Stores a due time with what becomes of it; `false` if it has its row already.
///
/// # Errors
/// The row can't be written.
pub fn arrive(tx: &Transaction<'_>, id: LoopId, arrival: &Arrival, zone: Tz, at: DateTime<Utc>) -> Result<bool> {
    let (state, reason, not_before) = match &arrival.fate {
        Fate::Waits { not_before, held } => ("due", held.as_ref(), Some(stamp(*not_before))),
        Fate::Missed(why) => ("missed", Some(why), None),
        Fate::Skipped(why) => ("skipped", Some(why), None),
    };
    let stored = tx.execute(
        "INSERT OR IGNORE INTO occurrences (id, loop, trigger, key, due_at, zone, state, reason, not_before, until_at, times, ended_at) \
         VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            Uuid::now_v7().to_string(),
            id.to_string(),
            arrival.trigger,
            stamp(arrival.due_at),
            zone.name(),
            state,
            reason,
            not_before,
            arrival.until.map(stamp),
            i64::try_from(arrival.times)?,
            (state != "due").then(|| stamp(at)),
        ],
    );
    Ok(stored.context("storing a due time")? == 1)
}

/// Stores an event that starts a loop: another loop's run, or changed files; `false` if it is known.
///
/// # Errors
/// The row can't be written.
pub fn happen(tx: &Transaction<'_>, id: LoopId, trigger: &str, key: &str, at: &str) -> Result<bool> {
    let stored = tx.execute(
        "INSERT OR IGNORE INTO occurrences (id, loop, trigger, key, due_at, zone, state) VALUES (?1, ?2, ?3, ?4, ?5, 'UTC', 'due')",
        params![Uuid::now_v7().to_string(), id.to_string(), trigger, key, at],
    );
    Ok(stored.context("storing what happened")? == 1)
}

/// What starts after a run of another loop: those loops' occurrences, in the transaction of its end.
///
/// # Errors
/// The rows can't be written.
pub fn follow(tx: &Transaction<'_>, run: &Run, end: &End, at: &str) -> Result<()> {
    followed_by(tx, &run.start.loop_name, run.start.run, |outcome| outcome.fits(end), at)
}

/// What starts after a run that was to begin and never did: it has failed.
///
/// # Errors
/// The rows can't be written.
pub fn follow_failed(tx: &Transaction<'_>, loop_name: &str, run: RunId, at: &str) -> Result<()> {
    followed_by(tx, loop_name, run, |outcome| outcome != After::Finished, at)
}

fn followed_by(
    tx: &Transaction<'_>,
    loop_name: &str,
    run: RunId,
    fits: impl Fn(After) -> bool,
    at: &str,
) -> Result<()> {
    let mut rows = tx.prepare_cached("SELECT id, timing FROM loops WHERE instr(timing, '\"after\"') > 0")?;
    let loops = rows.query_map([], |r| Ok((super::parsed(r, 0)?, super::json::<Timing>(r, 1)?)))?;
    let loops: Vec<(LoopId, Timing)> = loops.collect::<Result<_, _>>().context("reading what starts after a run")?;
    for (id, timing) in loops {
        let follows =
            |t: &Trigger| matches!(t, Trigger::After { name, outcome } if name == loop_name && fits(*outcome));
        if timing.triggers.iter().any(follows) {
            happen(tx, id, "after", &run.to_string(), at)?;
        }
    }
    Ok(())
}

/// Takes back what became of times that have not come: the clock was ahead. Of a row of many, `came` says which was the last
/// one that came since its first, and how many they are.
///
/// # Errors
/// The rows can't be written.
pub fn take_back(
    tx: &Transaction<'_>,
    id: LoopId,
    now: DateTime<Utc>,
    came: impl Fn(DateTime<Utc>) -> (DateTime<Utc>, usize),
) -> Result<usize> {
    let sql = "SELECT id, due_at FROM occurrences WHERE loop = ?1 AND due_at <= ?2 AND until_at > ?2";
    let many: Vec<(String, DateTime<Utc>)> = tx
        .prepare(sql)?
        .query_map([id.to_string(), stamp(now)], |r| Ok((r.get(0)?, super::parsed(r, 1)?)))?
        .collect::<Result<_, _>>()
        .context("looking for times that have not come")?;
    for (row, first) in many {
        let (last, times) = came(first);
        let sql = "UPDATE occurrences SET until_at = ?2, times = ?3 WHERE id = ?1";
        tx.execute(sql, params![row, stamp(last), i64::try_from(times)?]).context("taking back times of many")?;
    }
    // What waits for a moment of that other time waits no longer.
    let sql = "UPDATE occurrences SET not_before = NULL WHERE loop = ?1 AND state = 'due' AND not_before > ?2";
    tx.execute(sql, [id.to_string(), stamp(now)]).context("taking back when a start may be")?;
    let sql = "DELETE FROM occurrences WHERE loop = ?1 AND due_at > ?2 AND state IN ('due', 'missed', 'skipped') \
               AND trigger IN ('cron', 'every', 'at') AND run IS NULL";
    tx.execute(sql, [id.to_string(), stamp(now)]).context("taking back times that have not come")
}

// Left to itself, SQLite goes through every row that ever was due, in the order that is asked for.
pub(super) const WAITING: &str = "SELECT id, loop, trigger, due_at, not_before, reason FROM occurrences INDEXED BY due_occurrences \
                                  WHERE state = 'due' AND revises IS NULL ORDER BY due_at, id";

/// The occurrences that wait for their start, the oldest first.
///
/// # Errors
/// The rows can't be read.
pub fn waiting(db: &Connection) -> Result<Vec<Waiting>> {
    let mut rows = db.prepare_cached(WAITING)?;
    let found = rows.query_map([], |r| {
        Ok(Waiting {
            id: super::parsed(r, 0)?,
            loop_id: super::parsed(r, 1)?,
            trigger: r.get(2)?,
            due_at: super::parsed(r, 3)?,
            not_before: r.get::<_, Option<String>>(4)?.and_then(|at| at.parse().ok()),
            held: r.get(5)?,
        })
    })?;
    found.collect::<Result<_, _>>().context("reading what waits")
}

/// Keeps what holds one that waits, for when that is over.
///
/// # Errors
/// The row can't be written.
pub fn held(tx: &Transaction<'_>, id: OccurrenceId, why: &str) -> Result<()> {
    let sql = "UPDATE occurrences SET reason = ?2 WHERE id = ?1 AND state = 'due'";
    tx.execute(sql, params![id.to_string(), why]).context("storing what a start waits for")?;
    Ok(())
}

/// The runs that live, or are about to.
///
/// # Errors
/// The rows can't be read.
pub fn live(db: &Connection) -> Result<Vec<Live>> {
    let mut rows = db.prepare_cached(LIVE)?;
    let found = rows.query_map([], live_row)?;
    found.collect::<Result<_, _>>().context("reading what lives")
}

/// The live run of one loop.
///
/// # Errors
/// The row can't be read.
pub fn live_of(db: &Connection, id: LoopId) -> Result<Option<Live>> {
    let mut rows = db.prepare_cached(&format!("{LIVE} AND loop = ?1"))?;
    rows.query_row([id.to_string()], live_row).optional().context("reading what lives of a loop")
}

// Left to itself, SQLite goes through every row that ever had a run.
const LIVE: &str = "SELECT loop, run, state = 'parked', claimed_at FROM occurrences INDEXED BY one_live_occurrence \
                    WHERE state IN ('claimed', 'running', 'parked') AND run IS NOT NULL";

fn live_row(r: &Row<'_>) -> rusqlite::Result<Live> {
    let began: Option<String> = r.get(3)?;
    let began = began.and_then(|at| at.parse().ok()).unwrap_or(DateTime::UNIX_EPOCH);
    Ok(Live { loop_id: super::parsed(r, 0)?, run: super::parsed(r, 1)?, parked: r.get(2)?, began })
}

/// How many occurrences of a loop wait for their start.
///
/// # Errors
/// The rows can't be read.
pub fn waiting_of(db: &Connection, id: LoopId) -> Result<usize> {
    let sql = "SELECT COUNT(*) FROM occurrences INDEXED BY waiting_of_loops WHERE loop = ?1 AND state = 'due' AND revises IS NULL";
    let found: i64 =
        db.prepare_cached(sql)?.query_row([id.to_string()], |r| r.get(0)).context("counting what waits of a loop")?;
    Ok(usize::try_from(found).unwrap_or(usize::MAX))
}

/// Ends one that waits; `false` if it does not wait any more.
///
/// # Errors
/// The row can't be written.
pub fn end(tx: &Transaction<'_>, id: OccurrenceId, state: &str, why: &str, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE occurrences SET state = ?2, reason = ?3, ended_at = ?4 WHERE id = ?1 AND state = 'due'";
    let rows = tx.execute(sql, params![id.to_string(), state, why, stamp(at)]).context("ending what waited")?;
    Ok(rows == 1)
}

/// How often a run is started for the same occurrence, at most.
const MOST_STARTS: u32 = 3;

/// Claims one that waits for a run; `false` if it does not wait any more, or its loop lives.
///
/// # Errors
/// The row can't be written.
pub fn begin(tx: &Transaction<'_>, id: OccurrenceId, run: RunId, at: DateTime<Utc>) -> Result<bool> {
    let sql = "UPDATE OR IGNORE occurrences SET state = 'claimed', run = ?2, claimed_at = ?3, starts = starts + 1, reason = NULL \
               WHERE id = ?1 AND state = 'due'";
    let rows = tx.execute(sql, params![id.to_string(), run.to_string(), stamp(at)]).context("claiming a start")?;
    Ok(rows == 1)
}

/// Lets one wait again whose run was started and never began, so that it is started once more; `false` if it began, was
/// started by a person, or was started often enough.
///
/// # Errors
/// The row can't be written.
pub fn begin_again(tx: &Transaction<'_>, id: OccurrenceId, run: RunId) -> Result<bool> {
    let sql = "UPDATE occurrences SET state = 'due', run = NULL, claimed_at = NULL \
               WHERE id = ?1 AND run = ?2 AND state = 'claimed' AND starts BETWEEN 1 AND ?3";
    let rows = tx.execute(sql, params![id.to_string(), run.to_string(), MOST_STARTS - 1]);
    Ok(rows.context("letting a start wait again")? == 1)
}

//! A long history: `status` on a million events beside a thousand, and opening after a kill with much in the write-ahead log.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use loopwright_core::ids::{LoopId, RunId};
use loopwright_engine::home::Home;
use loopwright_engine::store::{Store, journal};
use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

use crate::contention::{ready, wait_for_the_start};
use crate::figures::{Bound, Series};

/// With this argument the benchmark is the process that is killed while it writes.
pub(crate) const VICTIM: &str = "--victim";

/// The time of a row where it does not matter.
pub(crate) const AT: &str = "2026-11-22T10:00:00.000Z";

/// Events of the long history, and of the short one.
const LONG: usize = 1_000_000;
const SHORT: usize = 1_000;
/// Events of a usual run.
const EVENTS: usize = 15;
/// Runs that one transaction writes.
const AT_ONCE: usize = 500;
/// What the victim writes before it is killed, in transactions of 100 events.
const TRANSACTIONS: usize = 1_500;

/// Measures `status` on both histories, turn by turn.
///
/// # Errors
/// The program fails, or a history can't be made.
pub(crate) fn status(program: &Path, root: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (long, short) = (root.join("long"), root.join("short"));
    make(&long, LONG)?;
    make(&short, SHORT)?;
    // Once before the first sample, so that both are in memory.
    asked(program, &long)?;
    asked(program, &short)?;
    let mut took: [Vec<Duration>; 2] = Default::default();
    for _ in 0..samples {
        took[0].push(asked(program, &long)?);
        took[1].push(asked(program, &short)?);
    }
    let [long, short] = [("status on 1,000,000 events", &took[0]), ("  peer: status on 1,000 events", &took[1])]
        .map(|(name, took)| Series::new(name, took));
    let bound = Bound::relative("status on 1,000,000 events: 2 x 1,000", &long, &short, 2.0, 0.0);
    Ok((vec![long, short], vec![bound]))
}

/// Measures the first verb after a writer was killed whose write-ahead log is large.
///
/// # Errors
/// The program fails.
pub(crate) fn reopened(program: &Path, root: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let mut took = Vec::new();
    for sample in 0..samples {
        let place = root.join(format!("killed-{sample}"));
        make(&place, SHORT)?;
        let home = Home::under(&place);
        let mut victim = victim(&place)?;
        ready(&mut victim)?;
        victim.kill().context("killing the writer")?;
        victim.wait().context("waiting for the writer")?;
        let log = home.database().with_extension("db-wal");
        let size = std::fs::metadata(&log).with_context(|| format!("looking at {}", log.display()))?.len();
        ensure!(size > 32 << 20, "the write-ahead log has only {size} bytes");
        took.push(asked(program, &place)?);
    }
    let took = Series::new("status after kill -9, over 32 MB of log", &took);
    let bound = Bound::fixed("reopening after kill -9: 2 s", &took, 2_000.0);
    Ok((vec![took], vec![bound]))
}

fn victim(place: &Path) -> Result<Child> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut command = Command::new(program);
    command.arg(VICTIM).arg(place).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().context("starting the writer")
}

/// The process that is killed: `--victim PLACE`. A reader of its own keeps the log from being taken in.
///
/// # Errors
/// Something can't be written.
pub(crate) fn be_killed(place: &Path) -> Result<()> {
    let home = Home::under(place);
    let mut store = Store::open(&home)?;
    let run = runs(&mut store, 1)?[0];
    let reader = Connection::open(home.database())?;
    reader.execute_batch("BEGIN; SELECT count(*) FROM events")?;
    let body = format!("{{\"v\":1,\"text\":\"{}\"}}", "x".repeat(300));
    for _ in 0..TRANSACTIONS {
        store.write(|tx| (0..100).try_for_each(|_| journal::append(tx, &format!("pr/{run}"), &body).map(drop)))?;
    }
    wait_for_the_start()
}

/// How long `status` takes, process start included.
fn asked(program: &Path, place: &Path) -> Result<Duration> {
    let mut command = Command::new(program);
    command.args(["--json", "status"]).env("LOOPWRIGHT_HOME", place).stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status().context("starting loopwright")?;
    ensure!(status.success(), "status ended with {status}");
    Ok(began.elapsed())
}

/// A home with this many events in runs that have ended.
fn make(place: &Path, events: usize) -> Result<()> {
    let home = Home::under(place);
    home.create(chrono::Utc::now())?;
    let mut store = Store::open(&home)?;
    let mut left = events.div_ceil(EVENTS);
    while left > 0 {
        runs(&mut store, left.min(AT_ONCE))?;
        left -= left.min(AT_ONCE);
    }
    Ok(())
}

/// The only loop of a home.
///
/// # Errors
/// There is none.
pub(crate) fn loop_of(store: &Store) -> Result<LoopId> {
    let id: String = store.read().query_row("SELECT id FROM loops", [], |r| r.get(0)).context("finding the loop")?;
    Ok(LoopId(id.parse()?))
}

/// Writes runs that have ended, with their occurrences and journals.
///
/// # Errors
/// A row can't be written.
pub(crate) fn runs(store: &mut Store, count: usize) -> Result<Vec<RunId>> {
    let runs: Vec<RunId> = (0..count).map(|_| RunId(Uuid::now_v7())).collect();
    let loop_id = loop_of(store).map(|id| id.to_string()).ok();
    store.write(|tx| {
        let loop_id = loop_id.map_or_else(|| a_loop(tx), Ok)?;
        let before: i64 = tx.query_row("SELECT count(*) FROM runs", [], |r| r.get(0))?;
        (before..).zip(&runs).try_for_each(|(number, run)| a_run(tx, &loop_id, *run, number))
    })?;
    Ok(runs)
}

fn a_loop(tx: &Transaction<'_>) -> Result<String> {
    let (repo, id) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
    tx.execute("INSERT INTO repos (id, path) VALUES (?1, '/nowhere')", [&repo])?;
    let sql = "INSERT INTO loops (id, name, path, repo, mode, hash, added_at) \
               VALUES (?1, 'bench', '/nowhere/loop.yaml', ?2, 'report', '', ?3)";
    tx.execute(sql, params![id, repo, AT])?;
    Ok(id)
}

/// The run number `number` of a history in which one starts every ten minutes.
fn a_run(tx: &Transaction<'_>, loop_id: &str, run: RunId, number: i64) -> Result<()> {
    let at = chrono::DateTime::from_timestamp(1_700_000_000 + number * 600, 0).context("a time")?.to_rfc3339();
    let (run, occurrence) = (run.to_string(), Uuid::now_v7().to_string());
    let occurred = "INSERT INTO occurrences (id, loop, trigger, key, due_at, zone, state, run) \
                    VALUES (?1, ?2, 'manual', ?1, ?3, 'UTC', 'finished', ?4)";
    tx.prepare_cached(occurred)?.execute(params![occurrence, loop_id, at, run])?;
    let ran = "INSERT INTO runs (id, loop, occurrence, cause, started_at, ended_at, ended, epoch, spent, budget, acted, \
               handed_over, pull_requests, code) \
               VALUES (?1, ?2, ?3, 'manual', ?4, ?4, '{\"state\":\"finished\"}', 1, 0, 5000000, 0, 0, 0, 20)";
    tx.prepare_cached(ran)?.execute(params![run, loop_id, occurrence, at])?;
    let attempt = Uuid::now_v7().to_string();
    let tried = "INSERT INTO attempts (id, run, finding, iteration, charged) VALUES (?1, ?2, 'f', 1, 0)";
    tx.prepare_cached(tried)?.execute([&attempt, &run])?;
    let opened = "INSERT INTO pull_requests (id, loop, run, attempt, title, body, state, branch, base, commit_id, tree, \
                  patch_id, diff_sha256, opened_at) \
                  VALUES (?1, ?2, ?3, ?1, 't', 'b', 'merged', 'main', 'x', 'x', 'x', 'x', 'x', ?4)";
    tx.prepare_cached(opened)?.execute(params![attempt, loop_id, run, at])?;
    let body = format!("{{\"v\":1,\"at\":\"{at}\",\"type\":\"noted\",\"text\":\"{}\"}}", "x".repeat(150));
    (0..EVENTS).try_for_each(|_| journal::append(tx, &format!("run/{run}"), &body).map(drop))
}

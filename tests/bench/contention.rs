//! Four processes write at once: journal and ledger of the store, beside bare SQLite that commits as often with the same
//! durability.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::NaiveDate;
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::ledger::{Ceilings, Place};
use loopwright_core::money::Micros;
use loopwright_engine::home::Home;
use loopwright_engine::store::{Store, journal, ledger};
use rusqlite::{Connection, TransactionBehavior, params};
use uuid::Uuid;

use crate::figures::{Bound, Series};
use crate::history;

/// With this argument the benchmark is one of the processes that write.
pub(crate) const WRITER: &str = "--writer";

/// How many write at once.
const WRITERS: usize = 4;
/// What each writes: an event, a reservation and its settlement, this often.
const ROUNDS: usize = 60;
/// About the size of a usual event.
const BODY: usize = 400;

/// Measures all writers together, from their common start to the end of the last.
///
/// # Errors
/// One of them fails.
pub(crate) fn measure(root: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for sample in 0..samples {
        let place = |kind: &str| root.join(format!("{kind}-{sample}"));
        let home = Home::under(&place("store"));
        home.create(chrono::Utc::now())?;
        let runs = history::runs(&mut Store::open(&home)?, WRITERS)?;
        let names: Vec<String> = runs.iter().map(ToString::to_string).collect();
        ours.push(together("store", &place("store"), &names)?);
        let path = place("bare.db");
        bare_tables(&open_bare(&path)?)?;
        bare.push(together("bare", &path, &names)?);
    }
    let ours = Series::new("journal and ledger, 4 processes: 720 commits", &ours);
    let bare = Series::new("  peer: bare SQLite, WAL, FULL: 720 commits", &bare);
    let bound = Bound::relative("4 processes: 0.7 x the throughput of bare SQLite", &ours, &bare, 1.0 / 0.7, 0.0);
    Ok((vec![ours, bare], vec![bound]))
}

/// Starts a writer for each run, lets them go at once, and waits for all.
fn together(kind: &str, place: &Path, runs: &[String]) -> Result<Duration> {
    let program = std::env::current_exe().context("finding this program")?;
    let mut writers = Vec::new();
    for run in runs {
        let mut command = Command::new(&program);
        command.args([WRITER, kind, run]).arg(place).stdin(Stdio::piped()).stdout(Stdio::piped());
        writers.push(command.spawn().context("starting a writer")?);
    }
    for writer in &mut writers {
        ready(writer)?;
    }
    let began = Instant::now();
    for writer in &mut writers {
        drop(writer.stdin.take());
    }
    for mut writer in writers {
        ensure!(writer.wait().context("waiting for a writer")?.success(), "a writer failed");
    }
    Ok(began.elapsed())
}

/// Waits until a process says that it is ready.
///
/// # Errors
/// It ends instead.
pub(crate) fn ready(child: &mut Child) -> Result<()> {
    let out = child.stdout.as_mut().context("a pipe")?;
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).context("reading whether it is ready")?;
    ensure!(line.trim() == "ready", "the process said {line:?}");
    Ok(())
}

/// Says that this process is ready, and waits until its standard input ends.
///
/// # Errors
/// Nobody listens.
pub(crate) fn wait_for_the_start() -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "ready").and_then(|()| out.flush()).context("saying that it is ready")?;
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).context("waiting for the start")?;
    Ok(())
}

/// One of the processes that write: `--writer KIND RUN PLACE`.
///
/// # Errors
/// Something can't be written.
pub(crate) fn write(arguments: &[String]) -> Result<()> {
    let [kind, run, place] = arguments else { anyhow::bail!("{WRITER} takes a kind, a run and a place") };
    let (run, place) = (run.parse::<RunId>()?, Path::new(place));
    match kind.as_str() {
        "store" => write_store(&Home::under(place), run),
        _ => write_bare(place, run),
    }
}

fn body() -> String {
    format!("{{\"v\":1,\"text\":\"{}\"}}", "x".repeat(BODY))
}

fn write_store(home: &Home, run: RunId) -> Result<()> {
    let mut store = Store::open(home)?;
    let (stream, body) = (format!("run/{run}"), body());
    let day = NaiveDate::from_ymd_opt(2026, 11, 22).context("a day")?;
    let place = Place { run, loop_id: history::loop_of(&store)?, day, fleet_day: day };
    let ceilings = Ceilings::of_run(Micros(1_000_000_000));
    wait_for_the_start()?;
    for _ in 0..ROUNDS {
        let step = Uuid::now_v7();
        let on = ledger::Booking { place, step, at: history::AT };
        store.write(|tx| journal::append(tx, &stream, &body).map(drop))?;
        store.write(|tx| ledger::reserve(tx, &on, Micros(5_000), &ceilings))?;
        store.write(|tx| ledger::settle(tx, step, Micros(4_000), history::AT))?;
    }
    Ok(())
}

fn write_bare(path: &Path, run: RunId) -> Result<()> {
    let mut connection = open_bare(path)?;
    let (run, body) = (run.to_string(), body());
    let loop_id = LoopId(Uuid::now_v7()).to_string();
    wait_for_the_start()?;
    for seq in 1..=i64::try_from(ROUNDS)? {
        let step = OccurrenceId(Uuid::now_v7()).to_string();
        commit(&mut connection, |tx| {
            tx.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3)")?.execute(params![run, seq, body])
        })?;
        let row = |tx: &Connection, kind: &str, micros: i64| {
            let sql = "INSERT INTO ledger (run, loop, day, step, kind, micros, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            tx.prepare_cached(sql)?.execute(params![run, loop_id, "2026-11-22", step, kind, micros, history::AT])
        };
        commit(&mut connection, |tx| row(tx, "reserve", 5_000))?;
        commit(&mut connection, |tx| row(tx, "charge", 4_000).and_then(|_| row(tx, "release", 5_000)))?;
    }
    Ok(())
}

fn commit(connection: &mut Connection, act: impl FnOnce(&Connection) -> rusqlite::Result<usize>) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    act(&transaction)?;
    Ok(transaction.commit()?)
}

fn open_bare(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).with_context(|| format!("opening {}", path.display()))?;
    connection.busy_timeout(Duration::from_secs(60))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn bare_tables(connection: &Connection) -> Result<()> {
    connection.execute_batch(
        "CREATE TABLE events (stream TEXT, seq INTEGER, body TEXT NOT NULL, PRIMARY KEY (stream, seq)) STRICT, WITHOUT ROWID;
         CREATE TABLE ledger (id INTEGER PRIMARY KEY, run TEXT, loop TEXT, day TEXT, step TEXT, kind TEXT, micros INTEGER,
                              at TEXT, UNIQUE (step, kind)) STRICT;",
    )?;
    Ok(())
}

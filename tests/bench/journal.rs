//! Appending to the journal: the engine's store beside a bare SQLite with the same durability.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use loopwright_engine::home::Home;
use loopwright_engine::store::{Store, journal};
use rusqlite::{Connection, TransactionBehavior, params};

use crate::figures::Series;

/// About the size of a usual event.
const BODY: usize = 400;

/// Measures one event, synced, in each.
///
/// # Errors
/// A database can't be written.
pub(crate) fn measure(root: &Path, samples: usize) -> Result<Vec<Series>> {
    let home = Home::under(&root.join("journal"));
    home.create(chrono::Utc::now())?;
    let (mut store, mut bare) = (Store::open(&home)?, bare(&root.join("bare.db"))?);
    let body = format!("{{\"v\":1,\"text\":\"{}\"}}", "x".repeat(BODY));
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for n in 0..samples {
        ours.push(timed(|| store.write(|tx| journal::append(tx, "bench", &body).map(drop)))?);
        plain.push(timed(|| append(&mut bare, n, &body))?);
    }
    Ok(vec![
        Series::new("an event appended to the journal, synced", &ours),
        Series::new("  peer: a row inserted by bare SQLite, WAL, FULL", &plain),
    ])
}

fn bare(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path).with_context(|| format!("opening {}", path.display()))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch("CREATE TABLE events (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT")?;
    Ok(connection)
}

fn append(connection: &mut Connection, seq: usize, body: &str) -> Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute("INSERT INTO events VALUES (?1, ?2)", params![i64::try_from(seq)?, body])?;
    Ok(transaction.commit()?)
}

fn timed(act: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    act()?;
    Ok(began.elapsed())
}

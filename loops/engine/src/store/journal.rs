//! The journal: one chain of hashes per stream (run, pull request, fleet), over the bytes as stored.

use anyhow::{Context as _, Result, ensure};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

use super::seal::Unsound;

/// What the first event of a stream follows.
const NOTHING: &str = "";

/// Adds an event to its stream; returns its number, from 1.
///
/// # Errors
/// The row can't be written.
pub fn append(tx: &Transaction<'_>, stream: &str, body: &str) -> Result<i64> {
    // Prepared once: with the triggers that hear of it, preparing costs more than the row.
    let last: Option<(i64, String)> = tx
        .prepare_cached("SELECT seq, hash FROM events WHERE stream = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([stream], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (seq, previous) = last.map_or((1, NOTHING.to_owned()), |(seq, hash)| (seq + 1, hash));
    tx.prepare_cached("INSERT INTO events (stream, seq, prev_hash, hash, body) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![stream, seq, previous, link(stream, seq, &previous, body), body])
        .with_context(|| format!("writing event {seq} of {stream}"))?;
    Ok(seq)
}

/// The events of a stream after number `after`.
///
/// # Errors
/// The rows can't be read.
pub fn after(db: &Connection, stream: &str, after: i64) -> Result<Vec<(i64, String)>> {
    let mut rows = db.prepare_cached("SELECT seq, body FROM events WHERE stream = ?1 AND seq > ?2 ORDER BY seq")?;
    let found = rows.query_map(params![stream, after], |r| Ok((r.get(0)?, r.get(1)?)))?;
    found.collect::<Result<_, _>>().with_context(|| format!("reading the journal {stream}"))
}

/// Whether the chain of a stream holds from its first event to its last.
///
/// # Errors
/// The rows can't be read.
pub fn intact(db: &Connection, stream: &str) -> Result<bool> {
    let mut rows = db.prepare_cached("SELECT seq, prev_hash, hash, body FROM events WHERE stream = ?1 ORDER BY seq")?;
    let mut found = rows.query([stream])?;
    let (mut expected, mut previous) = (1i64, NOTHING.to_owned());
    while let Some(row) = found.next()? {
        let (seq, prev, hash): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let body: String = row.get(3)?;
        if seq != expected || prev != previous || hash != link(stream, seq, &prev, &body) {
            return Ok(false);
        }
        (expected, previous) = (seq + 1, hash);
    }
    Ok(true)
}

/// Whether the chains of all streams hold.
///
/// # Errors
/// One does not, or the rows can't be read.
pub(super) fn verify(db: &Connection) -> Result<()> {
    let mut rows = db.prepare_cached("SELECT DISTINCT stream FROM events")?;
    let streams: Vec<String> = rows.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    for stream in streams {
        ensure!(intact(db, &stream)?, Unsound(format!("the chain of the journal {stream} is broken")));
    }
    Ok(())
}

fn link(stream: &str, seq: i64, previous: &str, body: &str) -> String {
    let mut hash = Sha256::new();
    // Lengths keep the parts apart.
    for part in [stream, &seq.to_string(), previous, body] {
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    loopwright_core::hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::store::Store;

    fn three_events() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().expect("dir");
        let home = Home::under(dir.path());
        home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
        let mut store = Store::open(&home).expect("store");
        for body in ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"] {
            store.write(|tx| append(tx, "run/x", body)).expect("appends");
        }
        (dir, store)
    }

    #[test]
    fn events_come_back_byte_for_byte_and_the_chain_holds() {
        let (_dir, store) = three_events();
        let events = after(store.read(), "run/x", 1).expect("reads");
        assert_eq!(events, [(2, "{\"a\":2}".to_owned()), (3, "{\"a\":3}".to_owned())]);
        assert!(intact(store.read(), "run/x").expect("checks"));
    }

    #[test]
    fn a_changed_or_removed_event_breaks_the_chain() {
        let (_dir, store) = three_events();
        store.read().execute("UPDATE events SET body = '{\"a\":9}' WHERE seq = 2", []).expect("tampers");
        assert!(!intact(store.read(), "run/x").expect("checks"));
        let (_dir, store) = three_events();
        store.read().execute("DELETE FROM events WHERE seq = 2", []).expect("tampers");
        assert!(!intact(store.read(), "run/x").expect("checks"));
    }
}

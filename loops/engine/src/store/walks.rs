//! What every pass and every `status` asks costs the same however long the ledger of due times is.

use anyhow::Result;
use chrono::Utc;
use loopwright_core::ids::LoopId;
use rusqlite::{Connection, StatementStatus, Transaction, params};
use uuid::Uuid;

use super::{due, explained, schedules};
use crate::home::Home;
use crate::store::Store;

/// A loop with so many rows that have ended, all of them asked for by hand; returns the loop.
fn ledger(ended: usize) -> (tempfile::TempDir, Store, LoopId) {
    let folder = tempfile::tempdir().expect("a folder");
    let home = Home::under(folder.path());
    home.create(Utc::now()).expect("home");
    let mut store = Store::throw_away(&home).expect("opens");
    let id = LoopId(Uuid::now_v7());
    store.write(|tx| fill(tx, id, ended)).expect("written");
    (folder, store, id)
}

fn fill(tx: &Transaction<'_>, id: LoopId, ended: usize) -> Result<()> {
    tx.execute("INSERT INTO repos (id, path) VALUES ('repo', '/nowhere')", [])?;
    let sql = "INSERT INTO loops (id, name, path, repo, mode, hash, added_at) \
               VALUES (?1, 'a', '/nowhere/loop.yaml', 'repo', 'report', '', '')";
    tx.execute(sql, [id.to_string()])?;
    let sql = "INSERT INTO occurrences (id, loop, trigger, key, due_at, zone, state) \
               VALUES (?1, ?2, 'manual', ?1, ?3, 'UTC', 'finished')";
    (0..ended).try_for_each(|n| {
        let at = format!("2026-01-01T00:00:00.{n:06}Z");
        tx.execute(sql, params![Uuid::now_v7().to_string(), id.to_string(), at])?;
        Ok(())
    })
}

/// The steps of SQLite's machine that a statement took since it was prepared.
fn steps(db: &Connection, sql: &str) -> i32 {
    db.prepare_cached(sql).expect("prepared").reset_status(StatementStatus::VmStep)
}

/// What each statement takes on a ledger of this length.
fn taken(ended: usize) -> [i32; 3] {
    let (_folder, store, id) = ledger(ended);
    let db = store.read();
    assert!(schedules::waiting(db).expect("read").is_empty());
    assert!(due::all(db).expect("read").is_empty());
    assert!(explained::last_before(db, id, Utc::now()).expect("read").is_none());
    [schedules::WAITING, due::ALL, &explained::last_sql()].map(|sql| steps(db, sql))
}

#[test]
fn none_walks_through_what_has_ended() {
    let (short, long) = (taken(10), taken(2_000));
    assert_eq!(short, long);
    assert!(short.iter().all(|steps| *steps > 0), "nothing was counted: {short:?}");
}

#[test]
fn control_without_the_index_that_is_named_the_ledger_is_walked_through() {
    let (_folder, store, _) = ledger(2_000);
    let left_alone = schedules::WAITING.replace("INDEXED BY due_occurrences", "");
    let mut rows = store.read().prepare(&left_alone).expect("prepared");
    assert!(rows.query([]).expect("asked").next().expect("read").is_none());
    assert!(rows.get_status(StatementStatus::VmStep) > 2_000);
}

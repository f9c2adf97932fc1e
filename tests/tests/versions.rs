//! Versions: an old database is brought up to date whole or not at all, a newer one is refused and left as it is.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use loopwright_core::exit;
use loopwright_engine::home::Home;
use loopwright_engine::store::repair::repair;
use loopwright_engine::store::{Newer, Store, journal, projection, pull_requests, runs};
use loopwright_tests::dice::Dice;
use loopwright_tests::faults::full;
use loopwright_tests::stage::{Stage, sample_text};
use loopwright_tests::{in_memory, tell};
use rusqlite::Connection;

/// The first schema as it shipped.
const FIRST: &str = include_str!("../../loops/engine/src/store/0001_first.sql");

/// What the second format has beside it.
const SECOND: &str = include_str!("../../loops/engine/src/store/0002_steady.sql");

/// And the third.
const THIRD: &str = include_str!("../../loops/engine/src/store/0003_time.sql");

/// And the fourth.
const FOURTH: &str = include_str!("../../loops/engine/src/store/0004_desktop.sql");

/// The format of this program.
const NOW: i64 = 5;

/// Writes a database of format 1, with `more` results of checks beside the sample's rows.
fn first(home: &Home, more: usize) -> Connection {
    home.create(chrono::DateTime::UNIX_EPOCH).expect("a home");
    let db = Connection::open(home.database()).expect("a database");
    db.pragma_update(None, "journal_mode", "WAL").expect("as it was");
    db.execute_batch(FIRST).expect("the schema");
    db.execute_batch(&format!("BEGIN; {}; COMMIT", sample_text("v1/rows.sql"))).expect("the rows");
    db.execute_batch("BEGIN").expect("begun");
    for n in 0..more {
        let row = "INSERT INTO base_results (repo, commit_id, key, report, at) VALUES ('r', ?1, 'k', ?2, '')";
        db.execute(row, [n.to_string(), format!("report {n} ").repeat(300)]).expect("a row");
    }
    db.execute_batch("COMMIT; PRAGMA user_version = 1").expect("format 1");
    db
}

/// Writes a database of a format after the first, its seal with it.
fn sealed(home: &Home, format: i64) -> Connection {
    home.create(chrono::DateTime::UNIX_EPOCH).expect("a home");
    let db = Connection::open(home.database()).expect("a database");
    db.pragma_update(None, "journal_mode", "WAL").expect("as it was");
    let steps = [FIRST, SECOND, THIRD, FOURTH];
    (1..=format).zip(steps).for_each(|(_, step)| db.execute_batch(step).expect("the schema"));
    let rows = sample_text(&format!("v{format}/rows.sql"));
    db.execute_batch(&format!("BEGIN; {rows}; COMMIT; PRAGMA user_version = {format}")).expect("the rows");
    db
}

/// Every row of the first format's columns, as one text per table.
fn rows(db: &Connection) -> BTreeMap<String, Vec<String>> {
    let old = Connection::open_in_memory().expect("memory");
    old.execute_batch(FIRST).expect("the schema");
    let sql = "SELECT m.name, group_concat('quote(' || c.name || ')', ' || '','' || ') FROM sqlite_schema m, \
               pragma_table_info(m.name) c WHERE m.type = 'table' GROUP BY m.name";
    let mut tables = old.prepare(sql).expect("a statement");
    let named = tables.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?))).expect("tables");
    let all = named.map(|found| {
        let (table, columns) = found.expect("a table");
        let mut rows = db.prepare(&format!("SELECT {columns} FROM \"{table}\"")).expect("a statement");
        let mut found: Vec<String> =
            rows.query_map([], |r| r.get(0)).expect("rows").map(|r| r.expect("a row")).collect();
        found.sort();
        (table, found)
    });
    all.collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").flatten().filter(|e| e.path().is_file());
    entries.map(|e| (e.file_name().to_string_lossy().into_owned(), fs::read(e.path()).expect("a file"))).collect()
}

#[test]
fn old_formats_open_and_their_histories_replay() {
    for version in 1..NOW {
        let folder = in_memory();
        let home = Home::under(folder.path());
        let before = rows(&if version == 1 { first(&home, 3) } else { sealed(&home, version) });
        opens_and_replays(&home, version, &before);
    }
}

fn opens_and_replays(home: &Home, version: i64, before: &BTreeMap<String, Vec<String>>) {
    let store = Store::open(home).expect("opens");
    assert_eq!(rows(store.read()), *before);
    store.verify().expect("all chains hold");
    let stored = runs::newest(store.read(), None, 100).expect("runs");
    assert_eq!(stored.len(), 2);
    for row in stored {
        let run = projection::replay(store.read(), row.id).expect("replays").expect("a journal");
        let told = (run.spent, run.end.clone(), exit::of_run(&run));
        assert_eq!(told, (row.spent, row.end, row.code), "the fold and the row of run {}", row.id);
    }
    for row in pull_requests::list(store.read(), true).expect("pull requests") {
        let state = pull_requests::state(store.read(), row.id).expect("replays").expect("a journal");
        assert_eq!(state.word(), row.state);
    }
    assert!(journal::intact(store.read(), "run/none").expect("read"));
    // And back: the backup from before the migration is the old format, whole.
    let backup = Connection::open(home.backups().join(format!("before-v{NOW}.db"))).expect("the backup");
    assert_eq!(rows(&backup), *before);
    assert_eq!(backup.query_row("PRAGMA user_version", [], |r| r.get::<_, i64>(0)).expect("a version"), version);
}

#[test]
fn every_pair_of_versions_is_decided() {
    for version in 0..=NOW + 2 {
        let folder = in_memory();
        let home = Home::under(folder.path());
        match version {
            0 => home.create(chrono::DateTime::UNIX_EPOCH).expect("a home"),
            2..=4 => drop(sealed(&home, version)),
            _ => drop(first(&home, 0)),
        }
        if version >= NOW {
            drop(Store::open(&home).expect("opens"));
            let raw = Connection::open(home.database()).expect("raw");
            raw.pragma_update(None, "user_version", version).expect("a version");
            drop(raw);
            fs::write(home.backups().join(format!("before-v{version}.db")), b"").expect("what that program leaves");
        }
        let before = files(&home.data);
        match Store::open(&home) {
            Ok(_) => assert!(version <= NOW, "format {version} was opened"),
            Err(error) => {
                assert!(version > NOW, "format {version}: {error:#}");
                let newer = error.downcast::<Newer>().expect("that it is newer");
                assert!(newer.to_string().contains(&format!("format {version}, this one knows {NOW}")), "{newer}");
                assert_eq!(files(&home.data), before, "nothing is written, nothing beside it");
            }
        }
    }
}

#[test]
fn a_migration_that_is_killed_is_whole_or_was_not() {
    let kills = if full() { 50 } else { 10 };
    let mut dice = Dice::seeded("versions");
    let stage = Stage::empty();
    let home = Home::under(&stage.beside("sample"));
    let known = rows(&first(&home, 1500));
    let image = files(&home.data);
    let fresh = |stage: &Stage| {
        let home = Home::under(&stage.home);
        fs::remove_dir_all(&stage.home).ok();
        home.create(chrono::DateTime::UNIX_EPOCH).expect("a home");
        image.iter().for_each(|(name, bytes)| fs::write(home.data.join(name), bytes).expect("a file"));
        home
    };
    let status = |stage: &Stage| stage.command(&["status"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let home = fresh(&stage);
    let began = Instant::now();
    assert!(status(&stage).expect("starts").wait().expect("ends").success(), "the control: nobody kills it");
    let takes = began.elapsed();
    assert_eq!(rows(Store::open(&home).expect("opens").read()), known);
    let mut cut = [0, 0];
    for _ in 0..kills {
        let home = fresh(&stage);
        let mut child = status(&stage).expect("starts");
        let after = Duration::from_micros(dice.roll() % u64::try_from(takes.as_micros()).expect("short"));
        std::thread::park_timeout(after);
        child.kill().expect("killed");
        child.wait().expect("collected");
        let version =
            Connection::open(home.database()).and_then(|db| db.query_row("PRAGMA user_version", [], |r| r.get(0)));
        let version: i64 = version.expect("a version");
        assert!([1, NOW].contains(&version), "{version}");
        cut[usize::from(version == NOW)] += 1;
        let store = Store::open(&home).unwrap_or_else(|error| panic!("after {after:?} of {takes:?}: {error:#}"));
        store.verify().expect("sound");
        assert_eq!(rows(store.read()), known, "after {after:?}");
    }
    tell(&format!("{kills} kills within {takes:?}: {} before, {} after the commit, 0 between", cut[0], cut[1]));
}

#[test]
fn damage_after_a_migration_leads_back_to_the_copy_from_before_it() {
    let folder = in_memory();
    let home = Home::under(folder.path());
    let before = rows(&first(&home, 0));
    drop(Store::open(&home).expect("opens"));
    for damaged in [home.database(), home.backups().join("000001.db")] {
        fs::write(damaged, b"nothing").expect("damaged");
    }
    let repaired = repair(&home, "now").expect("repaired");
    assert!(repaired.from.ends_with(format!("before-v{NOW}.db")), "{repaired:?}");
    assert_eq!(rows(Store::open(&home).expect("opens").read()), before);
}

//! Versions: an old database is brought up to date whole or not at all, a newer one is refused and left as it is.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use loopwright_core::exit;
use loopwright_engine::home::Home;
use loopwright_engine::store::repair::repair;
use loopwright_engine::store::{Newer, Store, journal, projection, pull_requests, runs};
use loopwright_tests::crash::Kill;
use loopwright_tests::dice::Dice;
use loopwright_tests::faults::full;
use loopwright_tests::stage::{Stage, sample_text};
use loopwright_tests::{in_memory, tell};
use rusqlite::Connection;

/// The steps to each format, as they shipped.
const STEPS: [&str; 5] = [
    include_str!("../../loops/engine/src/store/0001_first.sql"),
    include_str!("../../loops/engine/src/store/0002_steady.sql"),
    include_str!("../../loops/engine/src/store/0003_time.sql"),
    include_str!("../../loops/engine/src/store/0004_desktop.sql"),
    include_str!("../../loops/engine/src/store/0005_lookups.sql"),
];

/// The format of this program.
const NOW: i64 = 5;

/// Writes a database of format 1, with `more` results of checks beside the sample's rows.
fn first(home: &Home, more: usize) -> Connection {
    home.create(chrono::DateTime::UNIX_EPOCH).expect("a home");
    let db = Connection::open(home.database()).expect("a database");
    db.pragma_update(None, "journal_mode", "WAL").expect("as it was");
    db.execute_batch(STEPS[0]).expect("the schema");
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
    (1..=format).zip(STEPS).for_each(|(_, step)| db.execute_batch(step).expect("the schema"));
    let rows = sample_text(&format!("v{format}/rows.sql"));
    db.execute_batch(&format!("BEGIN; {rows}; COMMIT; PRAGMA user_version = {format}")).expect("the rows");
    db
}

/// Writes the database that there is a sample of.
fn sample(home: &Home, format: i64) -> Connection {
    if format == 1 { first(home, 3) } else { sealed(home, format) }
}

/// Every row of the first format's columns, as one text per table.
fn rows(db: &Connection) -> BTreeMap<String, Vec<String>> {
    rows_of(db, 1).expect("rows")
}

/// Every row of a format's columns, as one text per table; but the seal, which each step makes anew.
fn rows_of(db: &Connection, format: i64) -> rusqlite::Result<BTreeMap<String, Vec<String>>> {
    let old = Connection::open_in_memory()?;
    (1..=format).zip(STEPS).try_for_each(|(_, step)| old.execute_batch(step))?;
    let sql = "SELECT m.name, group_concat('quote(' || c.name || ')', ' || '','' || ') FROM sqlite_schema m, \
               pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name <> 'sealed' GROUP BY m.name";
    let mut tables = old.prepare(sql)?;
    let named = tables.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)))?;
    let all = named.map(|found| {
        let (table, columns) = found?;
        let mut rows = db.prepare(&format!("SELECT {columns} FROM \"{table}\""))?;
        let mut found = rows.query_map([], |r| r.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        found.sort();
        Ok((table, found))
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
        let before = rows(&sample(&home, version));
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

/// What a database comes to: SQLite's own word on it, its format, its tables and indexes, and a sample's rows in it.
#[derive(Debug, PartialEq)]
struct Content {
    sound: String,
    format: i64,
    schema: Vec<String>,
    rows: BTreeMap<String, Vec<String>>,
}

impl Content {
    /// Reads it, with the rows of a sample of format `sample`.
    fn of(db: &Connection, sample: i64) -> rusqlite::Result<Content> {
        let one = |name: &str| db.query_row(&format!("PRAGMA {name}"), [], |r| r.get(0));
        let format = db.query_row("PRAGMA user_version", [], |r| r.get(0))?;
        let mut schema = db.prepare("SELECT name || ': ' || ifnull(sql, '') FROM sqlite_schema ORDER BY name")?;
        let schema = schema.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
        Ok(Content { sound: one("integrity_check")?, format, schema, rows: rows_of(db, sample)? })
    }

    /// What another one has otherwise; of rows and tables only that they differ.
    fn differs(&self, found: rusqlite::Result<Content>, what: &str) -> Vec<String> {
        let found = match found {
            Ok(found) => found,
            Err(error) => return vec![format!("{what} can't be read: {error}")],
        };
        let differences = [
            (found.sound != "ok", format!("is not sound: {}", found.sound)),
            (found.format != self.format, format!("has format {}, not {}", found.format, self.format)),
            (found.schema != self.schema, "has other tables or indexes".to_owned()),
            (found.rows != self.rows, "has other rows".to_owned()),
        ];
        differences.into_iter().filter(|(differs, _)| *differs).map(|(_, how)| format!("{what} {how}")).collect()
    }
}

/// What is wrong with what a migration that was killed has left; it is looked at in a copy, so that nothing is healed by looking.
fn wrong_after_the_kill(home: &Home, known: &Content) -> Vec<String> {
    let folder = in_memory();
    files(&home.data).iter().for_each(|(name, bytes)| fs::write(folder.path().join(name), bytes).expect("a copy"));
    let name = home.database().file_name().expect("a name").to_owned();
    let left = Connection::open(folder.path().join(name)).and_then(|db| Content::of(&db, known.format));
    let backup = home.backups().join(format!("before-v{NOW}.db"));
    let kept = Connection::open_with_flags(backup, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let kept = kept.and_then(|db| Content::of(&db, known.format));
    [known.differs(left, "the database"), known.differs(kept, "the backup")].concat()
}

/// What is wrong once it has been opened again.
fn wrong_after_the_next_opening(home: &Home, known: &Content, newest: &[String]) -> Vec<String> {
    let store = match Store::open(home).and_then(|store| store.verify().map(|()| store)) {
        Ok(store) => store,
        Err(error) => return vec![format!("it does not open: {error:#}")],
    };
    let expected = Content { sound: "ok".to_owned(), format: NOW, schema: newest.to_vec(), rows: known.rows.clone() };
    expected.differs(Content::of(store.read(), known.format), "the database")
}

/// The tables and indexes of a database that this program made.
fn newest() -> Vec<String> {
    let folder = in_memory();
    let home = Home::under(folder.path());
    home.create(chrono::DateTime::UNIX_EPOCH).expect("a home");
    Content::of(Store::open(&home).expect("opens").read(), 1).expect("its content").schema
}

/// A home of a stage with nothing in it but the sample of a format, and what that is.
fn sampled(stage: &Stage, format: i64) -> (Home, Content) {
    fs::remove_dir_all(&stage.home).ok();
    let home = Home::under(&stage.home);
    let known = Content::of(&sample(&home, format), format).expect("the sample");
    assert_eq!((known.format, known.sound.as_str()), (format, "ok"));
    (home, known)
}

/// Lets the program itself bring a database up to date, and kills it there; it died there and nowhere else.
fn strike(stage: &Stage, kill: &Kill, once: &str) {
    let mut command = stage.killing(&["status"], kill, once);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    let pid = i32::try_from(child.id()).expect("a process number");
    assert_eq!(child.wait().expect("ends").signal(), Some(9), "{kill:?}");
    assert_eq!(stage.victims(once), [("status".to_owned(), pid)], "{kill:?}");
    let place = fs::read_to_string(stage.beside(once)).expect("the strike");
    assert_eq!(place.lines().next(), kill.at.split('#').next(), "{kill:?}");
}

/// Where the migration of a format is killed: after its backup, and within its transaction after each of its steps.
fn kills(format: i64) -> Vec<Kill> {
    let steps = (1..).map(|pass| Kill::own("migration-step", pass));
    let count = usize::try_from(NOW - format).expect("an older one");
    iter::once(Kill::own("migration-backed-up", 1)).chain(steps.take(count)).collect()
}

#[test]
fn a_kill_within_a_migration_leaves_the_old_format_and_its_backup() {
    let (rounds, newest) = (if full() { 4 } else { 1 }, newest());
    let mut struck = BTreeMap::<String, usize>::new();
    let stage = Stage::empty();
    for _ in 0..rounds {
        for (format, kill) in (1..NOW).flat_map(|format| kills(format).into_iter().map(move |kill| (format, kill))) {
            let (home, known) = sampled(&stage, format);
            strike(&stage, &kill, &format!("once-{}", struck.values().sum::<usize>()));
            *struck.entry(kill.at.clone()).or_default() += 1;
            assert_eq!(wrong_after_the_kill(&home, &known), [""; 0], "format {format}, {kill:?}");
            assert_eq!(wrong_after_the_next_opening(&home, &known, &newest), [""; 0], "format {format}, {kill:?}");
        }
    }
    tell(&format!("killed within a migration: {struck:?}"));
    let places = [("migration-backed-up#1", 4), ("migration-step#1", 4), ("migration-step#2", 3)];
    let places = places.into_iter().chain([("migration-step#3", 2), ("migration-step#4", 1)]);
    assert_eq!(struck, places.map(|(at, times)| (at.to_owned(), times * rounds)).collect());
}

/// The negative control: the same is said of a migration that commits between its steps, that is in no transaction, that makes
/// no backup, and whose backup is not whole.
#[test]
fn control_a_migration_in_pieces_or_without_a_backup_is_seen() {
    let (stage, newest) = (Stage::empty(), newest());
    let killed = |once: &str| {
        let (home, known) = sampled(&stage, 1);
        strike(&stage, &Kill::own("migration-step", 1), once);
        assert_eq!(wrong_after_the_kill(&home, &known), [""; 0], "before it is doctored");
        let backup = home.backups().join(format!("before-v{NOW}.db"));
        (home, known, backup)
    };
    let committed = |home: &Home, sql: &str| {
        Connection::open(home.database()).and_then(|db| db.execute_batch(sql)).expect("committed");
    };
    let (home, known, _) = killed("step by step");
    committed(&home, &format!("{}; PRAGMA user_version = 2", STEPS[1]));
    let wrong = wrong_after_the_kill(&home, &known);
    assert_eq!(wrong, ["the database has format 2, not 1", "the database has other tables or indexes"]);
    let (home, known, _) = killed("no transaction");
    committed(&home, STEPS[1]);
    assert_eq!(wrong_after_the_kill(&home, &known), ["the database has other tables or indexes"]);
    let wrong = wrong_after_the_next_opening(&home, &known, &newest);
    assert!(wrong[0].starts_with("it does not open"), "{wrong:?}");
    let (home, known, backup) = killed("no backup");
    fs::remove_file(backup).expect("removed");
    let wrong = wrong_after_the_kill(&home, &known);
    assert!(wrong.len() == 1 && wrong[0].starts_with("the backup can't be read"), "{wrong:?}");
    let (home, known, backup) = killed("half a backup");
    let whole = fs::read(&backup).expect("the backup");
    fs::write(&backup, &whole[..whole.len() / 2]).expect("cut");
    let wrong = wrong_after_the_kill(&home, &known);
    assert!(wrong.iter().all(|wrong| wrong.starts_with("the backup")) && !wrong.is_empty(), "{wrong:?}");
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

//! The store as a whole: what it refuses, what damage it sees, and what a repair brings back.

use super::*;
use crate::store::repair::repair;

fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().expect("dir");
    let home = Home::under(dir.path());
    home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
    (dir, home)
}

fn put(home: &Home, range: std::ops::Range<usize>) {
    let mut store = Store::open(home).expect("opens");
    for n in range {
        let sql = "INSERT INTO repos (id, path) VALUES (?1, ?2)";
        let said = "INSERT INTO base_results (repo, commit_id, key, report, at) VALUES (?1, ?1, ?1, ?2, '')";
        let write = |tx: &Transaction<'_>| {
            tx.execute(sql, [format!("id-{n}"), format!("/path/{n}")])?;
            Ok(tx.execute(said, [format!("id-{n}"), format!("it said {n}")])?)
        };
        store.write(write).expect("written");
    }
}

fn rows(home: &Home) -> Result<i64> {
    Ok(Store::open(home)?.read().query_row("SELECT COUNT(*) FROM repos", [], |r| r.get(0))?)
}

fn refused(home: &Home) -> Damaged {
    let Err(error) = Store::open(home) else { panic!("a damaged database was opened") };
    error.downcast::<Damaged>().unwrap_or_else(|error| panic!("not damaged: {error:#}"))
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let (_dir, home) = home();
    put(&home, 0..1);
    let raw = Connection::open(home.database()).expect("raw");
    raw.pragma_update(None, "user_version", 99).expect("newer");
    drop(raw);
    let files = || {
        let entries = std::fs::read_dir(&home.data).expect("data").flatten();
        let mut all: Vec<_> = entries.map(|e| (e.file_name(), std::fs::read(e.path()).ok())).collect();
        all.sort();
        all
    };
    let before = files();
    let Err(error) = Store::open(&home) else { panic!("a newer database was opened") };
    assert!(error.to_string().contains("newer Loopwright (format 99, this one knows"), "{error}");
    assert!(error.downcast::<Newer>().expect("newer").hint().is_some_and(|h| h.contains("--not-newer")));
    assert_eq!(files(), before, "not even a file beside it");
    std::fs::copy(home.database(), home.backups().join("000002.db")).expect("as the newer program does");
    let Err(error) = Store::open(&home) else { panic!("a newer database was opened") };
    assert_eq!(error.downcast::<Newer>().expect("newer").hint(), None, "nobody is led to put that aside");
}

#[test]
fn a_newer_version_is_seen_in_the_log_too() {
    let (_dir, home) = home();
    put(&home, 0..1);
    let raw = Connection::open(home.database()).expect("raw");
    raw.pragma_update(None, "user_version", 99).expect("newer");
    let header = std::fs::read(home.database()).expect("the file");
    assert_eq!(header[60..64], u32::try_from(NEWEST).expect("small").to_be_bytes(), "only the log has it: the control");
    std::fs::write(home.backups().join("before-v99.db"), b"").expect("as the newer program does");
    let Err(error) = Store::open(&home) else { panic!("a newer database was opened") };
    assert!(error.is::<Newer>(), "{error:#}");
}

#[test]
fn one_bit_in_the_text_of_a_row_is_seen_and_put_right() {
    let (_dir, home) = home();
    put(&home, 0..50);
    let mut bytes = std::fs::read(home.database()).expect("the file");
    let at = bytes.windows(8).position(|w| w == b" said 42").expect("the row");
    bytes[at + 3] ^= 1;
    std::fs::write(home.database(), &bytes).expect("damaged");
    assert!(refused(&home).what.contains("are not what was written"));
    let raw = Connection::open(home.database()).expect("raw");
    let said: String = raw.query_row("PRAGMA integrity_check", [], |r| r.get(0)).expect("an answer");
    assert_eq!(said, "ok", "SQLite alone sees nothing: the control");
    drop(raw);
    let repaired = repair(&home, "now").expect("repaired");
    assert_eq!((repaired.replayed, repaired.lost), (50, Some(0)));
    assert_eq!(rows(&home).expect("sound"), 50);
    assert_eq!(std::fs::read(repaired.aside.join("loopwright.db")).expect("kept").len(), bytes.len());
    put(&home, 50..60);
    assert_eq!(rows(&home).expect("sound"), 60);
}

#[test]
fn a_database_that_is_gone_or_empty_is_no_new_one() {
    let (_dir, home) = home();
    put(&home, 0..5);
    std::fs::write(home.database(), b"").expect("emptied");
    assert_eq!(refused(&home).what, "it is empty");
    std::fs::remove_file(home.database()).expect("removed");
    assert_eq!(refused(&home).what, "it is gone");
    assert!(!home.database().exists());
    repair(&home, "now").expect("repaired");
    assert_eq!(rows(&home).expect("sound"), 5);
}

#[test]
fn commits_that_went_with_the_log_are_missed_and_brought_back() {
    let (_dir, home) = home();
    let mut store = Store::open(&home).expect("opens");
    drop(Store::open(&home).expect("opens"));
    store
        .read()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0")
        .expect("kept in the log");
    store.write(|tx| Ok(tx.execute("INSERT INTO repos VALUES ('a', '/a')", [])?)).expect("written");
    let file = std::fs::read(home.database()).expect("the file");
    drop(store);
    std::fs::write(home.database(), file).expect("as it was without the log");
    assert_eq!(refused(&home).what, "1 commits of 1 are missing");
    assert_eq!(repair(&home, "now").expect("repaired").lost, Some(0));
    assert_eq!(rows(&home).expect("sound"), 1);
}

/// A home whose redo log lost its end in a power cut, as its database did not; then `more` commits follow.
fn gap(home: &Home, more: usize) -> Vec<std::ffi::OsString> {
    put(home, 0..9);
    let log = home.backups().join("000001.redo");
    let text = std::fs::read_to_string(&log).expect("the log");
    let kept: Vec<&str> = text.lines().take_while(|l| !l.ends_with(" 6")).collect();
    std::fs::write(&log, kept.join("\n") + "\n").expect("its end is lost");
    put(home, 9..9 + more);
    let entries = std::fs::read_dir(home.backups()).expect("backups").flatten();
    let mut names: Vec<_> = entries.map(|e| e.file_name()).collect();
    names.sort();
    names
}

#[test]
fn a_log_that_lost_its_end_is_followed_by_a_backup() {
    let (_dir, home) = home();
    let names = gap(&home, 4);
    assert_eq!(names, ["000001.db", "000001.redo", "000002.db", "000002.redo", "lock"], "one and no more");
    std::fs::write(home.database(), b"nothing").expect("damaged");
    let repaired = repair(&home, "now").expect("repaired");
    assert_eq!((repaired.replayed, repaired.lost), (3, Some(0)));
    assert_eq!(rows(&home).expect("sound"), 13);
}

#[test]
fn control_without_that_backup_what_follows_is_lost() {
    let (_dir, home) = home();
    gap(&home, 1);
    std::fs::remove_file(home.backups().join("000002.db")).expect("removed");
    std::fs::write(home.database(), b"nothing").expect("damaged");
    assert_eq!(repair(&home, "now").expect("repaired").lost, Some(5));
}

#[test]
fn a_backup_that_fails_after_a_gap_is_made_by_a_later_commit() {
    let (_dir, home) = home();
    let lock = home.backups().join("lock");
    std::fs::create_dir_all(home.backups()).expect("backups");
    drop(Store::open(&home).expect("opens"));
    std::fs::remove_file(&lock).expect("removed");
    std::fs::create_dir(&lock).expect("in the way");
    assert!(!gap(&home, 2).contains(&"000002.db".into()));
    std::fs::remove_dir(&lock).expect("out of the way");
    put(&home, 11..12);
    assert!(home.backups().join("000002.db").exists());
    std::fs::write(home.database(), b"nothing").expect("damaged");
    assert_eq!(repair(&home, "now").expect("repaired").lost, Some(0));
    assert_eq!(rows(&home).expect("sound"), 12);
}

#[test]
fn a_number_that_two_writers_mixed_is_no_damage() {
    let (_dir, home) = home();
    put(&home, 0..9);
    std::fs::write(home.changed(), "990").expect("99 over 100");
    assert_eq!(rows(&home).expect("it is sound"), 9);
    put(&home, 9..10);
    std::fs::write(home.changed(), told::content(990)).expect("told");
    assert_eq!(refused(&home).what, "980 commits of 990 are missing", "a whole one counts: the control");
}

#[test]
fn what_no_log_holds_is_counted_as_lost() {
    let (_dir, home) = home();
    put(&home, 0..9);
    let log = home.backups().join("000001.redo");
    let text = std::fs::read_to_string(&log).expect("the log");
    let kept: Vec<&str> = text.lines().filter(|l| !l.ends_with(" 7")).collect();
    std::fs::write(&log, kept.join("\n") + "\n").expect("a gap");
    std::fs::write(home.database(), b"nothing").expect("damaged");
    let repaired = repair(&home, "now").expect("repaired");
    assert_eq!((repaired.replayed, repaired.lost), (6, Some(3)));
    assert_eq!(rows(&home).expect("sound"), 6);
    put(&home, 9..12);
    std::fs::write(home.database(), b"nothing").expect("damaged again");
    repair(&home, "later").expect("repaired");
    assert_eq!(rows(&home).expect("what was lost does not come back in the middle"), 9);
}

#[test]
fn without_a_backup_nothing_is_moved() {
    let (_dir, home) = home();
    put(&home, 0..1);
    std::fs::remove_dir_all(home.backups()).expect("no backups");
    std::fs::write(home.database(), b"nothing").expect("damaged");
    assert!(repair(&home, "now").expect_err("no way back").to_string().contains("is sound"));
    assert_eq!(std::fs::read(home.database()).expect("there"), b"nothing");
}

#[test]
fn backups_are_checked_kept_and_pruned() {
    let (_dir, home) = home();
    for n in 0..6 {
        put(&home, n * 3..n * 3 + 3);
        backup::make(&mut Store::open(&home).expect("opens"), &home.backups()).expect("a backup");
    }
    let mut names: Vec<_> =
        std::fs::read_dir(home.backups()).expect("backups").flatten().map(|e| e.file_name()).collect();
    names.sort();
    assert_eq!(names, ["000004.redo", "000005.db", "000005.redo", "000006.db", "000006.redo", "000007.db", "lock"]);
    for damaged in ["000007.db", "000006.db"] {
        std::fs::write(home.backups().join(damaged), b"nothing").expect("damaged");
    }
    std::fs::write(home.database(), b"nothing").expect("damaged");
    let repaired = repair(&home, "now").expect("repaired");
    assert!(repaired.from.ends_with("000005.db"), "{repaired:?}");
    assert_eq!((repaired.lost, rows(&home).expect("sound")), (Some(0), 18));
}

#[test]
fn the_schema_is_valid_and_counted() {
    migrations().validate().expect("valid");
    let mut connection = Connection::open_in_memory().expect("memory");
    migrations().to_latest(&mut connection).expect("migrates");
    let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).expect("version");
    assert_eq!(version, NEWEST);
}

#[test]
fn many_processes_may_open_a_new_home_at_once() {
    let (_dir, home) = home();
    std::thread::scope(|scope| {
        let openers: Vec<_> = (0..20).map(|_| scope.spawn(|| Store::open(&home).map(drop))).collect();
        for opener in openers {
            opener.join().expect("a thread").expect("opens");
        }
    });
}

#[test]
fn many_writers_make_one_log() {
    let (_dir, home) = home();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let home = &home;
            scope.spawn(move || put(home, n * 20..n * 20 + 20));
        }
    });
    std::fs::write(home.database(), b"nothing").expect("damaged");
    assert_eq!(repair(&home, "now").expect("repaired").replayed, 80);
    assert_eq!(rows(&home).expect("sound"), 80);
}

#[test]
fn a_write_that_fails_leaves_no_trace() {
    let (_dir, home) = home();
    let mut store = Store::open(&home).expect("opens");
    let failed: Result<()> = store.write(|tx| {
        tx.execute("INSERT INTO repos VALUES ('a', '/a')", [])?;
        bail!("no")
    });
    failed.expect_err("it failed");
    store.write(|tx| Ok(tx.execute("INSERT OR REPLACE INTO repos VALUES ('b', '/b')", [])?)).expect("written");
    store.write(|tx| Ok(tx.execute("INSERT OR REPLACE INTO repos VALUES ('c', '/b')", [])?)).expect("pushes one out");
    store.verify().expect("sound");
    assert_eq!(rows(&home).expect("sound"), 1);
}

#[test]
fn durability_is_full() {
    let (_dir, home) = home();
    let store = Store::open(&home).expect("opens");
    let read = |name: &str| -> String {
        store
            .read()
            .pragma_query_value(None, name, |r| r.get::<_, rusqlite::types::Value>(0))
            .map(|v| format!("{v:?}"))
            .expect(name)
    };
    assert_eq!(read("journal_mode"), "Text(\"wal\")");
    assert_eq!(read("synchronous"), "Integer(2)");
    assert_eq!(read("foreign_keys"), "Integer(1)");
}

#[test]
fn this_sqlite_is_bundled_and_has_no_known_damage() {
    let db = Connection::open_in_memory().expect("memory");
    let said: String = db.query_row("SELECT sqlite_version()", [], |r| r.get(0)).expect("a version");
    assert_eq!(said, rusqlite::version(), "the one that was linked");
    assert!(rusqlite::version_number() >= OLDEST_SQLITE, "{said}");
}

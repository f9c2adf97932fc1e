//! Damage: whatever became of the database's bytes, it is noticed or makes no difference, and a repair brings everything back.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::Path;

use loopwright_engine::home::Home;
use loopwright_engine::store::Store;
use loopwright_engine::store::repair::repair;
use loopwright_tests::dice::Dice;
use loopwright_tests::faults::full;
use loopwright_tests::stage::{RAILS, Stage, wait_for};
use loopwright_tests::{in_memory, tell};
use rusqlite::types::Value;

const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n";

/// Every row of every table but the seal, in order.
fn content(db: &rusqlite::Connection) -> rusqlite::Result<Vec<(String, Vec<Vec<Value>>)>> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('sealed', 'sqlite_sequence') ORDER BY name";
    let tables: Vec<String> = db.prepare(sql)?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    let rows = |table: &String| {
        let mut all = db.prepare(&format!("SELECT * FROM \"{table}\" NOT INDEXED"))?;
        let columns = all.column_count();
        let found = all.query_map([], |r| (0..columns).map(|at| r.get(at)).collect::<Result<Vec<Value>, _>>())?;
        let mut found: Vec<Vec<Value>> = found.collect::<Result<_, _>>()?;
        found.sort_by_key(|row| format!("{row:?}"));
        Ok((table.clone(), found))
    };
    tables.iter().map(rows).collect()
}

/// A stage with runs and pull requests, and its database with commits that stand in the write-ahead log alone.
fn shipped() -> Stage {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let reviews = stage.reviews();
    stage.approve(&stage.review(reviews[0]["id"].as_str().expect("an id"))).exits(0);
    wait_for("the run's processes to be gone", || stage.processes().is_empty().then_some(()));
    stage
}

/// Copies what belongs to the database.
fn copy(from: &Home, to: &Home) {
    to.create(chrono::DateTime::UNIX_EPOCH).expect("a home");
    fs::create_dir_all(to.backups()).expect("backups");
    for (from, to) in [(&from.data, &to.data), (&from.backups(), &to.backups())] {
        for file in fs::read_dir(from).expect("a folder").flatten().filter(|f| f.path().is_file()) {
            fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
        }
    }
    fs::remove_file(to.data.join("loopwright.db-shm")).ok();
}

fn flip(path: &Path, bytes: usize, dice: &mut Dice) {
    let mut content = fs::read(path).expect("the file");
    for _ in 0..bytes {
        let at = dice.below(content.len());
        content[at] ^= 1 << dice.below(8);
    }
    fs::write(path, content).expect("the file");
}

/// Damages a home in one of the ways; returns which.
fn damage(home: &Home, dice: &mut Dice) -> String {
    let (db, wal) = (home.database(), home.data.join("loopwright.db-wal"));
    let size = |path: &Path| fs::metadata(path).map_or(0, |m| usize::try_from(m.len()).unwrap_or(0));
    match dice.below(10) {
        0 => {
            let length = dice.below(size(&db));
            let file = fs::OpenOptions::new().write(true).open(&db).expect("the file");
            file.set_len(length as u64).expect("cut");
            format!("cut at {length}")
        }
        1 => {
            let mut content = fs::read(&db).expect("the file");
            let zeros = [16, 100, 512, 4096][dice.below(4)];
            content[..zeros].fill(0);
            fs::write(&db, content).expect("the file");
            format!("{zeros} zeros")
        }
        2 => {
            fs::remove_file(wal).expect("the log");
            "no log".to_owned()
        }
        3 => {
            let bytes = 1 + dice.below(64);
            flip(&wal, bytes, dice);
            format!("{bytes} bytes of the log")
        }
        4 => {
            flip(&db, 4, dice);
            flip(&home.backups().join("000001.db"), 4, dice);
            "4 bytes of it and of a backup".to_owned()
        }
        _ => {
            let bytes = 1 + dice.below(64);
            flip(&db, bytes, dice);
            format!("{bytes} bytes")
        }
    }
}

#[test]
fn no_damage_is_silent_and_all_of_it_is_repaired() {
    let copies = if full() { 1000 } else { 300 };
    let mut dice = Dice::seeded("damaged");
    let stage = shipped();
    let home = Home::under(&stage.home);
    let mut store = Store::open(&home).expect("opens");
    store.back_up_now(&home).expect("a second backup");
    store.read().execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0").expect("from here on");
    let touch = "UPDATE findings SET last_seen = 'later'";
    store.write(|tx| Ok(tx.execute(touch, [])?)).expect("a commit that stands in the log");
    let known = content(store.read()).expect("rows");
    let (mut noticed, mut blind) = (0, 0);
    for _ in 0..copies {
        let folder = in_memory();
        let copied = Home::under(folder.path());
        copy(&home, &copied);
        let how = damage(&copied, &mut dice);
        // What a connection that only trusts SQLite would have taken for the truth.
        let trusting = Home::under(&folder.path().join("trusting"));
        copy(&copied, &trusting);
        let raw = rusqlite::Connection::open(trusting.database()).and_then(|db| content(&db));
        blind += usize::from(raw.is_ok_and(|rows| rows != known));
        match Store::open(&copied).and_then(|s| Ok(content(s.read())?)) {
            Ok(rows) => assert_eq!(rows, known, "{how}: silently wrong"),
            Err(error) => {
                noticed += 1;
                let repaired = repair(&copied, "now").unwrap_or_else(|e| panic!("{how}: {error:#}: {e:#}"));
                assert_eq!(repaired.lost, Some(0), "{how}");
                let sound = Store::open(&copied).expect("it starts");
                sound.verify().expect("sound");
                assert_eq!(content(sound.read()).expect("rows"), known, "{how}: {repaired:?}");
            }
        }
    }
    tell(&format!(
        "{copies} copies: {noticed} noticed and repaired, 0 silently wrong; SQLite alone: {blind} silently wrong"
    ));
    assert!(noticed > copies / 2, "it was damage");
    assert!(blind > 0, "the control: without the seal some pass for the truth");
}

/// Damages the database, and keeps of its newest redo log the first `kept` lines alone.
fn cut(stage: &Stage, kept: usize) {
    let home = Home::under(&stage.home);
    let log = log(&home);
    let text = fs::read_to_string(&log).expect("the log");
    let lines: Vec<&str> = text.lines().take(kept).collect();
    assert!(kept > 0 && lines.len() < text.lines().count(), "something is lost");
    fs::write(&log, lines.join("\n") + "\n").expect("cut");
    fs::remove_file(home.data.join("loopwright.db-wal")).ok();
    fs::write(home.database(), b"no database any more").expect("damaged");
}

fn log(home: &Home) -> std::path::PathBuf {
    let logs = fs::read_dir(home.backups()).expect("backups").flatten().map(|e| e.path());
    logs.filter(|p| p.extension().is_some_and(|e| e == "redo")).max().expect("a log")
}

/// A stage whose redo log ends while its only run made its first attempt; both pull requests of the run are there.
fn broken_off() -> Stage {
    let stage = Stage::shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $0.50/attempt}\n";
    let path = stage.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", MAKER)]);
    stage.add(&path.display().to_string(), true);
    stage.run("work").exits(21);
    wait_for("the run's processes to be gone", || stage.processes().is_empty().then_some(()));
    let text = fs::read_to_string(log(&Home::under(&stage.home))).expect("the log");
    let attempt = text.lines().position(|line| line.contains("\"attempts\"")).expect("an attempt");
    cut(&stage, attempt + 1);
    stage
}

#[test]
fn a_run_whose_last_commits_are_lost_ends_with_what_it_spent() {
    let stage = broken_off();
    let repaired = stage.verb(&["doctor", "--repair"]).exits(21).json();
    let runs = stage.verb(&["runs"]).exits(0).json();
    assert_eq!((runs[0]["end"]["state"].as_str(), runs.as_array().map(Vec::len)), (Some("failed"), Some(1)), "{runs}");
    assert_eq!(spent(&stage), 1_000_000, "two attempts at $0.50: {repaired}");
    let again = stage.run("work").exits(20).json();
    assert!(loopwright_tests::stage::steps(&again, "build").is_empty(), "{again}");
    assert!(stage.reviews().is_empty(), "the same change twice");
    assert_eq!(spent(&stage), 1_000_000);
    let doctor = stage.verb(&["doctor"]).json();
    assert!(!doctor.to_string().contains("micro-dollars"), "the ledger adds up: {doctor}");
}

#[test]
fn control_without_it_the_run_goes_on_and_ships_them_twice() {
    let stage = broken_off();
    repair(&Home::under(&stage.home), "now").expect("repaired");
    stage.verb(&["tick"]);
    wait_for("its end", || {
        let runs = stage.verb(&["runs"]).exits(0).json();
        (!runs[0]["end"].is_null()).then_some(())
    });
    assert_eq!(stage.reviews().len(), 2, "while the refs of the first two are there");
}

/// A stage where an approval that waited and a sending back were taken back, which the database has forgotten.
fn undone() -> (Stage, String) {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let reviews = stage.reviews();
    let id = |at: usize| reviews[at]["id"].as_str().expect("an id");
    let tree = stage.review(id(0))["tree"].as_str().expect("a tree").to_owned();
    stage.write("README.md", "being written\n");
    stage.verb(&["approve", id(0), "--tree", &tree]).exits(21);
    stage.verb(&["halt"]).exits(0);
    stage.verb(&["send-back", id(1), "--note", "oh"]).exits(0);
    let decided = fs::read_to_string(log(&Home::under(&stage.home))).expect("the log").lines().count();
    stage.verb(&["undo", id(0)]).exits(0);
    stage.verb(&["undo", id(1)]).exits(0);
    wait_for("the run's processes to be gone", || stage.processes().is_empty().then_some(()));
    cut(&stage, decided);
    stage.git(&["checkout", "--quiet", "README.md"]);
    let head = stage.git(&["rev-parse", "HEAD"]);
    (stage, head)
}

#[test]
fn decisions_that_may_have_been_taken_back_wait_for_the_person_again() {
    let (stage, head) = undone();
    let left = stage.verb(&["doctor", "--repair"]).exits(21).json()["left"].to_string();
    assert_eq!(left.matches("waits for you again").count(), 2, "{left}");
    stage.verb(&["resume", "--reason", "repaired"]).exits(0);
    stage.verb(&["tick"]);
    let states: Vec<_> = stage.reviews().iter().map(|r| r["state"].clone()).collect();
    assert_eq!(states, ["open", "open"]);
    assert_eq!(stage.git(&["rev-parse", "HEAD"]), head, "nothing landed");
    assert_eq!(stage.verb(&["runs"]).exits(0).json().as_array().map(Vec::len), Some(1), "nothing began");
    let first = stage.reviews()[0]["id"].as_str().expect("an id").to_owned();
    stage.approve(&stage.review(&first)).exits(0);
}

#[test]
fn control_without_it_what_was_undone_lands_and_begins() {
    let (stage, head) = undone();
    repair(&Home::under(&stage.home), "now").expect("repaired");
    stage.verb(&["resume", "--reason", "repaired"]);
    stage.remember();
    assert_ne!(stage.git(&["rev-parse", "HEAD"]), head, "it landed");
    let runs = || stage.verb(&["runs"]).exits(0).json();
    assert!(runs().as_array().map_or(0, Vec::len) > 1, "it began");
    wait_for("the end of it", || runs().as_array().expect("runs").iter().all(|r| !r["end"].is_null()).then_some(()));
}

/// A stage whose database and redo log lost everything since before its only run; the run's refs and directories are there.
fn forgotten() -> Stage {
    let stage = Stage::shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $0.50/attempt}\n";
    let path = stage.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", MAKER)]);
    stage.add(&path.display().to_string(), true);
    let home = Home::under(&stage.home);
    Store::open(&home).expect("opens").back_up_now(&home).expect("a backup");
    stage.run("work").exits(21);
    wait_for("the run's processes to be gone", || stage.processes().is_empty().then_some(()));
    for file in fs::read_dir(home.backups()).expect("backups").flatten() {
        if file.path().extension().is_some_and(|e| e == "redo") {
            fs::remove_file(file.path()).expect("removed");
        }
    }
    fs::write(home.database(), b"no database any more").expect("damaged");
    stage
}

fn spent(stage: &Stage) -> i64 {
    let db = rusqlite::Connection::open(stage.home.join("data/loopwright.db")).expect("the database");
    let sql = "SELECT COALESCE(SUM(micros), 0) FROM ledger WHERE kind = 'charge'";
    db.query_row(sql, [], |r| r.get(0)).expect("a sum")
}

#[test]
fn what_the_backup_does_not_know_is_neither_opened_twice_nor_refunded() {
    let stage = forgotten();
    let repaired = stage.verb(&["doctor", "--repair"]).exits(21).json();
    assert_eq!(repaired["damaged"], true);
    let left = repaired["left"].to_string();
    assert!(left.contains("commits are lost"), "{left}");
    assert_eq!(left.matches("lost its evidence").count(), 2, "{left}");
    assert_eq!(spent(&stage), 1_000_000, "two attempts at $0.50: {repaired}");
    assert_eq!(stage.verb(&["runs"]).exits(0).json()[0]["end"]["state"], "failed");

    let again = stage.run("work").exits(20).json();
    assert!(loopwright_tests::stage::steps(&again, "build").is_empty(), "{again}");
    assert!(stage.reviews().is_empty());
    assert_eq!(spent(&stage), 1_000_000);
    // What is printed makes one of them anew.
    let line =
        repaired["left"][1].as_str().and_then(|l| l.split("make it anew: ").nth(1)).expect("a command").to_owned();
    assert_eq!(stage.paste(&line).code, 21, "{line}");
    assert_eq!(stage.reviews().len(), 1);
}

#[test]
fn what_may_be_newer_is_put_aside_only_on_the_word_of_a_person() {
    let stage = shipped();
    let home = Home::under(&stage.home);
    Store::open(&home).expect("opens").back_up_now(&home).expect("a backup");
    let known = content(Store::open(&home).expect("opens").read()).expect("rows");
    let raw = rusqlite::Connection::open(home.database()).expect("raw");
    raw.pragma_update(None, "user_version", 99).expect("newer");
    drop(raw);
    let bytes = fs::read(home.database()).expect("the file");
    for words in [&["status"][..], &["doctor", "--repair"]] {
        let refused = stage.verb(words).exits(1);
        assert!(refused.message().contains("newer Loopwright (format 99"), "{refused:?}");
        assert!(refused.hint().contains("doctor --repair --not-newer"), "{refused:?}");
        assert_eq!(fs::read(home.database()).expect("the file"), bytes, "nothing was changed");
    }
    let said = stage.plain(&["doctor"]).out;
    assert!(said.contains("newer") && !said.contains("keep the database"), "{said}");
    let repaired = stage.verb(&["doctor", "--repair", "--not-newer"]).json();
    assert_eq!(repaired["damaged"], true, "the control: {repaired}");
    assert_eq!(content(Store::open(&home).expect("opens").read()).expect("rows"), known);
}

#[test]
fn control_a_backup_put_back_by_hand_opens_them_twice() {
    let stage = forgotten();
    let home = Home::under(&stage.home);
    fs::copy(home.backups().join("000002.db"), home.database()).expect("put back");
    let wal = |db: rusqlite::Connection| db.pragma_update(None, "journal_mode", "WAL");
    rusqlite::Connection::open(home.database()).and_then(wal).expect("as it was");
    let refused = stage.verb(&["status"]).exits(1);
    assert!(refused.message().contains("are missing"), "not unseen: {refused:?}");
    fs::remove_file(home.changed()).expect("forced");
    stage.run("work").exits(21);
    assert_eq!(stage.reviews().len(), 2, "the same two findings again");
    assert_eq!(spent(&stage), 1_000_000, "and what the first run spent is free again");
}

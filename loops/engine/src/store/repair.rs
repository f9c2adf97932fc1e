//! Repair: the damaged files go aside, and in their place comes the newest sound copy with the commits of the redo log since.
//!
//! What is outside of the database (refs, run directories) is compared by `api::repair`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::{Connection, Transaction, params_from_iter};

use super::damage::beside;
use super::redo::{self, Record};
use super::seal::{self, Change, Seal, Unsound};
use super::told::{self, told};
use super::{NEWEST, backup, lock_for_migration, migrations};
use crate::home::{Home, clear, private_dir};

/// What SQLite keeps beside a database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// What a repair came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repaired {
    /// Where the damaged files are now.
    pub aside: PathBuf,
    /// What it began with.
    pub from: PathBuf,
    /// How many commits of the redo log followed.
    pub replayed: i64,
    /// How many commits are lost; none if that can't be known.
    pub lost: Option<i64>,
}

/// What a way back may begin with.
struct Source {
    file: PathBuf,
    /// With the write-ahead log beside it.
    log: bool,
}

/// A copy that was found sound, and brought forward.
struct Candidate {
    path: PathBuf,
    from: PathBuf,
    began: i64,
    commits: i64,
}

/// Puts the database in order. `stamp` names the folder for what is damaged.
///
/// # Errors
/// No sound copy is left, or a file can't be moved; a repair that was cut off is repeated from its beginning.
pub fn repair(home: &Home, stamp: &str) -> Result<Repaired> {
    let _held = lock_for_migration(&home.database())?;
    let workshop = home.data.join("repairing");
    clear(&workshop)?;
    private_dir(&workshop)?;
    let records = records(home)?;
    let found = sources(home).into_iter().enumerate();
    let tried = found.filter_map(|(at, from)| match forward(&from, &workshop.join(format!("{at}.db")), &records) {
        Ok(candidate) => Some(candidate),
        Err(error) => {
            tracing::info!("{} is no way back: {error:#}", from.file.display());
            None
        }
    });
    // Of those that come equally far the first: what is there, before any backup.
    let best = tried.reduce(|best, next| if next.commits > best.commits { next } else { best });
    let Some(best) = best else { bail!("neither the database nor a backup in {} is sound", home.backups().display()) };
    let (logged, told) = (records.last().map_or(0, |r| r.n), told(&home.changed()));
    let missing = (logged.max(told.unwrap_or_default()) - best.commits).max(0);
    // Without the number that was told last, the end of the redo log may be lost too.
    let lost = Some(missing).filter(|n| *n > 0 || told.is_some());
    let aside = put_in_place(home, &best.path, stamp)?;
    crate::home::replace(&home.changed(), told::content(best.commits).as_bytes())?;
    clear(&workshop)?;
    Ok(Repaired { aside, from: best.from, replayed: best.commits - best.began, lost })
}

fn records(home: &Home) -> Result<Vec<Record>> {
    if home.backups().exists() { redo::read(&home.backups()) } else { Ok(Vec::new()) }
}

/// The database as it is; without its log, if that is what is damaged; then the backups.
fn sources(home: &Home) -> Vec<Source> {
    let file = home.database();
    let backups = backup::all(&home.backups()).into_iter().rev().map(|file| Source { file, log: false });
    [Source { file: file.clone(), log: true }, Source { file, log: false }].into_iter().chain(backups).collect()
}

/// A copy of `from`, brought up to date and forward to the last commit that leads on without a gap.
fn forward(from: &Source, to: &Path, records: &[Record]) -> Result<Candidate> {
    copy_files(from, to)?;
    let mut db = Connection::open(to).with_context(|| format!("opening {}", to.display()))?;
    db.pragma_update(None, "synchronous", "OFF")?;
    let version: i64 = db.query_row("PRAGMA user_version", [], |r| r.get(0))?;
    ensure!((1..=NEWEST).contains(&version), "format {version}");
    match db.table_exists(None, "sealed")? {
        true => seal::verify(&db).map(drop)?,
        false => seal::sound(&db)?,
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    migrations().to_latest(&mut db)?;
    let began = Seal::read(&db)?.commits;
    db.pragma_update(None, "foreign_keys", "OFF")?;
    let mut commits = began;
    for record in records.iter().filter(|r| r.n > began) {
        match replay(&mut db, record) {
            Ok(()) => commits = record.n,
            Err(error) => {
                tracing::warn!("the redo log leads on to commit {commits} alone: {error:#}");
                break;
            }
        }
    }
    seal::verify(&db)?;
    db.close().map_err(|(_, error)| error).context("closing the copy")?;
    backup::sync(to)?;
    Ok(Candidate { path: to.to_owned(), from: from.file.clone(), began, commits })
}

fn copy_files(from: &Source, to: &Path) -> Result<()> {
    let copy = |end: &str| {
        let from = beside(&from.file, end);
        fs::copy(&from, beside(to, end)).map(drop).with_context(|| format!("copying {}", from.display()))
    };
    if from.log && beside(&from.file, "-wal").exists() {
        copy("-wal")?;
    }
    copy("")
}

/// Commits what a record says, if it leads to the very content that it names.
fn replay(db: &mut Connection, record: &Record) -> Result<()> {
    let tx = db.transaction()?;
    let mut seal = Seal::read(&tx)?;
    ensure!(record.n == seal.commits + 1, "commit {} follows {}", record.n, seal.commits);
    let tables = seal::tables(&tx)?;
    let mut changes = Vec::new();
    for (came, table, cells) in &record.rows {
        let columns = tables.iter().find(|(name, _)| name == table).map(|(_, columns)| columns);
        let columns = columns.with_context(|| format!("no table {table}"))?;
        let change = Change { came: *came, table: table.clone(), row: cells.iter().map(value).collect() };
        apply(&tx, &change, columns)?;
        changes.push(change);
    }
    seal.take_in(&changes);
    ensure!(seal.state()? == record.state, Unsound(format!("commit {} comes to other rows", record.n)));
    seal.write(&tx)?;
    tx.commit().context("committing what the redo log says")
}

fn apply(tx: &Transaction<'_>, change: &Change, columns: &[String]) -> Result<()> {
    ensure!(columns.len() == change.row.len(), "{} has other columns", change.table);
    let numbered = |join: &str, one: fn(&str, usize) -> String| {
        let parts: Vec<String> = columns.iter().enumerate().map(|(at, c)| one(c, at + 1)).collect();
        parts.join(join)
    };
    let table = &change.table;
    let sql = match change.came {
        true => format!(
            "INSERT INTO \"{table}\" ({}) VALUES ({})",
            numbered(", ", |c, _| format!("\"{c}\"")),
            numbered(", ", |_, n| format!("?{n}"))
        ),
        false => format!("DELETE FROM \"{table}\" WHERE {}", numbered(" AND ", |c, n| format!("\"{c}\" IS ?{n}"))),
    };
    let rows = tx.prepare_cached(&sql)?.execute(params_from_iter(&change.row))?;
    ensure!(rows == 1, "{rows} rows of {table} instead of one");
    Ok(())
}

fn value(cell: &serde_json::Value) -> rusqlite::types::Value {
    use rusqlite::types::Value;
    match cell {
        serde_json::Value::String(text) => Value::Text(text.clone()),
        other => other.as_i64().map_or(Value::Null, Value::Integer),
    }
}

/// Moves the damaged files aside, the log first: a new database must never meet an old log.
fn put_in_place(home: &Home, sound: &Path, stamp: &str) -> Result<PathBuf> {
    let path = home.database();
    let aside = home.data.join("damaged").join(stamp);
    private_dir(&aside)?;
    for end in BESIDE.into_iter().chain([""]) {
        let from = beside(&path, end);
        let name = from.file_name().context("the database's name")?;
        if from.exists() {
            fs::rename(&from, aside.join(name)).with_context(|| format!("putting {} aside", from.display()))?;
        }
    }
    fs::rename(sound, &path).with_context(|| format!("putting {} in place", path.display()))?;
    backup::sync(&home.data)?;
    Ok(aside)
}

//! The store: one SQLite database that every process opens for itself; the only place with SQL.
//!
//! Writes go through BEGIN IMMEDIATE; journal and projections of an event are one transaction.

pub mod base_results;
pub mod due;
pub mod findings;
pub mod journal;
pub mod ledger;
pub mod loops;
pub mod occurrences;
pub mod projection;
pub mod pull_requests;
pub mod reviews;
pub mod runs;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use loopwright_core::money::Micros;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};
use serde::de::DeserializeOwned;

use crate::home::Home;

/// The first SQLite without the WAL-reset corruption: 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;

/// An open database.
pub struct Store {
    connection: Connection,
    changed: PathBuf,
}

/// The database is no database any more.
#[derive(Debug, thiserror::Error)]
#[error("the database {} is damaged ({what}); nothing was changed in it", path.display())]
pub struct Damaged {
    /// Its file.
    pub path: PathBuf,
    /// What SQLite says.
    pub what: String,
    /// The newest backup that was made before a migration.
    pub backup: Option<PathBuf>,
}

/// Whether an error is SQLite's that the file is damaged.
pub fn says_damaged(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    error
        .chain()
        .filter_map(|e| e.downcast_ref::<rusqlite::Error>()?.sqlite_error_code())
        .any(|code| matches!(code, NotADatabase | DatabaseCorrupt))
}

impl Damaged {
    fn of(error: &anyhow::Error, path: &Path) -> Damaged {
        let what = error.root_cause().to_string();
        Damaged { path: path.to_owned(), what, backup: newest_backup(path) }
    }

    /// What a person can do: keep the file aside, and begin with the backup or anew.
    pub fn repair(&self) -> String {
        let folder = self.path.parent().unwrap_or(&self.path);
        let (aside, name) = (folder.join("damaged"), self.path.file_name().unwrap_or_default().to_string_lossy());
        // The files beside it belong to it: a new database must not find them.
        let aside = format!("mkdir '{}' && mv '{}/{name}'* '{0}'", aside.display(), folder.display());
        match &self.backup {
            Some(backup) => format!(
                "move it aside and begin with the newest backup: {aside} && cp '{}' '{}'; \
                 what was done since that backup is not in it",
                backup.display(),
                self.path.display()
            ),
            None => format!("move it aside: {aside}; then add your loops again with `loopwright add`"),
        }
    }
}

/// `loopwright.before-v2.db` rather than `loopwright.before-v1.db`.
fn newest_backup(path: &Path) -> Option<PathBuf> {
    let stem = format!("{}.before-v", path.file_stem()?.to_str()?);
    let found = std::fs::read_dir(path.parent()?).ok()?.flatten();
    let numbered = found.filter_map(|entry| {
        let name = entry.file_name();
        let number: u64 = name.to_str()?.strip_prefix(&stem)?.strip_suffix(".db")?.parse().ok()?;
        Some((number, entry.path()))
    });
    numbered.max().map(|(_, path)| path)
}

/// The schema, step by step. A step that shipped is never edited.
fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(FIRST), M::up(STEADY)])
}

const FIRST: &str = include_str!("0001_first.sql");
const STEADY: &str = include_str!("0002_steady.sql");

impl Store {
    /// Opens (and makes or migrates) the database of a home.
    ///
    /// # Errors
    /// It can't be opened, is [`Damaged`], or was written by a newer program; nothing is changed then.
    pub fn open(home: &Home) -> Result<Store> {
        let path = home.database();
        let mut connection =
            Connection::open(&path).with_context(|| format!("opening the database {}", path.display()))?;
        if rusqlite::version_number() < OLDEST_SQLITE {
            bail!("this SQLite ({}) can damage its files; 3.51.3 is the oldest that is safe", rusqlite::version());
        }
        connection.busy_timeout(Duration::from_secs(5))?;
        prepare(&mut connection, &path).map_err(|error| match says_damaged(&error) {
            true => Damaged::of(&error, &path).into(),
            false => error,
        })?;
        Ok(Store { connection, changed: home.changed() })
    }

    /// Reads.
    pub fn read(&self) -> &Connection {
        &self.connection
    }

    /// Runs `act` in one transaction that no other writer comes between, and tells whoever waits.
    ///
    /// # Errors
    /// What `act` returns, or that the commit failed; nothing is stored then.
    pub fn write<T>(&mut self, act: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .context("starting to write to the database")?;
        let value = act(&transaction)?;
        transaction.commit().context("committing to the database")?;
        // Only a wake-up: whoever misses it looks again by itself.
        let _ = std::fs::write(&self.changed, b"");
        Ok(value)
    }
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<()> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    if version(connection, path)? == NEWEST {
        return Ok(());
    }
    // One process brings it up to date; the others wait and find it done.
    let lock = path.with_extension("migrating");
    let held = File::create(&lock).with_context(|| format!("creating {}", lock.display()))?;
    held.lock().with_context(|| format!("locking {}", lock.display()))?;
    migrate(connection, path)
}

fn migrate(connection: &mut Connection, path: &Path) -> Result<()> {
    let version = version(connection, path)?;
    if version > NEWEST {
        bail!(
            "{} was written by a newer Loopwright (format {version}, this one knows {NEWEST}); nothing was changed. \
             Update Loopwright, or use another LOOPWRIGHT_HOME",
            path.display()
        );
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    if version > 0 && version < NEWEST {
        back_up(connection, &path.with_extension(format!("before-v{NEWEST}.db")))?;
    }
    migrations().to_latest(connection).with_context(|| format!("bringing {} up to date", path.display()))
}

fn version(connection: &Connection, path: &Path) -> Result<i64> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .with_context(|| format!("reading {} (it may be damaged)", path.display()))
}

/// How many migrations there are: `user_version` of an up-to-date database.
const NEWEST: i64 = 2;

fn back_up(connection: &Connection, to: &Path) -> Result<()> {
    let target = to.to_str().context("the data folder's path is not UTF-8")?;
    if to.exists() {
        std::fs::remove_file(to).with_context(|| format!("replacing the old backup {target}"))?;
    }
    connection.execute("VACUUM INTO ?1", [target]).with_context(|| format!("backing up to {target}"))?;
    Ok(())
}

/// Ids that a person may mean: those that end in, begin with or are what was typed.
fn ids_matching<T: FromStr>(db: &Connection, select: &str, typed: &str) -> Result<Vec<T>>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    if typed.len() < 4 || !typed.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return Ok(Vec::new());
    }
    let mut rows = db.prepare_cached(&format!("{select} WHERE id LIKE '%' || ?1 OR id LIKE ?1 || '%' LIMIT 3"))?;
    let found = rows.query_map([typed.to_lowercase()], |r| parsed(r, 0))?;
    found.collect::<Result<_, _>>().context("looking up an id")
}

/// A column that is text and means something else.
fn parsed<T: FromStr>(row: &Row<'_>, at: usize) -> rusqlite::Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: String = row.get(at)?;
    text.parse().map_err(|e| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(e)))
}

/// A column that holds JSON.
fn json<T: DeserializeOwned>(row: &Row<'_>, at: usize) -> rusqlite::Result<T> {
    let text: String = row.get(at)?;
    serde_json::from_str(&text).map_err(|e| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(e)))
}

/// A column that holds JSON or nothing.
fn json_or_none<T: DeserializeOwned>(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<T>> {
    match row.get::<_, Option<String>>(at)? {
        Some(_) => json(row, at).map(Some),
        None => Ok(None),
    }
}

/// A column that is an amount.
fn micros(row: &Row<'_>, at: usize) -> rusqlite::Result<Micros> {
    row.get::<_, i64>(at).map(|m| Micros(m.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_valid_and_counted() {
        migrations().validate().expect("valid");
        let mut connection = Connection::open_in_memory().expect("memory");
        migrations().to_latest(&mut connection).expect("migrates");
        let version: i64 = connection.query_row("PRAGMA user_version", [], |r| r.get(0)).expect("version");
        assert_eq!(version, NEWEST);
    }

    #[test]
    fn a_newer_database_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().expect("dir");
        let home = Home::under(dir.path());
        home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
        drop(Store::open(&home).expect("opens"));
        let connection = Connection::open(home.database()).expect("raw");
        connection.pragma_update(None, "user_version", 99).expect("newer");
        drop(connection);
        let Err(error) = Store::open(&home) else { panic!("a newer database was opened") };
        assert!(error.to_string().contains("newer Loopwright"), "{error}");
    }

    #[test]
    fn a_damaged_database_is_named_and_left_alone() {
        let dir = tempfile::tempdir().expect("dir");
        let home = Home::under(dir.path());
        home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
        let damage = [b'x'; 4096];
        std::fs::write(home.database(), damage).expect("damaged");
        let refused = || {
            let Err(error) = Store::open(&home) else { panic!("a damaged database was opened") };
            assert!(error.to_string().contains("loopwright.db is damaged"), "{error:#}");
            error.downcast::<Damaged>().expect("that it is damaged").repair()
        };
        assert!(refused().contains("add your loops again"));
        for version in [2, 10] {
            std::fs::write(home.data.join(format!("loopwright.before-v{version}.db")), b"").expect("a backup");
        }
        assert!(refused().contains("loopwright.before-v10.db"), "the newest: {}", refused());
        assert_eq!(std::fs::read(home.database()).expect("reads"), damage);
    }

    #[test]
    fn many_processes_may_open_a_new_home_at_once() {
        let dir = tempfile::tempdir().expect("dir");
        let home = Home::under(dir.path());
        home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
        std::thread::scope(|scope| {
            let openers: Vec<_> = (0..20).map(|_| scope.spawn(|| Store::open(&home).map(drop))).collect();
            for opener in openers {
                opener.join().expect("a thread").expect("opens");
            }
        });
    }

    #[test]
    fn durability_is_full() {
        let dir = tempfile::tempdir().expect("dir");
        let home = Home::under(dir.path());
        home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
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
}

//! The store: one SQLite database that every process opens for itself; the only place with SQL.
//!
//! Writes go through BEGIN IMMEDIATE; journal and projections of an event are one transaction.
//! With each commit goes a seal over all rows, and the rows that changed go to the redo log: see `seal` and `redo`.
//! Only a store that is thrown away afterwards has neither: see `throw_away`.

pub mod adopt;
mod backup;
pub mod base_results;
mod damage;
pub mod desk;
pub mod due;
pub mod explained;
pub mod findings;
pub mod fleet;
pub mod history;
pub mod journal;
pub mod ledger;
pub mod loops;
pub mod news;
pub mod notices;
pub mod occurrences;
pub mod projection;
pub mod pull_requests;
mod redo;
pub mod repair;
pub mod reviews;
pub mod runs;
pub mod schedules;
mod seal;
pub mod simulated;
pub mod spending;
mod throw_away;
mod told;
mod wal;
pub mod watched_files;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use loopwright_core::money::Micros;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior};
use rusqlite_migration::{HookError, M, Migrations};
use serde::de::DeserializeOwned;

use self::redo::Record;
use self::seal::{Seal, Unsound, Watch};
use crate::fail;
use crate::home::{Home, private_dir};

pub use self::damage::{Damaged, Newer, says_damaged};
pub use self::throw_away::Killed;

/// The first SQLite without the WAL-reset corruption: 3.51.3.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How many statements stay prepared.
const STATEMENTS: usize = 64;

/// An open database.
pub struct Store {
    connection: Connection,
    changed: PathBuf,
    backups: PathBuf,
    // Made by the first write: whoever only reads needs none.
    watch: Option<Watch>,
    guarded: bool,
    // Of one that is thrown away: until its process is killed.
    commits_left: Option<u32>,
    opened: news::Opened,
}

/// The schema, step by step. A step that shipped is never edited; each one seals what it leaves, in its own transaction.
fn migrations() -> Migrations<'static> {
    let step = |(version, sql): (i64, &'static str)| {
        let seal = move |tx: &Transaction<'_>| {
            seal::anew(tx, version).map_err(|error| HookError::Hook(format!("{error:#}")))?;
            fail::point("migration-step");
            Ok(())
        };
        M::up_with_hook(sql, seal)
    };
    Migrations::new((1..).zip(STEPS).map(step).collect())
}

const STEPS: [&str; 5] = [
    include_str!("0001_first.sql"),
    include_str!("0002_steady.sql"),
    include_str!("0003_time.sql"),
    include_str!("0004_desktop.sql"),
    include_str!("0005_lookups.sql"),
];

impl Store {
    /// Opens (and makes or migrates) the database of a home.
    ///
    /// # Errors
    /// It can't be opened, is [`Damaged`], or was written by a newer program ([`Newer`]); nothing is changed then.
    pub fn open(home: &Home) -> Result<Store> {
        let path = home.database();
        if rusqlite::version_number() < OLDEST_SQLITE {
            bail!("this SQLite ({}) can damage its files; 3.51.3 is the oldest that is safe", rusqlite::version());
        }
        damage::look(home)?;
        let connection = Connection::open(&path).with_context(|| format!("opening the database {}", path.display()))?;
        connection.busy_handler(Some(wait_for_others))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let (changed, backups, opened) = (home.changed(), home.backups(), news::Opened::default());
        let mut store = Store { connection, changed, backups, watch: None, guarded: true, commits_left: None, opened };
        store.prepare(home).map_err(|error| match damage::says_damaged_at_opening(&error) {
            true => Damaged::of(&error, &path).into(),
            false => error,
        })?;
        store.opened = news::Opened::look(&path);
        Ok(store)
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
        if !self.guarded {
            return self.write_unguarded(act);
        }
        let (folder, watch) = (self.backups.clone(), self.watch()?);
        // What an act that failed had changed is no change.
        watch.take();
        let (value, follows) = self.write_through(|tx, seal| {
            let value = act(tx)?;
            let changes = watch.take();
            if changes.is_empty() {
                return Ok((value, true));
            }
            seal.take_in(&changes);
            seal.write(tx)?;
            let follows = backup::leads_to(&folder, seal.segment, seal.commits);
            redo::append(&folder, seal.segment, &Record::of(seal.commits, seal.state()?, changes)?, follows)?;
            Ok((value, follows))
        })?;
        if !follows {
            self.bridge(&folder);
        }
        Ok(value)
    }

    /// Makes a backup where the redo log has a gap. What can't be done now is tried again by the next commit.
    fn bridge(&mut self, folder: &Path) {
        if let Err(error) = backup::make(self, folder) {
            tracing::warn!("the redo log has a gap, and no backup was made: {error:#}");
        }
    }

    /// Makes a backup if the newest is older than a day; one that fails for want of room is made another time.
    ///
    /// # Errors
    /// The database is damaged.
    pub fn back_up(&mut self, home: &Home) -> Result<()> {
        backup::regular(self, home)
    }

    /// Makes a backup.
    ///
    /// # Errors
    /// It can't be written.
    pub fn back_up_now(&mut self, home: &Home) -> Result<()> {
        backup::make(self, &home.backups()).map(drop)
    }

    /// Looks at every page, row and index, and at every chain of the journal.
    ///
    /// # Errors
    /// Something is not what was written; the error says what.
    pub fn verify(&self) -> Result<()> {
        seal::verify(&self.connection)?;
        journal::verify(&self.connection)
    }

    /// One transaction on rows and seal, of which nobody hears what it changed.
    fn write_through<T>(&mut self, act: impl FnOnce(&Transaction<'_>, &mut Seal) -> Result<T>) -> Result<T> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .context("starting to write to the database")?;
        let mut seal = Seal::read(&transaction)?;
        let value = act(&transaction, &mut seal)?;
        transaction.commit().context("committing to the database")?;
        // Only a wake-up: whoever misses it looks again by itself. The number says that this commit must be there.
        let _ = told::tell(&self.changed, seal.commits);
        Ok(value)
    }

    fn watch(&mut self) -> Result<Watch> {
        if self.watch.is_none() {
            self.watch = Some(Watch::over(&self.connection)?);
        }
        self.watch.clone().context("watching the tables")
    }

    fn prepare(&mut self, home: &Home) -> Result<()> {
        use rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        let (path, db) = (home.database(), &self.connection);
        // Until it is known to be sound, closing it must not write into it either.
        db.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        for (name, value) in [("synchronous", "FULL"), ("foreign_keys", "ON"), ("temp_store", "MEMORY")] {
            db.pragma_update(None, name, value).with_context(|| format!("preparing {}", path.display()))?;
        }
        if version(db, &path)? != NEWEST {
            // One process brings it up to date; the others wait and find it done.
            let _held = lock_for_migration(&path)?;
            self.migrate(home)?;
        }
        damage::check(&self.connection, home)?;
        self.connection.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        Ok(())
    }

    fn migrate(&mut self, home: &Home) -> Result<()> {
        let (path, db) = (home.database(), &mut self.connection);
        let version = version(db, &path)?;
        if version == NEWEST {
            return Ok(());
        }
        if version == 0 && !backup::all(&home.backups()).is_empty() {
            bail!(Unsound("its tables are gone".to_owned()));
        }
        let sealed = db.table_exists(None, "sealed")?;
        if sealed && seal::verify(db)?.schema != version {
            bail!(Unsound(format!("it says format {version}, and its seal another")));
        }
        if version > 0 {
            private_dir(&home.backups())?;
            backup::copy(db, &home.backups().join(format!("before-v{NEWEST}.db")), sealed)?;
            fail::point("migration-backed-up");
        }
        db.pragma_update(None, "journal_mode", "WAL")?;
        migrations().to_latest(db).with_context(|| format!("bringing {} up to date", path.display()))?;
        backup::make(self, &home.backups()).map(drop)
    }
}

/// Waits while another process writes: a hundred times a millisecond, then in longer steps, five seconds in all.
/// A commit takes about as long as the first steps; SQLite's own ones grow to a hundred milliseconds.
fn wait_for_others(tries: i32) -> bool {
    let step = if tries < 100 { 1 } else { 5 };
    std::thread::sleep(Duration::from_millis(step));
    tries < 1080
}

/// Held by whoever brings the database up to date, or repairs it.
fn lock_for_migration(path: &Path) -> Result<File> {
    let lock = path.with_extension("migrating");
    let held = File::create(&lock).with_context(|| format!("creating {}", lock.display()))?;
    held.lock().with_context(|| format!("locking {}", lock.display()))?;
    Ok(held)
}

fn version(connection: &Connection, path: &Path) -> Result<i64> {
    connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .with_context(|| format!("reading {} (it may be damaged)", path.display()))
}

/// How many migrations there are: `user_version` of an up-to-date database.
const NEWEST: i64 = STEPS.len() as i64;

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
mod tests;
#[cfg(test)]
mod walks;

//! The seal: for each table how many rows it has and what their hashes add up to, kept with every commit, so that a bit that
//! turned over in a row's text is seen, which SQLite itself can't see.
//!
//! Which rows a transaction changed is heard from triggers of the connection alone; the same rows go to the redo log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::functions::FunctionFlags;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use sha2::{Digest, Sha256};

/// The content is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unsound(pub String);

/// One row that came or went; a row that changed went and came.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// Whether it came.
    pub came: bool,
    /// Its table.
    pub table: String,
    /// Its columns in their order.
    pub row: Vec<Value>,
}

/// Rows of a table, and the sum of their hashes.
type Sum = (i64, u128);

/// What the database's content comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seal {
    /// Commits since the first.
    pub commits: i64,
    /// Which redo log takes the commits.
    pub segment: i64,
    /// The format that it was written in.
    pub schema: i64,
    sums: BTreeMap<String, Sum>,
}

impl Seal {
    /// Reads the stored one.
    ///
    /// # Errors
    /// It is not there or was changed ([`Unsound`]).
    pub(super) fn read(db: &Connection) -> Result<Seal> {
        let sql = "SELECT commits, segment, schema, sums, own FROM sealed";
        let row = |r: &rusqlite::Row<'_>| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?, r.get(4)?));
        let found = db.prepare_cached(sql).and_then(|mut read| read.query_row([], row).optional());
        let found = found.context("reading the seal")?;
        let (commits, segment, schema, sums, own): (i64, i64, i64, String, String) =
            found.ok_or_else(|| Unsound("its seal is gone".to_owned()))?;
        let sums = serde_json::from_str(&sums).map_err(|_| Unsound("its seal is illegible".to_owned()))?;
        let seal = Seal { commits, segment, schema, sums };
        ensure!(seal.own()? == own, Unsound("its seal was changed".to_owned()));
        Ok(seal)
    }

    /// Takes in what a transaction changed, and counts it.
    pub(super) fn take_in(&mut self, changes: &[Change]) {
        for change in changes {
            let sum = self.sums.entry(change.table.clone()).or_default();
            let hash = hash(&change.table, change.row.iter().map(ValueRef::from));
            *sum = match change.came {
                true => (sum.0 + 1, sum.1.wrapping_add(hash)),
                false => (sum.0 - 1, sum.1.wrapping_sub(hash)),
            };
        }
        self.commits += 1;
    }

    /// Stores it.
    ///
    /// # Errors
    /// The row can't be written.
    pub(super) fn write(&self, tx: &Connection) -> Result<()> {
        let sums = serde_json::to_string(&self.sums)?;
        tx.prepare_cached("INSERT OR REPLACE INTO sealed VALUES (1, ?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.commits, self.segment, self.schema, sums, self.own()?])
            .context("writing the seal")?;
        Ok(())
    }

    /// The content in one word, wherever its redo log stands.
    ///
    /// # Errors
    /// It can't be written as JSON.
    pub(super) fn state(&self) -> Result<String> {
        let text = serde_json::to_string(&(self.commits, self.schema, &self.sums)).context("writing the seal")?;
        Ok(loopwright_core::hex(&Sha256::digest(text)))
    }

    /// What the rows of some tables come to: another one as soon as one of their rows is another.
    pub(super) fn sums_of(&self, tables: &[&str]) -> Vec<(i64, u128)> {
        tables.iter().map(|table| self.of(table)).collect()
    }

    fn own(&self) -> Result<String> {
        Ok(loopwright_core::hex(&Sha256::digest(format!("{} {}", self.segment, self.state()?))))
    }
}

/// Seals what is there in format `schema`, as a migration does in its own transaction; the count of commits goes on.
///
/// # Errors
/// The tables can't be read, or the seal not be written.
pub(super) fn anew(tx: &Transaction<'_>, schema: i64) -> Result<()> {
    if !tx.table_exists(None, "sealed")? {
        return Ok(());
    }
    // Before this the migration checked the seal that stood, so nothing damaged is sealed here.
    let before = tx.query_row("SELECT commits, segment FROM sealed", [], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
    let (commits, segment) = before.unwrap_or((0, 1));
    Seal { commits, segment, schema, sums: count(tx)? }.write(tx)
}

/// Whether the content is what was written: every table, every index, every row.
///
/// # Errors
/// It is not ([`Unsound`]), or it can't be read.
pub(super) fn verify(db: &Connection) -> Result<Seal> {
    let snapshot = db.unchecked_transaction().context("reading the database")?;
    sound(&snapshot)?;
    let seal = Seal::read(&snapshot)?;
    let counted = count(&snapshot)?;
    let other =
        counted.keys().chain(seal.sums.keys()).find(|t| seal.of(t) != counted.get(*t).copied().unwrap_or_default());
    match other {
        Some(table) => bail!(Unsound(format!("rows of the table {table} are not what was written"))),
        None => Ok(seal),
    }
}

/// Whether SQLite itself finds every page and every index in order.
///
/// # Errors
/// It does not ([`Unsound`]), or it can't be read.
pub(super) fn sound(db: &Connection) -> Result<()> {
    let said: String = db.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0)).context("checking the database")?;
    // SQLite puts a heading above it; a message of ours is one line.
    ensure!(said == "ok", Unsound(said.split_whitespace().collect::<Vec<_>>().join(" ")));
    Ok(())
}

impl Seal {
    fn of(&self, table: &str) -> Sum {
        self.sums.get(table).copied().unwrap_or_default()
    }
}

/// The tables that are sealed, with their columns.
pub(super) fn tables(db: &Connection) -> Result<Vec<(String, Vec<String>)>> {
    let sql = "SELECT m.name, json_group_array(c.name) FROM \
               (SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                AND name <> 'sealed' ORDER BY name) m, pragma_table_info(m.name) c GROUP BY m.name";
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map([], |r| Ok((r.get(0)?, super::json(r, 1)?)))?;
    found.collect::<Result<_, _>>().context("reading the schema")
}

fn count(db: &Connection) -> Result<BTreeMap<String, Sum>> {
    let mut sums = BTreeMap::new();
    for (table, columns) in tables(db)? {
        let mut rows = db.prepare_cached(&format!("SELECT {} FROM \"{table}\"", quoted("", &columns)))?;
        let mut found = rows.query([])?;
        let mut sum: Sum = (0, 0);
        while let Some(row) = found.next()? {
            let values: Vec<ValueRef<'_>> = (0..columns.len()).map(|at| row.get_ref(at)).collect::<Result<_, _>>()?;
            sum = (sum.0 + 1, sum.1.wrapping_add(hash(&table, values.into_iter())));
        }
        sums.insert(table, sum);
    }
    Ok(sums)
}

fn quoted(prefix: &str, columns: &[String]) -> String {
    columns.iter().map(|c| format!("{prefix}\"{c}\"")).collect::<Vec<_>>().join(", ")
}

fn hash<'v>(table: &str, row: impl Iterator<Item = ValueRef<'v>>) -> u128 {
    let mut all = Sha256::new();
    // Kinds and lengths keep the parts apart.
    let mut part = |kind: u8, bytes: &[u8]| {
        all.update([kind]);
        all.update(bytes.len().to_le_bytes());
        all.update(bytes);
    };
    part(0, table.as_bytes());
    for value in row {
        match value {
            ValueRef::Null => part(1, &[]),
            ValueRef::Integer(n) => part(2, &n.to_le_bytes()),
            ValueRef::Real(n) => part(3, &n.to_le_bytes()),
            ValueRef::Text(text) => part(4, text),
            ValueRef::Blob(bytes) => part(5, bytes),
        }
    }
    let mut first = [0; 16];
    first.copy_from_slice(&all.finalize()[..16]);
    u128::from_le_bytes(first)
}

/// Hears which rows a connection changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<Mutex<Vec<Change>>>);

impl Watch {
    /// Listens from now on; outside of a transaction.
    ///
    /// # Errors
    /// A trigger can't be made.
    pub(super) fn over(db: &Connection) -> Result<Watch> {
        let watch = Watch::default();
        let told = watch.clone();
        db.create_scalar_function("row_changed", -1, FunctionFlags::SQLITE_UTF8, move |call| {
            let row = (2..call.len()).map(|at| call.get(at)).collect::<Result<_, _>>()?;
            told.hold().push(Change { came: call.get(0)?, table: call.get(1)?, row });
            Ok(rusqlite::types::Null)
        })?;
        // A row that REPLACE pushes out is told too.
        db.pragma_update(None, "recursive_triggers", "ON")?;
        for (table, columns) in tables(db)? {
            db.execute_batch(&triggers(&table, &columns)).with_context(|| format!("watching the table {table}"))?;
        }
        Ok(watch)
    }

    /// What changed since the last call.
    pub(super) fn take(&self) -> Vec<Change> {
        std::mem::take(&mut self.hold())
    }

    fn hold(&self) -> std::sync::MutexGuard<'_, Vec<Change>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn triggers(table: &str, columns: &[String]) -> String {
    let (old, new) = (quoted("OLD.", columns), quoted("NEW.", columns));
    let went = format!("row_changed(0, '{table}', {old})");
    let came = format!("row_changed(1, '{table}', {new})");
    let trigger = |on: &str, told: &str| {
        format!("CREATE TEMP TRIGGER \"{table} {on}\" AFTER {on} ON main.\"{table}\" BEGIN SELECT {told}; END;\n")
    };
    trigger("INSERT", &came) + &trigger("DELETE", &went) + &trigger("UPDATE", &format!("{went}, {came}"))
}

//! A store that nobody needs afterwards: the same schema and the same statements, and nothing that guards against power cuts
//! and damage (no syncing, no seal, no redo log, no backups, nobody is told of a commit).

use anyhow::{Context as _, Result};
use rusqlite::{Connection, Transaction, TransactionBehavior};

use std::panic::resume_unwind;

use super::news::Opened;
use super::{NEWEST, STATEMENTS, Store, migrations, version, wait_for_others};
use crate::home::Home;

/// What unwinds out of a store whose process is killed.
#[derive(Debug)]
pub struct Killed;

impl Store {
    /// Opens (and makes) a database that is thrown away with its home: for simulations alone.
    ///
    /// # Errors
    /// It can't be opened or made.
    pub fn throw_away(home: &Home) -> Result<Store> {
        let path = home.database();
        let mut connection =
            Connection::open(&path).with_context(|| format!("opening the database {}", path.display()))?;
        connection.busy_handler(Some(wait_for_others))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        let settings =
            [("journal_mode", "WAL"), ("synchronous", "OFF"), ("foreign_keys", "ON"), ("temp_store", "MEMORY")];
        for (name, value) in settings {
            connection.pragma_update(None, name, value).with_context(|| format!("preparing {}", path.display()))?;
        }
        if version(&connection, &path)? != NEWEST {
            migrations().to_latest(&mut connection).with_context(|| format!("making {}", path.display()))?;
        }
        let (changed, backups, opened) = (home.changed(), home.backups(), Opened::look(&path));
        Ok(Store { connection, changed, backups, watch: None, guarded: false, commits_left: None, opened })
    }

    /// Whoever works with it is killed right after so many commits: [`Killed`] unwinds then. None = never.
    pub fn kill_after(&mut self, commits: Option<u32>) {
        self.commits_left = commits;
    }

    /// How many commits are left.
    pub fn commits_left(&self) -> Option<u32> {
        self.commits_left
    }

    /// One transaction that nothing is kept of but its rows.
    pub(super) fn write_unguarded<T>(&mut self, act: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .context("starting to write to the database")?;
        let value = act(&transaction)?;
        transaction.commit().context("committing to the database")?;
        if let Some(left) = &mut self.commits_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                resume_unwind(Box::new(Killed));
            }
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::journal;

    #[test]
    fn what_was_committed_is_there_after_it_was_opened_again_and_nothing_guards_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::under(folder.path());
        home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
        let mut store = Store::throw_away(&home).expect("opens");
        store.write(|tx| journal::append(tx, "run/x", "{}")).expect("written");
        let lost: Result<()> = store.write(|tx| {
            journal::append(tx, "run/x", "{}")?;
            anyhow::bail!("killed")
        });
        lost.expect_err("rolled back");
        drop(store);
        let store = Store::throw_away(&home).expect("opens again");
        assert_eq!(journal::after(store.read(), "run/x", 0).expect("read").len(), 1);
        assert!(!home.backups().exists() && !home.changed().exists());
    }
}

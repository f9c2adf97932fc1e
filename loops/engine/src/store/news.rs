//! What a process that keeps the database open must know of the others: whether they wrote, whether that concerns the
//! scheduler, and whether the file is still the one that was opened.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::seal::Seal;
use super::{NEWEST, Store, version};
use crate::home::Home;
use crate::os;

/// The tables that a scheduler goes by; what a run writes in each of its steps is in none of them.
const CONCERN: [&str; 5] = ["loops", "schedules", "occurrences", "pull_requests", "watched_files"];

/// The file that was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Opened(Option<(u64, u64)>);

/// What those tables hold, in a form that is another one as soon as any of their rows is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concerns(Vec<(i64, u128)>);

impl Opened {
    pub(super) fn look(path: &Path) -> Opened {
        Opened(path.metadata().ok().map(|file| os::seen(&file)).map(|seen| (seen.device, seen.number)))
    }
}

impl Store {
    /// Changes with every commit of another connection, and with none of its own.
    ///
    /// # Errors
    /// The database can't be read.
    pub fn foreign(&self) -> Result<i64> {
        self.connection.query_row("PRAGMA data_version", [], |r| r.get(0)).context("asking for news of the database")
    }

    /// What the scheduler goes by.
    ///
    /// # Errors
    /// The seal can't be read.
    pub fn concerns(&self) -> Result<Concerns> {
        Ok(Concerns(Seal::read(&self.connection)?.sums_of(&CONCERN)))
    }

    /// Whether its file is still the database of this home, in the format that this program knows: a repair puts another one
    /// in its place, a newer program brings it to its own format.
    pub fn is_current(&self, home: &Home) -> bool {
        let path = home.database();
        self.opened == Opened::look(&path) && version(&self.connection, &path).is_ok_and(|version| version == NEWEST)
    }

    /// Gives back the memory that nothing needs until the next question.
    pub fn rest(&self) {
        // It only takes longer without.
        let _ = self.connection.execute_batch("PRAGMA shrink_memory");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::under(folder.path());
        home.create(chrono::DateTime::UNIX_EPOCH).expect("home");
        (folder, home)
    }

    #[test]
    fn others_are_heard_and_only_what_concerns_counts() {
        let (_folder, home) = home();
        let (mut own, mut other) = (Store::open(&home).expect("opens"), Store::open(&home).expect("opens"));
        let (foreign, concerns) = (own.foreign().expect("asked"), own.concerns().expect("asked"));
        own.write(|tx| super::super::journal::append(tx, "run/x", "{}")).expect("written");
        assert_eq!(own.foreign().expect("asked"), foreign, "its own commit is no news");
        other.write(|tx| super::super::journal::append(tx, "run/x", "{}")).expect("written");
        assert_ne!(own.foreign().expect("asked"), foreign);
        assert_eq!(own.concerns().expect("asked"), concerns, "a step of a run");
        let rows = "INSERT INTO repos VALUES ('r', '/r');
            INSERT INTO loops (id, name, path, repo, mode, hash, added_at) VALUES ('l', 'n', '/l', 'r', 'ship', 'h', '');";
        other.write(|tx| Ok(tx.execute_batch(rows)?)).expect("written");
        let added = own.concerns().expect("asked");
        assert_ne!(added, concerns);
        let paused = "UPDATE loops SET paused_at = '2026-11-22T09:30:00.000Z'";
        other.write(|tx| Ok(tx.execute_batch(paused)?)).expect("written");
        assert_ne!(own.concerns().expect("asked"), added, "a row that is another one");
    }

    #[test]
    fn another_file_in_its_place_is_noticed() {
        let (_folder, home) = home();
        let store = Store::open(&home).expect("opens");
        assert!(store.is_current(&home));
        store.rest();
        let path = home.database();
        std::fs::copy(&path, path.with_extension("aside")).expect("copied");
        std::fs::rename(path.with_extension("aside"), &path).expect("put in its place");
        assert!(!store.is_current(&home));
    }
}

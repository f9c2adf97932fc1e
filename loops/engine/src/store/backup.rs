//! Backups: whole, checked copies of the database in `backups/`, before each migration and once a day; the newest are kept,
//! with the redo logs that lead on from the oldest of them.
//!
//! Going back to one is `repair`'s.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use rusqlite::{Connection, OpenFlags};

use super::seal::{self, Seal};
use super::{Store, redo, says_damaged};
use crate::home::{Home, private_dir};

/// How many are kept, apart from those before a migration.
const KEPT: usize = 3;

/// How old the newest may be.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// Makes a backup if the newest is older than a day, or the redo log lost its end in a power cut.
/// What can't be done now is done another time: it is logged.
///
/// # Errors
/// The database is damaged.
pub(super) fn regular(store: &mut Store, home: &Home) -> Result<()> {
    let due = is_due(store, &home.backups());
    match due.and_then(|due| if due { make(store, &home.backups()).map(drop) } else { Ok(()) }) {
        Err(error) if says_damaged(&error) => Err(error),
        Err(error) => {
            tracing::warn!("no backup was made: {error:#}");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

fn is_due(store: &Store, folder: &Path) -> Result<bool> {
    let Some((_, newest)) = numbered(folder)?.pop() else { return Ok(true) };
    let made =
        fs::metadata(&newest).and_then(|m| m.modified()).with_context(|| format!("looking at {}", newest.display()))?;
    // A clock that was set back makes one too many rather than none.
    let old = SystemTime::now().duration_since(made).map_or(true, |age| age > EVERY);
    Ok(old || logged(folder)? < Seal::read(store.read())?.commits)
}

/// Whether the redo log `segment` leads up to the commit before number `next`, so that its record follows without a gap.
pub(super) fn leads_to(folder: &Path, segment: i64, next: i64) -> bool {
    // A record of `next` itself was written for a commit that failed.
    let follows = |n: i64| n + 1 >= next;
    redo::last(folder, segment).map_or_else(|| logged(folder).is_ok_and(follows), follows)
}

/// The last commit that backups and redo logs hold.
fn logged(folder: &Path) -> Result<i64> {
    let log = redo::files(folder)?.pop();
    let backup = numbered(folder)?.pop();
    // The log before the newest backup may go on after it; a log that is there and has no whole end may have lost it.
    let last = log.as_ref().and_then(|(segment, _)| redo::last(folder, *segment)).unwrap_or_default();
    let Some((number, backup)) = backup else { return Ok(last) };
    if log.is_some_and(|(segment, _)| segment >= number) {
        return Ok(last);
    }
    // A backup that is damaged holds nothing: then another one is due.
    let held = read_only(&backup).and_then(|db| Seal::read(&db)).map_or(0, |seal| seal.commits);
    Ok(last.max(held))
}

/// Makes a backup, and lets the commits from now on go to a redo log of their own. Returns where it is.
///
/// # Errors
/// The database is damaged, or the backup can't be written; the older ones are as they were.
pub(super) fn make(store: &mut Store, folder: &Path) -> Result<PathBuf> {
    private_dir(folder)?;
    let lock = folder.join("lock");
    let held = File::create(&lock).with_context(|| format!("creating {}", lock.display()))?;
    held.lock().with_context(|| format!("locking {}", lock.display()))?;
    let newest = |found: Vec<(i64, PathBuf)>| found.last().map_or(0, |(number, _)| *number);
    let number = newest(numbered(folder)?).max(newest(redo::files(folder)?)) + 1;
    let path = folder.join(format!("{number:06}.db"));
    // The indexes too, which the copy has anew.
    seal::verify(store.read()).context("checking the database before its backup")?;
    copy(store.read(), &path, true)?;
    store.write_through(|tx, seal| {
        seal.segment = number;
        seal.write(tx)
    })?;
    prune(folder)?;
    Ok(path)
}

/// A checked copy under another name, then renamed: whole or absent. Before the first seal there is none to check.
pub(super) fn copy(db: &Connection, to: &Path, sealed: bool) -> Result<()> {
    let fresh = to.with_extension("new");
    remove_if_there(&fresh)?;
    let target = fresh.to_str().context("the data folder's path is not UTF-8")?;
    db.execute("VACUUM INTO ?1", [target]).with_context(|| format!("backing up to {target}"))?;
    let copied = read_only(&fresh)?;
    match sealed {
        true => seal::verify(&copied).map(drop),
        false => seal::sound(&copied),
    }
    .with_context(|| format!("checking the backup {target}"))?;
    drop(copied);
    sync(&fresh)?;
    fs::rename(&fresh, to).with_context(|| format!("keeping the backup {}", to.display()))?;
    sync(to.parent().unwrap_or(to))
}

/// Syncs a file or a folder to the disk.
pub(super) fn sync(path: &Path) -> Result<()> {
    File::open(path).and_then(|f| f.sync_all()).with_context(|| format!("syncing {}", path.display()))
}

/// Removes a file unless there is none.
pub(super) fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Opens a file that is read and never written.
pub(super) fn read_only(path: &Path) -> Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("opening {}", path.display()))
}

/// Every backup, those before a migration too.
pub(super) fn all(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> =
        entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "db")).collect();
    found.sort();
    found
}

/// The regular backups by their numbers.
fn numbered(folder: &Path) -> Result<Vec<(i64, PathBuf)>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let name = |path: &PathBuf| path.file_stem()?.to_str()?.parse().ok();
    Ok(all(folder).into_iter().filter_map(|path| Some((name(&path)?, path))).collect())
}

/// Removes the backups that are too many, and the logs from before the oldest that is kept.
fn prune(folder: &Path) -> Result<()> {
    let found = numbered(folder)?;
    let Some((oldest, _)) = found.get(found.len().saturating_sub(KEPT)) else { return Ok(()) };
    let logs = redo::files(folder)?;
    // The log before it may hold commits that came while the copy was made.
    let needed = logs.iter().map(|(n, _)| *n).filter(|n| n < oldest).max().unwrap_or(*oldest);
    let old = found.iter().filter(|(n, _)| n < oldest).chain(logs.iter().filter(|(n, _)| *n < needed));
    for (_, path) in old {
        remove_if_there(path)?;
    }
    Ok(())
}

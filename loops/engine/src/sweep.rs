//! Sweeps what nobody owns: what processes that died left in the trash, half made, or named in a repository without a row.
//!
//! What is live is told by rows and locks, never by age alone; the age only keeps away from what is being made at this moment.
//! Workspaces are the reconcile pass's.

use std::fs::{self, DirEntry};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use loopwright_core::ids::{PullRequestId, RepoId, RunId};
use loopwright_core::lease;
use uuid::Uuid;

use crate::ending;
use crate::git::heads::is_absent;
use crate::git::{Owner, Repos};
use crate::home::Home;
use crate::os;
use crate::store::{Store, occurrences, pull_requests, runs};

/// How long what was moved to the trash may take to be deleted by whoever moved it.
const DELETED_WITHIN: Duration = Duration::hours(1);
/// How long making anything may take.
const MADE_WITHIN: Duration = Duration::days(1);
/// How long writing a bundle may take; longer than its limit.
const EXPORTED_WITHIN: Duration = Duration::minutes(10);
/// How long what was rescued is kept.
const RESCUED_FOR: Duration = Duration::days(30);

/// How much was swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    /// Entries of the trash.
    pub(crate) trash: usize,
    /// Directories of runs that never were.
    pub(crate) runs: usize,
    /// Dependencies and repositories that were half made.
    pub(crate) half_made: usize,
    /// Refs of the engine's repositories that no row knows.
    pub(crate) refs: usize,
}

impl Swept {
    /// A line each, for people.
    pub(crate) fn lines(self) -> Vec<String> {
        let line =
            |n: usize, one: &str, many: &str| (n > 0).then(|| format!("{n} {}", if n == 1 { one } else { many }));
        [
            line(self.trash, "removed workspace", "removed workspaces"),
            line(self.runs, "directory of a run that never began", "directories of runs that never began"),
            line(self.half_made, "half-made folder", "half-made folders"),
            line(self.refs, "ref that no run knows", "refs that no run knows"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Sweeps a home; what can't be swept is left for the next time.
///
/// # Errors
/// The store or a folder can't be read.
pub(crate) fn sweep(home: &Home, store: &Store, now: DateTime<Utc>) -> Result<Swept> {
    let (trash_before, made_before) = (now - DELETED_WITHIN, now - MADE_WITHIN);
    let making = |entry: &DirEntry| entry.file_name().to_string_lossy().starts_with("making-");
    let new = |entry: &DirEntry| entry.file_name().to_string_lossy().contains(".new-");
    let mut swept = Swept {
        trash: remove(&home.trash(), trash_before, |_| Ok(true))?,
        runs: remove(&home.runs(), made_before, |entry| is_nobodys(home, store, entry))?,
        half_made: remove(&home.cache.join("prepared"), made_before, |entry| Ok(making(entry)))?,
        refs: 0,
    };
    for repo in entries(&home.data.join("repos"))? {
        swept.half_made += remove(&repo.path(), made_before, |entry| Ok(new(entry)))?;
        if let Some(id) = repo.file_name().to_str().and_then(|name| name.parse::<RepoId>().ok()) {
            swept.refs += refs(&Repos::open(&home.data, id)?, store, now)?;
        }
    }
    Ok(swept)
}

/// Whether this is the directory of a run that neither has begun nor can begin any more. One that holds work is kept, even
/// where no row knows it: the database may be an older one.
fn is_nobodys(home: &Home, store: &Store, entry: &DirEntry) -> Result<bool> {
    let Some(run) = entry.file_name().to_str().and_then(|name| name.parse::<RunId>().ok()) else { return Ok(false) };
    let known = runs::by_id(store.read(), run)?.is_some();
    // What can't be read is taken for work.
    let holds = |name: &str| match fs::read_dir(entry.path().join(name)) {
        Ok(mut found) => found.next().is_some(),
        Err(error) => !is_absent(&error),
    };
    let worked = [lease::RAW, lease::EVIDENCE, lease::RECORD].into_iter().any(holds);
    Ok(!known && !worked && !occurrences::is_claimed(store.read(), run)? && !ending::lives(&home.run(run)))
}

/// Takes away the refs whose owner has no row (they are rescued), and deletes what was rescued long ago.
fn refs(repos: &Repos, store: &Store, now: DateTime<Utc>) -> Result<usize> {
    let old = |id: Uuid, age: Duration| made_at(id).is_some_and(|at| at < now - age);
    let is_gone = |owner| {
        Ok(match owner {
            Owner::Attempt(id) => old(id, MADE_WITHIN) && !runs::knows_attempt(store.read(), id)?,
            // It is opened under the id of its attempt, and has its own row only afterwards.
            Owner::PullRequest(id) => {
                let known = pull_requests::by_id(store.read(), PullRequestId(id))?.is_some();
                old(id, MADE_WITHIN) && !known && !runs::knows_attempt(store.read(), id)?
            }
            Owner::Export(id) => old(id, EXPORTED_WITHIN),
            Owner::Rescue(id) => old(id, RESCUED_FOR),
        })
    };
    repos.sweep_refs(is_gone, Uuid::now_v7)
}

/// When an id was made; none for one that does not say.
fn made_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanoseconds)
}

/// Removes the entries of a folder that were last changed before `before` and are `unowned`; links are not followed.
fn remove(folder: &Path, before: DateTime<Utc>, unowned: impl Fn(&DirEntry) -> Result<bool>) -> Result<usize> {
    let mut removed = 0;
    for entry in entries(folder)? {
        let Ok(seen) = entry.metadata() else { continue };
        // Moving a folder changes this time of it, and nothing can set it back.
        let old = DateTime::from_timestamp(os::seen(&seen).changed.0, 0).is_some_and(|at| at < before);
        if !old || !unowned(&entry)? {
            continue;
        }
        let gone = if seen.is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        match gone {
            Ok(()) => removed += 1,
            Err(error) => tracing::info!("{} stays: {error}", entry.path().display()),
        }
    }
    Ok(removed)
}

/// What a folder holds; nothing if there is none.
fn entries(folder: &Path) -> Result<Vec<DirEntry>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let found = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    found.collect::<Result<_, _>>().with_context(|| format!("reading {}", folder.display()))
}

#[cfg(test)]
mod tests;

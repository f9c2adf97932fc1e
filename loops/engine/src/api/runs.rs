//! `runs`, `show`, `logs`: what runs did.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result as AnyResult;
use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_core::run::{Entry, Outcome, RunEvent};

use super::{ApiError, Context, PullRequestRow, RunRow, RunView, only_one, reviews};
use crate::os;
use crate::store::runs::{self as stored, RunRecord};
use crate::store::{Store, findings, journal, loops, projection, pull_requests};

/// The newest runs, of one loop or of all.
///
/// # Errors
/// There is no such loop, or the store can't be read.
pub fn runs(context: &Context, loop_name: Option<&str>, limit: u32) -> Result<Vec<RunRow>, ApiError> {
    let store = context.store()?;
    let id = match loop_name {
        Some(name) => match loops::by_name(store.read(), name)? {
            Some(row) => Some(row.id),
            None => return Err(ApiError::new(exit::USAGE, format!("no loop named {name}"))),
        },
        None => None,
    };
    Ok(stored::newest(store.read(), id, limit)?.iter().map(row).collect())
}

/// One run with its journal; `typed` is its id, the end of it, or `last`.
///
/// # Errors
/// There is no such run, or its journal can't be read.
pub fn show(context: &Context, typed: &str) -> Result<RunView, ApiError> {
    let store = context.store()?;
    let id = find(&store, typed)?;
    let journal: Vec<Entry> = projection::entries(store.read(), id, 0)?.into_iter().map(|(_, e)| e).collect();
    let titles = match journal.first().map(|e| &e.event) {
        Some(RunEvent::RunStarted(start)) => findings::of_loop(store.read(), start.loop_id)?,
        _ => Vec::new(),
    };
    Ok(RunView {
        row: row_of(&store, id)?,
        titles: titles.into_iter().map(|k| (k.finding.fingerprint.short().to_owned(), k.finding.title)).collect(),
        pull_requests: shown(&store, &journal)?,
        journal,
        intact: journal::intact(store.read(), &stored::stream(id))?,
    })
}

/// The pull requests that a run opened or worked on again, as they stand now.
pub(super) fn shown(store: &Store, journal: &[Entry]) -> AnyResult<Vec<PullRequestRow>> {
    let shipped = journal.iter().filter_map(|entry| match &entry.event {
        RunEvent::StepFinished { id, outcome: Outcome::Shipped(shipped) } => Some(shipped.id(*id)),
        _ => None,
    });
    let records: Vec<_> = shipped.map(|id| pull_requests::by_id(store.read(), id)).collect::<AnyResult<_>>()?;
    records.iter().flatten().map(|record| reviews::row(store, record)).collect()
}

/// The row of a run.
///
/// # Errors
/// There is no such run, or the store can't be read.
pub fn run_row(context: &Context, run: RunId) -> Result<RunRow, ApiError> {
    Ok(row_of(&context.store()?, run)?)
}

/// The events of a run after number `seq`, with their numbers.
///
/// # Errors
/// The journal can't be read.
pub fn journal_after(context: &Context, run: RunId, seq: u64) -> Result<Vec<(u64, Entry)>, ApiError> {
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let entries = projection::entries(context.store()?.read(), run, after)?;
    Ok(entries.into_iter().map(|(seq, entry)| (seq.unsigned_abs(), entry)).collect())
}

/// The raw streams of a run: name and file. Links and what a box has built are none.
///
/// # Errors
/// There is no such run.
pub fn log_files(context: &Context, typed: &str) -> Result<Vec<(String, PathBuf)>, ApiError> {
    Ok(logs_in(&context.home.run(find(&context.store()?, typed)?)))
}

/// The same of a run's folder.
pub(super) fn logs_in(dir: &Path) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    let raw = dir.join(loopwright_core::lease::RAW);
    if kind(&raw).is_some_and(|kind| kind.is_dir()) {
        collect(&raw, "", &mut files);
    }
    for name in [crate::launch::OUT, crate::launch::ERR] {
        let path = dir.join(name);
        if kind(&path).is_some_and(|kind| kind.is_file()) {
            files.push((name.to_owned(), path));
        }
    }
    files.sort();
    files
}

/// Opens a raw stream. A link that took its place since it was listed is not followed, and a pipe not waited for.
///
/// # Errors
/// It is no plain file, or can't be read.
pub fn open_log(path: &Path) -> io::Result<File> {
    let file = os::open_unlinked(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no plain file")) }
}

/// What stands there itself, not what it links to.
fn kind(path: &Path) -> Option<fs::FileType> {
    fs::symlink_metadata(path).ok().map(|seen| seen.file_type())
}

fn collect(dir: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        // A box may write there.
        if entry.file_name() == crate::agent::fixer::PRODUCTS {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), &format!("{name}/"), files),
            Ok(kind) if kind.is_file() => files.push((name, entry.path())),
            _ => {}
        }
    }
}

pub(super) fn find(store: &Store, typed: &str) -> Result<RunId, ApiError> {
    if typed == "last" {
        let newest = stored::newest(store.read(), None, 1)?;
        return newest.first().map(|r| r.id).ok_or_else(|| ApiError::new(exit::USAGE, "no loop has run yet"));
    }
    only_one(&stored::matching(store.read(), typed)?, "run", typed, "loopwright runs")
}

pub(super) fn row_of(store: &Store, id: RunId) -> AnyResult<RunRow> {
    let record = stored::by_id(store.read(), id)?;
    record.as_ref().map(row).ok_or_else(|| anyhow::anyhow!("run {} has not begun", id.short()))
}

pub(super) fn row(r: &RunRecord) -> RunRow {
    RunRow {
        id: r.id,
        short: r.id.short(),
        loop_name: r.loop_name.clone(),
        cause: r.cause.clone(),
        started: r.started_at.clone(),
        ended: r.ended_at.clone(),
        end: r.end.clone(),
        pull_requests: r.pull_requests,
        handed_over: r.handed_over,
        acted: r.acted,
        spent: r.spent,
        budget: r.budget,
        code: r.code,
        chores: r.chores,
        parked: r.parked.clone(),
        parked_until: r.parked_until.clone(),
        last_steps: r.last_steps.clone(),
    }
}

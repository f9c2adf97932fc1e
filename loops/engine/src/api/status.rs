//! `status` and `next`: all at a glance.

use anyhow::Result as AnyResult;
use chrono::SecondsFormat;
use loopwright_core::definition::{Trigger, read_bytes};
use loopwright_core::finding::FindingState;
use loopwright_core::schedule;

use super::{ApiError, Context, FindingRow, LoopView, StatusView, reviews, runs};
use crate::halt::HaltFiles;
use crate::store::loops::LoopRow;
use crate::store::{Store, findings, loops as stored, pull_requests, runs as stored_runs};

/// How many of the next times are told.
const NEXT: usize = 5;

/// All registered loops.
///
/// # Errors
/// The store can't be read.
pub fn loops(context: &Context) -> Result<Vec<LoopView>, ApiError> {
    let store = context.store()?;
    let rows = stored::all(store.read())?;
    rows.iter().map(|row| Ok(loop_view(context, &store, row)?)).collect()
}

/// Everything that runs, waits or is halted.
///
/// # Errors
/// The store can't be read.
pub fn status(context: &Context) -> Result<StatusView, ApiError> {
    let store = context.acting()?;
    let db = store.read();
    let running = stored_runs::live(db)?;
    let waiting = pull_requests::list(db, false)?;
    let mut needs_you = Vec::new();
    for row in stored::all(db)? {
        let known = findings::of_loop(db, row.id)?.into_iter();
        needs_you.extend(known.filter(|k| matches!(k.state, FindingState::NeedsYou { .. })).map(|k| FindingRow {
            short: k.finding.fingerprint.short().to_owned(),
            loop_name: row.name.clone(),
            title: k.finding.title,
            state: k.state,
        }));
    }
    Ok(StatusView {
        halted: HaltFiles::of_all(&context.home.state).look().map(|cause| cause.to_string()),
        loops: loops(context)?,
        running: running.iter().map(runs::row).collect(),
        waiting: waiting.iter().map(|p| reviews::row(&store, p)).collect::<AnyResult<_>>()?,
        needs_you,
    })
}

/// A loop with its next times; its file is read as it is now.
pub(super) fn loop_view(context: &Context, store: &Store, row: &LoopRow) -> AnyResult<LoopView> {
    let text = std::fs::read(&row.path).unwrap_or_default();
    let definition = read_bytes(&text).definition;
    let (words, next) = match definition.as_ref().map(|d| (&d.trigger, d.zone.unwrap_or(context.zone))) {
        None => ("its file can't be read".to_owned(), Vec::new()),
        Some((Trigger::Manual, _)) => ("by hand".to_owned(), Vec::new()),
        Some((Trigger::Cron(expression), zone)) => {
            let times = schedule::next_times(expression, zone, context.now, NEXT);
            let texts = times.iter().map(|t| t.to_rfc3339_opts(SecondsFormat::Secs, false)).collect();
            (schedule::words(expression), texts)
        }
    };
    let last = stored_runs::newest(store.read(), Some(row.id), 1)?;
    Ok(LoopView {
        id: row.id,
        name: row.name.clone(),
        path: row.path.display().to_string(),
        repo: row.repo_path.display().to_string(),
        mode: row.mode,
        hash: row.hash.clone(),
        schedule: words,
        next,
        last: last.first().map(runs::row),
    })
}

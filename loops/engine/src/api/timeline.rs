//! One run as a timeline, and how the runs that live get on.
//!
//! The words are `core::story`'s; its logs are in [`super::run_logs`].

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result as AnyResult;
use chrono::{DateTime, Utc};
use loopwright_core::definition::read_bytes;
use loopwright_core::ids::RunId;
use loopwright_core::money::Micros;
use loopwright_core::run::{Entry, RunEvent, RunStart, Step};
use loopwright_core::story::{self, TimelineStep};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::{ApiError, Context, HistoryRow, LogFile, PullRequestRow, history, run_logs, runs};
use crate::sandbox::log;
use crate::store::runs::stream;
use crate::store::{Store, findings, journal, loops, projection, runs as stored};

/// One run with its steps.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TimelineView {
    /// Its row of the history.
    pub row: HistoryRow,
    /// Its steps, the oldest first, and those that follow.
    pub steps: Vec<TimelineStep>,
    /// What else a reader should know, a sentence each.
    pub notes: Vec<String>,
    /// How it gets on; none once it ended, or is parked.
    pub live: Option<LiveRun>,
    /// The pull requests that it opened or worked on again, as they stand now.
    pub pull_requests: Vec<PullRequestRow>,
    /// What its agents and gates wrote.
    pub logs: Vec<LogFile>,
    /// Whether the chain of hashes of its journal holds.
    pub intact: bool,
}

/// How a run that lives gets on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LiveRun {
    /// Which.
    pub run: RunId,
    /// What it does, in a word: `building`.
    pub phase: String,
    /// When it last did or said something: `last event 4 s ago: cargo test`.
    pub pulse: String,
    /// Charged so far.
    pub spent: Micros,
}

/// One run as a timeline; `typed` is its id, the end of it, or `last`.
///
/// # Errors
/// There is no such run, or its journal can't be read.
pub fn timeline(context: &Context, typed: &str) -> Result<TimelineView, ApiError> {
    let store = context.store()?;
    let id = runs::find(&store, typed)?;
    let entries = entries(&store, id)?;
    let titles = match entries.first().map(|entry| &entry.event) {
        Some(RunEvent::RunStarted(start)) => findings::of_loop(store.read(), start.loop_id)?,
        _ => Vec::new(),
    };
    let titles = titles.into_iter().map(|k| (k.finding.fingerprint.short().to_owned(), k.finding.title)).collect();
    let mut row = history::row_of_run(context, &store, id)?;
    let live = (row.ended.is_none() && !parked(&entries)).then(|| get_on(context, &store, id, &entries, row.spent));
    if let Some(live) = &live {
        row.words.clone_from(&live.phase);
    }
    Ok(TimelineView {
        row,
        steps: story::timeline(&entries, &titles),
        notes: entries.iter().filter_map(noted).collect(),
        live,
        pull_requests: runs::shown(&store, &entries)?,
        logs: run_logs::files(&context.home.run(id)),
        intact: journal::intact(store.read(), &stream(id))?,
    })
}

/// How the runs that live get on.
///
/// # Errors
/// The store can't be read.
pub fn live(context: &Context) -> Result<Vec<LiveRun>, ApiError> {
    let store = context.store()?;
    let live = stored::live(store.read())?.into_iter().filter(|record| record.parked.is_none());
    let told = live.map(|record| {
        let entries = entries(&store, record.id)?;
        Ok(get_on(context, &store, record.id, &entries, Some(record.spent)))
    });
    Ok(told.collect::<AnyResult<_>>()?)
}

fn entries(store: &Store, id: RunId) -> AnyResult<Vec<Entry>> {
    Ok(projection::entries(store.read(), id, 0)?.into_iter().map(|(_, entry)| entry).collect())
}

fn parked(entries: &[Entry]) -> bool {
    matches!(entries.last().map(|entry| &entry.event), Some(RunEvent::Parked { .. }))
}

fn noted(entry: &Entry) -> Option<String> {
    match &entry.event {
        RunEvent::Noted { text, .. } => Some(loopwright_core::triage::plain(text, 300)),
        _ => None,
    }
}

fn get_on(context: &Context, store: &Store, run: RunId, entries: &[Entry], spent: Option<Micros>) -> LiveRun {
    let open = open_step(entries);
    let heard = entries.last().and_then(|entry| entry.at.parse::<DateTime<Utc>>().ok());
    let written = run_logs::newest(&context.home.run(run));
    let said_at = written.as_ref().map(|(at, _)| moment(*at)).filter(|at| heard.is_none_or(|heard| *at > heard));
    let said = written.filter(|_| said_at.is_some()).and_then(|(_, path)| log::last_line(&path));
    let ago = [heard, said_at].into_iter().flatten().max().map_or(0, |at| (context.now - at).num_seconds());
    let idle = open.and_then(|step| idle(store, entries, step));
    LiveRun {
        run,
        phase: open.map_or_else(|| "deciding".to_owned(), |step| story::phase(step).to_owned()),
        pulse: story::pulse(u64::try_from(ago).unwrap_or(0), said.as_deref(), idle),
        spent: spent.unwrap_or_default(),
    }
}

/// The step that began last and goes on.
fn open_step(entries: &[Entry]) -> Option<&Step> {
    let mut open: Vec<(uuid::Uuid, &Step)> = Vec::new();
    for entry in entries {
        match &entry.event {
            RunEvent::StepStarted { step, id } => open.push((*id, step)),
            RunEvent::StepFinished { id, .. } | RunEvent::StepFailed { id, .. } => open.retain(|(of, _)| of != id),
            RunEvent::RunStarted(_) | RunEvent::Ending { .. } | RunEvent::RunEnded { .. } => open.clear(),
            RunEvent::Noted { .. } | RunEvent::Parked { .. } => {}
        }
    }
    open.last().map(|(_, step)| *step)
}

/// After how many seconds of silence an agent is ended, if the loop file still is the one that the run goes by.
fn idle(store: &Store, entries: &[Entry], step: &Step) -> Option<u64> {
    let start = entries.iter().rev().find_map(|entry| match &entry.event {
        RunEvent::RunStarted(start) => Some(start),
        _ => None,
    })?;
    let agent = agent(start, step)?;
    let row = loops::by_id(store.read(), start.loop_id).ok()?;
    let text = std::fs::read(&row.path).ok()?;
    if loopwright_core::hex(&Sha256::digest(&text)) != start.definition {
        return None;
    }
    read_bytes(&text).definition?.agents.get(agent).map(|spec| spec.idle_s)
}

fn agent<'a>(start: &'a RunStart, step: &Step) -> Option<&'a str> {
    match step {
        Step::Build { .. } => Some(&start.maker.name),
        Step::Verify { .. } => start.checker.as_ref().map(|checker| checker.name.as_str()),
        _ => None,
    }
}

fn moment(at: SystemTime) -> DateTime<Utc> {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    DateTime::from_timestamp(i64::try_from(since.as_secs()).unwrap_or(0), since.subsec_nanos()).unwrap_or_default()
}

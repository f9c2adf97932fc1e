//! The history: every due time and every event of all loops is a row, whatever became of it.
//!
//! Its words are `core::history`'s; the whole answer on one row is [`super::why`]'s.

use std::ops::ControlFlow;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use loopwright_core::exit;
use loopwright_core::history::{Came, RunFacts, brief};
use loopwright_core::ids::{OccurrenceId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::story::Mark;
use serde::{Deserialize, Serialize};

use super::{ApiError, Context, RunRow, run};
use crate::store::Store;
use crate::store::history::{self as stored, Record, Which};

/// So many rows are looked at for one page: where few fit, the next page goes on behind them.
const LOOKED_AT: u32 = 20_000;
/// As many rows as a page has.
const MOST: u32 = 500;

/// Which rows are looked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct HistoryFilter {
    /// Only those of this loop.
    pub of_loop: Option<String>,
    /// Only those of which this came.
    pub came: Option<Came>,
    /// Only those that have this text in loop, words, reason or run.
    pub text: Option<String>,
}

/// Some rows, the newest first.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct HistoryPage {
    /// The rows; possibly none though there are more.
    pub rows: Vec<HistoryRow>,
    /// Where the next page begins; none = there is nothing older.
    pub next: Option<String>,
    /// How far back was looked, RFC 3339 UTC, where the page ends before it is full.
    pub looked_to: Option<String>,
}

/// A due time or an event, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct HistoryRow {
    /// Its id.
    pub id: OccurrenceId,
    /// Its loop's name.
    pub loop_name: String,
    /// The word of its trigger.
    pub trigger: String,
    /// When it was due, RFC 3339 with the offset of its zone; the first of many.
    pub due: String,
    /// The zone of its times.
    pub zone: String,
    /// The last of many with one fate, RFC 3339 with the same offset.
    pub until: Option<String>,
    /// What became of it.
    pub came: Came,
    /// The shape that stands before it.
    pub mark: Mark,
    /// In a few words; plain text.
    pub words: String,
    /// Its run, once that began.
    pub run: Option<RunId>,
    /// What people type for that run.
    pub short: Option<String>,
    /// When its run began, RFC 3339 UTC.
    pub started: Option<String>,
    /// When its run ended, RFC 3339 UTC.
    pub ended: Option<String>,
    /// What its run has cost; none where nothing in it can cost anything.
    pub spent: Option<Micros>,
    /// The ceiling of its run.
    pub budget: Option<Micros>,
}

/// A page of the history.
///
/// # Errors
/// There is no such loop, `after` is no place of a page, or the store can't be read.
pub fn history(
    context: &Context,
    filter: &HistoryFilter,
    after: Option<&str>,
    count: u32,
) -> Result<HistoryPage, ApiError> {
    let store = context.store()?;
    let of_loop =
        filter.of_loop.as_deref().map(|name| Ok::<_, ApiError>(run::find_loop(&store, name)?.id)).transpose()?;
    let states = filter.came.map_or(&[][..], Came::states);
    let which = Which { of_loop, states, before: after.map(place).transpose()? };
    let text = filter.text.as_deref().map(str::to_lowercase).filter(|text| !text.trim().is_empty());
    let wanted = |row: &HistoryRow, record: &Record| {
        filter.came.is_none_or(|came| came == row.came) && text.as_deref().is_none_or(|text| says(row, record, text))
    };
    let count = count.clamp(1, MOST) as usize;
    let (mut rows, mut last) = (Vec::new(), None);
    let all = stored::each(store.read(), &which, LOOKED_AT, |record| {
        let row = row(&record, context.zone, None);
        last = Some((record.due_at.clone(), record.id));
        if wanted(&row, &record) {
            rows.push(row);
        }
        if rows.len() == count { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let next = last.filter(|_| !all);
    Ok(HistoryPage {
        looked_to: next.as_ref().filter(|_| rows.len() < count).map(|(due_at, _)| due_at.clone()),
        next: next.map(|(due_at, id)| format!("{due_at} {id}")),
        rows,
    })
}

/// One row of the history, of an occurrence by its id.
///
/// # Errors
/// There is no such row, or the store can't be read.
pub fn history_row(context: &Context, id: OccurrenceId) -> Result<HistoryRow, ApiError> {
    let record = stored::one(context.store()?.read(), id)?;
    let record = record.ok_or_else(|| ApiError::new(exit::USAGE, "there is no such row in the history"))?;
    Ok(row(&record, context.zone, None))
}

/// The row of a run.
pub(super) fn row_of_run(context: &Context, store: &Store, run: RunId) -> Result<HistoryRow, ApiError> {
    let record = stored::of_run(store.read(), run)?;
    let record = record.ok_or_else(|| ApiError::new(exit::USAGE, format!("run {} has not begun", run.short())))?;
    Ok(row(&record, context.zone, None))
}

/// What the words of a run are made of; `parked`: what it waits for, in words.
pub fn run_facts<'a>(row: &'a RunRow, parked: Option<&'a str>) -> RunFacts<'a> {
    RunFacts {
        end: row.end.as_ref(),
        code: row.code,
        pull_requests: row.pull_requests,
        handed_over: row.handed_over,
        acted: row.acted,
        chores: row.chores,
        parked,
        last_steps: row.last_steps.as_deref(),
    }
}

/// A row as it is told; `doing`: what its run does now.
pub(super) fn row(record: &Record, computer: Tz, doing: Option<&str>) -> HistoryRow {
    let zone: Tz = record.zone.parse().unwrap_or(computer);
    let parked = (record.state == "parked").then(|| waits(record, zone));
    let told = brief(&record.facts(parked.as_deref()), doing);
    let run = record.run.as_ref();
    let priced = run.filter(|run| run.budget > Micros::ZERO || run.spent > Micros::ZERO);
    HistoryRow {
        id: record.id,
        loop_name: record.loop_name.clone(),
        trigger: record.trigger.clone(),
        due: at(&record.due_at, zone),
        zone: zone.name().to_owned(),
        until: record.until_at.as_deref().map(|until| at(until, zone)),
        came: told.came,
        mark: told.mark,
        words: told.words,
        run: run.map(|run| run.id),
        short: run.map(|run| run.id.short()),
        started: run.map(|run| run.started_at.clone()),
        ended: run.and_then(|run| run.ended_at.clone()),
        spent: priced.map(|run| run.spent),
        budget: priced.map(|run| run.budget),
    }
}

/// What a parked run waits for: `until 16:08`.
fn waits(record: &Record, zone: Tz) -> String {
    let until = record.not_before.as_deref().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    match until {
        Some(until) => format!("until {}", until.with_timezone(&zone).format("%H:%M")),
        None => record.reason.clone().unwrap_or_default(),
    }
}

/// A stored time on the clock of a zone.
fn at(text: &str, zone: Tz) -> String {
    let time = text.parse::<DateTime<Utc>>();
    time.map_or_else(|_| text.to_owned(), |time| time.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false))
}

fn says(row: &HistoryRow, record: &Record, text: &str) -> bool {
    let parts = [Some(&row.loop_name), Some(&row.words), row.short.as_ref(), record.reason.as_ref()];
    parts.into_iter().flatten().any(|part| part.to_lowercase().contains(text))
}

/// The place in the history that a page ended at.
fn place(text: &str) -> Result<(String, OccurrenceId), ApiError> {
    let parts = text.split_once(' ').and_then(|(due_at, id)| Some((due_at.to_owned(), id.parse().ok()?)));
    parts.ok_or_else(|| ApiError::new(exit::USAGE, "this is no place in the history"))
}

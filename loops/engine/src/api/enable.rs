//! `disable` and `enable`: whether a loop starts by itself. By hand it starts all the same.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use loopwright_core::due::{Arrival, COUNTED, Fate, shown, tomorrow};
use loopwright_core::fleet::FleetEvent;
use loopwright_core::schedule::due_times;
use rusqlite::Transaction;
use serde::Serialize;

use super::{ApiError, Context, run};
use crate::store::loops::{self, LoopRow};
use crate::store::{Store, fleet, schedules};

/// Whether a loop starts by itself now.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct EnableView {
    /// The loop.
    pub loop_name: String,
    /// Since when nothing starts it by itself; none = it does.
    #[cfg_attr(feature = "types", ts(type = "string | null"))]
    pub paused_at: Option<DateTime<Utc>>,
    /// When that ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<DateTime<Utc>>,
    /// Whether that is news.
    pub changed: bool,
    /// How many due times were skipped while it was paused.
    pub skipped: usize,
    /// Its next due time, RFC 3339 with the loop's offset.
    pub next: Option<String>,
}

/// Lets nothing start a loop by itself until it is enabled again.
///
/// # Errors
/// There is no such loop, or the store can't be written.
pub fn disable(context: &Context, name: &str) -> Result<EnableView, ApiError> {
    pause_until(context, name, |_| None)
}

/// The same, or only for the rest of the day in the loop's zone: one that is paused already is paused as asked for now.
///
/// # Errors
/// As [`disable`].
pub fn pause(context: &Context, name: &str, until_tomorrow: bool) -> Result<EnableView, ApiError> {
    pause_until(context, name, |zone| until_tomorrow.then(|| tomorrow(context.now, zone)))
}

fn pause_until(
    context: &Context,
    name: &str,
    until: impl FnOnce(Tz) -> Option<DateTime<Utc>>,
) -> Result<EnableView, ApiError> {
    let mut store = context.acting()?;
    let row = run::find_loop(&store, name)?;
    let timing = schedules::timing(store.read(), row.id)?;
    let until = until(timing.and_then(|(timing, _)| timing.zone).unwrap_or(context.zone));
    let (now, event) = (context.now, FleetEvent::LoopPaused { loop_id: row.id, name: row.name.clone(), until });
    let (paused_at, changed) = store.write(|tx| {
        let since = schedules::paused_at(tx, row.id)?;
        if since.is_some() && schedules::paused_until(tx, row.id)? == until {
            return Ok((since, false));
        }
        schedules::pause(tx, row.id, since.or(Some(now)), until)?;
        fleet::record(tx, event, now)?;
        Ok((since.or(Some(now)), true))
    })?;
    Ok(EnableView { loop_name: row.name, paused_at, paused_until: until, changed, skipped: 0, next: None })
}

/// Enables the loops whose pause was to end by now.
///
/// # Errors
/// The store can't be read or written.
pub(super) fn enable_rested(context: &Context, store: &mut Store) -> anyhow::Result<()> {
    for id in schedules::rested(store.read(), context.now)? {
        let row = loops::by_id(store.read(), id)?;
        enable_row(context, store, &row)?;
    }
    Ok(())
}

/// Lets a loop start by itself again. The due times of the pause are skipped: one row stands for them.
///
/// # Errors
/// There is no such loop, or the store can't be written.
pub fn enable(context: &Context, name: &str) -> Result<EnableView, ApiError> {
    let mut store = context.acting()?;
    let row = run::find_loop(&store, name)?;
    let skipped = enable_row(context, &mut store, &row)?;
    let timing = schedules::timing(store.read(), row.id)?;
    let next = timing.and_then(|(timing, _)| {
        let zone = timing.zone.unwrap_or(context.zone);
        let (at, _) = due_times(&timing, zone, context.now).next()?;
        Some(at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false))
    });
    let (changed, skipped) = (skipped.is_some(), skipped.unwrap_or_default());
    Ok(EnableView { loop_name: row.name, paused_at: None, paused_until: None, changed, skipped, next })
}

/// How many due times were skipped; none = it was not paused.
fn enable_row(context: &Context, store: &mut Store, row: &LoopRow) -> anyhow::Result<Option<usize>> {
    let event = FleetEvent::LoopEnabled { loop_id: row.id, name: row.name.clone() };
    store.write(|tx| {
        let Some(since) = schedules::paused_at(tx, row.id)? else { return Ok(None) };
        let skipped = skip(context, tx, row, since)?;
        schedules::pause(tx, row.id, None, None)?;
        fleet::record(tx, event, context.now)?;
        Ok(Some(skipped))
    })
}

/// Gives the due times of a pause their row, and those before it that no pass had looked at another; says how many they are.
fn skip(context: &Context, tx: &Transaction<'_>, row: &LoopRow, paused: DateTime<Utc>) -> anyhow::Result<usize> {
    let Some((timing, _)) = schedules::timing(tx, row.id)? else { return Ok(0) };
    let Some(since) = schedules::since(tx, row.id)? else { return Ok(0) };
    let (zone, now) = (timing.zone.unwrap_or(context.zone), context.now);
    let times: Vec<_> = due_times(&timing, zone, since).take_while(|(at, _)| *at <= now).take(COUNTED).collect();
    let (before, during) = times.split_at(times.partition_point(|(at, _)| *at < paused));
    let why = format!("it was paused from {} to {}", shown(paused, zone), shown(now, zone));
    let missed = Fate::Missed("nobody looked at that time, and it was paused then".to_owned());
    for (times, fate) in [(before, missed), (during, Fate::Skipped(why))] {
        if let [(first, trigger), ..] = times {
            let until = times.last().map(|(last, _)| *last).filter(|last| last != first);
            let trigger = trigger.word();
            let arrival = Arrival { due_at: *first, until, times: times.len(), trigger, fate };
            schedules::arrive(tx, row.id, &arrival, zone, now)?;
        }
    }
    schedules::reach(tx, row.id, &timing, now, context.zone)?;
    Ok(during.len())
}

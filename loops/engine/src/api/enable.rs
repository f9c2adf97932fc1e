//! `disable` and `enable`: whether a loop starts by itself. By hand it starts all the same.

use chrono::{DateTime, SecondsFormat, Utc};
use loopwright_core::due::{Arrival, COUNTED, Fate, shown};
use loopwright_core::fleet::FleetEvent;
use loopwright_core::schedule::due_times;
use rusqlite::Transaction;
use serde::Serialize;

use super::{ApiError, Context, run};
use crate::store::loops::LoopRow;
use crate::store::{fleet, schedules};

/// Whether a loop starts by itself now.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct EnableView {
    /// The loop.
    pub loop_name: String,
    /// Since when nothing starts it by itself; none = it does.
    pub paused_at: Option<DateTime<Utc>>,
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
    let mut store = context.acting()?;
    let row = run::find_loop(&store, name)?;
    let (now, event) = (context.now, FleetEvent::LoopPaused { loop_id: row.id, name: row.name.clone() });
    let (paused_at, changed) = store.write(|tx| {
        if let Some(since) = schedules::paused_at(tx, row.id)? {
            return Ok((since, false));
        }
        schedules::pause(tx, row.id, Some(now))?;
        fleet::record(tx, event, now)?;
        Ok((now, true))
    })?;
    Ok(EnableView { loop_name: row.name, paused_at: Some(paused_at), changed, skipped: 0, next: None })
}

/// Lets a loop start by itself again. The due times of the pause are skipped: one row stands for them.
///
/// # Errors
/// There is no such loop, or the store can't be written.
pub fn enable(context: &Context, name: &str) -> Result<EnableView, ApiError> {
    let mut store = context.acting()?;
    let row = run::find_loop(&store, name)?;
    let event = FleetEvent::LoopEnabled { loop_id: row.id, name: row.name.clone() };
    let skipped = store.write(|tx| {
        let Some(since) = schedules::paused_at(tx, row.id)? else { return Ok(None) };
        let skipped = skip(context, tx, &row, since)?;
        schedules::pause(tx, row.id, None)?;
        fleet::record(tx, event, context.now)?;
        Ok(Some(skipped))
    })?;
    let timing = schedules::timing(store.read(), row.id)?;
    let next = timing.and_then(|(timing, _)| {
        let zone = timing.zone.unwrap_or(context.zone);
        let (at, _) = due_times(&timing, zone, context.now).next()?;
        Some(at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false))
    });
    let (changed, skipped) = (skipped.is_some(), skipped.unwrap_or_default());
    Ok(EnableView { loop_name: row.name, paused_at: None, changed, skipped, next })
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

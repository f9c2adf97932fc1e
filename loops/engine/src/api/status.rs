//! `status` and `next`: all at a glance.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use anyhow::Result as AnyResult;
use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use loopwright_core::definition::read_bytes;
use loopwright_core::definition::settings::Settings;
use loopwright_core::finding::FindingState;
use loopwright_core::ids::RunId;
use loopwright_core::ledger::{Bound, Ceilings, Place};
use loopwright_core::money::Micros;
use loopwright_core::run::Run;
use loopwright_core::timing::{CatchUpHow, Trigger};
use loopwright_core::{schedule, story};

use super::drill::last_drill;
use super::{
    ApiError, CeilingRow, Context, FindingRow, LoopView, LostRow, NextRow, StatusView, hinders, landing, reviews, run,
    runs, scheduler,
};
use crate::ending;
use crate::halt::HaltFiles;
use crate::settings;
use crate::steps::stamp;
use crate::store::loops::LoopRow;
use crate::store::runs::RunRecord;
use crate::store::{
    Store, findings, ledger, loops as stored, projection, pull_requests, runs as stored_runs, schedules,
};

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
    let live = stored_runs::live(db)?;
    let (running, left): (Vec<_>, Vec<_>) = live.iter().partition(|r| ending::lives(&context.home.run(r.id)));
    let (parked, lost): (Vec<_>, Vec<_>) = left.into_iter().partition(|r| r.parked.is_some());
    let mut waiting = pull_requests::list(db, false)?;
    waiting.retain(|p| p.state != "sent back" && !landing::is_ahead(context, p.later_until.as_deref()));
    let mut needs_you = Vec::new();
    for row in stored::all(db)? {
        needs_you.extend(handed_over(&store, &row)?);
    }
    // What can't be read stops whatever starts, and hides nothing here.
    let (set, settings) = match settings::read(&context.home) {
        Ok(set) => (set, None),
        Err(error) => (Settings::default(), Some(format!("{error:#}"))),
    };
    Ok(StatusView {
        halted: HaltFiles::of_all(&context.home.state).look().map(|cause| cause.to_string()),
        scheduler: scheduler(context),
        loops: loops(context)?,
        running: running.into_iter().map(runs::row).collect(),
        parked: parked.into_iter().map(runs::row).collect(),
        lost: lost.into_iter().map(|record| self::lost(context, record)).collect(),
        waiting: waiting.iter().map(|p| reviews::row(&store, p)).collect::<AnyResult<_>>()?,
        needs_you,
        ceilings: ceilings(context, &store, &set)?,
        settings,
        drill: last_drill(context, &store)?,
    })
}

fn lost(context: &Context, record: &RunRecord) -> LostRow {
    let waits = context.home.tight().map(|folder| format!("the disk is full ({})", folder.display()));
    LostRow { short: record.id.short(), loop_name: record.loop_name.clone(), waits }
}

/// The ceilings over several runs of which a fifth at most is left.
fn ceilings(context: &Context, store: &Store, set: &Settings) -> AnyResult<Vec<CeilingRow>> {
    let mut rows: Vec<CeilingRow> = Vec::new();
    for row in stored::all(store.read())? {
        for bound in bounds(context, &row, set) {
            let Some(until) = bound.until.clone() else { continue };
            let (ceiling, committed) = (bound.to_string(), ledger::committed(store.read(), bound.scope)?);
            // Those of all loops together come up with every loop.
            if committed * 5 >= bound.ceiling.amount * 4 && rows.iter().all(|row| row.ceiling != ceiling) {
                rows.push(CeilingRow { ceiling, committed, until });
            }
        }
    }
    Ok(rows)
}

/// Every ceiling that a run of a loop has to keep now, that of the run itself as well.
pub(super) fn bounds(context: &Context, row: &LoopRow, set: &Settings) -> Vec<Bound> {
    let definition = std::fs::read(&row.path).ok().and_then(|text| read_bytes(&text).definition);
    let zone = definition.as_ref().and_then(|d| d.timing.zone).unwrap_or(context.zone);
    let ceilings = Ceilings {
        loop_name: row.name.clone(),
        of_loop: definition.map_or_else(Vec::new, |d| d.rails.ceilings),
        of_fleet: set.ceilings.clone(),
        zone,
        fleet_zone: context.zone,
        ..Ceilings::of_run(Micros::ZERO)
    };
    let day = |zone| context.now.with_timezone(&zone).date_naive();
    let place = Place { run: RunId(row.id.0), loop_id: row.id, day: day(zone), fleet_day: day(context.zone) };
    ceilings.bounds(&place)
}

/// The findings of a loop that a person must decide on.
fn handed_over(store: &Store, row: &LoopRow) -> AnyResult<Vec<FindingRow>> {
    let db = store.read();
    let mut runs: BTreeMap<RunId, Option<Run>> = BTreeMap::new();
    let mut rows = Vec::new();
    for known in findings::of_loop(db, row.id)? {
        let FindingState::NeedsYou { why } = &known.state else { continue };
        let finding = &known.finding.fingerprint;
        let mut reasons = Vec::new();
        if let Some(run) = stored_runs::last_on(db, row.id, finding)? {
            let run = match runs.entry(run) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(unread) => unread.insert(projection::replay(db, run)?),
            };
            reasons.extend(run.iter().filter_map(|r| r.item(finding)).flat_map(|i| i.reasons.clone()));
        }
        let why = known.hand_over.as_ref().map_or_else(|| why.clone(), |w| story::handed_over(w, &reasons));
        rows.push(FindingRow {
            short: finding.short().to_owned(),
            loop_name: row.name.clone(),
            title: known.finding.title.clone(),
            why,
            again: format!("loopwright run {} --finding {}", row.name, finding.short()),
            state: known.state,
        });
    }
    Ok(rows)
}

/// The next `n` due times of a loop, or of all of them, the earliest first; those of paused loops are left out.
///
/// # Errors
/// There is no such loop, or the store can't be read.
pub fn next(context: &Context, name: Option<&str>, n: usize) -> Result<Vec<NextRow>, ApiError> {
    let store = context.store()?;
    let db = store.read();
    let ids = match name {
        Some(name) => vec![run::find_loop(&store, name)?.id],
        None => schedules::earliest(db, context.now, n)?,
    };
    let mut rows = Vec::new();
    for id in ids {
        let Some((timing, false)) = schedules::timing(db, id)? else { continue };
        let (zone, loop_name) = (timing.zone.unwrap_or(context.zone), stored::by_id(db, id)?.name);
        for (at, trigger) in schedule::due_times(&timing, zone, context.now).take(n) {
            let shown = at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false);
            let row = NextRow {
                loop_name: loop_name.clone(),
                at: shown,
                trigger: trigger.to_string(),
                quiet_until: schedule::quiet_until(&timing, zone, at).map(stamp),
                quiet_skips: timing.catch_up.how == CatchUpHow::Skip,
                wake: timing.wake,
            };
            rows.push((at, row));
        }
    }
    rows.sort_by(|(a, first), (b, second)| a.cmp(b).then_with(|| first.loop_name.cmp(&second.loop_name)));
    Ok(rows.into_iter().take(n).map(|(_, row)| row).collect())
}

/// A loop with its next times, as it was confirmed.
pub(super) fn loop_view(context: &Context, store: &Store, row: &LoopRow) -> AnyResult<LoopView> {
    let timing = schedules::timing(store.read(), row.id)?.map(|(timing, _)| timing);
    let zone = timing.as_ref().and_then(|timing| timing.zone).unwrap_or(context.zone);
    let unknown = || "not known until its file is confirmed again".to_owned();
    let other =
        timing.as_ref().is_some_and(|timing| zone != context.zone && timing.triggers.iter().any(Trigger::is_time));
    let words = timing.as_ref().map_or_else(unknown, schedule::in_words);
    let words = if other { format!("{words} ({zone})") } else { words };
    let times = timing.as_ref().map_or_else(Vec::new, |timing| schedule::next_times(timing, zone, context.now, NEXT));
    let quiet = |at: &DateTime<Tz>| {
        timing.as_ref().and_then(|timing| schedule::quiet_until(timing, zone, at.to_utc())).map(stamp)
    };
    let without = || timing.as_ref().map_or_else(unknown, schedule::without_times);
    let last = stored_runs::newest(store.read(), Some(row.id), 1)?;
    Ok(LoopView {
        id: row.id,
        name: row.name.clone(),
        path: row.path.display().to_string(),
        repo: row.repo_path.display().to_string(),
        mode: row.mode,
        does: schedules::does(store.read(), row.id)?,
        hash: row.hash.clone(),
        schedule: words,
        next: times.iter().map(|t| t.to_rfc3339_opts(SecondsFormat::Secs, false)).collect(),
        quiet_until: times.iter().map(quiet).collect(),
        quiet_skips: timing.as_ref().is_some_and(|timing| timing.catch_up.how == CatchUpHow::Skip),
        without_times: times.is_empty().then(without),
        by_itself: timing.as_ref().is_some_and(|timing| schedule::starts_by_itself(timing, zone, context.now)),
        paused_at: schedules::paused_at(store.read(), row.id)?.map(stamp),
        paused_until: schedules::paused_until(store.read(), row.id)?.map(stamp),
        wake: timing.is_some_and(|timing| timing.wake),
        last: last.first().map(runs::row),
        troubles: hinders::troubles(context, store, row, last.first())?,
    })
}

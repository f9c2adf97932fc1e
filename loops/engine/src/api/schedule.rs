//! The scheduler's part of a pass: each due time gets its row, and what may start is started.
//!
//! What becomes of each is decided in `core::due`. Without memory: everything is in the store, so that a pass of any process
//! does the same, and of many at once each start happens once.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use loopwright_core::definition::{Definition, read_bytes};
use loopwright_core::due::{self, Absence, Arriving, Choice, Live, Pass, Subject, Waiting};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::lease::HaltNote;
use loopwright_core::schedule::{due_times, last_due};
use loopwright_core::timing::Timing;
use rusqlite::Transaction;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::reconcile::{Deed, failed};
use super::{Context, enable, run, scheduler, watched};
use crate::halt::{self, HaltFiles};
use crate::settings;
use crate::store::loops::LoopRow;
use crate::store::schedules::{self, Does, Keep, Scheduled};
use crate::store::{Store, loops};

/// A ledger that reaches further ahead than this was written while the clock was wrong.
const AHEAD: Duration = Duration::minutes(5);

/// What the computer tells a pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    /// Whether it runs on its battery.
    pub(super) on_battery: bool,
    /// When nobody looked.
    pub(super) absences: Vec<Absence>,
}

/// What this computer tells a pass, and when nobody looked since the scheduler's last one.
pub(super) fn machine(context: &Context) -> Machine {
    Machine { on_battery: crate::os::on_battery(), absences: scheduler::absences(context) }
}

/// A run that is to begin for an occurrence that waited.
#[derive(Clone, Copy, Debug)]
pub(super) struct Starting {
    /// Its loop.
    pub(super) loop_id: LoopId,
    /// Its occurrence, claimed for it.
    pub(super) occurrence: OccurrenceId,
    /// Its id.
    pub(super) run: RunId,
}

/// What starts runs: claims the occurrence for the run that it begins, and says whether it did.
pub(super) type Begin<'a> = dyn FnMut(&Context, &mut Store, Starting) -> Result<bool> + 'a;

/// Gives each due time its row, and starts what may start.
///
/// # Errors
/// The store can't be read or written. What fails for one loop keeps no other from its times, and is told.
pub(super) fn pass(
    context: &Context,
    store: &mut Store,
    machine: &Machine,
    begin: &mut Begin<'_>,
) -> Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    for id in schedules::unread(store.read())? {
        if let Err(error) = read_once(context, store, id) {
            tracing::warn!("loop {id} is not scheduled: {error:#}");
        }
    }
    enable::enable_rested(context, store)?;
    let mut caught_up_from = context.now;
    for loop_ in schedules::come(store.read(), context.now, context.now + AHEAD, context.zone)? {
        match arrive(context, store, machine, &loop_, caught_up_from) {
            Ok(late) => caught_up_from += due::STAGGER * i32::try_from(late).unwrap_or(i32::MAX),
            Err(error) => deeds.push(failed(format!("the times of {}", loop_.name), &error)),
        }
    }
    deeds.extend(watched::pass(context, store)?);
    deeds.extend(start(context, store, machine, begin)?);
    Ok(deeds)
}

/// The next moment at which a pass has something to do that no other process tells of.
///
/// # Errors
/// The store can't be read.
pub(super) fn wakes_at(context: &Context, store: &Store) -> Result<Option<DateTime<Utc>>> {
    let next = schedules::next(store.read())?;
    let waits = schedules::next_of_waiting(store.read(), context.now)?;
    let held = held(context, store)?.into_values().filter_map(|hold| hold.until).min();
    let rested = watched::rested_at(store)?;
    let resumed = schedules::next_rested(store.read())?;
    let over = next_over(context, store)?;
    Ok([next, waits, held, over, rested, resumed].into_iter().flatten().min())
}

/// When the time of one that waits is over: what held it is told as its reason as long as it still does.
fn next_over(context: &Context, store: &Store) -> Result<Option<DateTime<Utc>>> {
    let waiting = schedules::waiting(store.read())?;
    let subjects = subjects(context, store, &waiting)?;
    let over = |one: &Waiting| Some(due::over(one, &subjects.get(&one.loop_id)?.timing) + Duration::seconds(1));
    Ok(waiting.iter().filter_map(over).filter(|at| *at > context.now).min())
}

/// What each occurrence that waits waits for.
///
/// # Errors
/// The store can't be read.
pub(super) fn held(context: &Context, store: &Store) -> Result<BTreeMap<OccurrenceId, due::Hold>> {
    let on_battery = crate::os::on_battery();
    let chosen = chosen(context, store, &Machine { on_battery, absences: Vec::new() })?;
    let hold = |(one, choice): (Waiting, _)| if let Choice::Hold(hold) = choice { Some((one.id, hold)) } else { None };
    Ok(chosen.into_iter().filter_map(hold).collect())
}

/// Reads when a loop starts that an older program registered; not before its file is the one that was confirmed.
fn read_once(context: &Context, store: &mut Store, id: LoopId) -> Result<()> {
    let row = loops::by_id(store.read(), id)?;
    let Some(definition) = confirmed(&row)? else { return Ok(()) };
    store.write(|tx| keep(tx, context, id, &definition))
}

/// The loop as it was confirmed; none if its file is another one by now.
fn confirmed(row: &LoopRow) -> Result<Option<Definition>> {
    let text = std::fs::read(&row.path).with_context(|| format!("reading {}", row.path.display()))?;
    let same = loopwright_core::hex(&Sha256::digest(&text)) == row.hash;
    Ok(read_bytes(&text).definition.filter(|_| same))
}

/// Keeps when a loop starts, with its registration. Times of before that nobody has looked at get their row first.
pub(super) fn keep(tx: &Transaction<'_>, context: &Context, id: LoopId, definition: &Definition) -> Result<()> {
    let finally = &definition.finally;
    let before = schedules::of_loop(tx, id)?.filter(|before| before.timing != definition.timing);
    if let Some(before) = before {
        let why = Some("another timetable was confirmed before anybody looked".to_owned());
        rows(tx, context, &Machine::default(), &before, (why, context.now))?;
    }
    let kept = Keep {
        timing: &definition.timing,
        max_duration_s: definition.rails.max_duration_s,
        finally_s: if finally.steps.is_empty() { 0 } else { finally.max_s },
        does: match (&definition.work, &definition.discover) {
            (Some(_), _) => Does::Ships,
            (None, Some(_)) => Does::Finds,
            (None, None) => Does::Chores,
        },
    };
    schedules::keep(tx, id, &kept, context.now, context.zone)
}

/// Gives the due times of one loop their rows; says how many late ones start.
fn arrive(
    context: &Context,
    store: &mut Store,
    machine: &Machine,
    loop_: &Scheduled,
    caught_up_from: DateTime<Utc>,
) -> Result<usize> {
    let (timing, now) = (&loop_.timing, context.now);
    let stopped = stopped(context, loop_.loop_id, &loop_.name, loop_.paused);
    store.write(|tx| {
        if loop_.since > now + AHEAD {
            let times = schedules::take_back(tx, loop_.loop_id, now, |first| came(loop_, first, now))?;
            tracing::warn!(loop.name = loop_.name, times, "the clock was ahead: times that have not come are taken back");
        }
        let late = rows(tx, context, machine, loop_, (stopped, caught_up_from))?;
        schedules::reach(tx, loop_.loop_id, timing, now, context.zone)?;
        Ok(late)
    })
}

/// The last due time up to now since the first of many, and how many they are.
fn came(loop_: &Scheduled, first: DateTime<Utc>, now: DateTime<Utc>) -> (DateTime<Utc>, usize) {
    let (timing, zone) = (&loop_.timing, loop_.zone);
    let times = due_times(timing, zone, first).take_while(|(at, _)| *at <= now).take(due::COUNTED).count();
    (last_due(timing, zone, first, now).unwrap_or(first), times + 1)
}

/// The rows of the times that have come: they came in the zone of then, whatever it is from now on.
fn rows(
    tx: &Transaction<'_>,
    context: &Context,
    machine: &Machine,
    loop_: &Scheduled,
    (stopped, caught_up_from): (Option<String>, DateTime<Utc>),
) -> Result<usize> {
    let (timing, now, zone) = (&loop_.timing, context.now, loop_.zone);
    let live = schedules::live_of(tx, loop_.loop_id)?;
    let run = live.as_ref().map(|live| live.run.short());
    let arriving = Arriving {
        timing,
        zone,
        since: loop_.since.min(now),
        now,
        stopped: stopped.as_deref(),
        on_battery: machine.on_battery,
        live: run.as_deref().zip(live.as_ref().map(|live| live.parked)),
        live_since: live.as_ref().map(|live| live.began),
        waiting: schedules::waiting_of(tx, loop_.loop_id)?,
        absences: &machine.absences,
        caught_up_from,
    };
    let mut late = 0;
    for arrival in due::arrivals(&arriving, |at| jitter(loop_.loop_id, at, timing)) {
        let waits = matches!(arrival.fate, due::Fate::Waits { .. }) && now - arrival.due_at > due::ON_TIME;
        late += usize::from(schedules::arrive(tx, loop_.loop_id, &arrival, zone, now)? && waits);
    }
    Ok(late)
}

/// How much later than its time a start is, the same at each look.
fn jitter(id: LoopId, at: DateTime<Utc>, timing: &Timing) -> Duration {
    if timing.jitter_s == 0 {
        return Duration::zero();
    }
    let digest = Sha256::digest(format!("{id} {}", at.timestamp()));
    let number = u64::from_be_bytes(digest[..8].try_into().unwrap_or_default());
    due::seconds(number % (timing.jitter_s + 1))
}

/// Why nothing starts this loop by itself.
fn stopped(context: &Context, id: LoopId, name: &str, paused: bool) -> Option<String> {
    let mut files = HaltFiles::of_all(&context.home.state);
    files.halts.push((halt::HaltLevel::Loop, halt::halt_loop(&context.home.state, id)));
    match files.look() {
        Some(cause) => Some(format!("it was halted: {cause}")),
        None => paused.then(|| format!("it was paused (`loopwright enable {name}` lets it start again)")),
    }
}

/// Starts what may start, and ends what may not.
fn start(context: &Context, store: &mut Store, machine: &Machine, begin: &mut Begin<'_>) -> Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    for (one, choice) in chosen(context, store, machine)? {
        let done = match choice {
            Choice::Start => begin_one(context, store, &one, begin),
            Choice::Cancel(run) => cancel(context, run).map(|()| None),
            Choice::Hold(hold) => keep_held(context, store, &one, &hold.why).map(|()| None),
            Choice::Missed(why) => end(context, store, one.id, "missed", &why),
            Choice::Skipped(why) => end(context, store, one.id, "skipped", &why),
        };
        deeds.extend(done.unwrap_or_else(|error| Some(failed(format!("a start of loop {}", one.loop_id), &error))));
    }
    Ok(deeds)
}

/// Keeps what holds one, which is its reason if it is missed; that its own moment is yet to come is none.
fn keep_held(context: &Context, store: &mut Store, one: &Waiting, why: &str) -> Result<()> {
    if one.held.as_deref() == Some(why) || one.not_before.is_some_and(|at| at > context.now) {
        return Ok(());
    }
    store.write(|tx| schedules::held(tx, one.id, why))
}

fn begin_one(context: &Context, store: &mut Store, one: &Waiting, begin: &mut Begin<'_>) -> Result<Option<Deed>> {
    let (loop_id, occurrence) = (one.loop_id, one.id);
    let run = RunId(Uuid::now_v7());
    let began = begin(context, store, Starting { loop_id, occurrence, run })?;
    let loop_name = loops::by_id(store.read(), loop_id)?.name;
    Ok(began.then_some(Deed::Started { run, loop_name, occurrence }))
}

fn end(context: &Context, store: &mut Store, id: OccurrenceId, state: &str, why: &str) -> Result<Option<Deed>> {
    store.write(|tx| schedules::end(tx, id, state, why, context.now))?;
    Ok(None)
}

/// Halts a run in whose place the next one starts.
fn cancel(context: &Context, run: RunId) -> Result<()> {
    let dir = context.home.run(run);
    let note = "the next start of its loop is due (overlap: cancel_previous)".to_owned();
    halt::write(&halt::halt_run(&dir), &HaltNote { at: context.now, by: "scheduler".to_owned(), reason: note })
}

/// What becomes of everything that waits.
fn chosen(context: &Context, store: &Store, machine: &Machine) -> Result<Vec<(Waiting, Choice)>> {
    let waiting = schedules::waiting(store.read())?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let loops = subjects(context, store, &waiting)?;
    let live: Vec<Live> = schedules::live(store.read())?;
    let slots = settings::read(&context.home)?.slots();
    let Machine { on_battery, ref absences } = *machine;
    let pass = Pass { now: context.now, slots, on_battery, loops: &loops, live: &live, absences };
    let choices = due::choose(&waiting, &pass);
    let mut of: BTreeMap<OccurrenceId, Waiting> = waiting.into_iter().map(|one| (one.id, one)).collect();
    Ok(choices.into_iter().filter_map(|(id, choice)| Some((of.remove(&id)?, choice))).collect())
}

fn subjects(context: &Context, store: &Store, waiting: &[Waiting]) -> Result<BTreeMap<LoopId, Subject>> {
    let mut subjects = BTreeMap::new();
    for one in waiting {
        if subjects.contains_key(&one.loop_id) {
            continue;
        }
        let Some((timing, paused)) = schedules::timing(store.read(), one.loop_id)? else { continue };
        let name = loops::by_id(store.read(), one.loop_id)?.name;
        let subject = Subject {
            zone: timing.zone.unwrap_or(context.zone),
            stopped: stopped(context, one.loop_id, &name, paused),
            last_began: schedules::last_began(store.read(), one.loop_id)?,
            timing,
        };
        subjects.insert(one.loop_id, subject);
    }
    Ok(subjects)
}

/// Starts the watchdog of a scheduled run, and does not wait for it.
pub(super) fn under_watchdog(context: &Context, store: &mut Store, starting: Starting) -> Result<bool> {
    run::begin_scheduled(context, store, starting)
}

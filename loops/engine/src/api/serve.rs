//! `serve`: makes a pass, waits for the next thing to do, and makes the next one, until it is told to stop.
//!
//! It holds nothing that is not in the store: one that is killed is replaced by the next. It never waits longer than
//! [`TICK`] of the wall clock, as clocks are set and computers sleep.

use std::path::PathBuf;
use std::time::{Duration as Span, Instant};

use anyhow::Result;
use chrono::{DateTime, Duration, Utc};
use loopwright_core::due::Absent;
use loopwright_core::fleet::FleetEvent;
use loopwright_core::scheduler::{Between, TICK};

use super::notices::WithoutTray;
use super::scheduler::Seat;
use super::{ApiError, Context, Deed, schedule, tick, wake, watched};
use crate::os::{self, Held, Stop, Wake, Woken};
use crate::store::news::Concerns;
use crate::store::{Newer, Store, fleet, runs};
use crate::wake::WakeTimer;
use crate::{clock, ending, halt, settings};

/// The shortest time between two passes that files ask for.
const CALM: Span = Span::from_millis(500);
/// How often it sweeps, and looks after the backups.
const THOROUGH: Duration = Duration::hours(1);
/// The shortest time between two passes that nobody asked for.
const BREATH: Duration = Duration::seconds(5);

/// The scheduler that began.
#[derive(Clone, Copy, Debug)]
pub struct Began {
    /// Its process.
    pub pid: i32,
    /// When.
    pub at: DateTime<Utc>,
}

/// Is the scheduler of this data folder until `stop` has something to read; `began` is called once it is. Its runs go on.
///
/// # Errors
/// Another one is, or the store can't be opened at first. What fails later is told and tried again.
pub fn serve(context: &Context, stop: Stop<'_>, began: impl FnOnce(Began)) -> Result<(), ApiError> {
    let seat = Seat::take(context)?;
    let mut store = context.store()?;
    let (pid, at) = (seat.pid, clock::now());
    store.write(|tx| fleet::record(tx, FleetEvent::SchedulerStarted { pid }, at))?;
    tracing::info!(pid, "the scheduler began");
    began(Began { pid, at });
    let mut wake = Wake::new()?;
    watch(context, &mut wake);
    let (store, thorough_at) = (Some(store), DateTime::UNIX_EPOCH);
    let wake_timer = WakeTimer::default();
    let mut desk = Desk {
        context: context.clone(),
        seat,
        store,
        thorough_at,
        told: Vec::new(),
        without_tray: WithoutTray::default(),
        wake_timer,
    };
    desk.work(&mut wake, stop)?;
    desk.stopped();
    Ok(())
}

/// Watches what other processes and people tell by files.
fn watch(context: &Context, wake: &mut Wake) {
    wake.watch_file(&context.home.changed());
    let state = &context.home.state;
    for path in [halt::halt_all(state), halt::armed(state)].into_iter().chain(clock::file()) {
        if let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) {
            wake.watch_folder(folder, &[name]);
        }
    }
    wake.watch_folder(&state.join("halt"), &[]);
}

/// What it works with.
struct Desk {
    context: Context,
    seat: Seat,
    /// None after an error: it is opened anew.
    store: Option<Store>,
    thorough_at: DateTime<Utc>,
    /// What the last pass did.
    told: Vec<Deed>,
    /// What it tells where no tray lives.
    without_tray: WithoutTray,
    /// What wakes the computer; with the process, it is gone.
    wake_timer: WakeTimer,
}

/// What the store looked like before a pass.
struct Seen {
    foreign: i64,
    concerns: Concerns,
}

impl Desk {
    fn work(&mut self, wake: &mut Wake, stop: Stop<'_>) -> Result<(), ApiError> {
        let mut looked_again = false;
        loop {
            let mut seen = None;
            let next = match self.pass(&mut seen) {
                Ok(next) => next,
                Err(error) => self.failed(error)?,
            };
            // A file that came after the look and before its folder was watched would wait for the next tick.
            looked_again = wake.watch_contents(self.folders()) && !looked_again;
            if looked_again {
                continue;
            }
            wake.watch_processes(self.watchdogs());
            os::give_memory_back();
            let passed = Instant::now();
            loop {
                let now = clock::now();
                // A clock that was set back must not make it wait for long.
                let until = next.clamp(now, now + TICK);
                let woken = wake.wait(clock::on_the_computer(until), stop)?;
                if woken.stop {
                    return Ok(());
                }
                if !self.calls(woken, seen.as_mut()) {
                    continue;
                }
                // A folder in which files come and go all the time must not keep it busy.
                let calm = Utc::now() + Duration::from_std(CALM.saturating_sub(passed.elapsed())).unwrap_or_default();
                if woken.name && !woken.time && wake.rest(calm, stop)? {
                    return Ok(());
                }
                break;
            }
        }
    }

    /// The folders whose files start loops.
    fn folders(&self) -> Vec<PathBuf> {
        let folders = self.store.as_ref().map(|store| watched::folders(&self.context, store));
        folders.and_then(Result::ok).unwrap_or_default()
    }

    /// The watchdogs of the runs that live: one that dies without a word is noticed at once.
    fn watchdogs(&self) -> Vec<Held> {
        let live = self.store.as_ref().and_then(|store| runs::live(store.read()).ok()).unwrap_or_default();
        live.iter().filter_map(|run| ending::watchdog(&self.context.home.run(run.id))).collect()
    }

    /// Whether there may be something to do.
    fn calls(&self, woken: Woken, seen: Option<&mut Seen>) -> bool {
        let (Some(store), Some(seen)) = (&self.store, seen) else { return woken.time };
        if woken.time || woken.name || woken.process {
            return true;
        }
        let Ok(foreign) = store.foreign() else { return true };
        // Its own commits are no news, and a step of a run is none that it goes by.
        let news = std::mem::replace(&mut seen.foreign, foreign) != foreign;
        news && store.concerns().map_or(true, |concerns| concerns != seen.concerns)
    }

    /// Makes a pass; says when the next one has something to do, at [`TICK`] from now if not before.
    fn pass(&mut self, seen: &mut Option<Seen>) -> Result<DateTime<Utc>> {
        let reading = clock::reading()?;
        self.context.now = reading.at;
        self.context.zone = settings::zone();
        let mut store = self.open()?;
        *seen = Some(Seen { foreign: store.foreign()?, concerns: store.concerns()? });
        let between = self.seat.since_last(&reading);
        let thorough = (reading.at - self.thorough_at).abs() >= THOROUGH;
        let machine = schedule::Machine { absences: between.absences.clone(), ..schedule::machine(&self.context) };
        let deeds = tick::pass(&self.context, &mut store, &machine, thorough)?;
        self.tell(deeds);
        if thorough {
            store.back_up(&self.context.home)?;
            self.thorough_at = reading.at;
        }
        write_down(&mut store, &between, reading.at)?;
        if let Err(error) = self.without_tray.look(&self.context, &store) {
            tracing::warn!("what waits could not be told: {error:#}");
        }
        let next = schedule::wakes_at(&self.context, &store)?;
        let wake = self.wake_timer.keep(wake::next(&self.context, &store)?);
        store.rest();
        self.store = Some(store);
        let at = reading.at;
        self.seat.beat(reading, next, wake)?;
        let next = next.map(|next| if next > at { next } else { at + BREATH });
        Ok(next.unwrap_or(at + TICK).min(at + TICK))
    }

    /// Puts what was done into the log; what waits for the same as at the last pass is no news.
    fn tell(&mut self, deeds: Vec<Deed>) {
        for deed in deeds.iter().filter(|deed| !self.told.contains(deed)) {
            match serde_json::to_string(deed) {
                Ok(deed) => tracing::info!(deed, "done"),
                Err(error) => tracing::warn!("a deed can't be told: {error}"),
            }
        }
        self.told = deeds;
    }

    /// The store that it keeps, or another one where that is no longer the database.
    fn open(&mut self) -> Result<Store> {
        match self.store.take() {
            Some(store) if store.is_current(&self.context.home) => Ok(store),
            _ => Store::open(&self.context.home),
        }
    }

    /// Tells that a pass failed; the next one tries again.
    ///
    /// # Errors
    /// A newer program has the database now: there is nothing to wait for.
    fn failed(&self, error: anyhow::Error) -> Result<DateTime<Utc>, ApiError> {
        if error.is::<Newer>() {
            return Err(error.into());
        }
        let error = ApiError::from(error);
        tracing::error!(hint = error.hint, "a pass failed: {}", error.message);
        let now = clock::reading()?;
        let at = now.at;
        let hint = error.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        // On a full disk the beat only grows old, which says it too.
        let _ = self.seat.fault(now, format!("{}{hint}", error.message));
        Ok(at + TICK)
    }

    /// Writes down that it was told to stop; one that can't is as good as one that was killed.
    fn stopped(&mut self) {
        let pid = self.seat.pid;
        if let Some(store) = &mut self.store {
            let _ = store.write(|tx| fleet::record(tx, FleetEvent::SchedulerStopped { pid }, clock::now()));
        }
    }
}

/// Writes down that the computer slept or its clock was set.
fn write_down(store: &mut Store, between: &Between, at: DateTime<Utc>) -> Result<()> {
    let slept = between.absences.iter().filter(|absence| absence.why == Absent::Asleep);
    let slept = slept.map(|absence| FleetEvent::Slept { from: absence.from, to: absence.to });
    let jumped = between.jump.map(|jump| FleetEvent::ClockJumped { from: jump.from, to: jump.to });
    let events: Vec<FleetEvent> = slept.chain(jumped).collect();
    if events.is_empty() {
        return Ok(());
    }
    store.write(|tx| events.into_iter().try_for_each(|event| fleet::record(tx, event, at)))
}

//! A virtual clock with a computer around it: passes of the real scheduler over a store that is thrown away, at the moments at
//! which a real one makes them, and scripted runs beside it.
//!
//! What becomes of due times and runs is decided by the core and written by the engine as ever. Made up are the clock, the
//! processes, and what they would find and do.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::definition::Definition;
use loopwright_core::ids::LoopId;
use loopwright_core::lease::HaltNote;
use loopwright_core::run::{End, Mode};
use loopwright_core::scenario::Scenario;
use loopwright_core::scheduler::{TICK, between};
use uuid::Uuid;

use super::actor::Actor;
use super::cast::Cast;
use super::changes::{Change, changes};
use super::computer::Computer;
use super::told::{Line, Told, What};
use crate::api::schedule::{self, Machine};
use crate::api::{Context, Deed};
use crate::halt;
use crate::home::Home;
use crate::sandbox::toolchain::HostEnvironment;
use crate::settings;
use crate::steps::stamp;
use crate::store::loops::{self, LoopRow};
use crate::store::{Killed, Store, occurrences, schedules, simulated};

/// When and in which circumstances loops are simulated.
#[derive(Clone, Debug)]
pub struct Setting {
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Until this one.
    pub to: DateTime<Utc>,
    /// The computer's zone, in which the scenario's times stand.
    pub zone: Tz,
    /// What happens around the loops.
    pub scenario: Scenario,
    /// What the person has set for all loops together: the text of `settings.yaml`.
    pub settings: String,
}

/// A loop that is simulated.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// What it says.
    pub definition: Definition,
    /// Whether it ships, or only reports.
    pub mode: Mode,
}

/// What came of it.
pub struct Played {
    /// What happened, in its order.
    pub lines: Vec<Line>,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Played {
    /// The store as it was left; it is gone with this.
    pub fn store(&self) -> &Store {
        &self.store
    }
}

/// Plays loops on a virtual clock.
///
/// # Errors
/// The store can't be written, or a loop's name is there twice.
pub fn play(setting: &Setting, loops: &[Simulated]) -> Result<Played> {
    let mut world = World::new(setting, loops)?;
    world.go_on()?;
    let World { told, store, folder, .. } = world;
    Ok(Played { lines: told.lines(), store, _folder: folder })
}

struct World {
    context: Context,
    store: Store,
    computer: Computer,
    to: DateTime<Utc>,
    changes: VecDeque<(DateTime<Utc>, Change)>,
    actors: Vec<Actor>,
    cast: Cast,
    told: Told,
    /// When the next pass is due, by the right clock.
    wakes: Option<DateTime<Utc>>,
    /// Whether another process than now made the last pass.
    restarted: bool,
    /// The scheduler is killed after so many commits more.
    kill_after: Option<u32>,
    folder: tempfile::TempDir,
}

impl World {
    fn new(setting: &Setting, loops: &[Simulated]) -> Result<World> {
        let folder = tempfile::tempdir().context("making a folder for the simulation")?;
        let home = Home::under(folder.path());
        home.create(setting.from)?;
        let settings = settings::path(&home);
        fs::write(&settings, &setting.settings).with_context(|| format!("writing {}", settings.display()))?;
        let of_fleet = settings::read(&home)?.ceilings;
        let context = Context {
            home,
            chosen: true,
            host: HostEnvironment::read(),
            cwd: folder.path().to_owned(),
            zone: setting.zone,
            now: setting.from,
            by: "terminal",
        };
        let mut store = Store::throw_away(&context.home)?;
        let mut cast = Cast::new(setting.zone, of_fleet, &context.home, setting.scenario.clone());
        let mut told = BTreeMap::new();
        for simulated in loops {
            let id = register(&context, &mut store, simulated)?;
            told.insert(id, (simulated.definition.name.clone(), simulated.definition.timing.zone));
            cast.add(id, simulated.clone());
        }
        let around = changes(&setting.scenario, &(setting.from..setting.to), setting.zone);
        Ok(World {
            context,
            store,
            computer: Computer::on(setting.from),
            to: setting.to,
            changes: around.into(),
            actors: Vec::new(),
            cast,
            told: Told::new(setting.zone, told),
            wakes: Some(setting.from),
            restarted: false,
            kill_after: None,
            folder,
        })
    }

    /// From moment to moment, to the end.
    fn go_on(&mut self) -> Result<()> {
        while let Some(next) = self.next().filter(|at| *at < self.to) {
            self.computer.go_on_to(next);
            let changed = self.change()?;
            if self.computer.is_away() {
                continue;
            }
            let ended = self.act()?;
            if changed || ended || self.wakes.is_some_and(|at| at <= self.computer.now().truly) {
                self.passes()?;
            }
        }
        Ok(())
    }

    /// The next moment at which anything happens.
    fn next(&self) -> Option<DateTime<Utc>> {
        let change = self.changes.front().map(|(at, _)| *at);
        if self.computer.is_away() {
            return change;
        }
        let now = self.computer.now();
        let acts = self.actors.iter().map(|actor| actor.due(now)).min();
        [change, acts, self.wakes].into_iter().flatten().min()
    }

    /// Lets happen what is due around the loops; whether the scheduler notices.
    fn change(&mut self) -> Result<bool> {
        let (mut noticed, truly) = (false, self.computer.now().truly);
        while let Some((_, change)) = self.changes.pop_front_if(|(at, _)| *at <= truly) {
            self.computer.beat();
            let now = self.computer.now();
            match change {
                Change::Asleep(asleep) => self.stays(|computer| computer.asleep = asleep)?,
                Change::Off(off) => self.stays(|computer| computer.off = off)?,
                Change::OnBattery(on) => {
                    self.computer.on_battery = on;
                    let what = if on { What::OnBattery } else { What::OnMains };
                    self.told.tell(now.wall, None, what, "");
                }
                Change::Clock(by_s) => {
                    self.computer.set_clock(by_s);
                    let way = if by_s < 0 { "back" } else { "forward" };
                    let text = format!("{way} by {}", told_span(by_s.unsigned_abs()));
                    self.told.tell(self.computer.now().wall, None, What::ClockSet, text);
                }
                Change::Halt(of) => self.halt(of.as_deref(), true)?,
                Change::Resume(of) => self.halt(of.as_deref(), false)?,
                Change::Kill(_) if self.computer.is_away() => continue,
                Change::Kill(0) => self.restart()?,
                Change::Kill(commits) => self.kill_after = Some(commits),
            }
            noticed = true;
        }
        Ok(noticed)
    }

    /// The computer falls asleep, is switched off, or comes back.
    fn stays(&mut self, change: impl FnOnce(&mut Computer)) -> Result<()> {
        let (before, now) = (self.computer.is_away(), self.computer.now());
        change(&mut self.computer);
        match (before, self.computer.is_away()) {
            (false, true) => {
                self.computer.leave();
                self.told.tell(now.wall, None, if self.computer.off { What::Off } else { What::Asleep }, "");
                self.actors.iter_mut().for_each(|actor| actor.leave(now));
                Ok(())
            }
            (true, false) => self.come_back(),
            _ => {
                self.computer.note_off();
                Ok(())
            }
        }
    }

    fn come_back(&mut self) -> Result<()> {
        let (slept, now) = (self.computer.come_back(), self.computer.now());
        if let Some(slept) = slept {
            self.told.tell(now.wall, None, What::Awake, "");
            self.actors.iter_mut().for_each(|actor| actor.slept(slept));
            return Ok(());
        }
        self.told.tell(now.wall, None, What::On, "");
        // Whose process was gone before its first event never was: its start waits again.
        self.actors.retain(Actor::has_begun);
        for mut actor in std::mem::take(&mut self.actors) {
            let epoch = actor.start.epoch;
            let end = actor.recover(now, &mut self.store)?;
            if actor.start.epoch > epoch {
                let run = format!("run {}", actor.start.run.short());
                self.told.tell(now.wall, Some(actor.start.loop_id), What::TakenUp, run);
            }
            self.keep(actor, end)?;
        }
        Ok(())
    }

    /// Writes or takes away the file that halts everything or a loop, as a person would.
    fn halt(&mut self, of: Option<&str>, halts: bool) -> Result<()> {
        let (now, state) = (self.computer.now(), &self.context.home.state);
        let id = of.map(|name| {
            self.cast.id(name).with_context(|| format!("the scenario halts {name}, which is not simulated"))
        });
        let id = id.transpose()?;
        let path = id.map_or_else(|| halt::halt_all(state), |id| halt::halt_loop(state, id));
        match halts {
            true => {
                let note =
                    HaltNote { at: now.wall, by: "scenario".to_owned(), reason: "the scenario says so".to_owned() };
                halt::write(&path, &note)?;
            }
            false => drop(halt::clear(&path)?),
        }
        self.told.tell(now.wall, id, if halts { What::Halt } else { What::Resume }, "");
        Ok(())
    }

    /// Lets every run go on that has something to do; whether one has ended.
    fn act(&mut self) -> Result<bool> {
        let (now, mut ended) = (self.computer.now(), false);
        for mut actor in std::mem::take(&mut self.actors) {
            let mut end = None;
            if actor.due(now) <= now.truly || actor.is_halted() {
                if !actor.has_begun() {
                    let seen = simulated::one(self.store.read(), actor.start.occurrence)?;
                    self.told.began(now.wall, actor.start.run, &seen.context("a run without its occurrence")?);
                }
                end = actor.act(now, &mut self.store)?;
            }
            ended |= end.is_some();
            self.keep(actor, end)?;
        }
        Ok(ended)
    }

    /// Keeps a run that goes on, and tells how one has ended.
    fn keep(&mut self, actor: Actor, end: Option<End>) -> Result<()> {
        match end {
            None => self.actors.push(actor),
            Some(end) => {
                let start = &actor.start;
                self.told.ended(self.computer.now().wall, start.loop_id, start.run, &end, &self.store)?;
            }
        }
        Ok(())
    }

    /// Passes until nothing more follows from them at this moment.
    fn passes(&mut self) -> Result<()> {
        loop {
            let killed = self.pass()?;
            if !(self.act()? || killed) {
                return Ok(());
            }
        }
    }

    /// One pass of the scheduler; whether it was killed within.
    fn pass(&mut self) -> Result<bool> {
        let now = self.computer.now();
        self.context.now = now.wall;
        self.computer.beat();
        let machine = Machine {
            on_battery: self.computer.on_battery,
            absences: between(self.computer.last(), &self.computer.reading(), !self.restarted).absences,
        };
        let World { context, store, actors, cast, .. } = self;
        store.kill_after(self.kill_after);
        let passed = unless_killed(|| -> Result<Vec<Deed>> {
            let mut begun = Vec::new();
            let lost = lost_starts(store, actors);
            let deeds = lost.and_then(|()| {
                schedule::pass(context, store, &machine, &mut |context, store, starting| {
                    let claim = |tx: &rusqlite::Transaction<'_>| {
                        schedules::begin(tx, starting.occurrence, starting.run, context.now)
                    };
                    if !store.write(claim)? {
                        return Ok(false);
                    }
                    begun.push(cast.begin(starting, store, now)?);
                    Ok(true)
                })
            });
            actors.append(&mut begun);
            deeds
        });
        self.kill_after = self.store.commits_left();
        self.store.kill_after(None);
        let Some(deeds) = passed else {
            self.kill_after = None;
            self.restart()?;
            return Ok(true);
        };
        for deed in deeds? {
            if let Deed::Failed { what, why } = deed {
                self.told.tell(now.wall, None, What::Trouble, format!("{what}: {why}"));
            }
        }
        self.computer.looked();
        self.restarted = false;
        self.told.look(now.wall, &self.store)?;
        let at = schedule::wakes_at(&self.context, &self.store)?.map(|wall| self.computer.truly(wall));
        self.wakes = at.map(|at| if at <= now.truly { now.truly + TICK } else { at });
        Ok(false)
    }

    /// Another process takes the killed scheduler's place: it has nothing but the store.
    fn restart(&mut self) -> Result<()> {
        self.store = Store::throw_away(&self.context.home)?;
        self.restarted = true;
        self.wakes = Some(self.computer.now().truly);
        self.told.tell(self.computer.now().wall, None, What::Killed, "");
        Ok(())
    }
}

/// Gives back what was claimed for runs that have no process.
fn lost_starts(store: &mut Store, actors: &[Actor]) -> Result<()> {
    for (occurrence, run) in occurrences::not_begun(store.read())? {
        if actors.iter().any(|actor| actor.start.run == run) {
            continue;
        }
        if !store.write(|tx| schedules::begin_again(tx, occurrence, run))? {
            store.write(|tx| occurrences::give_up(tx, occurrence, run, "its run never began"))?;
        }
    }
    Ok(())
}

/// What an act came to; none if its process was killed within.
fn unless_killed<T>(act: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(act)) {
        Ok(done) => Some(done),
        Err(cause) if cause.is::<Killed>() => None,
        Err(cause) => resume_unwind(cause),
    }
}

fn register(context: &Context, store: &mut Store, simulated: &Simulated) -> Result<LoopId> {
    let (definition, id) = (&simulated.definition, LoopId(Uuid::now_v7()));
    let path = context.home.config.join("loops").join(&definition.name).join("loop.yaml");
    store.write(|tx| {
        let repo_path = Path::new("/simulated").to_owned();
        let repo = loops::repo(tx, &repo_path)?;
        let row = LoopRow {
            id,
            name: definition.name.clone(),
            path,
            repo,
            repo_path,
            mode: simulated.mode,
            hash: String::new(),
            triage_revision: None,
            triage_listed: Vec::new(),
        };
        loops::register(tx, &row, &stamp(context.now))?;
        schedule::keep(tx, context, id, definition)
    })?;
    Ok(id)
}

fn told_span(seconds: u64) -> String {
    match seconds / 86_400 {
        0 => loopwright_core::definition::duration(seconds),
        1 => "a day".to_owned(),
        days => format!("{days} days"),
    }
}

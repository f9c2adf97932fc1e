//! Everything that the tray shows at a glance. What it looks like is `core::desk`'s.

use std::path::Path;

use anyhow::Result;
use chrono::{DateTime, Utc};
use loopwright_core::desk::{
    Act, Desk, Glance, HaltFact, LoopFact, NextFact, Pause, PullRequestFact, Repair, RunFact, Said, SchedulerFact,
    Stands, View, WakeFact, desk,
};
use loopwright_core::gate::Level;
use loopwright_core::run::{End, HaltWhy, Step};
use loopwright_core::schedule;
use loopwright_core::scheduler::Health;
use loopwright_core::timing::CatchUpHow;

use super::{ApiError, Context, WakeState, WakeView, keys, landing, scheduler, wake};
use crate::halt::{self, HaltCause, HaltFiles, HaltLevel};
use crate::store::loops::LoopRow;
use crate::store::pull_requests::{self, PullRequestRecord};
use crate::store::{Store, loops, projection, runs, schedules};
use crate::{ending, os, settings};

/// How many runs are looked at for those that HALT stopped.
const STOPPED: u32 = 100;

/// What the shell alone knows.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// Whether the tray starts at login.
    pub at_login: bool,
    /// What came of the last click, if it failed.
    pub said: Option<Said>,
}

/// Looks again and again, and keeps the database open in between.
#[derive(Default)]
pub struct DeskLook {
    /// None before the first look and after an error.
    store: Option<Store>,
}

impl DeskLook {
    /// Gives back what is not needed until the next look, the toolkit's share of the heap with it.
    pub fn rest(&self) {
        os::give_memory_back();
    }

    /// Looks at everything that the tray shows. What can't be read is shown as broken: there is always a menu, and HALT in it.
    pub fn look(&mut self, context: &Context, shell: Shell) -> Desk {
        let mut glance = bare(context, shell);
        let filled = self.open(context).and_then(|store| fill(context, &store, &mut glance).map(|()| store));
        match filled {
            Ok(store) => {
                store.rest();
                self.store = Some(store);
            }
            Err(error) => {
                tracing::warn!("the tray can't look: {error:#}");
                glance.repairs.insert(0, unreadable(error));
            }
        }
        desk(&glance)
    }

    /// The store that it keeps, or another one where that is no longer the database.
    fn open(&mut self, context: &Context) -> Result<Store> {
        match self.store.take() {
            Some(store) if store.is_current(&context.home) => Ok(store),
            _ => Store::open(&context.home),
        }
    }
}

/// What is known without the database.
fn bare(context: &Context, shell: Shell) -> Glance {
    let view = scheduler(context);
    let scheduler = SchedulerFact { health: view.health, last: view.last_pass, fails: view.fault.is_some() };
    let mut repairs = Vec::new();
    if settings::read(&context.home).is_err() {
        repairs.push(repair("settings.yaml can't be read", "Show it", "settings.yaml"));
    }
    if context.home.tight().is_some() {
        repairs.push(repair("The disk is full", "Show which", "doctor"));
    }
    Glance {
        now: context.now,
        zone: context.zone,
        known: false,
        loops: Vec::new(),
        running: Vec::new(),
        waiting: Vec::new(),
        next: None,
        halted: halted(context, None),
        scheduler,
        repairs,
        wake: None,
        at_login: shell.at_login,
        said: shell.said,
    }
}

fn repair(problem: &str, verb: &str, place: &str) -> Repair {
    let act = Act::Open { view: View::Settings, target: Some(place.to_owned()) };
    Repair { problem: problem.to_owned(), verb: verb.to_owned(), act }
}

fn unreadable(error: anyhow::Error) -> Repair {
    let message = ApiError::from(error).message;
    let problem = match message {
        message if message.contains("damaged") => "The database is damaged",
        message if message.contains("newer") => "The database is of a newer version",
        _ => "The database can't be read",
    };
    repair(problem, "Show why", "doctor")
}

fn fill(context: &Context, store: &Store, glance: &mut Glance) -> Result<()> {
    let db = store.read();
    let rows = loops::all(db)?;
    glance.known = true;
    glance.loops = rows.iter().map(|row| loop_fact(store, row)).collect::<Result<_>>()?;
    for record in runs::live(db)?.iter().filter(|run| ending::lives(&context.home.run(run.id))) {
        let doing = projection::replay(db, record.id)?.and_then(|run| run.open.last().map(|(step, _)| doing(step)));
        glance.running.push(RunFact {
            id: record.id.to_string(),
            loop_name: record.loop_name.clone(),
            doing: doing.unwrap_or("starting"),
            spent: record.spent,
        });
    }
    let mut waiting = pull_requests::list(db, false)?;
    waiting.retain(|p| p.state != "sent back" && !landing::is_ahead(context, p.later_until.as_deref()));
    // What is new stands above what was there before.
    glance.waiting = waiting.iter().rev().map(|p| pull_request(context, store, p)).collect::<Result<_>>()?;
    glance.next = next(context, store)?;
    // Without a scheduler nothing sets an alarm, and that is what is said then.
    if glance.scheduler.health == Health::Alive {
        glance.wake = wakes(wake::look(context, store)?);
    }
    glance.halted = halted(context, Some(store));
    glance.repairs.extend(no_keys(context, store)?);
    Ok(())
}

/// Each key that loops lack; a keychain that is closed is one fault, however many keys are in it.
fn no_keys(context: &Context, store: &Store) -> Result<Vec<Repair>> {
    let mut repairs: Vec<Repair> = Vec::new();
    for lacked in keys::lacked(context, store)? {
        let (problem, verb) = lacked.lack.why.repair(&lacked.provider);
        if repairs.iter().all(|other| other.problem != problem) {
            repairs.push(repair(&problem, verb, "credentials"));
        }
    }
    Ok(repairs)
}

fn loop_fact(store: &Store, row: &LoopRow) -> Result<LoopFact> {
    let paused = schedules::paused_at(store.read(), row.id)?.is_some();
    let pause = match schedules::paused_until(store.read(), row.id)? {
        Some(until) => Pause::Until(until),
        None if paused => Pause::UntilResumed,
        None => Pause::On,
    };
    Ok(LoopFact { name: row.name.clone(), pause })
}

/// Whether the computer wakes for the next time; none = nobody asked for it, or it never sleeps.
fn wakes(view: WakeView) -> Option<WakeFact> {
    let armed = match view.state {
        WakeState::Armed => true,
        WakeState::WillNotWake => false,
        WakeState::NotAsked | WakeState::NeverSleeps => return None,
    };
    Some(WakeFact { at: view.at?, armed })
}

/// What a run does, in one word.
fn doing(step: &Step) -> &'static str {
    match step {
        Step::Prepare => "preparing",
        Step::Discover => "looking",
        Step::Build { .. } => "building",
        Step::Verify { .. } => "checking",
        Step::Ship { .. } => "shipping",
        Step::HandOver { .. } | Step::HoldBack { .. } => "handing over",
        Step::Wait { .. } => "waiting",
        Step::Run { .. } | Step::Finally { .. } => "working",
    }
}

fn pull_request(context: &Context, store: &Store, p: &PullRequestRecord) -> Result<PullRequestFact> {
    let stands = match p.state.as_str() {
        "approved" if landing::is_ahead(context, p.lands_at.as_deref()) => Stands::Landing,
        "approved" => Stands::Waits,
        _ => look_first(context, store, p)?.map_or(Stands::Open, Stands::Look),
    };
    Ok(PullRequestFact {
        id: p.id.to_string(),
        title: p.title.clone(),
        opened: p.opened_at.parse().unwrap_or(context.now),
        tree: p.tree.clone(),
        stands,
    })
}

/// Why it may not be approved without the diff; none = it may.
fn look_first(context: &Context, store: &Store, p: &PullRequestRecord) -> Result<Option<String>> {
    let of_loop = vec![(HaltLevel::Loop, halt::halt_loop(&context.home.state, p.loop_id))];
    if (HaltFiles { halts: of_loop, armed: None }).look().is_some() {
        return Ok(Some("its loop is halted".to_owned()));
    }
    let Some(verdict) = runs::attempt(store.read(), &p.attempt)?.0 else {
        return Ok(Some("it has no verdict".to_owned()));
    };
    if verdict.not_independent.is_some() {
        return Ok(Some("not independent".to_owned()));
    }
    if verdict.level == Level::Pass {
        return Ok(None);
    }
    let mut reasons = verdict.gates.iter().filter(|gate| gate.level != Level::Pass).flat_map(|gate| &gate.reasons);
    Ok(Some(reasons.next().cloned().unwrap_or_else(|| "a gate asks for you".to_owned())))
}

/// The next time at which a loop starts by itself; those that quiet hours skip are none, and held ones come at their end.
fn next(context: &Context, store: &Store) -> Result<Option<NextFact>> {
    let mut first: Option<NextFact> = None;
    for id in schedules::earliest(store.read(), context.now, 8)? {
        let Some((timing, false)) = schedules::timing(store.read(), id)? else { continue };
        let zone = timing.zone.unwrap_or(context.zone);
        let skips = timing.catch_up.how == CatchUpHow::Skip;
        let begins = schedule::due_times(&timing, zone, context.now).take(32).find_map(|(at, _)| {
            match schedule::quiet_until(&timing, zone, at) {
                Some(_) if skips => None,
                quiet => Some(quiet.unwrap_or(at)),
            }
        });
        let Some(at) = begins.filter(|at| first.as_ref().is_none_or(|first| *at < first.at)) else { continue };
        first = Some(NextFact { loop_name: loops::by_id(store.read(), id)?.name, at, zone });
    }
    Ok(first)
}

/// What stopped everything; how many runs that were is known to the store alone.
fn halted(context: &Context, store: Option<&Store>) -> Option<HaltFact> {
    let state = &context.home.state;
    let cause = HaltFiles::of_all(state).look()?;
    let note = halt::read(&halt::halt_all(state)).ok().flatten().filter(|_| matches!(cause, HaltCause::Asked(_)));
    let Some(note) = note else {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        return Some(HaltFact::Unarmed(match &cause {
            HaltCause::Unreadable(path) => format!("{} can't be read", name(path)),
            other => other.to_string(),
        }));
    };
    // A file that anybody laid there says neither when nor who.
    let at = (note.at != DateTime::<Utc>::default()).then_some(note.at);
    let stopped = store.zip(at).map_or(0, |(store, at)| stopped_since(store, at));
    Some(HaltFact::Asked { at, by: note.by, stopped })
}

fn stopped_since(store: &Store, at: DateTime<Utc>) -> usize {
    let ended = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let halted = |end: &Option<End>| matches!(end, Some(End::Halted { why: HaltWhy::Halt, .. }));
    let newest = runs::newest(store.read(), None, STOPPED).unwrap_or_default();
    newest.iter().filter(|run| halted(&run.end) && ended(&run.ended_at).is_some_and(|ended| ended >= at)).count()
}

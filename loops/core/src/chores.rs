//! Which chore is next: `run:` steps one after the other, services beside them, waits, and when a run is parked.
//!
//! Pure: what the engine observes is an argument. How far each chore is stands in [`crate::run`].

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::definition::{Chore, RunStep, Until};
use crate::next::{Next, Start};
use crate::run::{Chores, Progress, RanHow, Run, Stand, Step};
use crate::schedule::next_on_clock;

/// A wait that is further off than this, in seconds, is not waited out: the run is parked.
pub const PARK_S: i64 = 60;

/// What the engine observes for chores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The time.
    pub now: DateTime<Utc>,
    /// Those of [`files`] that are there.
    pub files: BTreeSet<String>,
    /// Open steps that were asked to end.
    pub ending: BTreeSet<Uuid>,
}

/// An open step whose end has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The try.
    pub id: Uuid,
    /// The step.
    pub step: Step,
    /// What ends it.
    pub how: RanHow,
}

/// What follows for the chores of `run`; none once they are over.
pub fn next(run: &Run, seen: &Observed) -> Option<Next> {
    if let Some(why) = failed(run) {
        return Some(Next::Fail(why));
    }
    let stops = stops(run, seen);
    if !stops.is_empty() {
        return Some(Next::Stop(stops));
    }
    if run.chores_over() {
        return None;
    }
    let starts = starts(run);
    // What ends it is there before it begins, as after a night without power.
    let over: Vec<Step> = starts.iter().filter(|start| ends(run, &start.step, seen)).map(|s| s.step.clone()).collect();
    Some(match () {
        () if !over.is_empty() => Next::PassOver(over),
        () if !starts.is_empty() => Next::Do(starts),
        () => park(run, seen).unwrap_or(Next::Wait),
    })
}

/// The files, relative to the loop's state folder, that a chore which is not over waits for.
pub fn files(run: &Run) -> BTreeSet<&str> {
    let open = run.chores().filter(|(_, progress)| !progress.done());
    open.filter_map(|(chore, _)| match until(chore) {
        Some(Until::File(path)) => Some(path.as_str()),
        _ => None,
    })
    .collect()
}

/// Whether what a parked run waits for is there.
pub fn wakes(run: &Run, seen: &Observed) -> bool {
    let waits = |(step, _): &(Step, Uuid)| match step {
        Step::Wait { until, .. } => reached(run, until, seen),
        _ => false,
    };
    run.open.iter().any(waits)
}

/// What each time in `steps` stands for in a run that begins at `start`: the next such time on the clock of `zone`.
pub fn with_moments(mut chores: Chores, start: DateTime<Utc>, zone: chrono_tz::Tz) -> Chores {
    for time in chores.steps.iter().filter_map(until) {
        if let Until::Time(time) = time {
            chores.moments.extend(next_on_clock(start, zone, *time).map(|at| (*time, at)));
        }
    }
    chores
}

/// What ends a chore whether or not it has ended by itself.
pub fn until(chore: &Chore) -> Option<&Until> {
    match chore {
        Chore::Run(step) => step.until.as_ref(),
        Chore::Wait(until) => Some(until),
    }
}

/// Why the run can't go on: a step that failed more often than it may.
fn failed(run: &Run) -> Option<String> {
    run.chores().find_map(|(chore, progress)| match chore {
        Chore::Run(step) if !progress.done() && progress.tries > step.retry.times => Some(failure(step, progress)),
        Chore::Wait(_) if progress.tries > 0 => Some(format!("a wait failed: {}", progress.error)),
        _ => None,
    })
}

fn failure(step: &RunStep, progress: &Progress) -> String {
    let tries = match progress.tries {
        1 => String::new(),
        n => format!(", {n} times"),
    };
    format!("{} failed{tries}: {}", step.name, progress.error)
}

/// The open steps whose end has come, and that don't know it yet.
fn stops(run: &Run, seen: &Observed) -> Vec<Stop> {
    let last = run.chores_left().next().is_none();
    let stop = |(step, id): &(Step, Uuid)| {
        let how = match step {
            Step::Run { .. } | Step::Wait { .. } if ends(run, step, seen) => RanHow::Until,
            Step::Run { .. } if last => RanHow::LastStep,
            _ => return None,
        };
        (!seen.ending.contains(id)).then(|| Stop { id: *id, step: step.clone(), how })
    };
    run.open.iter().filter_map(stop).collect()
}

/// The chores that begin now or are to be tried again: services that have begun once, and the first that has not come to its
/// end.
fn starts(run: &Run) -> Vec<Start> {
    let mut starts = Vec::new();
    if run.chores_left().next().is_none() {
        return starts;
    }
    for (place, (chore, progress)) in run.chores().enumerate() {
        if progress.done() {
            continue;
        }
        let step = Run::chore_step(place, chore);
        if !run.is_open(&step) {
            let retry = match chore {
                Chore::Run(step) if progress.tries > 0 => step.retry.every_s,
                _ => 0,
            };
            starts.push(Start { step, after_s: retry });
        }
        let beside = matches!(chore, Chore::Run(step) if step.service);
        // What follows a service begins once that has begun.
        if !beside || progress.stand == Stand::Ahead {
            break;
        }
    }
    starts
}

/// Whether what ends this step is there.
fn ends(run: &Run, step: &Step, seen: &Observed) -> bool {
    let mut all = run.start.chores.steps.iter().enumerate();
    let chore = all.find(|(place, chore)| Run::chore_step(*place, chore) == *step).map(|(_, chore)| chore);
    chore.and_then(until).is_some_and(|until| reached(run, until, seen))
}

fn reached(run: &Run, until: &Until, seen: &Observed) -> bool {
    match until {
        Until::Time(time) => run.start.chores.moments.get(time).is_some_and(|at| *at <= seen.now),
        Until::File(path) => seen.files.contains(path),
        Until::Exit(name) => run.chore_is_done(name),
    }
}

/// Parks a run that waits for something far off and does nothing else.
fn park(run: &Run, seen: &Observed) -> Option<Next> {
    let [(Step::Wait { until, .. }, _)] = run.open.as_slice() else { return None };
    match until {
        Until::Time(time) => {
            let at = *run.start.chores.moments.get(time)?;
            let far = at - seen.now > TimeDelta::seconds(PARK_S);
            far.then(|| Next::Park { until: Some(at), why: format!("until {}", time.format("%H:%M")) })
        }
        Until::File(path) => Some(Next::Park { until: None, why: format!("until state/{path} is there") }),
        Until::Exit(_) => None,
    }
}

#[cfg(test)]
mod tests;

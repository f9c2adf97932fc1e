//! The part of a run's state that is about chores: `run:` steps, waits, parking, and the `finally:` steps after its end.
//!
//! Which of them is next is decided in [`crate::chores`].

use chrono::{DateTime, Utc};

use super::{End, Ran, RanHow, Run, RunEvent, Step};
use crate::definition::{Chore, RunStep, Until};

/// How far a chore is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Where it stands.
    pub stand: Stand,
    /// Tries that failed.
    pub tries: u32,
    /// How the last one of them failed.
    pub error: String,
    /// The same in a few words, without what it printed: `exit code 9`.
    pub brief: String,
    /// Those of them that were cut off, so that nobody knows what they did.
    pub cut_off: u32,
    /// Whether the last one was.
    pub unknown: bool,
}

/// Where a chore stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stand {
    /// It has never begun.
    #[default]
    Ahead,
    /// It has begun, whether or not it is open now.
    Begun,
    /// It is over, and well.
    Done,
}

/// What a run without processes waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Until when; none = until a file is there.
    pub until: Option<DateTime<Utc>>,
    /// For what, as the rest of a sentence.
    pub why: String,
}

impl Progress {
    /// Whether it is over, and well.
    pub fn done(&self) -> bool {
        self.stand == Stand::Done
    }
}

impl Run {
    /// How often its processes died: a run that is parked has ended them itself.
    pub fn deaths(&self) -> u32 {
        self.start.epoch.saturating_sub(1).saturating_sub(self.parks)
    }

    /// The event with which it comes to this end: where steps follow on any end, they come first.
    pub fn end_event(&self, end: End) -> RunEvent {
        match self.ending.is_none() && !self.start.chores.finally.steps.is_empty() {
            true => RunEvent::Ending { end },
            false => RunEvent::RunEnded { end },
        }
    }

    /// The chores with how far each is.
    pub fn chores(&self) -> impl Iterator<Item = (&Chore, &Progress)> {
        self.start.chores.steps.iter().zip(&self.chores)
    }

    /// What did not end well of the steps after its end, by name: `report (exit code 9), flat (not begun)`; none if all did,
    /// or it has not ended.
    pub fn last_steps_failed(&self) -> Option<String> {
        self.end.as_ref()?;
        let steps = self.start.chores.finally.steps.iter().zip(&self.finally);
        let failed = steps.filter_map(|(step, progress)| match progress.stand {
            Stand::Done => None,
            Stand::Ahead => Some(format!("{} (not begun)", step.name)),
            Stand::Begun => Some(format!("{} ({})", step.name, progress.brief)),
        });
        let failed: Vec<String> = failed.collect();
        (!failed.is_empty()).then(|| failed.join(", "))
    }

    /// Whether a chore of this name is over, and well.
    pub fn chore_is_done(&self, name: &str) -> bool {
        self.chores().any(|(chore, progress)| matches!(chore, Chore::Run(step) if step.name == name) && progress.done())
    }

    /// A chore's own step in the journal.
    pub fn chore_step(place: usize, chore: &Chore) -> Step {
        match chore {
            Chore::Run(step) => Step::Run { name: step.name.clone() },
            Chore::Wait(until) => Step::Wait { place: u32::try_from(place).unwrap_or(u32::MAX), until: until.clone() },
        }
    }

    /// Whether this very step is open.
    pub fn is_open(&self, step: &Step) -> bool {
        self.open.iter().any(|(open, _)| open == step)
    }

    /// Whether no chore is open, and none is left that anything waits for.
    pub fn chores_over(&self) -> bool {
        let open = self.open.iter().any(|(step, _)| matches!(step, Step::Run { .. } | Step::Wait { .. }));
        !open && self.chores_left().next().is_none()
    }

    /// The chores that must come to their end by themselves: all but those that are ended after the last one.
    pub fn chores_left(&self) -> impl Iterator<Item = &Chore> {
        let all = self.chores().enumerate();
        all.filter(|(place, (_, progress))| !progress.done() && !self.lingers(*place)).map(|(_, (chore, _))| chore)
    }

    /// Whether this chore is a service that runs for others alone: it says no end, others follow on it, and none of them
    /// waits for its end.
    pub fn lingers(&self, place: usize) -> bool {
        let steps = &self.start.chores.steps;
        let Some(Chore::Run(step)) = steps.get(place) else { return false };
        let awaited = |chore: &Chore| match chore {
            Chore::Run(other) => other.until.as_ref() == Some(&Until::Exit(step.name.clone())),
            Chore::Wait(until) => *until == Until::Exit(step.name.clone()),
        };
        step.service && step.until.is_none() && place + 1 < steps.len() && !steps.iter().any(awaited)
    }

    /// What may follow where only some events may.
    pub(super) fn may_follow(&self, event: &RunEvent) -> Result<(), String> {
        let ends = matches!(event, RunEvent::RunEnded { .. } | RunEvent::Noted { .. });
        if let Some(decided) = &self.ending {
            return match event {
                RunEvent::RunEnded { end } if end != decided => Err("the run was to end otherwise".to_owned()),
                RunEvent::StepStarted { step: Step::Finally { .. }, .. } => Ok(()),
                RunEvent::StepFinished { .. } | RunEvent::StepFailed { .. } => Ok(()),
                _ if ends => Ok(()),
                _ => Err("the end of the run is decided".to_owned()),
            };
        }
        if self.parked.is_some() && !ends && !matches!(event, RunEvent::RunStarted(_) | RunEvent::Ending { .. }) {
            return Err("the run is parked".to_owned());
        }
        Ok(())
    }

    pub(super) fn park(&mut self, until: Option<DateTime<Utc>>, why: &str) -> Result<(), String> {
        if self.open.is_empty() || !self.open.iter().all(|(step, _)| matches!(step, Step::Wait { .. })) {
            return Err("only a run that waits, and does nothing else, can be parked".to_owned());
        }
        self.parked = Some(Parked { until, why: why.to_owned() });
        self.parks += 1;
        Ok(())
    }

    /// One after the other, but that services which have begun go on beside what follows.
    pub(super) fn may_start_chore(&self, step: &Step) -> bool {
        let Some(place) = self.place_of(step) else { return false };
        let passed = |(chore, progress): (&Chore, &Progress)| {
            progress.done() || progress.stand == Stand::Begun && matches!(chore, Chore::Run(step) if step.service)
        };
        !self.chores[place].done() && self.chores().take(place).all(passed)
    }

    pub(super) fn may_start_finally(&self, name: &str) -> bool {
        let Some(place) = finally_place(&self.start.chores.finally.steps, name) else { return false };
        self.ending.is_some() && !self.finally[place].done()
    }

    pub(super) fn chore_begun(&mut self, step: &Step) {
        if let Some(progress) = self.progress_mut(step) {
            progress.stand = Stand::Begun;
        }
    }

    pub(super) fn ran(&mut self, step: &Step, ran: &Ran) -> Result<(), String> {
        if ran.well() {
            return self.chore_done(step);
        }
        self.chore_failed(step, format!("it {}", ran.failure()))?;
        let progress = self.known_progress(step)?;
        progress.unknown = ran.how == RanHow::CutOff;
        progress.brief = ran.brief();
        progress.cut_off += u32::from(progress.unknown);
        Ok(())
    }

    pub(super) fn chore_done(&mut self, step: &Step) -> Result<(), String> {
        self.known_progress(step)?.stand = Stand::Done;
        Ok(())
    }

    pub(super) fn chore_failed(&mut self, step: &Step, error: String) -> Result<(), String> {
        let progress = self.known_progress(step)?;
        progress.tries += 1;
        progress.error = error;
        progress.brief = "it could not be done".to_owned();
        progress.unknown = false;
        Ok(())
    }

    fn known_progress(&mut self, step: &Step) -> Result<&mut Progress, String> {
        self.progress_mut(step).ok_or_else(|| format!("the run has no step {}", step.called()))
    }

    fn progress_mut(&mut self, step: &Step) -> Option<&mut Progress> {
        match step {
            Step::Finally { name } => {
                let place = finally_place(&self.start.chores.finally.steps, name)?;
                self.finally.get_mut(place)
            }
            _ => {
                let place = self.place_of(step)?;
                self.chores.get_mut(place)
            }
        }
    }

    fn place_of(&self, step: &Step) -> Option<usize> {
        let steps = &self.start.chores.steps;
        steps.iter().enumerate().position(|(place, chore)| Run::chore_step(place, chore) == *step)
    }
}

fn finally_place(steps: &[RunStep], name: &str) -> Option<usize> {
    steps.iter().position(|step| step.name == name)
}

//! The runner's part in chores: tries on threads of their own, what ends them, and parking.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use loopwright_core::chores::{Observed, Stop};
use loopwright_core::definition::Chore;
use loopwright_core::run::{Outcome, Ran, RanHow, RunEvent, Step};
use uuid::Uuid;

use super::{Done, Runner};
use crate::fail;
use crate::sandbox::stop::Stopper;
use crate::steps::chores;
use crate::workspace::Workspace;

/// How often it is looked whether a file is there that something waits for.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// What must be remembered of chores beside the journal.
#[derive(Default)]
pub(super) struct Memory {
    /// What ends each open try, and what it was asked to end by.
    tries: BTreeMap<Uuid, (Arc<Stopper>, Option<RanHow>)>,
    looked: Option<(Instant, BTreeSet<String>)>,
    /// The checkout of each open try that has one.
    checkouts: BTreeMap<Uuid, Workspace>,
}

impl Runner {
    /// What chores wait for; files are looked at four times a second.
    pub(super) fn look(&mut self) -> Observed {
        let now = (self.work.now)();
        let ending = self.memory.tries.iter().filter(|(_, (_, how))| how.is_some()).map(|(id, _)| *id).collect();
        if let Some((at, files)) = &self.memory.looked
            && at.elapsed() < LOOK
        {
            return Observed { now, files: files.clone(), ending };
        }
        let seen = chores::observed(&self.run, &self.work.state(), now);
        self.memory.looked = Some((Instant::now(), seen.files.clone()));
        Observed { ending, ..seen }
    }

    /// Begins a try of the `run:` step `name`.
    pub(super) fn try_step(&mut self, name: &str, id: Uuid) -> Result<()> {
        let steps = self.run.start.chores.steps.iter();
        let step = steps.filter_map(|chore| if let Chore::Run(step) = chore { Some(step) } else { None });
        let step = step.into_iter().find(|step| step.name == name).context("a step that the run does not have")?;
        let ready = self.work.attempt(step).and_then(|attempt| Ok((attempt, self.work.checkout(id)?)));
        let attempt = match ready {
            Ok((attempt, None)) => attempt,
            Ok((attempt, Some(checkout))) => {
                let attempt = attempt.with_checkout(&checkout);
                self.memory.checkouts.insert(id, checkout);
                attempt
            }
            Err(error) => return self.conclude(id, Err(error)),
        };
        self.memory.tries.insert(id, (attempt.stopper(), None));
        self.on_a_thread(id, "run", move || {
            let chores::Tried { ran, notes } = attempt.make()?.context("it was halted")?;
            Ok(Done { notes, ..Done::plain(Outcome::Ran(ran)) })
        })
    }

    /// Ends steps whose end has come.
    pub(super) fn stop(&mut self, stops: Vec<Stop>) -> Result<()> {
        for Stop { id, how, .. } in stops {
            match self.memory.tries.get_mut(&id) {
                Some((stopper, asked)) => {
                    *asked = Some(how);
                    stopper.stop();
                }
                None => self.conclude(id, Ok(Done::plain(Outcome::Waited)))?,
            }
        }
        Ok(())
    }

    /// Asks every step that still runs to end: the run has come to its own.
    pub(super) fn stop_all(&mut self) {
        for (stopper, asked) in self.memory.tries.values_mut() {
            asked.get_or_insert(RanHow::CutOff);
            stopper.stop();
        }
    }

    /// Whether anything is open that comes to its end by itself.
    pub(super) fn anything_runs(&self) -> bool {
        self.run.open.iter().any(|(step, _)| !matches!(step, Step::Wait { .. }))
    }

    /// Writes down that steps are over which never began.
    pub(super) fn pass_over(&mut self, steps: Vec<Step>) -> Result<()> {
        for step in steps {
            let id = Uuid::now_v7();
            let outcome = match step {
                Step::Wait { .. } => Outcome::Waited,
                _ => {
                    let how = RanHow::Until;
                    Outcome::Ran(Ran { how, code: None, seconds: 0, last: None, log: String::new() })
                }
            };
            self.record(RunEvent::StepStarted { step, id }, |_| Ok(()))?;
            fail::point("step-intent");
            self.record(RunEvent::StepFinished { id, outcome }, |_| Ok(()))?;
            fail::point("step-result");
        }
        Ok(())
    }

    /// What came of a try, once what ended it is known.
    pub(super) fn settled(&mut self, id: Uuid, done: Result<Done>) -> Result<Done> {
        let asked = self.memory.tries.remove(&id).and_then(|(_, how)| how);
        // One that can't be removed goes with the run's other workspaces.
        if let Some(checkout) = self.memory.checkouts.remove(&id)
            && let Err(error) = self.work.workspaces().and_then(|workspaces| workspaces.discard(checkout))
        {
            tracing::warn!("the checkout of a step stays: {error:#}");
        }
        let mut done = done?;
        if let (Outcome::Ran(ran), Some(how)) = (&mut done.outcome, asked)
            // What was well by itself was not cut off.
            && !(how == RanHow::CutOff && ran.well())
        {
            ran.how = how;
        }
        Ok(done)
    }
}

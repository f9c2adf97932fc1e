//! What follows on the end of a run: its `finally:` steps, in boxes, within a time of their own. Deaf to HALT, not to NOW.
//!
//! Which of them is next is decided in `core::finally`; the process that this is, is `api::finally_inner`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use loopwright_core::definition::RunStep;
use loopwright_core::finally::{Next, ahead, next, stays_unknown};
use loopwright_core::money::Micros;
use loopwright_core::run::{Outcome, Ran, RanHow, Run, RunEvent, Step};
use uuid::Uuid;

use crate::fail;
use crate::home::Home;
use crate::lease::Supervision;
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::sandbox::grants::Keeper;
use crate::steps::chores::{Attempt, Site, Tried};
use crate::steps::stamp;
use crate::store::loops::LoopRow;
use crate::store::{Store, projection};

/// How often NOW is looked for between two tries.
const LOOK: Duration = Duration::from_millis(100);
/// With less time than this no step begins.
const LEAST: Duration = Duration::from_secs(1);

/// A run whose end is decided, with all that its last steps need. Its loop file may be another one by now, or gone.
pub(crate) struct LastSteps {
    /// Where things are kept.
    pub(crate) home: Home,
    /// The person's home folder.
    pub(crate) person: Option<PathBuf>,
    /// The loop as it is registered.
    pub(crate) row: LoopRow,
    /// The store.
    pub(crate) store: Store,
    /// The run.
    pub(crate) run: Run,
    /// The hold on its directory.
    pub(crate) supervision: Arc<Supervision>,
    /// Where the steps run.
    pub(crate) sandbox: Bubblewrap,
}

impl LastSteps {
    /// Performs what is left, and writes the last event.
    ///
    /// # Errors
    /// Nothing can be stored; everything else ends up in the journal.
    pub(crate) fn perform(mut self) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(self.run.start.chores.finally.max_s);
        while self.go_on(until)? {}
        let end = self.run.ending.clone().context("a run without a decided end")?;
        fail::point("finally-ending");
        self.record(RunEvent::RunEnded { end })?;
        fail::point("finally-ended");
        Ok(())
    }

    /// Does what is next; false if that is nothing.
    fn go_on(&mut self, until: Instant) -> Result<bool> {
        let asked = self.supervision.halted().is_some();
        match next(&self.run) {
            Next::CutOff(id, name) => {
                let name = name.to_owned();
                self.was_cut_off(id, &name)?;
            }
            Next::Done => return Ok(false),
            Next::Start { .. } if asked => {
                self.note("finally-left-out", format!("`halt --now` leaves out: {}", ahead(&self.run).join(", ")))?;
                return Ok(false);
            }
            Next::Start { step, after_s } => {
                let (step, pause) = (step.clone(), Duration::from_secs(after_s));
                if until.saturating_duration_since(Instant::now()) < pause + LEAST {
                    self.too_late()?;
                    return Ok(false);
                }
                if self.wait(pause) {
                    self.try_step(&step, until)?;
                }
            }
        }
        Ok(true)
    }

    fn too_late(&mut self) -> Result<()> {
        let (most, left) = (self.run.start.chores.finally.max_s, ahead(&self.run).join(", "));
        self.note(
            "finally-late",
            format!("the {most} s that the steps after the end may take were over before: {left}"),
        )
    }

    /// Waits; false as soon as it is asked to stop.
    fn wait(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.supervision.halted().is_some() || left.is_zero() {
                return left.is_zero();
            }
            std::thread::sleep(left.min(LOOK));
        }
    }

    /// Closes a try that some earlier process has begun: nobody knows what came of it.
    fn was_cut_off(&mut self, id: Uuid, name: &str) -> Result<()> {
        let ran = Ran { how: RanHow::CutOff, code: None, seconds: 0, last: None, log: String::new() };
        self.record(RunEvent::StepFinished { id, outcome: Outcome::Ran(ran) })?;
        if !stays_unknown(&self.run, name) {
            return Ok(());
        }
        let why = format!("{name} was cut off, nobody knows what it did, and it is not repeated: look at what it left");
        self.note("finally-unknown", format!("{why} (a step that may be repeated says `idempotent: true`)"))
    }

    fn try_step(&mut self, step: &RunStep, until: Instant) -> Result<()> {
        let (id, began) = (Uuid::now_v7(), Instant::now());
        self.record(RunEvent::StepStarted { step: Step::Finally { name: step.name.clone() }, id })?;
        fail::point("finally-intent");
        let made = self.attempt(step, until).and_then(|attempt| attempt.make());
        fail::point("finally-acted");
        let event = match made {
            Ok(Some(Tried { ran, notes })) => {
                for (topic, text) in notes {
                    self.note(&topic, text)?;
                }
                RunEvent::StepFinished { id, outcome: Outcome::Ran(ran) }
            }
            Ok(None) => {
                let seconds = began.elapsed().as_secs();
                let ran = Ran { how: RanHow::CutOff, code: None, seconds, last: None, log: String::new() };
                RunEvent::StepFinished { id, outcome: Outcome::Ran(ran) }
            }
            Err(error) => RunEvent::StepFailed { id, charged: Micros::ZERO, error: format!("{error:#}") },
        };
        self.record(event)?;
        fail::point("finally-result");
        Ok(())
    }

    /// One try of a step, which ends with the time of all of them.
    fn attempt(&self, step: &RunStep, until: Instant) -> Result<Attempt> {
        let left = until.saturating_duration_since(Instant::now()).as_secs().max(1);
        let step = RunStep { max_s: Some(step.max_s.map_or(left, |own| own.min(left))), ..step.clone() };
        let run_dir = self.supervision.dir();
        let copy = run_dir.join("loop");
        let own = self.row.path.parent().context("the loop file has no folder")?;
        // A loop of chores alone is registered with its own folder in place of a repository.
        let repo = Some(self.row.repo_path.as_path()).filter(|repo| *repo != own);
        let site = Site {
            run: self.run.start.run,
            run_dir,
            folder: if copy.is_dir() { &copy } else { own },
            state: &self.home.loop_state(self.row.id),
            env: &self.run.start.chores.env,
            keeper: Keeper { home: &self.home, person: self.person.as_deref(), repo },
        };
        Attempt::new(&step, &site, &self.sandbox)
    }

    fn note(&mut self, topic: &str, text: String) -> Result<()> {
        self.record(RunEvent::Noted { topic: topic.to_owned(), text })
    }

    fn record(&mut self, event: RunEvent) -> Result<()> {
        let id = self.run.start.run;
        projection::record(&mut self.store, &mut self.run, event, &stamp(crate::clock::now()), |_| Ok(()))
            .with_context(|| format!("writing the journal of run {id}"))
    }
}

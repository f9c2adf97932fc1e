//! A scripted run: every event of it is decided by the core and stored as a real one is; only what agents, repositories and
//! commands would do is made up.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use loopwright_core::due::seconds;
use loopwright_core::finding::Fingerprint;
use loopwright_core::ledger::{Ceilings, Place};
use loopwright_core::money::Micros;
use loopwright_core::next::{Facts, Next, Start, checks_ahead, next};
use loopwright_core::recover::{Left, Recovery, recover};
use loopwright_core::run::{End, HaltWhy, Run, RunEvent, RunStart, Step};
use rusqlite::Transaction;
use uuid::Uuid;

use super::computer::Moment;
use super::script::{Plot, long};
use crate::halt::HaltFiles;
use crate::steps::stamp;
use crate::store::ledger::{self, Booking};
use crate::store::{Store, projection};

/// A run that goes on.
pub(super) struct Actor {
    /// What it goes by.
    pub(super) start: RunStart,
    plot: Plot,
    ceilings: Ceilings,
    halt: HaltFiles,
    /// None until its first event is stored.
    run: Option<Run>,
    /// When its epoch began; time that the computer slept is left out.
    began: DateTime<Utc>,
    /// When open steps end.
    ends: Vec<(DateTime<Utc>, Uuid)>,
    /// When a step that failed is due again.
    again: BTreeMap<Option<Fingerprint>, DateTime<Utc>>,
    /// How long it had worked when the computer fell asleep or was switched off.
    left_s: u64,
    /// Why the ledger has refused a round.
    refused: Option<String>,
}

impl Actor {
    /// A run whose process has just been started.
    pub(super) fn new(start: RunStart, plot: Plot, ceilings: Ceilings, halt: HaltFiles, now: Moment) -> Actor {
        let (ends, again) = (Vec::new(), BTreeMap::new());
        Actor { start, plot, ceilings, halt, run: None, began: now.truly, ends, again, left_s: 0, refused: None }
    }

    /// When it has something to do, by the right clock.
    pub(super) fn due(&self) -> DateTime<Utc> {
        let over = self.began + seconds(self.start.rails.max_duration_s.saturating_sub(self.start.worked_s));
        let times = self.ends.iter().map(|(at, _)| *at).chain(self.again.values().copied());
        if self.run.is_none() { self.began } else { times.fold(over, DateTime::min) }
    }

    /// Whether a file says that it is to stop.
    pub(super) fn is_halted(&self) -> bool {
        self.halt.look().is_some()
    }

    /// Whether its first event is stored.
    pub(super) fn has_begun(&self) -> bool {
        self.run.is_some()
    }

    /// The computer falls asleep or is switched off.
    pub(super) fn leave(&mut self, now: Moment) {
        self.left_s = self.worked_s(now);
    }

    /// The computer slept so long, and the run with it.
    pub(super) fn slept(&mut self, long: Duration) {
        self.began += long;
        self.ends.iter_mut().for_each(|(at, _)| *at += long);
        self.again.values_mut().for_each(|at| *at += long);
    }

    /// Goes on until it has to wait; its end, once it has one.
    pub(super) fn act(&mut self, now: Moment, store: &mut Store) -> Result<Option<End>> {
        if self.run.is_none() {
            let mut run = Run::new(self.start.clone());
            let event = RunEvent::RunStarted(Box::new(self.start.clone()));
            projection::record(store, &mut run, event, &stamp(now.wall), |_| Ok(()))?;
            self.run = Some(run);
            self.began = now.truly;
        }
        while let Some(at) = self.ends.iter().position(|(at, _)| *at <= now.truly) {
            let (_, id) = self.ends.remove(at);
            self.conclude(now, store, id)?;
        }
        self.decide(now, store)
    }

    fn decide(&mut self, now: Moment, store: &mut Store) -> Result<Option<End>> {
        loop {
            let facts = self.facts(now);
            let starts = match next(self.run()?, &facts) {
                Next::Do(starts) => starts,
                Next::Wait => return Ok(None),
                Next::Halt { why, detail } => return self.finish(now, store, End::Halted { why, detail }).map(Some),
                Next::Fail(why) => return self.finish(now, store, End::Failed { why }).map(Some),
                Next::Done => return self.finish(now, store, End::Finished).map(Some),
            };
            let mut any = false;
            for start in starts {
                if self.is_due(&start, now) {
                    any = true;
                    if let Some(end) = self.perform(now, store, &start.step)? {
                        return self.finish(now, store, end).map(Some);
                    }
                }
            }
            if !any {
                return Ok(None);
            }
        }
    }

    fn run(&self) -> Result<&Run> {
        self.run.as_ref().context("a simulated run acts before it has begun")
    }

    fn facts(&self, now: Moment) -> Facts {
        Facts {
            halted: self.halt.look().map(|cause| cause.to_string()),
            awake_s: self.worked_s(now),
            open_pull_requests: 0,
            refused: self.refused.clone(),
        }
    }

    fn worked_s(&self, now: Moment) -> u64 {
        self.start.worked_s + u64::try_from((now.truly - self.began).num_seconds()).unwrap_or(0)
    }

    /// Whether the pause before a step is over; the first question begins it.
    fn is_due(&mut self, start: &Start, now: Moment) -> bool {
        if start.after_s == 0 {
            return true;
        }
        let of = start.step.finding().cloned();
        let over = *self.again.entry(of.clone()).or_insert(now.truly + seconds(start.after_s)) <= now.truly;
        if over {
            self.again.remove(&of);
        }
        over
    }

    /// Writes down the step and begins it; an end if the ledger refuses it.
    fn perform(&mut self, now: Moment, store: &mut Store, step: &Step) -> Result<Option<End>> {
        let (id, place, at) = (Uuid::now_v7(), self.place(now), stamp(now.wall));
        let ceilings = Ceilings { beside: checks_ahead(self.run()?, step), ..self.ceilings.clone() };
        let event = RunEvent::StepStarted { step: step.clone(), id };
        let started = self.record(now, store, event, |tx| match step.reserved() {
            Some(amount) => ledger::reserve(tx, &Booking { place, step: id, at: &at }, amount, &ceilings),
            None => Ok(()),
        });
        if let Err(error) = started {
            let detail = error.downcast::<ledger::CeilingReached>()?.to_string();
            if !matches!(step, Step::Build { .. }) {
                return Ok(Some(End::Halted { why: HaltWhy::Budget, detail }));
            }
            self.refused = Some(detail);
            return Ok(None);
        }
        match long(&self.plot.script, step) {
            0 => self.conclude(now, store, id)?,
            s => self.ends.push((now.truly + seconds(s), id)),
        }
        Ok(None)
    }

    /// Writes down what came of a step.
    fn conclude(&mut self, now: Moment, store: &mut Store, id: Uuid) -> Result<()> {
        let run = self.run()?;
        let step = run.open_step(id).context("a simulated step that is not open")?.clone();
        let at = stamp(now.wall);
        match self.plot.outcome(store, run, &step, id, &at)? {
            Ok(played) => {
                let (charged, event) = (played.charged, RunEvent::StepFinished { id, outcome: played.outcome });
                self.record(now, store, event, |tx| settle(tx, &step, id, charged, &at))
            }
            Err(error) => {
                let charged = step.reserved().unwrap_or_default();
                let event = RunEvent::StepFailed { id, charged, error };
                self.record(now, store, event, |tx| settle(tx, &step, id, charged, &at))
            }
        }
    }

    fn finish(&mut self, now: Moment, store: &mut Store, end: End) -> Result<End> {
        let (open, at) = (self.run()?.open.clone(), stamp(now.wall));
        self.record(now, store, RunEvent::RunEnded { end: end.clone() }, |tx| ledger::cut_off(tx, &open, &at))?;
        Ok(end)
    }

    /// The computer was off: whoever looks first decides whether the run goes on; its end, if it does not.
    pub(super) fn recover(&mut self, now: Moment, store: &mut Store) -> Result<Option<End>> {
        let halted = self.halt.look().map(|cause| cause.to_string());
        let worked_s = self.left_s;
        let left = Left { run: self.run()?, alive: false, halted: halted.as_deref(), ended: None, worked_s };
        match recover(&left) {
            Recovery::Leave => Ok(None),
            Recovery::End(end) => self.finish(now, store, end).map(Some),
            Recovery::TakeUp => {
                self.start.epoch += 1;
                self.start.worked_s = worked_s;
                let (open, at) = (self.run()?.open.clone(), stamp(now.wall));
                let event = RunEvent::RunStarted(Box::new(self.start.clone()));
                self.record(now, store, event, |tx| ledger::cut_off(tx, &open, &at))?;
                (self.began, self.refused) = (now.truly, None);
                self.ends.clear();
                self.again.clear();
                self.act(now, store)
            }
        }
    }

    fn record(
        &mut self,
        now: Moment,
        store: &mut Store,
        event: RunEvent,
        also: impl FnOnce(&Transaction<'_>) -> Result<()>,
    ) -> Result<()> {
        let run = self.run.as_mut().context("a simulated run writes before it has begun")?;
        projection::record(store, run, event, &stamp(now.wall), also)
    }

    fn place(&self, now: Moment) -> Place {
        let day = |zone| now.wall.with_timezone(&zone).date_naive();
        let (run, loop_id) = (self.start.run, self.start.loop_id);
        Place { run, loop_id, day: day(self.ceilings.zone), fleet_day: day(self.ceilings.fleet_zone) }
    }
}

fn settle(tx: &Transaction<'_>, step: &Step, id: Uuid, charge: Micros, at: &str) -> Result<()> {
    step.reserved().map_or(Ok(()), |_| ledger::settle(tx, id, charge, at))
}

//! A scripted run: every event of it is decided by the core and stored as a real one is; only what agents, repositories and
//! commands would do is made up.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use loopwright_core::chores::Observed;
use loopwright_core::due::seconds;
use loopwright_core::finally;
use loopwright_core::ledger::{Ceilings, Place};
use loopwright_core::money::Micros;
use loopwright_core::next::{Facts, Next, Start, checks_ahead, next};
use loopwright_core::recover::{Left, Recovery, recover};
use loopwright_core::run::{End, HaltWhy, Outcome, Ran, RanHow, Run, RunEvent, RunStart, Step};
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
    /// When the steps that were begun in this epoch began.
    since: BTreeMap<Uuid, DateTime<Utc>>,
    /// When a step that failed is due again.
    again: BTreeMap<String, DateTime<Utc>>,
    /// When it acted last, by the computer's clock.
    acted: DateTime<Utc>,
    /// How long it had worked when the computer fell asleep or was switched off.
    left_s: u64,
    /// Why the ledger has refused a round.
    refused: Option<String>,
}

impl Actor {
    /// A run whose process has just been started.
    pub(super) fn new(start: RunStart, plot: Plot, ceilings: Ceilings, halt: HaltFiles, now: Moment) -> Actor {
        let (ends, since, again) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Actor {
            start,
            plot,
            ceilings,
            halt,
            run: None,
            began: now.truly,
            ends,
            since,
            again,
            acted: now.wall,
            left_s: 0,
            refused: None,
        }
    }

    /// When it has something to do, by the right clock.
    pub(super) fn due(&self, now: Moment) -> DateTime<Utc> {
        let Some(run) = &self.run else { return self.began };
        let truly = |wall: DateTime<Utc>| wall - (now.wall - now.truly);
        if let Some(parked) = &run.parked {
            return parked.until.map_or(DateTime::<Utc>::MAX_UTC, truly);
        }
        let over = self.began + seconds(self.start.rails.max_duration_s.saturating_sub(self.start.worked_s));
        let moments = self.start.chores.moments.values().filter(|at| **at > self.acted).map(|at| truly(*at));
        let times = self.ends.iter().map(|(at, _)| *at).chain(self.again.values().copied()).chain(moments);
        times.fold(over, DateTime::min)
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
        if !self.is_parked() {
            self.left_s = self.worked_s(now);
        }
    }

    fn is_parked(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.parked.is_some())
    }

    /// The computer slept so long, and the run with it.
    pub(super) fn slept(&mut self, long: Duration) {
        self.began += long;
        self.ends.iter_mut().for_each(|(at, _)| *at += long);
        self.since.values_mut().for_each(|at| *at += long);
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
        if self.is_parked() {
            return self.recover(now, store);
        }
        while let Some(at) = self.ends.iter().position(|(at, _)| *at <= now.truly) {
            let (_, id) = self.ends.remove(at);
            self.conclude(now, store, id)?;
        }
        self.decide(now, store)
    }

    fn decide(&mut self, now: Moment, store: &mut Store) -> Result<Option<End>> {
        self.acted = now.wall;
        loop {
            let facts = self.facts(now);
            let end = match next(self.run()?, &facts) {
                Next::Do(starts) => match self.begin(now, store, starts)? {
                    Begun::Some => continue,
                    Begun::None => return Ok(None),
                    Begun::Refused(end) => end,
                },
                Next::Stop(stops) => {
                    for stop in stops {
                        self.ends.retain(|(_, id)| *id != stop.id);
                        let outcome = ended(&stop.step, stop.how, self.lasted(now, stop.id));
                        let event = RunEvent::StepFinished { id: stop.id, outcome };
                        self.record(now, store, event, |_| Ok(()))?;
                    }
                    continue;
                }
                Next::PassOver(steps) => {
                    for step in steps {
                        let (id, outcome) = (Uuid::now_v7(), ended(&step, RanHow::Until, None));
                        self.record(now, store, RunEvent::StepStarted { step, id }, |_| Ok(()))?;
                        self.record(now, store, RunEvent::StepFinished { id, outcome }, |_| Ok(()))?;
                    }
                    continue;
                }
                Next::Park { until, why } => {
                    self.left_s = self.worked_s(now);
                    self.record(now, store, RunEvent::Parked { until, why }, |_| Ok(()))?;
                    return Ok(None);
                }
                Next::Wait => return Ok(None),
                Next::Halt { why, detail } => End::Halted { why, detail },
                Next::Fail(why) => End::Failed { why },
                Next::Done => End::Finished,
            };
            return self.finish(now, store, end).map(Some);
        }
    }

    /// Begins the steps that are due.
    fn begin(&mut self, now: Moment, store: &mut Store, starts: Vec<Start>) -> Result<Begun> {
        let mut begun = Begun::None;
        for start in starts {
            if self.is_due(&start, now) {
                begun = Begun::Some;
                if let Some(end) = self.perform(now, store, &start.step)? {
                    return Ok(Begun::Refused(end));
                }
            }
        }
        Ok(begun)
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
            chores: observed(now),
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
        let of = start.step.finding().map_or_else(|| start.step.called().to_owned(), |finding| finding.0.clone());
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
        self.since.insert(id, now.truly);
        match long(&self.plot.script, &self.start.chores, step) {
            Some(0) => self.conclude(now, store, id)?,
            Some(s) => self.ends.push((now.truly + seconds(s), id)),
            // It stays open until the core says that it is over.
            None => {}
        }
        Ok(None)
    }

    /// For how many seconds a step was open; it is over now.
    fn lasted(&mut self, now: Moment, id: Uuid) -> Option<u64> {
        let since = self.since.remove(&id)?;
        Some(u64::try_from((now.truly - since).num_seconds()).unwrap_or(0))
    }

    /// Writes down what came of a step.
    fn conclude(&mut self, now: Moment, store: &mut Store, id: Uuid) -> Result<()> {
        let run = self.run()?;
        let step = run.open_step(id).context("a simulated step that is not open")?.clone();
        let at = stamp(now.wall);
        let came = self.plot.outcome(store, run, &step, id, &at)?;
        let lasted = self.lasted(now, id).unwrap_or(0);
        match came {
            Ok(played) => {
                let (charged, mut outcome) = (played.charged, played.outcome);
                if let Outcome::Ran(ran) = &mut outcome {
                    ran.seconds = lasted;
                }
                let event = RunEvent::StepFinished { id, outcome };
                self.record(now, store, event, |tx| settle(tx, &step, id, charged, &at))
            }
            Err(error) => {
                let charged = step.reserved().unwrap_or_default();
                let event = RunEvent::StepFailed { id, charged, error };
                self.record(now, store, event, |tx| settle(tx, &step, id, charged, &at))
            }
        }
    }

    /// Writes the end, after the steps that follow on any end.
    fn finish(&mut self, now: Moment, store: &mut Store, end: End) -> Result<End> {
        let (run, at) = (self.run()?, stamp(now.wall));
        let (open, event) = (run.open.clone(), run.end_event(end.clone()));
        self.record(now, store, event, |tx| ledger::cut_off(tx, &open, &at))?;
        while let finally::Next::Start { step, .. } = finally::next(self.run()?) {
            let (id, ran) = (Uuid::now_v7(), self.plot.ran(&step.name));
            let step = Step::Finally { name: step.name.clone() };
            self.record(now, store, RunEvent::StepStarted { step, id }, |_| Ok(()))?;
            let outcome = Outcome::Ran(ran);
            self.record(now, store, RunEvent::StepFinished { id, outcome }, |_| Ok(()))?;
        }
        if self.run()?.end.is_none() {
            self.record(now, store, RunEvent::RunEnded { end: end.clone() }, |_| Ok(()))?;
        }
        Ok(end)
    }

    /// It has no processes, as the computer was off or it is parked: whoever looks decides whether it goes on; its end, if not.
    pub(super) fn recover(&mut self, now: Moment, store: &mut Store) -> Result<Option<End>> {
        let halted = self.halt.look().map(|cause| cause.to_string());
        let worked_s = self.left_s;
        let seen = observed(now);
        let left =
            Left { run: self.run()?, alive: false, halted: halted.as_deref(), ended: None, worked_s, chores: &seen };
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
                self.since.clear();
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

/// Whether steps have begun.
enum Begun {
    Some,
    None,
    /// The ledger has refused one, and the run ends.
    Refused(End),
}

/// No file that anything waits for is ever there.
fn observed(now: Moment) -> Observed {
    Observed { now: now.wall, ..Observed::default() }
}

/// How a chore is ended from outside, or passed over, if it `lasted` not at all.
fn ended(step: &Step, how: RanHow, lasted: Option<u64>) -> Outcome {
    // That there is a log says that it had begun.
    let log = lasted.map_or_else(String::new, |_| format!("{}-1.log", step.called()));
    match step {
        Step::Wait { .. } => Outcome::Waited,
        _ => Outcome::Ran(Ran { how, code: None, seconds: lasted.unwrap_or(0), last: None, log }),
    }
}

fn settle(tx: &Transaction<'_>, step: &Step, id: Uuid, charge: Micros, at: &str) -> Result<()> {
    step.reserved().map_or(Ok(()), |_| ledger::settle(tx, id, charge, at))
}

//! The runner: observe, ask `core::next`, write down the step, do it, write down what came of it. Until nothing is left.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use loopwright_core::lease::EndCause;
use loopwright_core::ledger::{Ceilings, Place};
use loopwright_core::money::Micros;
use loopwright_core::next::{Facts, Next, next};
use loopwright_core::run::{End, HaltWhy, Outcome, Run, RunEvent, RunStart, Step};
use rusqlite::Transaction;
use uuid::Uuid;

use crate::halt::HaltCause;
use crate::settings;
use crate::steps::{Work, build, discover, prepare, ship, verify};
use crate::store::ledger::{self, Booking};
use crate::store::{projection, pull_requests};

/// A run in progress.
pub struct Runner {
    work: Work,
    run: Run,
    began: Instant,
}

/// Runs a run from its first event to its last.
///
/// # Errors
/// Nothing can be stored any more; everything else ends up in the journal.
pub fn run(work: Work, start: RunStart) -> Result<End> {
    let mut runner = Runner { work, run: Run::new(start.clone()), began: Instant::now() };
    runner.record(RunEvent::RunStarted(Box::new(start)), |_| Ok(()))?;
    let end = runner.drive()?;
    runner.finish(end)
}

impl Runner {
    fn drive(&mut self) -> Result<End> {
        loop {
            match next(&self.run, &self.observe()?) {
                Next::Do(steps) => {
                    for step in steps {
                        if let Some(end) = self.perform(&step)? {
                            return Ok(end);
                        }
                    }
                }
                Next::Again { step, after_s } => {
                    if self.wait(Duration::from_secs(after_s))
                        && let Some(end) = self.perform(&step)?
                    {
                        return Ok(end);
                    }
                }
                Next::Halt { why, detail } => return Ok(End::Halted { why, detail }),
                Next::Fail(why) => return Ok(End::Failed { why }),
                Next::Done => return Ok(End::Finished),
            }
        }
    }

    fn observe(&self) -> Result<Facts> {
        let cause = self.work.supervision.halted();
        // A watchdog that ends the run for its time has counted more exactly than we have.
        let late = cause == Some(HaltCause::Watchdog(EndCause::Time));
        let awake_s = self.began.elapsed().as_secs();
        Ok(Facts {
            halted: cause.filter(|_| !late).map(|cause| self.work.supervision.halt_text(&cause)),
            awake_s: if late { awake_s.max(self.run.start.rails.max_duration_s) } else { awake_s },
            open_pull_requests: pull_requests::open_before(
                self.work.store.read(),
                self.run.start.loop_id,
                self.run.start.run,
            )?,
        })
    }

    /// Waits between two tries; `false` when HALT came.
    fn wait(&self, pause: Duration) -> bool {
        let until = Instant::now() + pause;
        while Instant::now() < until {
            if self.work.supervision.halted().is_some() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(100).min(until - Instant::now()));
        }
        true
    }

    /// Writes down the step, does it, and writes down what came of it; an end if the ledger refuses the step.
    fn perform(&mut self, step: &Step) -> Result<Option<End>> {
        let id = Uuid::now_v7();
        let reserve = reserved(step);
        // A round that could not be checked any more would be paid for nothing.
        let beside = if matches!(step, Step::Build { .. }) { self.run.start.checker_price() } else { Micros::ZERO };
        let (place, ceilings, at) = (self.place(), self.ceilings(beside), self.work.stamp());
        let started = self.record(RunEvent::StepStarted { step: step.clone(), id }, |tx| match reserve {
            Some(amount) => ledger::reserve(tx, &Booking { place, step: id, at: &at }, amount, &ceilings),
            None => Ok(()),
        });
        if let Err(error) = started {
            // The ledger has the last word on money, whatever was decided before.
            let refused = error.downcast::<ledger::CeilingReached>()?;
            return Ok(Some(End::Halted { why: HaltWhy::Budget, detail: refused.to_string() }));
        }
        self.tell();
        let began = Instant::now();
        let done = self.act(step, id);
        tracing::info!(run.id = %self.run.start.run, step = step.name(), duration_ms = began.elapsed().as_millis(), ok = done.is_ok());
        match done {
            Ok(done) => self.done(id, reserve.is_some(), done)?,
            Err(error) => self.failed(id, reserve, &error)?,
        }
        self.tell();
        Ok(None)
    }

    fn act(&mut self, step: &Step, id: Uuid) -> Result<Done> {
        let work = &mut self.work;
        let plain = |outcome| Done { outcome, notes: Vec::new(), pull_request: None };
        Ok(match step {
            Step::Prepare => plain(prepare::prepare(work)?),
            Step::Discover => {
                let (outcome, notes) = discover::discover(work, self.run.start.only.as_ref())?;
                Done { outcome, notes, pull_request: None }
            }
            Step::Build { finding, iteration, reserve } => {
                let round = build::Round { id, finding, iteration: *iteration, reserve: *reserve };
                plain(build::build(work, &self.run, &round)?)
            }
            Step::Verify { finding, reserve } => plain(verify::verify(work, &self.run, finding, *reserve)?),
            Step::Ship { finding } => {
                let opened = ship::ship(work, &self.run, finding)?;
                Done { outcome: opened.outcome.clone(), notes: Vec::new(), pull_request: Some(opened) }
            }
            Step::HandOver { .. } | Step::HoldBack { .. } => plain(Outcome::Noted),
        })
    }

    fn done(&mut self, id: Uuid, priced: bool, done: Done) -> Result<()> {
        for (topic, text) in done.notes {
            self.record(RunEvent::Noted { topic, text }, |_| Ok(()))?;
        }
        let charged = charged(&done.outcome);
        let at = self.work.stamp();
        self.record(RunEvent::StepFinished { id, outcome: done.outcome }, |tx| {
            if let Some(opened) = &done.pull_request {
                opened.store(tx)?;
            }
            settle(tx, priced.then_some(id), charged, &at)
        })
    }

    /// A step that could not be done: what it may have cost is charged.
    fn failed(&mut self, id: Uuid, reserve: Option<Micros>, error: &anyhow::Error) -> Result<()> {
        let charged = reserve.unwrap_or_default();
        let (priced, at) = (reserve.map(|_| id), self.work.stamp());
        let error = match self.work.supervision.halted() {
            Some(cause) => format!("it was cut off: {}", self.work.supervision.halt_text(&cause)),
            None => format!("{error:#}"),
        };
        self.record(RunEvent::StepFailed { id, charged, error }, |tx| settle(tx, priced, charged, &at))
    }

    /// The last event, and the triage list as it is now.
    fn finish(&mut self, end: End) -> Result<End> {
        if self.run.discovered.is_some() {
            match discover::refresh(&mut self.work) {
                Ok(notes) => {
                    for (topic, text) in notes {
                        self.record(RunEvent::Noted { topic, text }, |_| Ok(()))?;
                    }
                }
                Err(error) => {
                    let text = format!("the triage list was not written again: {error:#}");
                    self.record(RunEvent::Noted { topic: "triage-unwritten".to_owned(), text }, |_| Ok(()))?;
                }
            }
        }
        self.record(RunEvent::RunEnded { end: end.clone() }, |_| Ok(()))?;
        Ok(end)
    }

    fn record(&mut self, event: RunEvent, also: impl FnOnce(&Transaction<'_>) -> Result<()>) -> Result<()> {
        let at = self.work.stamp();
        projection::record(&mut self.work.store, &mut self.run, event, &at, also)
            .with_context(|| format!("writing the journal of run {}", self.run.start.run))
    }

    /// Lets the watchdog know what the run has spent.
    fn tell(&self) {
        self.work.supervision.tell(|beat| {
            beat.spent = self.run.spent;
            beat.reserved = self.run.reserved();
        });
    }

    /// Where what a step costs is booked today.
    fn place(&self) -> Place {
        let (at, ceilings) = ((self.work.now)(), self.ceilings(Micros::ZERO));
        let day = |zone| at.with_timezone(&zone).date_naive();
        let (run, loop_id) = (self.run.start.run, self.run.start.loop_id);
        Place { run, loop_id, day: day(ceilings.zone), fleet_day: day(ceilings.fleet_zone) }
    }

    /// What holds for this run; `beside` must fit too.
    fn ceilings(&self, beside: Micros) -> Ceilings {
        let (start, resolved, computer) = (&self.run.start, &self.work.resolved, settings::zone());
        Ceilings {
            loop_name: start.loop_name.clone(),
            run: start.rails.budget,
            of_loop: start.rails.ceilings.clone(),
            of_fleet: resolved.settings.ceilings.clone(),
            zone: resolved.definition.zone.unwrap_or(computer),
            fleet_zone: computer,
            beside,
        }
    }
}

/// What a step came to, before it is stored.
struct Done {
    outcome: Outcome,
    notes: Vec<(String, String)>,
    pull_request: Option<ship::Opened>,
}

fn reserved(step: &Step) -> Option<Micros> {
    match step {
        Step::Build { reserve, .. } | Step::Verify { reserve, .. } => Some(*reserve),
        _ => None,
    }
}

fn charged(outcome: &Outcome) -> Micros {
    match outcome {
        Outcome::Built(built) => built.charged,
        Outcome::Verified { charged, .. } => *charged,
        _ => Micros::ZERO,
    }
}

fn settle(tx: &Transaction<'_>, priced: Option<Uuid>, charge: Micros, at: &str) -> Result<()> {
    priced.map_or(Ok(()), |step| ledger::settle(tx, step, charge, at))
}

/// How a run that lost its runner ended, from what its watchdog left.
pub fn end_left_by(end: Option<&loopwright_core::lease::End>) -> End {
    use loopwright_core::lease::EndCause;
    match end.map(|e| e.cause) {
        Some(EndCause::Halted) => End::Halted { why: HaltWhy::Halt, detail: "its watchdog ended it".to_owned() },
        Some(EndCause::Time) => {
            End::Halted { why: HaltWhy::Time, detail: "its watchdog ended it: the time was over".to_owned() }
        }
        _ => End::Failed { why: "its runner died; its findings are open again".to_owned() },
    }
}

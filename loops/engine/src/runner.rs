//! The runner: observe, ask `core::next`, write down the steps, do them, write down what came of them. Until nothing is left.
//!
//! One thread writes the journal. Makers and gates run beside it, each on a thread of its own: a sandbox dies with the thread
//! that started it, so that thread lives as long as the step.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use loopwright_core::lease::EndCause;
use loopwright_core::ledger::{Ceilings, Place};
use loopwright_core::money::Micros;
use loopwright_core::next::{Facts, Next, Start, checks_ahead, next};
use loopwright_core::recover::MOST_TAKEN_UP;
use loopwright_core::run::{End, HaltWhy, Outcome, Run, RunEvent, RunStart, Step};
use rusqlite::Transaction;
use uuid::Uuid;

use crate::fail;
use crate::halt::HaltCause;
use crate::settings;
use crate::steps::{Work, build, discover, prepare, scan, ship, verify};
use crate::store::ledger::{self, Booking};
use crate::store::{projection, pull_requests};

mod chores;

use chores::Memory;

/// How often a runner that waits looks whether it is halted.
const LOOK: Duration = Duration::from_millis(100);

/// How the processes of a run came to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Left {
    /// With the run.
    Ended(End),
    /// The run waits for something, and goes on later.
    Parked,
}

/// A run in progress.
pub struct Runner {
    work: Work,
    run: Run,
    began: Instant,
    /// Awake time of the epochs before this one.
    before: Duration,
    /// When a step that failed is due again, by its finding or its name.
    due: BTreeMap<String, Instant>,
    memory: Memory,
    ended: (Sender<Ended>, Receiver<Ended>),
    /// Why the ledger has refused a round.
    refused: Option<String>,
}

/// A step that came to its end on a thread of its own.
struct Ended {
    id: Uuid,
    done: Result<Done>,
}

/// Runs a run from its first event to its last.
///
/// # Errors
/// Nothing can be stored any more; everything else ends up in the journal.
pub fn run(work: Work, start: RunStart) -> Result<Left> {
    let mut runner = Runner::new(work, Run::new(start.clone()), Duration::ZERO);
    runner.record(RunEvent::RunStarted(Box::new(start)), |_| Ok(()))?;
    fail::point("run-started");
    runner.go_on()
}

/// Takes up a run whose next epoch has begun in its journal: the steps that were open were cut off, and are repeated.
///
/// # Errors
/// What earlier steps left can't be brought back now, or nothing can be stored any more; everything else ends up in the
/// journal.
pub fn take_up(work: Work, run: Run) -> Result<Left> {
    let before = Duration::from_secs(run.start.worked_s);
    let mut runner = Runner::new(work, run, before);
    match runner.restore() {
        Ok(()) => runner.go_on(),
        // It ends as halted, whatever could not be done because of that.
        Err(_) if runner.work.supervision.halted().is_some() => runner.go_on(),
        // Whoever takes it up again tries again.
        Err(error) if runner.run.deaths() < MOST_TAKEN_UP => Err(error).context("taking up the run again"),
        Err(error) => {
            let why = format!("it could not be taken up again: {error:#}");
            runner.finish(End::Failed { why }).map(Left::Ended)
        }
    }
}

impl Runner {
    fn new(work: Work, run: Run, before: Duration) -> Runner {
        Runner {
            work,
            run,
            began: Instant::now(),
            before,
            due: BTreeMap::new(),
            memory: Memory::default(),
            ended: mpsc::channel(),
            refused: None,
        }
    }

    /// Brings back what earlier steps left in memory.
    fn restore(&mut self) -> Result<()> {
        if self.run.base.is_some() {
            prepare::prepare(&mut self.work)?;
        }
        if self.run.discovered.is_some() {
            self.work.base_reports = scan::base_reports(&mut self.work)?.into();
        }
        Ok(())
    }

    fn go_on(mut self) -> Result<Left> {
        let Left::Ended(end) = self.drive()? else { return Ok(Left::Parked) };
        self.stop_all();
        // What still runs ends by itself, or because it is halted; what it cost is booked.
        while self.anything_runs() {
            self.hear()?;
        }
        self.finish(end).map(Left::Ended)
    }

    fn drive(&mut self) -> Result<Left> {
        loop {
            let facts = self.observe()?;
            let end = match next(&self.run, &facts) {
                Next::Do(starts) => match self.begin(starts)? {
                    Some(end) => end,
                    None => continue,
                },
                Next::Stop(stops) => {
                    self.stop(stops)?;
                    continue;
                }
                Next::PassOver(steps) => {
                    self.pass_over(steps)?;
                    continue;
                }
                Next::Wait => {
                    self.hear()?;
                    continue;
                }
                Next::Park { until, why } => {
                    self.record(RunEvent::Parked { until, why }, |_| Ok(()))?;
                    return Ok(Left::Parked);
                }
                Next::Halt { why, detail } => End::Halted { why, detail },
                Next::Fail(why) => End::Failed { why },
                Next::Done => End::Finished,
            };
            return Ok(Left::Ended(end));
        }
    }

    /// Begins the steps that are due; waits a while where none is. An end if the ledger refuses one.
    fn begin(&mut self, starts: Vec<Start>) -> Result<Option<End>> {
        let mut any = false;
        for start in starts {
            if self.is_due(&start) {
                any = true;
                if let Some(end) = self.perform(&start.step)? {
                    return Ok(Some(end));
                }
            }
        }
        if !any {
            self.hear()?;
        }
        Ok(None)
    }

    fn observe(&mut self) -> Result<Facts> {
        let cause = self.work.supervision.halted();
        // A watchdog that ends the run for its time has counted more exactly than we have.
        let late = cause == Some(HaltCause::Watchdog(EndCause::Time));
        let awake_s = (self.before + self.began.elapsed()).as_secs();
        Ok(Facts {
            halted: cause.filter(|_| !late).map(|cause| self.work.supervision.halt_text(&cause)),
            awake_s: if late { awake_s.max(self.run.start.rails.max_duration_s) } else { awake_s },
            open_pull_requests: pull_requests::open_before(
                self.work.store.read(),
                self.run.start.loop_id,
                self.run.start.run,
            )?,
            refused: self.refused.clone(),
            chores: self.look(),
        })
    }

    /// Whether the pause before a step is over; the first question begins it.
    fn is_due(&mut self, start: &Start) -> bool {
        if start.after_s == 0 {
            return true;
        }
        let of = start.step.finding().map_or_else(|| start.step.called().to_owned(), |finding| finding.0.clone());
        let until = *self.due.entry(of.clone()).or_insert_with(|| Instant::now() + Duration::from_secs(start.after_s));
        let over = Instant::now() >= until;
        if over {
            self.due.remove(&of);
        }
        over
    }

    /// Waits until a step ends and writes down what came of it; not longer than until something else may be due.
    fn hear(&mut self) -> Result<()> {
        let look = if self.run.chores_over() { LOOK } else { chores::LOOK };
        match self.ended.1.recv_timeout(look) {
            Ok(Ended { id, done }) => self.conclude(id, done),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }

    /// Writes down the step and begins it; an end if the ledger refuses it.
    fn perform(&mut self, step: &Step) -> Result<Option<End>> {
        let id = Uuid::now_v7();
        let (place, at) = (self.place(), self.work.stamp());
        let ceilings = self.ceilings(checks_ahead(&self.run, step));
        let started = self.record(RunEvent::StepStarted { step: step.clone(), id }, |tx| match step.reserved() {
            Some(amount) => ledger::reserve(tx, &Booking { place, step: id, at: &at }, amount, &ceilings),
            None => Ok(()),
        });
        if let Err(error) = started {
            // The ledger has the last word on money, whatever was decided before.
            let detail = error.downcast::<ledger::CeilingReached>()?.to_string();
            if !matches!(step, Step::Build { .. }) {
                return Ok(Some(End::Halted { why: HaltWhy::Budget, detail }));
            }
            // What is open may still come to its end.
            self.refused = Some(detail);
            return Ok(None);
        }
        fail::point("step-intent");
        self.tell();
        match step {
            Step::Build { .. } | Step::Verify { .. } => self.beside(step, id)?,
            Step::Run { name } => self.try_step(name, id)?,
            // It stays open until `next` says that it is over.
            Step::Wait { .. } => {}
            _ => {
                let done = self.act(step);
                self.conclude(id, done)?;
            }
        }
        Ok(None)
    }

    /// Does a step on a thread of its own, with a store of its own.
    fn beside(&mut self, step: &Step, id: Uuid) -> Result<()> {
        let (run, step) = (self.run.clone(), step.clone());
        match self.work.beside() {
            Ok(work) => self.on_a_thread(id, step.name(), move || agents(&work, &run, &step, id)),
            Err(error) => self.conclude(id, Err(error)),
        }
    }

    /// Does something on a thread of its own, as long as which its sandboxes live.
    fn on_a_thread(
        &mut self,
        id: Uuid,
        step: &'static str,
        act: impl FnOnce() -> Result<Done> + Send + 'static,
    ) -> Result<()> {
        let (run, ended) = (self.run.start.run, self.ended.0.clone());
        let acting = move || {
            let began = Instant::now();
            let acted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(act));
            let done = acted.unwrap_or_else(|_| Err(anyhow!("a defect of Loopwright: {step} broke off")));
            tracing::info!(run.id = %run, step, duration_ms = began.elapsed().as_millis(), ok = done.is_ok());
            // Nobody listens only where the runner itself has ended.
            let _ = ended.send(Ended { id, done });
        };
        let thread = std::thread::Builder::new().name("step".to_owned()).spawn(acting);
        match thread {
            Ok(_) => Ok(()),
            Err(error) => self.conclude(id, Err(anyhow!(error).context("starting a thread for a step"))),
        }
    }

    /// The steps that no agent and no gate takes part in.
    fn act(&mut self, step: &Step) -> Result<Done> {
        let work = &mut self.work;
        Ok(match step {
            Step::Prepare => Done::plain(prepare::prepare(work)?),
            Step::Discover => {
                let (outcome, notes) = discover::discover(work, self.run.start.only.as_ref())?;
                Done { notes, ..Done::plain(outcome) }
            }
            Step::Ship { finding } => {
                let opened = ship::ship(work, &self.run, finding)?;
                Done { pull_request: Some(opened.clone()), ..Done::plain(opened.outcome) }
            }
            Step::HandOver { .. } | Step::HoldBack { .. } => Done::plain(Outcome::Noted),
            _ => anyhow::bail!("{} runs beside the journal", step.name()),
        })
    }

    /// Writes down what came of a step.
    fn conclude(&mut self, id: Uuid, done: Result<Done>) -> Result<()> {
        let reserve = self.run.open_step(id).and_then(Step::reserved);
        let done = self.settled(id, done);
        fail::point("step-acted");
        match done {
            Ok(done) => self.done(id, reserve.is_some(), done)?,
            Err(error) => self.failed(id, reserve, error)?,
        }
        fail::point("step-result");
        self.tell();
        Ok(())
    }

    fn done(&mut self, id: Uuid, priced: bool, done: Done) -> Result<()> {
        for (topic, text) in done.notes {
            self.record(RunEvent::Noted { topic, text }, |_| Ok(()))?;
        }
        let charged = charged(&done.outcome);
        let at = self.work.stamp();
        let stored = self.record(RunEvent::StepFinished { id, outcome: done.outcome }, |tx| {
            if let Some(opened) = &done.pull_request {
                opened.store(tx)?;
            }
            settle(tx, priced.then_some(id), charged, &at)
        });
        match stored.map_err(|error| error.downcast::<ship::Superseded>()) {
            Ok(()) => Ok(()),
            Err(Ok(ship::Superseded(why))) => {
                self.record(RunEvent::StepFinished { id, outcome: Outcome::Withdrawn { why } }, |_| Ok(()))
            }
            Err(Err(error)) => Err(error),
        }
    }

    /// A step that could not be done: what it may have cost is charged.
    ///
    /// # Errors
    /// The disk is full: that is no fault of the step, which is repeated once there is room and the run is taken up again.
    fn failed(&mut self, id: Uuid, reserve: Option<Micros>, error: anyhow::Error) -> Result<()> {
        let charged = reserve.unwrap_or_default();
        let (priced, at) = (reserve.map(|_| id), self.work.stamp());
        let error = match self.work.supervision.halted() {
            Some(cause) => format!("it was cut off: {}", self.work.supervision.halt_text(&cause)),
            None => match self.work.home.full() {
                Some(folder) => return Err(error.context(format!("the disk is full ({})", folder.display()))),
                None => format!("{error:#}"),
            },
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
        fail::point("run-ending");
        // Where steps follow on any end, the watchdog sees to them and to the last event.
        let event = self.run.end_event(end.clone());
        self.record(event, |_| Ok(()))?;
        fail::point("run-ended");
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
            zone: resolved.definition.timing.zone.unwrap_or(computer),
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

impl Done {
    fn plain(outcome: Outcome) -> Done {
        Done { outcome, notes: Vec::new(), pull_request: None }
    }
}

/// The steps in which agents and code of the repository take part.
fn agents(work: &Work, run: &Run, step: &Step, id: Uuid) -> Result<Done> {
    Ok(Done::plain(match step {
        Step::Build { finding, iteration, reserve } => {
            let round = build::Round { id, finding, iteration: *iteration, reserve: *reserve };
            build::build(work, run, &round)?
        }
        Step::Verify { finding, reserve } => verify::verify(work, run, finding, *reserve)?,
        _ => anyhow::bail!("{} has no agent", step.name()),
    }))
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

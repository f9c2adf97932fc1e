//! The state of a run, as it follows from its events.

use uuid::Uuid;

use super::chores::{Parked, Progress};
use super::{BuildResult, Built, Discovered, End, HandOver, Outcome, Queued, RunEvent, RunStart, Step};
use crate::finding::Fingerprint;
use crate::money::Micros;
use crate::progress::Round;
use crate::verdict::Verdict;

/// Where one finding stands within the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The finding.
    pub queued: Queued,
    /// Rounds so far, those of earlier runs included.
    pub rounds: Vec<Round>,
    /// Rounds made by this run.
    pub own_rounds: u32,
    /// Whether this run has begun a round on it, however that ended.
    pub taken: bool,
    /// The model that the maker of the last round reported to be.
    pub model: Option<String>,
    /// Reasons of the last rejection.
    pub reasons: Vec<String>,
    /// Where it stands.
    pub stage: Stage,
}

/// Where one finding stands within the run.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// Nothing done yet, or another round is due.
    Waiting,
    /// An attempt waits for its verdict.
    Built {
        /// The attempt's id.
        attempt: Uuid,
        /// Its commit.
        commit: String,
    },
    /// The attempt is verified.
    Verified {
        /// The attempt's id.
        attempt: Uuid,
        /// Its commit.
        commit: String,
    },
    /// The maker declined.
    Declined(String),
    /// A step failed beyond its retries; counted in tries.
    Failing {
        /// The failed step.
        step: Step,
        /// Tries so far.
        tries: u32,
        /// The last error.
        error: String,
        /// What the stage was before.
        before: Box<Stage>,
    },
    /// Its pull request is open.
    Shipped {
        /// Which.
        pull_request: Uuid,
    },
    /// A person decides.
    HandedOver(HandOver),
    /// Another run.
    HeldBack,
}

/// The state of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What it goes by.
    pub start: RunStart,
    /// Branch and base commit, once prepared.
    pub base: Option<(String, String)>,
    /// What was found, once discovered.
    pub discovered: Option<Discovered>,
    /// The findings to act on.
    pub items: Vec<Item>,
    /// The steps that have started and not ended, in that order; of one finding never more than one.
    pub open: Vec<(Step, Uuid)>,
    /// Failed tries of prepare or discover, with the last error.
    pub failures: (u32, String),
    /// Charged so far.
    pub spent: Micros,
    /// Events so far: the number of the last one in its stream.
    pub events: u64,
    /// Tokens so far.
    pub tokens: u64,
    /// How far each of its chores is, in their order.
    pub chores: Vec<Progress>,
    /// How far each of its `finally:` steps is, in their order.
    pub finally: Vec<Progress>,
    /// What it waits for without any process.
    pub parked: Option<Parked>,
    /// How often it was parked.
    pub parks: u32,
    /// The end that is decided, while its `finally:` steps follow.
    pub ending: Option<End>,
    /// How it ended.
    pub end: Option<End>,
}

/// An event that can't follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {at}: {what}")]
pub struct IllegalTransition {
    /// Its number, from 0.
    pub at: usize,
    /// Why it can't follow.
    pub what: String,
}

impl Run {
    /// Replays a journal; `None` if it is empty.
    ///
    /// # Errors
    /// The first event that can't follow the ones before.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Result<Option<Run>, IllegalTransition> {
        let mut run: Option<Run> = None;
        for (at, event) in events.into_iter().enumerate() {
            let step = match (&mut run, event) {
                (None, RunEvent::RunStarted(start)) => {
                    run = Some(Run::new((**start).clone()));
                    Ok(())
                }
                (None, _) => Err("a journal begins with run_started".to_owned()),
                (Some(run), event) => run.apply(event),
            };
            step.map_err(|what| IllegalTransition { at, what })?;
        }
        Ok(run)
    }

    /// A run that has just started.
    pub fn new(start: RunStart) -> Run {
        Run {
            chores: vec![Progress::default(); start.chores.steps.len()],
            finally: vec![Progress::default(); start.chores.finally.steps.len()],
            parked: None,
            parks: 0,
            ending: None,
            start,
            base: None,
            discovered: None,
            items: Vec::new(),
            open: Vec::new(),
            failures: (0, String::new()),
            spent: Micros::ZERO,
            events: 1,
            tokens: 0,
            end: None,
        }
    }

    /// Takes one more event.
    ///
    /// # Errors
    /// Why it can't follow; the state is unchanged then.
    pub fn apply(&mut self, event: &RunEvent) -> Result<(), String> {
        let mut after = self.clone();
        after.take(event)?;
        after.events += 1;
        *self = after;
        Ok(())
    }

    fn take(&mut self, event: &RunEvent) -> Result<(), String> {
        if self.end.is_some() {
            return Err("the run has ended".to_owned());
        }
        self.may_follow(event)?;
        match event {
            RunEvent::RunStarted(start) => self.taken_up(start),
            RunEvent::StepStarted { step, id } => self.started(step, *id),
            RunEvent::StepFinished { id, outcome } => {
                let step = self.close(*id)?;
                self.finished(&step, *id, outcome)
            }
            RunEvent::StepFailed { id, charged, error } => {
                let step = self.close(*id)?;
                self.spent += *charged;
                self.failed(step, error)
            }
            RunEvent::Noted { .. } => Ok(()),
            RunEvent::Parked { until, why } => self.park(*until, why),
            RunEvent::Ending { end } => {
                self.cut_off();
                self.ending = Some(end.clone());
                Ok(())
            }
            RunEvent::RunEnded { end } => {
                if *end == End::Finished && !self.open.is_empty() {
                    return Err("a run can't finish in the middle of a step".to_owned());
                }
                self.cut_off();
                self.end = Some(end.clone());
                Ok(())
            }
        }
    }

    /// What the open steps have reserved.
    pub fn reserved(&self) -> Micros {
        self.open.iter().filter_map(|(step, _)| step.reserved()).sum()
    }

    /// Whether a step of this finding is open.
    pub fn is_busy(&self, finding: &Fingerprint) -> bool {
        self.open.iter().any(|(step, _)| step.finding() == Some(finding))
    }

    /// The open step with this id.
    pub fn open_step(&self, id: Uuid) -> Option<&Step> {
        self.open.iter().find(|(_, open)| *open == id).map(|(step, _)| step)
    }

    /// The item of a finding.
    pub fn item(&self, finding: &Fingerprint) -> Option<&Item> {
        self.items.iter().find(|i| i.queued.finding == *finding)
    }

    fn taken_up(&mut self, start: &RunStart) -> Result<(), String> {
        if start.run != self.start.run || start.epoch != self.start.epoch + 1 {
            return Err("a run is taken up under its own id with the next epoch".to_owned());
        }
        self.start.epoch = start.epoch;
        self.start.worked_s = start.worked_s;
        self.parked = None;
        self.cut_off();
        Ok(())
    }

    /// Nobody knows what a step that was cut off has cost: its reservation is the charge. It counts neither as a round
    /// nor as a failed try.
    pub(super) fn cut_off(&mut self) {
        self.spent += self.reserved();
        self.open.clear();
    }

    fn started(&mut self, step: &Step, id: Uuid) -> Result<(), String> {
        let stands_in_the_way = |open: &&(Step, Uuid)| match (step.finding(), open.0.finding()) {
            (Some(one), Some(other)) => one == other,
            // Which chores go on beside each other is asked below.
            _ if matches!(step, Step::Run { .. } | Step::Wait { .. }) => *step == open.0,
            _ => !matches!(step, Step::HoldBack { .. }),
        };
        if let Some((open, _)) = self.open.iter().find(stands_in_the_way) {
            return Err(format!("{} is still open", open.name()));
        }
        if !self.may_start(step) {
            return Err(format!("{} can't start now", step.name()));
        }
        if let Step::Build { finding, .. } = step {
            self.item_mut(finding)?.taken = true;
        }
        self.chore_begun(step);
        self.open.push((step.clone(), id));
        Ok(())
    }

    fn may_start(&self, step: &Step) -> bool {
        let stage = |finding: &Fingerprint| self.item(finding).map(|i| i.stage.resting());
        match step {
            Step::Run { .. } | Step::Wait { .. } => self.may_start_chore(step),
            Step::Finally { name } => self.may_start_finally(name),
            Step::Prepare => self.base.is_none() && self.chores_over() && !self.start.chores.alone,
            Step::Discover => self.base.is_some() && self.discovered.is_none(),
            Step::Build { finding, .. } => stage(finding) == Some(&Stage::Waiting),
            Step::Verify { finding, .. } => matches!(stage(finding), Some(Stage::Built { .. })),
            Step::Ship { finding } => matches!(stage(finding), Some(Stage::Verified { .. })),
            Step::HandOver { finding, .. } => {
                stage(finding).is_some_and(|s| !matches!(s, Stage::Shipped { .. } | Stage::HandedOver(_)))
            }
            Step::HoldBack { .. } => self.discovered.is_some(),
        }
    }

    fn close(&mut self, id: Uuid) -> Result<Step, String> {
        let at = self.open.iter().position(|(_, open)| *open == id).ok_or("this step is not open")?;
        Ok(self.open.remove(at).0)
    }

    fn finished(&mut self, step: &Step, id: Uuid, outcome: &Outcome) -> Result<(), String> {
        match (step, outcome) {
            (Step::Run { .. } | Step::Finally { .. }, Outcome::Ran(ran)) => self.ran(step, ran)?,
            (Step::Wait { .. }, Outcome::Waited) => self.chore_done(step)?,
            (Step::Prepare, Outcome::Prepared { branch, commit }) => {
                self.base = Some((branch.clone(), commit.clone()));
                self.failures = (0, String::new());
            }
            (Step::Discover, Outcome::Discovered(found)) => self.discover(found),
            (Step::Build { finding, .. }, Outcome::Built(built)) => {
                self.spent += built.charged;
                self.tokens = self.tokens.saturating_add(built.tokens);
                self.item_mut(finding)?.built(id, built);
            }
            (Step::Verify { finding, .. }, Outcome::Verified { charged, verdict }) => {
                self.spent += *charged;
                self.item_mut(finding)?.verified(verdict);
            }
            (Step::Ship { finding }, Outcome::Shipped(shipped)) => {
                self.item_mut(finding)?.stage = Stage::Shipped { pull_request: shipped.id(id).0 };
            }
            (Step::Ship { finding }, Outcome::Withdrawn { .. }) => self.item_mut(finding)?.stage = Stage::HeldBack,
            (Step::HandOver { finding, why }, Outcome::Noted) => {
                self.item_mut(finding)?.stage = Stage::HandedOver(why.clone());
            }
            (Step::HoldBack { .. }, Outcome::Noted) => {
                for item in self.items.iter_mut().filter(|i| i.stage == Stage::Waiting && !i.taken) {
                    item.stage = Stage::HeldBack;
                }
            }
            _ => return Err(format!("this is no outcome of {}", step.name())),
        }
        Ok(())
    }

    fn discover(&mut self, found: &Discovered) {
        self.failures = (0, String::new());
        self.items = found.queue.iter().map(Item::new).collect();
        self.discovered = Some(found.clone());
    }

    fn failed(&mut self, step: Step, error: &str) -> Result<(), String> {
        if matches!(step, Step::Run { .. } | Step::Wait { .. } | Step::Finally { .. }) {
            return self.chore_failed(&step, error.to_owned());
        }
        let Some(finding) = step.finding().cloned() else {
            self.failures = (self.failures.0 + 1, error.to_owned());
            return Ok(());
        };
        let item = self.item_mut(&finding)?;
        let tries = match &item.stage {
            Stage::Failing { tries, .. } => tries + 1,
            _ => 1,
        };
        let before = Box::new(item.stage.resting().clone());
        item.stage = Stage::Failing { step, tries, error: error.to_owned(), before };
        Ok(())
    }

    fn item_mut(&mut self, finding: &Fingerprint) -> Result<&mut Item, String> {
        self.items
            .iter_mut()
            .find(|i| i.queued.finding == *finding)
            .ok_or_else(|| format!("finding {finding} is not in this run"))
    }
}

impl Stage {
    /// The stage without failed tries on top.
    pub fn resting(&self) -> &Stage {
        match self {
            Stage::Failing { before, .. } => before,
            other => other,
        }
    }
}

impl Item {
    fn new(queued: &Queued) -> Item {
        Item {
            queued: queued.clone(),
            rounds: queued.rounds.clone(),
            own_rounds: 0,
            taken: false,
            model: None,
            reasons: Vec::new(),
            stage: Stage::Waiting,
        }
    }

    /// Whether nothing is left to do for it in this run.
    pub fn decided(&self) -> bool {
        matches!(self.stage, Stage::Shipped { .. } | Stage::HandedOver(_) | Stage::HeldBack)
    }

    fn built(&mut self, attempt: Uuid, built: &Built) {
        self.own_rounds += 1;
        self.model.clone_from(&built.model);
        match &built.result {
            BuildResult::Change { commit, substance, only_whitespace, .. } => {
                self.rounds.push(Round::change(substance.clone(), *only_whitespace));
                self.stage = Stage::Built { attempt, commit: commit.clone() };
            }
            BuildResult::Empty => self.no_change("the attempt changed nothing".to_owned()),
            BuildResult::Unusable { why } => self.no_change(why.clone()),
            BuildResult::Declined { why } => self.stage = Stage::Declined(why.clone()),
        }
    }

    fn no_change(&mut self, reason: String) {
        self.rounds.push(Round::empty());
        self.reasons = vec![reason];
        self.stage = Stage::Waiting;
    }

    fn verified(&mut self, verdict: &Verdict) {
        if let Some(round) = self.rounds.last_mut() {
            round.judged(verdict);
        }
        self.reasons = verdict.reasons.clone();
        self.stage = match (verdict.verified, self.stage.resting()) {
            (true, Stage::Built { attempt, commit }) => Stage::Verified { attempt: *attempt, commit: commit.clone() },
            _ => Stage::Waiting,
        };
    }
}

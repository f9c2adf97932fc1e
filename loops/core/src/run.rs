//! A run is a fold over its journal: the events that are stored, and the state that follows from them.
//!
//! What comes next is decided in [`crate::next`]; nothing here acts.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::check::CaseId;
use crate::definition::{Rails, Retry, ReviewRule};
use crate::diff::DiffStat;
use crate::finding::Fingerprint;
use crate::ids::{LoopId, OccurrenceId, RunId};
use crate::money::Micros;
use crate::progress::Round;
use crate::verdict::Verdict;

/// The version of the stored events.
pub const VERSION: u32 = 1;

/// One stored event with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Version of the format.
    pub v: u32,
    /// RFC 3339 UTC.
    pub at: String,
    /// What happened.
    #[serde(flatten)]
    pub event: RunEvent,
}

/// What happens in a run. Stored; only ever extended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RunEvent {
    /// The first event.
    RunStarted(Box<RunStart>),
    /// Written and synced before the step acts.
    StepStarted {
        /// What is done.
        step: Step,
        /// Identity of this try: the attempt's for `build`, the pull request's for `ship`.
        id: Uuid,
    },
    /// The step ended with a result.
    StepFinished {
        /// The try.
        id: Uuid,
        /// The result.
        outcome: Outcome,
    },
    /// The step could not be done, for a reason outside of the work.
    StepFailed {
        /// The try.
        id: Uuid,
        /// What is charged all the same (missing usage: the reservation).
        charged: Micros,
        /// Why, with what to do.
        error: String,
    },
    /// Something that a reader of the run should know.
    Noted {
        /// Kebab-case: what it is about.
        topic: String,
        /// One sentence.
        text: String,
    },
    /// The last event.
    RunEnded {
        /// How.
        end: End,
    },
}

/// Everything that a run goes by, fixed when it starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunStart {
    /// This run.
    pub run: RunId,
    /// Its loop.
    pub loop_id: LoopId,
    /// The loop's name then.
    pub loop_name: String,
    /// What it was started for.
    pub occurrence: OccurrenceId,
    /// `manual`, `cron`.
    pub cause: String,
    /// Only look, or act and ship too.
    pub mode: Mode,
    /// 1, and one more for each time the run was taken up again.
    pub epoch: u32,
    /// SHA-256 of the loop file.
    pub definition: String,
    /// When it stops.
    pub rails: Rails,
    /// What it may ask of the person.
    pub review: ReviewRule,
    /// Who makes.
    pub maker: AgentLine,
    /// Who checks; none = gates alone.
    pub checker: Option<AgentLine>,
    /// Repeats of failed steps.
    pub retries: Retries,
}

/// An agent as the journal names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentLine {
    /// Its name in the loop.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Its model; none = deterministic.
    pub model: Option<String>,
    /// The most that one attempt costs.
    pub price: Micros,
}

/// Whether a loop may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It finds and writes its triage list.
    Report,
    /// It makes pull requests too.
    Ship,
}

impl Mode {
    /// The word that is stored.
    pub fn word(self) -> &'static str {
        match self {
            Mode::Report => "report",
            Mode::Ship => "ship",
        }
    }
}

/// Repeats per step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retries {
    /// Of prepare and discover.
    pub discover: Retry,
    /// Of build.
    pub act: Retry,
    /// Of verify.
    pub verify: Retry,
    /// Of ship.
    pub ship: Retry,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Fetches the base commit, runs `setup`, probes the environment.
    Prepare,
    /// Looks for work and writes the triage list.
    Discover,
    /// One round of the maker.
    Build {
        /// What it works on.
        finding: Fingerprint,
        /// The round, from 1.
        iteration: u32,
        /// Reserved before it starts.
        reserve: Micros,
    },
    /// Gates and checker on the last attempt.
    Verify {
        /// Whose.
        finding: Fingerprint,
        /// Reserved for the checker before it starts.
        reserve: Micros,
    },
    /// The pull request.
    Ship {
        /// For what.
        finding: Fingerprint,
    },
    /// A person must decide.
    HandOver {
        /// On what.
        finding: Fingerprint,
        /// Why.
        why: HandOver,
    },
    /// The rest waits.
    HoldBack {
        /// Why.
        why: HoldBack,
    },
}

/// Why a finding is handed to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum HandOver {
    /// The cap of rounds is reached.
    IterationCap {
        /// The cap.
        cap: u32,
    },
    /// Rounds in a row changed nothing that counts.
    NoProgress {
        /// How many.
        rounds: u32,
    },
    /// The maker says that it can't.
    Declined {
        /// In its own words (untrusted).
        why: String,
    },
    /// A step of it failed for a reason outside of the work.
    StepFailed {
        /// The error.
        why: String,
    },
}

/// Why findings wait for another run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum HoldBack {
    /// The run has acted on as many as it may.
    MaxFindings {
        /// The limit.
        max: u32,
    },
    /// As many pull requests wait for the person as may.
    ReviewFull {
        /// The limit.
        max: u32,
    },
}

/// What a step came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The environment is ready.
    Prepared {
        /// Branch of the user's repository.
        branch: String,
        /// The base commit.
        commit: String,
    },
    /// What was found.
    Discovered(Discovered),
    /// An attempt, or why there is none.
    Built(Built),
    /// The verdict on it.
    Verified {
        /// What the checker cost.
        charged: Micros,
        /// The verdict.
        verdict: Box<Verdict>,
    },
    /// The pull request is open.
    Shipped(Shipped),
    /// Said and stored (hand over, hold back).
    Noted,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Discovered {
    /// What to act on, in order.
    pub queue: Vec<Queued>,
    /// All that is seen on the base now.
    pub seen: u32,
    /// Of these, never seen before.
    pub new: u32,
    /// Known ones that are no longer seen.
    pub gone: u32,
    /// Known ones that wait for a person, or are put off.
    pub waiting: u32,
    /// Revision written into the triage list.
    pub triage: String,
    /// One line per check: `tests_pass: 212 passed, 1 failed`.
    pub checks: Vec<String>,
}

/// A finding to act on, with what earlier runs did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Queued {
    /// Which.
    pub finding: Fingerprint,
    /// One line for people.
    pub title: String,
    /// The failing cases that it is; empty for issues.
    pub failing: BTreeSet<CaseId>,
    /// Everything that fails on the base.
    pub base_failing: BTreeSet<CaseId>,
    /// Rounds of earlier runs since it was last handed to or by a person.
    pub rounds: Vec<Round>,
}

/// What the maker came back with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Built {
    /// What it cost.
    pub charged: Micros,
    /// Tokens that it reported.
    pub tokens: u64,
    /// Its words (untrusted).
    pub summary: Option<String>,
    /// The change.
    pub result: BuildResult,
}

/// The change that a maker made, or that it made none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum BuildResult {
    /// A commit in the engine's repository.
    Change {
        /// Its id.
        commit: String,
        /// Its tree.
        tree: String,
        /// How much it changes.
        stat: DiffStat,
        /// Hash of the change without white space and line numbers.
        substance: String,
        /// Whether only white space and blank lines changed.
        only_whitespace: bool,
    },
    /// Nothing changed.
    Empty,
    /// The maker says that it can't.
    Declined {
        /// In its own words (untrusted).
        why: String,
    },
    /// The attempt can't be used: the maker hung, flooded, or left what can't be imported.
    Unusable {
        /// Why.
        why: String,
    },
}

/// An open pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipped {
    /// Its title.
    pub title: String,
    /// The commit that was shown.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// Ship actions that were skipped, with the reason.
    pub skipped: Vec<String>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum End {
    /// All was done that could be.
    Finished,
    /// Something stopped it.
    Halted {
        /// What.
        why: HaltWhy,
        /// One sentence.
        detail: String,
    },
    /// It could not go on.
    Failed {
        /// Why, with what to do.
        why: String,
    },
}

/// What stops a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HaltWhy {
    /// HALT.
    Halt,
    /// The budget doesn't cover the next attempt.
    Budget,
    /// The time is over.
    Time,
}

/// Where one finding stands within the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The finding.
    pub queued: Queued,
    /// Rounds so far, those of earlier runs included.
    pub rounds: Vec<Round>,
    /// Rounds made by this run.
    pub own_rounds: u32,
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
    /// The step that has started and not ended.
    pub open: Option<(Step, Uuid)>,
    /// Failed tries of prepare or discover, with the last error.
    pub failures: (u32, String),
    /// Charged so far.
    pub spent: Micros,
    /// Tokens so far.
    pub tokens: u64,
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
    pub fn replay<'a>(
        events: impl IntoIterator<Item = &'a RunEvent>,
    ) -> Result<Option<Run>, IllegalTransition> {
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
            start,
            base: None,
            discovered: None,
            items: Vec::new(),
            open: None,
            failures: (0, String::new()),
            spent: Micros::ZERO,
            tokens: 0,
            end: None,
        }
    }

    /// Takes one more event.
    ///
    /// # Errors
    /// Why it can't follow; the state is unchanged then.
    pub fn apply(&mut self, event: &RunEvent) -> Result<(), String> {
        if self.end.is_some() {
            return Err("the run has ended".to_owned());
        }
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
            RunEvent::RunEnded { end } => {
                if *end == End::Finished && self.open.is_some() {
                    return Err("a run can't finish in the middle of a step".to_owned());
                }
                self.end = Some(end.clone());
                Ok(())
            }
        }
    }

    /// What the open step has reserved.
    pub fn reserved(&self) -> Micros {
        match &self.open {
            Some((Step::Build { reserve, .. } | Step::Verify { reserve, .. }, _)) => *reserve,
            _ => Micros::ZERO,
        }
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
        self.open = None;
        Ok(())
    }

    fn started(&mut self, step: &Step, id: Uuid) -> Result<(), String> {
        if let Some((open, _)) = &self.open {
            return Err(format!("{} is still open", open.name()));
        }
        if !self.may_start(step) {
            return Err(format!("{} can't start now", step.name()));
        }
        self.open = Some((step.clone(), id));
        Ok(())
    }

    fn may_start(&self, step: &Step) -> bool {
        let stage = |finding: &Fingerprint| self.item(finding).map(|i| i.stage.resting());
        match step {
            Step::Prepare => self.base.is_none(),
            Step::Discover => self.base.is_some() && self.discovered.is_none(),
            Step::Build { finding, .. } => stage(finding) == Some(&Stage::Waiting),
            Step::Verify { finding, .. } => matches!(stage(finding), Some(Stage::Built { .. })),
            Step::Ship { finding } => matches!(stage(finding), Some(Stage::Verified { .. })),
            Step::HandOver { finding, .. } => stage(finding)
                .is_some_and(|s| !matches!(s, Stage::Shipped { .. } | Stage::HandedOver(_))),
            Step::HoldBack { .. } => self.discovered.is_some(),
        }
    }

    fn close(&mut self, id: Uuid) -> Result<Step, String> {
        match self.open.take() {
            Some((step, open)) if open == id => Ok(step),
            other => {
                self.open = other;
                Err("this step is not open".to_owned())
            }
        }
    }

    fn finished(&mut self, step: &Step, id: Uuid, outcome: &Outcome) -> Result<(), String> {
        match (step, outcome) {
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
            (Step::Verify { finding }, Outcome::Verified(verdict)) => {
                self.item_mut(finding)?.verified(verdict)
            }
            (Step::Ship { finding }, Outcome::Shipped(_)) => {
                self.item_mut(finding)?.stage = Stage::Shipped { pull_request: id };
            }
            (Step::HandOver { finding, why }, Outcome::Noted) => {
                self.item_mut(finding)?.stage = Stage::HandedOver(why.clone());
            }
            (Step::HoldBack { .. }, Outcome::Noted) => {
                for item in self.items.iter_mut().filter(|i| i.stage == Stage::Waiting) {
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
        let finding = match &step {
            Step::Prepare | Step::Discover | Step::HoldBack { .. } => {
                self.failures = (self.failures.0 + 1, error.to_owned());
                return Ok(());
            }
            Step::Build { finding, .. }
            | Step::Verify { finding, .. }
            | Step::Ship { finding }
            | Step::HandOver { finding, .. } => finding.clone(),
        };
        let item = self.item_mut(&finding)?;
        let tries = match &item.stage {
            Stage::Failing { tries, .. } => tries + 1,
            _ => 1,
        };
        let before = Box::new(item.stage.resting().clone());
        item.stage = Stage::Failing {
            step,
            tries,
            error: error.to_owned(),
            before,
        };
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
            reasons: Vec::new(),
            stage: Stage::Waiting,
        }
    }

    fn built(&mut self, attempt: Uuid, built: &Built) {
        self.own_rounds += 1;
        match &built.result {
            BuildResult::Change {
                commit,
                substance,
                only_whitespace,
                ..
            } => {
                self.rounds
                    .push(Round::change(substance.clone(), *only_whitespace));
                self.stage = Stage::Built {
                    attempt,
                    commit: commit.clone(),
                };
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
            (true, Stage::Built { attempt, commit }) => Stage::Verified {
                attempt: *attempt,
                commit: commit.clone(),
            },
            _ => Stage::Waiting,
        };
    }
}

impl Step {
    /// Its word in logs and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Prepare => "prepare",
            Step::Discover => "discover",
            Step::Build { .. } => "build",
            Step::Verify { .. } => "verify",
            Step::Ship { .. } => "ship",
            Step::HandOver { .. } => "hand over",
            Step::HoldBack { .. } => "hold back",
        }
    }
}

impl HandOver {
    /// One line for people.
    pub fn text(&self) -> String {
        match self {
            HandOver::IterationCap { cap } => format!("{cap} iterations did not get it verified"),
            HandOver::NoProgress { rounds } => format!("no progress {rounds} times in a row"),
            HandOver::Declined { why } => format!("the maker did not try: {why}"),
            HandOver::StepFailed { why } => why.clone(),
        }
    }
}

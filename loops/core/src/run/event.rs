//! The events of a run, as they are stored. Only ever extended.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::revision::Revision;
use super::step::Step;
use crate::check::CaseId;
use crate::definition::{Chore, Finally, Rails, Retry, ReviewRule};
use crate::diff::DiffStat;
use crate::finding::Fingerprint;
use crate::ids::{LoopId, OccurrenceId, PullRequestId, RunId};
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
    /// The run waits for something far off: its processes end, and it goes on as its next epoch.
    Parked {
        /// Until when, RFC 3339 UTC; none = until a file is there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<DateTime<Utc>>,
        /// For what, as the rest of a sentence.
        why: String,
    },
    /// The end is decided; the `finally:` steps follow, and then [`RunEvent::RunEnded`] with the same end.
    Ending {
        /// How.
        end: End,
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
    /// The only finding that is acted on (`run --finding`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Fingerprint>,
    /// Awake seconds that its epochs before this one took.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub worked_s: u64,
    /// How many findings are worked on at once.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub parallel: u32,
    /// Whether the loop has nothing to act, verify and ship with, and can only report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_reports: bool,
    /// The pull request that it works on again, instead of opening one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revises: Option<Revision>,
    /// What it does beside findings.
    #[serde(default, skip_serializing_if = "Chores::is_empty")]
    pub chores: Chores,
}

/// What a run does beside findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chores {
    /// First, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Chore>,
    /// What each time in them stands for, fixed when the run began: being taken up again shifts nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moments: BTreeMap<NaiveTime, DateTime<Utc>>,
    /// Whether that is all: nothing is looked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub alone: bool,
    /// After any end, once.
    #[serde(default, skip_serializing_if = "no_steps")]
    pub finally: Finally,
    /// The loop's variables for the steps after the end, when its file may be another one or gone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

impl Chores {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Chores::default()
    }
}

fn no_steps(finally: &Finally) -> bool {
    finally.steps.is_empty()
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_one(n: &u32) -> bool {
    *n == 1
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
    /// Whose model that is, if the loop says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// The most that one attempt costs.
    pub price: Micros,
}

/// Whether a loop may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
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
    /// Nothing is shipped: a person has decided otherwise meanwhile.
    Withdrawn {
        /// What was decided.
        why: String,
    },
    /// Said and stored (hand over, hold back).
    Noted,
    /// How one try of a `run:` or `finally:` step ended.
    Ran(Ran),
    /// What was waited for is there.
    Waited,
}

/// How one try of a `run:` or `finally:` step ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// What ended it.
    pub how: RanHow,
    /// Its exit code, 128 + n where signal n ended it; none if it never began or was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// How long it took, in seconds.
    pub seconds: u64,
    /// The last line of its output that is not empty (untrusted), without control characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// Where its output lies below the run directory; empty if it never began.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub log: String,
}

/// What ended a try of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RanHow {
    /// Itself.
    Itself,
    /// Its `until`.
    Until,
    /// The end of the last step: nothing was left that it ran for.
    LastStep,
    /// Its own `max`.
    Time,
    /// The end of the run.
    CutOff,
}

impl Ran {
    /// Whether the step is done.
    pub fn well(&self) -> bool {
        match self.how {
            RanHow::Itself => self.code == Some(0),
            RanHow::Until | RanHow::LastStep => true,
            RanHow::Time | RanHow::CutOff => false,
        }
    }

    /// How it ended, as the rest of a sentence about it.
    pub fn ended(&self) -> String {
        match (self.how, self.code) {
            (RanHow::Itself, Some(0)) => "ended well".to_owned(),
            (RanHow::Itself, Some(code @ 129..=192)) => format!("was ended by signal {}", code - 128),
            (RanHow::Itself, Some(code)) => format!("ended with exit code {code}"),
            (RanHow::Itself, None) => "was killed".to_owned(),
            (RanHow::Until, _) => "was ended by its until".to_owned(),
            (RanHow::LastStep, _) => "was ended after the last step".to_owned(),
            (RanHow::Time, _) => format!("was ended after {} s (max)", self.seconds),
            (RanHow::CutOff, _) => "was cut off".to_owned(),
        }
    }

    /// How it failed, in a few words.
    pub fn brief(&self) -> String {
        match (self.how, self.code) {
            (RanHow::Itself, Some(code)) if !(129..=192).contains(&code) => format!("exit code {code}"),
            (RanHow::CutOff, _) => "cut off, what it did is not known".to_owned(),
            _ => self.ended(),
        }
    }

    /// How it failed, with its last words and where all of them are.
    pub fn failure(&self) -> String {
        let last = self.last.as_ref().map_or_else(String::new, |last| format!(": {last}"));
        let log = if self.log.is_empty() { String::new() } else { format!(" (output: {})", self.log) };
        format!("{}{last}{log}", self.ended())
    }
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
    /// The model that it reported to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
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
    /// Its id, the attempt's: every try to ship that attempt opens the same one. None = the step's (older journals).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<PullRequestId>,
    /// Its title.
    pub title: String,
    /// The commit that was shown.
    pub commit: String,
    /// Its tree.
    pub tree: String,
    /// Ship actions that were skipped, with the reason.
    pub skipped: Vec<String>,
}

impl Shipped {
    /// The id of the pull request that the step `step` opened.
    pub fn id(&self, step: Uuid) -> PullRequestId {
        self.pull_request.unwrap_or(PullRequestId(step))
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
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
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HaltWhy {
    /// HALT.
    Halt,
    /// The budget doesn't cover the next attempt.
    Budget,
    /// The time is over.
    Time,
}

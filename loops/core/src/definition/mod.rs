//! The loop as it was understood: what every other part works with.
//!
//! Reading it from text, with all diagnostics, is in [`mod@read`]; the phrases inside its scalars are in [`phrase`].
//! What depends on the machine (which checks a repository has, which agents are installed) is *not* here: the engine adds it.

mod agents;
mod budget;
pub mod change;
mod chores;
mod clock;
mod commands;
mod discover;
pub mod edit;
pub mod explain;
mod faults;
mod fields;
mod files;
pub mod form;
mod grants;
mod miss;
mod nearest;
mod origins;
pub mod phrase;
pub mod places;
pub mod preferences;
mod rails;
pub mod read;
pub mod scenario;
pub mod schema;
pub mod settings;
mod steps;
mod syntax;
mod timing;
mod trigger;
mod values;
mod work;
mod yaml;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::gate::Expression;
use crate::ledger::Ceiling;
use crate::money::Micros;
use crate::timing::Timing;

pub use origins::Origins;
pub use read::{Reading, read, read_bytes, read_bytes_on};
pub use values::duration;

/// A loop with all defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// When it starts by itself.
    pub timing: Timing,
    /// The repository it works on as written (a path); none = the git root above the file.
    pub repo: Option<String>,
    /// How its workspaces are kept apart.
    pub isolation: Isolation,
    /// What it does first, in order; all that it does where there is no discover.
    pub chores: Vec<Chore>,
    /// How it finds work; none = it has only chores.
    pub discover: Option<Discover>,
    /// What it does with what it found; none = it only reports.
    pub work: Option<Work>,
    /// What is done once after any end, HALT included.
    pub finally: Finally,
    /// When it stops.
    pub rails: Rails,
    /// How much it may ask of the person.
    pub review: ReviewRule,
    /// How different maker and checker must be.
    pub independence: Independence,
    /// The agents that the file defines, by name.
    pub agents: BTreeMap<String, AgentSpec>,
    /// The checks that the file defines, by the gate's name; others are detected.
    pub checks: BTreeMap<String, Vec<Command>>,
    /// Prepares a checkout of the base commit, once per lock file.
    pub setup: Option<Command>,
    /// Variables for setup, makers and gates; never secrets.
    pub env: BTreeMap<String, String>,
}

impl Definition {
    /// Its `run:` steps, those of `finally` last.
    pub fn run_steps(&self) -> impl Iterator<Item = &RunStep> {
        let chores = self.chores.iter().filter_map(|chore| match chore {
            Chore::Run(step) => Some(&**step),
            Chore::Wait(_) => None,
        });
        chores.chain(&self.finally.steps)
    }

    /// Where it looks for findings.
    pub fn sources(&self) -> &[Source] {
        self.discover.as_ref().map_or(&[], |discover| &discover.sources)
    }
}

/// A step that is not about findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chore {
    /// `- run:`
    Run(Box<RunStep>),
    /// `- wait:`: nothing goes on until then; a run that waits long is parked, and holds no slot.
    Wait(Until),
}

/// `- run:`: a command in the sandbox, with what it was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStep {
    /// Its name; `run-1` for the first one without.
    pub name: String,
    /// What is run; `./x` lies beside the loop file.
    pub command: Command,
    /// Whether the steps after it begin while it still runs.
    pub service: bool,
    /// When it is ended, whether or not it has done so by itself.
    pub until: Option<Until>,
    /// Further tries where it fails.
    pub retry: Retry,
    /// Seconds after which one try has failed; none = the run's own time alone.
    pub max_s: Option<u64>,
    /// `finally:` alone: whether it may be repeated where nobody knows what came of it.
    pub idempotent: bool,
    /// What it may reach and see.
    pub grants: Grants,
}

/// What a step may reach and see beside its own folders. Without any: no network, no secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Hosts, each with its port: `registry.example:443`; `localhost` and `127.0.0.1` are the computer itself.
    pub network: Vec<String>,
    /// Paths of the user's that it sees, read-only: absolute, or below the home folder as in `~/photos`.
    pub read: Vec<String>,
    /// Paths of the user's that it may write.
    pub write: Vec<String>,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// `15:30`: the next such time on the clock of the loop's zone after the run's start.
    Time(chrono::NaiveTime),
    /// `file("state/stop")`: this file of the loop's state folder is there; the path is relative to that folder: `stop`.
    File(String),
    /// `exit(engine)`: that service has ended.
    Exit(String),
}

impl std::fmt::Display for Until {
    /// As a loop file has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Until::Time(time) => write!(f, "{}", time.format("%H:%M")),
            Until::File(path) => write!(f, "file({})", phrase::quote(&format!("state/{path}"))),
            Until::Exit(name) => write!(f, "exit({name})"),
        }
    }
}

/// What is done once after any end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finally {
    /// Its steps, in order.
    pub steps: Vec<RunStep>,
    /// Seconds that all of them together may take.
    pub max_s: u64,
}

impl Default for Finally {
    fn default() -> Finally {
        Finally { steps: Vec::new(), max_s: 60 }
    }
}

/// How workspaces are kept apart. There is no `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// A private working tree inside the sandbox (never `git worktree` of the user's repository).
    Worktree,
}

/// How a loop finds work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discover {
    /// Where it looks, in order.
    pub sources: Vec<Source>,
    /// The list that a person may edit, relative to the loop's state folder: `triage.md` for `state/triage.md`.
    pub write_to: String,
    /// Repeats of a failed step.
    pub retry: Retry,
}

/// Where findings come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `scan_ci_failures`: the project's checks on the base commit; `scan_ci_failures(lint_clean)`: only these.
    ScanCiFailures(Vec<String>),
    /// `open_issues`: the forge's open issues.
    OpenIssues,
    /// `todo_comments`: comments in the files of the base commit that say what is still to be done.
    TodoComments,
    /// `command("…")`: what a program of the project names, run on the base commit in the sandbox.
    Command(Command),
    /// `recent_commits`: no findings of its own; suspects and context for the others.
    RecentCommits,
}

/// What follows on discover; a loop has all three steps or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Who makes the change.
    pub act: Act,
    /// What "done" means.
    pub verify: Verify,
    /// What is done with a verified change.
    pub ship: Ship,
}

/// Who makes the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The name in `spawn: NAME(finding)`.
    pub maker: String,
    /// How many findings are worked on at once.
    pub parallel: u32,
    /// Repeats of a failed step.
    pub retry: Retry,
}

/// What "done" means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verify {
    /// The name in `agent: NAME`; none = gates alone.
    pub checker: Option<String>,
    /// The gates, combined.
    pub check: Expression,
    /// Repeats of a failed step.
    pub retry: Retry,
}

/// What is done with a verified change, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ship {
    /// The actions of `run: a + b + c`.
    pub actions: Vec<ShipAction>,
    /// Repeats of a failed step.
    pub retry: Retry,
}

/// One ship action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShipAction {
    /// A pull request with its evidence.
    OpenPr,
    /// Ties the pull request to the issues of its findings.
    LinkIssue,
    /// A message to Slack; skipped while not configured.
    NotifySlack,
}

/// When a loop stops. All of it is always there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rails {
    /// Rounds of maker and checker per finding.
    pub max_iterations: u32,
    /// Ceiling of one run.
    pub budget: Micros,
    /// Ceilings of the loop over its runs, per day and month of its zone; none = only the run's and those of all loops.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ceilings: Vec<Ceiling>,
    /// Rounds without progress, in a row, that stop a finding.
    pub no_progress: u32,
    /// Awake seconds that a run may take.
    pub max_duration_s: u64,
    /// Tokens per run; none = only the budget holds.
    pub max_tokens: Option<u64>,
    /// Turns of an agent per attempt; none = only the time holds.
    pub max_turns: Option<u32>,
    /// Findings that one run acts on.
    pub max_findings: u32,
}

/// How much a loop may ask of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewRule {
    /// Open pull requests of the loop beyond which it only discovers.
    pub max_open: u32,
    /// How an approved change lands.
    pub merge: Merge,
}

/// How an approved change lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// One commit with the loop's message.
    Squash,
    /// A merge commit.
    Merge,
    /// Only if the target did not move.
    FastForward,
}

/// How different maker and checker must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Independence {
    /// Two models.
    Model,
    /// Two vendors.
    Vendor,
}

/// An agent that a file defines: any program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentSpec {
    /// What is run in the sandbox; the prompt is its standard input.
    pub command: Command,
    /// What one attempt costs at most, reserved before it starts.
    pub price: Micros,
    /// The model it says it is; none = deterministic.
    pub model: Option<String>,
    /// Whose model that is.
    pub vendor: Option<String>,
    /// Seconds of silence after which it is ended.
    pub idle_s: u64,
    /// Seconds after which one attempt is ended.
    pub max_s: u64,
}

/// What is run inside the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Command {
    /// A program and its arguments.
    Argv(Vec<String>),
    /// A line for `sh -c`.
    Shell(String),
}

impl Command {
    /// What is executed.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Command::Argv(words) => words.clone(),
            Command::Shell(line) => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
        }
    }
}

impl std::fmt::Display for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Command::Argv(words) => f.write_str(&words.join(" ")),
            Command::Shell(line) => f.write_str(line),
        }
    }
}

/// Repeats of a step that failed for a reason outside of the work (never of a gate that said no).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Further tries.
    pub times: u32,
    /// Seconds between two.
    pub every_s: u64,
}

//! What the verbs answer: plain data, ready for a terminal, `--json` or a window. No behaviour here.

use loopwright_core::definition::Merge;
use loopwright_core::diagnostic::Diagnostic;
use loopwright_core::diff::DiffStat;
use loopwright_core::finding::FindingState;
use loopwright_core::gate::GateResult;
use loopwright_core::ids::{PullRequestId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::run::{End, Entry};
use loopwright_core::verdict::CheckerVerdict;
use serde::Serialize;

mod editor;
mod loops;

pub use editor::{
    DraftRequest, LoopDeleted, LoopDetail, LoopDraft, LoopListRow, LoopSaved, LoopState, NewLoop, NewLoopView,
    NextTime, Placed, SimulatedDraft, SimulatedLine,
};
pub use loops::{LoopView, LostRow, NextRow, TroubleRow};

pub use crate::store::schedules::Does;

/// A loop that ships with the program.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TemplateView {
    /// Its name.
    pub name: String,
    /// One line.
    pub summary: String,
    /// Its loop.yaml.
    pub text: String,
    /// What lies beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<TemplateFile>,
}

/// A file beside a template's loop.yaml.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TemplateFile {
    /// Its name.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A template that was written as a folder.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct WrittenTemplate {
    /// Its name.
    pub name: String,
    /// What was written.
    pub files: Vec<String>,
}

/// A loop file that was read.
#[derive(Clone, Debug, Serialize)]
pub struct CheckView {
    /// Its path.
    pub path: String,
    /// Its text, for showing lines of it.
    #[serde(skip)]
    pub text: String,
    /// All faults and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// The resolved loop; none if it is invalid.
    pub explanation: Option<loopwright_core::definition::explain::Explanation>,
}

/// `add` before or after its confirmation.
#[derive(Clone, Debug, Serialize)]
pub struct AddView {
    /// What was read.
    pub check: CheckView,
    /// SHA-256 of the file: what `--confirm` wants.
    pub hash: String,
    /// What the loop was called before: the same file, with another name.
    pub renames: Option<String>,
    /// The loop, once registered.
    pub registered: Option<LoopView>,
    /// What waited and was done once it was registered, or why it still waits.
    pub deeds: Vec<super::Deed>,
}

/// `init`: what was found, what was drafted, and the loop once it is registered.
#[derive(Clone, Debug, Serialize)]
pub struct InitView {
    /// The repository as it was found; none where the template works on none.
    pub survey: Option<Surveyed>,
    /// The template that was taken.
    pub template: String,
    /// Why that one.
    pub why: String,
    /// Gates of the template that nothing was found for.
    pub missing: Vec<String>,
    /// What the loop would do, a line each.
    pub plan: Vec<String>,
    /// The loop file.
    pub text: String,
    /// Whether it lies in the repository, and so counts only once it is committed.
    pub shared: bool,
    /// Whether this loop was there before: nothing was written then.
    pub existing: bool,
    /// The file as it was read, and the loop once it is registered.
    pub add: AddView,
}

/// A repository as `init` finds it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Surveyed {
    /// Its root.
    pub repo: String,
    /// The branch that is checked out; none while HEAD is detached.
    pub branch: Option<String>,
    /// Kinds of project, each with the file that tells.
    pub kinds: Vec<String>,
    /// The checks that it has.
    pub checks: Vec<FoundCheck>,
    /// Coding agents, present or not.
    pub agents: Vec<AgentView>,
}

/// A check that a repository has by itself.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct FoundCheck {
    /// The gate's name.
    pub gate: String,
    /// Its commands, as a person would type them.
    pub commands: Vec<String>,
    /// The file that told.
    pub origin: String,
}

/// A coding agent that people have.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct AgentView {
    /// Its program.
    pub program: String,
    /// Whose it is.
    pub vendor: String,
    /// Where it is; none if `PATH` has no such program.
    pub path: Option<String>,
}

/// One run in a list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// What people type.
    pub short: String,
    /// Its loop's name.
    pub loop_name: String,
    /// `manual`, `cron`.
    pub cause: String,
    /// RFC 3339 UTC.
    pub started: String,
    /// RFC 3339 UTC; none while it lives.
    pub ended: Option<String>,
    /// How it ended; none while it lives.
    pub end: Option<End>,
    /// Pull requests it opened.
    pub pull_requests: u32,
    /// Findings it handed over.
    pub handed_over: u32,
    /// Findings it acted on.
    pub acted: u32,
    /// Charged so far.
    pub spent: Micros,
    /// Its ceiling.
    pub budget: Micros,
    /// The exit code that stands for it; none while it lives.
    pub code: Option<u8>,
    /// Steps that are not about findings, and are done.
    pub chores: u32,
    /// What it waits for while it is parked: `until 15:30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked: Option<String>,
    /// Until when it is parked, RFC 3339 UTC; none where that is no time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_until: Option<String>,
    /// Which of its steps after the end did not end well: `report (exit code 9)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_steps: Option<String>,
}

/// One run with its journal.
#[derive(Clone, Debug, Serialize)]
pub struct RunView {
    /// The row.
    pub row: RunRow,
    /// All events so far.
    pub journal: Vec<Entry>,
    /// Titles of the findings it names, by short fingerprint.
    pub titles: std::collections::BTreeMap<String, String>,
    /// The pull requests that it opened or worked on again, as they stand now.
    pub pull_requests: Vec<PullRequestRow>,
    /// Whether the chain of hashes holds.
    pub intact: bool,
}

/// All at a glance.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct StatusView {
    /// Why everything is halted; none = it isn't.
    pub halted: Option<String>,
    /// How the scheduler is.
    pub scheduler: super::SchedulerView,
    /// The loops.
    pub loops: Vec<LoopView>,
    /// Runs that live.
    pub running: Vec<RunRow>,
    /// Runs that wait for a time or a file, without processes.
    pub parked: Vec<RunRow>,
    /// Runs without an end that no process holds any more.
    pub lost: Vec<LostRow>,
    /// Pull requests that wait.
    pub waiting: Vec<PullRequestRow>,
    /// Findings handed to a person.
    pub needs_you: Vec<FindingRow>,
    /// Ceilings over several runs that are (almost) reached.
    pub ceilings: Vec<CeilingRow>,
    /// What is wrong with `settings.yaml`; none = it can be read.
    pub settings: Option<String>,
    /// The last drill of the kill switch; none = there was none.
    pub drill: Option<super::DrillView>,
}

/// A ceiling over several runs, and how much of it is gone.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct CeilingRow {
    /// `$20/day of deps`.
    pub ceiling: String,
    /// Spent or reserved.
    pub committed: Micros,
    /// The first day with new room, and its zone.
    pub until: String,
}

/// One finding in a list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct FindingRow {
    /// What people type.
    pub short: String,
    /// Its loop's name.
    pub loop_name: String,
    /// One line.
    pub title: String,
    /// Where it stands.
    pub state: FindingState,
    /// Why, with the last gate's or checker's reason.
    pub why: String,
    /// The command that tries again.
    pub again: String,
}

/// One pull request in a list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct PullRequestRow {
    /// Its id.
    pub id: PullRequestId,
    /// What people type.
    pub short: String,
    /// Its loop's name.
    pub loop_name: String,
    /// Its run.
    pub run: RunId,
    /// Its title.
    pub title: String,
    /// `open`, `approved`, `sent back`, `merged`, `rejected`, `closed elsewhere`, `reverted`.
    pub state: String,
    /// Why it stands so, in a person's or our words: a note, a reason, what it waits for, why it is back.
    pub why: Option<String>,
    /// Until when it is put off, RFC 3339 UTC.
    pub later_until: Option<String>,
    /// When its approval takes effect, RFC 3339 UTC.
    pub lands_at: Option<String>,
    /// RFC 3339 UTC.
    pub opened: String,
    /// How much it changes.
    pub stat: DiffStat,
    /// What it cost.
    pub cost: Micros,
    /// Whether a gate asks for a person's look.
    pub needs_person: bool,
}

/// A pull request with everything a person decides by.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ReviewView {
    /// The row.
    pub row: PullRequestRow,
    /// The findings it is for: title and what "fixed" means.
    pub findings: Vec<(String, String)>,
    /// Where it lands: repository and branch.
    pub target: (String, String),
    /// How it lands.
    pub merge: Merge,
    /// Its commit.
    pub commit: String,
    /// Its tree: what an approval names.
    pub tree: String,
    /// SHA-256 of `diff`.
    pub diff_sha256: String,
    /// The patch that was shown.
    pub diff: String,
    /// The gates with their reasons.
    pub gates: Vec<GateResult>,
    /// Who made it.
    pub maker: String,
    /// Who checked it: an agent, or `gates alone`.
    pub checked_by: String,
    /// The checker's answer.
    pub checker: Option<CheckerVerdict>,
    /// Why maker and checker are not independent; none = they are, or gates alone checked.
    pub not_independent: Option<String>,
    /// Rounds it took.
    pub iterations: u32,
    /// Seconds that its rounds took, of maker, gates and checker.
    pub worked_s: u32,
    /// What a run of its loop may cost at most, as it stood when it was made.
    pub budget: Micros,
    /// Rounds that its loop still allows; where none is left, sending it back grants one more.
    pub rounds_left: u32,
    /// The merge commit, once it landed.
    pub merged: Option<String>,
    /// The command that approves exactly this.
    pub approve_command: String,
    /// What happened to it, the oldest first.
    pub history: Vec<Happened>,
    /// What it showed before, if it was updated since.
    pub since: Option<Since>,
}

/// One thing that happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Happened {
    /// RFC 3339 UTC.
    pub at: String,
    /// `opened`, `approved`, `sent back`, …
    pub what: String,
    /// What a person said, or why (untrusted where it quotes a check).
    pub said: Option<String>,
    /// The commit that it showed from then on, where that changed.
    pub commit: Option<String>,
}

/// What changed between two versions of a pull request.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Since {
    /// The commit that it showed before.
    pub commit: String,
    /// How much differs.
    pub stat: DiffStat,
    /// The patch from that version, on the branch as this one has it, to this one.
    pub diff: String,
    /// That version does not fit the branch as this one has it: the patch is the whole change.
    pub whole: bool,
}

/// What an approval came to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum ApproveView {
    /// It landed.
    Merged {
        /// The new commit on the target branch.
        commit: String,
        /// The branch.
        branch: String,
        /// The repository.
        repo: String,
    },
    /// It is approved and lands when what is in its way is gone: a checkout with changes, a loop that is not confirmed.
    Waiting {
        /// Why.
        why: String,
        /// What the person may run.
        command: String,
    },
    /// It is approved and lands at a time, unless it is undone before.
    Scheduled {
        /// When, RFC 3339 UTC.
        at: String,
        /// The branch.
        branch: String,
        /// What takes it back.
        command: String,
    },
    /// It is approved, its branch moved, and it is checked again there; the same change lands if it passes.
    Checking {
        /// Where the branch is now.
        now: String,
        /// Why.
        why: String,
        /// The run, once it has begun.
        run: Option<RunId>,
    },
    /// It could not be brought onto the branch as it is now; nothing was written, and a person decides again.
    Moved {
        /// Why.
        why: String,
        /// The command that shows it.
        command: String,
    },
}

/// What sending back came to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SendBackView {
    /// The pull request.
    pub id: PullRequestId,
    /// What its maker is told.
    pub note: String,
    /// The run that works on it, once it has begun.
    pub run: Option<RunId>,
    /// Why it has not begun.
    pub waits: Option<String>,
    /// What lets it begin, where one command does it.
    pub repair: Option<String>,
    /// The cap of iterations, where one more was granted.
    pub granted: Option<u32>,
    /// What takes it back until its run begins.
    pub undo: String,
}

/// What a rejection came to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct RejectView {
    /// The pull request.
    pub id: PullRequestId,
    /// Why; remembered.
    pub reason: String,
    /// What looks at the finding again.
    pub again: String,
    /// What takes it back.
    pub undo: String,
}

/// What putting off came to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LaterView {
    /// The pull request.
    pub id: PullRequestId,
    /// Until when, RFC 3339 UTC.
    pub until: String,
    /// What shows it again.
    pub undo: String,
}

/// What was taken back.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct UndoView {
    /// The pull request.
    pub id: PullRequestId,
    /// `approval`, `rejection`, `sending back`, `putting off`.
    pub what: String,
    /// Where it stands now.
    pub state: String,
}

/// One line of `doctor`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DoctorRow {
    /// What was looked at.
    pub part: String,
    /// `ok`, `missing`, `not built yet`.
    pub state: String,
    /// What was seen.
    pub detail: String,
    /// The command that repairs it.
    pub repair: Option<String>,
}

//! What is so at a moment, as far as notifications go by it. Titles and names in it are untrusted.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::diff::DiffStat;
use crate::ids::PullRequestId;
use crate::money::Micros;

/// Everything that a plan goes by. Runs that ended well, and those that found nothing, are no part of it.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Now.
    pub now: DateTime<Utc>,
    /// The computer's zone.
    pub zone: Tz,
    /// Whether HALT for everything holds.
    pub halted: bool,
    /// Loops that are halted alone, by name.
    pub halted_loops: Vec<String>,
    /// Whether the server draws buttons.
    pub buttons: bool,
    /// Whether the person has opened Loopwright's desktop program once.
    pub opened: bool,
    /// Whether the Review window has the focus.
    pub review_has_focus: bool,
    /// Open pull requests that are not put off.
    pub waiting: Vec<Waiting>,
    /// What guard-rails stopped.
    pub handed_over: Vec<HandedOver>,
    /// Ceilings over several runs that keep runs from starting.
    pub budgets: Vec<Budget>,
    /// Keys that are missing.
    pub keys: Vec<NoKey>,
    /// Runs that failed in the last days.
    pub failed: Vec<FailedRun>,
    /// Times that were missed in the last day, because the clock failed.
    pub missed: Vec<MissedTime>,
    /// What became of approvals from notifications.
    pub approved: Vec<Approved>,
    /// Since when the tray runs where nothing draws icons; none = its icon is seen, or it does not run.
    pub no_tray: Option<DateTime<Utc>>,
}

/// An open pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub id: PullRequestId,
    /// The tree that it shows.
    pub tree: String,
    /// Its title.
    pub title: String,
    /// Its loop.
    pub loop_name: String,
    /// When it was opened.
    pub opened: DateTime<Utc>,
    /// When a putting off ended: it is told once more.
    pub again: Option<DateTime<Utc>>,
    /// How much it changes.
    pub stat: DiffStat,
    /// What it cost.
    pub cost: Micros,
    /// How many gates passed.
    pub gates: usize,
    /// Whether an independent checker accepted it; none = there was no checker.
    pub checker: Option<bool>,
    /// Why it must be opened, in a few words; none = it may be approved unread.
    pub must_open: Option<String>,
}

/// A finding that was handed over, or a run that was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// Its loop.
    pub loop_name: String,
    /// What makes it the same again: the finding's short id, or nothing for a whole run.
    pub what: String,
    /// The run, by its short id.
    pub run: String,
    /// The finding's title, or the loop's name.
    pub title: String,
    /// Why, in a few words: `no progress twice`.
    pub why: String,
    /// What the run spent.
    pub spent: Micros,
    /// Of how much.
    pub budget: Micros,
    /// When.
    pub at: DateTime<Utc>,
}

/// A ceiling over several runs that is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The loop; none = all together.
    pub loop_name: Option<String>,
    /// Which ceiling, with its period: what makes it the same again.
    pub ceiling: String,
    /// `today` or `this month`.
    pub period: String,
    /// What is spent or reserved.
    pub committed: Micros,
    /// The ceiling.
    pub amount: Micros,
    /// Until when: `midnight`, `1 December`.
    pub until: String,
    /// When a run was stopped by it.
    pub at: DateTime<Utc>,
}

/// A key that a loop needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoKey {
    /// The loop.
    pub loop_name: String,
    /// Whose key.
    pub provider: String,
    /// What is wrong, and what to do, in two sentences.
    pub why: String,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRun {
    /// The run, by its short id.
    pub run: String,
    /// Its loop.
    pub loop_name: String,
    /// Why.
    pub why: String,
    /// When it ended.
    pub at: DateTime<Utc>,
}

/// A time at which nothing started because nobody was there, though somebody was to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedTime {
    /// The loop.
    pub loop_name: String,
    /// The zone of its times.
    pub zone: Tz,
    /// When it was due.
    pub due: DateTime<Utc>,
    /// Whether the computer was to be woken for it; otherwise no scheduler ran.
    pub wake: bool,
    /// When it is caught up, if it is.
    pub catch_up: Option<DateTime<Utc>>,
}

/// What became of an approval from a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// The pull request.
    pub id: PullRequestId,
    /// Its title.
    pub title: String,
    /// Its loop.
    pub loop_name: String,
    /// Where it stands.
    pub landing: Landing,
}

/// Where an approval stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Landing {
    /// It has not taken effect yet.
    Ahead,
    /// It landed.
    Merged,
    /// A person took it back, or decided otherwise.
    TakenBack,
    /// It waits, and why.
    Waits(String),
    /// It was given back to the person, and why.
    GivenBack(String),
}

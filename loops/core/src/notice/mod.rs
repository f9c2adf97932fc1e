//! Notifications: which there are, what they say, and when one is shown, replaced, withdrawn or held.
//!
//! What goes by is [`Facts`]; [`plan`] decides; the words are in `words`. Showing them is the engine's.

mod facts;
mod plan;
mod rate;
mod settings;
mod topic;
mod waiting;
mod words;

use serde::{Deserialize, Serialize};

use crate::ids::PullRequestId;

pub use facts::{Approved, Budget, Facts, FailedRun, HandedOver, Landing, MissedTime, NoKey, Waiting};
pub use plan::{Plan, Step, Told, plan};
pub use topic::Topic;
pub use words::{escaped, halted, halted_but, handed_over_why, merging, no_tray, not_done, not_merged, sample};

/// The most characters of a title.
pub const TITLE: usize = 48;
/// The most characters of a text: two lines of 60.
pub const BODY: usize = 120;

/// Which notification it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A pull request that may be approved here.
    Ready,
    /// A pull request that must be opened.
    ReadyToLook,
    /// Two or more pull requests.
    Several,
    /// A guard-rail stopped work on a finding, or a run.
    HandedOver,
    /// A ceiling over several runs is reached.
    Budget,
    /// A key is missing or refused.
    Credentials,
    /// Runs that failed, gathered.
    Failures,
    /// A time at which nothing woke the computer, or nobody ran.
    Missed,
    /// Answer: approved from a notification.
    Merging,
    /// Answer: what was approved did not land.
    NotMerged,
    /// Answer: everything, or a loop, is halted.
    Halted,
    /// Answer: what a button was to do failed.
    NotDone,
    /// This desktop has no tray.
    NoTray,
    /// A person asked to see one.
    Sample,
}

/// How loud it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    /// It may wait.
    Low,
    /// As usual.
    Normal,
    /// It stays on the screen.
    Critical,
}

/// What can be clicked; the text of the notification itself is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Button {
    /// Opens the window of it; a click on the notification itself too. Never an approval.
    Review,
    /// Approves the tree that was announced.
    Approve,
    /// Puts off for an hour.
    Later,
    /// Stops the loop's runs, and starts none.
    HaltLoop,
    /// Opens the run.
    ShowRun,
    /// Lets the loop start no more by itself.
    PauseLoop,
    /// Opens what was spent.
    ShowSpend,
    /// Opens the settings.
    OpenSettings,
    /// Opens the runs.
    ShowRuns,
    /// Starts the loop.
    RunNow,
    /// Opens what can be repaired.
    Repair,
    /// Takes the approval back.
    Undo,
    /// Opens the way to resume, which wants a reason.
    Resume,
}

const BUTTONS: [(Button, &str, &str); 13] = [
    (Button::Review, "default", "Review"),
    (Button::Approve, "approve", "Approve"),
    (Button::Later, "later", "Later"),
    (Button::HaltLoop, "halt-loop", "Halt loop"),
    (Button::ShowRun, "show-run", "Show run"),
    (Button::PauseLoop, "pause-loop", "Pause loop"),
    (Button::ShowSpend, "show-spend", "Show spend"),
    (Button::OpenSettings, "open-settings", "Open settings"),
    (Button::ShowRuns, "show-runs", "Show runs"),
    (Button::RunNow, "run-now", "Run now"),
    (Button::Repair, "repair", "Repair"),
    (Button::Undo, "undo", "Undo"),
    (Button::Resume, "resume", "Resume…"),
];

/// What the buttons of a notification act on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Pull requests, each with the tree that was announced.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pull_requests: Vec<(PullRequestId, String)>,
    /// Loops, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loops: Vec<String>,
    /// A run, by its short id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

/// A notification as it is to be shown. All texts are plain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which.
    pub kind: Kind,
    /// What it tells of; none of that is told again.
    pub topics: Vec<Topic>,
    /// Understandable alone.
    pub title: String,
    /// Two lines at most.
    pub body: String,
    /// How loud.
    pub urgency: Urgency,
    /// In the order in which servers cut them; the first is a click on the notification itself.
    pub buttons: Vec<Button>,
    /// Nothing of it is kept once it is over.
    pub transient: bool,
    /// What the buttons act on.
    pub about: About,
}

impl Button {
    /// The key that a server sends back.
    pub fn key(self) -> &'static str {
        BUTTONS.iter().find(|(button, ..)| *button == self).map_or("default", |(_, key, _)| key)
    }

    /// What stands on it.
    pub fn label(self) -> &'static str {
        BUTTONS.iter().find(|(button, ..)| *button == self).map_or("Review", |(.., label)| label)
    }

    /// The button of a key; none of a key that nobody drew.
    pub fn of_key(key: &str) -> Option<Button> {
        BUTTONS.iter().find(|(_, known, _)| *known == key).map(|(button, ..)| *button)
    }
}

impl Kind {
    /// Whether it asks for a person: what is asked is rationed.
    pub fn needs_you(self) -> bool {
        self.of_waiting() || matches!(self, Kind::HandedOver | Kind::Budget | Kind::Credentials)
    }

    /// Whether it tells of something broken; what is neither answers a person.
    pub fn broken(self) -> bool {
        matches!(self, Kind::Failures | Kind::Missed)
    }

    /// Whether it tells of pull requests that wait: there is one such notification at a time.
    pub fn of_waiting(self) -> bool {
        matches!(self, Kind::Ready | Kind::ReadyToLook | Kind::Several)
    }
}

/// The word under which a kind is stored, as in JSON.
///
/// # Errors
/// It is of a newer program.
pub fn kind_of(word: &str) -> Option<Kind> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

/// The word of a kind.
pub fn word_of(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests;

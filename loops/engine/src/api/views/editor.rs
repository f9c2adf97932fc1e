//! Loops as a window lists and edits them.

use loopwright_core::changed::Changed;
use loopwright_core::definition::form::{Form, FormFault};
use loopwright_core::diagnostic::Diagnostic;
use loopwright_core::money::Micros;
use serde::{Deserialize, Serialize};

use super::LoopView;

/// How a loop is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LoopState {
    /// Its file can't be read, or is no valid loop.
    Unreadable,
    /// It is halted, or changed since it was confirmed.
    CantRun,
    /// It would start, and lacks something that it works with: a key.
    Degraded,
    /// It starts by itself.
    On,
    /// Nothing starts it by itself for a while.
    Paused,
    /// Nothing starts it by itself until a person says so.
    Off,
    /// Only a person starts it, as its file says.
    ByHand,
}

/// A loop in the list.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LoopListRow {
    /// The loop.
    pub view: LoopView,
    /// How it is.
    pub state: LoopState,
    /// Why it can't run, what it lacks, or what is wrong with its file, in one line.
    pub why: Option<String>,
    /// Whether its file lies in the repository that it works on.
    pub shared: bool,
    /// Pull requests of the last seven days.
    pub pull_requests: u32,
    /// Spent in the last seven days.
    pub spent: Micros,
}

/// One loop with the text of its file.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LoopDetail {
    /// Its row.
    pub row: LoopListRow,
    /// Its text; none if there is no file, or it is no text.
    pub text: Option<String>,
    /// SHA-256 of the file as it is now.
    pub hash: Option<String>,
    /// Whether that is the one that was confirmed.
    pub confirmed: bool,
    /// What it would do, a line each.
    pub plan: Vec<String>,
}

/// A text that a person works on.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DraftRequest {
    /// The text as the person has it.
    pub text: String,
    /// The text that it is compared with: what stands in the file.
    pub base: String,
    /// What the form says, if it was changed there; none = the text alone.
    pub form: Option<Form>,
}

/// What a text comes to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LoopDraft {
    /// The text, changed by the form where that was asked for.
    pub text: String,
    /// Whether it is a valid loop.
    pub valid: bool,
    /// Everything that is wrong or remarkable.
    pub diagnostics: Vec<Placed>,
    /// The form of its timing; none if the text can't be understood.
    pub form: Option<Form>,
    /// What is wrong in the form's fields; the text is as it was then.
    pub faults: Vec<FormFault>,
    /// Why the form's change can't be made in this text; the text is as it was then.
    pub refused: Option<String>,
    /// When it starts, in words.
    pub words: String,
    /// The zone of its times.
    pub zone: String,
    /// The computer's zone.
    pub computer: String,
    /// The next times.
    pub next: Vec<NextTime>,
    /// Times that the clock skips or has twice within a year.
    pub shifts: Vec<String>,
    /// The lines that differ from what stands in the file.
    pub changed: Vec<Changed>,
}

/// A diagnostic with its place as an editor counts it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Placed {
    /// What is wrong, and where in bytes.
    pub diagnostic: Diagnostic,
    /// Where it begins, in UTF-16 units from 0.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
}

/// A due time in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct NextTime {
    /// RFC 3339 with the loop's offset.
    pub at: String,
    /// `Mon 23 Nov 09:00`, in the loop's zone.
    pub shown: String,
    /// The same moment on this computer's clock, where that differs.
    pub here: Option<String>,
}

/// What came of saving.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum LoopSaved {
    /// It stands in the file.
    Saved {
        /// The loop as it is now.
        detail: Box<LoopDetail>,
        /// What is left to do until it counts; none = it counts from now on.
        left: Option<String>,
    },
    /// The file is not the one that was opened; nothing was written.
    ChangedOnDisk {
        /// What stands there now.
        text: String,
        /// Its SHA-256.
        hash: String,
    },
}

/// What came of deleting.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LoopDeleted {
    /// The loop.
    pub name: String,
    /// Where its folder was moved; none if it was left where it is.
    pub moved: Option<String>,
    /// Its file, where that was left.
    pub left: Option<String>,
}

/// A loop that is to be made.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct NewLoop {
    /// The template.
    pub template: String,
    /// The repository; none for a template that works on none.
    pub repo: Option<String>,
    /// Its name; none = one that is free.
    pub name: Option<String>,
}

/// A loop that would be made.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct NewLoopView {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// Its text.
    pub text: String,
    /// SHA-256 of that: what confirms it.
    pub hash: String,
    /// What it would do, a line each.
    pub plan: Vec<String>,
    /// Gates of the template that nothing was found for.
    pub missing: Vec<String>,
    /// Whether a loop of this name is there already, for the same repository.
    pub existing: bool,
}

/// What a text would start, in words.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SimulatedDraft {
    /// How many days were played.
    pub days: u32,
    /// What would happen, the earliest first.
    pub lines: Vec<SimulatedLine>,
    /// How many more lines there would be.
    pub more: usize,
}

/// One line of that.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SimulatedLine {
    /// `Mon 23 Nov 09:00`, in the loop's zone.
    pub at: String,
    /// What would happen.
    pub text: String,
}

//! Registered loops: when they start, and what is wrong with them or their runs.

use loopwright_core::ids::LoopId;
use loopwright_core::run::Mode;
use serde::Serialize;

use super::{Does, RunRow};

/// A registered loop.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LoopView {
    /// Its id.
    pub id: LoopId,
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: String,
    /// The repository it works on.
    pub repo: String,
    /// Only look, or make pull requests too.
    pub mode: Mode,
    /// What it is for.
    pub does: Does,
    /// SHA-256 of the file that was confirmed.
    pub hash: String,
    /// When it is due, in words.
    pub schedule: String,
    /// The next times, RFC 3339 with the loop's offset; empty when it only runs by hand.
    pub next: Vec<String>,
    /// Since when nothing starts it by itself (`disable`), RFC 3339 UTC; none = it does.
    pub paused_at: Option<String>,
    /// When that pause ends by itself, RFC 3339 UTC; none = when a person says so.
    pub paused_until: Option<String>,
    /// For each of `next`, when the quiet hours end that it falls into, RFC 3339 UTC.
    pub quiet_until: Vec<Option<String>>,
    /// Whether quiet hours skip its times instead of holding them.
    pub quiet_skips: bool,
    /// How it starts where no due time is to come: `after deps`, `its time is over`, `only by hand`.
    pub without_times: Option<String>,
    /// Whether anything but a person starts it.
    pub by_itself: bool,
    /// Whether the computer is to be woken for its times.
    pub wake: bool,
    /// The last run.
    pub last: Option<RunRow>,
    /// What hinders its next start, and how its last one failed.
    pub troubles: Vec<TroubleRow>,
}

/// What is wrong with a loop.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TroubleRow {
    /// For people.
    pub why: String,
    /// What to type about it.
    pub command: String,
}

/// A due time that is to come.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct NextRow {
    /// Whose.
    pub loop_name: String,
    /// When, RFC 3339 with the loop's offset.
    pub at: String,
    /// What makes it one, as the loop file has it.
    pub trigger: String,
    /// When the quiet hours end that it falls into, RFC 3339 UTC.
    pub quiet_until: Option<String>,
    /// Whether quiet hours skip it instead of holding it.
    pub quiet_skips: bool,
    /// Whether the computer is to be woken for it.
    pub wake: bool,
}

/// A run that lost its processes and goes on with the next pass.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LostRow {
    /// What people type.
    pub short: String,
    /// Its loop's name.
    pub loop_name: String,
    /// What it waits for; none = nothing but a pass.
    pub waits: Option<String>,
}

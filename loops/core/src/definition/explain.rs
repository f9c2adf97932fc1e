//! What `loopwright check` says about a valid loop: every resolved key with its origin, when it runs, what it can cost.
//!
//! Plain data; printing it is not done here. What depends on the machine comes in as [`Surroundings`].

mod chores;
mod notes;
mod plan;
mod rows;
#[cfg(test)]
mod tests;
mod timing;

use std::collections::BTreeSet;
use std::fmt;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::{Definition, Origins, Rails, ShipAction, duration};
use crate::ledger::{Ceiling, Period};
use crate::money::Micros;
use crate::schedule;
use crate::timing::Trigger;

pub use plan::plan;

/// How many of the next times are shown.
const NEXT: usize = 5;

/// What the engine knows of the place where the loop would run.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// The root of the repository it would work on; none = outside of any, or it can't be worked with.
    pub repo: Option<String>,
    /// Why the repository can't be worked with.
    pub repo_fault: Option<String>,
    /// The computer's zone.
    pub zone: Tz,
    /// The time.
    pub now: DateTime<Utc>,
    /// The checks that the repository has by itself.
    pub checks: Vec<DetectedCheck>,
    /// What the sandbox would see.
    pub mounts: Vec<Mount>,
    /// The ship actions that are configured on this computer.
    pub configured: BTreeSet<ShipAction>,
    /// The names of the loops that are registered here.
    pub loops: BTreeSet<String>,
}

/// A check that was found in the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DetectedCheck {
    /// The gate's name: `tests_pass`.
    pub gate: String,
    /// Its commands, as a person would type them.
    pub commands: Vec<String>,
    /// The file that told: `Cargo.toml`.
    pub origin: String,
}

/// One thing that the sandbox sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// The path outside.
    pub host: String,
    /// The path inside.
    pub inside: String,
    /// `read-only` or `writable`.
    pub access: String,
}

/// A valid loop, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The loop's name.
    pub name: String,
    /// Every key with its value and origin, in the order of a loop file.
    pub rows: Vec<Row>,
    /// What starts it; none = only a person.
    pub schedule: Option<Timetable>,
    /// What it can cost.
    pub cost: Cost,
    /// What its steps may reach and see beyond their own folders, a line each.
    pub grants: Vec<String>,
    /// What the sandbox would see.
    pub mounts: Vec<Mount>,
    /// What a person should know, a line each.
    pub notes: Vec<String>,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its name with the names above it: `guardrails.budget`.
    pub key: String,
    /// What holds.
    pub value: String,
    /// Why.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Origin {
    /// The loop file.
    File {
        /// Line, from 1.
        line: usize,
    },
    /// Nobody said otherwise.
    Default,
    /// The repository or the computer.
    Detected {
        /// What told.
        by: String,
    },
    /// Nobody told, and there is no default.
    Absent,
}

impl fmt::Display for Origin {
    /// `line 4`, `default`, `detected: Cargo.toml`, `absent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { line } => write!(f, "line {line}"),
            Origin::Default => f.write_str("default"),
            Origin::Detected { by } => write!(f, "detected: {by}"),
            Origin::Absent => f.write_str("absent"),
        }
    }
}

/// When a loop runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Timetable {
    /// `weekdays at 09:00`.
    pub words: String,
    /// The IANA zone it is meant in.
    pub zone: String,
    /// The next times, RFC 3339 with the zone's offset; none where only events start it.
    pub next: Vec<String>,
    /// Starts in the coming seven days.
    pub runs_per_week: u32,
    /// Starts on the busiest of them.
    pub runs_per_day: u32,
}

/// What a loop can cost at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// One run.
    pub per_run: Micros,
    /// The scheduled runs of the busiest day; none without a schedule.
    pub per_day: Option<Micros>,
    /// The scheduled runs of a week; none without a schedule.
    pub per_week: Option<Micros>,
    /// `at most $5 a run and $5 a day; 5 scheduled runs a week: $25`.
    pub words: String,
}

/// Explains a loop in its surroundings.
pub fn explain(definition: &Definition, origins: &Origins, around: &Surroundings) -> Explanation {
    let schedule = timetable(definition, around);
    Explanation {
        name: definition.name.clone(),
        rows: rows::rows(definition, origins, around),
        cost: cost(definition, schedule.as_ref()),
        schedule,
        grants: chores::grants(definition),
        mounts: [around.mounts.clone(), chores::mounts(definition)].concat(),
        notes: notes::notes(definition, around),
    }
}

fn timetable(definition: &Definition, around: &Surroundings) -> Option<Timetable> {
    let timing = &definition.timing;
    if timing.triggers.iter().all(|trigger| *trigger == Trigger::Manual) {
        return None;
    }
    let zone = timing.zone.unwrap_or(around.zone);
    let next = schedule::next_times(timing, zone, around.now, NEXT);
    Some(Timetable {
        words: schedule::in_words(timing),
        zone: zone.name().to_owned(),
        next: next.iter().map(DateTime::to_rfc3339).collect(),
        runs_per_week: schedule::runs_per_week(timing, zone, around.now),
        runs_per_day: schedule::most_runs_a_day(timing, zone, around.now),
    })
}

fn cost(definition: &Definition, schedule: Option<&Timetable>) -> Cost {
    let rails = &definition.rails;
    if definition.work.is_none() && rails.budget == Micros::ZERO {
        return free(rails, schedule.is_some());
    }
    let per_run = rails.budget;
    let (timed, others) = started_by(&definition.timing.triggers);
    let wider: String = rails.ceilings.iter().map(|c| format!(", {} a {}", c.amount, c.per.word())).collect();
    let Some(table) = schedule else {
        let words = format!("at most {per_run} a run{wider}; only a person starts it");
        return Cost { per_run, per_day: None, per_week: None, words };
    };
    if !timed {
        let words = format!("at most {per_run} a run{wider}; nobody knows beforehand how often it starts");
        return Cost { per_run, per_day: None, per_week: None, words };
    }
    let runs = table.runs_per_week;
    let per_week = rails.ceilings.iter().fold(per_run * u64::from(runs), |least, c| least.min(in_a_week(c)));
    let plural = if runs == 1 { "run" } else { "runs" };
    let per_day = rails.ceilings.iter().fold(per_run * u64::from(table.runs_per_day), |least, c| least.min(c.amount));
    let more = if others { ", and more where something else starts it" } else { "" };
    let words = format!(
        "at most {per_run} a run{wider} and {per_day} a day; {runs} scheduled {plural} a week: {per_week}{more}"
    );
    Cost { per_run, per_day: Some(per_day), per_week: Some(per_week), words }
}

/// What a loop without a maker and without a budget costs.
fn free(rails: &Rails, starts: bool) -> Cost {
    let time = duration(rails.max_duration_s);
    let words = format!("nothing that is counted: it has no agent; a run takes at most {time}");
    let none = starts.then_some(Micros::ZERO);
    Cost { per_run: Micros::ZERO, per_day: none, per_week: none, words }
}

/// Whether times start it, and whether something does that is neither a time nor a person.
fn started_by(triggers: &[Trigger]) -> (bool, bool) {
    let other = |trigger: &Trigger| !trigger.is_time() && *trigger != Trigger::Manual;
    (triggers.iter().any(Trigger::is_time), triggers.iter().any(other))
}

/// The most that a ceiling allows in a calendar week, which may lie in two months.
fn in_a_week(ceiling: &Ceiling) -> Micros {
    match ceiling.per {
        Period::Day => ceiling.amount * 7,
        Period::Run | Period::Month => ceiling.amount * 2,
    }
}

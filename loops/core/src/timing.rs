//! When a loop starts by itself, and what becomes of a start that can't be: its triggers and the keys beside them.
//!
//! Stored with the registration of a loop, as it was confirmed; only ever extended. Which due times there are is in
//! [`crate::schedule`], what becomes of each in [`crate::due`].

use std::fmt;

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::definition::phrase::quote;
use crate::run::End;

/// When a loop starts by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// What starts it, in the order of the file; only a person where none but [`Trigger::Manual`] stands.
    pub triggers: Vec<Trigger>,
    /// The zone of its times; none = the computer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Tz>,
    /// Whether the computer is to be woken for its times.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wake: bool,
    /// What becomes of times that were missed.
    #[serde(default)]
    pub catch_up: CatchUp,
    /// What becomes of a time at which the loop still runs.
    #[serde(default)]
    pub overlap: Overlap,
    /// It starts up to so many seconds later, always as much for the same time; 0 = at once.
    #[serde(default)]
    pub jitter_s: u64,
    /// When nothing starts by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// What becomes of a time at which the computer runs on its battery.
    #[serde(default)]
    pub battery: Battery,
}

/// What starts a loop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// `cron("0 9 * * MON-FRI")`
    Cron(String),
    /// `every(15m)`: each multiple of so many seconds since 1970 in UTC, so that a restart shifts nothing.
    Every(u64),
    /// `at("2026-12-01 08:25")`: once, on the clock of the loop's zone.
    At(NaiveDateTime),
    /// `after(other-loop)`: when a run of another loop has ended.
    After {
        /// Its name.
        name: String,
        /// How it must have ended.
        outcome: After,
    },
    /// `file("incoming/*.csv")`: when files that match were changed, and then left alone for [`FILE_REST_S`].
    File(String),
    /// `manual`: only a person.
    Manual,
}

/// How long files must have been left alone before they start a loop, in seconds.
pub const FILE_REST_S: u64 = 2;

/// How a run must end to start what comes after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum After {
    /// It did what it could: `after(other)`.
    #[default]
    Finished,
    /// It was halted or failed: `after(other, failed)`.
    Failed,
    /// However: `after(other, ended)`.
    Ended,
}

/// What becomes of times that were missed because the computer slept, was off, or nobody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatchUp {
    /// How many of them are caught up.
    pub how: CatchUpHow,
    /// How long after its time one may still start, in seconds.
    pub within_s: u64,
}

/// How many missed times are caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUpHow {
    /// None.
    Skip,
    /// The last one.
    Once,
    /// The last so many, one after the other.
    All(u32),
}

impl Default for CatchUp {
    /// The last one, for half a day.
    fn default() -> CatchUp {
        CatchUp { how: CatchUpHow::Once, within_s: 12 * 3600 }
    }
}

/// What becomes of a time at which the loop still runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is skipped.
    #[default]
    Skip,
    /// `queue(1)`: one waits until the run has ended, further ones are skipped.
    Queue,
    /// The run is halted, and the new one starts.
    CancelPrevious,
}

/// A part of the day, on the clock of the loop's zone, in which nothing starts by itself; it may go over midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// From this time on.
    pub from: NaiveTime,
    /// Until before this time.
    pub to: NaiveTime,
}

/// What becomes of a time at which the computer runs on its battery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Battery {
    /// It starts.
    #[default]
    Run,
    /// It is skipped.
    Skip,
    /// It waits for the mains, as long as `catch_up` allows.
    Wait,
}

impl Timing {
    /// One that only a person starts.
    pub fn manual() -> Timing {
        Timing {
            triggers: vec![Trigger::Manual],
            zone: None,
            wake: false,
            catch_up: CatchUp::default(),
            overlap: Overlap::default(),
            jitter_s: 0,
            quiet_hours: None,
            battery: Battery::default(),
        }
    }
}

impl After {
    /// Whether a run that ended so starts what comes after it.
    pub fn fits(self, end: &End) -> bool {
        match self {
            After::Finished => *end == End::Finished,
            After::Failed => *end != End::Finished,
            After::Ended => true,
        }
    }
}

impl Trigger {
    /// The word that occurrences of it are stored under.
    pub fn word(&self) -> &'static str {
        match self {
            Trigger::Cron(_) => "cron",
            Trigger::Every(_) => "every",
            Trigger::At(_) => "at",
            Trigger::After { .. } => "after",
            Trigger::File(_) => "file",
            Trigger::Manual => "manual",
        }
    }

    /// Whether it has due times.
    pub fn is_time(&self) -> bool {
        matches!(self, Trigger::Cron(_) | Trigger::Every(_) | Trigger::At(_))
    }
}

impl fmt::Display for Trigger {
    /// As a loop file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trigger::Cron(expression) => write!(f, "cron({})", quote(expression)),
            Trigger::Every(seconds) => write!(f, "every({})", crate::definition::duration(*seconds)),
            Trigger::At(time) => write!(f, "at(\"{}\")", time.format("%Y-%m-%d %H:%M")),
            Trigger::After { name, outcome: After::Finished } => write!(f, "after({name})"),
            Trigger::After { name, outcome: After::Failed } => write!(f, "after({name}, failed)"),
            Trigger::After { name, outcome: After::Ended } => write!(f, "after({name}, ended)"),
            Trigger::File(glob) => write!(f, "file({})", quote(glob)),
            Trigger::Manual => f.write_str("manual"),
        }
    }
}

impl fmt::Display for CatchUpHow {
    /// As a loop file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CatchUpHow::Skip => f.write_str("skip"),
            CatchUpHow::Once => f.write_str("once"),
            CatchUpHow::All(count) => write!(f, "all({count})"),
        }
    }
}

impl fmt::Display for Overlap {
    /// As a loop file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Overlap::Skip => "skip",
            Overlap::Queue => "queue(1)",
            Overlap::CancelPrevious => "cancel_previous",
        })
    }
}

impl fmt::Display for QuietHours {
    /// As a loop file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.from.format("%H:%M"), self.to.format("%H:%M"))
    }
}

impl fmt::Display for Battery {
    /// As a loop file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Battery::Run => "run",
            Battery::Skip => "skip",
            Battery::Wait => "wait",
        })
    }
}

impl QuietHours {
    /// Whether this time of the day is quiet.
    pub fn hold(&self, time: NaiveTime) -> bool {
        if self.from <= self.to { self.from <= time && time < self.to } else { self.from <= time || time < self.to }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> NaiveTime {
        text.parse().expect("a time")
    }

    #[test]
    fn a_trigger_is_printed_as_it_is_written() {
        let at = "2026-12-01T08:25:00".parse().expect("a time");
        let after = |outcome| Trigger::After { name: "other-loop".to_owned(), outcome };
        for (trigger, text) in [
            (Trigger::Cron("0 9 * * MON-FRI".to_owned()), "cron(\"0 9 * * MON-FRI\")"),
            (Trigger::Every(900), "every(15m)"),
            (Trigger::At(at), "at(\"2026-12-01 08:25\")"),
            (after(After::Finished), "after(other-loop)"),
            (after(After::Failed), "after(other-loop, failed)"),
            (Trigger::File("in/*.csv".to_owned()), "file(\"in/*.csv\")"),
            (Trigger::Manual, "manual"),
        ] {
            assert_eq!(trigger.to_string(), text);
        }
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let night = QuietHours { from: time("22:00:00"), to: time("07:00:00") };
        assert!(night.hold(time("23:59:59")) && night.hold(time("06:59:59")) && !night.hold(time("07:00:00")));
        let noon = QuietHours { from: time("12:00:00"), to: time("13:00:00") };
        assert!(noon.hold(time("12:30:00")) && !noon.hold(time("13:00:00")) && !noon.hold(time("11:59:59")));
    }

    #[test]
    fn what_was_stored_is_read_again() {
        let timing = Timing { zone: Some(chrono_tz::Europe::Berlin), jitter_s: 30, ..Timing::manual() };
        let text = serde_json::to_string(&timing).expect("it can be written");
        assert_eq!(serde_json::from_str::<Timing>(&text).expect("it can be read"), timing);
        let least = r#"{"triggers": [{"cron": "0 9 * * *"}]}"#;
        assert_eq!(serde_json::from_str::<Timing>(least).expect("it can be read").catch_up, CatchUp::default());
    }
}

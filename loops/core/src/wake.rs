//! Waking the computer for a loop that asks for it: when, whether this computer can, and why not.
//!
//! Timers of the system are a hint: the ledger of due times is the truth, and what was slept through is caught up. Setting and
//! reading timers is the engine's.

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::schedule::{due_times, quiet_until};
use crate::timing::{CatchUpHow, Timing};

/// How long before a start the computer is woken: its network needs a moment.
pub const LEAD: Duration = Duration::seconds(30);
/// How many due times are looked at for one that is not within quiet hours.
const LOOKS: usize = 2000;

/// A start that the computer is to be woken for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Waking {
    /// When it is woken.
    pub at: DateTime<Utc>,
    /// When the loop starts.
    pub starts_at: DateTime<Utc>,
    /// The loop's name.
    pub loop_name: String,
}

/// What stands in the beat of the scheduler about the wake timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WakeMark {
    /// What it is for.
    #[serde(flatten)]
    pub waking: Waking,
    /// What the system says that the timer is set to; none where it is not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_back: Option<DateTime<Utc>>,
    /// Why the computer will not wake all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hindrance: Option<Hindrance>,
}

/// Why this computer can't be woken by a timer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Hindrance {
    /// It has no clock that can wake it.
    NoClock,
    /// Its clock is not allowed to wake it.
    ClockOff,
    /// This program has no right to set alarms.
    NoRight,
    /// It never sleeps, as far as its kernel says.
    NeverSleeps,
    /// This program does not wake this system yet.
    NotBuilt,
    /// The timer was refused, or is not set to what it was set to.
    Refused(String),
}

/// What the system says of its clocks and its sleep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// There is a clock that goes on while the computer sleeps and has an alarm that the kernel uses.
    pub alarm_clock: bool,
    /// Whether a clock may wake the computer; none where there is no clock at all.
    pub may_wake: Option<bool>,
    /// This program may set alarms.
    pub right: bool,
    /// The kernel can put the computer to sleep.
    pub sleeps: bool,
}

impl Facts {
    /// The first thing that keeps a timer from waking the computer.
    pub fn hindrance(&self) -> Option<Hindrance> {
        match self {
            Facts { sleeps: false, .. } => Some(Hindrance::NeverSleeps),
            Facts { may_wake: Some(false), .. } => Some(Hindrance::ClockOff),
            Facts { alarm_clock: false, .. } | Facts { may_wake: None, .. } => Some(Hindrance::NoClock),
            Facts { right: false, .. } => Some(Hindrance::NoRight),
            _ => None,
        }
    }
}

impl Hindrance {
    /// Whether a loop may be slept through by it.
    pub fn matters(&self) -> bool {
        *self != Hindrance::NeverSleeps
    }

    /// What a person can do about it.
    pub fn repair(&self) -> Option<&'static str> {
        match self {
            Hindrance::NoRight => Some(
                "loopwright wake --units ~/loopwright-wake, then install one of the two as its README says: the right for \
                 your sessions, or a timer of the system",
            ),
            Hindrance::ClockOff => {
                Some("allow the clock's alarm in the computer's firmware (\"RTC wake\", \"resume by alarm\")")
            }
            Hindrance::Refused(_) => Some("end the scheduler, and start it again: loopwright serve"),
            Hindrance::NoClock | Hindrance::NeverSleeps | Hindrance::NotBuilt => None,
        }
    }
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hindrance::NoClock => f.write_str("it has no clock that can wake it"),
            Hindrance::ClockOff => f.write_str("its clock is not allowed to wake it"),
            Hindrance::NoRight => f.write_str("Loopwright has no right to set alarms"),
            Hindrance::NeverSleeps => f.write_str("it never sleeps"),
            Hindrance::NotBuilt => f.write_str("Loopwright can't wake this system yet"),
            Hindrance::Refused(why) => write!(f, "the timer is not set: {why}"),
        }
    }
}

/// The next start of a loop that the computer is to be woken for, after `now`; none where it asks for none or has none.
/// A time within quiet hours starts at their end or not at all, so nobody is woken for it before.
pub fn next_waking(timing: &Timing, zone: Tz, loop_name: &str, now: DateTime<Utc>) -> Option<Waking> {
    let starts = wakings(timing, zone, now).next()?;
    Some(Waking { at: starts - LEAD, starts_at: starts, loop_name: loop_name.to_owned() })
}

/// The starts of a loop that the computer is to be woken for, each still to be woken for after `now`.
pub fn wakings(timing: &Timing, zone: Tz, now: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let times = due_times(timing, zone, now).take(if timing.wake { LOOKS } else { 0 });
    let starts = times.filter_map(move |(due, _)| match quiet_until(timing, zone, due) {
        None => Some(due),
        Some(_) if timing.catch_up.how == CatchUpHow::Skip => None,
        Some(end) => Some(end),
    });
    let mut last = None;
    starts.filter(move |starts| *starts - LEAD > now && last.replace(*starts) != Some(*starts))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;
    use crate::timing::{CatchUp, QuietHours, Trigger};

    const ALL: Facts = Facts { alarm_clock: true, may_wake: Some(true), right: true, sleeps: true };

    fn at(hour: u32, minute: u32, second: u32) -> DateTime<Utc> {
        Utc.with_ymd_and_hms(2026, 12, 1, hour, minute, second).single().expect("a time")
    }

    fn daily(hour: &str) -> Timing {
        Timing { triggers: vec![Trigger::Cron(format!("0 {hour} * * *"))], wake: true, ..Timing::manual() }
    }

    #[test]
    fn each_lack_is_named_and_nothing_lacks_where_all_is_there() {
        assert_eq!(ALL.hindrance(), None);
        let named = [
            (Facts { sleeps: false, ..ALL }, Hindrance::NeverSleeps),
            (Facts { alarm_clock: false, may_wake: None, ..ALL }, Hindrance::NoClock),
            (Facts { alarm_clock: false, may_wake: Some(false), ..ALL }, Hindrance::ClockOff),
            // A timer can be made without any clock that wakes: that it was made proves nothing.
            (Facts { alarm_clock: false, ..ALL }, Hindrance::NoClock),
            (Facts { right: false, ..ALL }, Hindrance::NoRight),
        ];
        for (facts, hindrance) in named {
            assert_eq!(facts.hindrance(), Some(hindrance), "{facts:?}");
        }
    }

    #[test]
    fn the_next_start_that_can_still_be_woken_for() {
        let waking = |now| next_waking(&daily("9"), Tz::UTC, "a", now).map(|waking| (waking.at, waking.starts_at));
        assert_eq!(waking(at(8, 0, 0)), Some((at(8, 59, 30), at(9, 0, 0))));
        let tomorrow = at(9, 0, 0) + Duration::days(1);
        assert_eq!(waking(at(8, 59, 30)), Some((tomorrow - LEAD, tomorrow)), "it is awake already");
        assert_eq!(next_waking(&Timing { wake: false, ..daily("9") }, Tz::UTC, "a", at(8, 0, 0)), None);
    }

    #[test]
    fn nobody_is_woken_within_quiet_hours() {
        let hour = |hour| chrono::NaiveTime::from_hms_opt(hour, 0, 0).expect("an hour");
        let quiet = Timing { quiet_hours: Some(QuietHours { from: hour(22), to: hour(7) }), ..daily("3,9") };
        let starts = |timing: &Timing| wakings(timing, Tz::UTC, at(0, 0, 0)).take(2).collect::<Vec<_>>();
        assert_eq!(starts(&quiet), [at(7, 0, 0), at(9, 0, 0)]);
        let skips = CatchUp { how: CatchUpHow::Skip, within_s: 0 };
        assert_eq!(starts(&Timing { catch_up: skips, ..quiet }), [at(9, 0, 0), at(9, 0, 0) + Duration::days(1)]);
    }
}

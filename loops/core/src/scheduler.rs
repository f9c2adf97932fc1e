//! The scheduler's sign of life, and what it tells of the time since: who was absent, and whether the clock was set.
//!
//! Reading clocks and files is the engine's; which due times an absence touched is [`crate::due`]'s.

use std::time::Duration as Span;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::due::{Absence, Absent};
use crate::lease::InitRecord;
use crate::wake::WakeMark;

/// The longest time between two looks at the clock.
pub const TICK: Duration = Duration::seconds(30);
/// A beat that is older, in awake time, is no sign of life.
pub const STALE: Duration = Duration::seconds(90);
/// A clock that was set by more is written down.
pub const JUMP: Duration = Duration::minutes(5);
/// What clocks differ by without anybody having set or stopped anything.
const NOISE: Duration = Duration::seconds(2);

/// What all clocks showed at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The wall clock.
    pub at: DateTime<Utc>,
    /// Milliseconds since the computer was started.
    pub boottime_ms: u64,
    /// The same without the time in which it was asleep.
    pub monotonic_ms: u64,
    /// The boot that both belong to.
    pub boot: String,
}

/// What a scheduler leaves at each pass (`state/scheduler`, replaced by rename).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchedulerBeat {
    /// Its process.
    pub pid: i32,
    /// When that started, in clock ticks since boot.
    pub start: u64,
    /// Since when it is the scheduler.
    pub since: DateTime<Utc>,
    /// When its last pass was that came to its end.
    #[serde(flatten)]
    pub reading: Reading,
    /// When it has something to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<DateTime<Utc>>,
    /// Why its passes fail since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The wake timer, where a loop asks to be woken for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wake: Option<WakeMark>,
}

/// How well a scheduler is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It lives and makes its passes.
    Alive,
    /// It lives, and has made none for too long.
    Stuck,
    /// There is none.
    Gone,
}

/// The clock was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// What it would have shown.
    pub from: DateTime<Utc>,
    /// What it shows.
    pub to: DateTime<Utc>,
}

/// What happened between two readings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Between {
    /// When nobody looked, and why.
    pub absences: Vec<Absence>,
    /// The clock was set by more than [`JUMP`].
    pub jump: Option<Jump>,
}

impl SchedulerBeat {
    /// Reads a beat; none if the bytes are not one.
    pub fn parse(bytes: &[u8]) -> Option<SchedulerBeat> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether this living process left it.
    pub fn is_of(&self, process: &InitRecord) -> bool {
        (self.pid, self.start) == (process.pid, process.start)
    }

    /// How well it is; `lives`: whether its process is there.
    pub fn health(&self, lives: bool, now: &Reading) -> Health {
        let awake = millis(now.monotonic_ms.saturating_sub(self.reading.monotonic_ms));
        match lives && now.boot == self.reading.boot {
            false => Health::Gone,
            true if awake < STALE => Health::Alive,
            true => Health::Stuck,
        }
    }
}

/// What happened since the last pass that came to its end; `same` if the same process made it.
pub fn between(before: &Reading, now: &Reading, same: bool) -> Between {
    if before.boot != now.boot {
        return over_boots(before, now);
    }
    let passed = millis(now.boottime_ms.saturating_sub(before.boottime_ms));
    let awake = millis(now.monotonic_ms.saturating_sub(before.monotonic_ms));
    // What the clock would show if nobody had set it.
    let expected = before.at + passed;
    let mut absences: Vec<Absence> = gone(before.at, expected, passed - awake, awake, same).into_iter().collect();
    if now.at - expected > NOISE {
        absences.push(Absence { from: expected, to: now.at, why: Absent::ClockSet });
    }
    Between { absences, jump: jump(expected, now.at) }
}

/// When nobody looked, of a time of which so much was slept.
fn gone(from: DateTime<Utc>, to: DateTime<Utc>, slept: Duration, awake: Duration, same: bool) -> Option<Absence> {
    match same {
        // It looks again as soon as the computer wakes.
        true if slept > NOISE && awake < STALE => {
            Some(Absence { from: (to - slept - NOISE).max(from), to, why: Absent::Asleep })
        }
        true if slept > awake => Some(Absence { from, to, why: Absent::Asleep }),
        true if awake < STALE => None,
        // Another one, started as the computer woke: what was missed, was slept through.
        false if slept > STALE && awake < STALE => Some(Absence { from, to, why: Absent::Asleep }),
        // Another one, or one that was stopped or starved.
        _ => Some(Absence { from, to, why: Absent::NotRunning }),
    }
}

/// The computer was started anew in between; only the wall clock goes over that.
fn over_boots(before: &Reading, now: &Reading) -> Between {
    let booted = now.at - millis(now.boottime_ms);
    let absences = match () {
        () if before.at < booted => vec![
            Absence { from: before.at, to: booted, why: Absent::Off },
            Absence { from: booted, to: now.at, why: Absent::NotRunning },
        ],
        () if before.at < now.at => vec![Absence { from: before.at, to: now.at, why: Absent::Off }],
        () => Vec::new(),
    };
    let back = before.at - now.at > JUMP;
    Between { absences, jump: back.then_some(Jump { from: before.at, to: now.at }) }
}

fn jump(from: DateTime<Utc>, to: DateTime<Utc>) -> Option<Jump> {
    ((to - from).abs() > JUMP).then_some(Jump { from, to })
}

fn millis(ms: u64) -> Duration {
    Duration::from_std(Span::from_millis(ms)).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-22T{text}Z").parse().expect("a time")
    }

    fn reading(time: &str, boottime_s: u64, monotonic_s: u64) -> Reading {
        let (boottime_ms, monotonic_ms) = (boottime_s * 1000, monotonic_s * 1000);
        Reading { at: at(time), boottime_ms, monotonic_ms, boot: "b-1".to_owned() }
    }

    fn absence(from: &str, to: &str, why: Absent) -> Absence {
        Absence { from: at(from), to: at(to), why }
    }

    #[test]
    fn nothing_happened() {
        let quiet = between(&reading("09:00:00", 1000, 900), &reading("09:00:30", 1030, 930), true);
        assert_eq!(quiet, Between::default());
        // Clocks that are kept right by the network move a little.
        let slewed = between(&reading("09:00:00", 1000, 900), &reading("09:00:31", 1030, 930), true);
        assert_eq!(slewed, Between::default());
    }

    #[test]
    fn it_slept() {
        let night = between(&reading("01:00:00", 1000, 900), &reading("09:00:10", 29_810, 910), true);
        assert_eq!(night.absences, [absence("01:00:08", "09:00:10", Absent::Asleep)]);
        assert_eq!(night.jump, None, "nobody set the clock");
        let stopped = between(&reading("01:00:00", 1000, 900), &reading("09:00:00", 29_800, 2_000), true);
        assert_eq!(stopped.absences, [absence("01:00:00", "09:00:00", Absent::Asleep)]);
    }

    #[test]
    fn nobody_ran_or_it_was_stopped() {
        let other = between(&reading("01:00:00", 1000, 900), &reading("01:00:20", 1020, 920), false);
        assert_eq!(other.absences, [absence("01:00:00", "01:00:20", Absent::NotRunning)]);
        let woken = between(&reading("01:00:00", 1000, 900), &reading("09:00:10", 29_810, 910), false);
        assert_eq!(woken.absences, [absence("01:00:00", "09:00:10", Absent::Asleep)]);
        let late = between(&reading("01:00:00", 1000, 900), &reading("09:10:00", 30_400, 1_500), false);
        assert_eq!(late.absences, [absence("01:00:00", "09:10:00", Absent::NotRunning)], "the control");
        let stopped = between(&reading("01:00:00", 1000, 900), &reading("01:02:00", 1120, 1020), true);
        assert_eq!(stopped.absences, [absence("01:00:00", "01:02:00", Absent::NotRunning)]);
    }

    #[test]
    fn it_was_off() {
        let now = Reading { boot: "b-2".to_owned(), ..reading("09:00:00", 600, 600) };
        let off = between(&reading("01:00:00", 1000, 900), &now, false);
        assert_eq!(
            off.absences,
            [absence("01:00:00", "08:50:00", Absent::Off), absence("08:50:00", "09:00:00", Absent::NotRunning)]
        );
        let back = Reading { boot: "b-2".to_owned(), ..reading("00:10:00", 600, 600) };
        let back = between(&reading("01:00:00", 1000, 900), &back, false);
        assert_eq!(back, Between { absences: vec![], jump: Some(Jump { from: at("01:00:00"), to: at("00:10:00") }) });
    }

    #[test]
    fn the_clock_was_set() {
        let before = reading("09:00:00", 1000, 900);
        let forward = between(&before, &reading("10:00:30", 1030, 930), true);
        assert_eq!(forward.jump, Some(Jump { from: at("09:00:30"), to: at("10:00:30") }));
        assert_eq!(forward.absences, [absence("09:00:30", "10:00:30", Absent::ClockSet)]);
        let back = between(&before, &reading("08:00:30", 1030, 930), true);
        assert_eq!(back.jump, Some(Jump { from: at("09:00:30"), to: at("08:00:30") }));
        assert_eq!(back.absences, []);
        let little = between(&before, &reading("09:04:00", 1030, 930), true);
        assert_eq!(little.jump, None, "the control: 3 min 30 s");
    }

    #[test]
    fn health_is_a_living_process_with_a_young_beat() {
        let reading_then = reading("09:00:00", 1000, 900);
        let beat = SchedulerBeat {
            pid: 7,
            start: 5,
            since: at("08:00:00"),
            reading: reading_then,
            next: None,
            fault: None,
            wake: None,
        };
        assert_eq!(beat.health(true, &reading("09:01:00", 1060, 960)), Health::Alive);
        assert_eq!(beat.health(true, &reading("17:01:00", 29_860, 960)), Health::Alive, "it slept");
        assert_eq!(beat.health(true, &reading("09:02:00", 1120, 1020)), Health::Stuck);
        assert_eq!(beat.health(false, &reading("09:00:01", 1001, 901)), Health::Gone);
        let json = serde_json::to_vec(&beat).expect("it can be written");
        assert_eq!(SchedulerBeat::parse(&json), Some(beat));
        assert_eq!(SchedulerBeat::parse(b"{}"), None);
    }
}

//! What happens around loops on a virtual clock: when the computer sleeps, what runs find, and what they cost.
//!
//! All times are those of a right clock in the zone of the simulation. Reading one is in [`crate::definition::scenario`];
//! who plays it is the engine's `simulate`.

use std::ops::Range;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveDateTime, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;

use crate::money::Micros;
use crate::schedule::local;

/// What happens around the loops; nothing at all unless it says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scenario {
    /// When the computer sleeps: runs stand still.
    pub sleeps: Vec<Span>,
    /// When it is off: runs lose their processes.
    pub off: Vec<Span>,
    /// When it runs on its battery.
    pub battery: Vec<Span>,
    /// When its clock is set.
    pub clock: Vec<Jump>,
    /// When a person halts, and resumes.
    pub halts: Vec<Halted>,
    /// When the scheduler is killed.
    pub kills: Vec<Kill>,
    /// What runs do.
    pub runs: Vec<Script>,
}

/// A time, or one that comes again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Once.
    Once {
        /// From this time on.
        from: NaiveDateTime,
        /// Until before this time.
        to: NaiveDateTime,
    },
    /// On every day; over midnight where it ends before it begins.
    Daily {
        /// From this time on.
        from: NaiveTime,
        /// Until before this time.
        to: NaiveTime,
    },
    /// In every week, whole days.
    Weekly {
        /// The first day.
        from: Weekday,
        /// The last one.
        to: Weekday,
    },
}

/// The computer's clock is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// When.
    pub at: NaiveDateTime,
    /// By how many seconds it is put forward; negative = back.
    pub by_s: i64,
}

/// A person halts everything or one loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Halted {
    /// From this time on.
    pub from: NaiveDateTime,
    /// When the person resumes; none = never.
    pub to: Option<NaiveDateTime>,
    /// The loop; none = everything.
    pub of: Option<String>,
}

/// The scheduler is killed, and started again at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kill {
    /// At this time.
    At(NaiveDateTime),
    /// So many times, anywhere: also in the middle of a pass.
    Random {
        /// Chooses when.
        seed: u64,
        /// How often.
        times: u32,
    },
}

/// What the runs of a loop do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Of which loop; none = of all that no other one names.
    pub of: Option<String>,
    /// How long it takes to look for findings, and each chore that is no service, in seconds.
    pub takes_s: u64,
    /// How many new findings a run finds.
    pub findings: u32,
    /// What the maker makes of findings, in turn.
    pub makes: Vec<Makes>,
    /// How long maker and checker take each, in seconds.
    pub round_s: u64,
    /// What an attempt costs; none = its price.
    pub costs: Option<Micros>,
    /// Each so many-th run of the loop fails; 0 = none does.
    pub fails_every: u32,
    /// Chores that fail, by their names.
    pub failing: Vec<String>,
}

/// What a maker makes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// The change of this round, from 1, is verified.
    Fix(u32),
    /// It says that it can't.
    Declines,
    /// Its attempts change nothing.
    Nothing,
}

impl Default for Script {
    /// Two minutes, and nothing found.
    fn default() -> Script {
        Script {
            of: None,
            takes_s: 120,
            findings: 0,
            makes: vec![Makes::Fix(1)],
            round_s: 300,
            costs: None,
            fails_every: 0,
            failing: Vec::new(),
        }
    }
}

impl Scenario {
    /// What the runs of a loop do.
    pub fn script(&self, loop_name: &str) -> Script {
        let named = self.runs.iter().find(|script| script.of.as_deref() == Some(loop_name));
        named.or_else(|| self.runs.iter().find(|script| script.of.is_none())).cloned().unwrap_or_default()
    }
}

/// All times of these spans that lie in `within`, the earliest first, those that touch as one.
pub fn times(spans: &[Span], within: &Range<DateTime<Utc>>, zone: Tz) -> Vec<Range<DateTime<Utc>>> {
    let mut all: Vec<Range<DateTime<Utc>>> = spans.iter().flat_map(|span| span.times(within, zone)).collect();
    all.sort_by_key(|time| time.start);
    let mut merged: Vec<Range<DateTime<Utc>>> = Vec::new();
    for time in all {
        match merged.last_mut() {
            Some(last) if time.start <= last.end => last.end = last.end.max(time.end),
            _ => merged.push(time),
        }
    }
    merged
}

impl Span {
    /// Its times that lie in `within`, cut off there.
    fn times(&self, within: &Range<DateTime<Utc>>, zone: Tz) -> Vec<Range<DateTime<Utc>>> {
        let day = |at: DateTime<Utc>| at.with_timezone(&zone).date_naive();
        // One that began in the week before may still last.
        let first = day(within.start).checked_sub_days(Days::new(7)).unwrap_or(NaiveDate::MIN);
        let days = first.iter_days().take_while(|date| *date <= day(within.end));
        let local_times: Vec<(NaiveDateTime, NaiveDateTime)> = match *self {
            Span::Once { from, to } => vec![(from, to)],
            Span::Daily { from, to } => days
                .filter_map(|date| {
                    let end = if to <= from { date.succ_opt()? } else { date };
                    Some((date.and_time(from), end.and_time(to)))
                })
                .collect(),
            Span::Weekly { from, to } => days
                .filter(|date| date.weekday() == from)
                .filter_map(|date| {
                    let long = u64::from(to.days_since(from)) + 1;
                    let end = date.checked_add_days(Days::new(long))?;
                    Some((date.and_time(NaiveTime::MIN), end.and_time(NaiveTime::MIN)))
                })
                .collect(),
        };
        let moments = local_times.into_iter().filter_map(|(from, to)| Some(local(from, zone)?..local(to, zone)?));
        let cut = moments.map(|time| time.start.max(within.start)..time.end.min(within.end));
        cut.filter(|time| time.start < time.end).collect()
    }
}

/// A pass that starts something makes about so many commits.
const MOST_COMMITS: u64 = 6;

/// Kills within a time, the earliest first: when, and after how many further commits.
pub fn kills(kills: &[Kill], within: &Range<DateTime<Utc>>, zone: Tz) -> Vec<(DateTime<Utc>, u32)> {
    let long = u64::try_from((within.end - within.start).num_seconds()).unwrap_or(0).max(1);
    let mut found = Vec::new();
    for kill in kills {
        match *kill {
            Kill::At(at) => found.extend(local(at, zone).filter(|at| within.contains(at)).map(|at| (at, 0))),
            Kill::Random { seed, times } => found.extend((0..u64::from(times)).filter_map(|n| {
                let number = mixed(seed.wrapping_add(n.wrapping_mul(0x5851_f42d_4c95_7f2d)));
                let at = within.start + chrono::Duration::seconds(i64::try_from(number % long).ok()?);
                Some((at, u32::try_from((number >> 32) % MOST_COMMITS).ok()?))
            })),
        }
    }
    found.sort();
    found
}

/// The same number for the same seed, anywhere (splitmix64).
pub fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect("a time")
    }

    fn utc(text: &str) -> DateTime<Utc> {
        at(text).and_utc()
    }

    fn shown(spans: &[Span], from: &str, to: &str, zone: Tz) -> Vec<String> {
        let found = times(spans, &(utc(from)..utc(to)), zone);
        found.iter().map(|t| format!("{} - {}", t.start.format("%d %H:%M"), t.end.format("%d %H:%M"))).collect()
    }

    #[test]
    fn spans_come_on_their_days_and_touching_ones_are_one() {
        let night = Span::Daily { from: at("2026-12-01 23:00").time(), to: at("2026-12-01 07:00").time() };
        let found = shown(&[night], "2026-12-01 00:00", "2026-12-03 00:00", Tz::UTC);
        assert_eq!(found, ["01 00:00 - 01 07:00", "01 23:00 - 02 07:00", "02 23:00 - 03 00:00"]);
        let weekend = Span::Weekly { from: Weekday::Sat, to: Weekday::Sun };
        assert_eq!(
            shown(&[weekend], "2026-12-01 00:00", "2026-12-14 00:00", Tz::UTC),
            ["05 00:00 - 07 00:00", "12 00:00 - 14 00:00"]
        );
        let once = Span::Once { from: at("2026-12-05 20:00"), to: at("2026-12-07 10:00") };
        let found = shown(&[once, weekend, night], "2026-12-05 12:00", "2026-12-08 12:00", Tz::UTC);
        assert_eq!(found, ["05 12:00 - 07 10:00", "07 23:00 - 08 07:00"]);
    }

    #[test]
    fn a_night_in_which_the_clock_changes_is_as_long_as_it_is() {
        let night = Span::Daily { from: at("2026-12-01 23:00").time(), to: at("2026-12-01 07:00").time() };
        let zone = chrono_tz::Europe::Berlin;
        let found = times(&[night], &(utc("2026-10-24 12:00")..utc("2026-10-25 12:00")), zone);
        assert_eq!(found.iter().map(|t| (t.end - t.start).num_hours()).collect::<Vec<_>>(), [9]);
    }

    #[test]
    fn kills_are_the_same_for_the_same_seed() {
        let within = utc("2026-12-01 00:00")..utc("2026-12-11 00:00");
        let random = |seed| kills(&[Kill::Random { seed, times: 5 }], &within, Tz::UTC);
        assert_eq!(random(1), random(1));
        assert_ne!(random(1), random(2));
        assert!(random(1).iter().all(|(at, _)| within.contains(at)) && random(1).len() == 5);
        assert!(kills(&[Kill::At(at("2026-12-12 00:00"))], &within, Tz::UTC).is_empty());
    }

    #[test]
    fn a_loop_of_its_own_name_has_its_own_script() {
        let named = Script { of: Some("a".to_owned()), takes_s: 1, ..Script::default() };
        let others = Script { takes_s: 2, ..Script::default() };
        let scenario = Scenario { runs: vec![others, named], ..Scenario::default() };
        assert_eq!([scenario.script("a").takes_s, scenario.script("b").takes_s], [1, 2]);
        assert_eq!(Scenario::default().script("b").takes_s, 120);
    }
}

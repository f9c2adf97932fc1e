//! Times of a timetable at which a zone's clock is set forward or back: named before anybody wonders.

use chrono::{DateTime, Duration, NaiveDateTime, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::due_times;
use crate::timing::{Timing, Trigger};

/// How far ahead is looked.
const DAYS: i64 = 366;
/// More are told to nobody.
const MOST: usize = 3;

/// What becomes of due times in the hours that the zone skips or has twice in the year after `now`, a sentence each.
pub fn shifts(timing: &Timing, zone: Tz, now: DateTime<Utc>) -> Vec<String> {
    let triggers = timing.triggers.iter().filter(|t| matches!(t, Trigger::Cron(_) | Trigger::At(_))).cloned().collect();
    let timing = Timing { triggers, ..timing.clone() };
    let told = transitions(zone, now).filter_map(|at| told(&timing, zone, at));
    told.take(MOST).collect()
}

/// The moments at which the clock of the zone is set.
fn transitions(zone: Tz, now: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    (0..DAYS).filter_map(move |day| {
        let (from, to) = (now + Duration::days(day), now + Duration::days(day + 1));
        (offset(zone, from) != offset(zone, to)).then(|| between(zone, from, to))
    })
}

/// The first minute of the other offset.
fn between(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> DateTime<Utc> {
    let before = offset(zone, from);
    // Whole minutes of the clock, so that the moment itself is met.
    let start = from.timestamp().div_euclid(60);
    let (mut low, mut high) = (start, to.timestamp().div_euclid(60) + 1);
    while high - low > 1 {
        let middle = i64::midpoint(low, high);
        let at = DateTime::from_timestamp(middle * 60, 0).unwrap_or(from);
        if offset(zone, at) == before { low = middle } else { high = middle }
    }
    DateTime::from_timestamp(high * 60, 0).unwrap_or(to)
}

fn told(timing: &Timing, zone: Tz, at: DateTime<Utc>) -> Option<String> {
    let (before, after) = (offset(zone, at - Duration::minutes(1)), offset(zone, at));
    let forward = after > before;
    let clock = |offset: i32| at.naive_utc() + Duration::seconds(i64::from(offset));
    let (from, until) = (clock(before.min(after)), clock(before.max(after)));
    let named = named(timing, from, until)?;
    let shown = named.format("%-d %b %H:%M");
    let runs = |from: DateTime<Utc>, until: DateTime<Utc>| {
        let times = due_times(timing, zone, from - Duration::seconds(1));
        times.take_while(|(time, _)| *time < until).map(|(time, _)| time).collect::<Vec<_>>()
    };
    let length = until - from;
    Some(if forward {
        let meant = runs(at, at + length + Duration::seconds(1)).first().map(|time| time.with_timezone(&zone));
        match meant {
            Some(time) => format!("{shown} doesn't exist; runs {}", time.format("%H:%M")),
            None => format!("{shown} doesn't exist; doesn't run then"),
        }
    } else {
        let same = |time: &DateTime<Utc>| time.with_timezone(&zone).naive_local() == named;
        match runs(at - length, at + length).iter().filter(|time| same(time)).count() {
            0 | 1 => format!("{shown} comes twice; runs the first time"),
            _ => format!("{shown} comes twice; runs both times"),
        }
    })
}

/// The first time on the clock from `from` until before `until` that the timetable names.
fn named(timing: &Timing, from: NaiveDateTime, until: NaiveDateTime) -> Option<NaiveDateTime> {
    let clock = Tz::UTC.from_utc_datetime(&(from - Duration::seconds(1))).to_utc();
    let first = due_times(timing, Tz::UTC, clock).next()?.0.naive_utc();
    (first < until).then_some(first)
}

fn offset(zone: Tz, at: DateTime<Utc>) -> i32 {
    zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_and_doubled_times_are_named() {
        let now = "2026-11-22T12:00:00Z".parse().expect("a time");
        let said = |expression: &str, zone: Tz| {
            let triggers = vec![Trigger::Cron(expression.to_owned())];
            shifts(&Timing { triggers, ..Timing::manual() }, zone, now)
        };
        let berlin = Tz::Europe__Berlin;
        assert_eq!(
            said("30 2 * * *", berlin),
            ["28 Mar 02:30 doesn't exist; runs 03:00", "31 Oct 02:30 comes twice; runs the first time"]
        );
        assert_eq!(said("0 9 * * *", berlin), [""; 0], "the control: at nine nothing is set");
        assert_eq!(said("30 2 * * *", Tz::UTC), [""; 0], "the control: a clock that is never set");
        assert_eq!(said("30 2 * * MON-FRI", berlin), [""; 0], "the control: clocks are set on Sundays");
        assert_eq!(said("0 * * * *", berlin)[1], "31 Oct 02:00 comes twice; runs both times");
    }
}

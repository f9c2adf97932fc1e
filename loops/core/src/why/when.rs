//! What a person means by a time: `last`, `next`, `09:00`, `yesterday 09:00`, `monday`, `2026-11-21`, `2026-11-21 09:00`.

use std::ops::Range;

use chrono::{DateTime, Datelike as _, Days, Duration, NaiveDate, NaiveTime, TimeZone as _, Utc, Weekday};
use chrono_tz::Tz;

use crate::schedule::local;

/// What is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The last due time.
    Last,
    /// The next due time.
    Next,
    /// The due times within; two ranges where the clock of the zone shows a time twice.
    Within(Vec<Range<DateTime<Utc>>>),
}

/// What to write.
pub const HELP: &str = "write `last`, `next`, `09:00`, `today`, `yesterday 09:00`, `tomorrow 09:00`, `monday 09:00` (the last \
                        one), `2026-11-21` or `2026-11-21 09:00`";

/// Reads it on the clock of a zone; none if it is no such time.
pub fn parse(text: &str, zone: Tz, now: DateTime<Utc>) -> Option<When> {
    let text = text.trim();
    match text {
        "last" => return Some(When::Last),
        "next" => return Some(When::Next),
        _ => {}
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        let at = at.with_timezone(&Utc);
        return Some(When::Within(vec![at..at + Duration::seconds(1)]));
    }
    let today = now.with_timezone(&zone).date_naive();
    let mut words = text.split([' ', 'T']).filter(|word| !word.is_empty());
    let first = words.next()?;
    let (date, time) = match (date(first, today), words.next()) {
        (Some(date), None) => return day(date, zone),
        (Some(date), Some(time)) => (date, time),
        (None, None) => (today, first),
        (None, Some(_)) => return None,
    };
    if words.next().is_some() {
        return None;
    }
    within(date, time, zone)
}

fn date(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    match word {
        "today" => Some(today),
        "yesterday" => today.checked_sub_days(Days::new(1)),
        "tomorrow" => today.checked_add_days(Days::new(1)),
        _ => word.parse().ok().or_else(|| weekday(word, today)),
    }
}

/// The last such day of the week; today is one.
fn weekday(word: &str, today: NaiveDate) -> Option<NaiveDate> {
    let day: Weekday = word.parse().ok()?;
    today.checked_sub_days(Days::new(u64::from(today.weekday().days_since(day))))
}

fn day(date: NaiveDate, zone: Tz) -> Option<When> {
    let begins = |date: NaiveDate| local(date.and_time(NaiveTime::MIN), zone);
    let range = begins(date)?..begins(date.checked_add_days(Days::new(1))?)?;
    Some(When::Within(vec![range]))
}

/// The minute, or the second where that is said, each time the clock shows it.
fn within(date: NaiveDate, time: &str, zone: Tz) -> Option<When> {
    let (time, span) = match NaiveTime::parse_from_str(time, "%H:%M") {
        Ok(time) => (time, Duration::minutes(1)),
        Err(_) => (NaiveTime::parse_from_str(time, "%H:%M:%S").ok()?, Duration::seconds(1)),
    };
    let shown = zone.from_local_datetime(&date.and_time(time));
    let mut moments: Vec<DateTime<Utc>> =
        [shown.earliest(), shown.latest()].into_iter().flatten().map(|at| at.with_timezone(&Utc)).collect();
    moments.dedup();
    if moments.is_empty() {
        // What is due at a time that the clock skips comes at the first after it.
        moments.extend(local(date.and_time(time), zone));
    }
    Some(When::Within(moments.into_iter().map(|at| at..at + span).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: &str, seconds: i64) -> Range<DateTime<Utc>> {
        let from: DateTime<Utc> = from.parse().expect("a time");
        from..from + Duration::seconds(seconds)
    }

    fn read(text: &str) -> Option<When> {
        parse(text, Tz::Europe__Berlin, "2026-11-22T09:30:00Z".parse().expect("a time"))
    }

    #[test]
    fn times_of_the_zone() {
        for (text, from, seconds) in [
            ("09:00", "2026-11-22T08:00:00Z", 60),
            ("today 09:00", "2026-11-22T08:00:00Z", 60),
            ("yesterday 09:00", "2026-11-21T08:00:00Z", 60),
            ("tomorrow 09:00:30", "2026-11-23T08:00:30Z", 1),
            ("2026-07-01 09:00", "2026-07-01T07:00:00Z", 60),
            (" 2026-07-01T09:00 ", "2026-07-01T07:00:00Z", 60),
            ("2026-11-21", "2026-11-20T23:00:00Z", 86_400),
            ("yesterday", "2026-11-20T23:00:00Z", 86_400),
            ("monday 09:00", "2026-11-16T08:00:00Z", 60),
            ("Sun", "2026-11-21T23:00:00Z", 86_400),
            ("2026-10-25", "2026-10-24T22:00:00Z", 90_000),
            ("2026-03-29 02:30", "2026-03-29T01:00:00Z", 60),
            ("2026-11-21T08:00:00Z", "2026-11-21T08:00:00Z", 1),
        ] {
            assert_eq!(read(text), Some(When::Within(vec![range(from, seconds)])), "{text}");
        }
        assert_eq!(read("last"), Some(When::Last));
        assert_eq!(read("next"), Some(When::Next));
        assert!(["0000-01-01", "9999-12-31"].iter().all(|text| read(text).is_some()), "far off, and times");
        let twice = vec![range("2026-10-25T00:30:00Z", 60), range("2026-10-25T01:30:00Z", 60)];
        assert_eq!(read("2026-10-25 02:30"), Some(When::Within(twice)));
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in
            ["", "soon", "25:00", "2026-02-30", "09:00 yesterday", "yesterday 09:00 sharp", "9", "yesterday soon"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

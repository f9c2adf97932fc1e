//! Times for people: in their zone, with the day said where it could be misread.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The zone in which times are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Zone(Tz);

impl Zone {
    /// Shows times in this zone.
    pub(crate) fn new(zone: Tz) -> Zone {
        Zone(zone)
    }

    /// The offset that holds at a time.
    pub(crate) fn offset(self, at: DateTime<Utc>) -> FixedOffset {
        self.0.offset_from_utc_datetime(&at.naive_utc()).fix()
    }

    /// `today 09:00`, `yesterday 09:00`, `Mon 16 Nov 09:00`, of an RFC 3339 time.
    pub(crate) fn day_time(self, at: &str, now: DateTime<Utc>) -> String {
        let Ok(at) = DateTime::parse_from_rfc3339(at) else {
            return at.to_owned();
        };
        let local = at.with_timezone(&self.0);
        let today = now.with_timezone(&self.0).date_naive();
        format!("{} {}", day(local.date_naive(), today), local.format("%H:%M"))
    }

    /// `09:00:20`, of an RFC 3339 time that is near.
    pub(crate) fn clock(self, at: &str) -> String {
        let at = DateTime::parse_from_rfc3339(at).map(|at| at.with_timezone(&self.0).format("%H:%M:%S").to_string());
        at.unwrap_or_default()
    }
}

/// The same for a time that stands in the zone it is to be shown in, as a loop's next times do.
pub(crate) fn due(at: &str, now: DateTime<Utc>) -> String {
    let Ok(at) = DateTime::parse_from_rfc3339(at) else {
        return at.to_owned();
    };
    let today = now.with_timezone(at.offset()).date_naive();
    format!("{} {}", day(at.date_naive(), today), at.format("%H:%M"))
}

/// Whether a stored time is still to come.
pub(crate) fn is_after(at: &str, now: DateTime<Utc>) -> bool {
    DateTime::parse_from_rfc3339(at).is_ok_and(|at| at.with_timezone(&Utc) > now)
}

/// Seconds between two RFC 3339 times; the second defaults to `now`.
pub(crate) fn seconds(from: &str, to: Option<&str>, now: DateTime<Utc>) -> Option<u64> {
    let parse = |t: &str| DateTime::parse_from_rfc3339(t).ok();
    let to = match to {
        Some(to) => parse(to)?.with_timezone(&Utc),
        None => now,
    };
    u64::try_from((to - parse(from)?.with_timezone(&Utc)).num_seconds()).ok()
}

fn day(day: NaiveDate, today: NaiveDate) -> String {
    match (day - today).num_days() {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        -1 => "yesterday".to_owned(),
        _ if day.year() != today.year() => day.format("%a %-d %b %Y").to_string(),
        _ => day.format("%a %-d %b").to_string(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A fixed zone for tests of rendering.
    pub(crate) const BERLIN: Zone = Zone(Tz::Europe__Berlin);

    /// A fixed time for tests of rendering.
    pub(crate) fn now() -> DateTime<Utc> {
        let now = DateTime::parse_from_rfc3339("2026-11-22T09:30:00Z");
        now.expect("a time").with_timezone(&Utc)
    }

    #[test]
    fn days_near_by_have_names() {
        for (at, shown) in [
            ("2026-11-22T08:00:00Z", "today 09:00"),
            ("2026-11-21T23:30:00Z", "today 00:30"),
            ("2026-11-21T08:00:00Z", "yesterday 09:00"),
            ("2026-11-23T08:00:00Z", "tomorrow 09:00"),
            ("2026-07-01T08:00:00Z", "Wed 1 Jul 10:00"),
            ("2027-01-01T08:00:00Z", "Fri 1 Jan 2027 09:00"),
            ("never", "never"),
        ] {
            assert_eq!(BERLIN.day_time(at, now()), shown);
        }
        assert_eq!(due("2026-11-23T09:00:00+01:00", now()), "tomorrow 09:00");
    }

    #[test]
    fn a_living_run_is_as_old_as_now() {
        let from = "2026-11-22T09:29:00Z";
        assert_eq!(seconds(from, None, now()), Some(60));
        assert_eq!(seconds(from, Some("2026-11-22T09:29:05Z"), now()), Some(5));
        assert_eq!(seconds(from, Some("2026-11-22T09:28:05Z"), now()), None);
    }
}

//! Until when something is put off, from what a person types: `1h`, `evening`, `tomorrow`, `2026-12-01`.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

use super::harmless;

/// What is meant where nothing is typed.
pub const DEFAULT: &str = "1h";

/// The hour at which an evening begins.
const EVENING: u32 = 18;

/// The hour at which a day begins.
const MORNING: u32 = 9;

/// The longest that something is put off.
const LONGEST: Duration = Duration::days(366);

/// Why a text names no time to come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaterError {
    /// It is no time.
    #[error("`{0}` is no time: say 30m, 1h, 2d, evening, tomorrow, 2026-12-01 or 2026-12-01T14:00")]
    NotATime(String),
    /// It has passed.
    #[error("{0} has passed")]
    Passed(String),
    /// It is further away than anybody means.
    #[error("{0} is more than a year away")]
    TooLate(String),
}

/// The time that `text` means at `now` for somebody who lives in `zone`.
///
/// # Errors
/// It means none, or none that is to come within a year.
pub fn until(text: &str, now: DateTime<Utc>, zone: Tz) -> Result<DateTime<Utc>, LaterError> {
    let said = text.trim().to_ascii_lowercase();
    let not_a_time = || LaterError::NotATime(harmless::line(text, 40));
    let at = duration(&said).map(|d| now + d).or_else(|| named(&said, now, zone)).ok_or_else(not_a_time)?;
    match at {
        at if at <= now => Err(LaterError::Passed(said)),
        at if at > now + LONGEST => Err(LaterError::TooLate(said)),
        at => Ok(at),
    }
}

/// `20s`, `30m`, `1h`, `2d`, `1w`.
pub fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().ok().filter(|n| (0..=1_000_000).contains(n))?;
    Some(match unit {
        's' => Duration::seconds(number),
        'm' => Duration::minutes(number),
        'h' => Duration::hours(number),
        'd' => Duration::days(number),
        'w' => Duration::weeks(number),
        _ => return None,
    })
}

fn named(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let today = now.with_timezone(&zone).date_naive();
    let tomorrow = today.succ_opt()?;
    match text {
        "evening" => {
            let tonight = local(today, EVENING, zone)?;
            if tonight > now { Some(tonight) } else { local(tomorrow, EVENING, zone) }
        }
        "tomorrow" => local(tomorrow, MORNING, zone),
        _ => match text.parse::<NaiveDate>() {
            Ok(day) => local(day, MORNING, zone),
            Err(_) => {
                let read = |form| NaiveDateTime::parse_from_str(text, form).ok();
                in_zone(read("%Y-%m-%dt%H:%M").or_else(|| read("%Y-%m-%d %H:%M"))?, zone)
            }
        },
    }
}

fn local(day: NaiveDate, hour: u32, zone: Tz) -> Option<DateTime<Utc>> {
    in_zone(day.and_time(NaiveTime::from_hms_opt(hour, 0, 0)?), zone)
}

/// The instant of a local time; where the clock skips it, an hour later.
fn in_zone(at: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&at) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.with_timezone(&Utc)),
        LocalResult::None => Some(zone.from_local_datetime(&(at + Duration::hours(1))).earliest()?.with_timezone(&Utc)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: Tz = chrono_tz::Europe::Berlin;

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:30:00Z".parse().expect("a time")
    }

    #[test]
    fn what_people_type_is_a_time() {
        for (text, at) in [
            ("1h", "2026-11-22T10:30:00Z"),
            ("30m", "2026-11-22T10:00:00Z"),
            ("2d", "2026-11-24T09:30:00Z"),
            ("evening", "2026-11-22T17:00:00Z"),
            ("Tomorrow", "2026-11-23T08:00:00Z"),
            ("2026-12-01", "2026-12-01T08:00:00Z"),
            ("2026-12-01T14:00", "2026-12-01T13:00:00Z"),
            ("2026-12-01 14:00", "2026-12-01T13:00:00Z"),
            // The clock is put forward that night: 02:30 does not exist.
            ("2027-03-28T02:30", "2027-03-28T01:30:00Z"),
        ] {
            assert_eq!(until(text, now(), BERLIN).map(|t| t.to_rfc3339()), Ok(at.replace('Z', "+00:00")), "{text}");
        }
        let late = "2026-11-22T19:00:00Z".parse().expect("a time");
        assert_eq!(until("evening", late, BERLIN).map(|t| t.to_rfc3339()), Ok("2026-11-23T17:00:00+00:00".to_owned()));
    }

    #[test]
    fn everything_else_says_what_is_wrong() {
        for text in ["", "h", "-1h", "soon", "1y", "2026-13-01", "1\u{20ac}", "99999999999d"] {
            assert!(matches!(until(text, now(), BERLIN), Err(LaterError::NotATime(_))), "{text}");
        }
        for text in ["0h", "2026-11-22", "2026-01-01T10:00"] {
            assert!(matches!(until(text, now(), BERLIN), Err(LaterError::Passed(_))), "{text}");
        }
        assert!(matches!(until("9999d", now(), BERLIN), Err(LaterError::TooLate(_))));
    }
}

//! Times and dates as a loop file writes them: `15:30`, `2026-12-01 08:25`, `22:00-07:00`; a fault has its column.
//!
//! What moment such a time is in a zone is in [`crate::schedule`].

use std::ops::Range;

use chrono::{Datelike as _, NaiveDate, NaiveDateTime, NaiveTime};

use super::miss::Miss;

/// A piece of a text and the byte at which it begins.
type Piece<'t> = (usize, &'t str);

/// Reads `15:30`: hours and minutes of one day.
pub(super) fn time(text: &str) -> Result<NaiveTime, Miss> {
    time_at(trimmed((0, text)))
}

/// Reads `2026-12-01 08:25`: a date that there is, and a time.
pub(super) fn moment(text: &str) -> Result<NaiveDateTime, Miss> {
    let whole = trimmed((0, text));
    let help = "write it as `2026-12-01 08:25`: on the clock of the loop's zone, without seconds";
    let shape = || miss(whole, format!("`{}` is no date with a time", whole.1), help);
    let split = whole.1.find([' ', 'T']).ok_or_else(shape)?;
    let (day, clock) = (&whole.1[..split], &whole.1[split + 1..]);
    let date = date_at((whole.0, day))?;
    Ok(date.and_time(time_at(trimmed((whole.0 + split + 1, clock)))?))
}

/// Reads `22:00-07:00`: from, and until before.
pub(super) fn span(text: &str) -> Result<(NaiveTime, NaiveTime), Miss> {
    let whole = trimmed((0, text));
    let help = "write two times with a plain `-` between them";
    let split = whole.1.find('-').ok_or_else(|| miss(whole, format!("`{}` is no span of time", whole.1), help))?;
    let from = time_at(trimmed((whole.0, &whole.1[..split])))?;
    let to = time_at(trimmed((whole.0 + split + 1, &whole.1[split + 1..])))?;
    if from == to {
        let message = "it ends when it begins, so it is empty or the whole day";
        return Err(miss(whole, message.to_owned(), "write two different times"));
    }
    Ok((from, to))
}

fn time_at(piece: Piece<'_>) -> Result<NaiveTime, Miss> {
    let (at, text) = piece;
    let shape = || miss(piece, format!("`{text}` is no time of the day"), "write hours and minutes, 00:00 to 23:59");
    let (hours, minutes) = text.split_once(':').ok_or_else(shape)?;
    let hour = digits(hours, 1..3).ok_or_else(shape)?;
    let minute = digits(minutes, 2..3).ok_or_else(shape)?;
    if hour > 23 {
        let help = "hours are 0 to 23, and midnight is `00:00`";
        return Err(miss((at, hours), format!("`{hours}` is no hour"), help));
    }
    NaiveTime::from_hms_opt(hour, minute, 0).ok_or_else(|| {
        miss((at + hours.len() + 1, minutes), format!("`{minutes}` is no minute"), "minutes are 00 to 59")
    })
}

fn date_at(piece: Piece<'_>) -> Result<NaiveDate, Miss> {
    let (at, text) = piece;
    let shape = || miss(piece, format!("`{text}` is no date"), "write year, month and day in this order: `2026-12-01`");
    let mut parts = text.split('-');
    let (Some(years), Some(months), Some(days), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(shape());
    };
    let year = digits(years, 4..5).and_then(|year| i32::try_from(year).ok()).ok_or_else(shape)?;
    let (month, day) = (digits(months, 1..3).ok_or_else(shape)?, digits(days, 1..3).ok_or_else(shape)?);
    let month_at = at + years.len() + 1;
    let Some(first) = NaiveDate::from_ymd_opt(year, month, 1) else {
        return Err(miss((month_at, months), format!("`{months}` is no month"), "months are 01 to 12"));
    };
    first.with_day(day).ok_or_else(|| {
        let message = format!("there is no such date as {text}");
        let last = (28..=31).rev().find(|day| first.with_day(*day).is_some()).unwrap_or(28);
        miss((month_at + months.len() + 1, days), message, &format!("that month's days are 01 to {last}"))
    })
}

/// A number of so many digits, and nothing else.
fn digits(text: &str, count: Range<usize>) -> Option<u32> {
    let plain = count.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn trimmed((at, text): Piece<'_>) -> Piece<'_> {
    let rest = text.trim_start();
    (at + text.len() - rest.len(), rest.trim_end())
}

fn miss((at, text): Piece<'_>, message: String, help: &str) -> Miss {
    Miss { at: at..at + text.len(), message, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_is_read() {
        let clock = |h, m| NaiveTime::from_hms_opt(h, m, 0).expect("a time");
        assert_eq!([time("15:30"), time(" 9:05 ")], [Ok(clock(15, 30)), Ok(clock(9, 5))]);
        assert_eq!(span("22:00-07:00"), Ok((clock(22, 0), clock(7, 0))));
        assert_eq!(span("22:00 - 07:00"), span("22:00-07:00"));
        let leap = NaiveDate::from_ymd_opt(2028, 2, 29).expect("a date").and_time(clock(8, 25));
        assert_eq!([moment("2028-02-29 08:25"), moment("2028-02-29T08:25")], [Ok(leap), Ok(leap)]);
    }

    #[test]
    fn what_is_wrong_has_its_column() {
        let told = |miss: Miss| (miss.at, miss.message);
        let of = |at, message: &str| (at, message.to_owned());
        for (text, fault) in [
            ("2027-02-29 08:25", of(8..10, "there is no such date as 2027-02-29")),
            ("2026-02-30 08:25", of(8..10, "there is no such date as 2026-02-30")),
            ("2026-13-01 08:25", of(5..7, "`13` is no month")),
            ("2026-12-01 25:00", of(11..13, "`25` is no hour")),
            ("2026-12-01 24:00", of(11..13, "`24` is no hour")),
            ("2026-12-01 08:60", of(14..16, "`60` is no minute")),
            ("2026-12-01", of(0..10, "`2026-12-01` is no date with a time")),
            ("01.12.2026 08:25", of(0..10, "`01.12.2026` is no date")),
            ("2026-12-01 08:25:00", of(11..19, "`08:25:00` is no time of the day")),
            ("2026-12-01 08:25Z", of(11..17, "`08:25Z` is no time of the day")),
            ("26-12-01 08:25", of(0..8, "`26-12-01` is no date")),
            ("", of(0..0, "`` is no date with a time")),
        ] {
            assert_eq!(moment(text).map_err(told), Err(fault), "{text}");
        }
        for (text, fault) in [
            ("22:00-22:00", of(0..11, "it ends when it begins, so it is empty or the whole day")),
            ("22:00-24:00", of(6..8, "`24` is no hour")),
            ("22-7", of(0..2, "`22` is no time of the day")),
            ("22:00", of(0..5, "`22:00` is no span of time")),
            ("22:00 bis 07:00", of(0..15, "`22:00 bis 07:00` is no span of time")),
        ] {
            assert_eq!(span(text).map_err(told), Err(fault), "{text}");
        }
        assert_eq!(time("3pm").map_err(told), Err(of(0..3, "`3pm` is no time of the day")));
    }
}

//! Cron expressions: whether one can be, where it can't, and what it says in words.
//!
//! Five fields, minute first, or a nickname such as `@daily`.

use std::ops::Range;

use chrono::{DateTime, NaiveDate, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// What is wrong with a cron expression, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CronFault {
    /// Bytes of the expression.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// The fields of an expression: name, and what may stand there.
const FIELDS: [(&str, &str); 5] = [
    ("minute", "0 to 59"),
    ("hour", "0 to 23"),
    ("day of the month", "1 to 31, L for the last, 15W for the working day next to the 15th"),
    ("month", "1 to 12 or JAN to DEC"),
    ("weekday", "0 to 7 or SUN to SAT, MON#1 for the first Monday of a month, FRIL for the last Friday"),
];
/// Names of whole expressions, in small letters.
const NICKNAMES: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * SUN"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];
const DAYS: [&str; 7] = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];

/// Checks an expression: five fields, each of them possible, and a date that exists.
///
/// # Errors
/// The first fault with its exact place in the expression.
pub fn check(expression: &str) -> Result<(), CronFault> {
    if is_nickname(expression) {
        return Ok(());
    }
    let fields = split(expression);
    counted(expression, &fields)?;
    for (i, (start, field)) in fields.iter().enumerate() {
        field_possible(i, *start, field)?;
    }
    let whole = 0..expression.len();
    let cron = parse(expression).map_err(|()| CronFault {
        at: whole.clone(),
        message: "the schedule can't be read".to_owned(),
        help: "as in `0 9 * * MON-FRI`: minute, hour, day, month, weekday".to_owned(),
    })?;
    // Any start will do: a date that exists comes within the eight years around a century.
    let start = DateTime::<Utc>::UNIX_EPOCH;
    match cron.find_next_occurrence(&start, false) {
        Ok(_) => Ok(()),
        Err(_) => Err(CronFault {
            at: fields[2].0..fields[3].0 + fields[3].1.len(),
            message: "there is no such date, so this never starts".to_owned(),
            help: "choose a day that the month has".to_owned(),
        }),
    }
}

/// Whether it is the name of an expression: `@daily`.
pub fn is_nickname(expression: &str) -> bool {
    plain(expression) != expression
}

/// The five fields that a nickname stands for; anything else as it is.
pub(super) fn plain(expression: &str) -> &str {
    let name = expression.trim();
    NICKNAMES.iter().find(|(nickname, _)| nickname.eq_ignore_ascii_case(name)).map_or(expression, |(_, fields)| fields)
}

/// Whether it names both a day of the month and a weekday, so that either of them starts it.
pub fn means_or(expression: &str) -> bool {
    let fields = split(expression);
    let free = |i: usize| fields.get(i).is_none_or(|(_, f)| *f == "*" || *f == "?");
    let and = fields.get(4).is_some_and(|(_, f)| f.starts_with('+'));
    !free(2) && !free(4) && !and
}

/// The expression in words: `weekdays at 09:00`.
pub fn words(expression: &str) -> String {
    let expression = plain(expression);
    let fields: Vec<&str> = expression.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = fields[..] else {
        return expression.to_owned();
    };
    let plain = if day == "*" && month == "*" { days(weekday) } else { None };
    let number = |field: &str| field.parse::<u32>().ok();
    match (plain, number(minute), number(hour)) {
        (Some(days), Some(m), Some(h)) => format!("{days} at {h:02}:{m:02}"),
        (Some(days), Some(m), None) if hour == "*" && days == "every day" => {
            format!("hourly at :{m:02}")
        }
        (Some(days), Some(m), None) if hour == "*" => format!("{days} hourly at :{m:02}"),
        _ => described(expression),
    }
}

/// What croner says of it, as a phrase without capital and full stop.
fn described(expression: &str) -> String {
    let Ok(cron) = parse(expression) else {
        return expression.to_owned();
    };
    let text = cron.describe();
    let mut text = text.trim_end_matches('.').to_owned();
    // The library says the same of `L` and `LW`.
    if expression.split_whitespace().nth(2).is_some_and(|day| day.eq_ignore_ascii_case("LW")) {
        text = text.replace("the last day of the month", "the last working day of the month");
    }
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}

/// The days of a weekday field in words, asked from the schedule itself day by day.
fn days(field: &str) -> Option<String> {
    if field.contains(['#', 'L', 'l', '+']) {
        return None;
    }
    let cron = parse(&format!("0 0 * * {field}")).ok()?;
    // The week of Monday 2024-01-01.
    let on = |day: u32| {
        let midnight = NaiveDate::from_ymd_opt(2024, 1, day)?.and_hms_opt(0, 0, 0)?.and_utc();
        cron.is_time_matching(&midnight).ok()
    };
    let week: Vec<bool> = (1..=7).map(on).collect::<Option<_>>()?;
    Some(match week[..] {
        [true, true, true, true, true, true, true] => "every day".to_owned(),
        [true, true, true, true, true, false, false] => "weekdays".to_owned(),
        [false, false, false, false, false, true, true] => "weekends".to_owned(),
        _ => {
            let names: Vec<&str> = DAYS.iter().zip(&week).filter(|(_, on)| **on).map(|(d, _)| *d).collect();
            let (last, rest) = names.split_last()?;
            if rest.is_empty() { (*last).to_owned() } else { format!("{} and {last}", rest.join(", ")) }
        }
    })
}

/// Reads five fields or a nickname; the parser would also take six (with seconds).
pub(super) fn parse(expression: &str) -> Result<Cron, ()> {
    let expression = plain(expression);
    if expression.split_whitespace().count() != 5 || expression.contains('@') {
        return Err(());
    }
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    parser.parse(expression).map_err(drop)
}

/// The fields with their places.
fn split(expression: &str) -> Vec<(usize, &str)> {
    let start = |field: &str| field.as_ptr() as usize - expression.as_ptr() as usize;
    expression.split_whitespace().map(|field| (start(field), field)).collect()
}

fn counted(expression: &str, fields: &[(usize, &str)]) -> Result<(), CronFault> {
    let fault = |at: Range<usize>, message: String, help: &str| Err(CronFault { at, message, help: help.to_owned() });
    let whole = 0..expression.len();
    let order = "minute, hour, day, month, weekday, as in `0 9 * * MON-FRI`";
    match fields {
        [(start, name), ..] if name.starts_with('@') => {
            let at = *start..start + name.len();
            if fields.len() > 1 && is_nickname(name) {
                return fault(at, format!("`{name}` stands alone"), "write it without more fields");
            }
            let help = "known here: `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly`; or five fields";
            fault(at, format!("`{name}` is no schedule"), help)
        }
        [_, _, _, _, _] => Ok(()),
        [_, _, _, _, _, (start, _), ..] => {
            let help = "there are no seconds and no years: minute, hour, day, month, weekday";
            fault(*start..expression.len(), format!("{} fields; a schedule has five", fields.len()), help)
        }
        [] => fault(whole, "the schedule is empty".to_owned(), order),
        _ => fault(whole, format!("{} fields; a schedule has five", fields.len()), order),
    }
}

/// A range that would hold if its ends were exchanged.
fn reversed(index: usize, item: &str, at: Range<usize>) -> Option<CronFault> {
    let (first, last) = item.split_once('-')?;
    let mut alone = ["*"; 5];
    let exchanged = format!("{last}-{first}");
    alone[index] = &exchanged;
    parse(&alone.join(" ")).ok()?;
    let message = format!("the range `{item}` ends before it begins, so it is empty");
    let help = format!("write `{exchanged}`, or two ranges where it goes over the end: `22-23,0-5`, `FRI-SAT,SUN-MON`");
    Some(CronFault { at, message, help })
}

/// Tests each item of a field's list by itself, so that the fault has its place.
fn field_possible(index: usize, start: usize, field: &str) -> Result<(), CronFault> {
    let (name, allowed) = FIELDS[index];
    let mut offset = start;
    for item in field.split(',') {
        let mut alone = ["*"; 5];
        alone[index] = item;
        if item.is_empty() || parse(&alone.join(" ")).is_err() {
            let at = offset..offset + item.len();
            let help = format!("{name}: {allowed}; `*`, lists (1,15), ranges (1-5) and steps (*/15)");
            return Err(match item.is_empty() {
                true => CronFault { at, message: format!("a {name} is missing beside a comma"), help },
                false => reversed(index, item, at.clone()).unwrap_or(CronFault {
                    at,
                    message: format!("`{item}` is no {name}"),
                    help,
                }),
            });
        }
        offset += item.len() + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use chrono::Datelike as _;
    use chrono_tz::Tz;

    use super::super::next_times;
    use super::*;
    use crate::timing::{Timing, Trigger};

    fn cron(expression: &str) -> Timing {
        Timing { triggers: vec![Trigger::Cron(expression.to_owned())], ..Timing::manual() }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn words_say_what_people_say() {
        for (expression, said) in [
            ("0 9 * * MON-FRI", "weekdays at 09:00"),
            ("0 9 * * 1-5", "weekdays at 09:00"),
            ("30 7 * * *", "every day at 07:30"),
            ("0 7 * * MON", "Mondays at 07:00"),
            ("0 7 * * 0", "Sundays at 07:00"),
            ("5 22 * * SAT,SUN", "weekends at 22:05"),
            ("0 8 * * mon,wed,fri", "Mondays, Wednesdays and Fridays at 08:00"),
            ("15 * * * *", "hourly at :15"),
            ("0 * * * 1-5", "weekdays hourly at :00"),
        ] {
            assert_eq!(words(expression), said, "{expression}");
        }
        assert_eq!(words("0 9 LW * *"), "at 09:00, on the last working day of the month");
        assert_eq!(words("0 9 L * *"), "at 09:00, on the last day of the month", "the control");
        let other = words("*/15 9-17 1 * *");
        assert!(!other.is_empty() && !other.ends_with('.'), "{other}");
    }

    #[test]
    fn faults_stand_at_their_place() {
        for (expression, at, message) in [
            ("0 25 * * *", 2..4, "`25` is no hour"),
            ("0 9,24 * * *", 4..6, "`24` is no hour"),
            ("0 9 * * MONDAY", 8..14, "`MONDAY` is no weekday"),
            ("0 9 * *", 0..7, "4 fields; a schedule has five"),
            ("0 0 9 * * MON", 10..13, "6 fields; a schedule has five"),
            ("0 0 30 2 *", 4..8, "there is no such date, so this never starts"),
            ("0 0 31 4,6 *", 4..10, "there is no such date, so this never starts"),
            ("@dayly", 0..6, "`@dayly` is no schedule"),
            ("@reboot", 0..7, "`@reboot` is no schedule"),
            ("@daily 9", 0..6, "`@daily` stands alone"),
            ("", 0..0, "the schedule is empty"),
            ("*/0 * * * *", 0..3, "`*/0` is no minute"),
            ("5-1 * * * *", 0..3, "the range `5-1` ends before it begins, so it is empty"),
            ("0 9 * * FRI-MON", 8..15, "the range `FRI-MON` ends before it begins, so it is empty"),
            ("0 9 * * MON#6", 8..13, "`MON#6` is no weekday"),
            ("0 9 ä * *", 4..6, "`ä` is no day of the month"),
        ] {
            let fault = check(expression).expect_err(expression);
            assert_eq!((fault.at, fault.message.as_str()), (at, message), "{expression}");
        }
        for right in ["0 9 * * MON-FRI", "0 0 29 2 *", "*/15 9-17 * * *", "@daily", "@Weekly", "@midnight", "@annually"]
        {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        assert!(means_or("0 9 1 * MON") && !means_or("0 9 * * MON") && !means_or("0 9 1 * *"));
    }

    #[test]
    fn names_and_what_depends_on_the_month() {
        // November 2026 begins on a Sunday; the 15th is a Sunday, the 30th a Monday.
        let days = |day_and_weekday: &str| {
            let (day, weekday) = day_and_weekday.split_once(' ').expect("two fields");
            let expression = format!("0 9 {day} NOV {weekday}");
            assert_eq!(check(&expression), Ok(()), "{expression}");
            let times = next_times(&cron(&expression), Tz::UTC, utc("2026-10-31T12:00:00Z"), 40);
            let shown = times.iter().filter(|time| time.year() == 2026).map(|time| time.day().to_string());
            shown.collect::<Vec<_>>().join(" ")
        };
        for (fields, expected) in [
            ("L *", "30"),
            ("15W *", "16"),
            ("1W *", "2"),
            ("LW *", "30"),
            ("* MON#1", "2"),
            ("* mon#2,FRI#L", "9 27"),
            ("* FRIL", "27"),
            ("* SUN#5", "29"),
            ("1-3,28,L *", "1 2 3 28 30"),
            ("13 +FRI", "13"),
            ("? Wed", "4 11 18 25"),
        ] {
            assert_eq!(days(fields), expected, "{fields}");
        }
        let first = |nickname: &str| {
            let next = next_times(&cron(nickname), Tz::UTC, utc("2026-11-20T12:00:00Z"), 1);
            next.first().map(|time| time.format("%Y-%m-%d %H:%M").to_string()).expect("a time")
        };
        for (nickname, expected) in [
            ("@hourly", "2026-11-20 13:00"),
            ("@daily", "2026-11-21 00:00"),
            ("@weekly", "2026-11-22 00:00"),
            ("@monthly", "2026-12-01 00:00"),
            ("@yearly", "2027-01-01 00:00"),
        ] {
            assert_eq!(first(nickname), expected, "{nickname}");
        }
        assert_eq!((words("@daily"), words("@hourly")), ("every day at 00:00".to_owned(), "hourly at :00".to_owned()));
    }

    proptest::proptest! {
        #[test]
        fn no_expression_panics_and_what_is_accepted_has_a_next_time(
            text in "([0-9*,/LW#?+A-Z-]{1,5} ){3,5}[0-9*,/LW#?+A-Z-]{1,5}",
        ) {
            let now = utc("2026-11-20T12:00:00Z");
            match check(&text) {
                Ok(()) => proptest::prop_assert_eq!(next_times(&cron(&text), Tz::UTC, now, 1).len(), 1),
                Err(fault) => proptest::prop_assert!(fault.at.end <= text.len()),
            }
            proptest::prop_assert!(!words(&text).is_empty());
        }
    }
}

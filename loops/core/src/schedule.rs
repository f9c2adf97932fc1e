//! Schedules: what a cron expression means, in words and in times, in a zone with its changes of clock.
//!
//! Five fields, minute first. Which occurrences are due, missed or caught up is *not* here.

use std::ops::Range;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
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
    ("day of the month", "1 to 31, or L for the last"),
    ("month", "1 to 12 or JAN to DEC"),
    ("weekday", "0 to 7 or SUN to SAT"),
];
const DAYS: [&str; 7] = ["Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays"];

/// Checks an expression: five fields, each of them possible, and a date that exists.
///
/// # Errors
/// The first fault with its exact place in the expression.
pub fn check(expression: &str) -> Result<(), CronFault> {
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

/// Whether it names both a day of the month and a weekday, so that either of them starts it.
pub fn means_or(expression: &str) -> bool {
    let fields = split(expression);
    let free = |i: usize| fields.get(i).is_none_or(|(_, f)| *f == "*" || *f == "?");
    let and = fields.get(4).is_some_and(|(_, f)| f.starts_with('+'));
    !free(2) && !free(4) && !and
}

/// The next `n` times after `after`, in the zone; fewer if there are no more, none for an expression that [`check`] refuses.
pub fn next_times(expression: &str, zone: Tz, after: DateTime<Utc>, n: usize) -> Vec<DateTime<Tz>> {
    let Ok(cron) = parse(expression) else {
        return Vec::new();
    };
    cron.iter_after(after.with_timezone(&zone)).take(n).collect()
}

/// How often it starts in the seven days after `now`.
pub fn runs_per_week(expression: &str, zone: Tz, now: DateTime<Utc>) -> u32 {
    let Ok(cron) = parse(expression) else {
        return 0;
    };
    let end = now + Duration::days(7);
    let times = cron.iter_after(now.with_timezone(&zone)).take_while(|time| *time <= end);
    u32::try_from(times.count()).unwrap_or(u32::MAX)
}

/// The expression in words: `weekdays at 09:00`.
pub fn words(expression: &str) -> String {
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
    let text = text.trim_end_matches('.');
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

/// Reads five fields; the parser would also take six (with seconds) and nicknames.
fn parse(expression: &str) -> Result<Cron, ()> {
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
            let help = match *name {
                "@hourly" => "write `0 * * * *`",
                "@daily" | "@midnight" => "write `0 0 * * *`",
                "@weekly" => "write `0 0 * * SUN`",
                "@monthly" => "write `0 0 1 * *`",
                _ => order,
            };
            fault(*start..start + name.len(), format!("`{name}` is not read"), help)
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

/// Tests each item of a field's list by itself, so that the fault has its place.
fn field_possible(index: usize, start: usize, field: &str) -> Result<(), CronFault> {
    let (name, allowed) = FIELDS[index];
    let mut offset = start;
    for item in field.split(',') {
        let mut alone = ["*"; 5];
        alone[index] = item;
        if item.is_empty() || parse(&alone.join(" ")).is_err() {
            return Err(CronFault {
                at: offset..offset + item.len(),
                message: format!("`{item}` is no {name}"),
                help: format!("{name}: {allowed}; `*`, lists (1,15), ranges (1-5) and steps (*/15)"),
            });
        }
        offset += item.len() + 1;
    }
    Ok(())
}

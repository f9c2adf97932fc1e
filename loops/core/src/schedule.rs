//! Schedules: what a cron expression means, in words and in times, in a zone with its changes of clock.
//!
//! Five fields, minute first, or a nickname such as `@daily`. Which occurrences are due, missed or caught up is *not* here.

use std::ops::Range;

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

use crate::timing::{After, Timing, Trigger};

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
fn plain(expression: &str) -> &str {
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

/// The due times of a loop after `after`, the earliest first, each once, with the trigger that names it; without end where its
/// triggers have none.
pub fn due_times(timing: &Timing, zone: Tz, after: DateTime<Utc>) -> impl Iterator<Item = (DateTime<Utc>, &Trigger)> {
    let mut heads: Vec<_> =
        timing.triggers.iter().map(|trigger| (trigger, times_of(trigger, zone, after).peekable())).collect();
    std::iter::from_fn(move || {
        let first = heads.iter_mut().filter_map(|(_, times)| times.peek().copied()).min()?;
        let mut named = None;
        for (trigger, times) in &mut heads {
            if times.next_if_eq(&first).is_some() {
                named = named.or(Some(*trigger));
            }
        }
        named.map(|trigger| (first, trigger))
    })
}

/// The times of one trigger after `after`.
fn times_of(trigger: &Trigger, zone: Tz, after: DateTime<Utc>) -> Box<dyn Iterator<Item = DateTime<Utc>> + '_> {
    match trigger {
        Trigger::Cron(expression) => match parse(expression) {
            Ok(cron) => {
                let mut last = after.with_timezone(&zone);
                Box::new(std::iter::from_fn(move || {
                    last = cron.find_next_occurrence(&last, false).ok()?;
                    Some(last.with_timezone(&Utc))
                }))
            }
            Err(()) => Box::new(std::iter::empty()),
        },
        Trigger::Every(seconds) => {
            let step = i64::try_from(*seconds).unwrap_or(i64::MAX).max(1);
            let first = after.timestamp().div_euclid(step) + 1;
            Box::new((first..).map_while(move |n| DateTime::from_timestamp(n.checked_mul(step)?, 0)))
        }
        Trigger::At(time) => Box::new(local(*time, zone).into_iter().filter(move |at| *at > after)),
        Trigger::After { .. } | Trigger::File(_) | Trigger::Manual => Box::new(std::iter::empty()),
    }
}

/// The moment of a time on the clock of a zone: the first of two where the clock is set back, the first after the gap where
/// it is set forward.
pub fn local(time: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let moment = |time: &NaiveDateTime| zone.from_local_datetime(time).earliest().map(|at| at.with_timezone(&Utc));
    // No gap is longer than a day, and every one ends at a whole minute.
    moment(&time).or_else(|| (1..=24 * 60).find_map(|m| moment(&(time.with_second(0)? + Duration::minutes(m)))))
}

/// The next `n` times after `after`, in the zone; fewer if there are no more.
pub fn next_times(timing: &Timing, zone: Tz, after: DateTime<Utc>, n: usize) -> Vec<DateTime<Tz>> {
    due_times(timing, zone, after).take(n).map(|(time, _)| time.with_timezone(&zone)).collect()
}

/// How often it starts in the seven days after `now`.
pub fn runs_per_week(timing: &Timing, zone: Tz, now: DateTime<Utc>) -> u32 {
    let end = now + Duration::days(7);
    let times = due_times(timing, zone, now).take_while(|(time, _)| *time <= end);
    u32::try_from(times.count()).unwrap_or(u32::MAX)
}

/// How often it starts on the busiest of the seven days after `now`, days being the zone's.
pub fn most_runs_a_day(timing: &Timing, zone: Tz, now: DateTime<Utc>) -> u32 {
    let first = now.with_timezone(&zone).date_naive();
    let mut days = std::collections::BTreeMap::new();
    // The eighth day is there in part only, and so is the first; neither has more than the same weekday as a whole.
    let end = now + Duration::days(8);
    for (time, _) in due_times(timing, zone, now).take_while(|(time, _)| *time <= end) {
        *days.entry(time.with_timezone(&zone).date_naive() - first).or_insert(0) += 1;
    }
    days.into_values().max().unwrap_or(0)
}

/// All that starts a loop, in words: `weekdays at 09:00, and after other-loop`.
pub fn in_words(timing: &Timing) -> String {
    let words: Vec<String> = timing.triggers.iter().map(trigger_words).collect();
    words.join(", and ")
}

fn trigger_words(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Cron(expression) => words(expression),
        Trigger::Every(seconds) => format!("every {}", crate::definition::duration(*seconds)),
        Trigger::At(time) => format!("once, {}", time.format("%Y-%m-%d at %H:%M")),
        Trigger::After { name, outcome: After::Finished } => format!("after {name}"),
        Trigger::After { name, outcome: After::Failed } => format!("after {name} has failed"),
        Trigger::After { name, outcome: After::Ended } => format!("after {name}, however it ended"),
        Trigger::File(glob) => format!("when {glob} changes"),
        Trigger::Manual => "by hand".to_owned(),
    }
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

/// Reads five fields or a nickname; the parser would also take six (with seconds).
fn parse(expression: &str) -> Result<Cron, ()> {
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
                message: match item.is_empty() {
                    true => format!("a {name} is missing beside a comma"),
                    false => format!("`{item}` is no {name}"),
                },
                help: format!("{name}: {allowed}; `*`, lists (1,15), ranges (1-5) and steps (*/15)"),
            });
        }
        offset += item.len() + 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

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
        let other = words("*/15 9-17 1 * *");
        assert!(!other.is_empty() && !other.ends_with('.'), "{other}");
    }

    #[test]
    fn times_of_the_week() {
        let now = utc("2026-11-20T12:00:00Z");
        let berlin = chrono_tz::Europe::Berlin;
        let next: Vec<String> =
            next_times(&cron("0 9 * * MON-FRI"), berlin, now, 2).iter().map(|t| t.to_rfc3339()).collect();
        assert_eq!(next, ["2026-11-23T09:00:00+01:00", "2026-11-24T09:00:00+01:00"]);
        assert_eq!(runs_per_week(&cron("0 9 * * MON-FRI"), berlin, now), 5);
        assert_eq!(runs_per_week(&cron("0 * * * *"), berlin, now), 168);
        assert_eq!(runs_per_week(&cron("nonsense"), berlin, now), 0);
        assert_eq!(most_runs_a_day(&cron("0 9 * * MON-FRI"), berlin, now), 1);
        assert_eq!(most_runs_a_day(&cron("0 * * * *"), berlin, now), 24);
        assert_eq!(most_runs_a_day(&cron("nonsense"), berlin, now), 0);
        assert!(next_times(&cron("nonsense"), berlin, now, 3).is_empty());
    }

    #[test]
    fn several_triggers_are_one_timetable() {
        let at = "2026-11-21T12:00:00".parse().expect("a time");
        let triggers =
            vec![Trigger::Every(3600), Trigger::Cron("0 12,13 * * *".to_owned()), Trigger::At(at), Trigger::Manual];
        let timing = Timing { triggers, ..Timing::manual() };
        let times = due_times(&timing, Tz::UTC, utc("2026-11-21T10:59:59Z")).take(4);
        let shown: Vec<String> = times.map(|(time, t)| format!("{} {}", time.format("%H:%M"), t.word())).collect();
        assert_eq!(shown, ["11:00 every", "12:00 every", "13:00 every", "14:00 every"], "each moment once");
        assert_eq!(
            in_words(&timing),
            "every 1h, and daily, and once, 2026-11-21 at 12:00, and by hand".replace("daily", &words("0 12,13 * * *"))
        );
        let none = due_times(&timing, Tz::UTC, utc("2026-11-21T12:00:00Z")).take(50).filter(|(_, t)| t.word() == "at");
        assert_eq!(none.count(), 0);
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_first_after_it_and_one_that_comes_twice_the_first() {
        let berlin = chrono_tz::Europe::Berlin;
        let moment = |text: &str| local(text.parse().expect("a time"), berlin).expect("a moment").to_rfc3339();
        assert_eq!(moment("2026-03-29T02:30:00"), "2026-03-29T01:00:00+00:00");
        assert_eq!(moment("2026-10-25T02:30:00"), "2026-10-25T00:30:00+00:00");
        assert_eq!(moment("2026-12-01T08:25:00"), "2026-12-01T07:25:00+00:00");
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
            ("5-1 * * * *", 0..3, "`5-1` is no minute"),
            ("0 9 ä * *", 4..6, "`ä` is no day of the month"),
        ] {
            let fault = check(expression).expect_err(expression);
            assert_eq!((fault.at, fault.message.as_str()), (at, message), "{expression}");
        }
        for right in ["0 9 * * MON-FRI", "0 0 29 2 *", "*/15 9-17 * * *", "0 9 L * *", "0 9 * * MON#1"] {
            assert_eq!(check(right), Ok(()), "{right}");
        }
        assert!(means_or("0 9 1 * MON") && !means_or("0 9 * * MON") && !means_or("0 9 1 * *"));
    }

    /// Zones of every continent, with changes at midnight, by half an hour, twice a year and never.
    const ZONES: [&str; 30] = [
        "Europe/Berlin",
        "Europe/London",
        "Europe/Dublin",
        "Europe/Lisbon",
        "Europe/Athens",
        "Europe/Moscow",
        "America/New_York",
        "America/Chicago",
        "America/Denver",
        "America/Phoenix",
        "America/Los_Angeles",
        "America/Anchorage",
        "America/St_Johns",
        "America/Halifax",
        "America/Havana",
        "America/Santiago",
        "America/Sao_Paulo",
        "America/Asuncion",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Beirut",
        "Asia/Jerusalem",
        "Asia/Kolkata",
        "Asia/Tehran",
        "Asia/Tokyo",
        "Australia/Lord_Howe",
        "Australia/Sydney",
        "Pacific/Auckland",
        "Pacific/Chatham",
        "America/Nuuk",
    ];

    /// Local days of two years on which `times` don't have exactly one member.
    fn wrong_days(times: impl Iterator<Item = DateTime<Tz>>) -> Vec<NaiveDate> {
        let mut counts: BTreeMap<NaiveDate, u32> = BTreeMap::new();
        for time in times {
            *counts.entry(time.date_naive()).or_default() += 1;
        }
        let first = NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day");
        first.iter_days().take(730).filter(|day| counts.get(day) != Some(&1)).collect()
    }

    fn start(zone: Tz) -> DateTime<Tz> {
        let midnight = NaiveDate::from_ymd_opt(2024, 12, 31).expect("a day").and_hms_opt(23, 59, 59);
        zone.from_local_datetime(&midnight.expect("a time")).earliest().expect("a local time")
    }

    #[test]
    fn a_daily_time_comes_exactly_once_on_every_local_day() {
        for name in ZONES {
            let zone: Tz = name.parse().expect(name);
            for hour in 0..=3 {
                let times = next_times(&cron(&format!("30 {hour} * * *")), zone, start(zone).with_timezone(&Utc), 740);
                assert_eq!(wrong_days(times.into_iter()), [], "{name} {hour}:30");
            }
        }
    }

    #[test]
    fn control_the_offset_of_the_first_day_for_ever_fails_the_same_test() {
        // Summer in Sydney: in winter the same second is 23:30 of the day before.
        let zone = chrono_tz::Australia::Sydney;
        let first = start(zone) + Duration::seconds(1) + Duration::minutes(30);
        let naive = (0..740).map(move |day| first + Duration::days(day));
        assert!(!wrong_days(naive).is_empty());
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

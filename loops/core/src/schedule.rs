//! The due times of a loop, in a zone with its changes of clock.
//!
//! What a cron expression says is in `cron`, what forms say in `preset`. Which occurrences are due, missed or caught up is *not* here.

mod cron;
mod preset;
mod shifts;

use chrono::{
    DateTime, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _, Timelike as _, Utc,
};
use chrono_tz::Tz;

use crate::timing::{After, Timing, Trigger};

pub use cron::{CronFault, check, is_nickname, means_or, words};
pub use preset::Preset;
pub use shifts::shifts;

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
        Trigger::Cron(expression) => match cron::parse(expression) {
            Ok(cron) => {
                let mut last = after.with_timezone(&zone);
                Box::new(std::iter::from_fn(move || {
                    let next = cron.find_next_occurrence(&last, false);
                    last = next.ok().or_else(|| cron.find_next_occurrence(&behind_a_missing_day(&last)?, true).ok())?;
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

/// The first midnight behind the next day that the zone never had, because it changed sides of the date line. There the search
/// for a time gives up, as it does where no time ever comes.
fn behind_a_missing_day(after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
    let zone = after.timezone();
    let there = |day: &NaiveDate| {
        day.and_hms_opt(12, 0, 0).is_some_and(|noon| zone.from_local_datetime(&noon).earliest().is_some())
    };
    // A date that exists comes within the eight years around a century.
    let missing = after.date_naive().iter_days().take(8 * 366).find(|day| !there(day))?;
    zone.from_local_datetime(&missing.succ_opt()?.and_hms_opt(0, 0, 0)?).earliest()
}

/// The moment of a time on the clock of a zone: the first of two where the clock is set back, the first after the gap where
/// it is set forward.
pub fn local(time: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let moment = |time: &NaiveDateTime| zone.from_local_datetime(time).earliest().map(|at| at.with_timezone(&Utc));
    // No gap is longer than a day, and every one ends at a whole minute.
    moment(&time).or_else(|| (1..=24 * 60).find_map(|m| moment(&(time.with_second(0)? + Duration::minutes(m)))))
}

/// The next moment at which a zone's clock shows a time; both of two where the clock is set back.
pub fn next_on_clock(after: DateTime<Utc>, zone: Tz, time: NaiveTime) -> Option<DateTime<Utc>> {
    let today = after.with_timezone(&zone).date_naive();
    let days = (0..3).filter_map(|n| today.checked_add_days(Days::new(n)));
    let moments = |day: NaiveDate| match zone.from_local_datetime(&day.and_time(time)) {
        LocalResult::Ambiguous(first, second) => vec![first.to_utc(), second.to_utc()],
        _ => local(day.and_time(time), zone).into_iter().collect(),
    };
    days.flat_map(moments).find(|at| *at > after)
}

/// The last due time up to a moment, of those after another one.
pub fn last_due(timing: &Timing, zone: Tz, after: DateTime<Utc>, to: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let spans = [Duration::hours(1), Duration::days(1), Duration::days(31), to - after];
    let last = |span: Duration| {
        let times = due_times(timing, zone, after.max(to - span - Duration::seconds(1)));
        times.take_while(|(at, _)| *at <= to).last().map(|(at, _)| at)
    };
    spans.into_iter().find_map(last)
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

/// Whether anything but a person starts it after `now`.
pub fn starts_by_itself(timing: &Timing, zone: Tz, now: DateTime<Utc>) -> bool {
    let events = timing.triggers.iter().any(|trigger| matches!(trigger, Trigger::After { .. } | Trigger::File(_)));
    events || due_times(timing, zone, now).next().is_some()
}

/// How a loop starts that has no due time to come, in words: `after other-loop`, `its time is over`, `only by hand`.
pub fn without_times(timing: &Timing) -> String {
    let events = timing.triggers.iter().filter(|trigger| matches!(trigger, Trigger::After { .. } | Trigger::File(_)));
    let words: Vec<String> = events.map(trigger_words).collect();
    match words.is_empty() {
        false => words.join(", and "),
        true if timing.triggers.iter().any(Trigger::is_time) => "its time is over".to_owned(),
        true => "only by hand".to_owned(),
    }
}

/// When the quiet hours end that a time falls into; none where it falls into none.
pub fn quiet_until(timing: &Timing, zone: Tz, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let quiet = timing.quiet_hours.filter(|quiet| quiet.hold(at.with_timezone(&zone).time()))?;
    next_on_clock(at, zone, quiet.to)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(expression: &str) -> Timing {
        Timing { triggers: vec![Trigger::Cron(expression.to_owned())], ..Timing::manual() }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
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
    fn what_starts_a_loop_without_due_times() {
        let now = utc("2026-11-22T10:00:00Z");
        let of = |triggers: Vec<Trigger>| Timing { triggers, ..Timing::manual() };
        let past = Trigger::At("2026-11-21T12:00:00".parse().expect("a time"));
        let after = Trigger::After { name: "deps".to_owned(), outcome: After::Finished };
        for (timing, words, by_itself) in [
            (Timing::manual(), "only by hand", false),
            (of(vec![past.clone()]), "its time is over", false),
            (of(vec![past, after.clone()]), "after deps", true),
            (of(vec![after, Trigger::File("in/*".to_owned())]), "after deps, and when in/* changes", true),
        ] {
            assert_eq!((without_times(&timing).as_str(), starts_by_itself(&timing, Tz::UTC, now)), (words, by_itself));
        }
        assert!(starts_by_itself(&cron("0 9 * * *"), Tz::UTC, now), "the control");
        let hours = "09:00".parse().expect("a time")..="10:00".parse().expect("a time");
        let quiet = crate::timing::QuietHours { from: *hours.start(), to: *hours.end() };
        let timing = Timing { quiet_hours: Some(quiet), ..cron("0 9 * * *") };
        let until = |at: &str| quiet_until(&timing, Tz::Europe__Berlin, utc(at));
        assert_eq!(until("2026-11-22T08:00:00Z"), Some(utc("2026-11-22T09:00:00Z")));
        assert_eq!(until("2026-11-22T09:00:00Z"), None);
    }

    #[test]
    fn a_time_that_the_clock_skips_is_the_first_after_it_and_one_that_comes_twice_the_first() {
        let berlin = chrono_tz::Europe::Berlin;
        let moment = |text: &str| local(text.parse().expect("a time"), berlin).expect("a moment").to_rfc3339();
        assert_eq!(moment("2026-03-29T02:30:00"), "2026-03-29T01:00:00+00:00");
        assert_eq!(moment("2026-10-25T02:30:00"), "2026-10-25T00:30:00+00:00");
        assert_eq!(moment("2026-12-01T08:25:00"), "2026-12-01T07:25:00+00:00");
    }

    /// In the hour that comes twice quiet hours end twice, and each time at once.
    #[test]
    fn quiet_hours_end_in_both_hours_of_the_autumn_change() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let to: NaiveTime = "02:30:00".parse().expect("a time");
        let next = |text: &str| next_on_clock(at(text), chrono_tz::Europe::Berlin, to);
        assert_eq!(next("2026-10-25T00:10:00Z"), Some(at("2026-10-25T00:30:00Z")));
        assert_eq!(next("2026-10-25T01:10:00Z"), Some(at("2026-10-25T01:30:00Z")), "the second 02:10");
        assert_eq!(next("2026-10-25T01:30:00Z"), Some(at("2026-10-26T01:30:00Z")));
    }
}

//! T1: a daily time comes exactly once on every local day of every zone, at the first minute at or after it.
//!
//! The oracle walks the minutes of UTC one by one. 100,000 zone-days of two years (a zone, a day, a time of the day), or all
//! of them with `LOOPWRIGHT_FULL=1`. Also: due times are sorted, each there once, and the same whenever one begins to ask.
#![expect(clippy::disallowed_methods, reason = "a test reads its size and its seed from the environment")]
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a test says what it expected, and how much ran")]

use std::collections::BTreeMap;
use std::str::FromStr as _;

use chrono::{DateTime, NaiveDate, Offset as _, TimeZone as _, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use fastrand::Rng;
use loopwright_core::schedule::due_times;
use loopwright_core::timing::{Timing, Trigger};
use proptest::prelude::*;

/// The times of the day, in minutes: those at which clocks change, or near.
const WANTED: [i64; 4] = [30, 90, 150, 210];
const DAY: i64 = 24 * 60;
/// The days that are swept, from 2025-01-01.
const DAYS: i64 = 730;
/// A short sweep: so many pieces of so many days from each zone, the first around a change of its clock.
const PIECES: usize = 3;
const PIECE: i64 = 14;

/// What a day of a zone has: the minutes of UTC at which a time came, by local day.
type Fires = BTreeMap<i64, Vec<i64>>;
/// The minutes of UTC at which the wanted times of each day come.
type Expected = Vec<[Option<i64>; 4]>;
/// Local days of one zone, counted from 1970.
type Days = std::ops::Range<i64>;

fn minutes_east(zone: Tz, minute: i64) -> i64 {
    let utc = DateTime::from_timestamp(minute * 60, 0).expect("a time").naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()).div_euclid(60)
}

/// The first minute of each local day at or after each of the wanted times, found by looking at every minute there is.
fn oracle(zone: Tz, days: &Days) -> Expected {
    let mut first: Expected = days.clone().map(|_| [None; 4]).collect();
    for minute in (days.start - 1) * DAY..(days.end + 1) * DAY {
        let local = minute + minutes_east(zone, minute);
        let (day, of_day) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        // The last one is the last to be found.
        let seen = usize::try_from(day - days.start).ok().and_then(|day| first.get_mut(day));
        let Some(first) = seen.filter(|first| first[3].is_none()) else { continue };
        for (wanted, first) in WANTED.iter().zip(first) {
            if of_day >= *wanted && first.is_none() {
                *first = Some(minute);
            }
        }
    }
    first
}

fn by_day(zone: Tz, days: &Days, times: impl Iterator<Item = DateTime<Utc>>) -> Fires {
    let mut fires = Fires::new();
    for time in times {
        let minute = time.timestamp().div_euclid(60);
        let day = (minute + minutes_east(zone, minute)).div_euclid(DAY);
        if day > days.end {
            break;
        }
        fires.entry(day).or_default().push(minute);
    }
    fires
}

fn begin(days: &Days) -> DateTime<Utc> {
    DateTime::from_timestamp((days.start - 2) * DAY * 60, 0).expect("a time")
}

/// What the scheduler says.
fn ours(zone: Tz, days: &Days, wanted: i64) -> Fires {
    let expression = format!("{} {} * * *", wanted % 60, wanted / 60);
    let timing = Timing { triggers: vec![Trigger::Cron(expression)], ..Timing::manual() };
    by_day(zone, days, due_times(&timing, zone, begin(days)).map(|(time, _)| time))
}

/// The control: what another crate says, which fires never or twice where clocks change.
fn control(zone: Tz, days: &Days, wanted: i64) -> Fires {
    let schedule = cron::Schedule::from_str(&format!("0 {} {} * * *", wanted % 60, wanted / 60)).expect("a schedule");
    let begin = begin(days).with_timezone(&zone);
    by_day(zone, days, schedule.after(&begin).map(|time| time.with_timezone(&Utc)))
}

/// Local days on which `fires` are not exactly what the oracle says of the wanted time with this number.
fn wrong(expected: &Expected, number: usize, days: &Days, fires: &Fires) -> Vec<i64> {
    let right = |(day, first): &(i64, &[Option<i64>; 4])| match (first[number], fires.get(day).map(Vec::as_slice)) {
        (Some(minute), Some([only])) => minute == *only,
        (None, None) => true,
        _ => false,
    };
    days.clone().zip(expected).filter(|of_day| !right(of_day)).map(|(day, _)| day).collect()
}

/// The pieces of the two years that are looked at.
fn pieces(zone: Tz, first: i64, full: bool, random: &mut Rng) -> Vec<Days> {
    let all = first..first + DAYS;
    if full {
        return vec![all];
    }
    let moved = |day: &i64| minutes_east(zone, day * DAY) != minutes_east(zone, (day + 1) * DAY);
    let changes: Vec<i64> = all.clone().filter(moved).collect();
    let mut starts: Vec<i64> = (0..PIECES).map(|_| random.i64(all.start..all.end - PIECE)).collect();
    if let Some(change) = random.choice(&changes) {
        starts[0] = (change - random.i64(1..PIECE - 1)).clamp(all.start, all.end - PIECE);
    }
    starts.into_iter().map(|start| start..start + PIECE).collect()
}

fn day_of(date: NaiveDate) -> i64 {
    date.signed_duration_since(NaiveDate::default()).num_days()
}

#[test]
fn a_daily_time_comes_exactly_once_on_every_local_day_of_every_zone() {
    let full = std::env::var("LOOPWRIGHT_FULL").is_ok_and(|v| v == "1");
    let seed =
        std::env::var("LOOPWRIGHT_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(|| fastrand::u64(..1 << 40));
    let mut random = Rng::with_seed(seed);
    let first = day_of(NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day"));
    let (mut looked, mut violations, mut of_control) = (0, Vec::new(), 0);
    for zone in TZ_VARIANTS {
        for days in pieces(zone, first, full, &mut random) {
            let expected = oracle(zone, &days);
            for (number, wanted) in WANTED.into_iter().enumerate() {
                looked += days.end - days.start;
                for day in wrong(&expected, number, &days, &ours(zone, &days, wanted)) {
                    violations.push(format!("{zone} {wanted} day {day}"));
                }
                of_control += wrong(&expected, number, &days, &control(zone, &days, wanted)).len();
            }
        }
    }
    println!(
        "{looked} zone-days of {} zones: {} wrong, {of_control} of the control; seed {seed}",
        TZ_VARIANTS.len(),
        violations.len()
    );
    assert_eq!(violations, [""; 0], "seed {seed}");
    assert!(looked >= 100_000, "{looked}");
    assert!(of_control > 0, "the control would pass too; seed {seed}");
}

/// Days that zones never had: they went from one side of the date line to the other. What comes after them comes all the same.
#[test]
fn a_day_that_there_is_not_has_no_time_and_the_next_ones_have() {
    for (zone, year, month, day) in [
        (chrono_tz::Pacific::Apia, 2011, 12, 30),
        (chrono_tz::Pacific::Fakaofo, 2011, 12, 30),
        (chrono_tz::Pacific::Kwajalein, 1993, 8, 21),
        (chrono_tz::Pacific::Kiritimati, 1994, 12, 31),
    ] {
        let missing = day_of(NaiveDate::from_ymd_opt(year, month, day).expect("a day"));
        let days = missing - 3..missing + 4;
        let expected = oracle(zone, &days);
        assert_eq!(
            days.clone().zip(&expected).find(|(_, first)| first[0].is_none()),
            Some((missing, &[None; 4])),
            "{zone}"
        );
        for (number, wanted) in WANTED.into_iter().enumerate() {
            assert_eq!(wrong(&expected, number, &days, &ours(zone, &days, wanted)), [0; 0], "{zone} {wanted}");
        }
    }
}

fn a_trigger() -> impl Strategy<Value = Trigger> {
    let cron = prop_oneof![
        "[0-5]?[0-9] ([0-9]|1[0-9]|2[0-3]) \\* \\* (\\*|MON-FRI|SUN|[1-6])",
        "\\*/(5|7|15) (\\*|1-3) (\\*|L|15W|1,29) \\* \\*",
        Just("@daily".to_owned()),
        Just("30 2 * MAR,OCT *".to_owned()),
    ];
    prop_oneof![
        cron.prop_map(Trigger::Cron),
        (1_u64..=168).prop_map(|hours| Trigger::Every(hours * 3600)),
        (60_u64..=90_000).prop_map(Trigger::Every),
        (0_i64..63_072_000).prop_map(|s| {
            let time = DateTime::from_timestamp(1_735_689_600 + s / 60 * 60, 0).expect("a time");
            Trigger::At(time.naive_utc())
        }),
        Just(Trigger::Manual),
        Just(Trigger::File("in/*".to_owned())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn due_times_are_sorted_each_once_and_the_same_wherever_one_begins(
        triggers in proptest::collection::vec(a_trigger(), 1..5),
        zone in proptest::sample::select(TZ_VARIANTS.to_vec()),
        begin in 1_735_689_600_i64..1_798_761_600,
        at in 0_usize..40,
        before_the_next in any::<bool>(),
    ) {
        let timing = Timing { triggers, ..Timing::manual() };
        let after = DateTime::from_timestamp(begin, 0).expect("a time");
        let times: Vec<_> = due_times(&timing, zone, after).take(60).collect();
        prop_assert!(times.iter().all(|(time, _)| *time > after));
        prop_assert!(times.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted, each once: {:?}", times);
        // A restart at a due time, or in the second before it, goes on with exactly what was still to come.
        if let Some((time, _)) = times.get(at) {
            let (again, rest) = match before_the_next {
                true => (*time - chrono::Duration::seconds(1), &times[at..]),
                false => (*time, &times[at + 1..]),
            };
            // The second before may itself be due; then there is one more.
            let known = |(time, _): &(DateTime<Utc>, &Trigger)| *time >= rest.first().map_or(*time, |first| first.0);
            let tail: Vec<_> = due_times(&timing, zone, again).filter(known).take(rest.len()).collect();
            prop_assert_eq!(&tail[..], rest);
        }
    }
}

//! What was spent in a day, a week or a month: its days, its ceiling, its pace. Sums are kept by the engine's store.

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::ledger::{Ceiling, Period};
use crate::money::Micros;
use crate::schedule::local;

/// Over which days is summed, in the computer's zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SpendRange {
    /// This day.
    Today,
    /// This week, from Monday on.
    #[default]
    Week,
    /// This calendar month.
    Month,
}

/// The days of a range around a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub from: NaiveDate,
    /// The last one.
    pub to: NaiveDate,
    /// When it begins.
    pub begins: DateTime<Utc>,
    /// When the next one begins.
    pub ends: DateTime<Utc>,
}

/// What may be spent in a range, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct RangeCeiling {
    /// How much.
    pub amount: Micros,
    /// `$500/month`, or `7 × $5/day`.
    pub words: String,
}

impl SpendRange {
    /// Its days.
    pub fn span(self, now: DateTime<Utc>, zone: Tz) -> Span {
        let today = now.with_timezone(&zone).date_naive();
        let from = match self {
            SpendRange::Today => today,
            SpendRange::Week => today - Days::new(u64::from(today.weekday().num_days_from_monday())),
            SpendRange::Month => today.with_day(1).unwrap_or(today),
        };
        let after = match self {
            SpendRange::Today => today + Days::new(1),
            SpendRange::Week => from + Days::new(7),
            SpendRange::Month => Period::Month.next(today).unwrap_or(today + Days::new(1)),
        };
        let midnight = |day: NaiveDate| local(day.and_time(NaiveTime::MIN), zone).unwrap_or(now);
        Span { from, to: after - Days::new(1), begins: midnight(from), ends: midnight(after) }
    }

    /// What all loops together may spend in it; a week has no ceiling of its own, but seven days have.
    pub fn ceiling(self, ceilings: &[Ceiling]) -> Option<RangeCeiling> {
        let of = |per: Period| ceilings.iter().find(|ceiling| ceiling.per == per);
        let one = |ceiling: &Ceiling| RangeCeiling { amount: ceiling.amount, words: ceiling.to_string() };
        match self {
            SpendRange::Today => of(Period::Day).map(one),
            SpendRange::Week => {
                of(Period::Day).map(|day| RangeCeiling { amount: day.amount * 7, words: format!("7 × {day}") })
            }
            SpendRange::Month => of(Period::Month).map(one),
        }
    }
}

impl Span {
    /// What the whole span comes to if it goes on as before; none before a tenth of it is over.
    pub fn pace(&self, spent: Micros, now: DateTime<Utc>) -> Option<Micros> {
        let whole = u128::try_from((self.ends - self.begins).num_seconds()).ok()?;
        let over = u128::try_from((now - self.begins).num_seconds()).ok()?.min(whole);
        if over * 10 < whole || over == 0 {
            return None;
        }
        u64::try_from(u128::from(spent.0) * whole / over).ok().map(Micros)
    }

    /// When there is room again, on the clock of the zone: `Mon 00:00 (Europe/Berlin)`.
    pub fn resets(&self, zone: Tz) -> String {
        format!("{} ({zone})", self.ends.with_timezone(&zone).format("%a %-d %b %H:%M"))
    }
}

/// What one merged change cost, over all that was spent; none where nothing was merged.
pub fn per_merged(spent: Micros, merged: u32) -> Option<Micros> {
    spent.0.checked_div(u64::from(merged)).map(Micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_range_has_its_days_on_the_clock_of_the_zone() {
        let berlin = chrono_tz::Europe::Berlin;
        for (range, now, from, to, ends) in [
            (SpendRange::Today, "2026-11-22T23:30:00Z", "2026-11-23", "2026-11-23", "2026-11-23T23:00:00Z"),
            (SpendRange::Week, "2026-11-22T10:00:00Z", "2026-11-16", "2026-11-22", "2026-11-22T23:00:00Z"),
            (SpendRange::Week, "2026-11-22T23:30:00Z", "2026-11-23", "2026-11-29", "2026-11-29T23:00:00Z"),
            (SpendRange::Month, "2026-12-31T10:00:00Z", "2026-12-01", "2026-12-31", "2026-12-31T23:00:00Z"),
            // The clock is set back in that week.
            (SpendRange::Week, "2026-10-25T10:00:00Z", "2026-10-19", "2026-10-25", "2026-10-25T23:00:00Z"),
        ] {
            let span = range.span(at(now), berlin);
            assert_eq!((span.from.to_string(), span.to.to_string(), span.ends), (from.into(), to.into(), at(ends)));
        }
        let week = SpendRange::Week.span(at("2026-11-22T10:00:00Z"), berlin);
        assert_eq!(week.resets(berlin), "Mon 23 Nov 00:00 (Europe/Berlin)");
    }

    #[test]
    fn the_pace_is_exact_and_waits_for_a_tenth() {
        let span = SpendRange::Today.span(at("2026-11-22T12:00:00Z"), Tz::UTC);
        assert_eq!(span.pace(Micros(3_000_000), at("2026-11-22T06:00:00Z")), Some(Micros(12_000_000)));
        assert_eq!(span.pace(Micros(3_000_000), at("2026-11-22T02:00:00Z")), None);
        assert_eq!(span.pace(Micros::ZERO, at("2026-11-22T12:00:00Z")), Some(Micros::ZERO));
        assert_eq!(span.pace(Micros(u64::MAX), at("2026-11-22T06:00:00Z")), None, "more than can be told");
    }

    #[test]
    fn a_week_has_the_ceiling_of_seven_days() {
        let ceiling = |dollars: u64, per| Ceiling { amount: Micros(dollars * 1_000_000), per };
        let set = [ceiling(5, Period::Day), ceiling(60, Period::Month)];
        let words =
            |range: SpendRange, set: &[Ceiling]| range.ceiling(set).map(|c| format!("{} {}", c.amount, c.words));
        assert_eq!(words(SpendRange::Today, &set).as_deref(), Some("$5 $5/day"));
        assert_eq!(words(SpendRange::Week, &set).as_deref(), Some("$35 7 × $5/day"));
        assert_eq!(words(SpendRange::Month, &set).as_deref(), Some("$60 $60/month"));
        assert_eq!(words(SpendRange::Week, &set[1..]), None);
    }

    #[test]
    fn nothing_merged_has_no_cost_each() {
        assert_eq!(per_merged(Micros(6_420_000), 8), Some(Micros(802_500)));
        assert_eq!(per_merged(Micros(6_420_000), 0), None);
    }
}

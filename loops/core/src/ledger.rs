//! The arithmetic of money: run ⊂ loop's day ⊂ day of all loops ⊂ month, and whether one more amount fits everywhere.
//!
//! Sums are kept by the engine's store; nothing here reads or writes any.

use std::fmt;

use chrono::{Datelike as _, Months, NaiveDate};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::ids::{LoopId, RunId};
use crate::money::Micros;

/// What an amount holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// One run.
    Run,
    /// One day in its zone.
    Day,
    /// One calendar month in its zone.
    Month,
}

impl Period {
    /// Its word in a loop file.
    pub fn word(self) -> &'static str {
        match self {
            Period::Run => "run",
            Period::Day => "day",
            Period::Month => "month",
        }
    }

    /// The first day of the next period after `day`; none for a run, which has no calendar.
    pub fn next(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Period::Run => None,
            Period::Day => day.succ_opt(),
            Period::Month => day.with_day(1)?.checked_add_months(Months::new(1)),
        }
    }
}

/// The most that may be spent or reserved in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ceiling {
    /// How much.
    pub amount: Micros,
    /// For what.
    pub per: Period,
}

impl fmt::Display for Ceiling {
    /// `$20/day`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.amount, self.per.word())
    }
}

/// A sum that is kept; its text is the key that it is stored under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One run.
    Run(RunId),
    /// One loop on one day of its zone.
    LoopDay(LoopId, NaiveDate),
    /// One loop in the month of this day.
    LoopMonth(LoopId, NaiveDate),
    /// All loops on one day of the computer's zone.
    FleetDay(NaiveDate),
    /// All loops in the month of this day.
    FleetMonth(NaiveDate),
}

impl fmt::Display for Scope {
    /// `run/<id>`, `loop/<id>/2026-11-22`, `loop/<id>/2026-11`, `fleet/2026-11-22`, `fleet/2026-11`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Run(run) => write!(f, "run/{run}"),
            Scope::LoopDay(id, day) => write!(f, "loop/{id}/{day}"),
            Scope::LoopMonth(id, day) => write!(f, "loop/{id}/{}", day.format("%Y-%m")),
            Scope::FleetDay(day) => write!(f, "fleet/{day}"),
            Scope::FleetMonth(day) => write!(f, "fleet/{}", day.format("%Y-%m")),
        }
    }
}

/// Where an amount is booked: it counts in every scope of this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The run.
    pub run: RunId,
    /// Its loop.
    pub loop_id: LoopId,
    /// The day in the loop's zone.
    pub day: NaiveDate,
    /// The day in the computer's zone, for all loops together.
    pub fleet_day: NaiveDate,
}

impl Place {
    /// Every scope, the narrowest first.
    pub fn scopes(&self) -> [Scope; 5] {
        [
            Scope::Run(self.run),
            Scope::LoopDay(self.loop_id, self.day),
            Scope::LoopMonth(self.loop_id, self.day),
            Scope::FleetDay(self.fleet_day),
            Scope::FleetMonth(self.fleet_day),
        ]
    }
}

/// The ceilings that hold for a run, of every scope around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceilings {
    /// The loop's name, for people.
    pub loop_name: String,
    /// That of the run.
    pub run: Micros,
    /// Those of the loop: day, month.
    pub of_loop: Vec<Ceiling>,
    /// Those of all loops together: day, month.
    pub of_fleet: Vec<Ceiling>,
    /// The zone of the loop's days.
    pub zone: Tz,
    /// The zone of the days of all loops.
    pub fleet_zone: Tz,
    /// What must still fit beside an amount, or that would be paid for nothing.
    pub beside: Micros,
}

impl Ceilings {
    /// Those of a run alone.
    pub fn of_run(run: Micros) -> Ceilings {
        let (of_loop, of_fleet) = (Vec::new(), Vec::new());
        let (zone, fleet_zone) = (Tz::UTC, Tz::UTC);
        Ceilings { loop_name: String::new(), run, of_loop, of_fleet, zone, fleet_zone, beside: Micros::ZERO }
    }

    /// Whether `amount` fits under all of them at `place`; `committed` is what a scope has spent and reserved so far.
    ///
    /// # Errors
    /// [`CeilingReached`] for the narrowest that doesn't hold it, or what `committed` returns.
    pub fn hold<E: From<CeilingReached>>(
        &self,
        place: &Place,
        amount: Micros,
        mut committed: impl FnMut(Scope) -> Result<Micros, E>,
    ) -> Result<(), E> {
        // What costs nothing passes no ceiling, even one that an agent's own report has passed.
        if amount == Micros::ZERO {
            return Ok(());
        }
        for bound in self.bounds(place) {
            let committed = committed(bound.scope)?;
            let sum = committed.checked_add(amount).and_then(|sum| sum.checked_add(self.beside));
            if sum.is_none_or(|sum| sum > bound.ceiling.amount) {
                let amount = amount + self.beside;
                return Err(CeilingReached { committed, amount, bound }.into());
            }
        }
        Ok(())
    }

    /// Each ceiling with the scope that it bounds at `place`, the narrowest first.
    pub fn bounds(&self, place: &Place) -> Vec<Bound> {
        let run = Ceiling { amount: self.run, per: Period::Run };
        let mut bounds = vec![Bound { scope: Scope::Run(place.run), ceiling: run, whose: String::new(), until: None }];
        let whose = format!("of {}", self.loop_name);
        bounds.extend(
            self.of_loop.iter().filter_map(|c| bound(*c, Whose::Loop(place.loop_id), place.day, self.zone, &whose)),
        );
        let whose = "of all loops together";
        bounds.extend(
            self.of_fleet.iter().filter_map(|c| bound(*c, Whose::Fleet, place.fleet_day, self.fleet_zone, whose)),
        );
        bounds
    }
}

#[derive(Clone, Copy)]
enum Whose {
    Loop(LoopId),
    Fleet,
}

fn bound(ceiling: Ceiling, whose: Whose, day: NaiveDate, zone: Tz, words: &str) -> Option<Bound> {
    let scope = match (whose, ceiling.per) {
        (_, Period::Run) => return None,
        (Whose::Loop(id), Period::Day) => Scope::LoopDay(id, day),
        (Whose::Loop(id), Period::Month) => Scope::LoopMonth(id, day),
        (Whose::Fleet, Period::Day) => Scope::FleetDay(day),
        (Whose::Fleet, Period::Month) => Scope::FleetMonth(day),
    };
    let until = ceiling.per.next(day).map(|next| format!("{next} ({zone})"));
    Some(Bound { scope, ceiling, whose: words.to_owned(), until })
}

/// A ceiling and what it bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The sum that it bounds.
    pub scope: Scope,
    /// The ceiling.
    pub ceiling: Ceiling,
    /// `of deps`, `of all loops together`; empty for a run.
    pub whose: String,
    /// The first day with new room, and its zone; none for a run.
    pub until: Option<String>,
}

impl fmt::Display for Bound {
    /// `$20/day of deps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blank = if self.whose.is_empty() { "" } else { " " };
        write!(f, "{}{blank}{}", self.ceiling, self.whose)
    }
}

/// A reservation that would pass a ceiling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{amount} more would pass the ceiling of {bound} ({committed} spent or reserved){}", again(bound))]
pub struct CeilingReached {
    /// Charged and reserved so far.
    pub committed: Micros,
    /// What was asked for.
    pub amount: Micros,
    /// The ceiling.
    pub bound: Bound,
}

fn again(bound: &Bound) -> String {
    bound.until.as_ref().map_or_else(String::new, |day| format!("; there is room again from {day}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;

    fn place() -> Place {
        let day = NaiveDate::from_ymd_opt(2026, 12, 31).expect("a day");
        Place { run: RunId(Uuid::from_u128(1)), loop_id: LoopId(Uuid::from_u128(2)), day, fleet_day: day }
    }

    fn ceilings() -> Ceilings {
        let ceiling = |dollars: u64, per| Ceiling { amount: Micros(dollars * 1_000_000), per };
        Ceilings {
            loop_name: "deps".to_owned(),
            of_loop: vec![ceiling(20, Period::Day)],
            of_fleet: vec![ceiling(50, Period::Day), ceiling(500, Period::Month)],
            zone: chrono_tz::Europe::Berlin,
            ..Ceilings::of_run(Micros(5_000_000))
        }
    }

    fn refused(sums: &[(Scope, u64)], amount: u64) -> Option<String> {
        let sums: BTreeMap<Scope, Micros> = sums.iter().map(|(s, m)| (*s, Micros(*m))).collect();
        let held: Result<(), CeilingReached> =
            ceilings().hold(&place(), Micros(amount), |scope| Ok(sums.get(&scope).copied().unwrap_or_default()));
        held.err().map(|reached| reached.to_string())
    }

    #[test]
    fn a_refusal_names_the_ceiling_and_until_when() {
        let at = place();
        assert_eq!(refused(&[], 5_000_000), None);
        assert_eq!(
            refused(&[], 5_000_001).as_deref(),
            Some("$5.000001 more would pass the ceiling of $5/run ($0 spent or reserved)")
        );
        let day = [(Scope::LoopDay(at.loop_id, at.day), 19_500_000)];
        assert_eq!(refused(&day, 500_000), None);
        assert_eq!(
            refused(&day, 1_000_000).as_deref(),
            Some(
                "$1 more would pass the ceiling of $20/day of deps ($19.50 spent or reserved); \
                 there is room again from 2027-01-01 (Europe/Berlin)"
            )
        );
        let month = [(Scope::FleetMonth(at.day), 500_000_000)];
        assert_eq!(
            refused(&month, 1).as_deref(),
            Some(
                "$0.000001 more would pass the ceiling of $500/month of all loops together ($500 spent or reserved); \
                 there is room again from 2027-01-01 (UTC)"
            )
        );
        assert_eq!(refused(&month, 0), None, "what costs nothing passes");
        assert!(refused(&[(Scope::Run(at.run), u64::MAX)], 1).is_some(), "a sum that doesn't fit is no way around");
    }

    #[test]
    fn what_must_fit_beside_counts_too() {
        let ceilings = Ceilings { beside: Micros(1_000_000), ..ceilings() };
        let held = |amount| ceilings.hold(&place(), Micros(amount), |_| Ok::<_, CeilingReached>(Micros::ZERO)).is_ok();
        assert!(held(4_000_000));
        assert!(!held(4_000_001));
    }

    #[test]
    fn keys_are_what_is_stored() {
        let keys = place().scopes().map(|s| s.to_string());
        let (run, of) = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002");
        let [a, b, c, d, e] = keys;
        assert_eq!(a, format!("run/{run}"));
        assert_eq!([b, c], [format!("loop/{of}/2026-12-31"), format!("loop/{of}/2026-12")]);
        assert_eq!([d.as_str(), e.as_str()], ["fleet/2026-12-31", "fleet/2026-12"]);
    }
}

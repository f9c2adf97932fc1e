//! `spend`: what was spent in a day, a week or a month, by loop and model, and what it brought.
//!
//! Sums are the ledger's; the days, ceilings and the pace are `core::spend`'s.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use loopwright_core::definition::read_bytes;
use loopwright_core::definition::settings::Settings;
use loopwright_core::exit;
use loopwright_core::ids::LoopId;
use loopwright_core::ledger::{Ceiling, Period, Scope};
use loopwright_core::money::Micros;
use loopwright_core::spend::{RangeCeiling, Span, SpendRange, per_merged};
use serde::Serialize;

use super::{ApiError, Context, change_setting};
use crate::settings;
use crate::store::loops::{self as stored, LoopRow};
use crate::store::{Store, ledger, schedules, spending};

/// What was spent in a range of days.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SpendView {
    /// The range.
    pub range: SpendRange,
    /// Its first day.
    pub from: String,
    /// Its last day.
    pub to: String,
    /// The zone of its days.
    pub zone: String,
    /// When the next range begins, for people: `Mon 23 Nov 00:00 (Europe/Berlin)`.
    pub resets: String,
    /// When that is, RFC 3339 UTC.
    pub ends: String,
    /// Charged.
    pub spent: Micros,
    /// Reserved by calls on the way: the worst case of what they cost.
    pub reserved: Micros,
    /// What all loops together may spend in it; none = no such ceiling is set.
    pub ceiling: Option<RangeCeiling>,
    /// What it comes to at this pace; none while that says nothing yet.
    pub pace: Option<Micros>,
    /// Changes that came onto their branches.
    pub merged: u32,
    /// Of these, taken back since.
    pub reverted: u32,
    /// What one merged change cost.
    pub per_merged: Option<Micros>,
    /// The ceilings over all loops: `$50/day`.
    pub ceilings: Vec<String>,
    /// By loop, the most expensive first.
    pub loops: Vec<SpendRow>,
    /// By model over all loops, the most expensive first.
    pub models: Vec<ModelShare>,
    /// Loops that can't start because a price is not known.
    pub unknown_prices: Vec<UnknownPrice>,
    /// What is wrong with `settings.yaml`; none = it can be read.
    pub settings: Option<String>,
}

/// What one loop spent.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SpendRow {
    /// Its name.
    pub loop_name: String,
    /// Spent or reserved today, on the clock of its zone.
    pub today: Micros,
    /// Charged in the range.
    pub spent: Micros,
    /// Its ceiling a day.
    pub day: Option<Micros>,
    /// Its ceiling a run; none if its file can't be read.
    pub run: Option<Micros>,
    /// Its ceiling a month.
    pub month: Option<Micros>,
    /// Changes of it that were merged in the range.
    pub merged: u32,
    /// Of these, taken back since.
    pub reverted: u32,
    /// What one of them cost.
    pub per_merged: Option<Micros>,
    /// By model, the most expensive first.
    pub models: Vec<ModelShare>,
}

/// What a model cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ModelShare {
    /// Its name, as it reported itself or the loop names it (untrusted); none = none was named.
    pub model: Option<String>,
    /// How much.
    pub charged: Micros,
}

/// A loop that names an agent without its price.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct UnknownPrice {
    /// Its name.
    pub loop_name: String,
    /// What is not known, one sentence without a full stop.
    pub why: String,
    /// What to write.
    pub help: Option<String>,
}

/// What was spent in a range around now.
///
/// # Errors
/// The store can't be read.
pub fn spend(context: &Context, range: SpendRange) -> Result<SpendView, ApiError> {
    let store = context.store()?;
    let db = store.read();
    let span = range.span(context.now, context.zone);
    let (set, fault) = match settings::read(&context.home) {
        Ok(set) => (set, None),
        Err(error) => (Settings::default(), Some(format!("{error:#}"))),
    };
    let reserved: Micros = spending::reserved(db, span.from, span.to)?.into_iter().map(|(_, micros)| micros).sum();
    let committed = match range {
        SpendRange::Month => ledger::committed(db, Scope::FleetMonth(span.from))?,
        _ => spending::committed(db, span.from, span.to, Scope::FleetDay)?,
    };
    let spent = committed.saturating_sub(reserved);
    let (rows, models, unknown_prices) = by_loop(context, &store, &span)?;
    let sum = |of: fn(&SpendRow) -> u32| rows.iter().map(of).sum::<u32>();
    let (merged, reverted) = (sum(|row| row.merged), sum(|row| row.reverted));
    Ok(SpendView {
        range,
        from: span.from.to_string(),
        to: span.to.to_string(),
        zone: context.zone.name().to_owned(),
        resets: span.resets(context.zone),
        ends: span.ends.to_rfc3339_opts(SecondsFormat::Secs, true),
        spent,
        reserved,
        ceiling: range.ceiling(&set.ceilings),
        pace: span.pace(spent, context.now),
        merged,
        reverted,
        per_merged: per_merged(spent, merged),
        ceilings: set.ceilings.iter().map(Ceiling::to_string).collect(),
        loops: rows,
        models,
        unknown_prices,
        settings: fault,
    })
}

/// A ceiling over all loops that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct CeilingSet {
    /// What it was; none = there was none.
    pub before: Option<Micros>,
    /// What it is; none = there is none.
    pub after: Option<Micros>,
    /// The file that says so.
    pub path: String,
}

/// Sets a ceiling over all loops in `settings.yaml`, or takes it away; every other byte of the file stays. It holds from the
/// next reservation on.
///
/// # Errors
/// A run has its ceiling in its loop file, or the file can't be changed; it is as it was then.
pub fn set_ceiling(context: &Context, per: Period, amount: Option<Micros>) -> Result<CeilingSet, ApiError> {
    if per == Period::Run {
        let hint = "change `budget` in the loop's own file";
        return Err(ApiError::new(exit::USAGE, "all loops together have no ceiling a run").hint(hint));
    }
    let set = settings::read(&context.home)?;
    let of = |wanted: Period| set.ceilings.iter().find(|ceiling| ceiling.per == wanted).map(|ceiling| ceiling.amount);
    let before = of(per);
    let amounts = [Period::Day, Period::Month].map(|each| (each, if each == per { amount } else { of(each) }));
    let told = amounts.iter().filter_map(|(per, amount)| Some(Ceiling { amount: (*amount)?, per: *per }.to_string()));
    let told: Vec<String> = told.collect();
    let value = match told.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        more => Some(format!("[{}]", more.join(", "))),
    };
    change_setting(context, "budget", value.as_deref())?;
    Ok(CeilingSet { before, after: amount, path: settings::path(&context.home).display().to_string() })
}

type ByLoop = (Vec<SpendRow>, Vec<ModelShare>, Vec<UnknownPrice>);

fn by_loop(context: &Context, store: &Store, span: &Span) -> Result<ByLoop, ApiError> {
    let db = store.read();
    let charges = spending::by_model(db, span.from, span.to)?;
    let merged: BTreeMap<LoopId, (u32, u32)> =
        spending::merged(db, span.begins, span.ends)?.into_iter().map(|(id, all, back)| (id, (all, back))).collect();
    let mut totals: BTreeMap<Option<String>, Micros> = BTreeMap::new();
    for charge in &charges {
        *totals.entry(charge.model.clone()).or_default() += charge.charged;
    }
    let (mut rows, mut unknown) = (Vec::new(), Vec::new());
    for of in stored::all(db)? {
        let own = charges.iter().filter(|charge| charge.loop_id == of.id);
        let models: Vec<ModelShare> =
            own.map(|charge| ModelShare { model: charge.model.clone(), charged: charge.charged }).collect();
        let (merged, reverted) = merged.get(&of.id).copied().unwrap_or_default();
        let spent = models.iter().map(|share| share.charged).sum();
        let ceilings = ceilings(&of.path);
        let per = |per: Period| ceilings.known.iter().find(|ceiling| ceiling.per == per).map(|ceiling| ceiling.amount);
        unknown.extend(ceilings.unknown(&of));
        rows.push(SpendRow {
            loop_name: of.name.clone(),
            today: today(context, store, &of)?,
            spent,
            day: per(Period::Day),
            run: per(Period::Run),
            month: per(Period::Month),
            merged,
            reverted,
            per_merged: per_merged(spent, merged),
            models,
        });
    }
    rows.sort_by(|a, b| b.spent.cmp(&a.spent).then_with(|| a.loop_name.cmp(&b.loop_name)));
    let mut models: Vec<ModelShare> =
        totals.into_iter().map(|(model, charged)| ModelShare { model, charged }).collect();
    models.sort_by_key(|share| std::cmp::Reverse(share.charged));
    Ok((rows, models, unknown))
}

/// Spent or reserved by a loop today, on the clock of its zone.
fn today(context: &Context, store: &Store, of: &LoopRow) -> Result<Micros, ApiError> {
    let timing = schedules::timing(store.read(), of.id)?;
    let zone = timing.and_then(|(timing, _)| timing.zone).unwrap_or(context.zone);
    let day = DateTime::<Utc>::with_timezone(&context.now, &zone).date_naive();
    Ok(ledger::committed(store.read(), Scope::LoopDay(of.id, day))?)
}

/// What a loop file says of money.
struct Money {
    known: Vec<Ceiling>,
    faults: Vec<(String, Option<String>)>,
}

impl Money {
    fn unknown(&self, of: &LoopRow) -> Vec<UnknownPrice> {
        let row = |(why, help): &(String, Option<String>)| UnknownPrice {
            loop_name: of.name.clone(),
            why: why.clone(),
            help: help.clone(),
        };
        self.faults.iter().map(row).collect()
    }
}

fn ceilings(path: &Path) -> Money {
    let Ok(text) = std::fs::read(path) else { return Money { known: Vec::new(), faults: Vec::new() } };
    let read = read_bytes(&text);
    let known = read.definition.map_or_else(Vec::new, |definition| {
        let run = Ceiling { amount: definition.rails.budget, per: Period::Run };
        std::iter::once(run).chain(definition.rails.ceilings).collect()
    });
    let prices = read.diagnostics.into_iter().filter(|fault| fault.code == "price");
    Money { known, faults: prices.map(|fault| (fault.message, fault.help)).collect() }
}

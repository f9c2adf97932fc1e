//! What was spent in a stretch of days, from the ledger's sums and its charges; and what was merged in it.

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDate, Utc};
use loopwright_core::ids::LoopId;
use loopwright_core::ledger::Scope;
use loopwright_core::money::Micros;
use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

use super::ledger;
use crate::steps::stamp;

/// What a loop paid for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCharge {
    /// Whose charge.
    pub loop_id: LoopId,
    /// The model; none = none was named.
    pub model: Option<String>,
    /// How much.
    pub charged: Micros,
}

/// Charged plus still reserved over whole days, both ends included.
///
/// # Errors
/// A sum can't be read.
pub fn committed(db: &Connection, from: NaiveDate, to: NaiveDate, of: impl Fn(NaiveDate) -> Scope) -> Result<Micros> {
    let mut sum = Micros::ZERO;
    for day in from.iter_days().take_while(|day| *day <= to) {
        sum += ledger::committed(db, of(day))?;
    }
    Ok(sum)
}

/// What is reserved by calls on the way, by loop, where its day lies between these, both included.
///
/// # Errors
/// The rows can't be read.
pub fn reserved(db: &Connection, from: NaiveDate, to: NaiveDate) -> Result<Vec<(LoopId, Micros)>> {
    // Only runs that live have any open.
    let mut rows = db.prepare_cached(
        "SELECT g.loop, SUM(CASE g.kind WHEN 'reserve' THEN g.micros WHEN 'release' THEN -g.micros ELSE 0 END) \
         FROM runs r JOIN ledger g ON g.run = r.id WHERE r.ended_at IS NULL \
         AND COALESCE(g.fleet_day, g.day) BETWEEN ?1 AND ?2 GROUP BY g.loop",
    )?;
    let found = rows.query_map(params![from.to_string(), to.to_string()], |r| {
        Ok((super::parsed(r, 0)?, Micros(u64::try_from(r.get::<_, i64>(1)?).unwrap_or(0))))
    })?;
    found.collect::<Result<_, _>>().context("reading what is reserved")
}

/// What was charged by loop and model on these days of the computer's zone, both included; the largest first.
///
/// # Errors
/// The rows can't be read.
pub fn by_model(db: &Connection, from: NaiveDate, to: NaiveDate) -> Result<Vec<ModelCharge>> {
    let mut rows = db.prepare_cached(
        "SELECT loop, model, SUM(micros) FROM ledger WHERE kind = 'charge' AND COALESCE(fleet_day, day) BETWEEN ?1 AND ?2 \
         GROUP BY loop, model HAVING SUM(micros) > 0 ORDER BY 3 DESC, 1, 2",
    )?;
    let found = rows.query_map(params![from.to_string(), to.to_string()], |r| {
        Ok(ModelCharge { loop_id: super::parsed(r, 0)?, model: r.get(1)?, charged: super::micros(r, 2)? })
    })?;
    found.collect::<Result<_, _>>().context("reading the charges by model")
}

/// How many changes came onto their branches from one moment until before another, by loop, and of these how many were
/// taken back.
///
/// # Errors
/// The rows can't be read.
pub fn merged(db: &Connection, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<Vec<(LoopId, u32, u32)>> {
    let mut rows = db.prepare_cached(
        "SELECT loop, COUNT(*), COUNT(*) FILTER (WHERE state = 'reverted') FROM pull_requests \
         WHERE merged_at IS NOT NULL AND merged_at >= ?1 AND merged_at < ?2 GROUP BY loop",
    )?;
    let found =
        rows.query_map(params![stamp(from), stamp(to)], |r| Ok((super::parsed(r, 0)?, r.get(1)?, r.get(2)?)))?;
    found.collect::<Result<_, _>>().context("counting what was merged")
}

/// Names the model that the charge of a step is for.
///
/// # Errors
/// The row can't be written.
pub(super) fn name_model(tx: &Transaction<'_>, step: Uuid, model: &str) -> Result<()> {
    tx.prepare_cached("UPDATE ledger SET model = ?2 WHERE step = ?1 AND kind = 'charge'")?
        .execute(params![step.to_string(), model])
        .with_context(|| format!("naming the model of step {step}"))?;
    Ok(())
}

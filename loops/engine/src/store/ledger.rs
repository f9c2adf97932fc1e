//! The ledger: reserve before a call, charge or release after it. Sums are never refunded by a restart.
//!
//! Rows are the truth; `ledger_totals` has their sums per scope, written in the same transaction, so that a reservation
//! costs the same however long the ledger is. What fits where is decided in [`loopwright_core::ledger`].

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use loopwright_core::ids::{LoopId, RunId};
use loopwright_core::ledger::{Ceilings, Place, Scope};
use loopwright_core::money::Micros;
use loopwright_core::run::Step;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

pub use loopwright_core::ledger::CeilingReached;

/// What a ledger line is booked on.
#[derive(Clone, Copy, Debug)]
pub struct Booking<'a> {
    /// Run, loop and days.
    pub place: Place,
    /// The step whose cost it is.
    pub step: Uuid,
    /// RFC 3339 UTC.
    pub at: &'a str,
}

/// Reserves `amount` unless that would pass a ceiling of any scope.
///
/// # Errors
/// [`CeilingReached`], or the row can't be written.
pub fn reserve(tx: &Transaction<'_>, on: &Booking<'_>, amount: Micros, ceilings: &Ceilings) -> Result<()> {
    ceilings.hold(&on.place, amount, |scope| committed(tx, scope))?;
    insert(tx, on, "reserve", amount)?;
    add(tx, &on.place, i64::try_from(amount.0)?)
}

/// Turns the reservation of a step into a charge and releases the rest, on the days on which it was reserved.
///
/// # Errors
/// The rows can't be written, or the step reserved nothing or was settled before.
pub fn settle(tx: &Transaction<'_>, step: Uuid, charge: Micros, at: &str) -> Result<()> {
    let (place, reserved) = reservation(tx, step)?;
    let on = Booking { place, step, at };
    insert(tx, &on, "charge", charge)?;
    insert(tx, &on, "release", reserved)?;
    add(tx, &place, i64::try_from(charge.0)? - i64::try_from(reserved.0)?)
}

/// Settles every open step of a run that lost its runner: nobody knows what they cost, so their reservations are the charges.
///
/// # Errors
/// The rows can't be written.
pub fn cut_off(tx: &Transaction<'_>, open: &[(Step, Uuid)], at: &str) -> Result<()> {
    let priced = open.iter().filter_map(|(step, id)| Some((*id, step.reserved()?)));
    priced.into_iter().try_for_each(|(step, reserved)| settle(tx, step, reserved, at))
}

/// Charged plus still reserved, in one scope.
///
/// # Errors
/// The row can't be read.
pub fn committed(db: &Connection, scope: Scope) -> Result<Micros> {
    let mut row = db.prepare_cached("SELECT committed FROM ledger_totals WHERE scope = ?1")?;
    let found = row.query_row([scope.to_string()], |r| super::micros(r, 0)).optional();
    Ok(found.with_context(|| format!("reading the sum of {scope}"))?.unwrap_or_default())
}

/// A sum that is not what its rows add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The scope's key.
    pub scope: String,
    /// The sum that is kept, in micro-dollars.
    pub kept: i64,
    /// What the rows add up to, in micro-dollars.
    pub rows: i64,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} is kept as {} micro-dollars, and its rows add up to {}", self.scope, self.kept, self.rows)
    }
}

/// Compares every sum with its rows; empty = the ledger is whole.
///
/// # Errors
/// The rows can't be read.
pub fn verify(db: &Connection) -> Result<Vec<Mismatch>> {
    let mut rows = db.prepare(VERIFY)?;
    let found = rows.query_map([], |r| Ok(Mismatch { scope: r.get(0)?, kept: r.get(1)?, rows: r.get(2)? }))?;
    found.collect::<Result<_, _>>().context("comparing the ledger's sums with its rows")
}

const VERIFY: &str = "
WITH signed AS (
    SELECT run, loop, day, COALESCE(fleet_day, day) AS fleet_day,
           CASE kind WHEN 'release' THEN -micros ELSE micros END AS micros
    FROM ledger
), rows (scope, sum) AS (
    SELECT 'run/' || run, SUM(micros) FROM signed GROUP BY run
    UNION ALL SELECT 'loop/' || loop || '/' || day, SUM(micros) FROM signed GROUP BY loop, day
    UNION ALL SELECT 'loop/' || loop || '/' || substr(day, 1, 7), SUM(micros) FROM signed GROUP BY loop, substr(day, 1, 7)
    UNION ALL SELECT 'fleet/' || fleet_day, SUM(micros) FROM signed GROUP BY fleet_day
    UNION ALL SELECT 'fleet/' || substr(fleet_day, 1, 7), SUM(micros) FROM signed GROUP BY substr(fleet_day, 1, 7)
)
SELECT COALESCE(t.scope, r.scope), COALESCE(t.committed, 0), COALESCE(r.sum, 0)
FROM ledger_totals t FULL JOIN rows r ON r.scope = t.scope
WHERE COALESCE(t.committed, 0) <> COALESCE(r.sum, 0)
ORDER BY 1";

/// Where a step has reserved, and how much.
fn reservation(tx: &Transaction<'_>, step: Uuid) -> Result<(Place, Micros)> {
    let mut row = tx.prepare_cached(
        "SELECT run, loop, day, COALESCE(fleet_day, day), micros FROM ledger WHERE step = ?1 AND kind = 'reserve'",
    )?;
    row.query_row([step.to_string()], |r| {
        let (run, loop_id): (RunId, LoopId) = (super::parsed(r, 0)?, super::parsed(r, 1)?);
        let (day, fleet_day): (NaiveDate, NaiveDate) = (super::parsed(r, 2)?, super::parsed(r, 3)?);
        Ok((Place { run, loop_id, day, fleet_day }, super::micros(r, 4)?))
    })
    .with_context(|| format!("finding what step {step} has reserved"))
}

fn insert(tx: &Transaction<'_>, on: &Booking<'_>, kind: &str, amount: Micros) -> Result<()> {
    let mut row = tx.prepare_cached(
        "INSERT INTO ledger (run, loop, day, fleet_day, step, kind, micros, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    row.execute(params![
        on.place.run.to_string(),
        on.place.loop_id.to_string(),
        on.place.day.to_string(),
        on.place.fleet_day.to_string(),
        on.step.to_string(),
        kind,
        i64::try_from(amount.0)?,
        on.at
    ])
    .with_context(|| format!("writing the {kind} of step {}", on.step))?;
    Ok(())
}

/// Adds to the sums of every scope of a place.
fn add(tx: &Transaction<'_>, place: &Place, micros: i64) -> Result<()> {
    // The row that is tried first must pass the column's check by itself, so a sum that is lowered is one that exists.
    let mut row = tx.prepare_cached(if micros < 0 {
        "UPDATE ledger_totals SET committed = committed + ?2 WHERE scope = ?1"
    } else {
        "INSERT INTO ledger_totals (scope, committed) VALUES (?1, ?2) \
         ON CONFLICT (scope) DO UPDATE SET committed = committed + excluded.committed"
    })?;
    for scope in place.scopes() {
        let changed = row.execute(params![scope.to_string(), micros]);
        let changed = changed.with_context(|| format!("adding to the sum of {scope}"))?;
        anyhow::ensure!(changed == 1, "the ledger has no sum of {scope}; `loopwright doctor` compares all of them");
    }
    Ok(())
}

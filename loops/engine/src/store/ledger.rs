//! The ledger: reserve before a call, charge or release after it. Sums are never refunded by a restart.

use anyhow::Result;
use loopwright_core::ids::{LoopId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::run::Step;
use rusqlite::{Connection, Transaction, params};
use uuid::Uuid;

/// A reservation that would pass the ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{amount} more would pass the ceiling of {ceiling} ({committed} spent or reserved)")]
pub struct CeilingReached {
    /// Charged and reserved so far.
    pub committed: Micros,
    /// What was asked for.
    pub amount: Micros,
    /// The ceiling.
    pub ceiling: Micros,
}

/// What a ledger line is booked on.
#[derive(Clone, Debug)]
pub struct Booking {
    /// The run.
    pub run: RunId,
    /// Its loop.
    pub loop_id: LoopId,
    /// The day in the loop's zone, `2026-11-22`.
    pub day: String,
    /// The step whose cost it is.
    pub step: Uuid,
    /// RFC 3339 UTC.
    pub at: String,
}

/// Reserves `amount` unless that would pass the run's `ceiling`.
///
/// # Errors
/// [`CeilingReached`], or the row can't be written.
pub fn reserve(tx: &Transaction<'_>, on: &Booking, amount: Micros, ceiling: Micros) -> Result<()> {
    let committed = committed(tx, on.run)?;
    match committed.checked_add(amount) {
        // What costs nothing passes no ceiling, even one that an agent's own report has passed.
        _ if amount == Micros::ZERO => insert(tx, on, "reserve", amount),
        Some(sum) if sum <= ceiling => insert(tx, on, "reserve", amount),
        _ => Err(CeilingReached { committed, amount, ceiling }.into()),
    }
}

/// Turns a reservation into a charge and releases the rest.
///
/// # Errors
/// The rows can't be written, or the step was settled before.
pub fn settle(tx: &Transaction<'_>, on: &Booking, charge: Micros) -> Result<()> {
    let reserved = Micros(sum(
        tx,
        "SELECT COALESCE(SUM(micros), 0) FROM ledger WHERE step = ?1 AND kind = 'reserve'",
        &on.step.to_string(),
    )?);
    insert(tx, on, "charge", charge)?;
    insert(tx, on, "release", reserved)
}

/// Settles every open step of a run that lost its runner: nobody knows what they cost, so their reservations are the charges.
///
/// # Errors
/// The rows can't be written.
pub fn cut_off(tx: &Transaction<'_>, open: &[(Step, Uuid)], on: &Booking) -> Result<()> {
    let priced = open.iter().filter_map(|(step, id)| Some((*id, step.reserved()?)));
    priced.into_iter().try_for_each(|(step, reserved)| settle(tx, &Booking { step, ..on.clone() }, reserved))
}

/// Charged plus still reserved, of one run.
///
/// # Errors
/// The rows can't be read.
pub fn committed(db: &Connection, run: RunId) -> Result<Micros> {
    const SUM: &str =
        "SELECT COALESCE(SUM(CASE kind WHEN 'release' THEN -micros ELSE micros END), 0) FROM ledger WHERE run = ?1";
    Ok(Micros(sum(db, SUM, &run.to_string())?))
}

fn sum(db: &Connection, sql: &str, key: &str) -> Result<u64> {
    let total: i64 = db.query_row(sql, [key], |r| r.get(0))?;
    Ok(u64::try_from(total)?)
}

fn insert(tx: &Transaction<'_>, on: &Booking, kind: &str, amount: Micros) -> Result<()> {
    tx.execute(
        "INSERT INTO ledger (run, loop, day, step, kind, micros, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            on.run.to_string(),
            on.loop_id.to_string(),
            on.day,
            on.step.to_string(),
            kind,
            i64::try_from(amount.0)?,
            on.at
        ],
    )?;
    Ok(())
}

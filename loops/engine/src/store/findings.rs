//! Findings of each loop, and what became of them.

use anyhow::{Context as _, Result};
use loopwright_core::finding::{FindingState, Fingerprint};
use loopwright_core::ids::LoopId;
use loopwright_core::known::Known;
use loopwright_core::progress::Round;
use loopwright_core::run::HandOver;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

const COLUMNS: &str = "SELECT body, state, rounds, hand_over FROM findings";

/// All findings of a loop, the oldest first.
///
/// # Errors
/// The rows can't be read.
pub fn of_loop(db: &Connection, loop_id: LoopId) -> Result<Vec<Known>> {
    let mut rows = db.prepare_cached(&format!("{COLUMNS} WHERE loop = ?1 ORDER BY first_seen, fingerprint"))?;
    let found = rows.query_map([loop_id.to_string()], row)?;
    found.collect::<Result<_, _>>().context("reading the findings")
}

/// One finding.
///
/// # Errors
/// The row can't be read.
pub fn one(db: &Connection, loop_id: LoopId, fingerprint: &Fingerprint) -> Result<Option<Known>> {
    db.query_row(
        &format!("{COLUMNS} WHERE loop = ?1 AND fingerprint = ?2"),
        params![loop_id.to_string(), fingerprint.0],
        row,
    )
    .optional()
    .context("reading a finding")
}

/// Stores a finding as seen, with the state and the rounds it has now.
///
/// # Errors
/// The row can't be written.
pub fn put(tx: &Transaction<'_>, loop_id: LoopId, known: &Known, at: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO findings (loop, fingerprint, body, state, rounds, hand_over, first_seen, last_seen) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) \
         ON CONFLICT (loop, fingerprint) DO UPDATE SET body = ?3, state = ?4, rounds = ?5, hand_over = ?6, last_seen = ?7",
        params![
            loop_id.to_string(),
            known.finding.fingerprint.0,
            serde_json::to_string(&known.finding)?,
            serde_json::to_string(&known.state)?,
            serde_json::to_string(&known.rounds)?,
            known.hand_over.as_ref().map(serde_json::to_string).transpose()?,
            at
        ],
    )
    .context("storing a finding")?;
    Ok(())
}

/// Moves a finding on.
///
/// # Errors
/// The row can't be written.
pub fn set_state(tx: &Transaction<'_>, loop_id: LoopId, fingerprint: &Fingerprint, state: &FindingState) -> Result<()> {
    tx.execute(
        "UPDATE findings SET state = ?3 WHERE loop = ?1 AND fingerprint = ?2",
        params![loop_id.to_string(), fingerprint.0, serde_json::to_string(state)?],
    )?;
    Ok(())
}

/// Opens again whatever a run of the loop was working on: a loop has one run at a time, and it has ended.
pub(super) fn reopen_acting(tx: &Transaction<'_>, loop_id: LoopId) -> Result<()> {
    let json = |state: &FindingState| serde_json::to_string(state);
    tx.execute(
        "UPDATE findings SET state = ?3 WHERE loop = ?1 AND state = ?2",
        params![loop_id.to_string(), json(&FindingState::Acting)?, json(&FindingState::Open)?],
    )?;
    Ok(())
}

pub(super) fn set_rounds(
    tx: &Transaction<'_>,
    loop_id: LoopId,
    fingerprint: &Fingerprint,
    rounds: &[Round],
) -> Result<()> {
    tx.execute(
        "UPDATE findings SET rounds = ?3 WHERE loop = ?1 AND fingerprint = ?2",
        params![loop_id.to_string(), fingerprint.0, serde_json::to_string(rounds)?],
    )?;
    Ok(())
}

pub(super) fn handed_over(
    tx: &Transaction<'_>,
    loop_id: LoopId,
    fingerprint: &Fingerprint,
    why: &HandOver,
) -> Result<()> {
    set_state(tx, loop_id, fingerprint, &FindingState::NeedsYou { why: why.text() })?;
    tx.execute(
        "UPDATE findings SET hand_over = ?3 WHERE loop = ?1 AND fingerprint = ?2",
        params![loop_id.to_string(), fingerprint.0, serde_json::to_string(why)?],
    )?;
    Ok(())
}

fn row(r: &Row<'_>) -> rusqlite::Result<Known> {
    Ok(Known {
        finding: super::json(r, 0)?,
        state: super::json(r, 1)?,
        rounds: super::json(r, 2)?,
        hand_over: super::json_or_none(r, 3)?,
    })
}

//! What happens to all loops together: the journal's stream `fleet`.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::drill::Drill;
use loopwright_core::fleet::{Entry, FleetEvent, STREAM};
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use super::journal;
use crate::steps::stamp;

/// Adds an event.
///
/// # Errors
/// The row can't be written.
pub fn record(tx: &Transaction<'_>, event: FleetEvent, at: DateTime<Utc>) -> Result<()> {
    let entry = serde_json::to_string(&Entry::new(stamp(at), event)).context("writing an event")?;
    journal::append(tx, STREAM, &entry).map(drop)
}

/// All of them, the oldest first; those of a newer program are left out.
///
/// # Errors
/// The rows can't be read.
pub fn all(db: &Connection) -> Result<Vec<Entry>> {
    let events = journal::after(db, STREAM, 0)?;
    Ok(events.iter().filter_map(|(_, body)| serde_json::from_str(body).ok()).collect())
}

/// The last drill of the kill switch, and when it was; none if there was none.
///
/// # Errors
/// The rows can't be read.
pub fn last_drill(db: &Connection) -> Result<Option<(DateTime<Utc>, Drill)>> {
    let sql =
        "SELECT body FROM events WHERE stream = ?1 AND body LIKE '%\"type\":\"drilled\"%' ORDER BY seq DESC LIMIT 1";
    let body: Option<String> =
        db.query_row(sql, [STREAM], |r| r.get(0)).optional().context("reading the last drill")?;
    let entry = body.and_then(|body| serde_json::from_str::<Entry>(&body).ok());
    Ok(entry.and_then(|entry| match entry.event {
        FleetEvent::Drilled(drill) => Some((entry.at.parse().ok()?, drill)),
        _ => None,
    }))
}

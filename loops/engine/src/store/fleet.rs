//! What happens to all loops together: the journal's stream `fleet`.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::fleet::{Entry, FleetEvent, STREAM};
use rusqlite::{Connection, Transaction};

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

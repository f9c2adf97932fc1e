//! Notifications that were told, or were to be: each has its row before it is sent.

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use loopwright_core::ids::NoticeId;
use loopwright_core::notice::{About, Button, Notice, Told, kind_of, word_of};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use crate::steps::stamp;

/// Rows are kept for so long.
const KEPT: Duration = Duration::days(90);

/// Where a notification is shown: a server, and its number there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The bus and the server's own name on it.
    pub server: String,
    /// The number that the server gave it.
    pub number: u32,
}

/// A notification that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// Its id.
    pub id: NoticeId,
    /// What its buttons act on.
    pub about: About,
    /// The keys that were drawn.
    pub buttons: Vec<Button>,
}

/// How a notification is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// A person clicked on it.
    Clicked,
    /// A person, or the server, took it away: that decides nothing.
    Dismissed,
    /// Its time on the screen was over.
    Expired,
    /// It was no longer so.
    Withdrawn,
    /// Another one stands in its place.
    Replaced,
    /// It was certainly not sent.
    Unsent,
    /// Nobody knows whether it was sent: it is not sent again.
    Unknown,
    /// Its server is gone.
    Gone,
    /// The person had what it tells of before their eyes.
    Seen,
}

impl Over {
    fn word(self) -> &'static str {
        match self {
            Over::Clicked => "clicked",
            Over::Dismissed => "dismissed",
            Over::Expired => "expired",
            Over::Withdrawn => "withdrawn",
            Over::Replaced => "replaced",
            Over::Unsent => "unsent",
            Over::Unknown => "unknown",
            Over::Gone => "gone",
            Over::Seen => "seen",
        }
    }
}

/// Writes down that one is about to be sent. What is older than anybody asks for goes.
///
/// # Errors
/// The row can't be written.
pub fn intend(
    tx: &Transaction<'_>,
    id: NoticeId,
    notice: &Notice,
    counts: Option<&[String]>,
    at: DateTime<Utc>,
) -> Result<()> {
    let keys: Vec<&str> = notice.buttons.iter().map(|button| button.key()).collect();
    let loops = counts.unwrap_or(&notice.about.loops);
    tx.execute(
        "INSERT INTO notices (id, kind, topics, loops, about, keys, counted, intent_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            id.to_string(),
            word_of(notice.kind),
            serde_json::to_string(&notice.topics)?,
            serde_json::to_string(loops)?,
            serde_json::to_string(&notice.about)?,
            serde_json::to_string(&keys)?,
            counts.is_some(),
            stamp(at),
        ],
    )
    .context("storing a notification")?;
    let old = "DELETE FROM notices WHERE intent_at < ?1 AND ended_at IS NOT NULL";
    tx.execute(old, [stamp(at - KEPT)]).context("forgetting old notifications")?;
    Ok(())
}

/// Writes down that one was sent, and where it is shown.
///
/// # Errors
/// The row can't be written.
pub fn sent(tx: &Transaction<'_>, id: NoticeId, place: &Place, at: DateTime<Utc>) -> Result<()> {
    let sql = "UPDATE notices SET server = ?2, number = ?3, sent_at = ?4 WHERE id = ?1";
    tx.execute(sql, params![id.to_string(), place.server, place.number, stamp(at)]).context("storing what was sent")?;
    Ok(())
}

/// Ends one that is not over; `false` if it is.
///
/// # Errors
/// The row can't be written.
pub fn end(tx: &Transaction<'_>, id: NoticeId, how: Over, at: DateTime<Utc>) -> Result<bool> {
    // What went by is still there in the history of some servers, and may be clicked.
    let sql = "UPDATE notices SET ended_at = ?2, ended = ?3 \
               WHERE id = ?1 AND (ended_at IS NULL OR (ended = 'expired' AND ?3 = 'clicked'))";
    let rows = tx.execute(sql, params![id.to_string(), stamp(at), how.word()]).context("ending a notification")?;
    Ok(rows == 1)
}

/// Ends what was to be sent by a process that is gone: nobody knows whether it was.
///
/// # Errors
/// The rows can't be written.
pub fn end_unknown(tx: &Transaction<'_>, at: DateTime<Utc>) -> Result<usize> {
    let sql = "UPDATE notices SET ended_at = ?1, ended = ?2 WHERE ended_at IS NULL AND sent_at IS NULL";
    tx.execute(sql, params![stamp(at), Over::Unknown.word()]).context("ending notifications of unknown outcome")
}

/// Ends what another server than this shows: that one is gone, and what it showed.
///
/// # Errors
/// The rows can't be written.
pub fn end_elsewhere(tx: &Transaction<'_>, server: Option<&str>, at: DateTime<Utc>) -> Result<usize> {
    let sql = "UPDATE notices SET ended_at = ?1, ended = ?2 \
               WHERE ended_at IS NULL AND server IS NOT NULL AND server IS NOT ?3";
    tx.execute(sql, params![stamp(at), Over::Gone.word(), server])
        .context("ending notifications of a server that is gone")
}

/// Whether [`end_elsewhere`] has nothing to do.
///
/// # Errors
/// The rows can't be read.
pub fn all_here(db: &Connection, server: Option<&str>) -> Result<bool> {
    let sql =
        "SELECT NOT EXISTS (SELECT 1 FROM notices WHERE ended_at IS NULL AND server IS NOT NULL AND server IS NOT ?1)";
    db.query_row(sql, [server], |r| r.get(0)).context("asking for notifications that are shown")
}

/// The one that is shown at a place, or whose time on the screen was over there.
///
/// # Errors
/// The row can't be read.
pub fn at_place(db: &Connection, place: &Place) -> Result<Option<Live>> {
    let sql = "SELECT id, about, keys FROM notices WHERE (ended_at IS NULL OR ended = 'expired') \
               AND server = ?1 AND number = ?2 \
               ORDER BY intent_at DESC LIMIT 1";
    let read = |r: &Row<'_>| {
        let keys: Vec<String> = super::json(r, 2)?;
        Ok(Live {
            id: super::parsed(r, 0)?,
            about: super::json(r, 1)?,
            buttons: keys.iter().filter_map(|key| Button::of_key(key)).collect(),
        })
    };
    db.query_row(sql, params![place.server, place.number], read).optional().context("reading a notification")
}

/// Where one is shown.
///
/// # Errors
/// The row can't be read.
pub fn place(db: &Connection, id: NoticeId) -> Result<Option<Place>> {
    let sql = "SELECT server, number FROM notices WHERE id = ?1 AND server IS NOT NULL AND ended_at IS NULL";
    let read = |r: &Row<'_>| Ok(Place { server: r.get(0)?, number: r.get(1)? });
    db.query_row(sql, [id.to_string()], read).optional().context("reading where a notification is")
}

/// What was told, the oldest first; what was certainly not sent was not told.
///
/// # Errors
/// The rows can't be read.
pub fn told(db: &Connection) -> Result<Vec<Told>> {
    let sql = "SELECT id, kind, topics, loops, keys, intent_at, ended_at IS NULL, counted FROM notices \
               WHERE ended IS NOT 'unsent' ORDER BY intent_at, id";
    let mut rows = db.prepare_cached(sql)?;
    let found = rows.query_map([], |r| {
        let (word, keys): (String, Vec<String>) = (r.get(1)?, super::json(r, 4)?);
        // One of a newer program is none of ours.
        let Some(kind) = kind_of(&word) else { return Ok(None) };
        Ok(Some(Told {
            id: super::parsed(r, 0)?,
            kind,
            topics: super::json(r, 2)?,
            loops: super::json(r, 3)?,
            buttons: keys.iter().filter_map(|key| Button::of_key(key)).collect(),
            at: super::parsed(r, 5)?,
            live: r.get(6)?,
            counted: r.get(7)?,
        }))
    })?;
    found.filter_map(Result::transpose).collect::<Result<_, _>>().context("reading what was told")
}

/// How many were not told, or not known to be, since a moment: for whoever shows that notifications don't get through.
///
/// # Errors
/// The rows can't be read.
pub fn unknown_since(db: &Connection, since: DateTime<Utc>) -> Result<u32> {
    let sql = "SELECT COUNT(*) FROM notices WHERE ended = 'unknown' AND intent_at >= ?1";
    db.query_row(sql, [stamp(since)], |r| r.get(0)).context("counting notifications of unknown outcome")
}

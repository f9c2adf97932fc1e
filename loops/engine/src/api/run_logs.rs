//! What agents, gates and steps of a run wrote: listed, read a page at a time, searched as a whole. It is untrusted text.
//!
//! A run's folder is read without following links: whatever stands in the place of a log is none.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use loopwright_core::exit;
use loopwright_core::ids::RunId;
use serde::{Deserialize, Serialize};

use super::{ApiError, Context, runs};
use crate::os;

/// As many bytes as a page has.
const PAGE: u64 = 64 << 10;
/// So much of a file is searched at once.
const SPAN: usize = 1 << 20;
/// As many bytes as a person may look for.
const LONGEST: usize = 1000;

/// A file that agents, gates or steps wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LogFile {
    /// Its name below the run's folder: `maker-…/stdout`.
    pub name: String,
    /// How large it is.
    pub bytes: u64,
}

/// Where a page of a log lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LogPlace {
    /// It begins at this byte.
    From(u64),
    /// It ends at this byte.
    Before(u64),
    /// It is the last one.
    End,
}

/// A page of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LogPage {
    /// The byte that it begins at.
    pub from: u64,
    /// The byte behind its last.
    pub to: u64,
    /// How large the file is.
    pub size: u64,
    /// Its text, as it was written; bytes that are none are replaced.
    pub text: String,
}

/// Where a text stands in a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct LogFound {
    /// How often it is there.
    pub total: u64,
    /// Which one this is, from 1; 0 = there is none.
    pub nth: u64,
    /// The byte that it begins at.
    pub at: u64,
}

/// A page of a log of a run.
///
/// # Errors
/// There is no such run or log, or it can't be read.
pub fn log_page(context: &Context, run: &str, file: &str, place: LogPlace) -> Result<LogPage, ApiError> {
    let mut log = open(context, run, file)?;
    page(&mut log, place).map_err(|error| unreadable(file, &error))
}

/// Looks through a whole log for a text, no matter whether in capitals: the first one at or behind byte `from`, or the last
/// one before it where `back` is set; round the end where there is none.
///
/// # Errors
/// There is no such run or log, or it can't be read.
pub fn log_find(
    context: &Context,
    run: &str,
    file: &str,
    text: &str,
    from: u64,
    back: bool,
) -> Result<LogFound, ApiError> {
    let mut log = open(context, run, file)?;
    let text: String = text.chars().take(LONGEST).collect();
    let found = matches(&mut log, text.as_bytes()).map_err(|error| unreadable(file, &error))?;
    let first_behind = found.partition_point(|at| *at < from);
    let chosen = match (back, found.len()) {
        (_, 0) => return Ok(LogFound { total: 0, nth: 0, at: 0 }),
        (true, many) => first_behind.checked_sub(1).unwrap_or(many - 1),
        (false, many) => first_behind % many,
    };
    Ok(LogFound { total: found.len() as u64, nth: chosen as u64 + 1, at: found[chosen] })
}

/// The logs in a run's folder.
pub(super) fn files(dir: &Path) -> Vec<LogFile> {
    let listed = runs::logs_in(dir).into_iter();
    listed.filter_map(|(name, path)| Some(LogFile { name, bytes: path.symlink_metadata().ok()?.len() })).collect()
}

/// The log in a run's folder that was written to last, and when. What the runner says of itself is none.
pub(super) fn newest(dir: &Path) -> Option<(SystemTime, PathBuf)> {
    let raw = runs::logs_in(dir).into_iter().filter(|(name, _)| name.contains('/') || name.ends_with(".log"));
    let written = raw.filter_map(|(_, path)| {
        let seen = path.symlink_metadata().ok().filter(|seen| seen.len() > 0)?;
        Some((seen.modified().ok()?, path))
    });
    written.max()
}

fn open(context: &Context, run: &str, file: &str) -> Result<File, ApiError> {
    let id: RunId = runs::find(&context.store()?, run)?;
    let dir = context.home.run(id);
    let listed = runs::logs_in(&dir).into_iter().find(|(name, _)| name == file);
    let (_, path) = listed.ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("run {} has no log {file}", id.short()))
            .hint("it may have been cleared away; the run's story is kept")
    })?;
    beneath(&dir, &path).map_err(|error| unreadable(file, &error))
}

/// Opens a plain file below a folder; a link on the way there leads nowhere.
fn beneath(dir: &Path, path: &Path) -> io::Result<File> {
    let inside = path.strip_prefix(dir).map_err(io::Error::other)?;
    let file = os::open_beneath(dir, inside)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no plain file")) }
}

fn unreadable(file: &str, error: &io::Error) -> ApiError {
    let message = format!("the log {file} can't be read: {error}");
    ApiError::new(exit::FAILED, message).hint("nothing of the run is lost; its story is in the database")
}

fn page(log: &mut File, place: LogPlace) -> io::Result<LogPage> {
    let size = log.metadata()?.len();
    let (from, to) = match place {
        LogPlace::From(from) if from <= size => (from, size.min(from.saturating_add(PAGE))),
        // It was begun anew since.
        LogPlace::From(_) | LogPlace::End => (size.saturating_sub(PAGE), size),
        LogPlace::Before(to) => (to.min(size).saturating_sub(PAGE), to.min(size)),
    };
    let mut bytes = Vec::new();
    log.seek(SeekFrom::Start(from))?;
    log.take(to - from).read_to_end(&mut bytes)?;
    let to = from + bytes.len() as u64;
    let newline = |byte: &u8| *byte == b'\n';
    let (first, last) = match place {
        // Whole lines, except where one is longer than a page.
        LogPlace::From(_) if to < size => {
            (0, bytes.iter().rposition(newline).map_or_else(|| whole_characters(&bytes), |at| at + 1))
        }
        LogPlace::From(_) => (0, whole_characters(&bytes)),
        LogPlace::Before(_) | LogPlace::End if from > 0 => {
            let first = bytes.iter().position(newline).map_or(0, |at| at + 1);
            (if first < bytes.len() { first } else { 0 }, bytes.len())
        }
        LogPlace::Before(_) | LogPlace::End => (0, bytes.len()),
    };
    let text = String::from_utf8_lossy(&bytes[first..last]).into_owned();
    Ok(LogPage { from: from + first as u64, to: from + last as u64, size, text })
}

/// How many bytes there are before a character that is cut off at the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(4).position(|byte| byte & 0b1100_0000 != 0b1000_0000);
    let Some(after) = last else { return bytes.len() };
    let begin = bytes.len() - 1 - after;
    let wants = match bytes[begin] {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    if after + 1 < wants { begin } else { bytes.len() }
}

/// Where a text begins in a file, each place behind the end of the one before.
fn matches(log: &mut File, text: &[u8]) -> io::Result<Vec<u64>> {
    let mut found = Vec::new();
    if text.is_empty() {
        return Ok(found);
    }
    let wanted = text.to_ascii_lowercase();
    let (mut held, mut base, mut buffer) = (Vec::new(), 0u64, vec![0; SPAN]);
    log.seek(SeekFrom::Start(0))?;
    loop {
        let read = log.read(&mut buffer)?;
        if read == 0 {
            return Ok(found);
        }
        held.extend(buffer[..read].iter().map(u8::to_ascii_lowercase));
        let mut at = 0;
        while let Some(next) = held[at..].windows(wanted.len()).position(|window| window == wanted) {
            found.push(base + (at + next) as u64);
            at += next + wanted.len();
        }
        // What may begin at the end of this span ends in the next one.
        let keep = (held.len() - at).min(wanted.len() - 1);
        base += (held.len() - keep) as u64;
        held.drain(..held.len() - keep);
    }
}

#[cfg(test)]
mod tests;

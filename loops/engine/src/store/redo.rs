//! The redo log: the rows of every commit once more, beside the database, so that a backup and the log together are all there was.
//!
//! It is written before the commit and not synced: after a power cut its end may be missing, while the database has it all.
//! A line is a hash, the record as JSON, and its number; a line that is not whole is left out. A line after a gap ends in 0
//! instead: whoever writes next sees that nothing follows on it until a backup begins another log.

use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rusqlite::types::Value;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::seal::Change;
use crate::os;

/// Digits of a line's hash.
const HASH: usize = 32;

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Its number.
    pub n: i64,
    /// The content after it: the seal's word.
    pub state: String,
    /// Whether a row came or went, its table, its columns.
    pub rows: Vec<(bool, String, Vec<serde_json::Value>)>,
}

impl Record {
    /// What a transaction is about to commit.
    ///
    /// # Errors
    /// A column is neither text nor a whole number nor nothing.
    pub(super) fn of(n: i64, state: String, changes: Vec<Change>) -> Result<Record> {
        let row = |c: Change| Ok((c.came, c.table, c.row.into_iter().map(cell).collect::<Result<_>>()?));
        Ok(Record { n, state, rows: changes.into_iter().map(row).collect::<Result<_>>()? })
    }
}

fn cell(value: Value) -> Result<serde_json::Value> {
    Ok(match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(n) => n.into(),
        Value::Text(text) => text.into(),
        Value::Real(_) | Value::Blob(_) => bail!("the store keeps text and whole numbers alone"),
    })
}

/// Adds a record to the log number `segment`; `follows` if the commit before it is in the log or in a backup.
///
/// # Errors
/// It can't be written; the commit must not follow then.
pub(super) fn append(folder: &Path, segment: i64, record: &Record, follows: bool) -> Result<()> {
    let path = file(folder, segment);
    let json = serde_json::to_string(record).context("writing a record")?;
    // The empty line before it ends whatever an earlier writer left half written.
    let line = format!("\n{} {json} {}\n", hash(&json), if follows { record.n } else { 0 });
    os::append_private(&path)
        .and_then(|mut f| f.write_all(line.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))
}

/// All records of all logs in the order of their writing; a later record replaces those from its number on.
///
/// # Errors
/// The folder can't be read; what is illegible in a log is left out.
pub(super) fn read(folder: &Path) -> Result<Vec<Record>> {
    let mut records: Vec<Record> = Vec::new();
    for (_, path) in files(folder)? {
        let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
        for record in bytes.split(|b| *b == b'\n').filter_map(parse) {
            while records.last().is_some_and(|last| last.n >= record.n) {
                records.pop();
            }
            records.push(record);
        }
    }
    Ok(records)
}

fn parse(line: &[u8]) -> Option<Record> {
    let text = std::str::from_utf8(line).ok()?;
    let (told, rest) = text.split_once(' ')?;
    let (json, _) = rest.rsplit_once(' ')?;
    (told == hash(json)).then(|| serde_json::from_str(json).ok())?
}

fn hash(json: &str) -> String {
    let mut hex = loopwright_core::hex(&Sha256::digest(json));
    hex.truncate(HASH);
    hex
}

/// The number at the end of the log number `segment`; none if it has no whole line there.
pub(super) fn last(folder: &Path, segment: i64) -> Option<i64> {
    let mut file = fs::File::open(file(folder, segment)).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(24))).ok()?;
    let mut end = Vec::new();
    file.read_to_end(&mut end).ok()?;
    std::str::from_utf8(end.strip_suffix(b"\n")?).ok()?.rsplit(' ').next()?.parse().ok()
}

/// The logs by their numbers.
///
/// # Errors
/// The folder can't be read.
pub(super) fn files(folder: &Path) -> Result<Vec<(i64, PathBuf)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let numbered = entries.flatten().filter_map(|entry| {
        let number = entry.file_name().to_str()?.strip_suffix(".redo")?.parse().ok()?;
        Some((number, entry.path()))
    });
    let mut found: Vec<_> = numbered.collect();
    found.sort();
    Ok(found)
}

fn file(folder: &Path, segment: i64) -> PathBuf {
    folder.join(format!("{segment:06}.redo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: i64, word: &str) -> Record {
        Record { n, state: "s".to_owned(), rows: vec![(true, "t".to_owned(), vec![word.into(), n.into()])] }
    }

    #[test]
    fn a_later_record_replaces_what_was_not_committed() {
        let folder = tempfile::tempdir().expect("a folder");
        for (segment, n, word) in [(1, 1, "a"), (1, 2, "b"), (1, 3, "lost"), (2, 3, "c"), (2, 4, "d")] {
            append(folder.path(), segment, &record(n, word), true).expect("written");
        }
        let words = [record(1, "a"), record(2, "b"), record(3, "c"), record(4, "d")];
        assert_eq!(read(folder.path()).expect("read"), words);
        assert_eq!((last(folder.path(), 1), last(folder.path(), 2), last(folder.path(), 3)), (Some(3), Some(4), None));
    }

    #[test]
    fn what_is_not_whole_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        append(folder.path(), 1, &record(1, "a\nb"), true).expect("written");
        append(folder.path(), 1, &record(2, "b"), true).expect("written");
        let path = file(folder.path(), 1);
        let whole = fs::read(&path).expect("read");
        fs::write(&path, &whole[..whole.len() - 3]).expect("cut");
        assert_eq!(read(folder.path()).expect("read"), [record(1, "a\nb")]);
        assert_eq!(last(folder.path(), 1), None);
        append(folder.path(), 1, &record(2, "again"), true).expect("written");
        assert_eq!(read(folder.path()).expect("read"), [record(1, "a\nb"), record(2, "again")]);
        let turned: Vec<u8> = whole.iter().map(|b| if *b == b'b' { b'c' } else { *b }).collect();
        fs::write(&path, turned).expect("turned");
        assert!(read(folder.path()).expect("read").is_empty());
    }
}

//! What a step says, in a file that keeps the newest: whoever says too much loses the oldest, and goes on.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use loopwright_core::check::text;
use loopwright_core::triage::plain;

/// As large as a part becomes; there are two at most.
const PART: u64 = 8 << 20;
/// So much of the end is looked at for the last line.
const END: u64 = 8 << 10;
/// As long as a last line becomes, in characters.
const LONGEST: usize = 200;

/// Both streams of a box, in the order in which they came.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: File,
    written: u64,
}

impl Log {
    /// Begins a new file.
    ///
    /// # Errors
    /// It exists, or can't be made.
    pub(super) fn new(path: &Path) -> Result<Log> {
        let file = File::create_new(path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Log { path: path.to_owned(), file, written: 0 })
    }

    /// Writes on; a part that is full takes the place of the one before.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let room = usize::try_from(PART - self.written).unwrap_or(usize::MAX).min(bytes.len());
            self.file.write_all(&bytes[..room]).with_context(|| format!("writing {}", self.path.display()))?;
            self.written += room as u64;
            bytes = &bytes[room..];
            if self.written == PART {
                self.turn()?;
            }
        }
        Ok(())
    }

    fn turn(&mut self) -> Result<()> {
        fs::rename(&self.path, before(&self.path)).with_context(|| format!("moving {}", self.path.display()))?;
        *self = Log::new(&self.path)?;
        Ok(())
    }
}

/// Where the part before the last one lies.
fn before(path: &Path) -> PathBuf {
    path.with_extension("before.log")
}

/// The last line that is not empty, as plain text; untrusted.
pub fn last_line(path: &Path) -> Option<String> {
    let last = |path: &Path| {
        let mut file = File::open(path).ok()?;
        let length = file.metadata().ok()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(END))).ok()?;
        let mut end = Vec::new();
        file.read_to_end(&mut end).ok()?;
        let said = text::clean(&end);
        said.lines().map(|line| plain(line, LONGEST)).rfind(|line| !line.trim().is_empty())
    };
    last(path).or_else(|| last(&before(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_kept_in_two_parts() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("flood-1.log");
        let mut log = Log::new(&path).expect("begun");
        for number in 0..40_000 {
            log.write(format!("{number:0>999}\n").as_bytes()).expect("written");
        }
        let size = |path: &Path| fs::metadata(path).expect("a part").len();
        assert_eq!(size(&before(&path)), PART);
        assert!(size(&path) < PART, "40 MB were said, {} bytes are kept", PART + size(&path));
        assert_eq!(fs::read_dir(folder.path()).expect("parts").count(), 2);
        assert!(last_line(&path).is_some_and(|line| line.starts_with("000")), "its beginning");
    }

    #[test]
    fn the_last_line_is_plain_and_short() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a-1.log");
        for (said, last) in [
            ("one\ntwo\n\n  \n", Some("two")),
            ("one\n\x1b[31mred\x1b[0m\u{202e}\n", Some("red")),
            ("\n", None),
            ("", None),
        ] {
            fs::write(&path, said).expect("written");
            assert_eq!(last_line(&path).as_deref(), last, "{said:?}");
        }
        fs::write(&path, "x".repeat(5000)).expect("written");
        assert_eq!(last_line(&path).map(|line| line.chars().count()), Some(LONGEST));
        fs::write(&path, "").expect("written");
        fs::write(before(&path), "from before\n").expect("written");
        assert_eq!(last_line(&path).as_deref(), Some("from before"), "its part has just begun");
    }
}

//! Writing it, which only happens where there are boxes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::before;

/// As large as a part becomes; there are two at most.
pub(super) const PART: u64 = 8 << 20;

/// Both streams of a box, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    file: File,
    written: u64,
}

impl Log {
    /// Begins a new file.
    ///
    /// # Errors
    /// It exists, or can't be made.
    pub(crate) fn new(path: &Path) -> Result<Log> {
        let file = File::create_new(path).with_context(|| format!("creating {}", path.display()))?;
        Ok(Log { path: path.to_owned(), file, written: 0 })
    }

    /// Writes on; a part that is full takes the place of the one before.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
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

//! One process of a kind: the tray, or a window of one view. A lock says that there is one, and a file beside it is how a
//! later one asks it for something.
//!
//! A lock of our own, not a name on the session bus: it holds where there is no bus, is one per home of Loopwright, and
//! goes with its process, however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result};
use loopwright_engine::home::{Home, private_dir, replace};

/// By how much the time of a file may be behind the clock.
const COARSE: Duration = Duration::from_millis(50);

/// That this process is the only one of its kind.
pub(crate) struct Instance {
    ask: PathBuf,
    // Held as long as the process lives.
    _lock: File,
}

impl Instance {
    /// Becomes the one of this name; none if there is one.
    ///
    /// # Errors
    /// The lock can't be made.
    pub(crate) fn take(home: &Home, name: &str) -> Result<Option<Instance>> {
        let folder = folder(home);
        private_dir(&folder)?;
        let path = folder.join(format!("{name}.lock"));
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let lock = lock.with_context(|| format!("opening {}", path.display()))?;
        let before = SystemTime::now().checked_sub(COARSE);
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("locking {}", path.display()));
            }
        }
        let instance = Instance { ask: ask_path(home, name), _lock: lock };
        // What an earlier one was asked for is over; somebody may ask this one already.
        let written = fs::metadata(&instance.ask).and_then(|found| found.modified());
        if written.is_ok_and(|written| before.is_some_and(|before| written < before)) {
            instance.asked();
        }
        Ok(Some(instance))
    }

    /// Where it is asked.
    pub(crate) fn ask_path(&self) -> &Path {
        &self.ask
    }

    /// What it was asked for since it looked last.
    pub(crate) fn asked(&self) -> Option<String> {
        let asked = fs::read_to_string(&self.ask).ok()?;
        fs::remove_file(&self.ask).ok()?;
        Some(asked)
    }
}

/// Asks the one of this name for something.
///
/// # Errors
/// It can't be written.
pub(crate) fn ask(home: &Home, name: &str, what: &str) -> Result<()> {
    private_dir(&folder(home))?;
    replace(&ask_path(home, name), what.as_bytes())
}

/// Where locks and questions lie.
pub(crate) fn folder(home: &Home) -> PathBuf {
    home.state.join("desk")
}

fn ask_path(home: &Home, name: &str) -> PathBuf {
    folder(home).join(format!("{name}.ask"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_of_a_kind_and_it_hears_what_it_is_asked() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::under(folder.path());
        let first = Instance::take(&home, "review").expect("a lock").expect("the first");
        assert!(Instance::take(&home, "review").expect("a lock").is_none());
        assert!(Instance::take(&home, "runs").expect("a lock").is_some(), "another kind is free: the control");
        ask(&home, "review", "6fba7c4b").expect("asked");
        assert_eq!(first.asked(), Some("6fba7c4b".to_owned()));
        assert_eq!(first.asked(), None);
        drop(first);
        assert!(Instance::take(&home, "review").expect("a lock").is_some());
    }
}

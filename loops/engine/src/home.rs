//! Where Loopwright keeps things; `LOOPWRIGHT_HOME` replaces all of them at once.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::ids::{LoopId, RunId};
use loopwright_core::lease::HaltNote;

use crate::halt;
use crate::os;

/// The four places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Loops and settings of the person.
    pub config: PathBuf,
    /// Database, repositories, workspaces, runs.
    pub data: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
    /// HALT, ARMED, logs.
    pub state: PathBuf,
}

impl Home {
    /// The places of this person; `root` (`LOOPWRIGHT_HOME`) replaces them all.
    ///
    /// # Errors
    /// No home folder is known.
    pub fn of(root: Option<&Path>) -> Result<Home> {
        if let Some(root) = root.filter(|r| !r.as_os_str().is_empty()) {
            return Ok(Home::under(root));
        }
        use etcetera::BaseStrategy as _;
        let base = etcetera::choose_base_strategy().context("finding the home folder (set LOOPWRIGHT_HOME instead)")?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir().join("state"));
        Ok(Home {
            config: base.config_dir().join("loopwright"),
            data: base.data_dir().join("loopwright"),
            cache: base.cache_dir().join("loopwright"),
            state: state.join("loopwright"),
        })
    }

    /// All four below one folder.
    pub fn under(root: &Path) -> Home {
        let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let at = |name: &str| absolute.join(name);
        Home { config: at("config"), data: at("data"), cache: at("cache"), state: at("state") }
    }

    /// Makes the folders; only their owner may enter them. A new data folder is armed.
    ///
    /// # Errors
    /// A folder can't be made.
    pub fn create(&self, now: DateTime<Utc>) -> Result<()> {
        // A database that is lost, while its backups are there, is no new folder.
        let new = !self.database().exists() && !self.backups().exists();
        for dir in [&self.config, &self.cache, &self.state, &self.state.join("halt"), &self.state.join("log")] {
            private_dir(dir)?;
        }
        for dir in ["repos", "ws", "runs", "loops", "trash"] {
            private_dir(&self.data.join(dir))?;
        }
        if new {
            let note = HaltNote { at: now, by: "loopwright".to_owned(), reason: "a new data folder".to_owned() };
            halt::arm(&self.state, &note)?;
        }
        Ok(())
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("loopwright.db")
    }

    /// Backups of the database, and the redo logs that lead on from them.
    pub fn backups(&self) -> PathBuf {
        self.data.join("backups")
    }

    /// Written after each commit with the number of commits, for whoever waits for news.
    pub fn changed(&self) -> PathBuf {
        self.data.join("changed")
    }

    /// The state folder of a loop: what `state/` means in its file.
    pub fn loop_state(&self, id: LoopId) -> PathBuf {
        self.data.join("loops").join(id.to_string()).join("state")
    }

    /// Where the directories of all runs are.
    pub fn runs(&self) -> PathBuf {
        self.data.join("runs")
    }

    /// The directory of a run.
    pub fn run(&self, id: RunId) -> PathBuf {
        self.runs().join(id.to_string())
    }

    /// Where the workspaces of all runs are, a folder each.
    pub fn workspaces(&self) -> PathBuf {
        self.data.join("ws")
    }

    /// Where the workspaces of one run are made.
    pub fn workspaces_of(&self, id: RunId) -> PathBuf {
        self.workspaces().join(id.to_string())
    }

    /// The folder whose disk has no room left, if one has none: of programs in a box an error does not always say so.
    pub fn full(&self) -> Option<PathBuf> {
        [self.workspaces(), self.runs(), self.data.clone(), self.cache.clone()].into_iter().find(|f| is_full(f))
    }

    /// The folder whose disk has too little room to go on with a run, if one has: more than [`Home::full`] asks for, so
    /// that what had to wait does not begin only to stop again.
    pub fn tight(&self) -> Option<PathBuf> {
        [self.workspaces(), self.runs(), self.data.clone(), self.cache.clone()]
            .into_iter()
            .find(|f| os::room(f) < GO_ON)
    }

    /// Where removed workspaces wait for their deletion.
    pub fn trash(&self) -> PathBuf {
        self.data.join("trash")
    }
}

/// Makes a folder (and those above) that only its owner may enter.
///
/// # Errors
/// It can't be made.
pub fn private_dir(dir: &Path) -> Result<()> {
    os::make_private(dir).with_context(|| format!("making the folder {}", dir.display()))
}

/// Room that a run needs to go on, in bytes.
const GO_ON: u64 = 16 << 20;

/// Whether less than a mebibyte is left on the disk of a folder.
pub fn is_full(folder: &Path) -> bool {
    os::room(folder) < 1 << 20
}

/// Removes a folder with all that is in it, if there is one; no link is followed.
///
/// # Errors
/// It can't be removed.
pub fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// Writes a file by a rename, so that nobody ever reads half of it.
///
/// # Errors
/// It can't be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let next = path.with_extension("next");
    // Whatever stands there may be a link that a step has made.
    let _ = fs::remove_file(&next);
    let written = File::create_new(&next).and_then(|mut file| file.write_all(bytes));
    written.with_context(|| format!("writing {}", next.display()))?;
    fs::rename(&next, path).with_context(|| format!("replacing {}", path.display()))
}

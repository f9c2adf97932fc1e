//! Where Loopwright keeps things; `LOOPWRIGHT_HOME` replaces all of them at once.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use loopwright_core::ids::{LoopId, RepoId, RunId};

use crate::host::HostEnvironment;

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
    /// The places of this person.
    ///
    /// # Errors
    /// No home folder is known and `LOOPWRIGHT_HOME` isn't set.
    pub fn of(host: &HostEnvironment) -> Result<Home> {
        if let Some(root) = host.var("LOOPWRIGHT_HOME").filter(|r| !r.is_empty()) {
            return Ok(Home::under(Path::new(root)));
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

    /// Makes the folders; the data folder is for its owner alone. Arms a data folder that is new.
    ///
    /// # Errors
    /// A folder can't be made.
    pub fn create(&self) -> Result<()> {
        for dir in [&self.config, &self.cache, &self.state, &self.state.join("halt"), &self.state.join("log")] {
            private_dir(dir)?;
        }
        for dir in ["repos", "ws", "runs", "loops", "trash"] {
            private_dir(&self.data.join(dir))?;
        }
        Ok(())
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.data.join("loopwright.db")
    }

    /// Touched after each commit, for whoever waits for news.
    pub fn changed(&self) -> PathBuf {
        self.data.join("changed")
    }

    /// The state folder of a loop: what `state/` means in its file.
    pub fn loop_state(&self, id: LoopId) -> PathBuf {
        self.data.join("loops").join(id.to_string()).join("state")
    }

    /// The bare repositories kept of one repository.
    pub fn repo(&self, id: RepoId) -> PathBuf {
        self.data.join("repos").join(id.to_string())
    }

    /// The directory of a run.
    pub fn run(&self, id: RunId) -> PathBuf {
        self.data.join("runs").join(id.to_string())
    }

    /// Where workspaces are made.
    pub fn workspaces(&self) -> PathBuf {
        self.data.join("ws")
    }

    /// The file whose presence halts everything.
    pub fn halt_all(&self) -> PathBuf {
        self.state.join("HALT")
    }

    /// The file whose presence halts one loop.
    pub fn halt_loop(&self, id: LoopId) -> PathBuf {
        self.state.join("halt").join(id.to_string())
    }

    /// The file whose presence halts one run.
    pub fn halt_run(&self, id: RunId) -> PathBuf {
        self.run(id).join("HALT")
    }

    /// The file whose absence halts everything.
    pub fn armed(&self) -> PathBuf {
        self.state.join("ARMED")
    }
}

/// Makes a folder (and those above) that only its owner may enter.
///
/// # Errors
/// It can't be made.
pub fn private_dir(dir: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("making the folder {}", dir.display()))
}

/// Writes a file by a rename, so that nobody ever reads half of it.
///
/// # Errors
/// It can't be written.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let next = path.with_extension("next");
    fs::write(&next, bytes).with_context(|| format!("writing {}", next.display()))?;
    fs::rename(&next, path).with_context(|| format!("replacing {}", path.display()))
}

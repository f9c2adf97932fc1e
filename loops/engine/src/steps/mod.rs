//! The steps of a run, a file each: what each does, never when.

pub mod build;
pub mod checkout;
pub mod chores;
pub mod discover;
pub mod prepare;
pub mod revise;
pub mod scan;
pub mod ship;
pub mod sources;
pub mod triage;
pub mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use chrono::{DateTime, SecondsFormat, Utc};
use loopwright_core::definition::RunStep;
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::RunId;
use loopwright_core::known::Known;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use self::chores::{Attempt, Site};
use crate::agent::Agent;
use crate::cores::Cores;
use crate::home::Home;
use crate::lease::Supervision;
use crate::resolve::{Code, Resolved};
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::sandbox::grants::Keeper;
use crate::sandbox::{Limits, Mount};
use crate::store::loops::LoopRow;
use crate::store::{Store, findings};
use crate::workspace::{Origin, Workspace, Workspaces};

/// Everything that the steps of one run share.
pub struct Work {
    /// The run.
    pub run: RunId,
    /// Where things are kept.
    pub home: Home,
    /// The loop.
    pub row: LoopRow,
    /// The loop as it stands on the base commit.
    pub resolved: Arc<Resolved>,
    /// Who makes.
    pub maker: Arc<dyn Agent>,
    /// Who checks; none = gates alone.
    pub checker: Option<Arc<dyn Agent>>,
    /// Where everything runs.
    pub sandbox: Bubblewrap,
    /// The run's hold on its directory.
    pub supervision: Arc<Supervision>,
    /// The store.
    pub store: Store,
    /// What `setup` left and what run steps share, read-only.
    pub prepared: Vec<Mount>,
    /// What the checks said of the base commit.
    pub base_reports: Arc<Vec<loopwright_core::check::CheckReport>>,
    /// Turns at the processors, for everything that computes rather than waits.
    pub cores: Arc<Cores>,
    /// The folder of the loop, as boxes see it.
    pub folder: PathBuf,
    /// The person's home folder.
    pub person: Option<PathBuf>,
    /// The time, wherever it is needed.
    pub now: fn() -> DateTime<Utc>,
}

impl Work {
    /// The same work for a step that runs beside others, with a store of its own.
    ///
    /// # Errors
    /// The store can't be opened.
    pub fn beside(&self) -> Result<Work> {
        Ok(Work {
            run: self.run,
            home: self.home.clone(),
            row: self.row.clone(),
            resolved: Arc::clone(&self.resolved),
            maker: Arc::clone(&self.maker),
            checker: self.checker.clone(),
            sandbox: self.sandbox.clone(),
            supervision: Arc::clone(&self.supervision),
            store: Store::open(&self.home)?,
            prepared: self.prepared.clone(),
            base_reports: Arc::clone(&self.base_reports),
            cores: Arc::clone(&self.cores),
            folder: self.folder.clone(),
            person: self.person.clone(),
            now: self.now,
        })
    }

    /// The code that the loop works on.
    ///
    /// # Errors
    /// It has nothing but chores.
    pub fn code(&self) -> Result<&Code> {
        self.resolved.code()
    }

    /// The workspaces of the repository.
    ///
    /// # Errors
    /// It has none.
    pub fn workspaces(&self) -> Result<Workspaces<'_>> {
        Ok(Workspaces {
            sandbox: &self.sandbox,
            repos: &self.code()?.repos,
            root: self.home.workspaces_of(self.run),
            trash: self.home.trash(),
        })
    }

    /// The state folder of the loop.
    pub fn state(&self) -> PathBuf {
        self.home.loop_state(self.row.id)
    }

    /// One try of a step of this loop.
    ///
    /// # Errors
    /// What it is granted can't be granted.
    pub fn attempt(&self, step: &RunStep) -> Result<Attempt> {
        let keeper = Keeper { home: &self.home, person: self.person.as_deref(), repo: self.resolved.root() };
        let (state, env) = (self.state(), &self.resolved.definition.env);
        let (run_dir, folder) = (self.run_dir(), self.folder.as_path());
        Attempt::new(step, &Site { run: self.run, run_dir, folder, state: &state, env, keeper }, &self.sandbox)
    }

    /// A checkout of the base commit for one try of a step; none for a loop that works on no code.
    ///
    /// # Errors
    /// It can't be made.
    pub fn checkout(&self, id: Uuid) -> Result<Option<Workspace>> {
        let Some(code) = &self.resolved.code else { return Ok(None) };
        self.workspaces()?.create(&format!("run-{}", id.simple()), code.base.commit, Origin::Base).map(Some)
    }

    /// The time as it is stored.
    pub fn stamp(&self) -> String {
        stamp((self.now)())
    }

    /// The directory of the run.
    pub fn run_dir(&self) -> &Path {
        self.supervision.dir()
    }

    /// The finding as it is stored.
    ///
    /// # Errors
    /// It isn't, or can't be read.
    pub fn known(&self, finding: &Fingerprint) -> Result<Known> {
        findings::one(self.store.read(), self.row.id, finding)?.with_context(|| format!("finding {finding} is unknown"))
    }

    /// Keeps an output as evidence; returns its SHA-256.
    ///
    /// # Errors
    /// It can't be written.
    pub fn keep_evidence(&self, bytes: &[u8]) -> Result<String> {
        let hash = loopwright_core::hex(&Sha256::digest(bytes));
        let path = self.run_dir().join(loopwright_core::lease::EVIDENCE).join(&hash);
        std::fs::write(&path, bytes).with_context(|| format!("keeping {}", path.display()))?;
        Ok(hash)
    }

    /// A folder below the run directory for raw streams.
    pub fn raw(&self, name: &str) -> PathBuf {
        self.run_dir().join(loopwright_core::lease::RAW).join(name)
    }

    /// How long a check may take and how much it may say.
    pub fn check_limits(&self) -> Limits {
        let left = Duration::from_secs(self.resolved.definition.rails.max_duration_s);
        Limits { wall: left.min(Duration::from_secs(1800)), idle: None, output: 64 << 20 }
    }
}

/// A time as it is stored: RFC 3339 UTC.
pub fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

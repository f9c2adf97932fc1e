//! Workspaces: private working trees in which agents and gates work, made and read only inside the sandbox.
//!
//! On the host a workspace is `<root>/<name>/`: `tree/` is what an agent sees as `/workspace`; beside it, out of its reach,
//! stand the marker, the pristine index and the objects it started with. The host never reads anything below `tree/`.

mod boxed;
mod collect;
mod create;
mod discard;
mod identity;
mod rescue;

use std::path::PathBuf;

use anyhow::{Context, Result};
use git2::Oid;
use loopwright_core::check::Ended;

use crate::git::Repos;
use crate::sandbox::{Access, BoxOutput, Mount, Sandbox};

pub use collect::{Collected, SizeLimits};
pub use create::Origin;
pub use identity::Identity;

/// Makes, reads and removes workspaces of one repository.
pub struct Workspaces<'a> {
    /// Where every git that touches a workspace runs.
    pub sandbox: &'a dyn Sandbox,
    /// The engine's repositories.
    pub repos: &'a Repos,
    /// The folder of workspaces: `<data>/ws`.
    pub root: PathBuf,
    /// Where removed ones wait for their deletion, on the same file system: `<data>/trash`.
    pub trash: PathBuf,
}

/// A private working tree.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its name, unique below the root.
    pub name: String,
    /// The working tree on the host; to be mounted, never opened.
    pub path: PathBuf,
    /// The commit it started at.
    pub commit: Oid,
    /// Which folder it is.
    pub identity: Identity,
}

impl Workspace {
    /// How it is seen inside a box, as `/workspace`.
    pub fn mount(&self, access: Access) -> Mount {
        Mount { source: self.path.clone(), target: boxed::TREE.to_owned(), access }
    }
}

impl Workspaces<'_> {
    /// Finds a workspace of an earlier process again.
    ///
    /// # Errors
    /// It vanished or was replaced.
    pub fn open(&self, name: &str) -> Result<Workspace> {
        let home = self.home(name)?;
        let (identity, commit) = identity::read(&home).with_context(|| format!("open workspace {name}"))?;
        let workspace = Workspace { name: name.to_owned(), path: home.join("tree"), commit, identity };
        self.verify(&workspace)?;
        self.sandbox.pin(&workspace.path, &workspace.identity);
        Ok(workspace)
    }

    /// Refuses a workspace that vanished or was replaced since it was made.
    ///
    /// # Errors
    /// Exactly then.
    pub fn verify(&self, workspace: &Workspace) -> Result<()> {
        let home = self.home(&workspace.name)?;
        identity::check(&home, workspace).with_context(|| format!("workspace {} can't be used", workspace.name))
    }

    /// The folder of a workspace, from a name that is one plain path component.
    fn home(&self, name: &str) -> Result<PathBuf> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let fits = !name.is_empty() && name.len() <= 100 && !name.starts_with(['.', '-']) && name.bytes().all(plain);
        anyhow::ensure!(
            fits && !name.contains("..") && !name.ends_with(".lock"),
            "`{name}` is no name for a workspace"
        );
        Ok(self.root.join(name))
    }

    /// Runs a box that must end well.
    fn run_well(&self, spec: &crate::sandbox::BoxSpec) -> Result<BoxOutput> {
        let output = self.sandbox.run(spec)?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.ended == Ended::Exited(0), "{} {}: {}", spec.label, output.ended, said.trim());
        Ok(output)
    }
}

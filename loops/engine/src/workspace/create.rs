//! Making a workspace: a private clone from the read-only base, and a fresh checkout of an attempt for its gates.

use std::fs::{self, File};
use std::path::Path;

use anyhow::{Context, Result};
use chrono::DateTime;
use git2::Oid;

use super::boxed::{self, Beside};
use super::{Workspace, Workspaces, identity};
use crate::fail;
use crate::git::import::with_paths_of;

/// Where the start commit lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In `base.git`: nothing else is visible.
    Base,
    /// In `results.git`: its objects, and none of any other attempt, are carried along.
    Results,
    /// In `base.git`; the objects of this commit of `results.git` are carried along, for what is to be picked onto it.
    BaseWith(Oid),
}

impl Workspaces<'_> {
    /// Makes a workspace at a commit, with HEAD on a local branch `work`.
    ///
    /// # Errors
    /// The name is taken, the commit is not where `origin` says, or the sandbox refuses.
    pub fn create(&self, name: &str, commit: Oid, origin: Origin) -> Result<Workspace> {
        let home = self.home(name)?;
        fs::create_dir_all(&self.root).with_context(|| format!("create {}", self.root.display()))?;
        fs::create_dir(&home).with_context(|| format!("create workspace {}", home.display()))?;
        let made = self.fill(name, &home, commit, origin);
        if made.is_err() {
            // What was half made is nobody's; the first error is the one to tell.
            let _ = self.remove(name);
        }
        fail::point("workspace-made");
        made.with_context(|| format!("make workspace {name} at {commit}"))
    }

    fn fill(&self, name: &str, home: &Path, commit: Oid, origin: Origin) -> Result<Workspace> {
        let tree = home.join("tree");
        fs::create_dir(&tree).context("create the tree")?;
        // Before anything runs in it.
        let identity = identity::write(home, commit)?;
        self.sandbox.pin(&tree, &identity);
        let carried = match origin {
            Origin::Base => None,
            Origin::Results => Some(commit),
            Origin::BaseWith(other) => Some(other),
        };
        if let Some(carried) = carried {
            self.repos.export(carried, &home.join("start.bundle"))?;
        }
        let beside = Beside::of(home);
        self.run_well(&boxed::clone(&tree, self.repos.base_path(), &beside, commit))?;
        keep_index(&tree.join(".git/index"), &beside.index)?;
        Ok(Workspace { name: name.to_owned(), path: tree, commit, identity })
    }

    /// Makes a fresh checkout of an attempt in which the project's configuration is the base's: what the base does not have at
    /// `configuration_paths` is absent, so that an attempt can't soften the checks it is judged by.
    ///
    /// # Errors
    /// As [`Workspaces::create`], or a commit is unknown.
    pub fn checkout_for_gates(
        &self,
        name: &str,
        attempt: Oid,
        base: Oid,
        configuration_paths: &[&str],
    ) -> Result<Workspace> {
        let (made, trusted) = (self.repos.tree_of(attempt)?, self.repos.tree_of(base)?);
        let tree = with_paths_of(&self.repos.open_results()?, made, trusted, configuration_paths)?;
        let commit = if tree == made {
            attempt
        } else {
            self.repos.commit_tree(
                tree,
                &[base],
                "The attempt with the configuration of its base",
                DateTime::UNIX_EPOCH,
            )?
        };
        self.create(name, commit, Origin::Results)
    }
}

/// Copies the index with its time: git compares an entry's time with the index's own to know what may have changed unseen.
/// Only our own script has written below the tree so far.
fn keep_index(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).context("keep the index")?;
    let time = fs::metadata(from).and_then(|m| m.modified()).context("read the time of the index")?;
    File::options().write(true).open(to).and_then(|f| f.set_modified(time)).context("set the time of the index")
}

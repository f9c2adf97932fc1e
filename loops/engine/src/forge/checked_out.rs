//! Which working trees have a branch checked out, main and linked: whoever moves it without them leaves them reverting it.
//!
//! Whatever can't be read is an error: it never means that a branch is not checked out.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use git2::Repository;

use super::worktree::Checkout;
use crate::git::heads::{self, is_absent};

/// A working tree that has the branch.
pub(super) struct Place {
    /// Where it is.
    pub(super) root: PathBuf,
    /// Opened there, or why it can't be.
    pub(super) opened: Result<Checkout, String>,
}

/// The working trees that have the branch `name` checked out, by whatever name, or are in the middle of rebasing it.
///
/// # Errors
/// One of them can't be looked at.
pub(super) fn places(user: &Repository, name: &str) -> Result<Vec<Place>> {
    let common = user.commondir().to_owned();
    let mut places = Vec::new();
    for folder in folders(&common)? {
        if !has(&folder, &common, name).with_context(|| format!("look at {}", folder.display()))? {
            continue;
        }
        // The one that is open knows its place; a git folder that lies elsewhere does not.
        let here = same(user.path(), &folder).then(|| user.workdir().map(Path::to_owned)).flatten();
        if let Some(root) = here.map_or_else(|| root_of(&folder, &common), |root| Ok(Some(root)))? {
            places.push(Place { opened: open(&root, &folder), root });
        }
    }
    Ok(places)
}

/// The git folders of all working trees.
fn folders(common: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![common.to_owned()];
    let linked = common.join("worktrees");
    let context = || format!("read {}", linked.display());
    match fs::read_dir(&linked) {
        Err(error) if is_absent(&error) => {}
        entries => {
            for entry in entries.with_context(context)? {
                folders.push(entry.with_context(context)?.path());
            }
        }
    }
    folders[1..].sort();
    Ok(folders)
}

/// Whether the HEAD of a git folder leads to the branch, or a rebase there will set it.
fn has(folder: &Path, common: &Path, name: &str) -> Result<bool> {
    if heads::finally(folder, common, "HEAD")? == name {
        return Ok(true);
    }
    for file in ["rebase-merge/head-name", "rebase-apply/head-name"] {
        let path = folder.join(file);
        let bytes = match fs::read(&path) {
            Err(error) if is_absent(&error) => continue,
            read => read.with_context(|| format!("read {}", path.display()))?,
        };
        let said = String::from_utf8_lossy(&bytes);
        // Otherwise it says that HEAD was detached.
        if said.starts_with("refs/") && heads::finally(folder, common, said.trim())? == name {
            return Ok(true);
        }
    }
    Ok(false)
}

fn open(root: &Path, folder: &Path) -> Result<Checkout, String> {
    let repo = Repository::open(root).map_err(|e| format!("{} can't be opened: {}", root.display(), e.message()))?;
    if !same(repo.path(), folder) {
        return Err(format!("the working tree of {} is not found at {}", folder.display(), root.display()));
    }
    Ok(Checkout { repo, root: root.to_owned() })
}

/// Whether two paths lead to the same folder.
fn same(one: &Path, other: &Path) -> bool {
    let found = |path: &Path| path.canonicalize().ok();
    found(one).is_some_and(|path| found(other).as_ref() == Some(&path))
}

/// The working tree of a git folder; none for a bare repository.
fn root_of(folder: &Path, common: &Path) -> Result<Option<PathBuf>> {
    if folder == common {
        let repo = Repository::open(common).with_context(|| format!("open {}", common.display()))?;
        return Ok(repo.workdir().map(Path::to_owned));
    }
    let link = folder.join("gitdir");
    let text = fs::read_to_string(&link).with_context(|| format!("read {}", link.display()))?;
    let root = folder.join(text.trim()).parent().map(Path::to_owned);
    match root {
        Some(root) if root.is_dir() => Ok(Some(root)),
        _ => bail!("the working tree of {} vanished; `git worktree prune` forgets it", folder.display()),
    }
}

//! Folders that a box may see only as they were made: workspaces. One that vanished, moved or was replaced makes no box.
//!
//! Which folder it is was told when it was pinned; how it is told is `workspace::identity`'s.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, ensure};
use rustix::fs::{Mode, OFlags, open};

use super::Mount;
use crate::workspace::Identity;

/// The pinned folders of one run.
#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<BTreeMap<PathBuf, Identity>>);

impl Pins {
    /// From now on `folder` is this one, or nothing.
    pub(super) fn pin(&self, folder: &Path, identity: Identity) {
        self.held().insert(folder.to_owned(), identity);
    }

    /// Forgets a folder that is discarded.
    pub(super) fn unpin(&self, folder: &Path) {
        self.held().remove(folder);
    }

    /// Opens the pinned sources of these mounts, each with its place inside: bubblewrap binds what is open, so that nothing can
    /// take a folder's place after this look at it.
    ///
    /// # Errors
    /// One of them is not the folder that was pinned.
    pub(super) fn open<'m>(&self, mounts: &'m [Mount]) -> anyhow::Result<Vec<(&'m str, OwnedFd)>> {
        let pins = self.held();
        let pinned = mounts.iter().filter_map(|mount| Some((mount, pins.get(&mount.source)?)));
        pinned.map(|(mount, identity)| Ok((mount.target.as_str(), the_very(&mount.source, identity)?))).collect()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Identity>> {
        // Every change is a single step, so a poisoned state is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a folder, and not through a link, if it is the one with this identity.
fn the_very(folder: &Path, identity: &Identity) -> anyhow::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = open(folder, flags, Mode::empty()).with_context(|| format!("{} vanished", folder.display()))?;
    ensure!(identity.is_of(&fd)?, "{} was replaced; nothing is run there", folder.display());
    Ok(fd)
}

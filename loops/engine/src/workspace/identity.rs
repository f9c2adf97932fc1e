//! Which folder a workspace is: one that vanished or was replaced is never used, not even by a command of ours.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use git2::Oid;
use rustix::fs::{AtFlags, CWD, FileType, Statx, StatxFlags, statx};
use serde::{Deserialize, Serialize};

use super::Workspace;

/// Tells one folder from every other that ever stood in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// A random mark, repeated in the marker beside the folder.
    pub mark: String,
    /// The device, as major and minor number.
    pub device: (u32, u32),
    /// The inode.
    pub inode: u64,
    /// When the folder was made (seconds, nanoseconds), where the file system knows it: inodes are used again.
    pub born: Option<(i64, u32)>,
}

/// What is asked of the kernel.
const WANTED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME);

/// What the marker says.
#[derive(Serialize, Deserialize)]
struct Marker {
    identity: Identity,
    commit: String,
}

/// Marks a fresh workspace folder.
pub(super) fn write(home: &Path, commit: Oid) -> Result<Identity> {
    let identity = observe(&home.join("tree"), uuid::Uuid::now_v7().simple().to_string())?;
    let marker = Marker { identity: identity.clone(), commit: commit.to_string() };
    let text = serde_json::to_vec(&marker).context("write the marker")?;
    fs::write(home.join("marker"), text).with_context(|| format!("mark {}", home.display()))?;
    Ok(identity)
}

/// Reads the marker of a workspace: its identity and its start.
pub(super) fn read(home: &Path) -> Result<(Identity, Oid)> {
    let path = home.join("marker");
    let text = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let marker: Marker = serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    Ok((marker.identity, Oid::from_str(&marker.commit).context("the marker's commit")?))
}

/// Refuses anything but the very folder that `workspace` was.
pub(super) fn check(home: &Path, workspace: &Workspace) -> Result<()> {
    let tree = home.join("tree");
    ensure!(tree == workspace.path, "{} is not its place", workspace.path.display());
    let (marked, _) = read(home)?;
    ensure!(marked == workspace.identity, "{} belongs to another workspace", home.display());
    let now = observe(&tree, marked.mark.clone())?;
    ensure!(now == marked, "{} was replaced", tree.display());
    Ok(())
}

impl Identity {
    /// Whether this descriptor is of the very folder.
    ///
    /// # Errors
    /// The kernel can't tell.
    pub(crate) fn is_of(&self, folder: &OwnedFd) -> Result<bool> {
        let seen = statx(folder, "", AtFlags::EMPTY_PATH, WANTED).context("look at an open folder")?;
        Ok(seen_as(&seen, self.mark.clone()) == *self)
    }
}

fn observe(folder: &Path, mark: String) -> Result<Identity> {
    let seen = statx(CWD, folder, AtFlags::SYMLINK_NOFOLLOW, WANTED)
        .with_context(|| format!("{} vanished", folder.display()))?;
    if FileType::from_raw_mode(seen.stx_mode.into()) != FileType::Directory {
        bail!("{} is no folder", folder.display());
    }
    Ok(seen_as(&seen, mark))
}

fn seen_as(seen: &Statx, mark: String) -> Identity {
    let known = StatxFlags::from_bits_retain(seen.stx_mask).contains(StatxFlags::BTIME);
    Identity {
        mark,
        device: (seen.stx_dev_major, seen.stx_dev_minor),
        inode: seen.stx_ino,
        born: known.then_some((seen.stx_btime.tv_sec, seen.stx_btime.tv_nsec)),
    }
}

//! Which folder a workspace is: one that vanished or was replaced is never used, not even by a command of ours.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use git2::Oid;
use serde::{Deserialize, Serialize};

use super::Workspace;
use crate::os;

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
    #[cfg(target_os = "linux")]
    pub(crate) fn is_of(&self, folder: &os::Kept) -> Result<bool> {
        Ok(seen_as(os::open_folder(folder)?, self.mark.clone()) == *self)
    }
}

fn observe(folder: &Path, mark: String) -> Result<Identity> {
    Ok(seen_as(os::folder(folder)?, mark))
}

fn seen_as(seen: os::FolderSeen, mark: String) -> Identity {
    Identity { mark, device: seen.device, inode: seen.inode, born: seen.born }
}

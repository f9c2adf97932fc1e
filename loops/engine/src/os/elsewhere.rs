//! What only Linux has so far: processes named beyond doubt, folders that can't be mistaken, opening beneath one. Elsewhere
//! nothing of it is built yet; where it would be needed for safety, its absence refuses.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{Component, Path};
use std::time::Duration;

use anyhow::{Result, bail};
use loopwright_core::lease::InitRecord;

use super::{FolderSeen, Kept};

/// A process that can't be mistaken for another one: not built here yet, so that there is none.
#[derive(Debug)]
pub struct Held {
    /// Its record for `inits`.
    pub record: InitRecord,
}

impl Held {
    /// Takes hold of the process of a record: never yet.
    pub fn recorded(_record: &InitRecord) -> Option<Held> {
        None
    }

    /// Whether it has ended.
    pub fn gone(&self) -> bool {
        true
    }

    /// Kills it.
    pub fn kill(&self) {}

    /// Waits until it is gone.
    pub fn gone_within(&self, _limit: Duration) -> bool {
        true
    }
}

/// Takes hold of the children of a process: of none yet.
pub fn children_of(_parent: &Held) -> Vec<Held> {
    Vec::new()
}

/// Takes hold of what lives in a sandbox: of nothing yet.
pub fn members(_init: &Held) -> Vec<Held> {
    Vec::new()
}

/// Ends the boxes in the making that hold one of these pipes: there are none yet.
pub fn end_those_at(_pipes: &BTreeSet<u64>) {}

/// Opens exactly this place.
///
/// # Errors
/// Always: not built here yet.
pub fn open_place(path: &Path) -> Result<(Kept, std::fs::FileType)> {
    bail!("{} can't be granted: grants are built for Linux alone yet", path.display())
}

/// Whether there is such a path in a folder, without a link on its way; there is a moment between the looks here.
pub fn is_beneath(_folder: &File, place: &Path, path: &str) -> bool {
    without_links(place, Path::new(path))
}

/// Opens what stands below a folder for reading: a link on the way leads nowhere, but there is a moment between the looks
/// and the opening here.
///
/// # Errors
/// There is a link on the way, or it can't be read.
pub fn open_beneath(folder: &Path, path: &Path) -> io::Result<File> {
    match without_links(folder, path) {
        true => super::open_unlinked(&folder.join(path)),
        false => Err(io::Error::other("there is a link on the way")),
    }
}

fn without_links(folder: &Path, path: &Path) -> bool {
    let mut at = folder.to_owned();
    path.components().all(|part| {
        at.push(part);
        matches!(part, Component::Normal(_)) && at.symlink_metadata().is_ok_and(|seen| !seen.is_symlink())
    })
}

/// Which folder stands there.
///
/// # Errors
/// Always: not built here yet.
pub fn folder(path: &Path) -> Result<FolderSeen> {
    bail!("{} can't be told from a folder in its place: workspaces are built for Linux alone yet", path.display())
}

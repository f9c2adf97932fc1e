//! Removing a workspace: it leaves its place at once and is deleted in the trash, never through a link.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Workspace, Workspaces, boxed};
use crate::fail;

impl Workspaces<'_> {
    /// Removes a workspace.
    ///
    /// # Errors
    /// It vanished or was replaced (then nothing is removed), or it can't be deleted; what is left stays in the trash.
    pub fn discard(&self, workspace: Workspace) -> Result<()> {
        self.verify(&workspace)?;
        self.remove(&workspace.name)
    }

    /// Moves whatever stands under a name into the trash and deletes it there.
    pub(super) fn remove(&self, name: &str) -> Result<()> {
        let home = self.home(name)?;
        self.sandbox.unpin(&home.join("tree"));
        fs::create_dir_all(&self.trash).with_context(|| format!("create {}", self.trash.display()))?;
        let gone = self.trash.join(format!("{name}-{}", uuid::Uuid::now_v7().simple()));
        fs::rename(&home, &gone).with_context(|| format!("move {} to the trash", home.display()))?;
        fail::point("workspace-in-trash");
        self.delete(&gone).with_context(|| format!("delete {}", gone.display()))
    }

    /// Deletes what is left in the trash by processes that died.
    ///
    /// # Errors
    /// The trash can't be read, or something in it can't be deleted.
    pub fn empty_trash(&self) -> Result<()> {
        if !self.trash.is_dir() {
            return Ok(());
        }
        let entries = fs::read_dir(&self.trash).with_context(|| format!("read {}", self.trash.display()))?;
        for entry in entries {
            let path: PathBuf = entry.context("read the trash")?.path();
            self.delete(&path).with_context(|| format!("delete {}", path.display()))?;
        }
        Ok(())
    }

    fn delete(&self, gone: &Path) -> Result<()> {
        // `remove_dir_all` follows no links, not even ones that appear while it works.
        match fs::remove_dir_all(gone) {
            // Folders without rights for their owner: only a box may change modes in there.
            Err(e) if e.kind() == std::io::ErrorKind::PermissionDenied => {
                self.run_well(&boxed::empty(&gone.join("tree")))?;
                fs::remove_dir_all(gone).context("remove the emptied folder")
            }
            // A pass and a run may empty the same trash: whoever comes second finds nothing.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && gone.symlink_metadata().is_err() => Ok(()),
            other => other.context("remove the folder"),
        }
    }
}

//! Linux: an entry of the desktop's autostart folder.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use etcetera::BaseStrategy as _;
use loopwright_core::system_files::desktop_entry;

use super::LoginItem;
use crate::home::replace;

/// Where it is.
///
/// # Errors
/// No home folder is known.
pub fn path() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().context("finding the home folder")?;
    Ok(base.config_dir().join("autostart/loopwright.desktop"))
}

/// What starts at login.
///
/// # Errors
/// The entry can't be read.
pub fn look() -> Result<LoginItem> {
    let path = path()?;
    match fs::read_to_string(&path) {
        Ok(entry) if desktop_entry::is_off(&entry) => Ok(LoginItem::Off),
        Ok(entry) => Ok(LoginItem::On(desktop_entry::words(&entry))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(LoginItem::Off),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Has these words started at login.
///
/// # Errors
/// The entry can't be written.
pub fn set(words: &[String]) -> Result<()> {
    let path = path()?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    }
    replace(&path, desktop_entry::autostart(words).as_bytes())
}

/// Has nothing of ours started at login.
///
/// # Errors
/// The entry can't be removed.
pub fn remove() -> Result<()> {
    let path = path()?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

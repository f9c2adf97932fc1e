//! macOS: an agent of launchd. Not proven on a Mac; what the agent starts is not read back yet.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use loopwright_core::system_files::launchd;

use super::LoginItem;
use crate::home::replace;

/// Where it is.
///
/// # Errors
/// No home folder is known.
pub fn path() -> Result<PathBuf> {
    let home = etcetera::home_dir().context("finding the home folder")?;
    Ok(home.join("Library/LaunchAgents").join(format!("{}.plist", launchd::label("tray"))))
}

/// What starts at login.
///
/// # Errors
/// No home folder is known.
pub fn look() -> Result<LoginItem> {
    Ok(if path()?.exists() { LoginItem::On(None) } else { LoginItem::Off })
}

/// Has these words started at login.
///
/// # Errors
/// The agent can't be written.
pub fn set(words: &[String]) -> Result<()> {
    let path = path()?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    }
    replace(&path, launchd::agent("tray", words, false).as_bytes())
}

/// Has nothing of ours started at login.
///
/// # Errors
/// The agent can't be removed.
pub fn remove() -> Result<()> {
    let path = path()?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

//! macOS: an agent of launchd. Unproven: never loaded on a Mac. Whether a person switched it off in the system's settings is
//! kept where nobody else may read it.

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
/// The agent can't be read.
pub fn look() -> Result<LoginItem> {
    let path = path()?;
    match fs::read_to_string(&path) {
        Ok(agent) => Ok(LoginItem::On(launchd::words(&agent))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(LoginItem::Off),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
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

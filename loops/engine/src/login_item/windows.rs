//! Windows: a value of the registry, which nothing of ours writes yet; its text is `core::system_files::windows`'s.

use std::path::PathBuf;

use anyhow::{Result, bail};
use loopwright_core::system_files::windows::{RUN_KEY, RUN_VALUE, command_line};

use super::LoginItem;

/// Where it is: below `HKEY_CURRENT_USER`.
///
/// # Errors
/// Never.
pub fn path() -> Result<PathBuf> {
    Ok(PathBuf::from(RUN_KEY).join(RUN_VALUE))
}

/// What starts at login: not read yet.
///
/// # Errors
/// Never.
pub fn look() -> Result<LoginItem> {
    Ok(LoginItem::Off)
}

/// Has these words started at login.
///
/// # Errors
/// Always: not supported yet; the message says what to do by hand.
pub fn set(words: &[String]) -> Result<()> {
    bail!("starting at login is not supported on Windows yet: put {} into {RUN_KEY}", command_line(words))
}

/// Has nothing of ours started at login.
///
/// # Errors
/// Never: nothing was set.
pub fn remove() -> Result<()> {
    Ok(())
}

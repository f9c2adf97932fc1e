//! macOS: an agent of launchd. Unproven: never loaded on a Mac.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use loopwright_core::system_files::launchd;

/// Where it is.
///
/// # Errors
/// No home folder is known.
pub fn path() -> Result<PathBuf> {
    let home = etcetera::home_dir().context("finding the home folder")?;
    Ok(home.join("Library/LaunchAgents").join(format!("{}.plist", launchd::label("serve"))))
}

/// What stands in it, for this program; `home` is what `LOOPWRIGHT_HOME` is, where it is set.
///
/// # Errors
/// Never.
pub fn text(program: &str, home: Option<&str>) -> Result<String> {
    Ok(launchd::serve_agent(program, home))
}

/// The commands that switch it on.
pub fn switch_on(path: &Path) -> Vec<String> {
    vec![format!("launchctl load -w \"{}\"", path.display())]
}

/// The commands that switch it off.
pub fn switch_off() -> Vec<String> {
    vec![format!("launchctl remove {}", launchd::label("serve"))]
}

//! Linux: a unit of the person's own systemd.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use etcetera::BaseStrategy as _;
use loopwright_core::system_files::systemd;

/// Where it is.
///
/// # Errors
/// No home folder is known.
pub fn path() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().context("finding the home folder")?;
    Ok(base.config_dir().join("systemd/user").join(systemd::SERVE))
}

/// What stands in it, for this program; `home` is what `LOOPWRIGHT_HOME` is, where it is set.
///
/// # Errors
/// Never.
pub fn text(program: &str, home: Option<&str>) -> Result<String> {
    Ok(systemd::serve_unit(program, home))
}

/// The commands that switch it on.
pub fn switch_on(_path: &Path) -> Vec<String> {
    let enable = format!("systemctl --user enable --now {}", systemd::SERVE);
    vec!["systemctl --user daemon-reload".to_owned(), enable]
}

/// The commands that switch it off.
pub fn switch_off() -> Vec<String> {
    vec![format!("systemctl --user disable --now {}", systemd::SERVE)]
}

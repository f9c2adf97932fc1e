//! `serve --install`: the scheduler as a unit of the person's own systemd (an agent of launchd on macOS). Written on request alone;
//! what switches it on is told, not done.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use etcetera::BaseStrategy as _;
use loopwright_core::system_files::{launchd, systemd};
use serde::Serialize;

use super::login_item::root;
use super::{ApiError, Context};
use crate::home::replace;
use crate::launch::runner_program;

/// What was written or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ServeUnitView {
    /// Where.
    pub path: String,
    /// The commands that follow.
    pub commands: Vec<String>,
}

/// Writes the unit, for the program that runs now and its folders.
///
/// # Errors
/// It can't be written, or this system has no such units.
pub fn install_serve_unit(context: &Context) -> Result<ServeUnitView, ApiError> {
    let path = path()?;
    let program = runner_program()?.display().to_string();
    let home = root(context);
    let (text, commands) = match cfg!(target_os = "macos") {
        false => (
            systemd::serve_unit(&program, home.as_deref()),
            vec![
                "systemctl --user daemon-reload".to_owned(),
                format!("systemctl --user enable --now {}", systemd::SERVE),
            ],
        ),
        true => {
            let words = match home {
                Some(home) => {
                    vec!["/usr/bin/env".to_owned(), format!("LOOPWRIGHT_HOME={home}"), program, "serve".to_owned()]
                }
                None => vec![program, "serve".to_owned()],
            };
            (launchd::agent("serve", &words, true), vec![format!("launchctl load -w {}", path.display())])
        }
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    }
    replace(&path, text.as_bytes())?;
    Ok(ServeUnitView { path: path.display().to_string(), commands })
}

/// Removes the unit; a scheduler that runs goes on.
///
/// # Errors
/// It can't be removed.
pub fn remove_serve_unit(_context: &Context) -> Result<ServeUnitView, ApiError> {
    let path = path()?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(anyhow::Error::from(error).context(format!("removing {}", path.display())).into());
        }
        _ => {}
    }
    let commands = match cfg!(target_os = "macos") {
        false => vec![format!("systemctl --user disable --now {}", systemd::SERVE)],
        true => vec![format!("launchctl remove {}", launchd::label("serve"))],
    };
    Ok(ServeUnitView { path: path.display().to_string(), commands })
}

fn path() -> anyhow::Result<PathBuf> {
    let base = etcetera::choose_base_strategy().context("finding the home folder")?;
    match std::env::consts::OS {
        "linux" => Ok(base.config_dir().join("systemd/user").join(systemd::SERVE)),
        "macos" => Ok(base.home_dir().join("Library/LaunchAgents").join(format!("{}.plist", launchd::label("serve")))),
        other => bail!("the scheduler can't be installed on {other} yet; start it with `loopwright serve`"),
    }
}

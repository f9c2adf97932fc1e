//! `serve --install`: the scheduler as a unit of the person's own systemd (an agent of launchd, a task of Windows). Written on
//! request alone; what switches it on is told, not done.

use std::fs;
use std::io::ErrorKind;

use anyhow::Context as _;
use serde::Serialize;

use super::login_item::root;
use super::{ApiError, Context};
use crate::home::replace;
use crate::launch::runner_program;
use crate::serve_unit as unit;

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
    let path = unit::path()?;
    let text = unit::text(&runner_program()?.display().to_string(), root(context).as_deref())?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making the folder {}", folder.display()))?;
    }
    replace(&path, text.as_bytes())?;
    Ok(ServeUnitView { path: path.display().to_string(), commands: unit::switch_on(&path) })
}

/// Removes the unit; a scheduler that runs goes on.
///
/// # Errors
/// It can't be removed.
pub fn remove_serve_unit(_context: &Context) -> Result<ServeUnitView, ApiError> {
    let path = unit::path()?;
    match fs::remove_file(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(anyhow::Error::from(error).context(format!("removing {}", path.display())).into());
        }
        _ => {}
    }
    Ok(ServeUnitView { path: path.display().to_string(), commands: unit::switch_off() })
}

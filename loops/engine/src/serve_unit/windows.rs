//! Windows: a task of the Task Scheduler. Unproven: never imported on Windows.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use etcetera::BaseStrategy as _;
use loopwright_core::system_files::windows as system_files;

/// Where the text is that is to be imported.
///
/// # Errors
/// No home folder is known.
pub fn path() -> Result<PathBuf> {
    let base = etcetera::choose_base_strategy().context("finding the home folder")?;
    Ok(base.config_dir().join(r"loopwright\serve-task.xml"))
}

/// What stands in it, for this program and the person who is logged in.
///
/// # Errors
/// Loopwright's folders are elsewhere: a task can't be told so. Or nobody knows who is logged in.
pub fn text(program: &str, home: Option<&str>) -> Result<String> {
    ensure!(home.is_none(), "LOOPWRIGHT_HOME can't be passed on to a task yet; start it with `loopwright serve`");
    let of = |name: &str| std::env::var(name).with_context(|| format!("asking who is logged in ({name})"));
    let person = format!(r"{}\{}", of("USERDOMAIN")?, of("USERNAME")?);
    Ok(system_files::serve_task(program, &person))
}

/// The commands that switch it on.
pub fn switch_on(path: &Path) -> Vec<String> {
    let create = format!("schtasks /Create /TN {} /XML \"{}\"", system_files::SERVE_TASK, path.display());
    vec![create, format!("schtasks /Run /TN {}", system_files::SERVE_TASK)]
}

/// The commands that switch it off.
pub fn switch_off() -> Vec<String> {
    vec![format!("schtasks /Delete /TN {} /F", system_files::SERVE_TASK)]
}

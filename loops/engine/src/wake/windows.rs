//! Windows: a task wakes it (`WakeToRun`), not a timer of this process, whose computer would sleep on after it. Nothing is set
//! here: `loopwright wake --units` writes the task to import. Unproven: never imported on Windows.

use chrono::{DateTime, Utc};
use loopwright_core::system_files::windows as system_files;
use loopwright_core::wake::Hindrance;

use crate::launch::runner_program;

/// A timer that wakes the computer: none yet.
#[derive(Debug, Default)]
pub struct WakeTimer {}

impl WakeTimer {
    /// Sets it.
    ///
    /// # Errors
    /// Always: not built yet.
    pub fn set(&mut self, _at: DateTime<Utc>) -> Result<DateTime<Utc>, Hindrance> {
        Err(Hindrance::NotBuilt)
    }

    /// Stops it.
    pub fn stop(&mut self) {}
}

/// Why no timer of this program wakes this computer.
pub fn hindrance() -> Option<Hindrance> {
    Some(Hindrance::NotBuilt)
}

/// The moments at which something else wakes the computer: not asked yet.
pub fn installed() -> Vec<DateTime<Utc>> {
    Vec::new()
}

/// The task to import so that the computer wakes at these moments.
pub fn units(times: &[DateTime<Utc>]) -> Vec<(String, String)> {
    let program = runner_program().map(|path| path.display().to_string()).unwrap_or_default();
    vec![("loopwright-wake.xml".to_owned(), system_files::wake_task(times, &program))]
}

//! macOS: only the system's power manager wakes a Mac, and only for root. Nothing is set here: `loopwright wake --units` writes
//! what root installs. Unproven: never loaded on a Mac.

use chrono::{DateTime, Utc};
use loopwright_core::system_files::launchd;
use loopwright_core::wake::Hindrance;

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

/// What root installs so that the computer wakes: the daemon for the first of these moments, which is all that one can hold.
pub fn units(times: &[DateTime<Utc>]) -> Vec<(String, String)> {
    let daemon = |at: &DateTime<Utc>| (format!("{}.plist", launchd::label("wake")), launchd::wake_daemon(*at));
    times.first().map(daemon).into_iter().collect()
}

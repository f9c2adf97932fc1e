//! Asks a box to end: its program first, and then, if it does not, all of it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

#[cfg(target_os = "linux")]
use loopwright_core::check::Ended;

#[cfg(target_os = "linux")]
use crate::os::{self, Held};

/// How long a program that was asked to end may take.
pub const TO_END: Duration = Duration::from_secs(5);

/// Asks one box to end, from any thread.
#[derive(Debug, Default)]
pub struct Stopper(AtomicBool);

impl Stopper {
    /// Asks; once is enough.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How far the ending of a box is.
#[cfg(target_os = "linux")]
#[derive(Debug, Default)]
pub(super) struct Ending {
    since: Option<Instant>,
    told: bool,
}

#[cfg(target_os = "linux")]
impl Ending {
    /// Tells the program of the box that it is to end; how the box ended where that did not help.
    pub(super) fn go_on(&mut self, init: Option<&Held>) -> Option<Ended> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !self.told {
            self.told = init.is_some_and(os::terminate_first_child);
        }
        (since.elapsed() >= TO_END).then_some(Ended::Signalled(9))
    }
}

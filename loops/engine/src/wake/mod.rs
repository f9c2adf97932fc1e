//! The port `WakeTimer`: a timer that wakes the computer from its sleep. Sibling files with the same functions, one of which is
//! compiled; what is to be woken for, and what each hindrance means, is `core::wake`'s.
//!
//! The timer lives in `serve`, which sets it at each pass and reads it back. It is a hint: what was slept through is caught up.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

use loopwright_core::wake::{WakeMark, Waking};

impl WakeTimer {
    /// Sets the timer for this start (or stops it where there is none), and tells what came of it: what the system says that it is
    /// set to, and why the computer would not wake all the same.
    pub fn keep(&mut self, waking: Option<Waking>) -> Option<WakeMark> {
        let Some(waking) = waking else {
            self.stop();
            return None;
        };
        let set = self.set(crate::clock::on_the_computer(waking.at));
        let (read_back, refused) = match set {
            // The clock of tests may be another one than the computer's.
            Ok(_) => (Some(waking.at), None),
            Err(why) => (None, Some(why)),
        };
        // What keeps this computer from waking at all says more than that a timer was refused.
        let hindrance = hindrance().or(refused);
        Some(WakeMark { waking, read_back, hindrance })
    }
}

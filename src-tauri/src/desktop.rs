//! What this desktop has: a display, a session bus, a tray. Asked before anything is drawn, because the libraries that
//! draw end the program where something is missing.

use loopwright_core::exit;
use loopwright_engine::api::ApiError;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub(crate) use linux::{follow_scheme, has_bus, has_display, has_tray, prefers_dark};

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub(crate) use other::{follow_scheme, has_bus, has_display, has_tray, prefers_dark};

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// A display: nothing can be shown at all.
    Display,
    /// A session bus: no icon, no notification.
    Bus,
    /// A tray.
    Tray,
    /// The library that draws the icon.
    Library,
}

impl Missing {
    /// What is missing, what is not lost, and what helps.
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Missing::Display => (
                "there is no display here, so neither the icon nor a window can be shown; no loop is touched by that",
                "in a terminal, `loopwright serve` starts loops at their times and `loopwright reviews` shows what waits; \
                 on a desktop, start Loopwright from its menu",
            ),
            Missing::Bus => (
                "there is no session bus, so there is no icon and no notification; loops run all the same",
                "its window opens instead; log in to a desktop, or start it under `dbus-run-session`",
            ),
            Missing::Tray => (
                "No tray here. Start Loopwright again to open its window; loops run all the same.",
                "GNOME has a tray with the extension AppIndicator; the icon comes as soon as there is one",
            ),
            Missing::Library => (
                "libayatana-appindicator3 is missing, so there is no icon; loops run all the same",
                "its window opens instead; apt-get install libayatana-appindicator3-1 brings the icon",
            ),
        }
    }

    /// The same as an error.
    pub(crate) fn error(self) -> ApiError {
        let (what, help) = self.words();
        ApiError::new(exit::FAILED, what).hint(help)
    }
}

/// What keeps a window from being shown.
///
/// # Errors
/// There is no display.
pub(crate) fn needs_display() -> Result<(), ApiError> {
    if has_display() { Ok(()) } else { Err(Missing::Display.error()) }
}

//! The port `LoginItem`: what starts the tray when the person logs in. Sibling files with the same functions, one of which is
//! compiled. It is off until somebody asks for it, and one that was switched off elsewhere stays off.

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

/// What starts at login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoginItem {
    /// Nothing of ours.
    Off,
    /// These words; none where the item can't be read.
    On(Option<Vec<String>>),
}

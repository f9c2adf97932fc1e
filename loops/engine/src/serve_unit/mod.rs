//! Where the person's own system is told to start the scheduler. Sibling files with the same functions, one of which is
//! compiled; their texts are `core::system_files`'s. Nothing is switched on here: the commands are told.

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

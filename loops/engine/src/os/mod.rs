//! What differs between operating systems: sibling files with the same function names, one of which is compiled.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(any(target_os = "macos", windows))]
mod sleeping;
#[cfg(any(target_os = "macos", windows))]
pub use sleeping::*;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::*;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub use windows::*;

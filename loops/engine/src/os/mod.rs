//! What differs between operating systems: sibling files with the same function names, one of which is compiled.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::*;

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::*;

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

#[cfg(windows)]
mod windows_files;
#[cfg(windows)]
pub use windows_files::*;

/// What the system keeps of a file beside its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The device that it lies on.
    pub device: u64,
    /// Its number there.
    pub number: u64,
    /// When anything of it was last changed: seconds since 1970, and nanoseconds.
    pub changed: (i64, i64),
    /// When it was last written: seconds since 1970, and nanoseconds.
    pub written: (i64, i64),
    /// The numbers of its owner and group.
    pub owner: (u32, u32),
}

/// Tells a folder from every other that ever stood in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderSeen {
    /// The device, as major and minor number.
    pub device: (u32, u32),
    /// The inode.
    pub inode: u64,
    /// When it was made (seconds, nanoseconds), where the file system knows it: inodes are used again.
    pub born: Option<(i64, u32)>,
}

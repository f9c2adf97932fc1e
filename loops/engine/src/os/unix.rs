//! Files as Linux and macOS know them: who may read them, which they are, and opening what is no link. Unproven on macOS, where
//! no suite runs.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::Seen;

/// A file or folder that is kept open.
pub type Kept = OwnedFd;
/// Something that is readable once somebody says to stop.
pub type Stop<'a> = BorrowedFd<'a>;

/// Opens what stands there for reading. A link is not followed, and a pipe not waited for.
///
/// # Errors
/// It is a link, or can't be read.
pub fn open_unlinked(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// Whether a file was not opened because it is a link.
pub fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// Whether this is the disk itself failing.
pub fn is_of_the_disk(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::IO.raw_os_error())
}

/// Makes a folder, and those above it, for its owner alone.
///
/// # Errors
/// It can't be made.
pub fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Opens a file of its owner's alone, to be written at its end.
///
/// # Errors
/// It can't be made or opened.
pub fn append_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)
}

/// Lets everybody read a file, and start it if it is a program.
///
/// # Errors
/// It is not ours.
pub fn set_program(path: &Path, is_program: bool) -> io::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(if is_program { 0o755 } else { 0o644 }))
}

/// Bytes left on the disk of a folder; where nobody says so, there is room.
pub fn room(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Whether this process may do everything.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What the system keeps of a file.
pub fn seen(file: &Metadata) -> Seen {
    Seen {
        device: file.dev(),
        number: file.ino(),
        changed: (file.ctime(), file.ctime_nsec()),
        written: (file.mtime(), file.mtime_nsec()),
        owner: (file.uid(), file.gid()),
    }
}

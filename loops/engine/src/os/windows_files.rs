//! Files as Windows knows them. Unproven: no suite runs here.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::MetadataExt as _;
use std::os::windows::io::{BorrowedHandle, OwnedHandle};
use std::path::Path;

use super::Seen;

/// A file or folder that is kept open.
pub type Kept = OwnedHandle;
/// Something that is readable once somebody says to stop.
pub type Stop<'a> = BorrowedHandle<'a>;

const LINK: &str = "it is a link";
/// What a failing disk says: ERROR_CRC, ERROR_WRITE_FAULT, ERROR_READ_FAULT, ERROR_IO_DEVICE, ERROR_FILE_CORRUPT,
/// ERROR_DISK_CORRUPT.
const DISK: [i32; 6] = [23, 29, 30, 1117, 1392, 1393];

/// Opens what stands there for reading. A link is not followed, but there is a moment between the look and the opening.
///
/// # Errors
/// It is a link, or can't be read.
pub fn open_unlinked(path: &Path) -> io::Result<File> {
    if path.symlink_metadata()?.is_symlink() {
        return Err(io::Error::other(LINK));
    }
    File::open(path)
}

/// Whether a file was not opened because it is a link.
pub fn is_link(error: &io::Error) -> bool {
    error.to_string() == LINK
}

/// Whether this is the disk itself failing.
pub fn is_of_the_disk(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| DISK.contains(&code))
}

/// Makes a folder and those above it; a person's own folders are closed to others here anyway.
///
/// # Errors
/// It can't be made.
pub fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Opens a file to be written at its end; it is as closed to others as its folder.
///
/// # Errors
/// It can't be made or opened.
pub fn append_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Nothing to do: whether a file is a program is told by its name here.
///
/// # Errors
/// Never.
pub fn set_program(_path: &Path, _is_program: bool) -> io::Result<()> {
    Ok(())
}

/// Bytes left on the disk of a folder: not asked here yet, so that nothing waits for room.
pub fn room(_folder: &Path) -> u64 {
    u64::MAX
}

/// Whether this process may do everything: not asked here yet.
pub fn is_root() -> bool {
    false
}

/// What the system keeps of a file; it has no number here without opening the file, so the time of its making stands for it.
pub fn seen(file: &Metadata) -> Seen {
    let time = |ticks: u64| {
        let ticks = i64::try_from(ticks).unwrap_or(i64::MAX);
        (ticks / 10_000_000 - 11_644_473_600, ticks % 10_000_000 * 100)
    };
    let written = time(file.last_write_time());
    Seen { device: 0, number: file.creation_time(), changed: written, written, owner: (0, 0) }
}

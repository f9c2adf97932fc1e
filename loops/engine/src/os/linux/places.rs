//! Places that can't be mistaken: opened without a link on the way, and told from whatever stood there before.

use std::fs::{File, FileType};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx, StatxFlags, openat2, statx};

use crate::os::FolderSeen;

/// What is asked of the kernel.
const WANTED: StatxFlags = StatxFlags::BASIC_STATS.union(StatxFlags::BTIME);
/// A path below a folder, with no link on its way.
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// Opens exactly this place, and says what it is: a link that stands in it by now is not followed.
///
/// # Errors
/// It is not there, or a link leads there.
pub fn open_place(path: &Path) -> Result<(OwnedFd, FileType)> {
    let plain = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let fd = openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), plain);
    let fd = fd.with_context(|| format!("opening {}", path.display()))?;
    let kind = std::fs::metadata(format!("/proc/self/fd/{}", fd.as_raw_fd())).context("looking at it")?.file_type();
    Ok((fd, kind))
}

/// Whether there is such a path in an open folder: nothing is looked at through a link.
pub fn is_beneath(folder: &File, _place: &Path, path: &str) -> bool {
    openat2(folder, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), BENEATH).is_ok()
}

/// Opens what stands below a folder for reading: a link on the way leads nowhere, and a pipe is not waited for.
///
/// # Errors
/// There is a link on the way, or it can't be read.
pub fn open_beneath(folder: &Path, path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(File::from(openat2(File::open(folder)?, path, flags, Mode::empty(), BENEATH)?))
}

/// Which folder stands there; a link is not followed.
///
/// # Errors
/// There is none.
pub fn folder(path: &Path) -> Result<FolderSeen> {
    let seen = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, WANTED);
    let seen = seen.with_context(|| format!("{} vanished", path.display()))?;
    if rustix::fs::FileType::from_raw_mode(seen.stx_mode.into()) != rustix::fs::FileType::Directory {
        bail!("{} is no folder", path.display());
    }
    Ok(of(&seen))
}

/// Which folder is open here.
///
/// # Errors
/// The kernel can't tell.
pub fn open_folder(folder: &OwnedFd) -> Result<FolderSeen> {
    Ok(of(&statx(folder, "", AtFlags::EMPTY_PATH, WANTED).context("look at an open folder")?))
}

fn of(seen: &Statx) -> FolderSeen {
    let known = StatxFlags::from_bits_retain(seen.stx_mask).contains(StatxFlags::BTIME);
    FolderSeen {
        device: (seen.stx_dev_major, seen.stx_dev_minor),
        inode: seen.stx_ino,
        born: known.then_some((seen.stx_btime.tv_sec, seen.stx_btime.tv_nsec)),
    }
}

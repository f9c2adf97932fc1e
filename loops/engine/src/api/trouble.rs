//! Trouble with the disk itself, told apart from everything else that can fail, with what a person can do.

use std::io;

/// What the disk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No room is left.
    Full,
    /// It does not write or read.
    Failing,
}

impl Trouble {
    /// What an error comes from; none if it is not the disk.
    pub(super) fn of(error: &anyhow::Error) -> Option<Trouble> {
        error.chain().find_map(|e| match (e.downcast_ref::<io::Error>(), e.downcast_ref::<rusqlite::Error>()) {
            (Some(io), _) => of_io(io),
            (_, Some(sqlite)) => of_sqlite(sqlite),
            _ => None,
        })
    }

    /// The first words of the message.
    pub(super) fn words(self) -> &'static str {
        match self {
            Trouble::Full => "the disk is full",
            Trouble::Failing => "the disk reports an error",
        }
    }

    /// What to do.
    pub(super) fn hint(self) -> &'static str {
        match self {
            Trouble::Full => {
                "make room on the disk of that file, then give the same command again; what was stored before is all there, \
                 and `loopwright halt` works meanwhile"
            }
            Trouble::Failing => {
                "look at the disk (the system's log names it), then: loopwright doctor; what was stored before is kept"
            }
        }
    }
}

fn of_io(error: &io::Error) -> Option<Trouble> {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Trouble::Full),
        _ if crate::os::is_of_the_disk(error) => Some(Trouble::Failing),
        _ => None,
    }
}

fn of_sqlite(error: &rusqlite::Error) -> Option<Trouble> {
    // SQLite says this where no room is left for its shared memory.
    if error.sqlite_error().is_some_and(|e| e.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE) {
        return Some(Trouble::Full);
    }
    match error.sqlite_error_code()? {
        rusqlite::ErrorCode::DiskFull => Some(Trouble::Full),
        rusqlite::ErrorCode::SystemIoFailure => Some(Trouble::Failing),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_is_told_from_everything_else() {
        let of = |code| Trouble::of(&anyhow::Error::from(io::Error::from_raw_os_error(code)).context("writing"));
        assert_eq!(of(libc::ENOSPC), Some(Trouble::Full));
        assert_eq!(of(libc::EDQUOT), Some(Trouble::Full));
        assert_eq!(of(libc::EIO), Some(Trouble::Failing));
        assert_eq!(of(libc::EACCES), None);
        let sqlite = |code| {
            let error = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
            Trouble::of(&anyhow::Error::from(error).context("committing"))
        };
        assert_eq!(sqlite(rusqlite::ffi::SQLITE_FULL), Some(Trouble::Full));
        assert_eq!(sqlite(rusqlite::ffi::SQLITE_IOERR_SHMSIZE), Some(Trouble::Full));
        assert_eq!(sqlite(rusqlite::ffi::SQLITE_IOERR_FSYNC), Some(Trouble::Failing));
        assert_eq!(sqlite(rusqlite::ffi::SQLITE_BUSY), None);
    }
}

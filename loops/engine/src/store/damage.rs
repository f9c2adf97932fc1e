//! Damage: how it is noticed when the database is opened, and how it is told. Nothing is written to what is damaged.
//!
//! Putting it right is `repair`'s.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use rusqlite::Connection;

use super::seal::{self, Seal, Unsound};
use super::told::told;
use super::wal;
use super::{NEWEST, backup};
use crate::home::Home;

/// Up to this size every opening looks at every row; a larger database is looked at whole before each backup.
const SMALL: u64 = 8 << 20;

/// The database is not what was written.
#[derive(Debug, thiserror::Error)]
#[error("the database {} is damaged ({what}); nothing was changed in it", path.display())]
pub struct Damaged {
    /// Its file.
    pub path: PathBuf,
    /// What was seen.
    pub what: String,
}

/// The database was written by a newer program, as far as its header says.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} was written by a newer Loopwright (format {version}, this one knows {NEWEST}); nothing was changed. \
     Update Loopwright, or use another LOOPWRIGHT_HOME",
    path.display()
)]
pub struct Newer {
    /// Its file.
    pub path: PathBuf,
    /// Its format.
    pub version: i64,
    /// Whether a backup of a newer format lies beside it too, so that its header can't be what is damaged.
    pub sure: bool,
}

impl Newer {
    /// What a person can do who knows that no newer program was here.
    pub fn hint(&self) -> Option<String> {
        let doubt =
            "if no newer Loopwright was ever used here, its header is damaged: loopwright doctor --repair --not-newer";
        (!self.sure).then(|| doubt.to_owned())
    }
}

impl Damaged {
    /// What an error says of the database at `path`.
    pub(super) fn of(error: &anyhow::Error, path: &Path) -> Damaged {
        Damaged { path: path.to_owned(), what: error.root_cause().to_string() }
    }

    /// What a person can do.
    pub fn repair(&self) -> String {
        "loopwright doctor --repair puts the files aside and goes back to the newest backup, with all that was done since"
            .to_owned()
    }
}

/// Whether an error says that the content is not what was written.
pub fn says_damaged(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    let sqlite = |e: &rusqlite::Error| matches!(e.sqlite_error_code(), Some(NotADatabase | DatabaseCorrupt));
    error.chain().any(|e| e.is::<Unsound>() || e.downcast_ref().is_some_and(sqlite))
}

/// The same of an error while the database is opened, when nothing was asked that a sound one could refuse: all that is not
/// a matter of its surroundings (locks, space, rights, the disk itself).
pub(super) fn says_damaged_at_opening(error: &anyhow::Error) -> bool {
    use rusqlite::ErrorCode as Code;
    let around = |code| {
        let busy = matches!(code, Code::DatabaseBusy | Code::DatabaseLocked | Code::FileLockingProtocolFailed);
        let host =
            matches!(code, Code::DiskFull | Code::SystemIoFailure | Code::OutOfMemory | Code::OperationInterrupted);
        busy || host || matches!(code, Code::CannotOpen | Code::PermissionDenied | Code::ReadOnly)
    };
    let inside = |e: &rusqlite::Error| e.sqlite_error_code().is_none_or(|code| !around(code));
    says_damaged(error) || error.chain().any(|e| e.downcast_ref().is_some_and(inside))
}

/// Looks at the files before SQLite does, which would write beside them.
///
/// # Errors
/// They are [`Newer`], or [`Damaged`]: gone though there are backups.
pub(super) fn look(home: &Home) -> Result<()> {
    let path = home.database();
    // In this order: the first backup comes after the first page.
    if !backup::all(&home.backups()).is_empty() && fs::metadata(&path).map_or(0, |m| m.len()) == 0 {
        let what = if path.exists() { "it is empty" } else { "it is gone" };
        return Err(Damaged { path, what: what.to_owned() }.into());
    }
    match newest_version(&path)? {
        // A header that says so is believed: what a newer program wrote must never be taken for damage.
        Some(version) if version > NEWEST => {
            let sure = has_newer_backup(&home.backups())?;
            Err(Newer { path, version, sure }.into())
        }
        _ => Ok(()),
    }
}

/// Whether a newer program was here for sure: it makes a backup before and after it migrates.
fn has_newer_backup(folder: &Path) -> Result<bool> {
    for path in backup::all(folder) {
        let name = path.file_stem().and_then(|n| n.to_str()?.strip_prefix("before-v")?.parse().ok());
        if name.max(newest_version(&path)?) > Some(NEWEST) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The version in the first page: its newest committed copy in the write-ahead log, or else the file's own. A power cut may
/// leave torn pages in either; what the log holds whole is written over them.
fn newest_version(path: &Path) -> Result<Option<i64>> {
    let header = start(path, 100)?;
    let logged = wal::first_page(&start(&beside(path, "-wal"), u64::MAX)?).and_then(version);
    Ok(logged.or_else(|| version(&header)))
}

/// `user_version` of a first page.
fn version(page: &[u8]) -> Option<i64> {
    const SIGN: &[u8] = b"SQLite format 3\0";
    const AT: usize = 60;
    wal::number(page, AT).filter(|_| page.starts_with(SIGN)).map(i64::from)
}

/// The first bytes of a file; none if it is not there.
fn start(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path).and_then(|f| f.take(limit).read_to_end(&mut bytes)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("reading {}", path.display()))
        }
        _ => Ok(bytes),
    }
}

/// The file that SQLite keeps beside its database.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Whether every commit that was told of is there, and every row what was written.
///
/// # Errors
/// They are not ([`Unsound`]), or can't be read.
pub(super) fn check(db: &Connection, home: &Home) -> Result<()> {
    // Read first: both only grow.
    let told = told(&home.changed()).unwrap_or_default();
    let Seal { commits, schema, .. } = Seal::read(db)?;
    ensure!(schema == NEWEST, Unsound(format!("it says format {NEWEST}, its seal {schema}")));
    let header = start(&home.database(), 20)?;
    ensure!(header.ends_with(&[2, 2]), Unsound("its header was changed".to_owned()));
    ensure!(commits >= told, Unsound(format!("{} commits of {told} are missing", told - commits)));
    let path = home.database();
    let size = fs::metadata(&path).with_context(|| format!("looking at {}", path.display()))?.len();
    match size <= SMALL {
        true => seal::verify(db).map(drop),
        false => Ok(()),
    }
}

//! A disk that fails at a chosen call, and a witness of what is written; see `faults/shim.c`.
#![expect(clippy::expect_used, reason = "a disk for tests fails by panicking, as they do")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library that is preloaded.
const LIBRARY: &str = env!("FAULTS_LIBRARY");

/// The disk has an error.
pub const EIO: i32 = libc::EIO;
/// The disk is full.
pub const ENOSPC: i32 = libc::ENOSPC;

/// The calls that change something.
pub const CHANGES: &str = " write pwrite fsync fdatasync ftruncate rename unlink ";
/// The calls that begin something.
pub const BEGINNINGS: &str = " open connect fork spawn ";

/// One count of calls, shared by all processes that it is given to.
#[derive(Debug)]
pub struct Faults {
    root: PathBuf,
    folder: PathBuf,
}

impl Faults {
    /// Counts the calls on files below `root`; its own files are in `folder`.
    ///
    /// # Panics
    /// A file can't be written.
    pub fn below(root: &Path, folder: &Path) -> Faults {
        fs::create_dir_all(folder).expect("a folder");
        Faults { root: root.to_owned(), folder: folder.to_owned() }
    }

    /// Lets a program live with this disk; the call number `nth` fails with `errno`, none with 0.
    ///
    /// # Panics
    /// A file can't be written.
    pub fn fail(&self, command: &mut Command, nth: u64, errno: i32) {
        let mut counter = fs::File::create(self.folder.join("count")).expect("a file");
        counter.write_all(&[0u64.to_ne_bytes(), nth.to_ne_bytes()].concat()).expect("the count");
        let _ = fs::remove_file(self.folder.join("hit"));
        command.env("LD_PRELOAD", LIBRARY).env("FAULTS_ROOT", &self.root).env("FAULTS_ERRNO", errno.to_string());
        command.env("FAULTS_COUNT", self.folder.join("count")).env("FAULTS_HIT", self.folder.join("hit"));
    }

    /// The same, where only these calls count.
    ///
    /// # Panics
    /// A file can't be written.
    pub fn fail_of(&self, command: &mut Command, calls: &str, nth: u64, errno: i32) {
        self.fail(command, nth, errno);
        command.env("FAULTS_CALLS", calls);
    }

    /// Lets what a program writes be recorded.
    pub fn record(&self, command: &mut Command, log: &Path) {
        command.env("LD_PRELOAD", LIBRARY).env("FAULTS_ROOT", &self.root).env("FAULTS_LOG", log);
    }

    /// How many calls there were since [`Faults::fail`].
    ///
    /// # Panics
    /// The file can't be read.
    pub fn calls(&self) -> u64 {
        let bytes = fs::read(self.folder.join("count")).expect("the count");
        u64::from_ne_bytes(bytes[..8].try_into().expect("eight bytes"))
    }

    /// Which call failed: its name and its file.
    pub fn hit(&self) -> Option<String> {
        fs::read_to_string(self.folder.join("hit")).ok()
    }
}

/// Whether the full figures are asked for.
pub fn full() -> bool {
    std::env::var_os("LOOPWRIGHT_FULL").is_some_and(|v| v == "1")
}

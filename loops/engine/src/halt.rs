//! HALT: the files that stop everything, one loop or one run; and ARMED, without which nothing starts.
//!
//! When they mean that something must stop is decided by `core::lease::HaltView`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use loopwright_core::ids::LoopId;
use loopwright_core::lease::{self, EndCause, HaltNote, HaltView, Seen};

/// How much a HALT file stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HaltLevel {
    /// Everything of this person.
    All,
    /// One loop.
    Loop,
    /// One run.
    Run,
}

/// The files that one run, or whatever else may be halted, obeys.
#[derive(Clone, Debug)]
pub struct HaltFiles {
    /// Present: stop.
    pub halts: Vec<(HaltLevel, PathBuf)>,
    /// Absent: stop.
    pub armed: PathBuf,
}

/// Why it must stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HaltCause {
    /// The HALT file of this level exists.
    Asked(HaltLevel),
    /// This file can't be read.
    Unreadable(PathBuf),
    /// ARMED is gone.
    Disarmed,
    /// The watchdog is ending the run.
    Watchdog(EndCause),
}

impl fmt::Display for HaltCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HaltCause::Asked(HaltLevel::All) => f.write_str("HALT for everything"),
            HaltCause::Asked(HaltLevel::Loop) => f.write_str("HALT for this loop"),
            HaltCause::Asked(HaltLevel::Run) => f.write_str("HALT for this run"),
            HaltCause::Unreadable(path) => write!(f, "{} can't be read", path.display()),
            HaltCause::Disarmed => f.write_str("ARMED is gone"),
            HaltCause::Watchdog(EndCause::Time) => f.write_str("the run's time is over"),
            HaltCause::Watchdog(_) => f.write_str("the watchdog ends the run"),
        }
    }
}

impl HaltFiles {
    /// What stops everything.
    pub fn of_all(state: &Path) -> HaltFiles {
        HaltFiles { halts: vec![(HaltLevel::All, halt_all(state))], armed: armed(state) }
    }

    /// What stops a run of a loop.
    pub fn of_run(state: &Path, loop_id: LoopId, run_dir: &Path) -> HaltFiles {
        let mut files = HaltFiles::of_all(state);
        files.halts.push((HaltLevel::Loop, halt_loop(state, loop_id)));
        files.halts.push((HaltLevel::Run, halt_run(run_dir)));
        files
    }

    /// Looks at the files; none = nothing is to stop.
    pub fn look(&self) -> Option<HaltCause> {
        let halts: Vec<Seen> = self.halts.iter().map(|(_, path)| seen(path)).collect();
        Some(match HaltView::judge(&halts, seen_readable(&self.armed))? {
            HaltView::Asked(at) => HaltCause::Asked(self.halts[at].0),
            HaltView::HaltUnreadable(at) => HaltCause::Unreadable(self.halts[at].1.clone()),
            HaltView::Disarmed => HaltCause::Disarmed,
            HaltView::ArmedUnreadable => HaltCause::Unreadable(self.armed.clone()),
        })
    }
}

/// The HALT file of everything, in the state home.
pub fn halt_all(state: &Path) -> PathBuf {
    state.join(lease::HALT)
}

/// The HALT file of one loop.
pub fn halt_loop(state: &Path, loop_id: LoopId) -> PathBuf {
    state.join("halt").join(loop_id.to_string())
}

/// The HALT file of one run.
pub fn halt_run(run_dir: &Path) -> PathBuf {
    run_dir.join(lease::HALT)
}

/// The ARMED file, in the state home.
pub fn armed(state: &Path) -> PathBuf {
    state.join("ARMED")
}

/// Makes the folders that watchdogs watch, and ARMED; called when a data directory is created and by resume, never by a start.
///
/// # Errors
/// If they can't be written.
pub fn arm(state: &Path, note: &HaltNote) -> anyhow::Result<()> {
    fs::create_dir_all(state.join("halt")).with_context(|| format!("creating {}", state.display()))?;
    write(&armed(state), note)
}

/// Halts everything: writes HALT or, where nothing can be written, takes ARMED away.
///
/// # Errors
/// If neither is possible.
pub fn halt_everything(state: &Path, note: &HaltNote) -> anyhow::Result<()> {
    let Err(error) = write(&halt_all(state), note) else {
        return Ok(());
    };
    // Taking a file away works on a full disk.
    clear(&armed(state)).map(drop).with_context(|| format!("disarming, after this failed: {error:#}"))
}

/// Writes a HALT or ARMED file; if its note does not fit on the disk, the file is left empty, which means the same.
///
/// # Errors
/// If the file can't be created.
pub fn write(path: &Path, note: &HaltNote) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    }
    let json = serde_json::to_vec(note).context("writing a note")?;
    let file = fs::OpenOptions::new().create(true).truncate(true).write(true).open(path);
    let mut file = file.with_context(|| format!("creating {}", path.display()))?;
    let _ = io::Write::write_all(&mut file, &json).and_then(|()| file.sync_all());
    Ok(())
}

/// Reads a HALT or ARMED file: none if it is absent; a file without a legible note is one by nobody.
///
/// # Errors
/// If it is there and can't be read.
pub fn read(path: &Path) -> anyhow::Result<Option<HaltNote>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).unwrap_or_else(|_| HaltNote {
            at: chrono::DateTime::default(),
            by: String::new(),
            reason: String::new(),
        }))),
    }
}

/// Takes a HALT file away; true if there was one.
///
/// # Errors
/// If it can't be taken away.
pub fn clear(path: &Path) -> anyhow::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("removing {}", path.display())),
    }
}

/// Whether a file is there; its content and what it links to do not matter.
fn seen(path: &Path) -> Seen {
    match fs::symlink_metadata(path) {
        Ok(_) => Seen::Present,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Seen::Absent,
        Err(_) => Seen::Unreadable,
    }
}

/// Whether a file is there and can be read.
fn seen_readable(path: &Path) -> Seen {
    match fs::read(path) {
        Ok(_) => Seen::Present,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Seen::Absent,
        Err(_) => Seen::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(reason: &str) -> HaltNote {
        HaltNote { at: chrono::DateTime::default(), by: "test".to_owned(), reason: reason.to_owned() }
    }

    fn armed_home() -> (tempfile::TempDir, HaltFiles) {
        let home = tempfile::tempdir().expect("a folder");
        arm(home.path(), &note("new")).expect("armed");
        let loop_id = "01936f2e-0000-7000-8000-00001a2b3c4d".parse().expect("an id");
        let files = HaltFiles::of_run(home.path(), loop_id, &home.path().join("run"));
        (home, files)
    }

    #[test]
    fn each_level_halts_and_clearing_ends_it() {
        let (_home, files) = armed_home();
        assert_eq!(files.look(), None);
        for (level, path) in &files.halts {
            write(path, &note("stop")).expect("written");
            assert_eq!(files.look(), Some(HaltCause::Asked(*level)));
            assert_eq!(read(path).expect("read").map(|n| n.reason), Some("stop".to_owned()));
            assert!(clear(path).expect("cleared"));
            assert!(!clear(path).expect("nothing to clear"));
            assert_eq!(files.look(), None);
        }
    }

    #[test]
    fn no_arms_no_run() {
        let (_home, files) = armed_home();
        fs::remove_file(&files.armed).expect("disarmed");
        assert_eq!(files.look(), Some(HaltCause::Disarmed));
        fs::create_dir(&files.armed).expect("a folder in its place");
        assert_eq!(files.look(), Some(HaltCause::Unreadable(files.armed.clone())));
    }

    #[test]
    fn a_link_to_nowhere_and_an_empty_file_halt() {
        let (home, files) = armed_home();
        std::os::unix::fs::symlink("/nowhere", halt_all(home.path())).expect("a link");
        assert_eq!(files.look(), Some(HaltCause::Asked(HaltLevel::All)));
        clear(&halt_all(home.path())).expect("cleared");
        fs::write(halt_all(home.path()), "").expect("an empty file");
        assert_eq!(files.look(), Some(HaltCause::Asked(HaltLevel::All)));
        assert!(read(&halt_all(home.path())).expect("read").is_some());
    }

    #[test]
    fn where_nothing_can_be_written_arms_are_laid_down() {
        let (home, files) = armed_home();
        fs::create_dir(halt_all(home.path())).expect("a folder in the way");
        fs::remove_dir(halt_all(home.path())).expect("gone again");
        assert_eq!(files.look(), None);
        std::os::unix::fs::symlink("/nowhere/at/all", halt_all(home.path()))
            .expect("a link that can't be written through");
        halt_everything(home.path(), &note("stop")).expect("halted");
        assert!(!files.armed.exists());
        halt_everything(home.path(), &note("stop")).expect("halted already");
    }
}

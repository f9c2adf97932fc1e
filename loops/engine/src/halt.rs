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
    /// Absent: stop. None: nothing but a file that is there stops, as for what HALT leaves alone.
    pub armed: Option<PathBuf>,
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
        HaltFiles { halts: vec![(HaltLevel::All, halt_all(state))], armed: Some(armed(state)) }
    }

    /// What stops a run of a loop.
    pub fn of_run(state: &Path, loop_id: LoopId, run_dir: &Path) -> HaltFiles {
        let mut files = HaltFiles::of_all(state);
        files.halts.push((HaltLevel::Loop, halt_loop(state, loop_id)));
        files.halts.push((HaltLevel::Run, halt_run(run_dir)));
        files
    }

    /// What stops even the `finally:` steps of what these files stop: NOW beside each HALT, and only if it is there.
    pub fn nows(&self) -> HaltFiles {
        let halts = self.halts.iter().map(|(level, path)| (*level, now_beside(path))).collect();
        HaltFiles { halts, armed: None }
    }

    /// Looks at the files; none = nothing is to stop.
    pub fn look(&self) -> Option<HaltCause> {
        let halts: Vec<Seen> = self.halts.iter().map(|(_, path)| seen(path)).collect();
        let Some(armed) = &self.armed else {
            let asked = halts.iter().position(|seen| *seen == Seen::Present)?;
            return Some(HaltCause::Asked(self.halts[asked].0));
        };
        Some(match HaltView::judge(&halts, seen_readable(armed))? {
            HaltView::Asked(at) => HaltCause::Asked(self.halts[at].0),
            HaltView::HaltUnreadable(at) => HaltCause::Unreadable(self.halts[at].1.clone()),
            HaltView::Disarmed => HaltCause::Disarmed,
            HaltView::ArmedUnreadable => HaltCause::Unreadable(armed.clone()),
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

/// The NOW file beside a HALT file: `NOW`, for a loop `<id>.NOW`.
pub fn now_beside(halt: &Path) -> PathBuf {
    let name = halt.file_name().unwrap_or_default();
    if name == lease::HALT {
        return halt.with_file_name(lease::NOW);
    }
    let mut name = name.to_owned();
    name.push(".");
    name.push(lease::NOW);
    halt.with_file_name(name)
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
        let armed = files.armed.clone().expect("it obeys ARMED");
        fs::remove_file(&armed).expect("disarmed");
        assert_eq!(files.look(), Some(HaltCause::Disarmed));
        assert_eq!(files.nows().look(), None, "that says nothing of what follows on the end");
        fs::create_dir(&armed).expect("a folder in its place");
        assert_eq!(files.look(), Some(HaltCause::Unreadable(armed)));
    }

    #[test]
    fn now_stands_beside_each_halt_and_only_counts_if_it_is_there() {
        let (home, files) = armed_home();
        let nows = files.nows();
        let loop_now = home.path().join("halt/01936f2e-0000-7000-8000-00001a2b3c4d.NOW");
        let expected = [home.path().join("NOW"), loop_now, home.path().join("run/NOW")];
        assert_eq!(nows.halts.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>(), expected);
        for (level, path) in &files.halts {
            write(path, &note("stop")).expect("written");
            assert_eq!(nows.look(), None, "HALT alone lets what follows be done");
            write(&now_beside(path), &note("stop")).expect("written");
            assert_eq!(nows.look(), Some(HaltCause::Asked(*level)));
            clear(&now_beside(path)).expect("cleared");
        }
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
        assert!(!armed(home.path()).exists());
        halt_everything(home.path(), &note("stop")).expect("halted already");
    }
}

//! The runner's hold on its run directory: the lock, the beat, the list of living sandboxes, and whether it must stop.
//!
//! The formats are `core::lease`'s; what the watchdog does with them is its own.

use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use loopwright_core::lease::{self, Beat, End, InitRecord};

use crate::halt::{HaltCause, HaltFiles};
use crate::{fail, os};

/// Whoever only looks whether a run directory is free holds its lock for a moment.
const LOOKERS: Duration = Duration::from_millis(500);

/// Holds a run directory for as long as it lives.
#[derive(Debug)]
pub struct Supervision {
    dir: PathBuf,
    halt: HaltFiles,
    /// Whether that its watchdog ended the run ends this too.
    ends_with_run: bool,
    shared: Arc<Shared>,
    inits: Mutex<Vec<InitRecord>>,
    seen: OnceLock<HaltCause>,
    stop: Option<Sender<()>>,
    beating: Option<JoinHandle<()>>,
    // Dropped last: until then nobody else may take the run up.
    _lock: File,
}

#[derive(Debug)]
struct Shared {
    dir: PathBuf,
    /// This clock stands still while the computer sleeps.
    since: Instant,
    beat: Mutex<Beat>,
}

impl Supervision {
    /// Takes the run directory `dir`, creates what is missing in it, and begins to beat.
    ///
    /// # Errors
    /// If another process holds it, or it can't be written.
    pub fn take(dir: &Path, halt: HaltFiles) -> anyhow::Result<Supervision> {
        Supervision::hold(dir, halt, true)
    }

    /// Takes the run directory `dir` for what follows on the end of its run, which only these files stop.
    ///
    /// # Errors
    /// As [`Supervision::take`].
    pub fn take_after_end(dir: &Path, nows: HaltFiles) -> anyhow::Result<Supervision> {
        Supervision::hold(dir, nows, false)
    }

    fn hold(dir: &Path, halt: HaltFiles, ends_with_run: bool) -> anyhow::Result<Supervision> {
        for folder in [lease::RAW, lease::EVIDENCE, lease::RECORD] {
            fs::create_dir_all(dir.join(folder)).with_context(|| format!("creating {folder} in {}", dir.display()))?;
        }
        let lock = lock(dir)?;
        fail::of_run(dir);
        fail::point("lock-taken");
        end_leftovers(dir)?;
        let shared = Arc::new(Shared { dir: dir.to_owned(), since: Instant::now(), beat: Mutex::default() });
        // Here and not in the thread: a run that can't beat must not begin.
        shared.beat()?;
        let (stop, stopped) = mpsc::channel();
        let beating = beat_until(stopped, Arc::clone(&shared))?;
        Ok(Supervision {
            dir: dir.to_owned(),
            halt,
            ends_with_run,
            shared,
            inits: Mutex::default(),
            seen: OnceLock::new(),
            stop: Some(stop),
            beating: Some(beating),
            _lock: lock,
        })
    }

    /// The run directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Changes what the beat tells, and beats: what was spent must be known outside of the database too.
    pub fn tell(&self, change: impl FnOnce(&mut Beat)) {
        change(&mut held(&self.shared.beat));
        if let Err(error) = self.shared.beat() {
            tracing::warn!("no beat: {error:#}");
        }
    }

    /// Writes down a sandbox, so that the watchdog can end it; before its program may start.
    ///
    /// # Errors
    /// If it can't be written; then the sandbox must not go on.
    pub fn record_init(&self, record: &InitRecord) -> anyhow::Result<()> {
        let mut inits = held(&self.inits);
        inits.push(record.clone());
        self.write_inits(&inits)?;
        fail::point("box-recorded");
        Ok(())
    }

    /// Writes down the pipe that a sandbox in the making waits at, before it is begun.
    ///
    /// # Errors
    /// If it can't be written; then no sandbox may be made.
    pub fn record_gate(&self, pipe: u64) -> anyhow::Result<()> {
        let path = self.dir.join(lease::GATES);
        let line = format!("{pipe} {}\n", os::boot_id()?);
        let opened = File::options().append(true).create(true).open(&path);
        opened
            .and_then(|mut file| file.write_all(line.as_bytes()))
            .with_context(|| format!("writing {}", path.display()))
    }

    /// Strikes out a sandbox of which nothing lives any more.
    ///
    /// # Errors
    /// If it can't be written; nothing is lost by that, since a dead sandbox is never mistaken for a living process.
    pub fn forget_init(&self, record: &InitRecord) -> anyhow::Result<()> {
        let mut inits = held(&self.inits);
        inits.retain(|known| known != record);
        self.write_inits(&inits)
    }

    /// Whether the run must stop, and why. What has once been so stays so: a sandbox that was ended by a HALT that came and
    /// went, or by a file that could not be read for a moment, must not look like a step that failed.
    pub fn halted(&self) -> Option<HaltCause> {
        if let Some(seen) = self.seen.get() {
            return Some(seen.clone());
        }
        let cause = self.halt.look().or_else(|| {
            let written = self.ends_with_run.then(|| fs::read(self.dir.join(lease::END)).ok()).flatten()?;
            let end = End::parse(&written)?;
            Some(HaltCause::Watchdog(end.cause))
        })?;
        Some(self.seen.get_or_init(|| cause).clone())
    }

    /// The cause in words, with the reason that the person gave.
    pub fn halt_text(&self, cause: &HaltCause) -> String {
        let HaltCause::Asked(level) = cause else { return cause.to_string() };
        let file = self.halt.halts.iter().find(|(of, _)| of == level);
        match file.and_then(|(_, path)| crate::halt::read(path).ok().flatten()) {
            Some(note) if !note.reason.is_empty() => format!("{cause}: {}", note.reason),
            _ => cause.to_string(),
        }
    }

    fn write_inits(&self, inits: &[InitRecord]) -> anyhow::Result<()> {
        let text: String = inits.iter().map(InitRecord::line).collect();
        replace(&self.dir, lease::INITS, text.as_bytes())
    }
}

impl Drop for Supervision {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(beating) = self.beating.take() {
            let _ = beating.join();
        }
    }
}

impl Shared {
    fn beat(&self) -> anyhow::Result<()> {
        // Held to the end: two threads beat.
        let mut beat = held(&self.beat);
        beat.seq += 1;
        beat.awake_s = self.since.elapsed().as_secs();
        let json = serde_json::to_vec(&*beat).context("writing a beat")?;
        replace(&self.dir, lease::BEAT, &json)
    }
}

/// Refuses to go on without a living watchdog, and makes this process die with it.
/// To be called first by a runner, from its main thread.
///
/// # Errors
/// If this process was not started by a watchdog, or the watchdog is gone.
pub fn require_watchdog() -> anyhow::Result<()> {
    const REFUSAL: &str = "a run starts only under its watchdog: use `loopwright run`";
    let number = std::env::var(lease::WATCHDOG_FD).ok().and_then(|text| text.parse().ok());
    let Some(number) = number else { bail!(REFUSAL) };
    os::die_with_parent()?;
    // Looked at after the line above: from here on its death is ours, and if it died before, its end of the pipe is closed.
    if !os::pipe_is_held(number) {
        bail!(REFUSAL);
    }
    Ok(())
}

/// Claims the right to bring a run to life, or to write its end; none if somebody has it. A watchdog that is launched with
/// the claim keeps it as long as it or its runner lives, so that whoever gets it knows that both are gone.
///
/// # Errors
/// If it can't be tried.
pub fn claim(dir: &Path) -> anyhow::Result<Option<File>> {
    patiently(|| hold(dir, lease::CLAIM))
}

/// Whether nobody has the claim to this run directory.
///
/// # Errors
/// If it can't be tried.
pub fn is_unclaimed(dir: &Path) -> anyhow::Result<bool> {
    free(&dir.join(lease::CLAIM))
}

/// Holds a file of a run directory; none if it is held.
fn hold(dir: &Path, name: &str) -> anyhow::Result<Option<File>> {
    let path = dir.join(name);
    let file = File::create(&path).with_context(|| format!("creating {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("trying {}", path.display())),
    }
}

/// Whether nobody holds this run directory: its runner ended or died.
///
/// # Errors
/// If the lock can't be tried.
pub fn is_free(dir: &Path) -> anyhow::Result<bool> {
    free(&dir.join(lease::LOCK))
}

fn free(path: &Path) -> anyhow::Result<bool> {
    if !path.exists() {
        return Ok(true);
    }
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock_shared() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("trying {}", path.display())),
    }
}

fn lock(dir: &Path) -> anyhow::Result<File> {
    let held = patiently(|| hold(dir, lease::LOCK))?;
    held.with_context(|| format!("the run in {} is held by another process", dir.display()))
}

/// Tries as long as somebody who only looks may stand in the way.
fn patiently(hold: impl Fn() -> anyhow::Result<Option<File>>) -> anyhow::Result<Option<File>> {
    let until = Instant::now() + LOOKERS;
    loop {
        match hold()? {
            None if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
            held => return Ok(held),
        }
    }
}

fn beat_until(stopped: mpsc::Receiver<()>, shared: Arc<Shared>) -> anyhow::Result<JoinHandle<()>> {
    let beating = move || {
        while stopped.recv_timeout(lease::BEAT_EVERY) == Err(RecvTimeoutError::Timeout) {
            // A beat that can't be written is a beat that is missing: the watchdog judges that.
            if let Err(error) = shared.beat() {
                tracing::warn!("no beat: {error:#}");
            }
        }
    };
    std::thread::Builder::new().name("beat".to_owned()).spawn(beating).context("starting to beat")
}

/// Ends the sandboxes that a former holder of this run directory left, and begins a new list.
///
/// # Errors
/// One does not end.
pub(crate) fn end_leftovers(dir: &Path) -> anyhow::Result<()> {
    let left = fs::read(dir.join(lease::INITS)).unwrap_or_default();
    for record in lease::parse_inits(&left) {
        os::end_recorded(&record)?;
    }
    let boot = os::boot_id()?;
    let gates = fs::read_to_string(dir.join(lease::GATES)).unwrap_or_default();
    let of_this_boot = |line: &str| line.split_once(' ').filter(|(_, of)| *of == boot)?.0.parse().ok();
    os::end_those_at(&gates.lines().filter_map(of_this_boot).collect());
    replace(dir, lease::GATES, b"")?;
    replace(dir, lease::INITS, b"")
}

/// Replaces a file so that a reader sees the old or the new content, never a part.
pub(crate) fn replace(dir: &Path, name: &str, content: &[u8]) -> anyhow::Result<()> {
    let fresh = dir.join(format!(".{name}.new"));
    let written = File::create(&fresh).and_then(|mut file| file.write_all(content));
    written.with_context(|| format!("writing {}", fresh.display()))?;
    fs::rename(&fresh, dir.join(name)).with_context(|| format!("replacing {name} in {}", dir.display()))
}

/// What a mutex holds; a thread that panicked with it has left it whole, as all changes here are single steps.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::halt::{self, HaltLevel};
    use loopwright_core::lease::{EndCause, HaltNote, moment};

    fn note() -> HaltNote {
        HaltNote { at: chrono::DateTime::default(), by: "test".to_owned(), reason: String::new() }
    }

    fn run_dir() -> (tempfile::TempDir, HaltFiles, PathBuf) {
        let home = tempfile::tempdir().expect("a folder");
        halt::arm(home.path(), &note()).expect("armed");
        let run = home.path().join("run");
        fs::create_dir(&run).expect("a run directory");
        let mut files = HaltFiles::of_all(home.path());
        files.halts.push((HaltLevel::Run, halt::halt_run(&run)));
        (home, files, run)
    }

    #[test]
    fn one_holder_at_a_time() {
        let (_home, files, run) = run_dir();
        assert!(is_free(&run).expect("tried"));
        let first = Supervision::take(&run, files.clone()).expect("taken");
        assert!(!is_free(&run).expect("tried"));
        let error = Supervision::take(&run, files.clone()).expect_err("held");
        assert!(error.to_string().contains("held by another process"), "{error}");
        drop(first);
        Supervision::take(&run, files).expect("free again");
    }

    #[test]
    fn it_beats_from_the_first_moment() {
        let (_home, files, run) = run_dir();
        let held = Supervision::take(&run, files).expect("taken");
        let seq = || Beat::parse(&fs::read(run.join(lease::BEAT)).expect("a beat")).expect("legible").seq;
        assert_eq!(seq(), 1);
        held.tell(|beat| beat.frozen = true);
        assert_eq!(seq(), 2, "what is told is told at once");
    }

    #[test]
    fn sandboxes_are_written_down_and_struck_out() {
        let (_home, files, run) = run_dir();
        let held = Supervision::take(&run, files).expect("taken");
        let record = |pid| InitRecord { pid, start: 5, boot: "b".to_owned() };
        let listed = || lease::parse_inits(&fs::read(run.join(lease::INITS)).expect("inits"));
        held.record_init(&record(10)).expect("written");
        held.record_init(&record(11)).expect("written");
        assert_eq!(listed(), [record(10), record(11)]);
        held.forget_init(&record(10)).expect("struck out");
        assert_eq!(listed(), [record(11)]);
    }

    #[test]
    fn halted_by_a_file_or_by_the_watchdog() {
        let (_home, files, run) = run_dir();
        let held = Supervision::take(&run, files).expect("taken");
        assert_eq!(held.halted(), None);
        let end = End { cause: EndCause::Time, killed: 0, at: moment(Duration::ZERO) };
        fs::write(run.join(lease::END), serde_json::to_vec(&end).expect("json")).expect("written");
        assert_eq!(held.halted(), Some(HaltCause::Watchdog(EndCause::Time)));
        let (_home, files, run) = run_dir();
        let held = Supervision::take(&run, files).expect("taken");
        halt::write(&halt::halt_run(&run), &note()).expect("halted");
        assert_eq!(held.halted(), Some(HaltCause::Asked(HaltLevel::Run)));
    }

    #[test]
    fn what_follows_on_the_end_is_deaf_to_it() {
        let (_home, files, run) = run_dir();
        let held = Supervision::take_after_end(&run, files.nows()).expect("taken");
        let end = End { cause: EndCause::Halted, killed: 0, at: moment(Duration::ZERO) };
        fs::write(run.join(lease::END), serde_json::to_vec(&end).expect("json")).expect("written");
        halt::write(&halt::halt_run(&run), &note()).expect("halted");
        assert_eq!(held.halted(), None);
        halt::write(&halt::now_beside(&halt::halt_run(&run)), &note()).expect("halted at once");
        assert_eq!(held.halted(), Some(HaltCause::Asked(HaltLevel::Run)));
    }

    #[test]
    fn a_halt_that_came_and_went_has_halted_the_run() {
        let (_home, files, run) = run_dir();
        let held = Supervision::take(&run, files.clone()).expect("taken");
        halt::write(&halt::halt_run(&run), &note()).expect("halted");
        assert!(held.halted().is_some());
        fs::remove_file(halt::halt_run(&run)).expect("removed");
        assert_eq!(files.look(), None, "the control: nothing halts any more");
        assert_eq!(held.halted(), Some(HaltCause::Asked(HaltLevel::Run)));
    }

    #[test]
    fn what_a_former_holder_left_is_ended_and_strangers_are_not() {
        let (_home, files, run) = run_dir();
        let cat = || {
            let mut command = std::process::Command::new("cat");
            command.stdin(std::process::Stdio::piped()).spawn().expect("cat")
        };
        let record = |child: &std::process::Child, later| {
            let pid = i32::try_from(child.id()).expect("a pid");
            let start = os::process_stat(pid).expect("it lives").start + later;
            InitRecord { pid, start, boot: os::boot_id().expect("a boot") }
        };
        let (mut left, mut stranger) = (cat(), cat());
        let lines = record(&left, 0).line() + &record(&stranger, 1).line();
        fs::write(run.join(lease::INITS), lines).expect("written");
        let _held = Supervision::take(&run, files).expect("taken");
        left.wait().expect("ended");
        assert!(stranger.try_wait().expect("asked").is_none(), "it lives");
        stranger.kill().expect("killed");
        stranger.wait().expect("collected");
    }

    #[test]
    fn no_run_without_a_watchdog() {
        let error = require_watchdog().expect_err("the tests have none");
        assert!(error.to_string().contains("use `loopwright run`"), "{error}");
    }
}

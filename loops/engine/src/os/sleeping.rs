//! Waiting where nothing better is built yet: short sleeps, and a look at the time. Unproven: no suite runs on these systems.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use chrono::{DateTime, Utc};

use super::{Held, Stop};

/// How long nobody looks at the time and the files.
const STEP: Duration = Duration::from_millis(500);

/// How long since 1970, twice: what was slept can't be told apart here.
pub fn clocks() -> (Duration, Duration) {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since, since)
}

/// Gives memory back: nothing to do here.
pub fn give_memory_back() {}

/// What was waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// Somebody says to stop.
    pub stop: bool,
    /// The time has come.
    pub time: bool,
    /// What is in a watched file changed.
    pub file: bool,
    /// A watched name came or went.
    pub name: bool,
    /// A watched process ended: never told here.
    pub process: bool,
}

/// Waits for whatever comes first.
#[derive(Debug, Default)]
pub struct Wake {
    watched: Vec<(PathBuf, Option<SystemTime>)>,
    told: Option<Receiver<()>>,
}

impl Wake {
    /// Waits for nothing yet.
    ///
    /// # Errors
    /// Never.
    pub fn new() -> Result<Wake> {
        Ok(Wake::default())
    }

    /// Watches one file.
    pub fn watch_file(&mut self, path: &Path) {
        self.watched.push((path.to_owned(), changed(path)));
    }

    /// Watches a folder, whatever comes and goes in it.
    pub fn watch_folder(&mut self, folder: &Path, _names: &[&str]) {
        self.watch_file(folder);
    }

    /// Watches folders whose files start loops: left to the next pass here.
    pub fn watch_contents(&mut self, _folders: Vec<PathBuf>) -> bool {
        false
    }

    /// Watches processes for their end: left to the next pass here.
    pub fn watch_processes(&mut self, _processes: Vec<Held>) {}

    /// Waits until `until`, a watched file changes, or `stop` has something to read.
    ///
    /// # Errors
    /// The descriptor can't be read.
    pub fn wait(&mut self, until: DateTime<Utc>, stop: Stop<'_>) -> Result<Woken> {
        loop {
            let time = Utc::now() >= until;
            let stop = self.stopped_within(if time { Duration::ZERO } else { STEP }, stop)?;
            let file = self.watched.iter_mut().fold(false, |any, (path, seen)| {
                let before = std::mem::replace(seen, changed(path));
                any | (before != *seen)
            });
            let woken = Woken { stop, time, file, name: file, process: false };
            if woken != Woken::default() {
                return Ok(woken);
            }
        }
    }

    /// Waits until `until` or a word to stop; true if it is to stop.
    ///
    /// # Errors
    /// The descriptor can't be read.
    pub fn rest(&mut self, until: DateTime<Utc>, stop: Stop<'_>) -> Result<bool> {
        loop {
            let time = Utc::now() >= until;
            let stop = self.stopped_within(if time { Duration::ZERO } else { STEP }, stop)?;
            if stop || time {
                return Ok(stop);
            }
        }
    }

    /// Whether somebody says to stop, or did. A thread reads that, because nothing here asks a pipe without waiting for it.
    fn stopped_within(&mut self, limit: Duration, stop: Stop<'_>) -> Result<bool> {
        let told = match self.told.take() {
            Some(told) => told,
            None => listen(stop)?,
        };
        let silent = told.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
        self.told = Some(told);
        Ok(!silent)
    }

    /// Collects children that have ended: not built here yet.
    pub fn collect(&mut self) {}
}

/// What closes once the descriptor has something to read, or is at its end.
fn listen(stop: Stop<'_>) -> Result<Receiver<()>> {
    let mut word = File::from(stop.try_clone_to_owned().context("listening for the word to stop")?);
    let (tell, told) = mpsc::channel();
    let listening = move || {
        let _ = word.read(&mut [0]);
        drop(tell);
    };
    std::thread::Builder::new().name("stop".to_owned()).spawn(listening).context("listening for the word to stop")?;
    Ok(told)
}

fn changed(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|seen| seen.modified()).ok()
}

/// As long as this is held, the computer does not fall asleep by itself: not built yet.
#[derive(Debug)]
pub struct Awake {}

/// Keeps the computer from falling asleep by itself.
///
/// # Errors
/// Always: not supported yet.
pub fn stay_awake(_why: &str) -> Result<Awake> {
    bail!("keeping this system awake is not supported yet")
}

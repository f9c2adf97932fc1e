//! The scheduler's seat: the lock that one process has, the beat that it leaves, and what others read from both.
//!
//! What it does there is in [`super::serve`]; what its beat means is `core::scheduler`'s.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::due::Absence;
use loopwright_core::exit;
use loopwright_core::lease::{InitRecord, parse_inits};
use loopwright_core::scheduler::{self, Between, Health, Reading, SchedulerBeat};
use loopwright_core::wake::WakeMark;
use serde::Serialize;

use super::{ApiError, Context};
use crate::home::{Home, replace};
use crate::{clock, os};

/// How the scheduler is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SchedulerView {
    /// Alive, stuck or gone.
    pub health: Health,
    /// Its process.
    pub pid: Option<i32>,
    /// Since when it is the scheduler.
    pub since: Option<DateTime<Utc>>,
    /// When its last pass was, also that of one that is gone.
    pub last_pass: Option<DateTime<Utc>>,
    /// Why its passes fail.
    pub fault: Option<String>,
}

/// Where the lock is.
fn lock_path(home: &Home) -> PathBuf {
    home.data.join("scheduler.lock")
}

/// Where the beat is.
fn beat_path(home: &Home) -> PathBuf {
    home.state.join("scheduler")
}

/// How the scheduler is.
pub fn scheduler(context: &Context) -> SchedulerView {
    let holder = holder(&context.home).filter(lives);
    let beat = last_beat(&context.home);
    let own = beat.as_ref().filter(|beat| holder.as_ref().is_some_and(|holder| beat.is_of(holder)));
    let health = match (&holder, own, clock::reading()) {
        (None, ..) => Health::Gone,
        (Some(_), Some(beat), Ok(now)) => beat.health(true, &now),
        // It has only just begun, or can't finish its first pass.
        (Some(_), ..) => Health::Alive,
    };
    SchedulerView {
        health,
        pid: holder.as_ref().map(|record| record.pid),
        since: own.map(|beat| beat.since),
        last_pass: beat.as_ref().map(|beat| beat.reading.at),
        fault: own.and_then(|beat| beat.fault.clone()),
    }
}

/// When nobody looked since the last pass of the scheduler; nothing while one lives, which looks by itself.
pub(super) fn absences(context: &Context) -> Vec<Absence> {
    let lived = holder(&context.home).as_ref().is_some_and(lives);
    let beat = last_beat(&context.home).filter(|_| !lived);
    let now = clock::reading().ok();
    beat.zip(now).map(|(beat, now)| scheduler::between(&beat.reading, &now, false).absences).unwrap_or_default()
}

/// What the scheduler that lives says of its wake timer; none where none lives.
pub(super) fn wake_mark(context: &Context) -> Option<Option<WakeMark>> {
    let holder = holder(&context.home).filter(lives)?;
    last_beat(&context.home).filter(|beat| beat.is_of(&holder)).map(|beat| beat.wake)
}

/// Ends the process that holds the lock, for whoever takes its place: one that makes no pass ends by no gentler word.
///
/// # Errors
/// It does not end.
pub(super) fn end_holder(home: &Home) -> Result<()> {
    match holder(home).filter(lives) {
        Some(record) => os::end_recorded(&record).context("ending the scheduler that makes no pass any more"),
        None => Ok(()),
    }
}

/// Who wrote itself into the lock file last.
fn holder(home: &Home) -> Option<InitRecord> {
    parse_inits(&fs::read(lock_path(home)).ok()?).into_iter().next()
}

/// Whether the very process of a record is there.
fn lives(record: &InitRecord) -> bool {
    let stat = os::process_stat(record.pid);
    // One that is dead and not collected yet holds nothing.
    let same = stat.is_some_and(|stat| stat.start == record.start && stat.state != 'Z');
    same && os::boot_id().is_ok_and(|boot| boot == record.boot)
}

fn last_beat(home: &Home) -> Option<SchedulerBeat> {
    SchedulerBeat::parse(&fs::read(beat_path(home)).ok()?)
}

/// What the process that holds the lock keeps.
#[derive(Debug)]
pub(super) struct Seat {
    /// Its process.
    pub(super) pid: i32,
    start: u64,
    since: DateTime<Utc>,
    /// The clocks at the last pass that came to its end, and whether that was ours.
    last: Option<(Reading, bool)>,
    path: PathBuf,
    // Held as long as the process lives.
    _lock: File,
}

impl Seat {
    /// Takes the lock.
    ///
    /// # Errors
    /// Another process has it; the message names it.
    pub(super) fn take(context: &Context) -> Result<Seat, ApiError> {
        let lock = lock(&context.home)?;
        let pid = i32::try_from(std::process::id()).context("our own process number")?;
        let start = os::process_stat(pid).map(|stat| stat.start).unwrap_or_default();
        let record = InitRecord { pid, start, boot: os::boot_id()? };
        write(&lock, &record).with_context(|| format!("writing {}", lock_path(&context.home).display()))?;
        let last = last_beat(&context.home).map(|beat| (beat.reading, false));
        Ok(Seat { pid, start, since: clock::now(), last, path: beat_path(&context.home), _lock: lock })
    }

    /// What happened since the last pass that came to its end.
    pub(super) fn since_last(&self, now: &Reading) -> Between {
        self.last.as_ref().map(|(last, ours)| scheduler::between(last, now, *ours)).unwrap_or_default()
    }

    /// Tells that a pass came to its end, when the next has something to do, and how the wake timer is set.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn beat(&mut self, now: Reading, next: Option<DateTime<Utc>>, wake: Option<WakeMark>) -> Result<()> {
        self.last = Some((now.clone(), true));
        self.write(now, next, None, wake)
    }

    /// Tells that a pass failed: the beat stays as old as it is.
    ///
    /// # Errors
    /// It can't be written.
    pub(super) fn fault(&self, now: Reading, fault: String) -> Result<()> {
        let last = self.last.clone().filter(|(_, ours)| *ours).map_or(now, |(last, _)| last);
        self.write(last, None, Some(fault), None)
    }

    fn write(
        &self,
        reading: Reading,
        next: Option<DateTime<Utc>>,
        fault: Option<String>,
        wake: Option<WakeMark>,
    ) -> Result<()> {
        let beat = SchedulerBeat { pid: self.pid, start: self.start, since: self.since, reading, next, fault, wake };
        replace(&self.path, &serde_json::to_vec(&beat).context("writing a beat")?)
    }
}

fn lock(home: &Home) -> Result<File, ApiError> {
    let path = lock_path(home);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let file = file.with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(taken(home)),
        Err(TryLockError::Error(error)) => {
            let error = anyhow::Error::from(error);
            Err(error.context(format!("trying {}", path.display())).into())
        }
    }
}

/// What is said to a second one.
fn taken(home: &Home) -> ApiError {
    let holder = holder(home).filter(lives);
    let beat = last_beat(home).filter(|beat| holder.as_ref().is_some_and(|holder| beat.is_of(holder)));
    let process = holder.map(|record| format!(" (process {})", record.pid)).unwrap_or_default();
    let since = beat.map(|beat| format!(" since {}", beat.since.format("%Y-%m-%d %H:%M:%S UTC"))).unwrap_or_default();
    let message = format!("a scheduler runs already{process}{since}; one is enough, and nothing was started");
    ApiError::new(exit::FAILED, message).hint("`loopwright status` shows how it is")
}

fn write(mut lock: &File, record: &InitRecord) -> std::io::Result<()> {
    let line = record.line();
    let mut before = String::new();
    // Replaced in place: whoever reads meanwhile finds a whole line or none.
    lock.read_to_string(&mut before)?;
    lock.set_len(0)?;
    std::io::Seek::rewind(&mut lock)?;
    lock.write_all(line.as_bytes())
}

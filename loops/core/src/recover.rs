//! What becomes of a run whose journal has no end: a pure decision over what its processes left.
//!
//! Who looks, and what is then done, is the engine's reconcile pass.

use chrono::DateTime;

use crate::lease::{BEAT_EVERY, Beat, EndCause};
use crate::run::{End, Entry, HaltWhy, Run, RunEvent};

/// How often a run is taken up again at most.
pub const MOST_TAKEN_UP: u32 = 5;

/// What is left of a run.
#[derive(Clone, Copy, Debug)]
pub struct Left<'a> {
    /// The run as its journal has it.
    pub run: &'a Run,
    /// Whether a process of it lives, or somebody brings it to life at this moment.
    pub alive: bool,
    /// Why everything, its loop or the run is halted now.
    pub halted: Option<&'a str>,
    /// Why its last watchdog ended it, if it did.
    pub ended: Option<EndCause>,
    /// Awake seconds that it has taken in all.
    pub worked_s: u64,
}

/// What is to be done with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing: it lives, or has its end.
    Leave,
    /// Its end is written.
    End(End),
    /// It goes on under a new watchdog.
    TakeUp,
}

/// Decides what becomes of a run; asked in this order: does it live? was it to stop? may it be taken up once more?
pub fn recover(left: &Left<'_>) -> Recovery {
    if left.alive || left.run.end.is_some() {
        return Recovery::Leave;
    }
    if let Some(detail) = left.halted {
        return halted(HaltWhy::Halt, detail.to_owned());
    }
    match left.ended {
        Some(EndCause::Halted) => return halted(HaltWhy::Halt, "its watchdog ended it".to_owned()),
        Some(EndCause::Time) => return halted(HaltWhy::Time, "its watchdog ended it: the time was over".to_owned()),
        Some(EndCause::Silent | EndCause::Died) | None => {}
    }
    let most = left.run.start.rails.max_duration_s;
    if left.worked_s >= most {
        return halted(HaltWhy::Time, format!("the run took its {most} s (max_duration) before its processes died"));
    }
    if left.run.start.epoch > MOST_TAKEN_UP {
        let why = format!(
            "its processes died {} times, the last time {}; its findings are open again",
            left.run.start.epoch,
            during(left.run)
        );
        return Recovery::End(End::Failed { why });
    }
    Recovery::TakeUp
}

fn halted(why: HaltWhy, detail: String) -> Recovery {
    Recovery::End(End::Halted { why, detail })
}

fn during(run: &Run) -> String {
    match run.open.first() {
        Some((step, _)) => format!("in {}", step.name()),
        None => "between two steps".to_owned(),
    }
}

/// How long the processes of the last epoch were awake, in seconds: by their beats or, where none can be read, by the times
/// of their events.
pub fn last_worked_s(beat: Option<&Beat>, journal: &[Entry]) -> u64 {
    beat.map_or_else(|| between_events_s(journal), |beat| beat.seq.saturating_mul(BEAT_EVERY.as_secs()))
}

/// From the last start of the run to its last event.
fn between_events_s(journal: &[Entry]) -> u64 {
    let started = journal.iter().rev().find(|entry| matches!(entry.event, RunEvent::RunStarted(_)));
    let at = |entry: &Entry| DateTime::parse_from_rfc3339(&entry.at).ok();
    let span = started.and_then(at).zip(journal.last().and_then(at)).map(|(first, last)| last - first);
    span.and_then(|span| u64::try_from(span.num_seconds()).ok()).unwrap_or(0)
}

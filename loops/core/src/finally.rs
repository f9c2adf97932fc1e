//! What follows on the end of a run: its `finally:` steps, in order, each once; a pure function of the run's state.
//!
//! Who performs them, in which time, is the watchdog's and the engine's. No step waits for the one before to end well.

use uuid::Uuid;

use crate::definition::RunStep;
use crate::run::{Progress, Run, Stand, Step};

/// How often a step that says `idempotent: true` is cut off at most until it is left.
pub const MOST_CUT_OFF: u32 = 3;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A try that nobody ended is written down as cut off.
    CutOff(Uuid, &'a str),
    /// This step begins.
    Start {
        /// Which.
        step: &'a RunStep,
        /// Seconds to wait before: it failed, and is tried again.
        after_s: u64,
    },
    /// Nothing: the run gets its last event.
    Done,
}

/// Decides what is next for a run whose end is decided, where no process of it lives but the one that asks.
pub fn next(run: &Run) -> Next<'_> {
    let open = run.open.iter().find_map(|(step, id)| match step {
        Step::Finally { name } => Some(Next::CutOff(*id, name)),
        _ => None,
    });
    open.unwrap_or_else(|| left(run).next().map_or(Next::Done, |(step, after_s)| Next::Start { step, after_s }))
}

/// The names of the steps that are still to begin.
pub fn ahead(run: &Run) -> Vec<&str> {
    left(run).map(|(step, _)| step.name.as_str()).collect()
}

/// Whether a step that was cut off is left as it is: it may have done its work, or a part of it.
pub fn stays_unknown(run: &Run, name: &str) -> bool {
    let mut steps = run.start.chores.finally.steps.iter().zip(&run.finally);
    steps.any(|(step, progress)| step.name == name && progress.unknown && again(step, progress).is_none())
}

fn left(run: &Run) -> impl Iterator<Item = (&RunStep, u64)> {
    let steps = run.start.chores.finally.steps.iter().zip(&run.finally);
    steps.filter_map(|(step, progress)| match progress.stand {
        Stand::Done => None,
        Stand::Ahead => Some((step, 0)),
        Stand::Begun => again(step, progress).map(|after_s| (step, after_s)),
    })
}

/// After how many seconds a step that has begun is tried once more; none = it is not.
fn again(step: &RunStep, progress: &Progress) -> Option<u64> {
    if progress.unknown {
        return (step.idempotent && progress.cut_off < MOST_CUT_OFF).then_some(0);
    }
    let failed = progress.tries.saturating_sub(progress.cut_off);
    (failed <= step.retry.times).then_some(step.retry.every_s)
}

#[cfg(test)]
#[path = "finally/tests.rs"]
mod tests;

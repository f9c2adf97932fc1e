//! Exit codes: a published table, the same for every verb.

use crate::run::{End, HaltWhy, HandOver};

/// Done.
pub const DONE: u8 = 0;
/// It failed.
pub const FAILED: u8 = 1;
/// The command line is wrong.
pub const USAGE: u8 = 2;
/// The loop file is invalid.
pub const INVALID_LOOP: u8 = 3;
/// Halted.
pub const HALTED: u8 = 10;
/// The budget is reached.
pub const BUDGET: u8 = 11;
/// No progress (`run --finding` only).
pub const NO_PROGRESS: u8 = 12;
/// The cap of iterations is reached (`run --finding` only).
pub const ITERATION_CAP: u8 = 13;
/// The time is over.
pub const TIME: u8 = 14;
/// Nothing to do.
pub const NOTHING: u8 = 20;
/// Something waits for a person.
pub const WAITS: u8 = 21;
/// A defect of Loopwright.
pub const INTERNAL: u8 = 70;

/// The code of a run that ended so; `waits` = open pull requests or findings handed over, `acted` = it did anything.
pub fn of_run(end: &End, waits: bool, acted: bool) -> u8 {
    match end {
        End::Halted { why: HaltWhy::Halt, .. } => HALTED,
        End::Halted { why: HaltWhy::Budget, .. } => BUDGET,
        End::Halted { why: HaltWhy::Time, .. } => TIME,
        End::Failed { .. } => FAILED,
        End::Finished if waits => WAITS,
        End::Finished if !acted => NOTHING,
        End::Finished => DONE,
    }
}

/// The code of `run --finding` where that finding was handed over.
pub fn of_hand_over(why: &HandOver) -> u8 {
    match why {
        HandOver::IterationCap { .. } => ITERATION_CAP,
        HandOver::NoProgress { .. } => NO_PROGRESS,
        HandOver::Declined { .. } | HandOver::StepFailed { .. } => WAITS,
    }
}

//! Exit codes: a published table, the same for every verb.

use crate::run::{End, HaltWhy, HandOver, Mode, Run, Stage};

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
/// It goes on later, by itself or by the next pass.
pub const PARKED: u8 = 22;
/// A defect of Loopwright.
pub const INTERNAL: u8 = 70;

/// The code of a run that ended; none while it lives.
pub fn of_run(run: &Run) -> Option<u8> {
    let mut handed_over = run.items.iter().filter_map(|item| match &item.stage {
        Stage::HandedOver(why) => Some((&item.queued.finding, why)),
        _ => None,
    });
    let shipped = run.items.iter().any(|item| matches!(item.stage, Stage::Shipped { .. }));
    let acted = run.items.iter().any(|item| item.taken);
    Some(match run.end.as_ref()? {
        End::Halted { why: HaltWhy::Halt, .. } => HALTED,
        End::Halted { why: HaltWhy::Budget, .. } => BUDGET,
        End::Halted { why: HaltWhy::Time, .. } => TIME,
        End::Failed { .. } => FAILED,
        End::Finished if run.last_steps_failed().is_some() => FAILED,
        End::Finished => match handed_over.next() {
            Some((finding, why)) if run.start.only.as_ref() == Some(finding) => of_hand_over(why),
            Some(_) => WAITS,
            None if shipped => WAITS,
            None if acted || !run.start.chores.steps.is_empty() => DONE,
            // To report was all that was asked, and there was something to report.
            None if run.start.mode == Mode::Report && !run.items.is_empty() => DONE,
            None => NOTHING,
        },
    })
}

/// The code of `run --finding` where that finding was handed over.
fn of_hand_over(why: &HandOver) -> u8 {
    match why {
        HandOver::IterationCap { .. } => ITERATION_CAP,
        HandOver::NoProgress { .. } => NO_PROGRESS,
        HandOver::Declined { .. } | HandOver::StepFailed { .. } => WAITS,
    }
}

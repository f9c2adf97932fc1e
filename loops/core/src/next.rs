//! What a run does next: a pure function of its state, its rails and what is observed.
//!
//! It asks in this order: halted? over time? crashed in the middle of what? and only then: what next, and does the
//! budget cover it?

use crate::definition::Retry;
use crate::money::Micros;
use crate::revise;
use crate::run::{HaltWhy, HandOver, HoldBack, Item, Mode, Run, Stage, Step};

/// What the engine observes before each decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Why everything, the loop or the run is halted.
    pub halted: Option<String>,
    /// Awake seconds since the run started.
    pub awake_s: u64,
    /// Open pull requests of the loop that were there before this run.
    pub open_pull_requests: u32,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// These steps, one after the other.
    Do(Vec<Step>),
    /// The same step again, after a pause.
    Again {
        /// The step.
        step: Step,
        /// Seconds to wait before.
        after_s: u64,
    },
    /// The run stops.
    Halt {
        /// What stops it.
        why: HaltWhy,
        /// One sentence.
        detail: String,
    },
    /// The run can't go on.
    Fail(String),
    /// Nothing is left to do.
    Done,
}

/// Decides what `run` does next.
pub fn next(run: &Run, facts: &Facts) -> Next {
    if let Some(detail) = &facts.halted {
        return Next::Halt { why: HaltWhy::Halt, detail: detail.clone() };
    }
    let rails = &run.start.rails;
    if facts.awake_s >= rails.max_duration_s {
        let detail = format!("the run took its {} s (max_duration)", rails.max_duration_s);
        return Next::Halt { why: HaltWhy::Time, detail };
    }
    if let Some((step, _)) = &run.open {
        return Next::Fail(format!("the run was interrupted in the middle of {}", step.name()));
    }
    if run.base.is_none() {
        return tried(run, Step::Prepare);
    }
    if run.discovered.is_none() {
        return tried(run, Step::Discover);
    }
    if run.start.mode == Mode::Report {
        return Next::Done;
    }
    act(run, facts)
}

/// Prepare or discover, unless it failed more often than it may.
fn tried(run: &Run, step: Step) -> Next {
    let (tries, error) = &run.failures;
    let retry = run.start.retries.discover;
    match tries {
        0 => Next::Do(vec![step]),
        n if *n <= retry.times => Next::Again { step, after_s: retry.every_s },
        _ => Next::Fail(error.clone()),
    }
}

/// The first finding that something is left to do for.
fn act(run: &Run, facts: &Facts) -> Next {
    let undecided = |i: &&Item| !matches!(i.stage, Stage::Shipped { .. } | Stage::HandedOver(_) | Stage::HeldBack);
    let Some(item) = run.items.iter().find(undecided) else {
        return Next::Done;
    };
    let finding = item.queued.finding.clone();
    match &item.stage {
        Stage::Waiting => round(run, item, facts),
        Stage::Built { .. } => {
            paid(run, Step::Verify { finding, reserve: checker_price(run) }, |step| Next::Do(vec![step]))
        }
        Stage::Verified { .. } => Next::Do(vec![Step::Ship { finding }]),
        Stage::Declined(why) => hand_over(item, HandOver::Declined { why: why.clone() }),
        Stage::Failing { step, tries, error, .. } => {
            let retry = retry_of(run, step);
            if *tries > retry.times {
                let why = format!("{} failed: {error}", step.name());
                return hand_over(item, HandOver::StepFailed { why });
            }
            paid(run, step.clone(), |step| Next::Again { step, after_s: retry.every_s })
        }
        Stage::Shipped { .. } | Stage::HandedOver(_) | Stage::HeldBack => Next::Done,
    }
}

/// Another round, or why there is none.
fn round(run: &Run, item: &Item, facts: &Facts) -> Next {
    let rails = &run.start.rails;
    // What is revised was counted when it was opened.
    if !item.taken
        && run.start.revises.is_none()
        && let Some(why) = held_back(run, facts)
    {
        return Next::Do(vec![Step::HoldBack { why }]);
    }
    let made = u32::try_from(item.rounds.len()).unwrap_or(u32::MAX);
    let stale = revise::stale(run, item);
    if stale >= rails.no_progress {
        return hand_over(item, HandOver::NoProgress { rounds: stale });
    }
    let cap = revise::cap(run, item);
    if made >= cap {
        return hand_over(item, HandOver::IterationCap { cap });
    }
    if rails.max_tokens.is_some_and(|max| run.tokens >= max) {
        let detail = format!("{} tokens used (max_tokens)", run.tokens);
        return Next::Halt { why: HaltWhy::Budget, detail };
    }
    let build =
        Step::Build { finding: item.queued.finding.clone(), iteration: made + 1, reserve: run.start.maker.price };
    paid(run, build, |step| Next::Do(vec![step]))
}

/// The step, unless the budget doesn't cover the most that it may cost.
fn paid(run: &Run, step: Step, then: impl FnOnce(Step) -> Next) -> Next {
    let worst = match &step {
        // A round that could not be checked any more would be paid for nothing.
        Step::Build { reserve, .. } => *reserve + checker_price(run),
        // What costs nothing is done even if an agent has reported more than it may cost.
        Step::Verify { reserve, .. } if *reserve > Micros::ZERO => *reserve,
        _ => return then(step),
    };
    let budget = run.start.rails.budget;
    if run.spent + worst > budget {
        let detail = format!("{} of {budget} spent; the next attempt may cost {worst}", run.spent);
        return Next::Halt { why: HaltWhy::Budget, detail };
    }
    then(step)
}

fn checker_price(run: &Run) -> Micros {
    run.start.checker.as_ref().map_or(Micros::ZERO, |c| c.price)
}

fn held_back(run: &Run, facts: &Facts) -> Option<HoldBack> {
    let count = |f: fn(&Item) -> bool| u32::try_from(run.items.iter().filter(|i| f(i)).count()).unwrap_or(u32::MAX);
    let (max_findings, max_open) = (run.start.rails.max_findings, run.start.review.max_open);
    let shipped = count(|i| matches!(i.stage, Stage::Shipped { .. }));
    if facts.open_pull_requests + shipped >= max_open {
        return Some(HoldBack::ReviewFull { max: max_open });
    }
    (count(|i| i.taken) >= max_findings).then_some(HoldBack::MaxFindings { max: max_findings })
}

fn hand_over(item: &Item, why: HandOver) -> Next {
    Next::Do(vec![Step::HandOver { finding: item.queued.finding.clone(), why }])
}

fn retry_of(run: &Run, step: &Step) -> Retry {
    let retries = &run.start.retries;
    match step {
        Step::Prepare | Step::Discover | Step::HoldBack { .. } | Step::HandOver { .. } => retries.discover,
        Step::Build { .. } => retries.act,
        Step::Verify { .. } => retries.verify,
        Step::Ship { .. } => retries.ship,
    }
}

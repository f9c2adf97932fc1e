//! What a run does next: a pure function of its state, its rails and what is observed.
//!
//! It asks in this order: halted? over time? crashed in the middle of what? and only then: what next, and does the
//! budget cover it?

use chrono::{DateTime, Utc};

use crate::chores::{self, Observed, Stop};
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
    /// Why the ledger has refused to reserve a round, for a ceiling that holds over other runs too.
    pub refused: Option<String>,
    /// What chores wait for.
    pub chores: Observed,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// These steps, beside what is open; each is about another finding.
    Do(Vec<Start>),
    /// The end of these open steps has come: they are ended.
    Stop(Vec<Stop>),
    /// These steps are over before they begin.
    PassOver(Vec<Step>),
    /// The run waits for something far off: its processes end until then.
    Park {
        /// Until when; none = until a file is there.
        until: Option<DateTime<Utc>>,
        /// For what, as the rest of a sentence.
        why: String,
    },
    /// Nothing more until an open step has ended.
    Wait,
    /// The run stops; steps that are open are cut off.
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

/// A step that is to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The step.
    pub step: Step,
    /// Seconds to wait before: it is tried again.
    pub after_s: u64,
}

impl From<Step> for Start {
    fn from(step: Step) -> Start {
        Start { step, after_s: 0 }
    }
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
    if let Some(chore) = chores::next(run, &facts.chores) {
        return chore;
    }
    if run.start.chores.alone {
        return Next::Done;
    }
    if run.open.iter().any(|(step, _)| step.finding().is_none()) {
        return Next::Wait;
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
        0 => Next::Do(vec![step.into()]),
        n if *n <= retry.times => Next::Do(vec![Start { step, after_s: retry.every_s }]),
        _ => Next::Fail(error.clone()),
    }
}

/// What one finding needs now.
enum Need {
    /// This step.
    Start(Start),
    /// Nothing that begins now: another one has to come to its end before.
    Later,
    /// The whole run stops.
    Halt(HaltWhy, String),
}

/// Goes through the findings in their order; what was begun goes on before another one begins.
fn act(run: &Run, facts: &Facts) -> Next {
    let mut starts: Vec<Start> = Vec::new();
    let parallel = run.start.parallel.max(1) as usize;
    for item in run.items.iter().filter(|i| !i.decided() && !run.is_busy(&i.queued.finding)) {
        if run.open.len() + starts.len() >= parallel {
            break;
        }
        match within_ceilings(need(run, item, facts, &starts), facts) {
            Need::Start(start) if matches!(start.step, Step::HoldBack { .. }) => {
                starts.push(start);
                break;
            }
            Need::Start(start) => starts.push(start),
            Need::Later => {}
            Need::Halt(why, detail) if run.open.is_empty() && starts.is_empty() => return Next::Halt { why, detail },
            // What is open may still come to its end, and give back what it does not need.
            Need::Halt(..) => break,
        }
    }
    match (starts.is_empty(), run.open.is_empty()) {
        (false, _) => Next::Do(starts),
        (true, false) => Next::Wait,
        (true, true) => Next::Done,
    }
}

/// No further round, once the ledger has refused one.
fn within_ceilings(need: Need, facts: &Facts) -> Need {
    match (&need, &facts.refused) {
        (Need::Start(Start { step: Step::Build { .. }, .. }), Some(why)) => Need::Halt(HaltWhy::Budget, why.clone()),
        _ => need,
    }
}

fn need(run: &Run, item: &Item, facts: &Facts, starts: &[Start]) -> Need {
    let finding = item.queued.finding.clone();
    match &item.stage {
        Stage::Waiting => round(run, item, facts, starts),
        Stage::Built { .. } => {
            let step = Step::Verify { finding, reserve: checker_price(run) };
            paid(run, starts, step.into())
        }
        Stage::Verified { .. } => Need::Start(Step::Ship { finding }.into()),
        Stage::Declined(why) => hand_over(item, HandOver::Declined { why: why.clone() }),
        Stage::Failing { step, tries, error, .. } => {
            let retry = retry_of(run, step);
            if *tries > retry.times {
                let why = format!("{} failed: {error}", step.name());
                return hand_over(item, HandOver::StepFailed { why });
            }
            paid(run, starts, Start { step: step.clone(), after_s: retry.every_s })
        }
        Stage::Shipped { .. } | Stage::HandedOver(_) | Stage::HeldBack => Need::Later,
    }
}

/// Another round, or why there is none.
fn round(run: &Run, item: &Item, facts: &Facts, starts: &[Start]) -> Need {
    let rails = &run.start.rails;
    // What is revised was counted when it was opened.
    if !item.taken
        && run.start.revises.is_none()
        && let Some(wait) = first_round(run, facts, starts)
    {
        return wait;
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
        return Need::Halt(HaltWhy::Budget, format!("{} tokens used (max_tokens)", run.tokens));
    }
    let build =
        Step::Build { finding: item.queued.finding.clone(), iteration: made + 1, reserve: run.start.maker.price };
    paid(run, starts, build.into())
}

/// Why no round of a finding that was not begun yet can begin.
fn first_round(run: &Run, facts: &Facts, starts: &[Start]) -> Option<Need> {
    let begun = |i: &&Item| i.taken || starts.iter().any(|s| s.step.finding() == Some(&i.queued.finding));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let taken = count(run.items.iter().filter(begun).count());
    let in_work = count(run.items.iter().filter(begun).filter(|i| !i.decided()).count());
    let shipped = count(run.items.iter().filter(|i| matches!(i.stage, Stage::Shipped { .. })).count());
    let (max_findings, max_open) = (run.start.rails.max_findings, run.start.review.max_open);
    let hold_back = |why| Some(Need::Start(Step::HoldBack { why }.into()));
    let waiting = facts.open_pull_requests.saturating_add(shipped);
    if waiting >= max_open {
        return hold_back(HoldBack::ReviewFull { max: max_open });
    }
    if taken >= max_findings {
        return hold_back(HoldBack::MaxFindings { max: max_findings });
    }
    // Each one in work may become a pull request of its own.
    let full = in_work >= run.start.parallel.max(1) || waiting + in_work >= max_open;
    full.then_some(Need::Later)
}

/// The step, unless the budget doesn't cover the most that it may cost beside all that has begun.
fn paid(run: &Run, starts: &[Start], start: Start) -> Need {
    let worst = match &start.step {
        // A round that could not be checked any more would be paid for nothing.
        Step::Build { reserve, .. } => *reserve + checker_price(run),
        // What costs nothing is done even if an agent has reported more than it may cost.
        Step::Verify { reserve, .. } if *reserve > Micros::ZERO => *reserve,
        _ => return Need::Start(start),
    };
    let budget = run.start.rails.budget;
    let promised = promised(run, starts, start.step.finding());
    if run.spent + promised + worst <= budget {
        return Need::Start(start);
    }
    let detail = match promised {
        Micros::ZERO => format!("{} of {budget} spent; the next attempt may cost {worst}", run.spent),
        _ => format!("{} of {budget} spent, {promised} reserved; the next attempt may cost {worst}", run.spent),
    };
    Need::Halt(HaltWhy::Budget, detail)
}

/// The most that everything else may still cost which has begun, its checks included.
fn promised(run: &Run, starts: &[Start], but: Option<&crate::finding::Fingerprint>) -> Micros {
    let begun = run.open.iter().map(|(step, _)| step).chain(starts.iter().map(|start| &start.step));
    let steps: Micros = begun
        .map(|step| match step {
            Step::Build { reserve, .. } => *reserve + checker_price(run),
            other => other.reserved().unwrap_or_default(),
        })
        .sum();
    let unchecked = |i: &&Item| {
        let waits = matches!(i.stage.resting(), Stage::Built { .. }) && !run.is_busy(&i.queued.finding);
        let starts_now = starts.iter().any(|s| s.step.finding() == Some(&i.queued.finding));
        waits && !starts_now && but != Some(&i.queued.finding)
    };
    steps + run.items.iter().filter(unchecked).map(|_| checker_price(run)).sum()
}

/// What must fit under every ceiling beside a round that begins: the verdicts on it and on all that has begun.
pub fn checks_ahead(run: &Run, step: &Step) -> Micros {
    let Step::Build { finding, .. } = step else { return Micros::ZERO };
    let unchecked = |i: &&Item| {
        let building =
            run.open.iter().any(|(s, _)| matches!(s, Step::Build { .. }) && s.finding() == Some(&i.queued.finding));
        building
            || i.queued.finding == *finding
            || matches!(i.stage.resting(), Stage::Built { .. }) && !run.is_busy(&i.queued.finding)
    };
    run.items.iter().filter(unchecked).map(|_| checker_price(run)).sum()
}

fn checker_price(run: &Run) -> Micros {
    run.start.checker.as_ref().map_or(Micros::ZERO, |c| c.price)
}

fn hand_over(item: &Item, why: HandOver) -> Need {
    Need::Start(Step::HandOver { finding: item.queued.finding.clone(), why }.into())
}

fn retry_of(run: &Run, step: &Step) -> Retry {
    let retries = &run.start.retries;
    match step {
        Step::Prepare | Step::Discover | Step::HoldBack { .. } | Step::HandOver { .. } => retries.discover,
        Step::Run { .. } | Step::Wait { .. } | Step::Finally { .. } => Retry::default(),
        Step::Build { .. } => retries.act,
        Step::Verify { .. } => retries.verify,
        Step::Ship { .. } => retries.ship,
    }
}

//! Stories on a virtual clock: what a loop would do and cost with one rail alone. Everything that is decided is decided by
//! the real `next`, fold, progress and ledger arithmetic; only the world around them is made up.
//!
//! Rails are always there in life; that all but one are infinite is possible here alone.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::check::CaseId;
use crate::definition::{Merge, Rails, ReviewRule};
use crate::finding::{FindingSource, Fingerprint};
use crate::gate::Level;
use crate::ids::{LoopId, OccurrenceId, RunId};
use crate::ledger::{Ceiling, CeilingReached, Ceilings, Period, Place, Scope};
use crate::money::Micros;
use crate::next::{Facts, Next, next};
use crate::run::{
    AgentLine, BuildResult, Built, Chores, Discovered, End, HaltWhy, HandOver, Mode, Outcome, Queued, Retries, Run,
    RunEvent, RunStart, Stage, Step,
};
use crate::verdict::Verdict;

/// What a model call of a second costs: $2.97 a minute.
const A_CALL: Micros = Micros(49_500);
/// How long maker and checker take, in seconds each; every second is one call.
const A_STEP_S: u64 = 600;
/// What the story cost where nothing stopped it.
const THE_BILL: Micros = Micros(47_000 * 1_000_000);

/// The stories that can be told.
pub const STORIES: [&str; 1] = ["runaway"];

/// A story with each of its rails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// Its name.
    pub story: &'static str,
    /// What happens in it.
    pub about: &'static str,
    /// What came of it, a rail each.
    pub lines: Vec<Line>,
}

/// What came of a story with one rail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The rail, as a loop file has it.
    pub rail: String,
    /// Seconds until it stopped, or until nobody watched any more.
    pub after_s: u64,
    /// Rounds of maker and checker that came to their end.
    pub rounds: u32,
    /// What it cost.
    pub spent: Micros,
    /// What stopped it; none = nothing did.
    pub stopped_by: Option<String>,
}

/// Tells a story; none if there is none of this name.
pub fn simulate(story: &str) -> Option<Simulation> {
    (story == STORIES[0]).then(|| Simulation {
        story: STORIES[0],
        about: "A maker and a checker talk past each other, with other words each time, at $2.97 a minute. \
                One round takes twenty minutes; the test that it is about stays red.",
        lines: settings().iter().map(|setting| World::new(setting).play()).collect(),
    })
}

/// One rail, and everything else without end.
struct Setting {
    rail: &'static str,
    rails: Rails,
    halt_at_s: Option<u64>,
    /// Somebody starts it again so many seconds after each stop.
    again_after_s: Option<u64>,
}

fn settings() -> Vec<Setting> {
    let alone = |rail, change: fn(&mut Rails)| {
        let mut rails = none();
        change(&mut rails);
        Setting { rail, rails, halt_at_s: None, again_after_s: None }
    };
    let day = |rails: &mut Rails| rails.ceilings = vec![Ceiling { amount: Micros(20_000_000), per: Period::Day }];
    vec![
        alone("none", |_| {}),
        alone("budget: $5/run", |rails| rails.budget = Micros(5_000_000)),
        alone("max_iterations: 3", |rails| rails.max_iterations = 3),
        alone("halt_on: no_progress(2)", |rails| rails.no_progress = 2),
        alone("max_duration: 45m", |rails| rails.max_duration_s = 45 * 60),
        alone("budget: $20/day", day),
        Setting { again_after_s: Some(3600), ..alone("budget: $20/day, started again each hour", day) },
        Setting { halt_at_s: Some(12 * 60), ..alone("HALT after 12 minutes", |_| {}) },
    ]
}

/// No rail at all.
fn none() -> Rails {
    Rails {
        max_iterations: u32::MAX,
        budget: Micros(u64::MAX),
        ceilings: Vec::new(),
        no_progress: u32::MAX,
        max_duration_s: u64::MAX,
        max_tokens: None,
        max_turns: None,
        max_findings: u32::MAX,
    }
}

/// The world around the core: a clock, a ledger, and two agents that never tire.
struct World<'s> {
    setting: &'s Setting,
    now_s: u64,
    /// When the run began.
    began_s: u64,
    sums: BTreeMap<Scope, Micros>,
    spent: Micros,
    rounds: u32,
    ids: u128,
}

/// Why a step did not come to its end.
enum Cut {
    Ledger(CeilingReached),
    /// HALT or time: `next` says which.
    Facts,
    /// Nobody watches any more.
    Bill,
}

impl<'s> World<'s> {
    fn new(setting: &'s Setting) -> World<'s> {
        World { setting, now_s: 0, began_s: 0, sums: BTreeMap::new(), spent: Micros::ZERO, rounds: 0, ids: 1 }
    }

    fn play(mut self) -> Line {
        let mut first = self.run();
        if let Some(pause_s) = self.setting.again_after_s {
            let eleven_days = THE_BILL.0 / A_CALL.0;
            while self.now_s + pause_s < eleven_days {
                self.now_s += pause_s;
                first = self.run().or(first);
            }
        }
        let (after_s, rounds, spent) = (self.now_s, self.rounds, self.spent);
        Line { rail: self.setting.rail.to_owned(), after_s, rounds, spent, stopped_by: first }
    }

    /// One run, to its end; what stopped it.
    fn run(&mut self) -> Option<String> {
        self.began_s = self.now_s;
        let mut run = self.begin()?;
        loop {
            let step = match next(&run, &self.facts()) {
                Next::Do(starts) => starts.into_iter().next()?.step,
                Next::Halt { detail, .. } => return Some(detail),
                Next::Fail(why) => return Some(why),
                // It has no chores.
                Next::Wait | Next::Stop(_) | Next::PassOver(_) | Next::Park { .. } => return None,
                Next::Done => return handed_over(&run),
            };
            if let Some(cut) = self.perform(&mut run, step)? {
                return self.cut_off(&mut run, cut);
            }
        }
    }

    fn facts(&self) -> Facts {
        let halted = self.setting.halt_at_s.filter(|at| self.now_s >= *at).map(|_| "HALT: by hand".to_owned());
        Facts { halted, awake_s: self.now_s - self.began_s, open_pull_requests: 0, ..Facts::default() }
    }

    /// A run that is prepared and has found its one finding.
    fn begin(&mut self) -> Option<Run> {
        let mut run = Run::new(start(self.id(), &self.setting.rails));
        let found = Discovered { queue: vec![finding()], ..Discovered::default() };
        for (step, outcome) in [
            (Step::Prepare, Outcome::Prepared { branch: "main".to_owned(), commit: String::new() }),
            (Step::Discover, Outcome::Discovered(found)),
        ] {
            let id = self.id();
            run.apply(&RunEvent::StepStarted { step, id }).ok()?;
            run.apply(&RunEvent::StepFinished { id, outcome }).ok()?;
        }
        Some(run)
    }

    /// Does a step; what cut it off. None for a step that can't follow, which `next` never asks for.
    fn perform(&mut self, run: &mut Run, step: Step) -> Option<Option<Cut>> {
        let id = self.id();
        run.apply(&RunEvent::StepStarted { step: step.clone(), id }).ok()?;
        let before = self.spent;
        if matches!(step, Step::Build { .. } | Step::Verify { .. })
            && let Some(cut) = (0..A_STEP_S).find_map(|_| self.call(run))
        {
            return Some(Some(cut));
        }
        let charged = self.spent.saturating_sub(before);
        let outcome = match step {
            Step::Build { .. } => Outcome::Built(built(self.ids, charged)),
            Step::Verify { .. } => {
                self.rounds += 1;
                Outcome::Verified { charged, verdict: Box::new(verdict(self.ids)) }
            }
            _ => Outcome::Noted,
        };
        run.apply(&RunEvent::StepFinished { id, outcome }).ok()?;
        Some(None)
    }

    /// One call of a second: reserved before, charged after.
    fn call(&mut self, run: &Run) -> Option<Cut> {
        if self.spent + A_CALL > THE_BILL {
            return Some(Cut::Bill);
        }
        let facts = self.facts();
        if facts.halted.is_some() || facts.awake_s >= run.start.rails.max_duration_s {
            return Some(Cut::Facts);
        }
        let (place, ceilings) = (self.place(run), self.ceilings(run));
        let held: Result<(), CeilingReached> =
            ceilings.hold(&place, A_CALL, |scope| Ok(self.sums.get(&scope).copied().unwrap_or_default()));
        if let Err(reached) = held {
            return Some(Cut::Ledger(reached));
        }
        for scope in place.scopes() {
            *self.sums.entry(scope).or_default() += A_CALL;
        }
        self.spent += A_CALL;
        self.now_s += 1;
        None
    }

    fn ceilings(&self, run: &Run) -> Ceilings {
        let of_loop = self.setting.rails.ceilings.clone();
        Ceilings { loop_name: run.start.loop_name.clone(), of_loop, ..Ceilings::of_run(self.setting.rails.budget) }
    }

    fn place(&self, run: &Run) -> Place {
        let began = DateTime::from_timestamp(1_793_610_000, 0).unwrap_or(DateTime::<Utc>::UNIX_EPOCH);
        let day: NaiveDate =
            (began + Duration::seconds(i64::try_from(self.now_s).unwrap_or(i64::MAX / 1000))).date_naive();
        Place { run: run.start.run, loop_id: run.start.loop_id, day, fleet_day: day }
    }

    fn cut_off(&self, run: &mut Run, cut: Cut) -> Option<String> {
        let end = match cut {
            Cut::Bill => return None,
            Cut::Ledger(reached) => End::Halted { why: HaltWhy::Budget, detail: reached.to_string() },
            Cut::Facts => match next(run, &self.facts()) {
                Next::Halt { why, detail } => End::Halted { why, detail },
                _ => return None,
            },
        };
        run.apply(&RunEvent::RunEnded { end: end.clone() }).ok()?;
        match end {
            End::Halted { detail, .. } => Some(detail),
            End::Finished | End::Failed { .. } => None,
        }
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }
}

fn handed_over(run: &Run) -> Option<String> {
    run.items.iter().find_map(|item| match &item.stage {
        Stage::HandedOver(why) => Some(HandOver::text(why)),
        _ => None,
    })
}

fn finding() -> Queued {
    let failing = [CaseId("shop::total_is_rounded".to_owned())];
    Queued {
        finding: Fingerprint::of(FindingSource::Check, "runaway"),
        title: "total_is_rounded fails".to_owned(),
        failing: failing.clone().into(),
        base_failing: failing.into(),
        rounds: Vec::new(),
    }
}

/// Another change with other words each time.
fn built(number: u128, charged: Micros) -> Built {
    let result = BuildResult::Change {
        commit: format!("c{number}"),
        tree: format!("t{number}"),
        stat: Default::default(),
        substance: format!("s{number}"),
        only_whitespace: false,
    };
    Built { charged, tokens: 0, model: None, summary: Some(format!("attempt {number}: now it must work")), result }
}

/// Another refusal with other words each time; what fails is the same.
fn verdict(number: u128) -> Verdict {
    Verdict {
        verified: false,
        level: Level::Fail,
        gates: Vec::new(),
        checker: None,
        checked_by: None,
        not_independent: None,
        reasons: vec![format!("objection {number}: I see it differently")],
        failing: finding().failing,
        cleared: Some(Default::default()),
    }
}

fn start(run: Uuid, rails: &Rails) -> RunStart {
    let agent = |name: &str| AgentLine {
        name: name.to_owned(),
        kind: "command".to_owned(),
        model: Some(name.to_owned()),
        vendor: None,
        // Each call is reserved by itself.
        price: Micros::ZERO,
    };
    RunStart {
        run: RunId(run),
        loop_id: LoopId(Uuid::from_u128(1)),
        loop_name: "runaway".to_owned(),
        occurrence: OccurrenceId(run),
        cause: "manual".to_owned(),
        mode: Mode::Ship,
        epoch: 1,
        worked_s: 0,
        definition: String::new(),
        rails: rails.clone(),
        review: ReviewRule { max_open: 3, merge: Merge::Squash },
        maker: agent("maker"),
        checker: Some(agent("checker")),
        retries: Retries::default(),
        only: None,
        parallel: 1,
        only_reports: false,
        revises: None,
        chores: Chores::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(rail: &str) -> Line {
        let setting = settings().into_iter().find(|s| s.rail == rail).expect("a rail");
        World::new(&setting).play()
    }

    #[test]
    fn each_rail_alone_stops_it() {
        for (rail, after_s, rounds, spent, stopped_by) in [
            (
                "budget: $5/run",
                101,
                0,
                4_999_500,
                "$0.0495 more would pass the ceiling of $5/run ($4.9995 spent or reserved)",
            ),
            ("max_iterations: 3", 3600, 3, 178_200_000, "not verified after 3 iterations"),
            ("halt_on: no_progress(2)", 2400, 2, 118_800_000, "no progress 2 times in a row"),
            ("max_duration: 45m", 2700, 2, 133_650_000, "the run took its 2700 s (max_duration)"),
            (
                "budget: $20/day",
                404,
                0,
                19_998_000,
                "$0.0495 more would pass the ceiling of $20/day of runaway ($19.998 spent or reserved); \
                 there is room again from 2026-11-03 (UTC)",
            ),
            ("HALT after 12 minutes", 720, 0, 35_640_000, "HALT: by hand"),
        ] {
            let line = line(rail);
            let found = (line.after_s, line.rounds, line.spent.0, line.stopped_by.as_deref());
            assert_eq!(found, (after_s, rounds, spent, Some(stopped_by)), "{rail}");
        }
    }

    #[test]
    fn starting_again_refunds_nothing() {
        let line = line("budget: $20/day, started again each hour");
        assert_eq!(line.spent, Micros(12 * 19_998_000), "twelve calendar days");
    }

    /// The control: without a rail it goes on until the bill is there.
    #[test]
    fn without_rails_it_costs_47000_dollars_after_eleven_days() {
        let line = line("none");
        assert_eq!(line.stopped_by, None);
        assert_eq!(line.after_s.div_ceil(86_400), 11);
        assert!(line.spent > Micros(46_999_900_000) && line.spent <= THE_BILL, "{}", line.spent);
        assert_eq!(line.rounds, 791);
    }
}

//! Playing a script: who does what in which order. Everything that is decided is decided by the real core.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use loopwright_core::check::CheckReport;
use loopwright_core::definition::{Merge, Rails, Retry, ReviewRule};
use loopwright_core::finding::{Finding, FindingSource, Fingerprint};
use loopwright_core::gate::{self, Level};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::next::{Facts, Next, next};
use loopwright_core::progress::stale;
use loopwright_core::run::{
    AgentLine, BuildResult, Built, Chores, Discovered, HandOver, Item, Mode, Outcome, Queued, Retries, Run, RunEvent,
    RunStart, Shipped, Stage, Step,
};
use loopwright_core::verdict::{CheckerVerdict, Fault, Verdict};
use uuid::Uuid;

use super::evidence::{change, diff, report};
use super::script::{Script, Turn};

/// What came of a script.
pub(crate) struct Played {
    /// In the words of its last line.
    pub(crate) outcome: String,
    /// A line for each round.
    pub(crate) journal: String,
}

/// Plays a script; `forever` begins with its first turn again after the last one.
pub(crate) fn play(script: &Script, forever: bool) -> Played {
    let mut world = World::of(script, forever);
    let mut run = world.begin(&world.findings.iter().map(|f| world.queued(f)).collect::<Vec<_>>());
    for _ in 0..1000 {
        let Next::Do(starts) = next(&run, &Facts::default()) else { break };
        for start in starts {
            if matches!(start.step, Step::Build { .. }) && world.between_runs() {
                run = world.go_on(&run);
            } else {
                world.perform(&mut run, start.step);
            }
        }
    }
    Played { outcome: outcome(&run), journal: world.journal }
}

struct World<'s> {
    script: &'s Script,
    forever: bool,
    at: usize,
    steps: u128,
    base: CheckReport,
    findings: Vec<Finding>,
    /// The round that was built last, until it is judged.
    round: Vec<String>,
    crashed: bool,
    journal: String,
}

impl<'s> World<'s> {
    fn of(script: &'s Script, forever: bool) -> World<'s> {
        let all: Vec<String> = script.base.iter().map(|part| part.replacen("tests2", "tests", 1)).collect();
        let all: Vec<String> =
            all.iter().map(|part| part.replacen("tests3", "tests", 1).replacen("others", "tests", 1)).collect();
        let base = report(&all, None, 0);
        let ours = script.base.iter().filter(|part| !part.starts_with("others"));
        let findings = ours.map(|part| finding(part)).collect();
        let (round, journal) = (Vec::new(), String::new());
        World { script, forever, at: 0, steps: 0, base, findings, round, crashed: false, journal }
    }

    fn queued(&self, finding: &Finding) -> Queued {
        Queued {
            finding: finding.fingerprint.clone(),
            title: finding.title.clone(),
            failing: finding.failing.clone(),
            base_failing: self.base.failing(),
            rounds: Vec::new(),
        }
    }

    fn begin(&mut self, queue: &[Queued]) -> Run {
        self.steps += 1;
        let mut run = Run::new(start(self.steps, self.script.cap));
        let found = Discovered { queue: queue.to_vec(), ..Discovered::default() };
        for (step, outcome) in [
            (Step::Prepare, Outcome::Prepared { branch: "main".into(), commit: "c".into() }),
            (Step::Discover, Outcome::Discovered(found)),
        ] {
            let id = self.id();
            apply(&mut run, RunEvent::StepStarted { step, id });
            apply(&mut run, RunEvent::StepFinished { id, outcome });
        }
        run
    }

    fn id(&mut self) -> Uuid {
        self.steps += 1;
        Uuid::from_u128(self.steps)
    }

    fn turn(&self) -> Option<Turn> {
        let count = self.script.turns.len();
        let at = if self.forever { self.at % count } else { self.at };
        self.script.turns.get(at).map(|turn| turn.numbered(self.at))
    }

    fn between_runs(&self) -> bool {
        matches!(self.turn(), Some(Turn::NextRun | Turn::Person))
    }

    /// The next run takes over what the last one left undone.
    fn go_on(&mut self, run: &Run) -> Run {
        let forgotten = matches!(self.turn(), Some(Turn::Person));
        self.at += 1;
        let undone = run.items.iter().filter(|i| !i.decided());
        let rounds = |item: &Item| if forgotten { Vec::new() } else { item.rounds.clone() };
        let queue: Vec<Queued> = undone.map(|i| Queued { rounds: rounds(i), ..i.queued.clone() }).collect();
        self.begin(&queue)
    }

    fn perform(&mut self, run: &mut Run, step: Step) {
        let id = self.id();
        apply(run, RunEvent::StepStarted { step: step.clone(), id });
        match step {
            Step::Build { .. } => self.build(run, id),
            Step::Verify { finding, .. } => self.verify(run, id, &finding),
            Step::Ship { .. } => {
                let (title, commit, tree) = ("t".into(), "c".into(), "t".into());
                let shipped = Shipped { pull_request: None, title, commit, tree, skipped: Vec::new() };
                apply(run, RunEvent::StepFinished { id, outcome: Outcome::Shipped(shipped) });
            }
            _ => apply(run, RunEvent::StepFinished { id, outcome: Outcome::Noted }),
        }
    }

    fn build(&mut self, run: &mut Run, id: Uuid) {
        let Some(Turn::Round(parts)) = self.turn() else { panic!("{} has no more rounds", self.script.title) };
        self.at += 1;
        let said = |word: &str| parts.iter().find_map(|p| p.strip_prefix(word)).map(str::to_owned);
        let result = match parts[0].as_str() {
            "nothing" => BuildResult::Empty,
            "crashes" => return take_up(run),
            part if part.starts_with("declines ") => {
                BuildResult::Declined { why: said("declines ").unwrap_or_default() }
            }
            part if part.starts_with("fails ") => {
                let error = said("fails ").unwrap_or_default();
                return apply(run, RunEvent::StepFailed { id, charged: Micros::ZERO, error });
            }
            _ => change(&diff(&parts), id),
        };
        let empty = result == BuildResult::Empty;
        let built = Built { charged: Micros::ZERO, tokens: 0, model: None, summary: said("says "), result };
        self.round = parts;
        self.crashed = false;
        apply(run, RunEvent::StepFinished { id, outcome: Outcome::Built(built) });
        if empty {
            self.note(run);
        }
    }

    fn verify(&mut self, run: &mut Run, id: Uuid, of: &Fingerprint) {
        if self.round.iter().any(|p| p == "crashes later") && !self.crashed {
            self.crashed = true;
            return take_up(run);
        }
        let finding = self.findings.iter().find(|f| f.fingerprint == *of).expect("a finding").clone();
        let report = report(&self.round, Some(&self.base), self.at);
        let item = run.item(of).expect("an item");
        let before = item.rounds.iter().filter_map(|r| r.failing.as_ref()).chain([&item.queued.base_failing]);
        let before: BTreeSet<_> = before.flatten().cloned().collect();
        let answer = gate::relative("tests_pass", &self.base, &report, &finding);
        let passes = answer.level >= Level::NeedsPerson;
        let refused = || checker(&[format!("rejects not like this, at {}", self.at)]).filter(|_| self.forever);
        let checker = checker(&self.round).or_else(refused).filter(|_| passes);
        let verdict = Verdict {
            verified: passes && checker.as_ref().is_none_or(|c| c.accepted),
            level: answer.level,
            reasons: answer.reasons.clone(),
            failing: report.failing(),
            cleared: Some(gate::cleared(&before, std::slice::from_ref(&self.base), std::slice::from_ref(&report))),
            gates: vec![answer],
            checker,
            checked_by: None,
            not_independent: None,
        };
        let outcome = Outcome::Verified { charged: Micros::ZERO, verdict: Box::new(verdict) };
        apply(run, RunEvent::StepFinished { id, outcome });
        self.note(run);
    }

    /// What the round was, and how it counts.
    fn note(&mut self, run: &Run) {
        for item in run.items.iter().filter(|i| i.taken) {
            let stale = stale(&item.queued.failing, &item.queued.base_failing, &item.rounds);
            let failing: Vec<String> = item
                .rounds
                .last()
                .and_then(|r| r.failing.as_ref())
                .into_iter()
                .flatten()
                .map(ToString::to_string)
                .collect();
            let _ = writeln!(
                self.journal,
                "  {} round {}: {} | stale {stale} | fails: {}",
                item.queued.title,
                item.rounds.len(),
                self.round.join(" / "),
                failing.join(", ")
            );
        }
    }
}

fn apply(run: &mut Run, event: RunEvent) {
    run.apply(&event).unwrap_or_else(|why| panic!("{event:?}: {why}"));
}

/// Its process died, and another one goes on.
fn take_up(run: &mut Run) {
    let start = RunStart { epoch: run.start.epoch + 1, ..run.start.clone() };
    apply(run, RunEvent::RunStarted(Box::new(start)));
}

fn outcome(run: &Run) -> String {
    let rounds: usize = run.items.iter().map(|i| i.rounds.len()).sum();
    let rounds = if rounds == 1 { "1 round".to_owned() } else { format!("{rounds} rounds") };
    let shipped = run.items.iter().filter(|i| matches!(i.stage, Stage::Shipped { .. })).count();
    let handed: Vec<&HandOver> =
        run.items.iter().filter_map(|i| if let Stage::HandedOver(why) = &i.stage { Some(why) } else { None }).collect();
    match (handed.as_slice(), shipped) {
        ([], n) if n == run.items.len() => format!("shipped after {rounds}"),
        ([HandOver::NoProgress { .. }], 0) => format!("no progress after {rounds}"),
        ([HandOver::IterationCap { .. }], 0) => format!("cap after {rounds}"),
        (handed, n) if n > 0 && handed.len() + n == run.items.len() => {
            format!("{} handed over, shipped after {rounds}", handed.len())
        }
        other => format!("{other:?} after {rounds}"),
    }
}

fn start(number: u128, cap: u32) -> RunStart {
    let agent = |name: &str| AgentLine {
        name: name.into(),
        kind: "command".into(),
        model: None,
        vendor: None,
        price: Micros::ZERO,
    };
    RunStart {
        run: RunId(Uuid::from_u128(number)),
        loop_id: LoopId(Uuid::from_u128(2)),
        loop_name: "script".into(),
        occurrence: OccurrenceId(Uuid::from_u128(number)),
        cause: "manual".into(),
        mode: Mode::Ship,
        epoch: 1,
        worked_s: 0,
        definition: "0".repeat(64),
        rails: Rails {
            max_iterations: cap,
            budget: Micros(5_000_000),
            ceilings: Vec::new(),
            no_progress: 2,
            max_duration_s: 7200,
            max_tokens: None,
            max_turns: None,
            max_findings: 50,
        },
        review: ReviewRule { max_open: 50, merge: Merge::Squash },
        maker: agent("maker"),
        checker: Some(agent("checker")),
        retries: Retries { act: Retry { times: 3, every_s: 30 }, ..Retries::default() },
        only: None,
        parallel: 1,
        only_reports: false,
        revises: None,
        chores: Chores::default(),
    }
}

/// The finding that a part of the base is.
fn finding(part: &str) -> Finding {
    let report = report(&[part.replacen("tests2", "tests", 1).replacen("tests3", "tests", 1)], None, 0);
    let (source, gate) = if part == "issue" {
        (FindingSource::Issue, None)
    } else {
        (FindingSource::Check, Some("tests_pass".to_owned()))
    };
    Finding {
        fingerprint: Fingerprint::of(source, part),
        source,
        key: part.to_owned(),
        title: part.to_owned(),
        detail: String::new(),
        should: String::new(),
        gate,
        failing: report.failing(),
        places: Vec::new(),
        suspects: Vec::new(),
        fault: false,
    }
}

fn checker(round: &[String]) -> Option<CheckerVerdict> {
    let verdict =
        |accepted, reasons, faults| Some(CheckerVerdict { accepted, reasons, faults, not_checked: Vec::new() });
    round.iter().find_map(|part| match part.split_once(' ').unwrap_or((part, "")) {
        ("accepts", _) => verdict(true, Vec::new(), Vec::new()),
        ("rejects", words) => verdict(false, vec![words.to_owned()], Vec::new()),
        ("objects", fault) => {
            let mut words = fault.splitn(3, ' ').map(str::to_owned);
            let mut word = || words.next().unwrap_or_default();
            verdict(false, Vec::new(), vec![Fault { file: word(), rule: word(), message: word() }])
        }
        _ => None,
    })
}

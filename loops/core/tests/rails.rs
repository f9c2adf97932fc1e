//! The rails hold whatever maker, checker and gates do: runs driven by random answers, and by the stories of stuck loops.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

use std::collections::{BTreeMap, BTreeSet};

use loopwright_core::check::CaseId;
use loopwright_core::definition::{Merge, Rails, ReviewRule};
use loopwright_core::finding::{FindingSource, Fingerprint};
use loopwright_core::gate::Level;
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::next::{Facts, Next, Start, next};
use loopwright_core::run::{
    AgentLine, BuildResult, Built, Chores, Discovered, End, HaltWhy, HandOver, Mode, Outcome, Queued, Retries, Run,
    RunEvent, RunStart, Shipped, Stage, Step,
};
use loopwright_core::verdict::Verdict;
use proptest::prelude::*;
use uuid::Uuid;

/// How the world answers one round.
#[derive(Clone, Debug)]
enum Answer {
    Change { substance: String, failing: Vec<String>, verified: bool, cost: u64 },
    Empty { cost: u64 },
    Declined,
    Error,
}

fn start(price: u64) -> RunStart {
    let agent =
        AgentLine { name: "maker".into(), kind: "command".into(), model: None, vendor: None, price: Micros(price) };
    RunStart {
        run: RunId(Uuid::from_u128(1)),
        loop_id: LoopId(Uuid::from_u128(2)),
        loop_name: "test".into(),
        occurrence: OccurrenceId(Uuid::from_u128(3)),
        cause: "manual".into(),
        mode: Mode::Ship,
        epoch: 1,
        definition: "0".repeat(64),
        rails: Rails {
            max_iterations: 3,
            budget: Micros(5_000_000),
            ceilings: Vec::new(),
            no_progress: 2,
            max_duration_s: 7200,
            max_tokens: None,
            max_turns: None,
            max_findings: 5,
        },
        review: ReviewRule { max_open: 3, merge: Merge::Squash },
        maker: agent,
        checker: None,
        retries: Retries::default(),
        only: None,
        parallel: 1,
        only_reports: false,
        chores: Chores::default(),
        revises: None,
        worked_s: 0,
    }
}

fn cases(ids: &[String]) -> BTreeSet<CaseId> {
    ids.iter().cloned().map(CaseId).collect()
}

fn queued(n: usize, failing: &[String]) -> Queued {
    Queued {
        finding: Fingerprint::of(FindingSource::Issue, &n.to_string()),
        title: format!("finding {n}"),
        failing: cases(failing),
        base_failing: cases(failing),
        rounds: Vec::new(),
    }
}

fn verdict(failing: &[String], verified: bool) -> Verdict {
    Verdict {
        verified,
        level: if verified { Level::Pass } else { Level::Fail },
        gates: Vec::new(),
        checker: None,
        checked_by: None,
        not_independent: None,
        reasons: vec!["because".into()],
        failing: cases(failing),
        cleared: None,
    }
}

/// Drives a run to its end; the world answers round by round, the last answer for ever.
fn drive(start: RunStart, queue: Vec<Queued>, answers: &[Answer]) -> (Run, Vec<RunEvent>) {
    drive_at_once(start, queue, answers, |_| 0)
}

/// The same with several steps open; `ends` says which of so many ends next.
fn drive_at_once(
    start: RunStart,
    queue: Vec<Queued>,
    answers: &[Answer],
    mut ends: impl FnMut(usize) -> usize,
) -> (Run, Vec<RunEvent>) {
    let mut world = World { queue, answers, given: 0, said: BTreeMap::new() };
    let mut events = vec![RunEvent::RunStarted(Box::new(start.clone()))];
    let mut run = Run::new(start);
    for number in 0..10_000u128 {
        let mut happened = Vec::new();
        match next(&run, &Facts::default()) {
            Next::Do(starts) => {
                for (at, start) in starts.into_iter().enumerate() {
                    let id = Uuid::from_u128(100 + number * 100 + at as u128);
                    happened.push(RunEvent::StepStarted { step: start.step, id });
                }
            }
            Next::Wait => {
                let (step, id) = run.open[ends(run.open.len()) % run.open.len()].clone();
                happened.push(world.answer(&step, id));
            }
            Next::Halt { why, detail } => return ended(run, events, End::Halted { why, detail }),
            Next::Fail(why) => return ended(run, events, End::Failed { why }),
            Next::Done => return ended(run, events, End::Finished),
            other @ (Next::Stop(_) | Next::PassOver(_) | Next::Park { .. }) => panic!("without chores: {other:?}"),
        };
        for event in happened {
            run.apply(&event).expect("legal");
            if let RunEvent::StepStarted { step, .. } = &event
                && step.reserved().is_some_and(|amount| amount > Micros::ZERO)
            {
                assert!(run.spent + run.reserved() <= run.start.rails.budget, "{} for {:?}", run.spent, run.open);
            }
            events.push(event);
        }
        assert!(run.open.len() <= run.start.parallel as usize, "{:?}", run.open);
    }
    panic!("the run never ended");
}

/// Maker, checker and gates of the tests.
struct World<'a> {
    queue: Vec<Queued>,
    answers: &'a [Answer],
    given: usize,
    said: BTreeMap<Fingerprint, Answer>,
}

impl World<'_> {
    /// How a step ends.
    fn answer(&mut self, step: &Step, id: Uuid) -> RunEvent {
        if let Step::Build { finding, .. } = step {
            let answer = self.answers[self.given.min(self.answers.len() - 1)].clone();
            self.given += 1;
            self.said.insert(finding.clone(), answer);
        }
        let said = step.finding().and_then(|f| self.said.get(f));
        if matches!((step, said), (Step::Build { .. }, Some(Answer::Error))) {
            let charged = step.reserved().unwrap_or_default();
            return RunEvent::StepFailed { id, charged, error: "no".into() };
        }
        RunEvent::StepFinished { id, outcome: outcome(step, said, &self.queue) }
    }
}

fn ended(mut run: Run, mut events: Vec<RunEvent>, end: End) -> (Run, Vec<RunEvent>) {
    let event = RunEvent::RunEnded { end };
    run.apply(&event).expect("legal");
    events.push(event);
    (run, events)
}

fn outcome(step: &Step, answer: Option<&Answer>, queue: &[Queued]) -> Outcome {
    match step {
        Step::Prepare => Outcome::Prepared { branch: "main".into(), commit: "c".into() },
        Step::Discover => Outcome::Discovered(Discovered { queue: queue.to_vec(), ..Discovered::default() }),
        Step::Build { .. } => Outcome::Built(built(answer.expect("an answer"))),
        Step::Verify { reserve, .. } => {
            let Some(Answer::Change { failing, verified, .. }) = answer else { panic!("nothing to verify") };
            Outcome::Verified { charged: *reserve, verdict: Box::new(verdict(failing, *verified)) }
        }
        Step::Ship { .. } => {
            let (title, commit, tree) = ("t".into(), "c".into(), "t".into());
            Outcome::Shipped(Shipped { pull_request: None, title, commit, tree, skipped: Vec::new() })
        }
        Step::HandOver { .. } | Step::HoldBack { .. } => Outcome::Noted,
        Step::Run { .. } | Step::Wait { .. } | Step::Finally { .. } => panic!("there are no chores"),
    }
}

fn built(answer: &Answer) -> Built {
    let (cost, result) = match answer {
        Answer::Change { substance, cost, .. } => (
            *cost,
            BuildResult::Change {
                commit: "c".into(),
                tree: "t".into(),
                stat: Default::default(),
                substance: substance.clone(),
                only_whitespace: false,
            },
        ),
        Answer::Empty { cost } => (*cost, BuildResult::Empty),
        Answer::Declined | Answer::Error => (0, BuildResult::Declined { why: "can't".into() }),
    };
    Built { charged: Micros(cost), tokens: 0, model: None, summary: None, result }
}

fn change(substance: &str, failing: &[&str], verified: bool) -> Answer {
    let failing = failing.iter().map(|f| (*f).to_owned()).collect();
    Answer::Change { substance: substance.into(), failing, verified, cost: 0 }
}

fn why(run: &Run) -> Option<HandOver> {
    match &run.items[0].stage {
        Stage::HandedOver(why) => Some(why.clone()),
        _ => None,
    }
}

#[test]
fn a_different_failure_each_time_ends_at_the_cap() {
    let failing: Vec<String> = ["a", "b", "c", "d"].map(String::from).into();
    let answers = [
        change("1", &["b", "c", "d"], false),
        change("2", &["a", "c", "d"], false),
        change("3", &["a", "b", "d"], false),
    ];
    let (run, _) = drive(start(0), vec![queued(0, &failing)], &answers);
    assert_eq!(why(&run), Some(HandOver::IterationCap { cap: 3 }));
    assert_eq!(run.items[0].own_rounds, 3);
}

#[test]
fn two_empty_attempts_are_no_progress() {
    let (run, _) = drive(start(0), vec![queued(0, &[])], &[Answer::Empty { cost: 0 }]);
    assert_eq!(why(&run), Some(HandOver::NoProgress { rounds: 2 }));
    assert_eq!(run.items[0].own_rounds, 2);
}

#[test]
fn what_declines_is_handed_over_and_the_next_is_taken() {
    let (run, _) = drive(start(0), vec![queued(0, &[]), queued(1, &[])], &[Answer::Declined, change("1", &[], true)]);
    assert!(matches!(why(&run), Some(HandOver::Declined { .. })));
    assert!(matches!(run.items[1].stage, Stage::Shipped { .. }));
}

#[test]
fn the_budget_stops_before_the_attempt_that_might_cross() {
    let answer = Answer::Change { substance: "x".into(), failing: vec![], verified: false, cost: 2_000_000 };
    let (run, _) = drive(start(2_000_000), (0..9).map(|n| queued(n, &[])).collect(), &[answer]);
    assert!(matches!(&run.end, Some(End::Halted { why: HaltWhy::Budget, .. })), "{:?}", run.end);
    assert_eq!(run.spent, Micros(4_000_000));
}

#[test]
fn repeats_are_paid_for_like_first_tries() {
    let mut start = start(2_000_000);
    start.retries.act.times = 9;
    let (run, _) = drive(start, vec![queued(0, &[])], &[Answer::Error]);
    assert!(matches!(&run.end, Some(End::Halted { why: HaltWhy::Budget, .. })), "{:?}", run.end);
    assert_eq!(run.spent, Micros(4_000_000));
}

#[test]
fn a_round_that_could_not_be_checked_is_not_begun() {
    let mut start = start(2_000_000);
    start.checker = Some(AgentLine { price: Micros(2_000_000), ..start.maker.clone() });
    let answer = Answer::Change { substance: "x".into(), failing: vec![], verified: true, cost: 2_000_000 };
    let (run, _) = drive(start, (0..3).map(|n| queued(n, &[])).collect(), &[answer]);
    // The maker's two dollars and the checker's two; the next round might take four more.
    assert_eq!(run.spent, Micros(4_000_000));
    assert!(matches!(run.items[0].stage, Stage::Shipped { .. }));
    assert!(matches!(&run.end, Some(End::Halted { why: HaltWhy::Budget, .. })), "{:?}", run.end);
}

#[test]
fn an_agent_that_reports_too_much_is_checked_for_nothing_and_then_it_is_over() {
    let answer = Answer::Change { substance: "x".into(), failing: vec![], verified: true, cost: 9_000_000 };
    let (run, _) = drive(start(0), (0..3).map(|n| queued(n, &[])).collect(), &[answer]);
    assert!(matches!(run.items[0].stage, Stage::Shipped { .. }), "{:?}", run.items[0].stage);
    assert!(matches!(&run.end, Some(End::Halted { why: HaltWhy::Budget, .. })), "{:?}", run.end);
}

#[test]
fn findings_whose_builds_fail_count_as_acted_on() {
    let (run, events) = drive(start(0), (0..50).map(|n| queued(n, &[])).collect(), &[Answer::Error]);
    let builds = events.iter().filter(|e| matches!(e, RunEvent::StepStarted { step: Step::Build { .. }, .. })).count();
    assert_eq!(builds, 5);
    assert_eq!(run.items.iter().filter(|i| i.stage == Stage::HeldBack).count(), 45);
}

#[test]
fn a_run_that_ends_in_the_middle_of_a_step_is_charged_for_it() {
    let (run, events) = drive(start(2_000_000), vec![queued(0, &[])], &[change("x", &[], true)]);
    assert_eq!(run.spent, Micros::ZERO, "this maker reports that it cost nothing");
    let build = events.iter().position(|e| matches!(e, RunEvent::StepStarted { step: Step::Build { .. }, .. }));
    let mut cut = Run::replay(&events[..=build.expect("a build")]).expect("legal").expect("a run");
    cut.apply(&RunEvent::RunEnded { end: End::Failed { why: "it died".into() } }).expect("legal");
    assert_eq!(cut.spent, Micros(2_000_000));
}

#[test]
fn findings_at_once_begin_in_order_and_only_as_many_as_may_open() {
    let mut start = start(1_000_000);
    start.parallel = 4;
    start.review.max_open = 2;
    let (run, events) =
        drive_at_once(start, (0..6).map(|n| queued(n, &[])).collect(), &[change("x", &[], true)], |n| n - 1);
    let builds = events.iter().take_while(|e| !matches!(e, RunEvent::StepFinished { outcome: Outcome::Built(_), .. }));
    let begun: Vec<_> = builds
        .filter_map(|e| match e {
            RunEvent::StepStarted { step: step @ Step::Build { .. }, .. } => step.finding().cloned(),
            _ => None,
        })
        .collect();
    let first: Vec<_> = run.items.iter().take(2).map(|i| i.queued.finding.clone()).collect();
    assert_eq!(begun, first, "two may wait for the person, so no more than two begin");
    assert_eq!(run.items.iter().filter(|i| matches!(i.stage, Stage::Shipped { .. })).count(), 2);
    assert_eq!(run.items.iter().filter(|i| i.stage == Stage::HeldBack).count(), 4);
}

#[test]
fn what_several_may_cost_is_counted_together() {
    let mut start = start(2_000_000);
    start.parallel = 4;
    let (run, events) = drive_at_once(start, (0..4).map(|n| queued(n, &[])).collect(), &[Answer::Error], |_| 0);
    let builds = events.iter().filter(|e| matches!(e, RunEvent::StepStarted { step: Step::Build { .. }, .. })).count();
    assert_eq!((builds, run.spent), (2, Micros(4_000_000)), "a third would not be covered by $5");
    assert!(matches!(&run.end, Some(End::Halted { why: HaltWhy::Budget, .. })), "{:?}", run.end);
}

#[test]
fn a_run_that_is_taken_up_repeats_what_was_cut_off_and_pays_for_it() {
    let (_, events) = drive(start(2_000_000), vec![queued(0, &[])], &[change("x", &[], true)]);
    let build = events.iter().position(|e| matches!(e, RunEvent::StepStarted { step: Step::Build { .. }, .. }));
    let mut run = Run::replay(&events[..=build.expect("a build")]).expect("legal").expect("a run");
    let again = RunStart { epoch: 2, ..run.start.clone() };
    run.apply(&RunEvent::RunStarted(Box::new(again))).expect("taken up");
    assert_eq!((run.spent, run.open.len(), run.items[0].own_rounds), (Micros(2_000_000), 0, 0));
    let Next::Do(starts) = next(&run, &Facts::default()) else { panic!("it goes on") };
    assert!(matches!(starts[0].step, Step::Build { iteration: 1, .. }), "{starts:?}");
}

#[test]
fn a_full_review_holds_back_what_was_not_begun() {
    let (run, _) = drive(start(0), (0..5).map(|n| queued(n, &[])).collect(), &[change("x", &[], true)]);
    let held = run.items.iter().filter(|i| i.stage == Stage::HeldBack).count();
    assert_eq!(held, 2);
}

#[test]
fn halt_and_time_come_before_everything() {
    let run = Run::new(start(0));
    let halted = Facts { halted: Some("by hand".into()), awake_s: 99_999, ..Facts::default() };
    assert!(matches!(next(&run, &halted), Next::Halt { why: HaltWhy::Halt, .. }));
    let late = Facts { awake_s: 7200, ..Facts::default() };
    assert!(matches!(next(&run, &late), Next::Halt { why: HaltWhy::Time, .. }));
}

#[test]
fn illegal_events_are_errors_and_change_nothing() {
    let mut run = Run::new(start(0));
    let before = run.clone();
    let stray = RunEvent::StepFinished { id: Uuid::from_u128(9), outcome: Outcome::Noted };
    let early = RunEvent::StepStarted { step: Step::Discover, id: Uuid::from_u128(9) };
    assert!(run.apply(&stray).is_err());
    assert!(run.apply(&early).is_err());
    assert_eq!(run, before);
    run.apply(&RunEvent::RunEnded { end: End::Finished }).expect("legal");
    assert!(run.apply(&RunEvent::Noted { topic: "x".into(), text: "y".into() }).is_err());
}

fn answers() -> impl Strategy<Value = Answer> {
    let failing = prop::collection::vec("[a-d]", 0..4);
    prop_oneof![
        5 => ("[a-e]", failing, prop::bool::weighted(0.2), 0u64..3_000_000).prop_map(
            |(substance, failing, verified, cost)| Answer::Change { substance, failing, verified, cost }
        ),
        1 => (0u64..3_000_000).prop_map(|cost| Answer::Empty { cost }),
        1 => Just(Answer::Declined),
        1 => Just(Answer::Error),
    ]
}

proptest! {
    #[test]
    fn no_answers_get_past_the_rails(
        answers in prop::collection::vec(answers(), 1..40),
        findings in 1usize..9,
        price in 0u64..3_000_000,
        checker in prop::option::of(0u64..3_000_000),
        retries in 0u32..4,
        parallel in 1u32..5,
        order in prop::collection::vec(0usize..4, 1..40),
    ) {
        let failing: Vec<String> = ["a", "b"].map(String::from).into();
        let queue = (0..findings).map(|n| queued(n, if n % 2 == 0 { &failing } else { &[] })).collect();
        let mut start = start(price);
        start.checker = checker.map(|price| AgentLine { price: Micros(price), ..start.maker.clone() });
        start.retries.act.times = retries;
        start.parallel = parallel;
        let mut order = order.into_iter().cycle();
        let (run, events) = drive_at_once(start, queue, &answers, |_| order.next().unwrap_or(0));
        let acted = run.items.iter().filter(|i| i.taken).count();
        prop_assert!(run.items.iter().all(|i| i.own_rounds <= 3));
        prop_assert!(acted <= 5);
        let shipped = run.items.iter().filter(|i| matches!(i.stage, Stage::Shipped { .. })).count();
        prop_assert!(shipped <= 3);
        // What was reserved always fitted; only an agent that reports more than its price can cross, once for each at work.
        let most = answers.iter().map(|a| match a { Answer::Change { cost, .. } | Answer::Empty { cost } => *cost, _ => 0 }).max().unwrap_or(0);
        prop_assert!(run.spent.0 <= 5_000_000 + most.saturating_sub(price) * u64::from(parallel));
        // Replay is total on every prefix and gives the same state.
        for cut in 1..=events.len() {
            prop_assert!(Run::replay(&events[..cut]).is_ok());
        }
        let replayed = Run::replay(&events).expect("legal");
        prop_assert_eq!(replayed.as_ref(), Some(&run));
        // Stored and read again, they are the same events.
        for event in &events {
            let text = serde_json::to_string(event).expect("JSON");
            prop_assert_eq!(&serde_json::from_str::<RunEvent>(&text).expect("readable"), event);
        }
    }
}

#[test]
fn a_full_ledger_ends_what_has_begun_and_begins_nothing() {
    let mut start = start(1_000_000);
    start.parallel = 2;
    let mut run = Run::new(start);
    let found = Discovered { queue: (0..3).map(|n| queued(n, &[])).collect(), ..Discovered::default() };
    let first = Uuid::from_u128(3);
    let finding = found.queue[0].finding.clone();
    for event in [
        RunEvent::StepStarted { step: Step::Prepare, id: Uuid::from_u128(1) },
        RunEvent::StepFinished {
            id: Uuid::from_u128(1),
            outcome: Outcome::Prepared { branch: "main".into(), commit: "c".into() },
        },
        RunEvent::StepStarted { step: Step::Discover, id: Uuid::from_u128(2) },
        RunEvent::StepFinished { id: Uuid::from_u128(2), outcome: Outcome::Discovered(found) },
        RunEvent::StepStarted { step: Step::Build { finding, iteration: 1, reserve: Micros(1_000_000) }, id: first },
    ] {
        run.apply(&event).expect("legal");
    }
    let full = Facts { refused: Some("$20/day of test".into()), ..Facts::default() };
    assert_eq!(next(&run, &full), Next::Wait, "what is open comes to its end");
    let built = Outcome::Built(built(&change("x", &[], true)));
    run.apply(&RunEvent::StepFinished { id: first, outcome: built }).expect("legal");
    let Next::Do(starts) = next(&run, &full) else { panic!("its verdict is paid for already") };
    assert!(matches!(starts[..], [Start { step: Step::Verify { .. }, .. }]), "{starts:?}");
    // The control: with room, the next finding begins beside it.
    let Next::Do(starts) = next(&run, &Facts::default()) else { panic!("there is work") };
    assert!(starts.iter().any(|s| matches!(s.step, Step::Build { .. })), "{starts:?}");
}

//! Runs that work on a pull request again: how many rounds they have, and what their end tells the person.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

use std::collections::BTreeSet;

use loopwright_core::check::CaseId;
use loopwright_core::definition::{Merge, Rails, ReviewRule};
use loopwright_core::finding::{FindingSource, Fingerprint};
use loopwright_core::gate::Level;
use loopwright_core::ids::{LoopId, OccurrenceId, PullRequestId, RunId};
use loopwright_core::money::Micros;
use loopwright_core::next::{Facts, Next, next};
use loopwright_core::progress::Round;
use loopwright_core::review::{Event, Shown, State, Via, fold};
use loopwright_core::revise::{came_to_nothing, grants_one, note};
use loopwright_core::run::{
    AgentLine, BuildResult, Built, Chores, Discovered, End, HaltWhy, Mode, Outcome, Queued, Retries, Revise, Revision,
    Run, RunEvent, RunStart, Step,
};
use loopwright_core::verdict::Verdict;
use uuid::Uuid;

fn start(why: Option<Revise>, cap: u32, no_progress: u32) -> RunStart {
    let revision = |why| Revision { pull_request: PullRequestId(Uuid::from_u128(9)), commit: "c".repeat(40), why };
    RunStart {
        run: RunId(Uuid::from_u128(1)),
        loop_id: LoopId(Uuid::from_u128(2)),
        loop_name: "test".into(),
        occurrence: OccurrenceId(Uuid::from_u128(3)),
        cause: "review".into(),
        mode: Mode::Ship,
        epoch: 1,
        definition: "0".repeat(64),
        rails: Rails {
            max_iterations: cap,
            budget: Micros(5_000_000),
            no_progress,
            max_duration_s: 7200,
            max_tokens: None,
            max_turns: None,
            max_findings: 5,
            ceilings: Vec::new(),
        },
        review: ReviewRule { max_open: 1, merge: Merge::Squash },
        maker: AgentLine {
            name: "maker".into(),
            kind: "command".into(),
            model: None,
            vendor: None,
            price: Micros::ZERO,
        },
        checker: None,
        retries: Retries::default(),
        only: Some(finding()),
        parallel: 1,
        only_reports: false,
        chores: Chores::default(),
        revises: why.map(revision),
        worked_s: 0,
    }
}

fn finding() -> Fingerprint {
    Fingerprint::of(FindingSource::Issue, "1")
}

fn sent_back() -> Option<Revise> {
    Some(Revise::SentBack { note: "shorter".into() })
}

/// Rounds of earlier runs, none of which got anywhere by the rules of an ordinary run.
fn rounds(n: usize) -> Vec<Round> {
    (0..n).map(|_| Round::empty()).collect()
}

/// Drives a run whose every round fails the gates; the number of its rounds, and why it came to nothing.
fn failing(start: RunStart, before: usize) -> (usize, String) {
    // As many pull requests are open as may be: the one that is revised is among them.
    let facts = Facts { open_pull_requests: 1, ..Facts::default() };
    let mut run = Run::new(start);
    let mut builds = 0;
    for number in 0..1000u128 {
        let step = match next(&run, &facts) {
            Next::Do(starts) => starts.into_iter().next().expect("a step").step,
            Next::Done => return (builds, came_to_nothing(&run, &End::Finished)),
            other => panic!("{other:?}"),
        };
        builds += usize::from(matches!(step, Step::Build { .. }));
        let id = Uuid::from_u128(100 + number);
        let outcome = outcome(&step, number, before);
        run.apply(&RunEvent::StepStarted { step, id }).expect("legal");
        run.apply(&RunEvent::StepFinished { id, outcome }).expect("legal");
    }
    panic!("the run never ended");
}

fn outcome(step: &Step, number: u128, before: usize) -> Outcome {
    match step {
        Step::Prepare => Outcome::Prepared { branch: "main".into(), commit: "b".into() },
        Step::Discover => Outcome::Discovered(Discovered {
            queue: vec![Queued {
                finding: finding(),
                title: "finding".into(),
                failing: BTreeSet::new(),
                base_failing: BTreeSet::new(),
                rounds: rounds(before),
            }],
            ..Discovered::default()
        }),
        Step::Build { .. } => Outcome::Built(Built {
            charged: Micros::ZERO,
            tokens: 0,
            model: None,
            summary: None,
            result: BuildResult::Change {
                commit: "c".into(),
                tree: "t".into(),
                stat: Default::default(),
                substance: format!("new {number}"),
                only_whitespace: false,
            },
        }),
        Step::Verify { .. } => Outcome::Verified { charged: Micros::ZERO, verdict: Box::new(red()) },
        Step::Ship { .. } | Step::HandOver { .. } | Step::HoldBack { .. } => Outcome::Noted,
        Step::Run { .. } | Step::Wait { .. } | Step::Finally { .. } => panic!("there are no chores"),
    }
}

fn red() -> Verdict {
    Verdict {
        verified: false,
        level: Level::Fail,
        gates: Vec::new(),
        checker: None,
        checked_by: None,
        not_independent: None,
        reasons: vec!["tests_pass: a fails".into()],
        failing: BTreeSet::from([CaseId("a".into())]),
        cleared: None,
    }
}

#[test]
fn sending_back_grants_one_round_where_none_is_left() {
    for (before, cap, made, granted) in
        [(0, 3, 3, false), (1, 3, 2, false), (2, 3, 1, false), (3, 3, 1, true), (9, 3, 1, true), (1, 1, 1, true)]
    {
        assert_eq!(failing(start(sent_back(), cap, 5), before).0, made, "{before} of {cap}");
        assert_eq!(grants_one(before, cap), granted, "{before} of {cap}");
    }
    // The control: an ordinary run grants nothing; nothing may begin at all while as many wait as may.
    assert_eq!(failing(start(None, 3, 5), 3).0, 0);
}

/// What was without progress before counts no more: a person has spoken since.
#[test]
fn a_persons_word_begins_a_new_count_of_progress() {
    assert_eq!(failing(start(sent_back(), 9, 2), 4).0, 5, "until the cap: every round is new");
    let same = |why| {
        let mut start = start(why, 9, 2);
        start.review.max_open = 5;
        failing_alike(start, 4)
    };
    assert_eq!(same(sent_back()), 3, "the first was new, two in a row were not");
    assert_eq!(same(None), 0, "the control: the rounds before were stale");
}

/// The same with a maker that always makes the same change.
fn failing_alike(start: RunStart, before: usize) -> usize {
    let mut run = Run::new(start);
    let mut builds = 0;
    while let Next::Do(starts) = next(&run, &Facts::default()) {
        let step = starts.into_iter().next().expect("a step").step;
        builds += usize::from(matches!(step, Step::Build { .. }));
        let id = Uuid::from_u128(run.events.into());
        let outcome = outcome(&step, 0, before);
        run.apply(&RunEvent::StepStarted { step, id }).expect("legal");
        run.apply(&RunEvent::StepFinished { id, outcome }).expect("legal");
    }
    builds
}

#[test]
fn a_moved_base_is_one_round_whatever_was_before() {
    for before in [0, 1, 3, 9] {
        let (made, why) = failing(start(Some(Revise::Moved), 3, 1), before);
        assert_eq!((made, why.as_str()), (1, "tests_pass: a fails"), "{before}");
    }
}

#[test]
fn the_end_of_a_run_says_why() {
    let run = Run::new(start(sent_back(), 3, 2));
    let halted = End::Halted { why: HaltWhy::Halt, detail: "halted by hand".into() };
    assert_eq!(came_to_nothing(&run, &halted), "halted by hand");
    assert_eq!(came_to_nothing(&run, &End::Failed { why: "no room".into() }), "no room");
    assert_eq!(came_to_nothing(&run, &End::Finished), "nothing was done");
}

#[test]
fn a_run_waits_for_its_own_pull_request_alone() {
    let shown = Shown { commit: "c".into(), tree: "t".into(), patch_id: "p".into(), diff_sha256: "d".into() };
    let opened = Event::Opened { shown: shown.clone() };
    let state = |event: Option<Event>| -> State {
        fold(std::iter::once(&opened).chain(&event)).expect("legal").expect("a state")
    };
    let approved = state(Some(Event::Approved { shown, via: Via::Terminal, lands_at: None }));
    let back = state(Some(Event::SentBack { note: "n".into() }));
    let rejected = state(Some(Event::Rejected { reason: "r".into() }));
    let sent_back = sent_back().expect("a reason");
    for (stands, moved, again) in
        [(state(None), true, false), (approved, true, false), (back, false, true), (rejected, false, false)]
    {
        assert_eq!(
            (Revise::Moved.is_awaited_by(&stands), sent_back.is_awaited_by(&stands)),
            (moved, again),
            "{stands:?}"
        );
        assert_eq!(sent_back.fails_to(&stands), again, "{stands:?}");
        assert_eq!(Revise::Moved.fails_to(&stands), matches!(stands, State::Approved { .. }), "{stands:?}");
    }
}

#[test]
fn a_note_is_kept_as_it_was_said_without_what_is_hidden() {
    assert_eq!(note("src/a.rs:3: no\n\n  two lines \n").as_deref(), Some("src/a.rs:3: no\n\n  two lines"));
    assert_eq!(note("a\u{1b}[2J\u{202e}b\rc").as_deref(), Some("ab\nc"));
    assert_eq!(note(" \n\u{200b}\t"), None);
    assert_eq!(note(&"x".repeat(9000)).map(|n| n.len()), Some(4000));
}

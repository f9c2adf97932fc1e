//! Stories of hand-made journals, whole, as text.

use std::collections::BTreeSet;

use super::*;
use crate::definition::{Merge, Rails, ReviewRule};
use crate::diff::DiffStat;
use crate::ids::{LoopId, OccurrenceId};
use crate::money::Micros;
use crate::run::{AgentLine, Chores, HaltWhy, HandOver, HoldBack, Queued, Retries, Revise, Revision, VERSION};
use crate::verdict::CheckerVerdict;

const RUN: &str = "01936f2e-0000-7000-8000-0000aaaa0001";

struct Journal(Vec<Entry>);

impl Journal {
    fn new(mode: Mode, cause: &str) -> Journal {
        let mut journal = Journal(Vec::new());
        journal.add(RunEvent::RunStarted(Box::new(start(mode, cause, 1))));
        journal
    }

    fn add(&mut self, event: RunEvent) {
        let seconds = self.0.len() * 7;
        let at = format!("2026-11-22T09:{:02}:{:02}Z", seconds / 60, seconds % 60);
        let v = VERSION;
        self.0.push(Entry { v, at, event });
    }

    fn begin(&mut self, step: Step) -> Uuid {
        let id = Uuid::from_u128(0x1_0000_0000 + self.0.len() as u128);
        self.add(RunEvent::StepStarted { step, id });
        id
    }

    fn step(&mut self, step: Step, outcome: Outcome) {
        let id = self.begin(step);
        self.add(RunEvent::StepFinished { id, outcome });
    }

    fn fail(&mut self, step: Step, error: &str) {
        let id = self.begin(step);
        self.add(RunEvent::StepFailed { id, charged: Micros::ZERO, error: error.to_owned() });
    }

    fn found(mode: Mode, titles: &[&str]) -> Journal {
        let mut journal = Journal::new(mode, "manual");
        journal.step(Step::Prepare, Outcome::Prepared { branch: "main".to_owned(), commit: "1a2b3c4d5e6f".to_owned() });
        let found = Discovered {
            queue: titles.iter().map(|t| queued(t)).collect(),
            seen: titles.len() as u32,
            new: titles.len() as u32,
            checks: vec!["tests_pass: 12 passed, 1 failed".to_owned(), "lint_clean: 2 warnings".to_owned()],
            ..Discovered::default()
        };
        journal.step(Step::Discover, Outcome::Discovered(found));
        journal
    }

    fn round(&mut self, title: &str, iteration: u32, result: BuildResult) {
        let built = Built {
            charged: Micros(if iteration > 1 { 410_000 } else { 0 }),
            tokens: 0,
            model: None,
            summary: Some("I fixed it, trust me".to_owned()),
            result,
        };
        let step = Step::Build { finding: print(title), iteration, reserve: Micros::ZERO };
        self.step(step, Outcome::Built(built));
    }

    fn verify(&mut self, title: &str, verdict: Verdict) {
        let finding = print(title);
        self.step(
            Step::Verify { finding, reserve: Micros::ZERO },
            Outcome::Verified { charged: Micros::ZERO, verdict: Box::new(verdict) },
        );
    }

    fn end(mut self, end: End) -> Journal {
        self.add(RunEvent::RunEnded { end });
        self
    }

    fn story(&self) -> String {
        let lines = tell(&self.0, &Titles::new(), FixedOffset::east_opt(0).expect("UTC"));
        let line = |l: &StoryLine| {
            let pad = " ".repeat(usize::from(l.depth) * 2);
            format!("{} {pad}{} {}", l.at, l.mark.shape(), l.text)
        };
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

fn start(mode: Mode, cause: &str, epoch: u32) -> RunStart {
    RunStart {
        run: RUN.parse().expect("a run's id"),
        loop_id: LoopId(Uuid::nil()),
        loop_name: "daily-triage".to_owned(),
        occurrence: OccurrenceId(Uuid::nil()),
        cause: cause.to_owned(),
        mode,
        epoch,
        definition: "ab".repeat(32),
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
        maker: AgentLine {
            name: "implementer".to_owned(),
            kind: "fixer (built in)".to_owned(),
            vendor: None,
            model: None,
            price: Micros::ZERO,
        },
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

fn print(title: &str) -> Fingerprint {
    Fingerprint::of(crate::finding::FindingSource::Check, title)
}

fn queued(title: &str) -> Queued {
    Queued {
        finding: print(title),
        title: title.to_owned(),
        failing: BTreeSet::new(),
        base_failing: BTreeSet::new(),
        rounds: Vec::new(),
    }
}

fn change() -> BuildResult {
    BuildResult::Change {
        commit: "c0ffee".to_owned(),
        tree: "7ree".to_owned(),
        stat: DiffStat { files: 1, added: 3, removed: 3 },
        substance: "s".to_owned(),
        only_whitespace: false,
    }
}

fn gates(tests: Level) -> Vec<GateResult> {
    let gate = |gate: &str, level, summary: &str| GateResult {
        gate: gate.to_owned(),
        level,
        summary: summary.to_owned(),
        reasons: Vec::new(),
        evidence: None,
    };
    vec![gate("tests_pass", tests, "12 passed, 1 failed before and after"), gate("diff_reasonable", Level::Pass, "")]
}

fn verdict(tests: Level, reasons: &[&str]) -> Verdict {
    Verdict {
        verified: tests > Level::Fail,
        level: tests,
        gates: gates(tests),
        checker: None,
        checked_by: None,
        not_independent: None,
        reasons: reasons.iter().map(|r| (*r).to_owned()).collect(),
        failing: BTreeSet::new(),
        cleared: None,
    }
}

fn shipped() -> Outcome {
    Outcome::Shipped(Shipped {
        pull_request: None,
        title: "Formatting: 4 files".to_owned(),
        commit: "c0ffee".to_owned(),
        tree: "7ree".to_owned(),
        skipped: vec!["notify_slack: skipped (not configured)".to_owned()],
    })
}

fn whole() -> Journal {
    let mut journal = Journal::found(Mode::Ship, &["Formatting: 4 files", "parse_day fails", "x"]);
    journal.round("Formatting: 4 files", 1, change());
    journal.verify("Formatting: 4 files", verdict(Level::NeedsPerson, &[]));
    let finding = print("Formatting: 4 files");
    journal.step(Step::Ship { finding }, shipped());
    journal.round("parse_day fails", 1, BuildResult::Empty);
    journal.round("parse_day fails", 2, change());
    journal.verify("parse_day fails", verdict(Level::Fail, &["a", "b", "c", "d", "e", "f", "g"]));
    let step = Step::HandOver { finding: print("parse_day fails"), why: HandOver::NoProgress { rounds: 2 } };
    journal.step(step, Outcome::Noted);
    let why = HoldBack::ReviewFull { max: 3 };
    journal.step(Step::HoldBack { why }, Outcome::Noted);
    journal.end(End::Finished)
}

#[test]
fn a_whole_run() {
    insta::assert_snapshot!(whole().story());
}

/// A line for each row of the timeline.
fn drawn(entries: &[Entry]) -> String {
    let line = |step: &TimelineStep| {
        let took = match (&step.began, step.seconds) {
            (None, _) => "ahead".to_owned(),
            (Some(_), None) => "goes on".to_owned(),
            (Some(_), Some(seconds)) => duration(seconds),
        };
        let (finding, why) = (step.finding.as_deref().unwrap_or("-"), step.reasons.join("|"));
        format!("{} {} [{finding}] {} {{{why}}} {took}", step.mark.shape(), step.name, step.detail)
    };
    timeline(entries, &Titles::new()).iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_whole_run_as_a_timeline() {
    insta::assert_snapshot!(drawn(&whole().0));
}

#[test]
fn a_timeline_says_what_goes_on_what_follows_and_what_was_cut_off() {
    let mut journal = Journal::found(Mode::Ship, &["a", "b"]);
    let reserve = Micros(1);
    journal.begin(Step::Build { finding: print("b"), iteration: 2, reserve });
    let last = |journal: &Journal, n: usize| {
        drawn(&journal.0)
            .lines()
            .rev()
            .take(n)
            .map(str::to_owned)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .collect::<Vec<_>>()
    };
    assert_eq!(
        last(&journal, 3),
        ["● Build [“b”] finding 2 of 2, iteration 2 of 3 {} goes on", "· Verify [-]  {} ahead", "· Ship [-]  {} ahead"]
    );
    let halted = journal.end(End::Halted { why: HaltWhy::Halt, detail: "by hand".to_owned() });
    assert_eq!(last(&halted, 1), ["■ Build [“b”] cut off {} 7 s"]);
}

#[test]
fn a_report_that_found_nothing() {
    let mut journal = Journal::found(Mode::Report, &[]);
    journal.add(RunEvent::Noted {
        topic: "triage-rejected".to_owned(),
        text: "the triage list has no end line; it is kept beside".to_owned(),
    });
    insta::assert_snapshot!(journal.end(End::Finished).story());
}

#[test]
fn a_report_with_findings_ends_as_one() {
    let last = |mode, titles: &[&str]| {
        let story = Journal::found(mode, titles).end(End::Finished).story();
        story.lines().last().expect("a line")["09:00:00 ✓ ".len()..].to_owned()
    };
    assert_eq!(last(Mode::Report, &["a"]), "Ended: reported only, with 1 finding to act on.");
    assert_eq!(last(Mode::Report, &["a", "b"]), "Ended: reported only, with 2 findings to act on.");
    for (mode, titles) in [(Mode::Report, &[][..]), (Mode::Ship, &["a"])] {
        assert_eq!(last(mode, titles), "Ended: nothing is left to do.");
    }
}

#[test]
fn a_report_with_findings_is_done_and_one_without_had_nothing_to_do() {
    let code = |mode, titles: &[&str]| {
        let journal = Journal::found(mode, titles).end(End::Finished);
        let run = crate::run::Run::replay(journal.0.iter().map(|e| &e.event)).expect("a run").expect("events");
        crate::exit::of_run(&run).expect("a code")
    };
    assert_eq!(code(Mode::Report, &["a"]), crate::exit::DONE);
    assert_eq!(code(Mode::Report, &[]), crate::exit::NOTHING);
    assert_eq!(code(Mode::Ship, &["a"]), crate::exit::NOTHING, "held back");
}

#[test]
fn what_was_found_adds_up() {
    let look = |seen, queue: &[&str], asked| {
        let queue = queue.iter().map(|t| queued(t)).collect();
        found(&Discovered { queue, seen, new: 2, gone: 1, waiting: 9, ..Discovered::default() }, asked)
    };
    assert_eq!(
        look(7, &["a", "b", "c"], false),
        "Found 7 (2 new): 3 to act on, 4 already decided, waiting or put off. 1 from before no longer seen."
    );
    assert_eq!(look(7, &["a"], true), "Found 7 (2 new): 1 asked for, 6 left alone. 1 from before no longer seen.");
    assert_eq!(look(2, &["a", "b"], false), "Found 2 (2 new): 2 to act on. 1 from before no longer seen.");
    assert_eq!(look(0, &[], false), "Found nothing. 1 from before no longer seen.");
}

#[test]
fn a_run_for_a_pull_request_says_so() {
    let pull_request = PullRequestId(Uuid::nil());
    let revision = |why| Revision { pull_request, commit: "1a".to_owned(), why };
    let told = |cause: &str, why: Revise| {
        let start = RunStart { revises: Some(revision(why)), ..start(Mode::Ship, cause, 1) };
        let mut journal = Journal(Vec::new());
        journal.add(RunEvent::RunStarted(Box::new(start)));
        journal.step(Step::Ship { finding: print("One") }, shipped());
        journal.story()
    };
    let moved = told("moved", Revise::Moved);
    assert!(moved.contains("Started as the target branch moved, to ship."), "{moved}");
    assert!(moved.contains("Updated pull request"), "{moved}");
    let sent_back = told("review", Revise::SentBack { note: "no".to_owned() });
    assert!(sent_back.contains("Started as you sent a pull request back, to ship."), "{sent_back}");
}

#[test]
fn what_started_a_run_is_said_in_words() {
    for (cause, said) in [
        ("every", "Started on schedule, "),
        ("at", "Started on schedule, "),
        ("after", "Started as a run of another loop had ended, "),
        ("file", "Started as files had changed, "),
        ("manual", "Started by hand, "),
    ] {
        let mut journal = Journal(Vec::new());
        journal.add(RunEvent::RunStarted(Box::new(start(Mode::Report, cause, 1))));
        assert!(journal.story().contains(said), "{cause}: {}", journal.story());
    }
}

#[test]
fn a_hand_over_says_why_at_last() {
    let reasons = ["tests_pass: a fails".to_owned(), "tests_pass: b fails".to_owned()];
    let told = |why: HandOver, n: usize| handed_over(&why, &reasons[..n]);
    assert_eq!(told(HandOver::IterationCap { cap: 1 }, 1), "not verified after 1 iteration; last: tests_pass: a fails");
    assert_eq!(
        told(HandOver::IterationCap { cap: 3 }, 2),
        "not verified after 3 iterations; last: tests_pass: a fails (and 1 more)"
    );
    assert_eq!(told(HandOver::NoProgress { rounds: 2 }, 0), "no progress 2 times in a row");
    // What the maker said itself is the reason.
    assert_eq!(told(HandOver::Declined { why: "too big".to_owned() }, 2), "the maker did not try: too big");
}

#[test]
fn failures_retries_and_a_halt() {
    let mut journal = Journal::new(Mode::Ship, "cron");
    journal.fail(Step::Prepare, "setup ended with 101: no such file");
    journal.step(Step::Prepare, Outcome::Prepared { branch: "main".to_owned(), commit: "1a2b3c4d".to_owned() });
    journal.begin(Step::Discover);
    journal.add(RunEvent::RunStarted(Box::new(start(Mode::Ship, "cron", 2))));
    journal.begin(Step::Discover);
    let story =
        journal.end(End::Halted { why: HaltWhy::Halt, detail: "everything was halted: by hand".to_owned() }).story();
    insta::assert_snapshot!(story);
}

#[test]
fn the_checker_rejects_and_the_budget_ends_it() {
    let mut journal = Journal::found(Mode::Ship, &["Add a test"]);
    journal.round("Add a test", 2, change());
    let mut rejected = verdict(Level::Pass, &["reviewer: src/a.rs: the test asserts nothing"]);
    rejected.verified = false;
    rejected.checked_by = Some("reviewer".to_owned());
    rejected.checker =
        Some(CheckerVerdict { accepted: false, reasons: Vec::new(), faults: Vec::new(), not_checked: Vec::new() });
    journal.verify("Add a test", rejected);
    let story = journal
        .end(End::Halted {
            why: HaltWhy::Budget,
            detail: "$0.41 of $0.50 spent; the next attempt may cost $0.41".to_owned(),
        })
        .story();
    insta::assert_snapshot!(story);
}

#[test]
fn a_failure_ends_with_its_reason() {
    let mut journal = Journal::new(Mode::Report, "manual");
    journal.fail(Step::Prepare, "cargo is not found in the sandbox");
    let why = "cargo is not found in the sandbox".to_owned();
    insta::assert_snapshot!(journal.end(End::Failed { why }).story());
}

#[test]
fn what_is_told_of_findings_at_once_stands_below_their_names() {
    let mut journal = Journal::found(Mode::Ship, &["One", "Two"]);
    let build = |title: &str| Step::Build { finding: print(title), iteration: 1, reserve: Micros::ZERO };
    let ids = ["One", "Two"].map(|title| journal.begin(build(title)));
    for id in [ids[0], ids[1]] {
        let (charged, result) = (Micros::ZERO, change());
        let built = Built { charged, tokens: 0, model: None, summary: None, result };
        journal.add(RunEvent::StepFinished { id, outcome: Outcome::Built(built) });
    }
    insta::assert_snapshot!(journal.story());
}

#[test]
fn the_story_of_the_first_events_is_the_beginning_of_the_story() {
    let journal = whole();
    let utc = FixedOffset::east_opt(0).expect("UTC");
    let all = tell(&journal.0, &Titles::new(), utc);
    for n in 0..journal.0.len() {
        let told = tell(&journal.0[..n], &Titles::new(), utc);
        assert_eq!(told, all[..told.len()], "after {n} events");
    }
}

#[test]
fn the_open_step_is_what_it_does_now() {
    let journal = whole();
    let doings: BTreeSet<_> = (0..journal.0.len()).filter_map(|n| doing(&journal.0[..n], &Titles::new())).collect();
    insta::assert_snapshot!(doings.into_iter().collect::<Vec<_>>().join("\n"));
    assert_eq!(doing(&journal.0, &Titles::new()), None);
}

#[test]
fn untrusted_text_stays_one_plain_line() {
    let evil = "a\n09:00:00 ✓ Verified\u{1b}[31m\u{202e}";
    let mut journal = Journal::found(Mode::Ship, &[evil]);
    journal.round(evil, 1, BuildResult::Declined { why: evil.to_owned() });
    journal.verify(evil, verdict(Level::Fail, &[evil]));
    let story = journal.end(End::Failed { why: evil.to_owned() }).story();
    let odd = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!story.contains(odd), "{story:?}");
    assert!(evil.contains(odd), "the control would pass too");
    assert_eq!(story.lines().filter(|l| l.starts_with("09:00:00")).count(), 2);
}

#[test]
fn times_are_shown_at_the_offset() {
    let east = FixedOffset::east_opt(3600).expect("an hour");
    let lines = tell(&whole().0, &Titles::new(), east);
    assert_eq!(lines[0].at, "10:00:00");
    assert_eq!(clock("yesterday", east), "??:??:??");
}

#[test]
fn durations_have_at_most_two_units() {
    for (seconds, words) in [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (75, "1 min 15 s"),
        (2700, "45 min"),
        (5400, "1 h 30 min"),
        (7200, "2 h"),
    ] {
        assert_eq!(duration(seconds), words);
    }
}

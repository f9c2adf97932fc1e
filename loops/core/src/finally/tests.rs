//! Scripts of events in, what is next out.

use super::*;
use crate::definition::{Command, Finally, Grants, Retry};
use crate::money::Micros;
use crate::run::{Chores, End, HaltWhy, Outcome, Ran, RanHow, RunEvent, RunStart};

fn step(name: &str, idempotent: bool, times: u32) -> RunStep {
    RunStep {
        name: name.to_owned(),
        command: Command::Shell("true".to_owned()),
        service: false,
        until: None,
        retry: Retry { times, every_s: 9 },
        max_s: None,
        idempotent,
        grants: Grants::default(),
    }
}

/// A run that was halted, with these steps after its end.
fn ending(steps: Vec<RunStep>) -> Run {
    let text = r#"{"run":"01936f2e-0000-7000-8000-000000000001","loop_id":"01936f2e-0000-7000-8000-000000000002",
        "loop_name":"n","occurrence":"01936f2e-0000-7000-8000-000000000003","cause":"manual","mode":"ship","epoch":1,
        "definition":"","rails":{"max_iterations":3,"budget":5000000,"no_progress":2,"max_duration_s":60,
        "max_tokens":null,"max_turns":null,"max_findings":5},"review":{"max_open":3,"merge":"squash"},
        "maker":{"name":"m","kind":"command","model":null,"price":0},"checker":null,
        "retries":{"discover":{"times":0,"every_s":0},"act":{"times":0,"every_s":0},"verify":{"times":0,"every_s":0},
        "ship":{"times":0,"every_s":0}}}"#;
    let start: RunStart = serde_json::from_str(text).expect("a start");
    let chores = Chores { finally: Finally { steps, max_s: 60 }, alone: true, ..Chores::default() };
    let mut run = Run::new(RunStart { chores, ..start });
    let end = End::Halted { why: HaltWhy::Halt, detail: "HALT".to_owned() };
    let event = run.end_event(end);
    assert!(matches!(event, RunEvent::Ending { .. }));
    run.apply(&event).expect("it ends");
    run
}

fn begin(run: &mut Run, name: &str) -> Uuid {
    let id = Uuid::from_u128(u128::from(run.events));
    run.apply(&RunEvent::StepStarted { step: Step::Finally { name: name.to_owned() }, id }).expect("it begins");
    id
}

fn end(run: &mut Run, id: Uuid, how: RanHow, code: Option<i32>) {
    let ran = Ran { how, code, seconds: 1, last: None, log: String::new() };
    run.apply(&RunEvent::StepFinished { id, outcome: Outcome::Ran(ran) }).expect("it ends");
}

fn says(run: &Run) -> String {
    match next(run) {
        Next::CutOff(_, name) => format!("cut off {name}"),
        Next::Start { step, after_s: 0 } => step.name.clone(),
        Next::Start { step, after_s } => format!("{} in {after_s}", step.name),
        Next::Done => "done".to_owned(),
    }
}

#[test]
fn what_failed_after_the_end_is_known() {
    let mut run = ending(vec![step("flat", false, 0), step("report", false, 0), step("late", false, 0)]);
    let id = begin(&mut run, "flat");
    end(&mut run, id, RanHow::Itself, Some(0));
    let id = begin(&mut run, "report");
    end(&mut run, id, RanHow::Itself, Some(9));
    assert_eq!(run.last_steps_failed(), None, "not before it has ended");
    let decided = run.ending.clone().expect("decided");
    run.apply(&RunEvent::RunEnded { end: decided }).expect("it ends");
    assert_eq!(run.last_steps_failed().as_deref(), Some("report (exit code 9), late (not begun)"));
}

#[test]
fn each_once_in_order_whether_or_not_the_one_before_ended_well() {
    let mut run = ending(vec![step("flat", false, 0), step("report", false, 0)]);
    assert_eq!((says(&run), ahead(&run)), ("flat".to_owned(), vec!["flat", "report"]));
    let id = begin(&mut run, "flat");
    end(&mut run, id, RanHow::Itself, Some(1));
    assert_eq!(says(&run), "report");
    let id = begin(&mut run, "report");
    end(&mut run, id, RanHow::Itself, Some(0));
    assert_eq!((says(&run), ahead(&run).len()), ("done".to_owned(), 0));
    run.apply(&RunEvent::RunEnded { end: run.ending.clone().expect("an end") }).expect("its last event");
}

#[test]
fn what_was_cut_off_is_repeated_only_if_it_may_be() {
    for (idempotent, after) in [(false, "report"), (true, "flat")] {
        let mut run = ending(vec![step("flat", idempotent, 5), step("report", false, 0)]);
        let id = begin(&mut run, "flat");
        assert_eq!(says(&run), "cut off flat");
        end(&mut run, id, RanHow::CutOff, None);
        assert_eq!(says(&run), after);
        assert_eq!(stays_unknown(&run, "flat"), !idempotent);
        assert!(!stays_unknown(&run, "report"));
    }
}

#[test]
fn nothing_goes_round_for_ever() {
    let mut run = ending(vec![step("flat", true, 0)]);
    for _ in 0..MOST_CUT_OFF {
        assert_eq!(says(&run), "flat");
        let id = begin(&mut run, "flat");
        end(&mut run, id, RanHow::CutOff, None);
    }
    assert_eq!(says(&run), "done");
    assert!(stays_unknown(&run, "flat"));
}

#[test]
fn one_that_failed_is_tried_as_often_as_it_says() {
    let mut run = ending(vec![step("flat", false, 1)]);
    let id = begin(&mut run, "flat");
    end(&mut run, id, RanHow::Itself, Some(3));
    assert_eq!(says(&run), "flat in 9");
    let id = begin(&mut run, "flat");
    let error = "no box".to_owned();
    run.apply(&RunEvent::StepFailed { id, charged: Micros::ZERO, error }).expect("it fails");
    assert_eq!(says(&run), "done");
}

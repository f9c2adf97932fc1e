//! Scripts of steps, waits, crashes and parks, played through the real fold and `next`.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::definition::{Command, Grants, Retry};
use crate::money::Micros;
use crate::next::Facts;
use crate::run::{End, Outcome, Ran, RunEvent, RunStart};

fn run_step(name: &str) -> RunStep {
    RunStep {
        name: name.to_owned(),
        command: Command::Shell("true".to_owned()),
        service: false,
        until: None,
        retry: Retry::default(),
        max_s: None,
        idempotent: false,
        grants: Grants::default(),
    }
}

fn chore(step: RunStep) -> Chore {
    Chore::Run(Box::new(step))
}

fn service(name: &str, until: Option<Until>) -> Chore {
    chore(RunStep { service: true, until, ..run_step(name) })
}

fn retried(name: &str, times: u32) -> Chore {
    chore(RunStep { retry: Retry { times, every_s: 30 }, ..run_step(name) })
}

fn time(text: &str) -> Until {
    Until::Time(text.parse().expect("a time"))
}

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

const BEGAN: &str = "2026-11-23T08:25:00Z";

fn start(steps: Vec<Chore>) -> RunStart {
    let text = r#"{"run":"01936f2e-0000-7000-8000-000000000001","loop_id":"01936f2e-0000-7000-8000-000000000002",
        "loop_name":"n","occurrence":"01936f2e-0000-7000-8000-000000000003","cause":"manual","mode":"ship","epoch":1,
        "definition":"","rails":{"max_iterations":3,"budget":5000000,"no_progress":2,"max_duration_s":86400,
        "max_tokens":null,"max_turns":null,"max_findings":5},"review":{"max_open":3,"merge":"squash"},
        "maker":{"name":"m","kind":"command","model":null,"price":0},"checker":null,
        "retries":{"discover":{"times":0,"every_s":0},"act":{"times":0,"every_s":0},
        "verify":{"times":0,"every_s":0},"ship":{"times":0,"every_s":0}}}"#;
    let start: RunStart = serde_json::from_str(text).expect("a start");
    let chores = Chores { steps, alone: true, ..Chores::default() };
    RunStart { chores: with_moments(chores, utc(BEGAN), chrono_tz::Tz::UTC), ..start }
}

/// A run, its journal and what is around it.
struct World {
    run: Run,
    journal: Vec<RunEvent>,
    seen: Observed,
    stops: BTreeMap<Uuid, RanHow>,
    ids: u128,
}

impl World {
    fn new(steps: Vec<Chore>) -> World {
        let start = start(steps);
        World {
            run: Run::new(start.clone()),
            journal: vec![RunEvent::RunStarted(Box::new(start))],
            seen: Observed { now: utc(BEGAN), ..Observed::default() },
            stops: BTreeMap::new(),
            ids: 0,
        }
    }

    fn apply(&mut self, event: RunEvent) {
        self.run.apply(&event).unwrap_or_else(|why| panic!("{why}: {event:?} after {:#?}", self.journal));
        self.journal.push(event);
    }

    fn ask(&self) -> Next {
        crate::next::next(&self.run, &Facts { chores: self.seen.clone(), ..Facts::default() })
    }

    fn begin(&mut self, step: Step) -> Uuid {
        self.ids += 1;
        let id = Uuid::from_u128(self.ids);
        self.apply(RunEvent::StepStarted { step, id });
        id
    }

    fn end(&mut self, id: Uuid, code: i32) {
        let how = self.stops.get(&id).copied().unwrap_or(RanHow::Itself);
        let ran = Ran { how, code: Some(code), seconds: 1, last: None, log: "raw/x.log".to_owned() };
        self.apply(RunEvent::StepFinished { id, outcome: Outcome::Ran(ran) });
        self.seen.ending.remove(&id);
    }

    /// The names of what begins now, all of it begun.
    fn begins(&mut self) -> Vec<String> {
        let Next::Do(starts) = self.ask() else { return Vec::new() };
        let mut told = Vec::new();
        for Start { step, after_s } in starts {
            told.push(format!("{} {after_s}", step.called()));
            self.begin(step);
        }
        told
    }

    /// The try of this name that is open.
    fn id(&self, name: &str) -> Uuid {
        self.run.open.iter().find(|(step, _)| step.called() == name).expect("an open step").1
    }

    /// Ends what is to end, with 143 as TERM does.
    fn stops(&mut self) -> Vec<String> {
        let Next::Stop(stops) = self.ask() else { return Vec::new() };
        for stop in &stops {
            self.stops.insert(stop.id, stop.how);
            match stop.step {
                Step::Wait { .. } => {
                    self.apply(RunEvent::StepFinished { id: stop.id, outcome: Outcome::Waited });
                }
                _ => self.end(stop.id, 143),
            }
        }
        stops.iter().map(|stop| format!("{} {:?}", stop.step.called(), stop.how)).collect()
    }

    fn taken_up(&mut self) {
        let start = RunStart { epoch: self.run.start.epoch + 1, ..self.run.start.clone() };
        self.seen.ending.clear();
        self.apply(RunEvent::RunStarted(Box::new(start)));
    }
}

#[test]
fn one_after_the_other_with_tries_apart() {
    let mut world = World::new(vec![retried("login", 2), chore(run_step("fetch"))]);
    assert_eq!(world.begins(), ["login 0"]);
    assert_eq!(world.ask(), Next::Wait, "fetch waits for login");
    world.end(world.id("login"), 1);
    assert_eq!(world.begins(), ["login 30"]);
    world.end(world.id("login"), 1);
    assert_eq!(world.begins(), ["login 30"]);
    world.end(world.id("login"), 0);
    assert_eq!(world.begins(), ["fetch 0"]);
    world.end(world.id("fetch"), 0);
    assert_eq!(world.ask(), Next::Done);
}

#[test]
fn a_step_that_fails_too_often_fails_the_run_with_its_code_and_its_output() {
    let mut world = World::new(vec![retried("login", 1), chore(run_step("fetch"))]);
    for _ in 0..2 {
        world.begins();
        world.end(world.id("login"), 3);
    }
    let why = "login failed, 2 times: it ended with exit code 3 (output: raw/x.log)";
    assert_eq!(world.ask(), Next::Fail(why.to_owned()));
}

#[test]
fn services_go_on_beside_and_are_ended_after_the_last_step() {
    let mut world = World::new(vec![
        service("engine", Some(time("15:30:00"))),
        service("monitor", None),
        chore(run_step("report")),
    ]);
    assert_eq!(world.begins(), ["engine 0"]);
    assert_eq!(world.begins(), ["monitor 0"], "what follows a service begins once that has begun");
    assert_eq!(world.begins(), ["report 0"]);
    world.end(world.id("report"), 0);
    assert_eq!(world.ask(), Next::Wait, "the engine has an end of its own");
    world.seen.now = utc("2026-11-23T15:29:59Z");
    assert_eq!(world.ask(), Next::Wait);
    world.seen.now = utc("2026-11-23T15:30:00Z");
    assert_eq!(world.stops(), ["engine Until"]);
    assert_eq!(world.stops(), ["monitor LastStep"]);
    assert_eq!(world.ask(), Next::Done);
}

#[test]
fn a_service_that_is_last_is_waited_for() {
    let mut world = World::new(vec![chore(run_step("login")), service("engine", None)]);
    world.begins();
    world.end(world.id("login"), 0);
    world.begins();
    assert_eq!(world.ask(), Next::Wait);
    world.end(world.id("engine"), 0);
    assert_eq!(world.ask(), Next::Done);
}

#[test]
fn a_service_that_another_waits_for_is_not_ended_before_it() {
    let until = Until::Exit("engine".to_owned());
    let mut world =
        World::new(vec![service("engine", None), service("monitor", Some(until)), chore(run_step("login"))]);
    for _ in 0..3 {
        world.begins();
    }
    world.end(world.id("login"), 0);
    assert_eq!(world.ask(), Next::Wait);
    world.end(world.id("engine"), 0);
    assert_eq!(world.stops(), ["monitor Until"]);
    assert_eq!(world.ask(), Next::Done);
}

#[test]
fn a_service_that_dies_fails_the_run_and_one_that_is_done_does_not() {
    for (code, done) in [(0, true), (1, false)] {
        let mut world = World::new(vec![service("engine", None), chore(run_step("login"))]);
        world.begins();
        world.begins();
        world.end(world.id("engine"), code);
        assert_eq!(matches!(world.ask(), Next::Wait), done, "{:?}", world.ask());
        assert_eq!(matches!(world.ask(), Next::Fail(_)), !done);
    }
}

#[test]
fn what_is_over_does_not_begin_after_a_night_without_power() {
    let mut world = World::new(vec![service("engine", Some(time("15:30:00"))), chore(run_step("watch"))]);
    world.begins();
    world.begins();
    world.taken_up();
    world.seen.now = utc("2026-11-23T16:00:00Z");
    assert_eq!(world.ask(), Next::PassOver(vec![Step::Run { name: "engine".to_owned() }]));
    world.seen.now = utc("2026-11-23T13:00:00Z");
    let again = ["engine 0", "watch 0"];
    assert_eq!(world.begins(), again, "the control: before its end both are repeated");
}

#[test]
fn a_long_wait_parks_and_a_short_one_does_not() {
    for (until, parks) in [("08:26:00", false), ("08:26:01", true)] {
        let mut world = World::new(vec![Chore::Wait(time(until)), chore(run_step("go"))]);
        world.begins();
        assert_eq!(matches!(world.ask(), Next::Park { .. }), parks, "{until}");
    }
    let mut world = World::new(vec![service("engine", None), Chore::Wait(time("15:00:00")), chore(run_step("go"))]);
    world.begins();
    world.begins();
    assert_eq!(world.ask(), Next::Wait, "a service needs its processes");
}

#[test]
fn a_parked_run_goes_on_where_it_waited() {
    let mut world = World::new(vec![Chore::Wait(Until::File("go".to_owned())), chore(run_step("go"))]);
    world.begins();
    let Next::Park { until: None, why } = world.ask() else { panic!("it is not parked") };
    assert_eq!(why, "until state/go is there");
    world.apply(RunEvent::Parked { until: None, why });
    assert!(!wakes(&world.run, &world.seen));
    let step = Step::Run { name: "go".to_owned() };
    assert!(world.run.clone().apply(&RunEvent::StepStarted { step, id: Uuid::nil() }).is_err(), "nothing begins");
    world.seen.files.insert("go".to_owned());
    assert!(wakes(&world.run, &world.seen));
    world.taken_up();
    assert_eq!((world.run.start.epoch, world.run.deaths()), (2, 0), "to park is no death");
    let wait = Step::Wait { place: 0, until: Until::File("go".to_owned()) };
    assert_eq!(world.ask(), Next::PassOver(vec![wait.clone()]));
    let id = world.begin(wait);
    world.apply(RunEvent::StepFinished { id, outcome: Outcome::Waited });
    assert_eq!(world.begins(), ["go 0"]);
}

#[test]
fn times_are_the_next_ones_after_the_start_and_stay() {
    let steps = vec![Chore::Wait(time("08:25:00")), Chore::Wait(time("15:30:00")), Chore::Wait(time("02:30:00"))];
    let zone = chrono_tz::Europe::Berlin;
    let chores = Chores { steps, ..Chores::default() };
    let of = |start: &str| {
        let told = with_moments(chores.clone(), utc(start), zone).moments;
        told.into_values().map(|at| at.to_rfc3339()).collect::<Vec<_>>().join(" ")
    };
    // On 29 March 2026 the clock goes from 2 to 3 in Berlin.
    assert_eq!(
        of("2026-03-28T07:25:00Z"),
        "2026-03-29T01:00:00+00:00 2026-03-29T06:25:00+00:00 2026-03-28T14:30:00+00:00"
    );
    assert_eq!(
        of("2026-11-23T08:00:00Z"),
        "2026-11-24T01:30:00+00:00 2026-11-24T07:25:00+00:00 2026-11-23T14:30:00+00:00"
    );
}

#[test]
fn steps_on_any_end_follow_once_the_end_is_decided() {
    let mut start = start(vec![chore(run_step("login"))]);
    start.chores.finally.steps = vec![run_step("report")];
    let mut run = Run::new(start);
    let report = || RunEvent::StepStarted { step: Step::Finally { name: "report".to_owned() }, id: Uuid::from_u128(1) };
    let login = RunEvent::StepStarted { step: Step::Run { name: "login".to_owned() }, id: Uuid::from_u128(2) };
    assert!(run.clone().apply(&report()).is_err(), "no end is decided");
    run.apply(&login).expect("legal");
    let end = End::Failed { why: "no".to_owned() };
    let ending = run.end_event(end.clone());
    assert!(matches!(ending, RunEvent::Ending { .. }));
    run.apply(&ending).expect("legal");
    assert!(run.clone().apply(&login).is_err() && run.clone().apply(&ending).is_err());
    run.apply(&report()).expect("legal");
    let ran = Ran { how: RanHow::Itself, code: Some(0), seconds: 1, last: None, log: String::new() };
    run.apply(&RunEvent::StepFinished { id: Uuid::from_u128(1), outcome: Outcome::Ran(ran) }).expect("legal");
    assert!(run.finally[0].done() && run.clone().apply(&report()).is_err(), "once");
    assert!(run.clone().apply(&RunEvent::RunEnded { end: End::Finished }).is_err(), "another end");
    let last = run.end_event(end);
    assert!(matches!(last, RunEvent::RunEnded { .. }));
    run.apply(&last).expect("legal");
}

/// A list of chores: each by itself, with names that later ones may wait for.
fn any_chores() -> impl Strategy<Value = Vec<Chore>> {
    let one = (0..6_u8, 0..3_u32, 0..4_u32);
    proptest::collection::vec(one, 1..6).prop_map(|all| {
        let made = |(place, (kind, times, minutes)): (usize, (u8, u32, u32))| {
            let at = Until::Time(chrono::NaiveTime::from_hms_opt(8, 26 + minutes, 0).expect("a time"));
            let file = Until::File(format!("f{}", minutes % 2));
            let retry = Retry { times, every_s: 10 };
            let step = RunStep { retry, ..run_step(&format!("s{place}")) };
            match kind {
                0 => Chore::Wait(if times == 0 { at } else { file }),
                1 => chore(RunStep { service: true, ..step }),
                2 => chore(RunStep { service: true, until: Some(at), ..step }),
                3 => chore(RunStep { service: true, until: Some(file), ..step }),
                4 if place > 0 => {
                    let other = Until::Exit(format!("s{}", place - 1));
                    chore(RunStep { service: true, until: Some(other), ..step })
                }
                _ => chore(step),
            }
        };
        all.into_iter().enumerate().map(made).collect()
    })
}

proptest! {
    #[test]
    fn every_script_comes_to_an_end_and_its_journal_replays_at_each_prefix(
        steps in any_chores(),
        dice in proptest::collection::vec(any::<u16>(), 400),
    ) {
        let mut world = World::new(steps);
        let mut dice = dice.into_iter();
        let mut over = None;
        while let (None, Some(roll)) = (&over, dice.next()) {
            over = turn(&mut world, roll);
            let mut open: Vec<_> = world.run.open.iter().map(|(step, _)| step).collect();
            open.sort_by_key(|step| step.called().to_owned());
            open.dedup();
            prop_assert_eq!(open.len(), world.run.open.len(), "never two of one step");
        }
        prop_assert!(over.is_some(), "it does not end: {:#?}", world.journal);
        for end in 1..=world.journal.len() {
            prop_assert!(Run::replay(&world.journal[..end]).is_ok());
        }
        prop_assert_eq!(Run::replay(&world.journal).expect("legal"), Some(world.run.clone()));
        let done = |event: &RunEvent| match event {
            RunEvent::StepFinished { outcome: Outcome::Ran(ran), .. } => ran.well(),
            RunEvent::StepFinished { outcome: Outcome::Waited, .. } => true,
            _ => false,
        };
        let steps = world.run.chores.iter().filter(|p| p.done()).count();
        prop_assert_eq!(world.journal.iter().filter(|e| done(e)).count(), steps, "what is done is not repeated");
    }
}

/// One decision and what comes of it; how it all ended, once it has.
fn turn(world: &mut World, roll: u16) -> Option<Next> {
    let next = world.ask();
    if roll.is_multiple_of(29) {
        world.taken_up();
        return None;
    }
    match next {
        Next::Do(starts) => {
            // Some are not due yet.
            let some = starts.len().min(1 + usize::from(roll % 3));
            for start in starts.into_iter().take(some) {
                world.begin(start.step);
            }
        }
        Next::Stop(stops) => {
            for stop in stops {
                match stop.step {
                    Step::Wait { .. } => world.apply(RunEvent::StepFinished { id: stop.id, outcome: Outcome::Waited }),
                    _ => {
                        world.seen.ending.insert(stop.id);
                        world.stops.insert(stop.id, stop.how);
                    }
                }
            }
        }
        Next::PassOver(steps) => {
            for step in steps {
                let waits = matches!(step, Step::Wait { .. });
                let id = world.begin(step);
                let ran = Ran { how: RanHow::Until, code: None, seconds: 0, last: None, log: String::new() };
                let outcome = if waits { Outcome::Waited } else { Outcome::Ran(ran) };
                world.apply(RunEvent::StepFinished { id, outcome });
            }
        }
        Next::Park { until, why } => {
            world.apply(RunEvent::Parked { until, why });
            while !wakes(&world.run, &world.seen) {
                pass(world);
            }
            world.taken_up();
        }
        Next::Wait => wait(world, roll),
        end => return Some(end),
    }
    None
}

/// Time passes, files come.
fn pass(world: &mut World) {
    world.seen.now += TimeDelta::seconds(30);
    let minute = world.seen.now.timestamp() / 60 % 5;
    if minute > 2 {
        world.seen.files.insert(format!("f{}", minute % 2));
    }
}

/// Something open ends, or time passes.
fn wait(world: &mut World, roll: u16) {
    let open: Vec<Uuid> =
        world.run.open.iter().filter(|(step, _)| matches!(step, Step::Run { .. })).map(|(_, id)| *id).collect();
    match open.get(usize::from(roll / 8) % (open.len() + 1)) {
        Some(id) => world.end(*id, i32::from(roll.is_multiple_of(8))),
        None => pass(world),
    }
}

#[test]
fn why_a_step_failed_is_one_sentence_whether_it_ran_or_could_not() {
    let reason = |act: fn(&mut World, Uuid)| {
        let mut world = World::new(vec![chore(run_step("two"))]);
        let id = world.begin(Step::Run { name: "two".to_owned() });
        act(&mut world, id);
        failed(&world.run).expect("it may not go on")
    };
    let ran = reason(|world, id| world.end(id, 7));
    assert_eq!(ran, "two failed: it ended with exit code 7 (output: raw/x.log)");
    let not_made = reason(|world, id| {
        let error = "making the box of two: no bubblewrap".to_owned();
        world.apply(RunEvent::StepFailed { id, charged: Micros(0), error });
    });
    assert_eq!(not_made, "two failed: making the box of two: no bubblewrap");
}

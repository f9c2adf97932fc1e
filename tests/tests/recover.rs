//! Kill -9 at any time loses nothing and repeats nothing (C1): watchdog, runner, agent and tick, at every fail point and at any
//! moment; and every step and its cleaning may run twice (C2). In the short form each fail point once; with LOOPWRIGHT_FULL=1
//! everything, LOOPWRIGHT_KILLS says how many.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use loopwright_engine::fail;
use loopwright_tests::crash::{Kill, acknowledged, audit, small, unhurried};
use loopwright_tests::nasty::{is_gone, signal};
use loopwright_tests::stage::{Stage, events, wait_for};

/// Points that the process of a run passes, with how often a whole run of the small loop does.
const OF_A_RUN: [(&str, u32); 18] = [
    ("lock-taken", 1),
    ("run-started", 1),
    ("step-intent", 5),
    ("workspace-made", 4),
    ("box-recorded", 9),
    ("box-running", 9),
    ("box-ended", 9),
    ("base-kept", 1),
    ("triage-written", 2),
    ("agent-answered", 1),
    ("attempt-imported", 1),
    ("attempt-ref", 1),
    ("workspace-in-trash", 4),
    ("ship-ref", 1),
    ("step-acted", 5),
    ("step-result", 5),
    ("run-ending", 1),
    ("run-ended", 1),
];
/// Those of them that the verb that starts a run passes too, as it tries a box: its pass and the runner's first one.
const OF_A_BOX: [&str; 2] = ["box-running", "box-ended"];
/// Points that the verb that starts a run passes.
const OF_A_START: [&str; 2] = ["occurrence-claimed", "watchdog-started"];
/// Points of a pass that finds a run without its processes.
const OF_A_PASS: [&str; 3] = ["taking-up", "taken-up", "watchdog-started"];
/// Points of an approval and its landing.
const OF_A_LANDING: [&str; 5] =
    ["approved-written", "landing-begun", "branch-moved", "checkout-written", "merged-written"];

/// Points of another attempt that a person asked for.
const OF_A_SEND_BACK: [&str; 2] = ["due-claimed", "ship-update-ref"];

/// One killing.
#[derive(Clone, Debug)]
enum Case {
    /// While a run goes on.
    Run(Kill),
    /// While a pass takes a run up.
    Pass(Kill),
    /// While an approved change lands.
    Landing(Kill),
    /// While what was sent back is worked on again.
    SendBack(Kill),
    /// At a moment that no point names.
    Moment { whom: &'static str, after: Duration },
}

impl Case {
    /// The kind of process that has to be killed, as it is told by [`fail::ONCE`].
    fn whom(&self) -> &'static str {
        match self {
            Case::Run(Kill { whom: "self", .. }) => "run",
            Case::Run(Kill { whom: "runner", .. }) => "__run",
            Case::Run(Kill { whom, .. }) | Case::Moment { whom, .. } => whom,
            Case::Pass(_) => "tick",
            Case::Landing(_) => "approve",
            Case::SendBack(Kill { at, .. }) if at.starts_with("due-claimed") => "send-back",
            Case::SendBack(_) => "__run",
        }
    }

    fn kills_an_agent(&self) -> bool {
        matches!(self, Case::Run(Kill { whom: "agent", .. }) | Case::Moment { whom: "agent", .. })
    }
}

impl Case {
    /// Whether the run goes on by itself, so that nothing is to be measured: its agent is gone, or only who started it.
    fn goes_on(&self) -> bool {
        match self {
            Case::Run(kill) => self.kills_an_agent() || kill.whom == "self",
            Case::Moment { .. } => self.kills_an_agent(),
            Case::Pass(_) | Case::Landing(_) => false,
            Case::SendBack(_) => true,
        }
    }
}

/// Numbers that look random and are the same for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[usize::try_from(self.below(u64::try_from(of.len()).expect("a count"))).expect("a small number")]
    }

    fn pass(&mut self, passes: u32) -> u32 {
        u32::try_from(self.below(u64::from(passes))).expect("a small number") + 1
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time");
    number("LOOPWRIGHT_SEED").unwrap_or(u64::from(now.subsec_nanos())).max(1)
}

/// Who lives at a point of a run: its runner passes it, its watchdog is there from before its first to after its last, and a box
/// only from when it is written down until it has ended; the loop makes one after the other.
fn victims(point: &str) -> &'static [&'static str] {
    match point {
        "box-recorded" | "box-running" => &["runner", "watchdog", "agent"],
        _ => &["runner", "watchdog"],
    }
}

/// A killing of `whom` at a pass.
fn killing(point: &str, pass: u32, whom: &'static str) -> Case {
    Case::Run(Kill { at: format!("{point}#{pass}"), whom })
}

/// Every point once; where all are wanted, each with every victim that it can have, and then anything.
fn cases(random: &mut Random) -> Vec<Case> {
    let full = number("LOOPWRIGHT_FULL") == Some(1);
    let mut cases = Vec::new();
    for (at, (point, passes)) in OF_A_RUN.into_iter().enumerate() {
        let victims = victims(point);
        let chosen = if full { victims } else { std::slice::from_ref(&victims[at % victims.len()]) };
        for whom in chosen {
            cases.push(killing(point, random.pass(passes), whom));
        }
    }
    cases.extend(OF_A_BOX.map(|point| killing(point, 1, "runner")));
    cases.extend(OF_A_BOX.map(|point| killing(point, 1, "self")));
    cases.extend(OF_A_START.map(|point| Case::Run(Kill::own(point, 1))));
    cases.extend(OF_A_PASS.map(|point| Case::Pass(Kill::own(point, 1))));
    cases.extend(OF_A_LANDING.map(|point| Case::Landing(Kill::own(point, 1))));
    cases.extend(OF_A_SEND_BACK.map(|point| Case::SendBack(Kill::own(point, 1))));
    if full {
        cases.extend(twice());
    }
    let wanted = number("LOOPWRIGHT_KILLS").unwrap_or(if full { 80 } else { 0 });
    while u64::try_from(cases.len()).expect("a count") < wanted {
        cases.push(any(random));
    }
    cases
}

/// Every step is done twice (killed when it was done and nothing of it written), every cleaning begins twice, and each box of
/// each step fails once (C2).
fn twice() -> Vec<Case> {
    let steps = (1..=5).map(|pass| killing("step-acted", pass, "runner"));
    let cleanings = (1..=4).map(|pass| killing("workspace-in-trash", pass, "runner"));
    let failures = (1..=9).map(|pass| killing("box-running", pass, "agent"));
    steps.chain(cleanings).chain(failures).collect()
}

fn any(random: &mut Random) -> Case {
    match random.below(4) {
        0 => {
            let (point, passes) = OF_A_RUN[usize::try_from(random.below(18)).expect("small")];
            let whom = random.one(victims(point));
            killing(point, random.pass(passes), whom)
        }
        _ => {
            let whom = random.one(&["watchdog", "__run", "agent"]);
            Case::Moment { whom, after: Duration::from_millis(random.below(1000)) }
        }
    }
}

/// What a killing came to.
struct Figures {
    /// The kind of process that was killed.
    whom: String,
    /// From the kill until nothing of the run lived.
    gone: Duration,
    /// From the kill until the pass that put it right had returned.
    ready: Duration,
}

/// Kills, puts in order, compares.
fn suffer(case: &Case) -> Figures {
    let stage = if matches!(case, Case::Moment { .. }) { unhurried() } else { small() };
    let killed = match case {
        Case::Run(kill) => kill_a_run(&stage, kill),
        Case::Pass(kill) => kill_a_pass(&stage, kill),
        Case::Landing(kill) => kill_a_landing(&stage, kill),
        Case::SendBack(kill) => kill_a_send_back(&stage, kill),
        Case::Moment { whom, after } => kill_at_a_moment(&stage, whom, *after),
    };
    stage.until_nobody_lives();
    let gone = killed.elapsed();
    let whom = struck(&stage, case);
    let before = acknowledged(&stage);
    stage.verb(&["tick"]);
    let ready = killed.elapsed();
    stage.tick_until_quiet();
    if stage.verb(&["reviews", "--all"]).exits(0).json().as_array().is_some_and(Vec::is_empty) {
        // It never began, or the kill of its agent cost it the round: nothing hinders the next one.
        stage.run("work");
        stage.tick_until_quiet();
    }
    assert_eq!(audit(&stage, &before), [""; 0], "{case:?}");
    let open = stage.verb(&["reviews", "--all"]).exits(0).json().as_array().map_or(0, Vec::len);
    let handed_over = stage.verb(&["status"]).exits(0).json()["needs_you"].as_array().map_or(0, Vec::len);
    // A sandbox that somebody kills is a round that failed, and may end with the person; nothing else may.
    let expected = if case.kills_an_agent() { open + handed_over } else { open };
    assert_eq!(expected, 1, "{case:?}: {}", stage.last());
    Figures { whom, gone, ready }
}

/// Who was killed: somebody, of the kind that is meant, and nobody of them lives.
fn struck(stage: &Stage, case: &Case) -> String {
    let victims = stage.victims("once");
    let (kind, _) = victims.first().unwrap_or_else(|| panic!("{case:?} killed nobody")).clone();
    assert_eq!(kind, case.whom(), "{case:?}: {victims:?}");
    let live: Vec<i32> = victims.iter().map(|(_, pid)| *pid).filter(|pid| !is_gone(*pid)).collect();
    assert_eq!(live, [0; 0], "{case:?}");
    kind
}

/// Starts a run that is killed; when.
fn kill_a_run(stage: &Stage, kill: &Kill) -> Instant {
    stage.ask(stage.killing(&["run", "work", "--detach"], kill, "once").stdin(std::process::Stdio::null()));
    wait_for("the strike, or the end", || (stage.struck("once") || stage.processes().is_empty()).then_some(()));
    Instant::now()
}

/// A pass is killed that finds a run whose runner was killed in its build.
fn kill_a_pass(stage: &Stage, kill: &Kill) -> Instant {
    stage.ask(&mut stage.killing(&["run", "work", "--detach"], &Kill::own("step-intent", 3), "first"));
    wait_for("the strike", || stage.struck("first").then_some(()));
    stage.until_nobody_lives();
    stage.ask(&mut stage.killing(&["tick"], kill, "once"));
    assert!(stage.struck("once"), "{kill:?} was never passed");
    Instant::now()
}

/// An approval is killed in the middle.
fn kill_a_landing(stage: &Stage, kill: &Kill) -> Instant {
    stage.run("work").exits(21);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    let (id, tree) = (review["row"]["id"].as_str().expect("an id"), review["tree"].as_str().expect("a tree"));
    stage.ask(&mut stage.killing(&["approve", id, "--tree", tree], kill, "once"));
    assert!(stage.struck("once"), "{kill:?} was never passed");
    let killed = Instant::now();
    stage.verb(&["tick"]);
    stage.remember();
    assert_eq!(stage.reviews().len(), 0, "{kill:?}: it has landed");
    assert_eq!(stage.git(&["status", "--porcelain"]), "", "{kill:?}: the checkout follows");
    assert_eq!(stage.git(&["show", "main:NOTES"]), "1");
    killed
}

/// The attempt that a person asked for is killed; it shows in the same pull request all the same.
fn kill_a_send_back(stage: &Stage, kill: &Kill) -> Instant {
    stage.run("work").exits(21);
    let shown = stage.reviews()[0]["id"].as_str().expect("an id").to_owned();
    stage.ask(&mut stage.killing(&["send-back", &shown, "--note", "once more"], kill, "once"));
    wait_for("the strike", || stage.struck("once").then_some(()));
    let killed = Instant::now();
    stage.tick_until_quiet();
    let again = stage.review(&shown);
    assert_eq!(again["diff"].as_str().map(|diff| diff.matches("\n+1").count()), Some(2), "{kill:?}: {again}");
    killed
}

/// One process of the run is killed after a while.
fn kill_at_a_moment(stage: &Stage, whom: &str, after: Duration) -> Instant {
    let began = Instant::now();
    stage.verb(&["run", "work", "--detach"]).exits(0);
    // The run may be over before.
    while began.elapsed() < after && !stage.processes().is_empty() {
        thread::yield_now();
    }
    let alive = || match whom {
        "agent" => stage.boxes().first().copied(),
        "watchdog" => stage.watchdog_now(),
        _ => stage.runner_now(),
    };
    let victim = wait_for("a victim, or the end", || match alive() {
        None => stage.processes().is_empty().then_some(None),
        found => Some(found),
    });
    if let Some(pid) = victim {
        signal(pid, "KILL");
        fs::write(stage.beside("once"), format!("a moment\n{whom} {pid}")).expect("a file");
    }
    Instant::now()
}

#[test]
fn no_kill_loses_or_doubles_anything() {
    let seed = seed();
    let cases = cases(&mut Random(seed));
    let (next, worst) = (AtomicUsize::new(0), Mutex::new((Duration::ZERO, Duration::ZERO)));
    let killed = Mutex::new(BTreeMap::<String, usize>::new());
    println!("{} kills, LOOPWRIGHT_SEED={seed}", cases.len());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    println!("{case:?}");
                    let figures = suffer(case);
                    *killed.lock().expect("no other thread failed").entry(figures.whom).or_default() += 1;
                    if case.goes_on() {
                        continue;
                    }
                    let mut worst = worst.lock().expect("no other thread failed");
                    *worst = (worst.0.max(figures.gone), worst.1.max(figures.ready));
                }
            });
        }
    });
    let killed = killed.into_inner().expect("no thread failed");
    println!("killed: {killed:?}");
    assert_eq!(killed.values().sum::<usize>(), cases.len(), "each case is a kill");
    for whom in ["__run", "watchdog", "agent", "tick"] {
        assert!(killed.contains_key(whom), "no {whom} was killed");
    }
    let (gone, ready) = *worst.lock().expect("no thread failed");
    println!("all gone after {gone:?} at most, put right after {ready:?} at most");
}

#[test]
fn every_point_is_killed_at() {
    // The end itself is this file's, what follows on it `finally.rs`'s, what is told `api/notices/tests.rs`'s, a migration
    // `versions.rs`'s.
    let elsewhere = [
        "migration-backed-up",
        "migration-step",
        "end-written",
        "last-steps",
        "finally-begun",
        "finally-intent",
        "finally-acted",
        "finally-result",
        "finally-ending",
        "finally-ended",
        "notice-intended",
        "notice-sent",
    ];
    let mut tried: Vec<&str> = OF_A_RUN.iter().map(|(point, _)| *point).collect();
    tried.extend(OF_A_START.iter().chain(&OF_A_PASS).chain(&OF_A_LANDING).chain(&OF_A_SEND_BACK).chain(&elsewhere));
    let missing: Vec<&&str> = fail::POINTS.iter().filter(|point| !tried.contains(point)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The end of a run that may not go on is written once, whoever is killed over it.
#[test]
fn a_halt_that_is_killed_while_it_writes_the_end() {
    let stage = small();
    stage.ask(&mut stage.killing(&["run", "work", "--detach"], &Kill::own("step-intent", 3), "first"));
    stage.until_nobody_lives();
    stage.ask(&mut stage.killing(&["halt"], &Kill::own("end-written", 1), "once"));
    assert!(stage.struck("once"));
    let before = acknowledged(&stage);
    stage.verb(&["tick"]).exits(20);
    let last = stage.last();
    assert_eq!(last["row"]["end"]["state"], "halted", "{last}");
    assert_eq!(events(&last, "run_started").len(), 1, "under HALT nothing is taken up");
    stage.verb(&["resume", "--reason", "a test"]).exits(0);
    stage.run("work").exits(21);
    assert_eq!(audit(&stage, &before), [""; 0]);
}

/// The negative control: had the first try to ship gone under an id of its own, the comparison would say so.
#[test]
fn the_comparison_sees_a_pull_request_that_was_opened_twice() {
    let stage = small();
    stage.ask(&mut stage.killing(&["run", "work", "--detach"], &Kill::own("ship-ref", 1), "once"));
    wait_for("the strike", || stage.struck("once").then_some(()));
    stage.until_nobody_lives();
    let before = acknowledged(&stage);
    let (id, commit) = stage.refs("pr").pop_first().expect("the pull request that has no row yet");
    let fresh = "01936f2e-0000-7000-8000-00001a2b3c4d";
    stage.rename_ref(&format!("pr/{id}"), &format!("pr/{fresh}"), &commit);
    stage.verb(&["tick"]).exits(0);
    stage.tick_until_quiet();
    let swept = audit(&stage, &before);
    assert!(swept.is_empty(), "what nobody knows and is old goes with the next pass: {swept:?}");
    let young = format!("{:08x}-0000-7000-8000-00001a2b3c4d", (now_s() * 1000) >> 16);
    stage.rename_ref(&format!("pr/{fresh}"), &format!("pr/{young}"), &commit);
    let faults = audit(&stage, &before);
    assert_eq!(faults, [format!("opened without a row: {young} {commit}")]);
}

/// The negative control of the other comparisons: what was acknowledged is lost, what was done is done again, somebody is left.
#[test]
fn the_comparison_sees_what_is_lost_landed_twice_or_left_alive() {
    let (stage, fresh) = (small(), small());
    stage.run("work").exits(21);
    stage.until_nobody_lives();
    let before = acknowledged(&stage);
    assert_eq!(audit(&stage, &before), [""; 0], "the control: all is well");
    // As if the commits of the run had never reached the disk.
    let lost = audit(&fresh, &before);
    assert!(lost.iter().any(|fault| fault.contains("run_ended")), "{lost:?}");
    assert!(lost.iter().all(|fault| fault.starts_with("lost: ")), "{lost:?}");
    stage.write("README.md", "Another.\n");
    stage.commit("a landing that nobody approved");
    let mut left = Command::new("sleep").arg("600").env("STAGE", &stage.mark).spawn().expect("a process");
    let faults = audit(&stage, &before);
    left.kill().expect("killed");
    left.wait().expect("collected");
    assert_eq!(faults, ["0 merged, and 2 commits on main".to_owned(), format!("lives: {}", left.id())]);
}

fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a time").as_secs()
}

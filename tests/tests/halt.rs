//! HALT and the rails of a run: an agent that does what it can to live on ends, and the run says why.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use loopwright_tests::nasty::{self, signal};
use loopwright_tests::stage::{RAILS, Running, Stage, outcomes, programs, steps, wait_for};

/// From asking to nothing left. The promise is a second; this machine is shared, and the verb itself takes part of it.
const SOON: Duration = Duration::from_secs(5);

/// A shop whose maker grows the nasty tree, with the run that waits for it.
fn nasty_run() -> (Stage, Running) {
    let stage = Stage::shop();
    stage.maker(RAILS, &format!("#!/bin/sh\n{}\n", nasty::tree(&stage.mark)));
    let run = stage.start(&["run", "work"]);
    wait_for("the tree to grow", || (tree(&stage).len() >= 9).then_some(()));
    (stage, run)
}

/// The agent's own processes.
fn tree(stage: &Stage) -> Vec<i32> {
    stage.with("while :")
}

fn assert_gone_soon(stage: &Stage, began: Instant) {
    wait_for("the tree to die", || tree(stage).is_empty().then_some(()));
    assert!(began.elapsed() < SOON, "took {:?}", began.elapsed());
}

/// Asserts that the run ended halted with its finding open again, and that nothing of it lives.
fn assert_halted(stage: &Stage, run: Running) {
    let answer = run.end().exits(10);
    assert_eq!(answer.json()["row"]["end"]["state"], "halted");
    assert_eq!(answer.json()["row"]["end"]["why"], "halt");
    wait_for("all processes to be gone", || stage.processes().is_empty().then_some(()));
    assert_eq!(states(stage), ["open", "open"]);
}

fn states(stage: &Stage) -> Vec<String> {
    let db = rusqlite::Connection::open(stage.home.join("data/loopwright.db")).expect("the database");
    let mut asked = db.prepare("SELECT state FROM findings ORDER BY fingerprint").expect("a statement");
    let rows = asked.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.map(|row| row.expect("a state")).map(|s| word(&s)).collect()
}

/// The word of a stored state, whether it is stored bare or as an object.
fn word(stored: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(stored).unwrap_or_else(|_| stored.into());
    value["state"].as_str().unwrap_or(stored).to_owned()
}

#[test]
fn halt_ends_a_nasty_tree_and_holds() {
    let (stage, run) = nasty_run();
    let began = Instant::now();
    let halted = stage.verb(&["halt", "--reason", "a test"]).exits(0);
    assert_eq!(halted.json()["stopped"], 1);
    assert_gone_soon(&stage, began);
    assert_halted(&stage, run);

    let refused = stage.run("work").exits(10);
    assert!(refused.message().contains("halted"), "{refused:?}");
    assert_eq!(stage.verb(&["runs"]).exits(0).json().as_array().map(Vec::len), Some(1), "nothing was started");
    stage.verb(&["resume"]).exits(2);
    stage.verb(&["resume", "--reason", " "]).exits(2);
    stage.run("work").exits(10);
    // The hint works as it stands, with a reason in place of the dots.
    stage.paste(&refused.hint().replace('…', "looked at it")).exits(0);
    assert_eq!(stage.verb(&["status"]).exits(0).json()["halted"], serde_json::Value::Null);
}

#[test]
fn halt_ends_the_tree_though_the_runner_is_stopped() {
    let (stage, run) = nasty_run();
    signal(stage.runner(), "STOP");
    let began = Instant::now();
    stage.verb(&["halt"]).exits(0);
    assert_gone_soon(&stage, began);
    assert_halted(&stage, run);
}

#[test]
fn halt_ends_the_tree_though_watchdog_and_runner_are_stopped() {
    let (stage, run) = nasty_run();
    for pid in [stage.watchdog(), stage.runner()] {
        signal(pid, "STOP");
    }
    let began = Instant::now();
    let halt = stage.start(&["halt"]);
    assert_gone_soon(&stage, began);
    assert_eq!(halt.end().exits(0).json()["stopped"], 1);
    assert_halted(&stage, run);
}

/// The negative control: with the watchdog stopped and the runner's group killed, as a plain tool would, the tree lives on.
#[test]
fn killing_the_runners_group_leaves_the_tree() {
    let (stage, run) = nasty_run();
    let (watchdog, runner) = (stage.watchdog(), stage.runner());
    signal(watchdog, "STOP");
    signal(runner, "STOP");
    let group = tree(&stage).len();
    // TERM to everybody in the box is what a kind tool does; they are deaf to it.
    for pid in tree(&stage) {
        signal(pid, "TERM");
    }
    assert!(tree(&stage).len() >= group.min(9), "the tree is too weak to prove anything");
    signal(watchdog, "CONT");
    stage.verb(&["halt"]).exits(0);
    assert_halted(&stage, run);
}

#[test]
fn a_run_dies_with_its_watchdog() {
    let (stage, run) = nasty_run();
    let began = Instant::now();
    signal(stage.watchdog(), "KILL");
    assert_gone_soon(&stage, began);
    // Under HALT nobody takes it up again.
    stage.verb(&["halt"]).exits(0);
    assert_halted(&stage, run);
}

#[test]
fn a_missing_armed_file_halts() {
    let (stage, run) = nasty_run();
    let began = Instant::now();
    fs::remove_file(stage.home.join("state/ARMED")).expect("it was armed");
    assert_gone_soon(&stage, began);
    assert_halted(&stage, run);
    stage.run("work").exits(10);
    stage.verb(&["resume", "--reason", "armed again"]).exits(0);
    assert!(stage.home.join("state/ARMED").exists());
}

/// Fills a small file system of its own, made at `$1`, and halts there; says which files are left.
const FULL: &str = "set -e; home=$1; shift
    mkdir -p $home; mount -t tmpfs -o nr_inodes=60,size=20m none $home
    \"$@\" status --json > /dev/null
    n=0; while : 2>/dev/null > $home/fill$n; do n=$((n+1)); done
    code=0; \"$@\" halt || code=$?
    echo halt $code; ls $home/state
    code=0; \"$@\" status > /dev/null || code=$?";

#[test]
fn a_full_disk_does_not_keep_from_halting() {
    let stage = Stage::shop();
    let home = stage.beside("full");
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "bash", "-c", FULL, "bash"]).arg(&home);
    command.arg(&programs().loopwright).env("LOOPWRIGHT_HOME", &home).current_dir(&stage.repo);
    let answer = stage.ask(&mut command);
    let left: Vec<&str> = answer.out.lines().skip_while(|line| !line.starts_with("halt ")).skip(1).collect();
    assert!(left.contains(&"halt") && !left.contains(&"HALT"), "the control: nothing could be written: {answer:?}");
    assert!(!left.contains(&"ARMED"), "{answer:?}");
    assert!(answer.err.contains("everything is halted"), "{answer:?}");
}

#[test]
fn one_loop_and_one_run_can_be_halted() {
    let (stage, run) = nasty_run();
    stage.verb(&["halt", "--loop", "work"]).exits(0);
    assert_halted(&stage, run);
    let refused = stage.run("work").exits(10);
    assert!(refused.hint().contains("--loop work"), "{refused:?}");
    assert_eq!(stage.verb(&["status"]).exits(0).json()["halted"], serde_json::Value::Null, "the rest may run");
    stage.verb(&["resume", "--loop", "work", "--reason", "again"]).exits(0);

    let run = stage.start(&["run", "work"]);
    wait_for("the tree to grow", || (tree(&stage).len() >= 9).then_some(()));
    let id = stage.last()["row"]["short"].as_str().expect("an id").to_owned();
    stage.verb(&["halt", "--run", &id]).exits(0);
    assert_halted(&stage, run);
    stage.verb(&["halt", "--run", "nothing-like-it"]).exits(2);
    stage.verb(&["halt", "--loop", "nothing-like-it"]).exits(2);
}

#[test]
fn ctrl_c_halts_the_run_that_is_followed() {
    let (stage, run) = nasty_run();
    let began = Instant::now();
    run.signal("INT");
    assert_gone_soon(&stage, began);
    assert_halted(&stage, run);
    assert_eq!(stage.verb(&["status"]).exits(0).json()["halted"], serde_json::Value::Null, "that run alone");
}

#[test]
fn a_hanging_agent_ends_with_its_run_s_time() {
    let stage = Stage::shop();
    let rails = "guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2), max_duration: 4s}\n";
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $0}\n";
    let script = "#!/bin/sh\nwhile :; do echo still here; sleep 1; done\n";
    let path = stage.personal("work", &format!("{agents}{rails}"), &[("maker.sh", script)]);
    stage.add(&path.display().to_string(), true);
    let began = Instant::now();
    let run = stage.run("work").exits(14).json();
    assert!(began.elapsed() < Duration::from_secs(40), "took {:?}", began.elapsed());
    assert_eq!(run["row"]["end"]["why"], "time");
}

#[test]
fn a_run_stops_before_the_attempt_that_would_pass_its_budget() {
    let stage = Stage::shop();
    for n in 3..=9 {
        let issue = format!("---\ntitle: Wish number {n}\nstate: open\n---\nA file.\n");
        stage.write(&format!(".loopwright/issues/{n}-wish.md"), &issue);
    }
    stage.commit("issues: nine wishes");
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $2/attempt}\n";
    let rails = "guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2), max_findings: 9}\n\
                 review: {max_open: 9}\n";
    let script = "#!/bin/sh\nmkdir -p docs; echo wish > docs/$LOOPWRIGHT_FINDING_KEY.md\n";
    let path = stage.personal("work", &format!("{agents}{rails}"), &[("maker.sh", script)]);
    stage.add(&path.display().to_string(), true);
    let run = stage.run("work").exits(11).json();
    assert_eq!(outcomes(&run, "discovered")[0]["seen"], 9);
    assert_eq!(steps(&run, "build").len(), 2);
    assert_eq!(run["row"]["spent"], 4_000_000);
    assert_eq!(run["row"]["end"]["why"], "budget");
    assert_eq!(stage.reviews().len(), 2, "what was done is kept");
}

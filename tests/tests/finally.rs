//! The steps after a run's end are done once, whatever ended it; after `halt --now` they are not (K8).
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use loopwright_tests::crash::Kill;
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Stage, events, outcomes, programs, steps, wait_for, write_program};
use serde_json::Value;

/// Two steps after the end that leave a line each in the state folder.
const TWO: &str = "\
\x20 - finally:
      - run: {name: flat, command: \"echo flat >> done\"}
      - run: {name: report, command: \"echo report >> done\"}
";

/// What a run does until something ends it; where it is begun once more it ends well.
const HANGS: &str = "[ -e begun ] && exit 0; echo x > begun; sleep 600";

/// A stage with the loop `day`: one step, and `finally`.
fn day(work: &str, finally: &str, rails: &str) -> Stage {
    let stage = Stage::empty();
    let text = format!(
        "name: day\ntrigger: manual\nsteps:\n  - run: {{name: work, command: {work:?}}}\n{finally}env: {{STAGE: {}}}\n\
         guardrails: {{max_duration: {rails}}}\n",
        stage.mark
    );
    let path = stage.personal_text("day", &text, &[]);
    stage.add(&path.display().to_string(), false);
    stage
}

/// A file of the state folder of the only loop.
fn in_state(stage: &Stage, name: &str) -> Option<String> {
    let folder = fs::read_dir(stage.home.join("data/loops")).ok()?.flatten().next()?.path();
    fs::read_to_string(folder.join("state").join(name)).ok()
}

fn done(stage: &Stage) -> Vec<String> {
    in_state(stage, "done").unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Starts `day` and waits until its step is under way.
fn under_way(stage: &Stage) {
    stage.verb(&["run", "day", "--detach"]).exits(0);
    wait_for("the step to begin", || in_state(stage, "begun"));
}

/// The run once it has its last event; passes are made as a scheduler makes them.
fn over(stage: &Stage) -> Value {
    wait_for("the last event", || {
        stage.verb(&["tick"]);
        (!stage.last()["row"]["end"].is_null()).then_some(())
    });
    stage.until_nobody_lives();
    stage.last()
}

/// Both steps were done, once each and in order, between the end that was decided and the last event.
fn assert_once(stage: &Stage, state: &str) {
    let run = over(stage);
    assert_eq!(done(stage), ["flat", "report"], "{run}");
    assert_eq!(run["row"]["end"]["state"], state, "{run}");
    let names: Vec<&Value> = steps(&run, "finally").into_iter().map(|step| &step["name"]).collect();
    assert_eq!(names, ["flat", "report"], "{run}");
    let (ending, ended) = (events(&run, "ending"), events(&run, "run_ended"));
    assert_eq!((ending.len(), ended.len()), (1, 1), "{run}");
    assert_eq!(ending[0]["end"], ended[0]["end"], "{run}");
}

fn notes(run: &Value, topic: &str) -> Vec<String> {
    let all = events(run, "noted").into_iter().filter(|note| note["topic"] == topic);
    all.map(|note| note["text"].as_str().unwrap_or_default().to_owned()).collect()
}

fn halt_by_hand(stage: &Stage) {
    fs::write(stage.home.join("state/HALT"), "").expect("halted");
}

/// Whether a process has given back all that it held: it is gone, or only its number is left.
fn is_over(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_none_or(|rest| rest.is_empty() || rest.starts_with(['Z', 'X']))
}

fn kill_everybody(stage: &Stage) {
    let mut killed = BTreeSet::new();
    wait_for("everybody to be gone", || {
        let alive = stage.processes();
        alive.iter().for_each(|pid| signal(*pid, "KILL"));
        killed.extend(&alive);
        // A process that is killed loses its marks before its locks.
        (alive.is_empty() && killed.iter().all(|pid| is_over(*pid))).then_some(())
    });
}

#[test]
fn after_a_run_that_finished_or_failed() {
    let stage = day("true", TWO, "1h");
    stage.verb(&["run", "day"]).exits(0);
    assert_once(&stage, "finished");
    let stage = day("exit 3", TWO, "1h");
    stage.verb(&["run", "day"]).exits(1);
    assert_once(&stage, "failed");
}

#[test]
fn what_failed_of_them_is_told_and_the_end_stays_what_it_was() {
    let bad = TWO.replace("echo flat >> done", "echo flat >> done; exit 9");
    for (finally, code) in [(&*bad, 1), (TWO, 0)] {
        let stage = day("true", finally, "1h");
        stage.verb(&["run", "day"]).exits(code);
        assert_once(&stage, "finished");
        let told = stage.plain(&["runs"]).exits(0).out + &stage.plain(&["status"]).exits(0).out;
        let failed = told.matches("done, but its last steps failed: flat (exit code 9)").count();
        assert_eq!(failed, if code == 1 { 2 } else { 0 }, "{told}");
        let story = stage.plain(&["show", "last"]).exits(0).out;
        assert_eq!(story.contains("Its last steps failed: flat (exit code 9)."), code == 1, "{story}");
        let row = &stage.last()["row"];
        assert_eq!(row["last_steps"].as_str(), (code == 1).then_some("flat (exit code 9)"), "{row}");
    }
}

#[test]
fn after_a_run_whose_time_was_over() {
    let stage = day(HANGS, TWO, "3s");
    stage.verb(&["run", "day"]).exits(14);
    assert_once(&stage, "halted");
}

#[test]
fn after_halt_of_everything_the_loop_or_the_run() {
    for level in [&["halt"][..], &["halt", "--loop", "day"], &["halt", "--run", "last"]] {
        let stage = day(HANGS, TWO, "1h");
        under_way(&stage);
        assert_eq!(stage.verb(level).exits(0).json()["stopped"], 1);
        assert_once(&stage, "halted");
    }
}

#[test]
fn after_halt_though_the_runner_hangs_or_is_killed() {
    for how in ["STOP", "KILL"] {
        let stage = day(HANGS, TWO, "1h");
        under_way(&stage);
        let runner = stage.runner();
        halt_by_hand(&stage);
        signal(runner, how);
        assert_once(&stage, "halted");
    }
}

#[test]
fn after_a_crash_the_run_goes_on_and_then_they_follow() {
    for whom in ["__run", "loopwright-watchdog"] {
        let stage = day(HANGS, TWO, "1h");
        under_way(&stage);
        let pid = if whom == "__run" { stage.runner() } else { stage.watchdog() };
        signal(pid, "KILL");
        stage.until_nobody_lives();
        assert_eq!(done(&stage), [""; 0], "it has not ended");
        assert_once(&stage, "finished");
        assert_eq!(events(&stage.last(), "run_started").len(), 2, "{whom}");
    }
}

#[test]
fn after_a_power_cut_even_under_halt() {
    for halted in [false, true] {
        let stage = day(HANGS, TWO, "1h");
        under_way(&stage);
        kill_everybody(&stage);
        if halted {
            halt_by_hand(&stage);
        }
        assert_once(&stage, if halted { "halted" } else { "finished" });
    }
}

/// The negative control: a watchdog that is not told of them, as if only the runner knew, loses them with the runner.
#[test]
fn a_watchdog_that_does_not_know_loses_them() {
    for knows in [true, false] {
        let stage = day(HANGS, TWO, "1h");
        let program = stage.beside("bin");
        let start = beside_a_watchdog(&program, knows);
        let mut command = Command::new(&start);
        command.args(["run", "day", "--detach"]).current_dir(&stage.repo).env_clear().env("PATH", "/usr/bin:/bin");
        command.env("HOME", stage.person()).env("LOOPWRIGHT_HOME", &stage.home);
        assert_eq!(stage.ask(&mut command).code, 0);
        wait_for("the step to begin", || in_state(&stage, "begun"));
        let runner = stage.runner();
        halt_by_hand(&stage);
        signal(runner, "KILL");
        stage.until_nobody_lives();
        let expected: &[&str] = if knows { &["flat", "report"] } else { &[] };
        assert_eq!(done(&stage), expected, "the watchdog knows: {knows}");
        assert_once(&stage, "halted");
    }
}

/// The programs in a folder of their own, with a watchdog that leaves out what it is told of the last steps.
fn beside_a_watchdog(folder: &std::path::Path, knows: bool) -> PathBuf {
    fs::create_dir(folder).expect("a folder");
    fs::copy(&programs().loopwright, folder.join("loopwright")).expect("copied");
    let real = programs().watchdog.display();
    let keep = "for w; do shift; case \"$w\" in \
        --finally|--finally-seconds|--now) skip=1 ;; \
        *) if [ \"$skip\" ]; then skip=; else set -- \"$@\" \"$w\"; fi ;; esac; done";
    let filter = if knows { "" } else { keep };
    write_program(&folder.join("loopwright-watchdog"), &format!("#!/bin/sh\n{filter}\nexec {real} \"$@\"\n"));
    folder.join("loopwright")
}

#[test]
fn halt_now_leaves_them_out_and_says_so() {
    let stage = day(HANGS, TWO, "1h");
    under_way(&stage);
    stage.verb(&["halt", "--now"]).exits(0);
    let run = over(&stage);
    assert_eq!(done(&stage), [""; 0], "{run}");
    assert_eq!(notes(&run, "finally-left-out"), ["`halt --now` leaves out: flat, report"]);
    stage.verb(&["resume", "--reason", "a test"]).exits(0);
    stage.until_nobody_lives();
    assert_eq!(done(&stage), [""; 0], "what was left out stays so");
    assert!(!stage.home.join("state/NOW").exists());
    // The control: the next halt is a plain one again.
    fs::remove_file(stage.home.join("data/loops").join(first_loop(&stage)).join("state/begun")).expect("begun");
    under_way(&stage);
    stage.verb(&["halt"]).exits(0);
    assert_once(&stage, "halted");
}

fn first_loop(stage: &Stage) -> std::ffi::OsString {
    fs::read_dir(stage.home.join("data/loops")).expect("loops").flatten().next().expect("a loop").file_name()
}

const SLOW: &str = "\
\x20 - finally:
      max: MAX
      steps:
        - run: {name: slow, command: \"echo x > slow; sleep 600\"}
        - run: {name: report, command: \"echo report >> done\"}
";

#[test]
fn halt_leaves_them_alone_and_halt_now_ends_them() {
    let stage = day(HANGS, &SLOW.replace("MAX", "10m"), "1h");
    under_way(&stage);
    let halted = stage.verb(&["halt"]).exits(0).json();
    assert_eq!((&halted["stopped"], &halted["finishing"]), (&Value::from(1), &Value::from(1)));
    wait_for("the slow step", || in_state(&stage, "slow"));
    // Once more: what is under way is left alone.
    assert_eq!(stage.verb(&["halt"]).exits(0).json()["finishing"], 1);
    assert!(!stage.processes().is_empty());
    stage.verb(&["halt", "--now"]).exits(0);
    stage.until_nobody_lives();
    let run = over(&stage);
    assert_eq!(done(&stage), [""; 0], "{run}");
    assert_eq!(notes(&run, "finally-left-out"), ["`halt --now` leaves out: report"]);
    assert_eq!(outcomes(&run, "ran")[0]["how"], "cut_off", "{run}");
}

#[test]
fn their_own_time_ends_them() {
    let stage = day("true", &SLOW.replace("MAX", "2s"), "1h");
    stage.verb(&["run", "day"]).exits(1);
    let run = over(&stage);
    assert_eq!(done(&stage), [""; 0], "{run}");
    let told = notes(&run, "finally-late");
    assert_eq!(told, ["the 2 s that the steps after the end may take were over before: report"]);
}

/// Killed at each place between the end and the last event: once each, but for the step whose outcome nobody knows.
#[test]
fn a_kill_between_them_repeats_only_what_may_be_repeated() {
    let idempotent = TWO.replace("done\"}", "done\", idempotent: true}");
    let places =
        ["finally-begun", "finally-intent", "finally-acted", "finally-result", "finally-ending", "finally-ended"];
    let mut kills = 0;
    for (finally, may) in [(TWO, false), (&*idempotent, true)] {
        // Places at which nothing is unknown are the same with both; all of them are tried by `make soak`.
        let full = std::env::var("LOOPWRIGHT_FULL").is_ok();
        for place in
            places.into_iter().filter(|place| full || !may || ["finally-intent", "finally-acted"].contains(place))
        {
            kills += 1;
            let stage = day("true", finally, "1h");
            stage.ask(&mut stage.killing(&["run", "day", "--detach"], &Kill::own(place, 1), "once"));
            wait_for("the strike", || stage.struck("once").then_some(()));
            stage.until_nobody_lives();
            let run = over(&stage);
            let expected: &[&str] = match (place, may) {
                ("finally-intent", false) => &["report"],
                ("finally-acted", true) => &["flat", "flat", "report"],
                _ => &["flat", "report"],
            };
            assert_eq!(done(&stage), expected, "{place}, idempotent: {may}: {run}");
            let unknown = usize::from(!may && ["finally-intent", "finally-acted"].contains(&place));
            assert_eq!(notes(&run, "finally-unknown").len(), unknown, "{place}, idempotent: {may}: {run}");
            assert_eq!(events(&run, "run_ended").len(), 1);
        }
    }
    loopwright_tests::tell(&format!("{kills} kills between the end and the last event"));
}

#[test]
fn a_pass_that_is_killed_before_it_begins_them() {
    let stage = day(HANGS, TWO, "1h");
    under_way(&stage);
    kill_everybody(&stage);
    halt_by_hand(&stage);
    stage.ask(&mut stage.killing(&["tick"], &Kill::own("last-steps", 1), "once"));
    assert!(stage.struck("once"));
    assert_once(&stage, "halted");
}

#[test]
fn twenty_passes_at_once_do_them_once() {
    let stage = day(HANGS, TWO, "1h");
    under_way(&stage);
    kill_everybody(&stage);
    halt_by_hand(&stage);
    let passes: Vec<_> = (0..20).map(|_| stage.start(&["tick"])).collect();
    let codes: Vec<i32> = passes.into_iter().map(|pass| pass.end().code).collect();
    assert!(codes.iter().all(|code| [0, 10, 20].contains(code)), "{codes:?}");
    assert_once(&stage, "halted");
}

/// The loop file may be gone by then: the steps are those that the run began with.
#[test]
fn they_are_those_that_the_run_began_with() {
    let stage = day(HANGS, TWO, "1h");
    under_way(&stage);
    fs::write(stage.beside("loops/day/loop.yaml"), "name: day\n").expect("another file");
    stage.verb(&["halt"]).exits(0);
    assert_once(&stage, "halted");
}

/// A runner that goes silent is ended after half a minute, and its run goes on.
#[test]
fn after_a_runner_that_hung() {
    if std::env::var("LOOPWRIGHT_FULL").is_err() {
        return;
    }
    let stage = day(HANGS, TWO, "1h");
    under_way(&stage);
    signal(stage.runner(), "STOP");
    stage.until_nobody_lives();
    assert_once(&stage, "finished");
}

//! Loops that are not code: steps one after the other, services beside them, what ends them, and what a crash or HALT leaves.
//!
//! Which step is next is tested purely in `core::chores`; here are real processes in real boxes.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::PathBuf;

use loopwright_engine::clock;
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Answer, Stage, events, outcomes, wait_for};
use serde_json::Value;

const RAILS: &str = "guardrails: {max_iterations: 1, budget: $1/run, halt_on: no_progress(2), max_duration: 5m}\n";

/// Writes and adds a loop of chores alone.
fn add(stage: &Stage, name: &str, steps: &str, scripts: &[(&str, &str)]) {
    let text = format!("name: {name}\ntrigger: manual\nenv: {{STAGE: {}}}\nsteps:\n{steps}{RAILS}", stage.mark);
    let path = stage.personal_text(name, &text, scripts);
    stage.add(&path.display().to_string(), false);
}

/// The state folder of the only loop.
fn state(stage: &Stage) -> PathBuf {
    let loops = fs::read_dir(stage.home.join("data/loops")).expect("loops");
    loops.flatten().next().expect("a loop").path().join("state")
}

/// What is in a file of the state folder of the only loop; empty without it.
fn said(stage: &Stage, file: &str) -> String {
    fs::read_to_string(state(stage).join(file)).unwrap_or_default()
}

/// How each try of a step ended: `login itself 1`.
fn tries(run: &Value) -> Vec<String> {
    let name = |id: &Value| {
        let begun = events(run, "step_started").into_iter().find(|e| e["id"] == *id).expect("it began");
        begun["step"]["name"].as_str().unwrap_or("wait").to_owned()
    };
    let ended = events(run, "step_finished").into_iter();
    ended
        .map(|e| {
            let (how, code) = (e["outcome"]["how"].as_str().unwrap_or("done"), e["outcome"]["code"].to_string());
            format!("{} {how} {code}", name(&e["id"]))
        })
        .collect()
}

/// How a run ended; none while it lives.
fn end_of(run: &Value) -> Option<&Value> {
    events(run, "run_ended").last().map(|event| &event["end"])
}

/// How a run ended.
fn end(run: &Value) -> &Value {
    end_of(run).expect("it has ended")
}

#[test]
fn steps_services_and_what_ends_them() {
    let stage = Stage::empty();
    let steps = r#"
  - run: {name: login, command: [./login.sh], retry: {times: 2, every: 1s}}
  - run: {name: engine, command: [./engine.sh], service: true, until: file("state/stop")}
  - run: {name: watch, command: [./forever.sh], service: true, until: exit(engine)}
  - run: {name: monitor, command: [./forever.sh], service: true}
  - run: {name: trade, command: "sleep 0.3; echo $LOOPWRIGHT_STEP $LOOPWRIGHT_STATE $PWD; touch stop"}
"#;
    let login = "#!/bin/sh\necho try >> tries\n[ $(wc -l < tries) -ge 3 ]\n";
    let engine = "#!/bin/sh\ntrap 'echo bye > bye; exit 0' TERM\nwhile :; do sleep 0.05; done\n";
    let forever = "#!/bin/sh\nwhile :; do sleep 0.05; done\n";
    add(&stage, "day", steps, &[("login.sh", login), ("engine.sh", engine), ("forever.sh", forever)]);
    stage.run("day").exits(0);
    let run = stage.last();
    let ended = tries(&run);
    assert_eq!(ended[..4], ["login itself 1", "login itself 1", "login itself 0", "trade itself 0"]);
    assert_eq!(ended[4..], ["engine until 0", "watch until 143", "monitor last_step 143"], "TERM came first");
    assert_eq!(said(&stage, "bye"), "bye\n", "and what it is for was done");
    let trade = outcomes(&run, "ran").into_iter().find(|o| o["log"] == "raw/trade-1.log").expect("it ran");
    assert_eq!(trade["last"], "trade /state /state");
    assert_eq!(*end(&run), serde_json::json!({"state": "finished"}));
    let story = stage.plain(&["show", "last"]).exits(0).out;
    assert!(story.contains("login: ok after 3 tries, "), "{story}");
    assert!(story.contains("with the last step."), "{story}");
    assert!(stage.plain(&["logs", "last"]).exits(0).out.contains("== trade-1.log =="));
    assert_eq!(stage.verb(&["runs"]).exits(0).json()[0]["chores"], 5);
}

/// A stage whose clock is put by a file, and the time of the day that it shows in an hour.
fn with_a_clock() -> (Stage, Clock, String) {
    let stage = Stage::empty();
    let clock = Clock(stage.beside("clock"));
    clock.forward(0);
    (stage, clock, (chrono::Utc::now() + chrono::TimeDelta::hours(1)).format("%H:%M").to_string())
}

/// The file that puts the clock of every process of a stage.
struct Clock(PathBuf);

impl Clock {
    /// Puts it forward, by so many hours in all.
    fn forward(&self, hours: i64) {
        let fresh = self.0.with_extension("new");
        fs::write(&fresh, (hours * 3600).to_string()).expect("a clock");
        fs::rename(fresh, &self.0).expect("a clock");
    }

    fn ask(&self, stage: &Stage, words: &[&str]) -> Answer {
        stage.ask(stage.command(words).arg("--json").env(clock::SHIFT, &self.0))
    }
}

#[test]
fn a_time_ends_services_and_what_is_over_does_not_begin_again() {
    let (stage, clock, at) = with_a_clock();
    let steps = format!(
        r#"
  - run: {{name: engine, command: "echo engine >> did; sleep 1000", service: true, until: "{at}"}}
  - run: {{name: watch, command: "echo watch >> did; touch on; sleep 1000", until: "{at}"}}
  - run: {{name: report, command: "echo report >> did"}}
"#
    );
    add(&stage, "day", &steps, &[]);
    for killed in [false, true] {
        let _ = fs::remove_file(state(&stage).join("did"));
        clock.forward(0);
        clock.ask(&stage, &["run", "day", "--detach"]).exits(0);
        wait_for("both to run", || (said(&stage, "did").lines().count() == 2).then_some(()));
        assert!(end_of(&stage.last()).is_none(), "the control: an hour before its time");
        if killed {
            signal(stage.runner(), "KILL");
            stage.until_nobody_lives();
        }
        clock.forward(2);
        clock.ask(&stage, &["tick"]);
        wait_for("the end", || end_of(&stage.last()).cloned());
        stage.until_nobody_lives();
        let did = said(&stage, "did");
        let mut all: Vec<&str> = did.lines().collect();
        assert_eq!(all.pop(), Some("report"));
        all.sort_unstable();
        assert_eq!(all, ["engine", "watch"], "each once");
        let ended = tries(&stage.last());
        let both =
            if killed { ["engine until null", "watch until null"] } else { ["engine until 143", "watch until 143"] };
        assert!(both.iter().all(|one| ended.iter().any(|line| line == one)), "{ended:?}");
    }
    let story = stage.plain(&["show", "last"]).exits(0).out;
    assert!(story.contains(&format!("engine: not begun, its end was there before: it was {at}.")), "{story}");
}

#[test]
fn a_run_is_parked_until_its_time() {
    let (stage, clock, at) = with_a_clock();
    let steps = format!("  - wait: {{until: \"{at}\"}}\n  - run: \"echo after >> did\"\n");
    add(&stage, "day", &steps, &[]);
    clock.ask(&stage, &["run", "day"]).exits(22);
    stage.until_nobody_lives();
    let tick = clock.ask(&stage, &["tick"]).exits(20).json();
    assert_eq!(tick["next_at"].as_str().map(|next| next[11..16].to_owned()), Some(at.clone()), "{tick}");
    clock.forward(1);
    clock.ask(&stage, &["tick"]).exits(0);
    stage.ended();
    assert_eq!(said(&stage, "did"), "after\n");
    let story = stage.plain(&["show", "last"]).exits(0).out;
    assert!(
        story.contains(&format!("Parked until {at}; ")) && story.contains(&format!("Waited until {at}.")),
        "{story}"
    );
}

#[test]
fn a_service_that_dies_fails_the_run_and_takes_the_others_along() {
    let stage = Stage::empty();
    let steps = r#"
  - run: {name: engine, command: "until [ -e on ]; do sleep 0.05; done; echo broken pipe; exit 7", service: true}
  - run: {name: watch, command: "touch on; sleep 1000"}
"#;
    add(&stage, "day", steps, &[]);
    stage.run("day").exits(1);
    let run = stage.last();
    assert_eq!(tries(&run), ["engine itself 7", "watch cut_off 143"]);
    let why = "engine failed: it ended with exit code 7: broken pipe (output: raw/engine-1.log)";
    assert_eq!(end(&run)["why"], why);
    // The watchdog is the last to go, after the end was written.
    stage.until_nobody_lives();
}

#[test]
fn a_try_that_takes_too_long_is_ended_and_one_that_ignores_term_is_killed() {
    let stage = Stage::empty();
    let steps = r#"
  - run: {name: deaf, command: "trap '' TERM; touch on; while :; do sleep 0.1; done", service: true}
  - run: {name: ready, command: "while [ ! -e on ]; do sleep 0.1; done"}
  - run: {name: slow, command: "sleep 1000", max: 1s}
"#;
    add(&stage, "day", steps, &[]);
    stage.run("day").exits(1);
    assert_eq!(tries(&stage.last()), ["ready itself 0", "slow time null", "deaf cut_off 137"]);
    stage.until_nobody_lives();
}

#[test]
fn halt_ends_every_process() {
    let stage = Stage::empty();
    let steps = r#"
  - run: {name: engine, command: "trap '' TERM; (setsid sleep 1000 &) ; while :; do sleep 0.1; done", service: true}
  - run: {name: watch, command: "touch on; sleep 1000"}
"#;
    add(&stage, "day", steps, &[]);
    let running = stage.start(&["run", "day"]);
    // The control: they live.
    let live = || stage.with("setsid").len() + stage.with("sleep 1000").len() >= 2;
    wait_for("both to run", || (state(&stage).join("on").exists() && live()).then_some(()));
    stage.verb(&["halt", "--reason", "enough"]).exits(0);
    running.end().exits(10);
    stage.until_nobody_lives();
    assert_eq!(end(&stage.last())["state"], "halted");
    stage.verb(&["resume", "--reason", "go on"]).exits(0);
}

#[test]
fn a_kill_repeats_what_was_cut_off_and_nothing_else() {
    for whom in ["runner", "watchdog"] {
        let stage = Stage::empty();
        let steps = r#"
  - run: {name: login, command: "echo login >> did"}
  - run: {name: engine, command: "echo engine >> did; sleep 1000", service: true}
  - run: {name: trade, command: [./trade.sh]}
  - run: {name: report, command: "echo report >> did"}
"#;
        let trade = "#!/bin/sh\necho trade >> did\n[ -e go ] && exit 0\ntouch on\nsleep 1000\n";
        add(&stage, "day", steps, &[("trade.sh", trade)]);
        stage.verb(&["run", "day", "--detach"]).exits(0);
        wait_for("the trade", || state(&stage).join("on").exists().then_some(()));
        signal(if whom == "runner" { stage.runner() } else { stage.watchdog() }, "KILL");
        stage.until_nobody_lives();
        fs::write(state(&stage).join("go"), "").expect("a file");
        stage.verb(&["tick"]).exits(0);
        stage.ended();
        let did = said(&stage, "did");
        let times = ["login", "trade", "report"].map(|name| did.lines().filter(|line| *line == name).count());
        assert_eq!(times, [1, 2, 1], "{whom}: {did}");
        assert!(did.ends_with("report\n") && did.contains("engine"), "{whom}: {did}");
        let run = stage.last();
        assert_eq!(end(&run)["state"], "finished");
        assert_eq!(run["row"]["code"], 0);
    }
}

#[test]
fn a_long_wait_parks_the_run_and_a_pass_takes_it_up() {
    let stage = Stage::empty();
    let steps = r#"
  - run: {name: before, command: "echo before >> did"}
  - wait: {until: file("state/go")}
  - run: {name: after, command: "echo after >> did"}
  - finally: [{run: {name: last, command: "echo last >> did"}}]
"#;
    add(&stage, "day", steps, &[]);
    let answer = stage.run("day").exits(22);
    assert_eq!(answer.json()["row"]["parked"], "until state/go is there");
    stage.until_nobody_lives();
    for _ in 0..7 {
        // More often than a run may be taken up where it dies.
        stage.verb(&["tick"]).exits(20);
    }
    assert_eq!(said(&stage, "did"), "before\n");
    let status = stage.verb(&["status"]).exits(0).json();
    let many = |what: &str| status[what].as_array().map(Vec::len);
    assert_eq!((many("parked"), many("lost")), (Some(1), Some(0)), "{status}");
    let status = stage.plain(&["status"]).exits(0).out;
    assert!(status.contains("1 run parked") && !status.contains("lost") && !status.contains("tick"), "{status}");
    let again = stage.plain(&["run", "day"]).exits(1).err;
    assert!(again.contains("day is parked until state/go is there already"), "{again}");
    fs::write(state(&stage).join("go"), "").expect("a file");
    let tick = stage.plain(&["tick"]).exits(0).out;
    assert!(tick.contains("goes on: what it waited for is there"), "{tick}");
    assert_eq!(stage.ended()["code"], 0);
    assert_eq!(said(&stage, "did"), "before\nafter\nlast\n", "to park is no end");
    let run = stage.last();
    assert_eq!((events(&run, "parked").len(), events(&run, "run_started").len()), (1, 2));
}

#[test]
fn two_parked_runs_hold_nobody_up_and_a_halt_ends_them() {
    let stage = Stage::empty();
    let hours = |n: i64| (chrono::Utc::now() + chrono::TimeDelta::hours(n)).format("%H:%M").to_string();
    let (soon, late) = (hours(2), hours(20));
    for (name, at) in [("one", &soon), ("two", &late)] {
        let steps = format!("  - wait: {{until: \"{at}\"}}\n  - run: \"true\"\n");
        add(&stage, name, &steps, &[]);
        stage.run(name).exits(22);
    }
    add(&stage, "three", "  - run: \"true\"\n", &[]);
    stage.run("three").exits(0);
    let rows = stage.verb(&["runs"]).exits(0).json();
    let parked = |name: &str| rows.as_array().into_iter().flatten().find(|r| r["loop_name"] == name).cloned();
    assert!(parked("one").expect("a run")["parked"].as_str().is_some_and(|why| why.starts_with("until ")));
    stage.until_nobody_lives();
    let wakes = stage.verb(&["tick"]).exits(20).json()["next_at"].as_str().map(|at| at[11..16].to_owned());
    assert_eq!(wakes, Some(soon), "when a pass is due");
    let listed = stage.plain(&["runs"]).exits(0).out;
    assert_eq!(listed.matches("parked until ").count(), 2, "{listed}");
    stage.verb(&["halt", "--reason", "enough"]).exits(0);
    stage.verb(&["tick"]);
    stage.verb(&["resume", "--reason", "go on"]).exits(0);
    let ended = stage.verb(&["runs"]).exits(0).json();
    let codes: Vec<_> = ended.as_array().into_iter().flatten().map(|r| r["code"].clone()).collect();
    assert_eq!(codes, [0, 10, 10], "{ended}");
}

#[test]
fn a_flood_is_kept_within_bounds_and_its_end_is_known() {
    let stage = Stage::empty();
    add(
        &stage,
        "day",
        "  - run: {name: flood, command: \"head -c 40000000 /dev/zero | tr '\\\\0' x; echo; echo the end\"}\n",
        &[],
    );
    stage.run("day").exits(0);
    let run = stage.last();
    assert_eq!(outcomes(&run, "ran")[0]["last"], "the end");
    let raw = stage.home.join("data/runs").join(run["row"]["id"].as_str().expect("an id")).join("raw");
    let kept: u64 = fs::read_dir(raw).expect("logs").flatten().map(|e| e.metadata().expect("a file").len()).sum();
    assert!((1 << 20..=16 << 20).contains(&kept), "{kept} bytes are kept of 40,000,009");
}

#[test]
fn a_step_reaches_nothing_that_it_was_not_granted() {
    let stage = Stage::empty();
    let outside = stage.beside("outside");
    fs::create_dir(&outside).expect("a folder");
    let reach = format!(
        "#!/bin/sh\n\
         (exec 3<>/dev/tcp/127.0.0.1/22) 2>/dev/null\n\
         python3 -c 'import socket; socket.create_connection((\"192.0.2.1\", 80), 2)' 2>&1 | tail -1\n\
         touch '{0}/file' 2>&1 | tail -1\n\
         touch /loop/file 2>&1 | tail -1\n\
         ls /sys/class/net 2>/dev/null; cat /proc/net/route | wc -l\n\
         touch own && echo own\n",
        outside.display()
    );
    add(&stage, "day", "  - run: {name: reach, command: [./reach.sh]}\n", &[("reach.sh", &reach)]);
    stage.run("day").exits(0);
    let said = stage.plain(&["logs", "last"]).exits(0).out;
    assert!(said.contains("Network is unreachable"), "{said}");
    assert!(said.contains("outside/file': No such file or directory"), "{said}");
    assert!(said.contains("/loop/file': Read-only file system"), "{said}");
    assert!(said.contains("own\n") && state(&stage).join("own").exists(), "the control: its own folder");
    assert_eq!(fs::read_dir(&outside).expect("a folder").count(), 0);
}

#[test]
fn steps_come_before_findings_and_no_link_of_theirs_is_followed() {
    let stage = Stage::shop();
    let victim = stage.beside("victim");
    fs::write(&victim, "mine").expect("a file");
    let text = |list: &str| {
        format!(
            "name: both\nrepo: {:?}\ntrigger: manual\nenv: {{STAGE: {}}}\nsteps:\n  - run: {{name: first, command: [./first.sh]}}\n  \
             - discover: {{run: open_issues, write_to: {list}}}\n{RAILS}",
            stage.repo, stage.mark
        )
    };
    let link = format!(
        "#!/bin/sh\nln -sf '{}' triage.next\nln -sfn '{}' lists\n",
        victim.display(),
        stage.beside("").display()
    );
    let path = stage.personal_text("both", &text("state/triage.md"), &[("first.sh", &link)]);
    stage.add(&path.display().to_string(), false);
    stage.run("both").exits(0);
    let run = stage.last();
    let names: Vec<_> = events(&run, "step_started").iter().map(|e| e["step"]["step"].clone()).collect();
    assert_eq!(names, ["run", "prepare", "discover"]);
    assert_eq!(fs::read_to_string(&victim).expect("it is there"), "mine");
    assert!(state(&stage).join("lists").is_symlink(), "the control: the links were made");
    assert!(!stage.triage().is_empty());
    fs::write(&path, text("state/lists/triage.md")).expect("a loop file");
    stage.add(&path.display().to_string(), false);
    stage.run("both").exits(1);
    assert!(end(&stage.last())["why"].as_str().is_some_and(|why| why.contains("is no folder but a link")));
    assert!(!stage.beside("triage.md").exists());
}

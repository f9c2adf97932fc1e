//! Once: whatever is asked twice at the same time happens once; what can't land any more is made anew on request.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::thread;

use loopwright_tests::stage::{RAILS, Stage, programs, steps, wait_for};

const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n";

#[test]
fn of_many_starts_at_once_one_runs() {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    let codes: Vec<i32> = thread::scope(|scope| {
        let starters: Vec<_> = (0..20)
            .map(|_| {
                let mut command = stage.command(&["run", "work", "--detach", "--json"]);
                scope.spawn(move || command.output().expect("starts").status.code().expect("a code"))
            })
            .collect();
        starters.into_iter().map(|s| s.join().expect("a thread")).collect()
    });
    assert_eq!(codes.iter().filter(|c| **c == 0).count(), 1, "{codes:?}");
    assert_eq!(codes.iter().filter(|c| **c == 1).count(), 19, "{codes:?}");
    wait_for("the run's end", || stage.verb(&["runs"]).json()[0]["ended"].as_str().map(drop));
    assert_eq!(stage.verb(&["runs"]).json().as_array().map(Vec::len), Some(1));
    assert_eq!(stage.reviews().len(), 2);
}

/// Starts the process of a run whose occurrence is in this state, as one that was long in coming; returns its exit code.
fn late(stage: &Stage, state: &str) -> i32 {
    let run = format!("01936f2e-0000-7000-8000-{:012x}", state.len());
    let sql = "INSERT INTO occurrences (id, loop, trigger, key, due_at, claimed_at, zone, state, run)
        SELECT ?1, id, 'manual', ?1, '', '9999', 'UTC', ?2, ?1 FROM loops";
    assert_eq!(stage.change_rows(sql, &[&run, state]), 1);
    let dir = stage.home.join("data/runs").join(&run);
    std::fs::create_dir_all(&dir).expect("a run directory");
    let command = stage.command(&[]);
    let mut watchdog = std::process::Command::new(&programs().watchdog);
    watchdog.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(&dir);
    watchdog.arg("--run-dir").arg(&dir).arg("--armed").arg(stage.home.join("state/ARMED"));
    watchdog.args(["--max-seconds", "100", "--"]).arg(&programs().loopwright).args(["__run", &run]);
    let code = stage.ask(&mut watchdog).code;
    if code == 1 {
        let error = std::fs::read_to_string(dir.join("error")).expect("why");
        assert!(error.contains("given up"), "{error}");
    }
    code
}

#[test]
fn a_run_that_was_given_up_does_nothing_when_it_comes_at_last() {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    assert_eq!(late(&stage, "failed"), 1);
    assert_eq!(stage.verb(&["runs"]).exits(0).json().as_array().map(Vec::len), Some(0));
    assert!(stage.reviews().is_empty());
    assert_eq!(late(&stage, "claimed"), 21, "the control: one that was not runs");
    assert_eq!(stage.reviews().len(), 2);
}

#[test]
fn many_first_looks_at_once_all_work() {
    let stage = Stage::shop();
    let home = stage.beside("another-home");
    thread::scope(|scope| {
        let looks: Vec<_> = (0..12)
            .map(|_| {
                let mut command = stage.command(&["status", "--json"]);
                command.env("LOOPWRIGHT_HOME", &home);
                scope.spawn(move || command.output().expect("starts"))
            })
            .collect();
        for look in looks {
            let output = look.join().expect("a thread");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    });
}

/// Both write the same file: the second can't be carried onto what the first left.
#[test]
fn what_can_not_land_any_more_is_made_anew_on_request() {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let reviews = stage.reviews();
    let [first, second] = [0, 1].map(|n: usize| stage.review(reviews[n]["id"].as_str().expect("an id")));
    stage.approve(&first).exits(0);
    let moved = stage.approve(&second).exits(1).json();
    assert_eq!(moved["result"], "moved", "{moved}");
    assert!(moved["why"].as_str().expect("why").contains("conflicts in NOTES"), "{moved}");

    // Without being asked by name, nothing is made again: the pull request stands for its finding.
    stage.run("work").exits(20);
    assert!(steps(&stage.last(), "build").is_empty());

    let triage = stage.triage();
    let short = triage.iter().find(|l| l.contains("in review")).and_then(|l| l.rsplit(' ').next()).expect("an id");
    stage.verb(&["run", "work", "--finding", short]).exits(21);
    let waiting = stage.reviews();
    assert_eq!(waiting.len(), 1, "{waiting:?}");
    assert_ne!(waiting[0]["id"], second["row"]["id"]);
    stage.approve(&stage.review(waiting[0]["id"].as_str().expect("an id"))).exits(0);
    assert_eq!(stage.git(&["show", "main:NOTES"]).lines().count(), 2);
}

#[test]
fn an_open_pull_request_that_can_land_is_not_made_twice() {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let before = stage.reviews();
    let triage = stage.triage();
    let id = triage[0].rsplit(' ').next().expect("an id");
    stage.verb(&["run", "work", "--finding", id]).exits(20);
    assert_eq!(stage.reviews(), before);
}

//! Loops that start by themselves: a pass gives each due time its row and starts what may start, whoever makes the pass.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::time::Instant;

use chrono::{DateTime, Duration, Timelike as _, Utc};
use loopwright_core::timing::FILE_REST_S;
use loopwright_engine::home::Home;
use loopwright_engine::store::Store;
use loopwright_tests::stage::{Stage, wait_for, write_program};
use serde_json::Value;

/// A stage with a loop `work` that reports, starts each quarter of an hour, and whose last due time with a row is `since` ago.
fn quarterly(rest: &str, since: Duration) -> Stage {
    let stage = Stage::empty();
    stage.write("README.md", "A small project.\n");
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    stage.commit("one");
    loop_of(&stage, "work", &format!("{}\n{rest}", each_quarter()), since);
    stage
}

/// A trigger for each quarter of an hour, the last seven minutes ago: none comes while a test looks.
fn each_quarter() -> String {
    let minute = (Utc::now().minute() + 8) % 15;
    format!("trigger: cron(\"{minute},{},{},{} * * * *\")", minute + 15, minute + 30, minute + 45)
}

fn loop_of(stage: &Stage, name: &str, head: &str, since: Duration) {
    loop_without_times(stage, name, head);
    long_ago(stage, name, since);
}

fn loop_without_times(stage: &Stage, name: &str, head: &str) {
    let text = format!(
        "name: {name}\nrepo: {:?}\n{head}\nsteps:\n  - discover: {{run: open_issues, write_to: state/triage.md}}\n\
         guardrails: {{max_iterations: 3, budget: $1/run, halt_on: no_progress(2)}}\nenv: {{STAGE: {}}}\n",
        stage.repo, stage.mark
    );
    let path = stage.personal_text(name, &text, &[]);
    stage.add(&path.display().to_string(), false);
}

/// As if nobody had looked since then.
fn long_ago(stage: &Stage, name: &str, since: Duration) {
    let at = (Utc::now() - since).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let sql = "UPDATE schedules SET since = ?1, next_at = ?1 WHERE loop = (SELECT id FROM loops WHERE name = ?2)";
    assert_eq!(stage.change_rows(sql, &[&at, name]), 1);
}

/// `due_at state reason` of each occurrence, the oldest first.
fn ledger(stage: &Stage) -> Vec<(DateTime<Utc>, String, String)> {
    let store = Store::open(&Home::under(&stage.home)).expect("the store");
    let sql = "SELECT due_at, state, COALESCE(reason, '') FROM occurrences ORDER BY due_at";
    let mut rows = store.read().prepare(sql).expect("a statement");
    let read = rows.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get(1)?, r.get(2)?))).expect("rows");
    read.map(|row| row.expect("a row")).map(|(at, state, why)| (at.parse().expect("a time"), state, why)).collect()
}

fn count(stage: &Stage, state: &str) -> usize {
    ledger(stage).iter().filter(|(_, s, _)| s == state).count()
}

fn until_finished(stage: &Stage, runs: usize) {
    wait_for("the runs' ends", || (count(stage, "finished") == runs).then_some(()));
    stage.until_nobody_lives();
}

fn deeds<'a>(tick: &'a Value, did: &str) -> Vec<&'a Value> {
    tick["deeds"].as_array().expect("deeds").iter().filter(|deed| deed["did"] == did).collect()
}

#[test]
fn what_was_missed_is_caught_up_once_and_every_time_has_its_row() {
    let stage = quarterly("", Duration::hours(3));
    let tick = stage.verb(&["tick"]).exits(0).json();
    assert_eq!(deeds(&tick, "started").len(), 1, "{tick}");
    until_finished(&stage, 1);
    let rows = ledger(&stage);
    assert_eq!(rows.len(), 12, "{rows:?}");
    let (last, rest) = rows.split_last().expect("rows");
    assert_eq!(last.1, "finished");
    for (at, state, why) in rest {
        assert_eq!(state, "missed", "{at}");
        assert!(why.contains("stands for it"), "{why}");
    }
    assert!((7..=8).contains(&(Utc::now() - last.0).num_minutes()), "{rows:?}");
    assert_eq!(deeds(&stage.verb(&["tick"]).json(), "started").len(), 0, "once");
    let run = stage.last();
    assert_eq!(run["row"]["cause"], "cron");
}

#[test]
fn twenty_passes_at_once_start_a_time_once() {
    let stage = quarterly("", Duration::hours(1));
    let said: Vec<Value> = std::thread::scope(|scope| {
        let ticks: Vec<_> = (0..20)
            .map(|_| {
                let mut command = stage.command(&["tick", "--json"]);
                scope.spawn(move || command.output().expect("starts").stdout)
            })
            .collect();
        ticks.into_iter().map(|t| serde_json::from_slice(&t.join().expect("a thread")).expect("JSON")).collect()
    });
    assert_eq!(said.iter().map(|tick| deeds(tick, "started").len()).sum::<usize>(), 1, "{said:?}");
    until_finished(&stage, 1);
    assert_eq!(ledger(&stage).len(), 4);
}

#[test]
fn a_paused_slot_and_the_fair_turn() {
    let stage = quarterly("", Duration::minutes(40));
    for name in ["second", "third"] {
        loop_of(&stage, name, &each_quarter(), Duration::minutes(40));
    }
    std::fs::write(stage.home.join("config/settings.yaml"), "max_runs: 1\n").expect("settings");
    // One after the other, ten seconds apart: the first pass starts one and holds the others.
    let tick = stage.verb(&["tick"]).exits(0).json();
    assert_eq!(deeds(&tick, "started").len(), 1, "{tick}");
    assert_eq!(count(&stage, "due"), 2);
    assert!(tick["next_at"].is_string(), "{tick}");
    stage.change_rows("UPDATE occurrences SET not_before = due_at WHERE state = 'due'", &[]);
    until_finished(&stage, 1);
    stage.verb(&["tick"]).exits(0);
    until_finished(&stage, 2);
    stage.verb(&["tick"]).exits(0);
    until_finished(&stage, 3);
}

#[test]
fn another_zone_of_the_computer_makes_up_no_times() {
    let stage = quarterly("", Duration::minutes(5));
    loop_of(&stage, "yearly", "trigger: cron(\"0 9 1 1 *\")", Duration::days(700));
    stage.verb(&["tick"]);
    stage.until_nobody_lives();
    let before = ledger(&stage).len();
    // As if its times had been reckoned at the other side of the earth, long ago: none of before comes once more.
    stage.change_rows("UPDATE schedules SET zone = 'Pacific/Auckland'", &[]);
    stage.verb(&["tick"]);
    stage.until_nobody_lives();
    assert!(ledger(&stage).len() <= before + 1, "at most a quarter of an hour that has come: {:?}", ledger(&stage));
    let store = Store::open(&Home::under(&stage.home)).expect("the store");
    let zones: i64 = store
        .read()
        .query_row("SELECT COUNT(*) FROM schedules WHERE zone = 'Pacific/Auckland'", [], |r| r.get(0))
        .expect("a number");
    assert_eq!(zones, 0);
}

#[test]
fn under_halt_nothing_starts_and_the_row_says_so() {
    let stage = quarterly("", Duration::hours(1));
    stage.verb(&["halt"]).exits(0);
    let tick = stage.verb(&["tick"]).json();
    assert_eq!(deeds(&tick, "started").len(), 0, "{tick}");
    let rows = ledger(&stage);
    assert!(rows.iter().all(|(_, state, why)| state == "skipped" && why.contains("HALT for everything")), "{rows:?}");
    assert_eq!(rows.len(), 4);
}

#[test]
fn a_run_that_can_not_begin_says_why_in_its_row() {
    let stage = quarterly("", Duration::minutes(20));
    write_program(&stage.beside("loops").join("work/loop.yaml"), "name: work\n");
    stage.verb(&["tick"]);
    stage.until_nobody_lives();
    stage.verb(&["tick"]);
    let rows = ledger(&stage);
    let failed: Vec<&String> = rows.iter().filter(|(_, state, _)| state == "failed").map(|(_, _, why)| why).collect();
    assert_eq!(failed.len(), 1, "{rows:?}");
    assert!(failed[0].contains("is not a valid loop"), "{rows:?}");
}

#[test]
fn a_clock_that_was_ahead_takes_its_times_back_and_none_starts_twice() {
    let stage = quarterly("", Duration::minutes(20));
    stage.verb(&["tick"]).exits(0);
    until_finished(&stage, 1);
    // As if it had been a year ahead: the ledger reaches there, and so do times that were missed.
    let ahead = (Utc::now() + Duration::days(365)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    stage.change_rows("UPDATE schedules SET since = ?1, next_at = ?1", &[&ahead]);
    stage.change_rows(
        "INSERT INTO occurrences (id, loop, trigger, key, due_at, zone, state, reason) \
         SELECT 'x', loop, 'cron', ?1, ?1, zone, 'missed', 'asleep' FROM occurrences LIMIT 1",
        &[&ahead],
    );
    stage.change_rows(
        "INSERT INTO occurrences (id, loop, trigger, key, due_at, not_before, zone, state) \
         SELECT 'y', loop, 'cron', ?1 || 'y', ?1, ?1, zone, 'due' FROM occurrences LIMIT 1",
        &[&ahead],
    );
    let before = ledger(&stage).len();
    stage.verb(&["tick"]);
    assert_eq!(ledger(&stage).len(), before - 2, "what has not come is neither missed nor does it wait");
    long_ago(&stage, "work", Duration::minutes(20));
    stage.verb(&["tick"]);
    assert_eq!(count(&stage, "finished"), 1, "what ran does not run again");
    assert_eq!(count(&stage, "due") + count(&stage, "claimed"), 0);
}

#[test]
fn a_loop_starts_after_another_one_once_for_each_of_its_runs() {
    let stage = quarterly("", Duration::minutes(1));
    let head = |trigger: &str| format!("trigger: {trigger}");
    for (name, trigger) in [("follows", "after(work)"), ("mourns", "after(work, failed)")] {
        loop_without_times(&stage, name, &head(trigger));
    }
    stage.run("work").exits(20);
    assert_eq!(count(&stage, "due"), 1, "in the transaction of the run's end: {:?}", ledger(&stage));
    let tick = stage.verb(&["tick"]).exits(0).json();
    assert_eq!(deeds(&tick, "started")[0]["loop_name"], "follows");
    wait_for("its end", || {
        (count(&stage, "due") + count(&stage, "claimed") + count(&stage, "running") == 0).then_some(())
    });
    stage.until_nobody_lives();
    assert_eq!(stage.last()["row"]["cause"], "after");
    assert_eq!(deeds(&stage.verb(&["tick"]).json(), "started").len(), 0, "once");
}

#[test]
fn times_of_an_older_timetable_keep_their_rows_also_where_it_was_paused() {
    for paused in [false, true] {
        let stage = quarterly("", Duration::hours(2));
        if paused {
            stage.verb(&["disable", "work"]).exits(0);
        }
        loop_without_times(&stage, "work", "trigger: cron(\"0 9 1 1 *\")");
        let rows = ledger(&stage);
        assert_eq!(rows.len(), 8, "{rows:?}");
        assert!(rows.iter().all(|(_, state, why)| state == "skipped" && why.contains("another timetable")), "{rows:?}");
        stage.verb(&["tick"]);
        assert_eq!(ledger(&stage).len(), 8);
    }
}

#[test]
fn runs_that_were_parked_go_on_one_after_the_other_where_one_may() {
    let stage = quarterly("", Duration::zero());
    std::fs::write(stage.home.join("config/settings.yaml"), "max_runs: 1\n").expect("settings");
    let names = ["one", "two", "three"];
    for name in names {
        let text = format!(
            "name: {name}\ntrigger: manual\nsteps:\n  - wait: {{until: file(\"state/go\")}}\n\
             \x20 - run: \"until [ -e done ]; do sleep 0.1; done\"\nenv: {{STAGE: {}}}\n",
            stage.mark
        );
        let path = stage.personal_text(name, &text, &[]);
        stage.add(&path.display().to_string(), false);
        stage.verb(&["run", name]).exits(22);
    }
    let states: Vec<_> = std::fs::read_dir(stage.home.join("data/loops")).expect("loops").flatten().collect();
    let touch = |file: &str| states.iter().for_each(|s| drop(std::fs::write(s.path().join("state").join(file), "")));
    touch("go");
    stage.verb(&["tick"]).exits(0);
    assert_eq!((count(&stage, "running"), count(&stage, "parked")), (1, 2), "{:?}", ledger(&stage));
    touch("done");
    for finished in 1..=3 {
        until_finished(&stage, finished);
        stage.verb(&["tick"]);
    }
}

#[test]
fn files_that_are_new_start_their_loop_once_they_are_left_alone() {
    let stage = quarterly("", Duration::minutes(1));
    loop_without_times(&stage, "reads", "trigger: file(\"in/*.csv\")");
    stage.verb(&["tick"]);
    stage.edit(|| std::fs::create_dir_all(stage.repo.join("in")).expect("a folder"));
    let put = |name: &str| std::fs::write(stage.repo.join("in").join(name), "1").expect("a file");
    stage.edit(|| put("a.csv"));
    let tick = stage.verb(&["tick"]).json();
    assert!(deeds(&tick, "started").is_empty() && tick["next_at"].is_string(), "it may still be written: {tick}");
    wait_for("the rest", || (deeds(&stage.verb(&["tick"]).json(), "started").len() == 1).then_some(()));
    stage.until_nobody_lives();
    assert_eq!(stage.last()["row"]["cause"], "file");
    // As if it still ran: what changes meanwhile starts it afterwards, once, and costs no pass before.
    let running = "UPDATE occurrences SET state = ?1 WHERE trigger = 'file'";
    stage.change_rows(running, &["parked"]);
    stage.edit(|| put("b.csv"));
    stage.verb(&["tick"]);
    let rows = ledger(&stage).len();
    let began = Instant::now();
    let next = wait_for("longer than files rest", || {
        let tick = stage.verb(&["tick"]).json();
        (began.elapsed().as_secs() > FILE_REST_S).then(|| tick["next_at"].as_str().expect("a time").to_owned())
    });
    assert_eq!(ledger(&stage).len(), rows);
    assert!(next.parse::<DateTime<Utc>>().expect("a time") > Utc::now(), "{next}");
    stage.change_rows(running, &["finished"]);
    wait_for("the next start", || (deeds(&stage.verb(&["tick"]).json(), "started").len() == 1).then_some(()));
    stage.until_nobody_lives();
    stage.edit(|| std::fs::remove_file(stage.repo.join("in/a.csv")).expect("gone"));
    stage.verb(&["tick"]);
    let tick = stage.verb(&["tick"]).json();
    assert!(deeds(&tick, "started").is_empty(), "a file that goes starts nothing: {tick}");
}

/// A loop that takes its time until the base commit has a file `quick`.
fn slow(stage: &Stage, overlap: &str) {
    let text = format!(
        "name: slow\nrepo: {:?}\n{}\noverlap: {overlap}\nsteps:\n  - discover:\n      \
         run: command(\"test -e /workspace/quick || sleep 600\")\n      write_to: state/triage.md\n\
         guardrails: {{max_iterations: 3, budget: $1/run, halt_on: no_progress(2)}}\nenv: {{STAGE: {}}}\n",
        stage.repo,
        each_quarter(),
        stage.mark
    );
    let path = stage.personal_text("slow", &text, &[]);
    stage.add(&path.display().to_string(), false);
}

#[test]
fn a_time_that_comes_while_it_runs_waits_or_takes_its_place() {
    for (overlap, ended) in [("queue(1)", (0, 1)), ("cancel_previous", (1, 1)), ("skip", (0, 0))] {
        let stage = quarterly("", Duration::minutes(1));
        slow(&stage, overlap);
        let running = stage.start(&["run", "slow"]);
        stage.wait_for_process("sleep");
        stage.edit(|| {
            stage.write("quick", "");
            stage.commit("quick");
        });
        // As if it had begun before the time that comes now: what began after it is not taken from anybody.
        let hour_ago = (Utc::now() - Duration::hours(1)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        stage.change_rows("UPDATE occurrences SET claimed_at = ?1 WHERE state = 'running'", &[&hour_ago]);
        long_ago(&stage, "slow", Duration::minutes(16));
        let tick = stage.verb(&["tick"]).json();
        assert_eq!(deeds(&tick, "started").len(), 0, "never two of one loop: {tick}");
        assert_eq!(count(&stage, "due"), usize::from(overlap != "skip"), "{overlap}");
        if overlap != "cancel_previous" {
            stage.verb(&["halt", "--run", &stage.last()["row"]["id"].as_str().expect("an id")[24..]]);
        }
        running.end();
        let by_hand = usize::from(overlap != "cancel_previous");
        wait_for("the next start", || {
            stage.verb(&["tick"]);
            (count(&stage, "finished") == ended.1 && count(&stage, "halted") == ended.0 + by_hand).then_some(())
        });
        stage.until_nobody_lives();
        let skipped = ledger(&stage).into_iter().find(|(_, state, _)| state == "skipped");
        assert_eq!(skipped.is_some_and(|(_, _, why)| why.contains("overlap: skip")), overlap == "skip");
    }
}

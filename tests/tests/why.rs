//! `why`, `next -n`, `enable` and `disable`: each due time has its sentence, and what hinders one names what to do.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use chrono::{DateTime, Duration, DurationRound as _, Utc};
use loopwright_tests::stage::{Stage, wait_for};
use serde_json::Value;

const QUARTERLY: &str = "trigger: cron(\"*/15 * * * *\")\ntimezone: UTC";

/// As if nobody had looked since then.
fn long_ago(stage: &Stage, since: Duration) {
    let at = (Utc::now() - since).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    assert_eq!(stage.change_rows("UPDATE schedules SET since = ?1, next_at = ?1", &[&at]), 1);
    stage.change_rows("UPDATE loops SET added_at = ?1", &[&at]);
}

fn quarter(back: i32) -> DateTime<Utc> {
    let now = Utc::now().duration_trunc(Duration::minutes(15)).expect("a time");
    now - Duration::minutes(15) * back
}

fn why(stage: &Stage, words: &[&str]) -> Vec<Value> {
    let said = stage.verb(&[&["why", "work"], words].concat()).exits(0).json();
    said["answers"].as_array().expect("answers").clone()
}

/// The one sentence about a time.
fn sentence(stage: &Stage, at: DateTime<Utc>) -> String {
    let rows = why(stage, &[&at.format("%Y-%m-%d %H:%M").to_string()]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0]["sentence"].as_str().expect("a sentence").to_owned()
}

fn ticked(stage: &Stage, ends: usize) {
    stage.verb(&["tick"]);
    wait_for("the ends", || {
        let over =
            stage.ledger().iter().filter(|(_, s, _)| !["due", "claimed", "running"].contains(&s.as_str())).count();
        (over >= ends).then_some(())
    });
    stage.until_nobody_lives();
}

#[test]
fn what_was_and_what_comes() {
    let stage = Stage::scheduled(QUARTERLY);
    long_ago(&stage, Duration::minutes(50));
    ticked(&stage, 3);
    let last = stage.ledger().last().expect("rows").0;
    assert!(sentence(&stage, last).contains("finished at"), "{}", sentence(&stage, last));
    let missed = sentence(&stage, last - Duration::minutes(15));
    assert!(missed.contains("missed: nobody looked at that time; the start of "), "{missed}");
    let next = last + Duration::minutes(15);
    let ahead = sentence(&stage, next);
    assert!(ahead.ends_with("and will not start as things stand: no scheduler runs."), "{ahead}");
    let serving = stage.serve();
    let ahead = sentence(&stage, next);
    assert!(ahead.contains(": due in ") && ahead.ends_with("it will start by cron(\"*/15 * * * *\")."), "{ahead}");
    drop(serving);
    let both = why(&stage, &[]);
    assert_eq!(
        both.iter().map(|row| row["state"].as_str().expect("a state")).collect::<Vec<_>>(),
        ["finished", "next"]
    );
    assert_eq!(both[0]["command"], format!("loopwright show {}", both[0]["run"].as_str().expect("a run")));
    let between = sentence(&stage, last + Duration::minutes(7));
    assert!(between.contains("work was not due; the due time before it is "), "{between}");
    let before = sentence(&stage, last - Duration::days(400));
    assert!(before.contains("work was registered on "), "{before}");
    // Whatever the time of the day is: what came due stands in one of the two.
    let days = ["yesterday", "today"].map(|day| why(&stage, &[day])).concat();
    let told: Vec<&str> = days.iter().filter_map(|row| row["due_at"].as_str()).collect();
    for (due, ..) in stage.ledger() {
        assert!(told.contains(&due.to_rfc3339().as_str()), "{due}: {days:?}");
    }
    let refused = stage.verb(&["why", "work", "soon"]).exits(2);
    assert!(
        refused.message().contains("`soon` is no time") && refused.hint().contains("yesterday 09:00"),
        "{refused:?}"
    );
    assert!(stage.verb(&["why", "nobody"]).exits(2).message().contains("no loop named nobody"));
}

#[test]
fn what_hinders_it_names_the_way_out() {
    let stage = Stage::scheduled(QUARTERLY);
    let next = quarter(-1);
    let said = |stage: &Stage| {
        let rows = why(stage, &[&next.format("%Y-%m-%d %H:%M").to_string()]);
        (
            rows[0]["sentence"].as_str().expect("a sentence").to_owned(),
            rows[0]["command"].as_str().expect("a command").to_owned(),
        )
    };
    let serving = stage.serve();
    let path = stage.beside("loops/work/loop.yaml").display().to_string();
    let settings = stage.home.join("config/settings.yaml");
    std::fs::write(&settings, "budgett: 1\n").expect("written");
    let (why, command) = said(&stage);
    assert!(why.contains("settings.yaml is not valid") && command == "loopwright doctor", "{why} {command}");
    std::fs::remove_file(&settings).expect("removed");
    let text = std::fs::read_to_string(&path).expect("a loop");
    assert!(stage.plain(&["status"]).exits(0).out.contains("All quiet"), "the control");
    std::fs::write(&path, format!("{text}\n# changed\n")).expect("written");
    let (why, command) = said(&stage);
    assert!(
        why.contains("changed since it was confirmed") && command == format!("loopwright add {path}"),
        "{why} {command}"
    );
    let status = stage.plain(&["status"]).exits(0).out;
    assert!(status.contains("changed since it was confirmed") && !status.contains("All quiet"), "{status}");
    assert!(stage.plain(&["next", "work"]).exits(0).out.contains(&format!("loopwright add {path}")), "and there");
    std::fs::write(&path, text).expect("written");
    stage.verb(&["halt", "--loop", "work"]).exits(0);
    let (why, command) = said(&stage);
    assert!(why.contains("it is halted (HALT for this loop)"), "{why}");
    assert_eq!(command, "loopwright resume --loop work --reason '…'");
    stage.verb(&["resume", "--loop", "work", "--reason", "a test"]).exits(0);
    stage.verb(&["disable", "work"]).exits(0);
    let (why, command) = said(&stage);
    assert!(why.contains("it is paused since ") && command == "loopwright enable work", "{why} {command}");
    assert!(stage.paste(&command).code == 0);
    drop(serving);
}

#[test]
fn a_pause_is_one_row_and_a_halt_one_for_each_time() {
    let stage = Stage::scheduled(QUARTERLY);
    let paused = stage.verb(&["disable", "work"]).exits(0).json();
    assert_eq!(paused["changed"], true);
    assert_eq!(stage.verb(&["disable", "work"]).exits(0).json()["changed"], false, "once");
    let since = (quarter(4) - Duration::seconds(1)).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    stage.change_rows("UPDATE loops SET paused_at = ?1, added_at = ?1", &[&since]);
    long_ago(&stage, Utc::now() - quarter(6));
    stage.change_rows(
        "UPDATE schedules SET since = ?1, next_at = ?1",
        &[&(quarter(6) - Duration::seconds(1)).to_rfc3339()],
    );
    stage.verb(&["tick"]);
    assert_eq!(stage.ledger().len(), 0, "its times wait for their row");
    let while_paused = sentence(&stage, quarter(1));
    assert!(while_paused.contains("skipped: it is paused since "), "{while_paused}");
    assert!(stage.verb(&["next", "-n", "3"]).exits(0).json().as_array().is_some_and(Vec::is_empty));
    let enabled = stage.verb(&["enable", "work"]).exits(0).json();
    assert_eq!((enabled["changed"].as_bool(), enabled["skipped"].as_u64()), (Some(true), Some(5)));
    let rows = stage.ledger();
    assert_eq!(rows.iter().map(|(_, state, _)| state.as_str()).collect::<Vec<_>>(), ["missed", "skipped"], "{rows:?}");
    for back in [4, 2, 0] {
        let said = sentence(&stage, quarter(back));
        assert!(said.contains("5 times: skipped: it was paused from "), "{said}");
    }
    assert!(stage.verb(&["enable", "work"]).exits(0).json()["changed"] == false);
    stage.verb(&["halt"]).exits(0);
    long_ago(&stage, Duration::minutes(40));
    stage.change_rows("DELETE FROM occurrences", &[]);
    stage.verb(&["tick"]);
    assert!(
        stage.ledger().iter().all(|(_, state, why)| state == "skipped" && why.contains("halted")),
        "{:?}",
        stage.ledger()
    );
    stage.verb(&["resume", "--reason", "a test"]).exits(0);
}

#[test]
fn the_next_times_of_all_loops_together() {
    let stage = Stage::scheduled(QUARTERLY);
    stage.add_scheduled("early", "trigger: every(5m)\nwake: true");
    stage.add_scheduled("hand", "trigger: manual");
    let rows = stage.verb(&["next", "-n", "8"]).exits(0).json();
    let rows = rows.as_array().expect("rows");
    let times: Vec<DateTime<Utc>> =
        rows.iter().map(|row| row["at"].as_str().expect("a time").parse().expect("a time")).collect();
    assert_eq!(rows.len(), 8);
    assert!(times.is_sorted() && times[0] > Utc::now() - Duration::seconds(60));
    let of = |name: &str| rows.iter().filter(|row| row["loop_name"] == name).count();
    assert!(of("early") >= 5 && of("work") >= 1 && of("hand") == 0, "{rows:?}");
    assert!(rows.iter().all(|row| row["wake"] == (row["loop_name"] == "early")));
    let one = stage.verb(&["next", "work", "-n", "2"]).exits(0).json();
    assert!(one.as_array().is_some_and(|rows| rows.len() == 2 && rows.iter().all(|row| row["loop_name"] == "work")));
    let shown = stage.plain(&["next", "-n", "2"]).exits(0).out;
    assert!(shown.contains("wakes the computer"), "{shown}");
    assert!(stage.verb(&["next", "nobody", "-n", "2"]).exits(2).message().contains("nobody"));
}

#[test]
fn a_start_that_failed_is_told_everywhere_and_names_no_run() {
    let stage = Stage::scheduled(QUARTERLY);
    long_ago(&stage, Duration::minutes(20));
    let path = stage.beside("loops/work/loop.yaml");
    let text = std::fs::read_to_string(&path).expect("a loop");
    std::fs::write(&path, format!("{text}\n# changed\n")).expect("written");
    wait_for("its end", || {
        stage.verb(&["tick"]);
        (stage.in_state("failed") > 0).then_some(())
    });
    stage.until_nobody_lives();
    std::fs::write(&path, text).expect("the file that was confirmed");
    let last = why(&stage, &["last"]);
    let sentence = last[0]["sentence"].as_str().expect("a sentence");
    assert!(
        sentence.contains("no run began: ") && last[0]["run"].is_null() && last[0]["command"].is_null(),
        "{last:?}"
    );
    let status = stage.plain(&["status"]).exits(0).out;
    assert!(status.contains("no run began") && !status.contains("All quiet"), "{status}");
    assert!(stage.plain(&["next", "work"]).exits(0).out.contains("no run began"));
}

#[test]
fn loops_without_due_times_say_how_they_start() {
    let stage = Stage::scheduled(QUARTERLY);
    stage.add_scheduled("hand", "trigger: manual");
    stage.add_scheduled("chain", "trigger: after(work)");
    stage.add_scheduled("once", "trigger: at(\"2020-01-01 09:00\")");
    for (name, said) in [("hand", "only by hand"), ("chain", "after work"), ("once", "its time is over")] {
        let why = stage.verb(&["why", name]).exits(0).json();
        assert!(why["answers"][0]["sentence"].as_str().is_some_and(|s| s.contains(said)), "{why}");
        let next = stage.plain(&["next", name]).exits(0).out;
        assert!(next.contains(&format!("next      {said}")), "{next}");
    }
    assert_eq!(why(&stage, &["next"])[0]["state"], "next");
    let before = why(&stage, &["0000-01-01"]);
    assert!(before[0]["sentence"].as_str().is_some_and(|s| s.contains("work was registered on ")), "{before:?}");
    assert_eq!(before.len(), 1);
    why(&stage, &["monday", "09:00"]);
}

#[test]
fn settings_that_cannot_be_read_are_the_reason_and_no_error() {
    let stage = Stage::scheduled("trigger: cron(\"*/15 * * * *\")\ntimezone: UTC\nquiet_hours: 00:00-23:59");
    long_ago(&stage, Duration::minutes(20));
    stage.verb(&["tick"]);
    assert!(stage.in_state("due") > 0, "{:?}", stage.ledger());
    std::fs::write(stage.home.join("config/settings.yaml"), "budgett: 1\n").expect("written");
    let last = why(&stage, &["last"]);
    assert!(last[0]["sentence"].as_str().is_some_and(|s| s.contains("settings.yaml is not valid")), "{last:?}");
    stage.change_rows("DELETE FROM occurrences", &[]);
}

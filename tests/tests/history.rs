//! The history, a run's timeline and its logs, as the windows ask for them: every due time is a row, and nothing is followed.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::os::unix::fs::symlink;

use chrono::Utc;
use loopwright_core::history::Came;
use loopwright_engine::api::{self, Context, HistoryFilter, HistoryRow, LogPlace};
use loopwright_engine::home::Home;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_tests::stage::{RAILS, Stage};

fn context(stage: &Stage) -> Context {
    Context {
        home: Home::under(&stage.home),
        chosen: true,
        host: HostEnvironment::read(),
        cwd: stage.repo.clone(),
        zone: chrono_tz::UTC,
        now: Utc::now(),
        by: "terminal",
    }
}

fn all(context: &Context, filter: &HistoryFilter, count: u32) -> Vec<HistoryRow> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = api::history(context, filter, after.as_deref(), count).expect("a page");
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() {
            return rows;
        }
    }
}

/// Rows of `work` as a long history has them: a missed time each hour.
fn fill(stage: &Stage, rows: u32) {
    let id = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
              INSERT INTO occurrences (id, loop, trigger, key, due_at, zone, state, reason) \
              SELECT printf('01800000-0000-7000-8000-%012x', i), (SELECT id FROM loops), 'cron', 'k' || i, \
              strftime('%Y-%m-%dT%H:%M:%fZ', '2020-01-01', '+' || (i / 2) || ' minutes'), 'Europe/Berlin', \
              CASE WHEN i % 1000 = 0 THEN 'skipped' ELSE 'missed' END, 'the computer was asleep from a to b' FROM n";
    stage.change_rows(id, &[&rows.to_string()]);
}

#[test]
fn a_real_run_is_a_row_with_a_timeline_and_logs() {
    let stage = Stage::shop();
    stage.maker(RAILS, "#!/bin/sh\necho plain words; echo x > x\n");
    stage.run("work");
    let context = context(&stage);
    let rows = all(&context, &HistoryFilter::default(), 10);
    assert_eq!(rows.len(), 1, "{rows:?}");
    let run = rows[0].run.expect("its run").to_string();
    let view = api::timeline(&context, &run).expect("a timeline");
    assert!(view.intact && view.live.is_none() && view.row == rows[0], "{view:?}");
    let names: Vec<&str> = view.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names[..3], ["Prepare", "Discover", "Build"]);
    assert!(view.steps.iter().all(|step| step.seconds.is_some()), "{view:?}");
    let log = view.logs.iter().find(|log| log.name.ends_with("stdout") && log.bytes > 0).expect("what the maker said");
    let page = api::log_page(&context, &run, &log.name, LogPlace::End).expect("a page");
    assert!(page.text.contains("plain words"), "{page:?}");
    let found = api::log_find(&context, &run, &log.name, "PLAIN", 0, false).expect("searched");
    assert_eq!((found.total, found.nth), (1, 1));
    let why = api::why_row(&context, rows[0].id).expect("why");
    assert!(why.answers[0].sentence.contains("finished at"), "{why:?}");
    // What takes the place of a log is none.
    let (secret, place) = (stage.beside("secret"), stage.home.join("data/runs").join(&run).join("raw").join(&log.name));
    fs::write(&secret, "secret").expect("a secret");
    fs::remove_file(&place).expect("removed");
    symlink(&secret, &place).expect("a link");
    let refused = api::log_page(&context, &run, &log.name, LogPlace::End).expect_err("a link");
    assert!(refused.message.contains("has no log"), "{refused:?}");
    fs::remove_file(&place).expect("removed");
    fs::write(&place, "secret").expect("the control: a plain file there is read");
    assert_eq!(api::log_page(&context, &run, &log.name, LogPlace::End).expect("a page").text, "secret");
}

#[test]
fn pages_hold_every_row_once_and_filters_find_the_same() {
    let stage = Stage::scheduled("trigger: cron(\"*/15 * * * *\")\ntimezone: UTC");
    fill(&stage, 3000);
    let context = context(&stage);
    let whole = all(&context, &HistoryFilter::default(), 70);
    assert_eq!(whole.len(), 3000);
    assert!(whole.windows(2).all(|two| (&two[0].due, two[0].id) > (&two[1].due, two[1].id)), "the newest first");
    assert_eq!(whole[0].words, "skipped: asleep");
    let skipped = HistoryFilter { came: Some(Came::Skipped), ..HistoryFilter::default() };
    assert_eq!(all(&context, &skipped, 2).len(), 3);
    let text = HistoryFilter { text: Some("SKIPPED".to_owned()), ..HistoryFilter::default() };
    assert_eq!(all(&context, &text, 2), all(&context, &skipped, 100), "the same rows by their words");
    let of_loop = HistoryFilter { of_loop: Some("work".to_owned()), ..skipped };
    assert_eq!(all(&context, &of_loop, 100).len(), 3);
    for came in [Came::Running, Came::Parked, Came::Waiting, Came::Opened, Came::Failed] {
        assert_eq!(all(&context, &HistoryFilter { came: Some(came), ..HistoryFilter::default() }, 9), [], "{came:?}");
    }
    let unknown = HistoryFilter { of_loop: Some("nobody".to_owned()), ..HistoryFilter::default() };
    assert!(api::history(&context, &unknown, None, 9).is_err());
    assert!(api::history(&context, &HistoryFilter::default(), Some("'; DROP TABLE runs"), 9).is_err());
}

#[test]
fn every_question_is_led_by_an_index() {
    let stage = Stage::scheduled("trigger: cron(\"*/15 * * * *\")\ntimezone: UTC");
    let rows = if std::env::var("LOOPWRIGHT_FULL").is_ok() { 1_000_000 } else { 20_000 };
    fill(&stage, rows);
    let context = context(&stage);
    for came in [None, Some(Came::Missed), Some(Came::Skipped), Some(Came::Running), Some(Came::Opened)] {
        for of_loop in [None, Some("work".to_owned())] {
            let filter = HistoryFilter { of_loop, came, text: None };
            let began = std::time::Instant::now();
            let page = api::history(&context, &filter, None, 100).expect("a page");
            let took = began.elapsed();
            loopwright_tests::tell(&format!("{rows} rows, {filter:?}: {} in {took:?}", page.rows.len()));
            assert!(took.as_secs() < 5, "{filter:?} took {took:?}");
        }
    }
}

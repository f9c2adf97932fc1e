//! The tray as a panel shows it: read and clicked on a bus of its own.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::time::{Duration, Instant};

use loopwright_core::lease::HaltNote;
use loopwright_desktop_tests::{Bus, Menu, Row, Session, Watcher, With};
use loopwright_tests::stage::{RAILS, Stage, wait_for};
use loopwright_tests::tell;

/// The promise is a second; this machine is shared, and a verb of the terminal takes part of it.
const SOON: Duration = Duration::from_secs(5);

/// One file for each issue.
const MAKER: &str = "#!/bin/sh\nmkdir -p docs; echo done > docs/$LOOPWRIGHT_FINDING_KEY.md\n";

/// A maker that goes on until it is ended.
const ENDLESS: &str = "#!/bin/sh\nwhile :; do sleep 1; done\n";

fn first(menu: &Menu) -> &Row {
    menu.rows.first().expect("a first line")
}

/// Waits until the first line says this, and returns how long that took.
fn until_first(watcher: &Watcher, began: Instant, says: &str) -> Duration {
    watcher.until(says, |menu| first(menu).label.starts_with(says).then_some(()));
    began.elapsed()
}

#[test]
fn an_empty_home_shows_how_to_begin_starts_the_scheduler_and_quits() {
    let session = Session::new();
    let watcher = session.watcher();
    let mut tray = session.tray();
    watcher.wait_for_icon();
    let menu = watcher.until_has("Set up a loop…");
    assert_eq!((first(&menu).label.as_str(), first(&menu).enabled), ("No loops yet", false), "{menu}");
    assert!(menu.to_string().ends_with("──\nStart at login  [ ]\nQuit Loopwright\n"), "{menu}");
    wait_for("a scheduler", || session.stage.beat());
    watcher.click(&["Quit Loopwright"]);
    assert!(tray.ended().success(), "{}", tray.said());
    assert_eq!(session.stage.verb(&["status"]).json()["scheduler"]["health"], "alive", "loops go on");
}

#[test]
fn halt_everything_ends_a_running_run_and_every_process_is_followed() {
    let stage = Stage::shop();
    stage.maker(RAILS, ENDLESS);
    let session = Session::around(stage, With::default());
    let stage = &session.stage;
    let watcher = session.watcher();
    let mut tray = session.tray();
    watcher.until_has("Run now");
    watcher.click(&["Run now", "work"]);
    until_first(&watcher, Instant::now(), "1 running");
    stage.wait_for_process("maker.sh");
    let row = watcher.until("what it does", |menu| {
        menu.rows.iter().find(|row| row.label.starts_with("work · building · $0.00")).cloned()
    });
    assert_eq!(row.under.iter().map(|row| row.label.as_str()).collect::<Vec<_>>(), ["Show run", "Halt this run"]);
    // What happens to the tray is nothing to the run.
    tray.signal("KILL");
    tray.ended();
    let _again = session.tray();
    until_first(&watcher, Instant::now(), "1 running");
    assert!(!stage.with("maker.sh").is_empty());
    let began = Instant::now();
    watcher.click(&["Halt everything"]);
    wait_for("the agent to end", || stage.with("maker.sh").is_empty().then_some(()));
    let ended = began.elapsed();
    let said = until_first(&watcher, began, "HALTED since ");
    assert!(ended < SOON && said < SOON, "{ended:?} {said:?}");
    let menu = watcher.until_has("1 run was stopped. Show it");
    assert!(first(&menu).label.ends_with(", from the tray"), "{menu}");
    assert!(menu.has("Resume…") && !menu.has("Run now") && !menu.has("Halt everything"), "{menu}");
    let note: HaltNote =
        serde_json::from_slice(&fs::read(stage.home.join("state/HALT")).expect("HALT")).expect("a note");
    assert_eq!(note.by, "tray");
    stage.verb(&["resume", "--reason", "the test goes on"]).exits(0);
    let began = Instant::now();
    watcher.until_has("Halt everything");
    let followed = began.elapsed();
    assert!(followed < SOON, "{followed:?}");
    tell(&format!("tray: click → agent ended {ended:?}, → menu {said:?}; resume elsewhere → menu {followed:?}"));
    watcher.until_has("Pause a loop");
    watcher.click(&["Pause a loop", "work", "until tomorrow"]);
    watcher.until("a pause", |menu| menu.find(&["Pause a loop", "work · paused until tomorrow"]).map(drop));
    stage.put_clock(86_400, 0);
    watcher.until("its end", |menu| menu.find(&["Pause a loop", "work", "until I resume"]).map(drop));
}

/// The labels of the pull requests, each the first line of a submenu with Approve in it.
fn pull_requests(menu: &Menu) -> Vec<Row> {
    let is = |row: &&Row| row.under.iter().any(|row| row.label == "Open in Review");
    menu.rows.iter().filter(is).cloned().collect()
}

fn state_of(stage: &Stage, title: &str) -> String {
    let rows = stage.verb(&["reviews", "--all"]).exits(0).json();
    let row = rows.as_array().expect("rows").iter().find(|row| row["title"] == title);
    row.expect("that pull request")["state"].as_str().expect("a state").to_owned()
}

#[test]
fn approve_merges_after_its_moment_undo_takes_it_back_and_a_stale_click_approves_nothing() {
    let stage = Stage::shop();
    stage.maker(RAILS, MAKER);
    stage.run("work").exits(21);
    let titles: Vec<String> =
        stage.reviews().iter().map(|row| row["title"].as_str().expect("a title").to_owned()).collect();
    let session = Session::around(stage, With::default());
    let stage = &session.stage;
    let watcher = session.watcher();
    let _tray = session.tray();
    until_first(&watcher, Instant::now(), "2 pull requests wait for you");
    let [one, two] = pull_requests(&watcher.menu()).try_into().expect("two pull requests");
    let title_of = |row: &Row| {
        let shown = row.label.split(" · ").next().expect("a title").trim_end_matches('…').to_owned();
        // What keeps a forge from linking to issues is not shown in a menu.
        let same = |title: &&String| title.replace('\u{200b}', "").starts_with(&shown);
        titles.iter().find(same).expect("its title").clone()
    };
    let stale = one.under.iter().find(|row| row.label == "Approve and merge").expect("approve").id;
    watcher.click(&[&one.label, "Later", "Tomorrow"]);
    until_first(&watcher, Instant::now(), "1 pull request waits for you");
    // The menu was drawn anew under the pointer: whatever stands there now, this click is none for it.
    watcher.click_id(stale);
    watcher.click(&[&two.label, "Approve and merge"]);
    let undo = watcher.until("the undo", |menu| {
        menu.rows.iter().find(|row| row.label.starts_with("Merging “") && row.label.ends_with("”. Undo")).cloned()
    });
    assert_eq!(state_of(stage, &title_of(&two)), "approved");
    assert_eq!(state_of(stage, &title_of(&one)), "open", "a stale click approves nothing");
    stage.assert_untouched();
    watcher.click(&[&undo.label]);
    until_first(&watcher, Instant::now(), "1 pull request waits for you");
    assert_eq!(state_of(stage, &title_of(&two)), "open");
    watcher.click(&[&two.label, "Approve and merge"]);
    watcher.until_has(&undo.label);
    stage.assert_untouched();
    stage.put_clock(21, 0);
    until_first(&watcher, Instant::now(), "All quiet");
    wait_for("the merge", || (state_of(stage, &title_of(&two)) == "merged").then_some(()));
    stage.remember();
}

#[test]
fn where_there_is_no_display_it_says_so() {
    let session = Session::around(Stage::empty(), With { display: false, ..With::default() });
    let mut tray = session.tray();
    assert_eq!(tray.ended().code(), Some(1));
    let said = tray.said();
    assert!(said.contains("there is no display here") && said.contains("loopwright reviews"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let mut dead = session.tray_command(&["--window", "review"]);
    dead.env("DISPLAY", ":65000");
    assert_eq!(dead.status().expect("it starts").code(), Some(1), "a display that nobody serves is none");
}

/// Whether a process has begun to be this window.
fn window_of(session: &Session, view: &str) -> Option<()> {
    session.stage.home.join(format!("state/desk/{view}.lock")).exists().then_some(())
}

#[test]
fn without_a_tray_or_a_bus_a_window_opens_in_its_place() {
    let session = Session::new();
    let mut tray = session.tray();
    wait_for("the words", || tray.said().contains("No tray here. Start Loopwright again").then_some(()));
    wait_for("a window", || window_of(&session, "review"));
    assert_eq!(session.ours("loopwright-tray").len(), 2);
    assert!(tray.lives(), "the icon comes as soon as there is a tray");
    let watcher = session.watcher();
    watcher.wait_for_icon();
    // A second start asks the window to the front, and is over.
    let mut second = session.tray();
    assert!(second.ended().success(), "{}", second.said());
    assert_eq!(session.ours("loopwright-tray").len(), 2);
    drop(tray);

    let session = Session::around(Stage::empty(), With { bus: Bus::Absent, ..With::default() });
    let mut tray = session.tray();
    wait_for("the words", || tray.said().contains("there is no session bus").then_some(()));
    assert!(tray.lives(), "{}", tray.said());
    wait_for("a window", || window_of(&session, "review"));
}

//! The very first start, with the real programs: Welcome opens beside the icon, leads to a loop that is on, and never comes
//! back by itself.

use std::fs;

use loopwright_desktop_tests::{Manner, Session, Tray, Window, With};
use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Stage, wait_for};

/// The processes that show Welcome.
fn welcomes(session: &Session) -> Vec<i32> {
    let shows = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).any(|word| word == b"welcome")
    };
    session.ours("loopwright-tray").into_iter().filter(shows).collect()
}

#[test]
fn a_person_is_led_from_the_first_start_to_a_loop_that_is_on() {
    let session = Session::around(Stage::project("none"), With::default());
    let watcher = session.watcher();
    let server = session.notifications(Manner::default());
    let tray = Tray::start(session.new_tray_command(&[]), &session.stage);
    watcher.until_has("Set up a loop…");
    let opened = wait_for("Welcome to open by itself", || welcomes(&session).first().copied());
    // A window that runs can't be driven; the same one, opened by its driver, can. It was not closed by a person.
    signal(opened, "KILL");
    wait_for("its end", || welcomes(&session).is_empty().then_some(()));
    let welcomed = session.stage.home.join("state/welcomed");
    assert!(!welcomed.exists());

    let window = Window::view(&session, "welcome");
    window.press("Try the sample");
    window.until_shows("coding agents");
    window.press("Next");
    window.press("Run it");
    window.until_shows("2 pull requests wait for you.");
    window.until_shows("everybody gets the discount");
    window.picture("first-start-sample");
    watcher.until_has("2 pull requests wait for you");
    window.press("Next");
    window.until_shows("Your checkout is never touched");
    window.type_into("form input", &session.stage.repo.display().to_string());
    window.press("Look at it");
    window.until_shows("What it would do");
    window.until_shows("that is all: it changes nothing");
    window.picture("first-start-plan");
    window.press("Dry run");
    window.until_shows("Nothing was touched.");
    window.press("Next");
    window.picture("first-start-schedule");
    window.press("Turn on");
    window
        .until("return [...document.querySelectorAll('[role=status]')].some((one) => one.innerText.includes('Next:'))");
    watcher
        .until("a loop that is on", |menu| menu.rows.iter().any(|row| row.label.starts_with("Next: ")).then_some(()));
    window.press("Next");
    window.press("Send a test");
    server.wait_for("Test notification of Loopwright");
    window.until_shows("Did you see it?");
    window.picture("first-start-notify");
    window.press("Yes");
    window.press("Start at login");
    window.until_shows("Loopwright starts at login.");
    assert!(session.stage.person().join(".config/autostart/loopwright.desktop").exists());
    window.press("Next");
    window.until_shows("The icon stays.");
    wait_for("that it was welcomed is remembered", || welcomed.exists().then_some(()));
    drop(window);

    drop(tray);
    let _again = Tray::start(session.new_tray_command(&[]), &session.stage);
    watcher.until("the tray with its item at login", |menu| {
        menu.find(&["Start at login"]).filter(|row| row.ticked == Some(true)).map(drop)
    });
    assert_eq!(welcomes(&session), Vec::<i32>::new(), "it comes once");
}

#[test]
fn at_login_nobody_is_shown_a_window() {
    let session = Session::new();
    let watcher = session.watcher();
    let _tray = Tray::start(session.new_tray_command(&["--at-login"]), &session.stage);
    watcher.until_has("Set up a loop…");
    wait_for("a scheduler", || session.stage.beat());
    assert_eq!(session.ours("loopwright-tray").len(), 1, "the tray alone");
}

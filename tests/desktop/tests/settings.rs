//! Settings and Welcome as real windows: what a person sets stands in the file beside their comments, and a first loop is
//! made, tried and turned on by clicks alone.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use loopwright_desktop_tests::{Session, Window, With};
use loopwright_tests::stage::{Stage, wait_for};

const MINE: &str =
    "# mine, do not touch\nbudget: [$50/day]   # for all of them\n\n# two are enough\nmax_runs: 2 # really\n";

/// Gives a field another value, as typing and leaving it does.
fn fill(window: &Window, id: &str, value: &str) {
    window.click(&format!("#{id}"));
    window.run(&format!("document.getElementById({id:?}).select()"));
    window.type_into(&format!("#{id}"), &format!("{value}\u{e007}"));
}

#[test]
fn a_setting_is_changed_in_its_place_and_taken_back() {
    let stage = Stage::empty();
    let file = stage.home.join("config/settings.yaml");
    fs::create_dir_all(file.parent().expect("a folder")).expect("the folder of the settings");
    fs::write(&file, MINE).expect("settings");
    let session = Session::around(stage, With::default());
    let window = Window::view(&session, "settings");
    window.press("Limits");
    window.until("return document.getElementById('max-runs')?.value === '2'");
    fill(&window, "max-runs", "4");
    window.until_shows("Runs at once changed. It was 2.");
    let text = || fs::read_to_string(&file).expect("settings");
    assert_eq!(text(), MINE.replace("max_runs: 2", "max_runs: 4"), "every other byte is as it was");
    window.picture("settings-limits");
    window.press("Undo");
    window.until_shows("Runs at once is as it was.");
    assert_eq!(text(), MINE);
    fill(&window, "max-runs", "99");
    window.until_shows("99 is outside of what is allowed here; the file is as it was");
    assert_eq!(text(), MINE, "what is refused is not written");
}

#[test]
fn dark_is_dark_at_once_and_before_anything_is_drawn() {
    let session = Session::new();
    let background = "return getComputedStyle(document.body).backgroundColor === 'rgb(22, 24, 27)'";
    let window = Window::view(&session, "settings");
    window.press("Appearance and keys");
    window.until("return document.querySelector('[value=dark]') !== null");
    assert_eq!(window.run(background), false, "it was light");
    window.run("document.querySelector('[value=dark]').click()");
    window.until(background);
    drop(window);
    let window = Window::view(&session, "quit");
    assert_eq!(window.run("return document.documentElement.dataset.scheme"), "dark", "told with the page");
    window.until_shows("Loops go on in the background");
    window.picture("settings-quit-dark");
}

#[test]
fn a_first_loop_is_made_tried_and_turned_on() {
    let session = Session::around(Stage::project("none"), With::default());
    let window = Window::view(&session, "welcome");
    window.press("Use my repository");
    window.until_shows("coding agents");
    window.picture("welcome-here");
    window.press("Next");
    window.until_shows("Your checkout is never touched");
    let repo = session.stage.repo.display().to_string();
    window.type_into("form input", &repo);
    window.press("Look at it");
    window.until_shows("What it would do");
    assert_eq!(loops(&session), 0, "looking registers nothing");
    window.press("Dry run");
    window.until_shows("Nothing was touched.");
    window.picture("welcome-dry-run");
    assert_eq!(loops(&session), 1);
    assert!(paused(&session), "it waits for the person");
    window.press("Next");
    window.press("Turn on");
    window
        .until("return [...document.querySelectorAll('[role=status]')].some((one) => one.innerText.includes('Next:'))");
    assert!(!paused(&session));
    window.press("Next");
    window.press("Not now");
    window.until_shows("The icon stays.");
    let welcomed = session.stage.home.join("state/welcomed");
    wait_for("that it was welcomed is remembered", || welcomed.exists().then_some(()));
    assert!(!session.stage.person().join(".config/autostart").exists(), "login is not touched unasked");
}

fn status(session: &Session) -> serde_json::Value {
    session.stage.verb(&["status"]).exits(0).json()
}

fn loops(session: &Session) -> usize {
    status(session)["loops"].as_array().expect("loops").len()
}

fn paused(session: &Session) -> bool {
    !status(session)["loops"][0]["paused_at"].is_null()
}

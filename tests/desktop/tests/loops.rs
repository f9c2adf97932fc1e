//! The Loops window as it is: a schedule edited in WebKitGTK stands in the file, and every other byte is as it was.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use loopwright_desktop_tests::{END, Session, Window, With};
use loopwright_tests::stage::Stage;

/// Windows line ends, comments at the end of lines and between them, quotes of two kinds: what a writer of YAML would lose.
const TEXT: &str = "# nightly, by ada\r\nname: triage\r\nrepo:   REPO # mine\r\n\
                    trigger: 'cron(\"0 9 * * *\")'   # at nine\r\n\r\n# what it does\r\n\
                    steps:\r\n  - discover: {run: \"todo_comments\", write_to: state/triage.md} # finds\r\n\
                    guardrails: {max_iterations: 1, budget: $1/run, halt_on: no_progress(1)}\r\n";
const SAVE: &str = "button[aria-keyshortcuts='Control+s']";

/// A session with this one loop, its text as it stands in the file, and where that is.
fn session() -> (Session, String, std::path::PathBuf) {
    let stage = Stage::shop();
    let text = TEXT.replace("REPO", &serde_json::to_string(&stage.repo).expect("a path"));
    let path = stage.personal_text("triage", &text, &[]);
    stage.add(path.to_str().expect("a path"), false).exits(0);
    (Session::around(stage, With::default()), text, path)
}

fn open_schedule(session: &Session) -> Window {
    let window = Window::view(session, "loops");
    window.until_shows("triage");
    window.click("#tab-Schedule");
    window.until_shows("In words: every day at 09:00");
    window
}

fn save_is_off(window: &Window) -> bool {
    window.run(&format!("return document.querySelector(\"{SAVE}\").disabled")) == true
}

#[test]
fn a_schedule_edited_in_the_window_changes_its_line_alone() {
    let (session, before, path) = session();
    let window = open_schedule(&session);
    assert!(save_is_off(&window), "nothing changed yet");
    window.click("input[type=radio][value=weekday]");
    window.until_shows("In words: weekdays at 09:00");
    window.until(&format!("return !document.querySelector(\"{SAVE}\").disabled"));
    assert_eq!(fs::read_to_string(&path).expect("the file"), before, "shown, and not written yet");
    window.picture("loops-schedule");
    window.click(SAVE);
    window.until_shows("Saved.");
    let after = fs::read_to_string(&path).expect("the file");
    assert_eq!(after, before.replace("0 9 * * *", "0 9 * * MON-FRI"), "one line, byte for byte");
    // It counts from now on: nobody has to confirm it anew.
    let next = session.stage.verb(&["next", "triage"]).exits(0).json();
    let rows = next.as_array().or_else(|| next["next"].as_array()).expect("rows").clone();
    assert!(!rows.is_empty(), "{next}");
    assert!(rows.iter().all(|row| row["schedule"] == "weekdays at 09:00"), "{next}");
}

#[test]
fn with_nothing_changed_save_is_off_and_the_file_is_not_touched() {
    let (session, before, path) = session();
    let written = fs::metadata(&path).and_then(|found| found.modified()).expect("its time");
    let window = open_schedule(&session);
    window.click("input[type=radio][value=weekday]");
    window.until_shows("In words: weekdays at 09:00");
    window.click("input[type=radio][value=day]");
    window.until_shows("In words: every day at 09:00");
    window.until(&format!("return document.querySelector(\"{SAVE}\").disabled"));
    window.run("window.dispatchEvent(new KeyboardEvent('keydown', {key: 's', code: 'KeyS', ctrlKey: true}))");
    assert_eq!(fs::read_to_string(&path).expect("the file"), before);
    assert_eq!(fs::metadata(&path).and_then(|found| found.modified()).expect("its time"), written, "not even renamed");
}

#[test]
fn yaml_typed_key_by_key_stands_in_the_file_byte_for_byte() {
    const TYPED: &str = "# what ada wrote at a person's pace";
    let (session, before, path) = session();
    let window = Window::view(&session, "loops");
    window.until_shows("triage");
    window.click("#tab-YAML");
    window.click(".cm-content");
    window.press_ctrl(END);
    window.type_as_a_person(TYPED);
    let shown =
        window.run("return [...document.querySelectorAll('.cm-line')].map((line) => line.textContent).join('\\r\\n')");
    assert_eq!(shown, format!("{before}{TYPED}"), "on the screen");
    window.press_ctrl('s');
    window.until_shows("Saved.");
    assert_eq!(fs::read_to_string(&path).expect("the file"), format!("{before}{TYPED}"), "in the file");
}

//! S3 in real WebKitGTK: what a repository and an agent say is text, in the Review window and in the log of a run. And the
//! window's own way to a decision: a mark that is set there stands in the store.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use loopwright_desktop_tests::{Session, Window, With};
use loopwright_tests::stage::{RAILS, Stage};
use serde_json::{Value, json};

/// The same texts that the tests of the mock use.
const PAYLOADS: &str = include_str!("../../../ui/src/lib/mock/review/payloads.json");

/// How many elements there are that the window itself never has; whether anything ran; what was asked of the network.
const SEEN: &str = "return {
    elements: document.querySelectorAll('img,iframe,object,embed,video,audio,picture,source,track,canvas,math,marquee,' +
        'base,form[action],main script,main style,main link,main meta,main a,[onerror],[onload],[onfocus],[onclick]').length,
    ran: '__hit' in window,
    asked: performance.getEntriesByType('resource').filter((one) => one.name.includes(':9/')).length,
}";

/// Those that can stand in a line of a text file.
fn payloads() -> Vec<String> {
    let all: Vec<String> = serde_json::from_str(PAYLOADS).expect("payloads");
    all.into_iter().filter(|one| !one.contains('\0')).collect()
}

/// A name that git allows for a branch.
const BRANCH: &str = "<svg/onload=window.__hit=1>";

/// A pull request whose issue, branch, file name and lines are hostile, by a maker that prints the same.
fn hostile() -> Session {
    let stage = Stage::shop();
    stage.edit(|| {
        let folder = stage.repo.join(".loopwright/issues");
        fs::remove_file(folder.join("2-opening-hours.md")).expect("the second issue");
        let first = fs::read_dir(&folder).expect("issues").flatten().next().expect("an issue").path();
        let text = fs::read_to_string(&first).expect("its text");
        let hostile = text.replacen("title: ", "title: <img src=x onerror=window.__hit=1> ", 1);
        fs::write(&first, hostile).expect("a hostile title");
    });
    stage.commit("issues: one is enough");
    stage.git(&["branch", "-m", BRANCH]);
    let lines = payloads().join("\n");
    let maker = format!(
        "#!/bin/sh\nmkdir -p docs\ncat > 'docs/<img src=x onerror=window.__hit=1>.md' <<'THE-END'\n{lines}\nTHE-END\n\
         cat docs/*\n"
    );
    stage.maker(RAILS, &maker);
    stage.run("work").exits(21);
    Session::around(stage, With::default())
}

fn seen(window: &Window) -> Value {
    window.run(SEEN)
}

/// Waits until lines are drawn where the list now stands: it follows its scroll bar only with the next frame, and who
/// scrolls on before that has seen nothing. Then runs this with `list`.
fn once_drawn(window: &Window, list: &str, line: &str, then: &str) -> Value {
    window.until(&format!(
        "const list = document.querySelector('{list}');
         const box = list.getBoundingClientRect();
         const middle = (box.top + box.bottom) / 2;
         const drawn = [...list.querySelectorAll('{line}')].map((one) => one.getBoundingClientRect());
         if (!drawn.some((one) => one.top <= middle && one.bottom >= middle)) return false;
         {then}"
    ))
}

#[test]
fn hostile_texts_are_text_and_a_mark_of_a_person_is_kept() {
    let session = hostile();
    let window = Window::view(&session, "review");
    window.until("return document.querySelectorAll('[data-diff] .line').length > 10");
    let total = payloads().len();
    for _ in 0..=total * 18 / 300 {
        once_drawn(&window, "[data-diff]", ".line", "list.scrollTop += 300; return true");
        assert_eq!(seen(&window), json!({"elements": 0, "ran": false, "asked": 0}));
    }
    window.until_shows("invoke('halt'");
    window.picture("review-hostile");

    window.type_into("[data-diff]", "v");
    window.until_shows("1 of 1 files viewed");
    let db = rusqlite::Connection::open(session.stage.home.join("data/loopwright.db")).expect("the database");
    let path: String = db.query_row("SELECT path FROM viewed_files", [], |row| row.get(0)).expect("a mark");
    assert_eq!(path, "docs/<img src=x onerror=window.__hit=1>.md");
    assert_eq!(session.stage.reviews()[0]["state"], "open", "nothing else was done");

    control(&window);
}

#[test]
fn hostile_lines_of_a_log_are_text() {
    let session = hostile();
    let runs = session.stage.verb(&["runs"]).exits(0).json();
    let run = runs[0]["id"].as_str().expect("a run").to_owned();
    let window =
        Window::open(&session, loopwright_desktop_tests::tray_program(), &["--window", "runs", "--target", &run]);
    window.until_shows("<img src=x onerror=window.__hit=1>");
    window.until_shows(&format!("base {BRANCH}"));
    window.type_into("[role=listbox]", "o");
    // From the end, where it begins, to its begin.
    once_drawn(&window, "[data-log]", ".text", "return list.scrollTop > 0");
    let up = "window.told = (window.told ?? '') + list.innerText; list.scrollTop -= 200; \
              return window.told.includes(\"invoke('halt'\") && list.scrollTop === 0";
    once_drawn(&window, "[data-log]", ".text", up);
    assert_eq!(seen(&window), json!({"elements": 0, "ran": false, "asked": 0}));
    window.picture("runs-hostile");
    control(&window);
}

/// The control: as markup they are elements, and even then the policy lets none of them run.
fn control(window: &Window) {
    let markup: Vec<String> = payloads().into_iter().filter(|one| !one.contains("http-equiv")).collect();
    window.run(&format!(
        "for (const one of {}) {{ const place = document.createElement('div'); \
         document.querySelector('main').append(place); place.innerHTML = one; }} return true",
        json!(markup)
    ));
    let control = seen(window);
    assert!(control["elements"].as_u64().is_some_and(|elements| elements > 20), "{control}");
    assert_eq!(control["ran"], false, "{control}");
}

//! Every window as people see it, in real WebKitGTK on what a real run left, light and dark; the pictures stay in
//! `target/screens` and are looked at.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use loopwright_desktop_tests::{Session, Window, With, tray_program};
use loopwright_tests::stage::{RAILS, Stage, wait_for};
use serde_json::json;

/// The windows, and what each shows once it has read what it is about.
const WINDOWS: [(&str, &str); 7] = [
    ("review", "Open from 9 to 17."),
    ("loops", "What it would do"),
    ("runs", "The maker changed"),
    ("spend", "merged pull request"),
    ("settings", "Doctor"),
    ("welcome", "Use my repository"),
    ("quit", "Loops go on in the background"),
];

/// Whether anything hangs out of the page at its side, and how bright its ground is, 0 to 255.
const LOOK: &str = "const ground = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
    return {sideways: document.documentElement.scrollWidth > window.innerWidth,
            bright: Math.round((ground[0] + ground[1] + ground[2]) / 3)};";

/// A home with a run that opened pull requests.
fn session() -> Session {
    let stage = Stage::shop();
    stage.maker(RAILS, "#!/bin/sh\nprintf 'Open from 9 to 17.\\n' >> README.md\n");
    stage.run("work").exits(21);
    Session::around(stage, With::default())
}

#[test]
fn every_window_opens_in_light_and_dark_and_fits() {
    let session = session();
    let settings = session.stage.home.join("config/settings.yaml");
    for (scheme, bright) in [("light", 200..=255), ("dark", 0..=60)] {
        fs::write(&settings, format!("appearance: {scheme}\n")).expect("settings");
        for (view, shows) in WINDOWS {
            let window = Window::view(&session, view);
            window.until_shows(shows);
            let look = window.run(LOOK);
            let picture = window.picture(&format!("{view}-{scheme}"));
            if view == "review" {
                let full = unlike(&window, &picture, "[data-diff] .line");
                assert!(full > 0.01, "no line of the change is in the picture: {full}");
            }
            assert_eq!(look["sideways"], json!(false), "{view}, {scheme}");
            let ground = look["bright"].as_u64().expect("a number");
            assert!(bright.contains(&ground), "{view}, {scheme}: its ground is {ground}");
        }
    }
}

/// How much the pixels differ that a picture has where this element is: 0 = it is blank.
fn unlike(window: &Window, picture: &Path, selector: &str) -> f64 {
    let place = window.run(&format!(
        "const box = document.querySelector('{selector}').getBoundingClientRect();
         return [box.width, box.height, box.left, box.top].map(Math.floor)"
    ));
    let [width, height, left, top] = [0, 1, 2, 3].map(|at| place[at].as_u64().expect("a place"));
    let mut convert = Command::new("convert");
    convert.arg(picture).args(["-crop", &format!("{width}x{height}+{left}+{top}"), "-colorspace", "gray"]);
    let output = convert.args(["-format", "%[fx:standard_deviation]", "info:"]).output().expect("imagemagick");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

/// What each window says where the database is damaged; Welcome and Quit go by none.
const DAMAGED: [&str; 5] = ["review", "loops", "runs", "spend", "settings"];

#[test]
fn every_window_that_has_them_shows_its_empty_halted_and_failed_state() {
    let empty = Session::new();
    for (view, says) in [
        ("review", "No loop has made a pull request yet."),
        ("loops", "No loops yet."),
        ("runs", "No"),
        ("spend", "Nothing spent yet."),
        ("settings", "Agents"),
    ] {
        let window = Window::view(&empty, view);
        window.until_shows(says);
        window.picture(&format!("{view}-empty"));
    }
    drop(empty);
    let session = session();
    session.stage.verb(&["halt", "--reason", "to look at it"]).exits(0);
    for (view, ..) in &WINDOWS[..5] {
        let window = Window::view(&session, view);
        window.until_shows("nothing starts until you resume");
        window.picture(&format!("{view}-halted"));
    }
    let database = session.stage.home.join("data/loopwright.db");
    let kept = session.stage.beside("kept.db");
    fs::rename(&database, &kept).expect("kept");
    fs::write(&database, "not a database at all, but long enough to be looked at".repeat(100)).expect("damaged");
    for view in DAMAGED {
        let window = Window::view(&session, view);
        window.until_shows(if view == "settings" { "Doctor" } else { "damaged" });
        window.picture(&format!("{view}-failed"));
    }
    fs::rename(&kept, &database).expect("whole again");
}

/// The loop that the Loops window shows.
const CHOSEN: &str = "const row = document.querySelector('[role=option][aria-selected=true]');
    return row ? row.innerText.trim().split(/\\s/)[0] : null;";

#[test]
fn what_a_window_is_asked_for_while_it_starts_is_shown_once_and_not_later() {
    let stage = Stage::shop();
    for name in ["first", "second"] {
        let text = "name: NAME\ntrigger: manual\nsteps:\n  - run: [sleep, \"300\"]\n\
                    guardrails: {max_iterations: 1, budget: $1/run, halt_on: no_progress(1)}\n";
        let path = stage.personal_text(name, &text.replace("NAME", name), &[]);
        stage.add(path.to_str().expect("a path"), false).exits(0);
    }
    let session = Session::around(stage, With::default());
    let (lock, ask) =
        (session.stage.home.join("state/desk/loops.lock"), session.stage.home.join("state/desk/loops.ask"));
    // From the moment at which it is the only one until its page has long been there.
    for after_ms in [0, 60, 150, 300, 600] {
        let _ = fs::remove_file(&lock);
        let mut second = session.command(tray_program());
        second.args(["--window", "loops", "--target", "second"]);
        let began = lock.clone();
        let asks = std::thread::spawn(move || {
            wait_for("the first one", || began.exists().then_some(()));
            std::thread::park_timeout(Duration::from_millis(after_ms));
            second.status().expect("a second one")
        });
        let window = Window::open(&session, tray_program(), &["--window", "loops", "--target", "first"]);
        assert!(asks.join().expect("asked").success());
        let shown = wait_for_or_last(&window, "second");
        assert_eq!(shown, "second", "asked after {after_ms} ms");
        wait_for("the question to be read", || (!ask.exists()).then_some(()));
        // The person goes elsewhere; whatever changes then moves nothing.
        window.click("[role=option][aria-selected=false]");
        window.until(&format!("return (() => {{{CHOSEN}}})() === 'first'"));
        session.stage.verb(&["disable", "second"]).exits(0);
        window.until(
            "return [...document.querySelectorAll('[role=option]')].some((row) => /off|paused/.test(row.innerText))",
        );
        assert_eq!(window.run(CHOSEN), "first", "an old question is not obeyed later");
        session.stage.verb(&["enable", "second"]).exits(0);
    }
}

/// What is shown once it is this; otherwise what is shown at last.
fn wait_for_or_last(window: &Window, wanted: &str) -> String {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        let shown = window.run(CHOSEN);
        if shown == wanted || Instant::now() > until {
            return shown.as_str().unwrap_or_default().to_owned();
        }
    }
}

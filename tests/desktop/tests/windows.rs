//! Every window as people see it, in real WebKitGTK on what a real run left, light and dark; the pictures stay in
//! `target/screens` and are looked at.

use std::fs;

use loopwright_desktop_tests::{Session, Window, With};
use loopwright_tests::stage::{RAILS, Stage};
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
            window.picture(&format!("{view}-{scheme}"));
            assert_eq!(look["sideways"], json!(false), "{view}, {scheme}");
            let ground = look["bright"].as_u64().expect("a number");
            assert!(bright.contains(&ground), "{view}, {scheme}: its ground is {ground}");
        }
    }
}

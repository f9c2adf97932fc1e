//! `screens HOME FOLDER`: pictures of the real windows over a home of Loopwright, light and dark, as PNG files in a folder.
//! For the README (`make screens`). The home is one that was made for it: the appearance is set there.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use loopwright_desktop_tests::{Session, Window, With, tray_program};
use loopwright_tests::stage::Stage;
use serde_json::Value;

/// The windows that are shown, and what is clicked in each before.
const VIEWS: [(&str, &[&str]); 5] =
    [("review", &[]), ("loops", &["#tab-Schedule"]), ("runs", &[]), ("spend", &[]), ("settings", &[])];
/// True once the page has text and nothing was added to it for a fifth of a second.
const SETTLED: &str = "const text = document.querySelector('main')?.innerText ?? '';
    if (text !== window.lastText) { window.lastText = text; window.lastChange = performance.now(); }
    return text.trim() !== '' && performance.now() - window.lastChange > 200;";

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let (home, folder) = words.next().zip(words.next()).context("screens HOME FOLDER")?;
    let (home, folder) = (Path::new(&home).canonicalize()?, Path::new(&folder));
    fs::create_dir_all(folder)?;
    for theme in ["light", "dark"] {
        let session = session(&home, theme)?;
        for (view, clicks) in VIEWS {
            let target = first_run(&session).filter(|_| view == "runs");
            let mut words = vec!["--window", view];
            words.extend(target.iter().flat_map(|run| ["--target", run.as_str()]));
            let window = Window::open(&session, tray_program(), &words);
            window.until(SETTLED);
            for selector in clicks {
                window.click(selector);
                window.until(SETTLED);
            }
            window.picture_to(&folder.join(format!("{view}-{theme}.png")));
        }
    }
    Ok(())
}

/// A session whose scheduler serves, as it does beside the tray.
fn session(home: &Path, theme: &str) -> Result<Session> {
    fs::create_dir_all(home.join("config"))?;
    fs::write(home.join("config/settings.yaml"), format!("appearance: {theme}\n"))?;
    let mut stage = Stage::empty();
    stage.home = home.to_owned();
    let mut session = Session::around(stage, With::default());
    let mut serve = loopwright(&session)?;
    session.start(serve.arg("serve"));
    Ok(session)
}

fn loopwright(session: &Session) -> Result<Command> {
    Ok(session.command(tray_program().parent().context("a folder of programs")?.join("loopwright")))
}

/// The run that the demo began with.
fn first_run(session: &Session) -> Option<String> {
    let told = loopwright(session).ok()?.args(["runs", "--json"]).output().ok()?;
    let told: Value = serde_json::from_slice(&told.stdout).ok()?;
    let run = told.as_array().or_else(|| told["runs"].as_array())?.last()?;
    Some(run["id"].as_str()?.to_owned())
}

//! `screens HOME FOLDER`: pictures of the real windows over a home of Loopwright, light and dark, as PNG files in a folder.
//! For the README (`make screens`), which shows what `make demo` left.

use std::path::Path;

use anyhow::{Context, Result};
use loopwright_desktop_tests::{Session, Window, With};
use loopwright_tests::stage::Stage;

/// The windows that are shown, and what says that each is there.
const VIEWS: [&str; 5] = ["review", "loops", "runs", "spend", "settings"];
/// True once the page has text and nothing was added to it for a fifth of a second.
const SETTLED: &str = "const text = document.querySelector('main')?.innerText ?? '';
    if (text !== window.lastText) { window.lastText = text; window.lastChange = performance.now(); }
    return text.trim() !== '' && performance.now() - window.lastChange > 200;";

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let (home, folder) = words.next().zip(words.next()).context("screens HOME FOLDER")?;
    let (home, folder) = (Path::new(&home).canonicalize()?, Path::new(&folder));
    std::fs::create_dir_all(folder)?;
    for theme in ["light", "dark"] {
        let mut stage = Stage::empty();
        stage.home = home.clone();
        let mut session = Session::around(stage, With::default());
        session.set("GTK_THEME", if theme == "dark" { "Adwaita:dark" } else { "Adwaita" });
        for view in VIEWS {
            let window = Window::view(&session, view);
            window.until(SETTLED);
            window.picture_to(&folder.join(format!("{view}-{theme}.png")));
        }
    }
    Ok(())
}

//! `icon PROGRAM`: starts a tray in a session of its own, waits for its icon, and says after how many milliseconds it came.
//! For `make package-test`, which starts what was installed.

use std::io::Write as _;
use std::time::Instant;

use anyhow::{Context, Result};
use loopwright_desktop_tests::{Session, Tray};

fn main() -> Result<()> {
    let program = std::env::args().nth(1).context("icon PROGRAM")?;
    let session = Session::new();
    let watcher = session.watcher();
    let began = Instant::now();
    let _tray = Tray::start(session.command(program), &session.stage);
    watcher.wait_for_icon();
    Ok(writeln!(std::io::stdout(), "{}", began.elapsed().as_millis())?)
}

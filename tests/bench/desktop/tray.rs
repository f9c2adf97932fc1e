//! The tray at rest beside a bare one: from its start to its icon, its memory, its work in a minute.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use loopwright_desktop_tests::{Session, Tray, Watcher};
use loopwright_tests::nasty::signal;

use crate::figures::{Bound, Series};
use crate::process::{find, has_descendant, pss, ticks};

/// After this long at rest its memory is looked at.
const SETTLING: Duration = Duration::from_secs(5);
/// How long its work is counted.
const MINUTE: Duration = Duration::from_secs(60);
/// The longest that a window is waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// A tray in a session of its own, whose icon is there.
struct Shown {
    tray: Tray,
    watcher: Watcher,
    took: Duration,
    // Ends last.
    _session: Session,
}

fn show(program: &Path) -> Result<Shown> {
    let session = Session::new();
    welcomed(&session.stage.home)?;
    let watcher = session.watcher();
    let began = Instant::now();
    let tray = Tray::start(session.command(program), &session.stage);
    watcher.wait_for_icon();
    Ok(Shown { tray, watcher, took: began.elapsed(), _session: session })
}

/// As for everybody after the first day: no window opens by itself.
fn welcomed(home: &Path) -> Result<()> {
    let state = home.join("state");
    fs::create_dir_all(&state).context("making a home")?;
    fs::write(state.join("welcomed"), "").context("making a home")
}

/// From the start of each program to its icon; turn by turn.
///
/// # Errors
/// No home can be made.
pub(crate) fn starts(ours: &Path, bare: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let both = (0..samples).map(|_| Ok((show(ours)?.took, show(bare)?.took)));
    let both: Vec<(Duration, Duration)> = both.collect::<Result<_>>()?;
    let ours = Series::new("tray: start to icon", &both.iter().map(|b| b.0).collect::<Vec<_>>());
    let peer = Series::new("  peer: a bare tray", &both.iter().map(|b| b.1).collect::<Vec<_>>());
    let bound = Bound::relative("tray: start to icon, 1.5 x a bare tray", &ours, &peer, 1.5, 0.0);
    Ok((vec![ours, peer], vec![bound]))
}

/// Memory at rest, the same after a window was opened from the menu and closed, and work at rest.
///
/// # Errors
/// A process is gone, or no window came.
pub(crate) fn rest(ours: &Path, bare: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (mut idle, mut after, mut peer, mut work) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for sample in 0..samples {
        let shown = show(bare)?;
        std::thread::sleep(SETTLING);
        peer.push(pss(shown.tray.pid())?);
        drop(shown);
        let shown = show(ours)?;
        std::thread::sleep(SETTLING);
        idle.push(pss(shown.tray.pid())?);
        if sample == 0 {
            let before = ticks(shown.tray.pid())?;
            std::thread::sleep(MINUTE);
            work.push(f64::from(u32::try_from(ticks(shown.tray.pid())? - before)?));
        }
        open_and_close(&shown.watcher, ours)?;
        std::thread::sleep(SETTLING);
        after.push(pss(shown.tray.pid())?);
    }
    let idle = Series::of("tray, idle: PSS", "MB", idle);
    let after = Series::of("tray, after a window was opened and closed: PSS", "MB", after);
    let peer = Series::of("  peer: a bare tray, idle: PSS", "MB", peer);
    let work = Series::of("tray, idle for 60 s: ticks of 10 ms", "", work);
    let bounds = vec![
        Bound::relative("tray, idle: memory of 1.15 x a bare tray", &idle, &peer, 1.15, 0.0),
        Bound::relative("tray, after a window: 1.15 x a bare tray", &after, &peer, 1.15, 0.0),
        Bound::fixed("tray, idle for 60 s: no tick", &work, 0.0),
    ];
    Ok((vec![idle, after, peer, work], bounds))
}

/// Opens the window of runs by the menu, waits until it has drawn, and closes it.
fn open_and_close(watcher: &Watcher, program: &Path) -> Result<()> {
    watcher.click(&["Runs"]);
    let drawn = || find(program, &["--window", "runs"]).filter(|pid| has_descendant(*pid, "WebKitWebProces"));
    let window = until(drawn).context("no window came by the menu")?;
    std::thread::sleep(Duration::from_secs(1));
    signal(window, "TERM");
    until(|| find(program, &["--window", "runs"]).is_none().then_some(())).context("the window stayed")
}

fn until<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let until = Instant::now() + LIMIT;
    while Instant::now() < until {
        if let Some(found) = look() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}

//! A window from its start until it can be used, beside an empty window.

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use loopwright_desktop_tests::{Session, Window};

use crate::figures::{Bound, Series};
use crate::process::{began_ms, find};

/// The longest that anything is waited for.
const LIMIT: Duration = Duration::from_secs(60);
/// When the page has something to use, in milliseconds since 1970: not before it was painted.
const USABLE: &str = "const paint = performance.getEntriesByName('first-contentful-paint')[0];
    const main = document.querySelector('main');
    return paint && main && main.textContent.trim() ? performance.timeOrigin + paint.startTime : null;";

/// Measures a window of ours and an empty one, turn by turn.
///
/// # Errors
/// One of them does not come.
pub(crate) fn measure(ours: &Path, bare: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (mut window, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..samples {
        window.push(usable_after(ours, &["--window", "runs"])?);
        peer.push(usable_after(bare, &["--window"])?);
    }
    let window = Series::of("window: start to usable", "ms", window);
    let peer = Series::of("  peer: an empty window", "ms", peer);
    let bound = Bound::relative("window: start to usable, 2 x an empty window", &window, &peer, 2.0, 0.0);
    Ok((vec![window, peer], vec![bound]))
}

/// From the start of the process until its page was painted and has something in it, in milliseconds.
fn usable_after(program: &Path, words: &[&str]) -> Result<f64> {
    let session = Session::new();
    let page = Window::open(&session, program, words);
    let window = find(program, words).context("the window has no process")?;
    let (until, mut empty) = (Instant::now() + LIMIT, 0.0);
    while Instant::now() < until {
        let looked = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64() * 1e3;
        if let Some(painted) = page.run(USABLE).as_f64() {
            // What was painted first may have been empty: then the last look at it counts.
            return Ok(f64::max(painted, empty) - began_ms(window)?);
        }
        empty = looked;
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("{} showed nothing to use", program.display())
}

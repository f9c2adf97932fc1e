//! How soon another scheduler does the work of one that was killed.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use loopwright_core::timing::Timing;

use crate::figures::{Bound, Series};
use crate::fleet::{self, Serve};

/// Registered loops.
const LOOPS: usize = 1_000;

/// Kills one after the other; from each kill until the next one, started then, has made its first pass.
///
/// # Errors
/// One of them can't be started or killed.
pub(crate) fn measure(program: &Path, root: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let place = root.join("takeover");
    fleet::make(&place, &vec![Timing::manual(); LOOPS])?;
    let mut serve = Serve::start(program, &place)?;
    let mut took = Vec::new();
    for _ in 0..samples {
        let killed = Instant::now();
        serve.kill()?;
        serve = Serve::start(program, &place)?;
        took.push(killed.elapsed());
    }
    let took = Series::new("takeover after kill -9 of serve, 1,000 loops", &took);
    let bound = Bound::most("takeover after kill -9 of serve, at most: 2 s", &took, 2_000.0);
    Ok((vec![took], vec![bound]))
}

//! Figures: series of durations, the bounds they are held to, the table and the JSON.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

/// What was measured again and again.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Series {
    /// What it is.
    pub(crate) name: &'static str,
    /// Each sample in milliseconds, in the order in which they were taken.
    pub(crate) samples_ms: Vec<f64>,
    /// The least.
    pub(crate) min_ms: f64,
    /// The middle one; of two, their mean.
    pub(crate) median_ms: f64,
    /// The most.
    pub(crate) max_ms: f64,
}

impl Series {
    /// Of durations.
    pub(crate) fn new(name: &'static str, samples: &[Duration]) -> Series {
        let samples_ms: Vec<f64> = samples.iter().map(|s| s.as_secs_f64() * 1e3).collect();
        let mut sorted = samples_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |n: usize| sorted.get(n).copied().unwrap_or(f64::NAN);
        let (low, high) = (at(sorted.len().saturating_sub(1) / 2), at(sorted.len() / 2));
        let (min_ms, max_ms) = (at(0), at(sorted.len().saturating_sub(1)));
        Series { name, samples_ms, min_ms, median_ms: f64::midpoint(low, high), max_ms }
    }
}

/// What a median must not exceed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bound {
    /// What is promised.
    pub(crate) name: &'static str,
    /// The median.
    pub(crate) median_ms: f64,
    /// The median of its peer, if it has one.
    pub(crate) peer_ms: Option<f64>,
    /// The median divided by the peer's.
    pub(crate) ratio: Option<f64>,
    /// The most that it may be.
    pub(crate) limit_ms: f64,
    /// Whether it is kept.
    pub(crate) holds: bool,
}

impl Bound {
    /// A bound that stands for itself.
    pub(crate) fn fixed(name: &'static str, series: &Series, limit_ms: f64) -> Bound {
        let holds = series.median_ms <= limit_ms;
        Bound { name, median_ms: series.median_ms, peer_ms: None, ratio: None, limit_ms, holds }
    }

    /// At most `factor` times the peer and `extra_ms` more.
    pub(crate) fn relative(name: &'static str, series: &Series, peer: &Series, factor: f64, extra_ms: f64) -> Bound {
        let fixed = Bound::fixed(name, series, factor * peer.median_ms + extra_ms);
        Bound { peer_ms: Some(peer.median_ms), ratio: Some(series.median_ms / peer.median_ms), ..fixed }
    }
}

/// All of one run of the benchmark.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// The processors of this machine.
    pub(crate) processors: usize,
    /// The load before the first sample and after the last (one minute), where the system tells it.
    pub(crate) load: [Option<String>; 2],
    /// The series.
    pub(crate) series: Vec<Series>,
    /// The bounds.
    pub(crate) bounds: Vec<Bound>,
}

/// The load of the last minute.
pub(crate) fn load() -> Option<String> {
    Some(std::fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.to_owned())
}

/// Writes the table.
///
/// # Errors
/// Nobody reads it.
pub(crate) fn print(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let [before, after] = report.load.each_ref().map(|l| l.as_deref().unwrap_or("unknown"));
    writeln!(out, "{} processors; load {before} before, {after} after", report.processors)?;
    writeln!(out)?;
    writeln!(out, "{:<58} {:>4} {:>10} {:>10} {:>10}", "", "n", "min ms", "median ms", "max ms")?;
    for s in &report.series {
        let (count, name) = (s.samples_ms.len(), s.name);
        writeln!(out, "{name:<58} {count:>4} {:>10.2} {:>10.2} {:>10.2}", s.min_ms, s.median_ms, s.max_ms)?;
    }
    writeln!(out)?;
    for bound in &report.bounds {
        let ratio = bound.ratio.map(|r| format!("  ({r:.2} x its peer)")).unwrap_or_default();
        let word = if bound.holds { "kept  " } else { "BROKEN" };
        writeln!(out, "{word} {:<58} {:>8.1} ms of {:.1} ms{ratio}", bound.name, bound.median_ms, bound.limit_ms)?;
    }
    Ok(())
}

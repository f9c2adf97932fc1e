//! Figures: series of durations, the bounds they are held to, the table and the JSON.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

/// What was measured again and again.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Series {
    /// What it is.
    pub(crate) name: &'static str,
    /// The unit of all its numbers.
    pub(crate) unit: &'static str,
    /// Each sample, in the order in which they were taken.
    pub(crate) samples: Vec<f64>,
    /// The least.
    pub(crate) min: f64,
    /// The middle one; of two, their mean.
    pub(crate) median: f64,
    /// The least that 99 of 100 don't exceed.
    pub(crate) p99: f64,
    /// The most.
    pub(crate) max: f64,
}

impl Series {
    /// Of durations, in milliseconds.
    pub(crate) fn new(name: &'static str, samples: &[Duration]) -> Series {
        Series::of(name, "ms", samples.iter().map(|s| s.as_secs_f64() * 1e3).collect())
    }

    /// Of anything.
    pub(crate) fn of(name: &'static str, unit: &'static str, samples: Vec<f64>) -> Series {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |n: usize| sorted.get(n).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(sorted.len() / 2));
        let p99 = at((sorted.len() * 99).div_ceil(100).saturating_sub(1));
        Series { name, unit, samples, min: at(0), median, p99, max: at(last) }
    }
}

/// What a figure of a series must not exceed.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Bound {
    /// What is promised.
    pub(crate) name: &'static str,
    /// The unit of its numbers.
    pub(crate) unit: &'static str,
    /// The figure: the median, unless the name says another one.
    pub(crate) figure: f64,
    /// The same of its peer, if it has one.
    pub(crate) peer: Option<f64>,
    /// The figure divided by the peer's.
    pub(crate) ratio: Option<f64>,
    /// The most that it may be.
    pub(crate) limit: f64,
    /// Whether it is kept.
    pub(crate) holds: bool,
}

impl Bound {
    /// A bound of the median that stands for itself.
    pub(crate) fn fixed(name: &'static str, series: &Series, limit: f64) -> Bound {
        Bound::on(name, series, series.median, limit)
    }

    /// A bound of what 99 of 100 samples don't exceed; the peer is shown beside it.
    pub(crate) fn p99(name: &'static str, series: &Series, peer: &Series, limit: f64) -> Bound {
        Bound { peer: Some(peer.p99), ratio: Some(series.p99 / peer.p99), ..Bound::on(name, series, series.p99, limit) }
    }

    /// A bound of each single sample.
    pub(crate) fn most(name: &'static str, series: &Series, limit: f64) -> Bound {
        Bound::on(name, series, series.max, limit)
    }

    /// At most `factor` times the peer's median and `extra` more.
    pub(crate) fn relative(name: &'static str, series: &Series, peer: &Series, factor: f64, extra: f64) -> Bound {
        Bound::fixed(name, series, factor * peer.median + extra).beside(peer)
    }

    /// The same, with the peer's median shown beside it.
    pub(crate) fn beside(self, peer: &Series) -> Bound {
        Bound { peer: Some(peer.median), ratio: Some(self.figure / peer.median), ..self }
    }

    fn on(name: &'static str, series: &Series, figure: f64, limit: f64) -> Bound {
        Bound { name, unit: series.unit, figure, peer: None, ratio: None, limit, holds: figure <= limit }
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
    writeln!(out, "{:<58} {:>4} {:>10} {:>10} {:>10} {:>10}", "", "n", "min", "median", "p99", "max")?;
    for s in &report.series {
        let Series { name, unit, min, median, p99, max, .. } = s;
        let count = s.samples.len();
        writeln!(out, "{name:<58} {count:>4} {min:>10.2} {median:>10.2} {p99:>10.2} {max:>10.2} {unit}")?;
    }
    writeln!(out)?;
    for bound in &report.bounds {
        let Bound { name, unit, figure, limit, .. } = bound;
        let ratio = bound.ratio.map(|r| format!("  ({r:.2} x its peer)")).unwrap_or_default();
        let word = if bound.holds { "kept  " } else { "BROKEN" };
        writeln!(out, "{word} {name:<58} {figure:>8.1} {unit} of {limit:.1} {unit}{ratio}")?;
    }
    Ok(())
}

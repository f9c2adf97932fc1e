//! Four findings whose makers wait, as for a model's answer: four at once beside one after the other.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::attempt::{self, LOOP};
use crate::figures::{Bound, Series};
use crate::repository;

/// Findings of one run.
const FINDINGS: usize = 4;
/// A maker that waits three seconds and edits one file.
const MAKER: &str = "#!/bin/sh\nset -eu\nsleep 3\necho 'it says more' >> part00/section0/file0000.txt\n";

/// Measures whole runs, turn by turn, each in a home of its own.
///
/// # Errors
/// A run does not open its four pull requests.
pub(crate) fn measure(program: &Path, root: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let repo = root.join("four");
    repository::make(&repo, FINDINGS)?;
    let mut took: [Vec<Duration>; 2] = Default::default();
    for sample in 0..samples {
        for (at, parallel) in [4, 1].into_iter().enumerate() {
            let home = root.join(format!("parallel-{sample}-{parallel}"));
            took[at].push(run(program, &home, &repo, parallel)?);
        }
    }
    let four = Series::new("four findings whose makers wait 3 s, parallel: 4", &took[0]);
    let one = Series::new("  peer: the same, parallel: 1", &took[1]);
    let bound = Bound::relative("four findings in parallel: 0.6 x one after the other", &four, &one, 0.6, 0.0);
    Ok((vec![four, one], vec![bound]))
}

fn run(program: &Path, home: &Path, repo: &Path, parallel: usize) -> Result<Duration> {
    let act = format!("spawn: implementer(finding), parallel: {parallel}");
    let text = attempt::loop_file(repo).replace("spawn: implementer(finding)", &act);
    let text = text.replace("max_findings: 1", &format!("max_findings: {FINDINGS}"));
    attempt::register(program, home, &text, MAKER)?;
    let began = Instant::now();
    let output = attempt::program(program, home).args(["--json", "run", LOOP]).output().context("starting a run")?;
    let took = began.elapsed();
    let view: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("reading the run: {}", String::from_utf8_lossy(&output.stderr)))?;
    ensure!(view["row"]["pull_requests"] == FINDINGS, "the run opened {}", view["row"]["pull_requests"]);
    Ok(took)
}

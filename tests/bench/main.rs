//! `make bench`: how fast Loopwright is beside its peers, as a table and as `target/bench/bench.json`.
//!
//! Ends with 1 where a bound is broken. README.md beside this file says what is compared and why.

mod attempt;
mod figures;
mod journal;
mod repository;
mod starts;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use attempt::Bench;
use figures::Report;

/// Samples of whole attempts; `--samples N` changes it.
const ATTEMPTS: usize = 9;
/// No loop may have more pull requests open than 50.
const MOST: usize = 49;
/// Samples of everything that takes milliseconds.
const SMALL: usize = 41;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == starts::HELLO) {
        writeln!(std::io::stdout(), "hello, world")?;
        return Ok(ExitCode::SUCCESS);
    }
    let samples = after(&arguments, "--samples").map_or(Ok(ATTEMPTS), |n| n.parse());
    let samples: usize = samples.context("--samples takes a number")?;
    ensure!((1..=MOST).contains(&samples), "--samples takes 1 to {MOST}");
    let root = fresh(&target().join("bench"))?;
    let place =
        after(&arguments, "--place").map_or_else(|| root.clone(), |place| Path::new(place).join("loopwright-bench"));
    let report = measure(&root, &fresh(&place.join("work"))?, samples)?;
    fs::write(root.join("bench.json"), serde_json::to_vec_pretty(&report)?).context("writing bench.json")?;
    figures::print(&report)?;
    Ok(if report.bounds.iter().all(|b| b.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The argument after an option.
fn after<'a>(arguments: &'a [String], option: &str) -> Option<&'a String> {
    arguments.iter().skip_while(|a| *a != option).nth(1)
}

/// Repositories and workspaces go to `place`, databases whose syncing is measured to `root`.
fn measure(root: &Path, place: &Path, samples: usize) -> Result<Report> {
    let program = target().join("release/loopwright");
    ensure!(program.is_file(), "{} is missing: start this by tests/bench/run.sh", program.display());
    let before = figures::load();
    let bench = Bench::new(program, place, samples)?;
    let (mut series, mut bounds) = attempt::measure(&bench, samples)?;
    let (starts, more) = starts::check(&bench, SMALL)?;
    series.extend(starts);
    bounds.extend(more);
    series.extend(starts::boxes(SMALL)?);
    series.extend(journal::measure(root, SMALL)?);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Report { processors, load: [before, figures::load()], series, bounds })
}

/// Cargo's folder for what it builds.
fn target() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(own, PathBuf::from);
    folder.canonicalize().unwrap_or(folder)
}

/// An empty folder, whatever an earlier run left there.
fn fresh(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    Ok(folder.to_owned())
}

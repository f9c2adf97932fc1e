//! `make bench`: how fast Loopwright is beside its peers, as a table and as `target/bench/bench.json`.
//!
//! Ends with 1 where a bound is broken. README.md beside this file says what is compared and why.

mod attempt;
mod contention;
mod figures;
mod fleet;
mod history;
mod idle;
mod journal;
mod late;
mod parallel;
mod repository;
mod starts;
mod takeover;
mod times;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use attempt::Bench;
use figures::Report;

/// What is measured, in this order; `--only PART` takes one.
const PARTS: [&str; 13] = [
    "attempt",
    "parallel",
    "contention",
    "status",
    "reopened",
    "idle",
    "takeover",
    "late",
    "simulated",
    "next",
    "ledger",
    "boxes",
    "journal",
];
/// Samples of whole attempts; `--samples N` changes it.
const ATTEMPTS: usize = 9;
/// No loop may have more pull requests open than 50.
const MOST: usize = 49;
/// Samples of everything that takes milliseconds.
const SMALL: usize = 41;
/// Samples of what takes about a second and depends on a disk that others use too.
const SEVERAL: usize = 25;
/// Samples of what takes many seconds.
const FEW: usize = 3;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == starts::HELLO) {
        writeln!(std::io::stdout(), "hello, world")?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(at) = arguments.iter().position(|a| a == contention::WRITER) {
        return contention::write(&arguments[at + 1..at + 4]).map(|()| ExitCode::SUCCESS);
    }
    if let Some(place) = after(&arguments, history::VICTIM) {
        return history::be_killed(Path::new(place)).map(|()| ExitCode::SUCCESS);
    }
    if let Some(database) = after(&arguments, idle::OPENS) {
        return idle::open(Path::new(database)).map(|()| ExitCode::SUCCESS);
    }
    let samples = after(&arguments, "--samples").map_or(Ok(ATTEMPTS), |n| n.parse());
    let samples: usize = samples.context("--samples takes a number")?;
    ensure!((1..=MOST).contains(&samples), "--samples takes 1 to {MOST}");
    let only = after(&arguments, "--only");
    ensure!(only.is_none_or(|part| PARTS.contains(&part.as_str())), "--only takes one of {}", PARTS.join(", "));
    let root = fresh(&target().join("bench"))?;
    let place =
        after(&arguments, "--place").map_or_else(|| root.clone(), |place| Path::new(place).join("loopwright-bench"));
    let report = measure(&root, &fresh(&place.join("work"))?, samples, only)?;
    fs::write(root.join("bench.json"), serde_json::to_vec_pretty(&report)?).context("writing bench.json")?;
    figures::print(&report)?;
    Ok(if report.bounds.iter().all(|b| b.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The argument after an option.
fn after<'a>(arguments: &'a [String], option: &str) -> Option<&'a String> {
    arguments.iter().skip_while(|a| *a != option).nth(1)
}

/// Repositories and workspaces go to `place`, databases whose syncing is measured to `root`; `only` names one part.
fn measure(root: &Path, place: &Path, samples: usize, only: Option<&String>) -> Result<Report> {
    let program = built()?;
    ensure!(program.is_file(), "{} is missing: start this by tests/bench/run.sh", program.display());
    let before = figures::load();
    let (mut series, mut bounds) = (Vec::new(), Vec::new());
    for part in PARTS.iter().filter(|part| only.is_none_or(|only| only == *part)) {
        let (more, held) = match *part {
            "attempt" => {
                let bench = Bench::new(program.clone(), place, samples)?;
                let (mut series, mut bounds) = attempt::measure(&bench, samples)?;
                let (starts, more) = starts::check(&bench, SMALL)?;
                series.extend(starts);
                bounds.extend(more);
                (series, bounds)
            }
            "parallel" => parallel::measure(&program, place, FEW)?,
            "contention" => contention::measure(root, SEVERAL)?,
            "status" => history::status(&program, root, SMALL)?,
            "reopened" => history::reopened(&program, root, FEW)?,
            "idle" => idle::measure(&program, root, FEW)?,
            "takeover" => takeover::measure(&program, root, SEVERAL)?,
            "late" => late::measure(&program, root)?,
            "simulated" => times::simulated(FEW)?,
            "next" => times::next(SMALL)?,
            "ledger" => times::ledger(&program, root, SMALL)?,
            "boxes" => (starts::boxes(SMALL)?, Vec::new()),
            _ => (journal::measure(root, SMALL)?, Vec::new()),
        };
        series.extend(more);
        bounds.extend(held);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Report { processors, load: [before, figures::load()], series, bounds })
}

/// The program of the same build as this benchmark.
fn built() -> Result<PathBuf> {
    let own = std::env::current_exe().context("finding this program")?;
    let folder = own.parent().and_then(Path::parent).context("target/<profile>/deps")?;
    Ok(folder.join("loopwright"))
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

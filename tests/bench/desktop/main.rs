//! `make bench-desktop`: the tray and its windows beside a bare tray and an empty window of the same Tauri, as a table and
//! as `target/bench/desktop.json`.
//!
//! Ends with 1 where a bound is broken. README.md in the folder above says what is compared and why.

mod bundle;
#[path = "../figures.rs"]
#[expect(dead_code, reason = "the engine's benchmark uses the rest of it")]
mod figures;
mod process;
mod tray;
mod window;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use figures::Report;

/// What is measured, in this order; `--only PART` takes one.
const PARTS: [&str; 4] = ["start", "rest", "window", "bundle"];
/// Samples of what takes a second.
const SEVERAL: usize = 15;
/// Samples of what takes many seconds.
const FEW: usize = 3;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let only = arguments.iter().skip_while(|argument| *argument != "--only").nth(1);
    ensure!(only.is_none_or(|part| PARTS.contains(&part.as_str())), "--only takes one of {}", PARTS.join(", "));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let built = target.join(std::env::var_os("LOOPWRIGHT_BUILT").unwrap_or_else(|| "packaged".into()));
    let report = measure(&root, &built, only)?;
    fs::create_dir_all(target.join("bench"))?;
    fs::write(target.join("bench/desktop.json"), serde_json::to_vec_pretty(&report)?)
        .context("writing desktop.json")?;
    figures::print(&report)?;
    Ok(if report.bounds.iter().all(|bound| bound.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(root: &Path, built: &Path, only: Option<&String>) -> Result<Report> {
    let (ours, bare) = (built.join("loopwright-tray"), built.join("examples/bare"));
    for program in [&ours, &bare] {
        ensure!(program.is_file(), "{} is missing: start this by tests/bench/desktop/run.sh", program.display());
    }
    let before = figures::load();
    let (mut series, mut bounds) = (Vec::new(), Vec::new());
    for part in PARTS.iter().filter(|part| only.is_none_or(|only| only == *part)) {
        let (more, held) = match *part {
            "start" => tray::starts(&ours, &bare, SEVERAL)?,
            "rest" => tray::rest(&ours, &bare, FEW)?,
            "window" => window::measure(&ours, &bare, SEVERAL)?,
            _ => bundle::measure(&root.join("ui/dist"))?,
        };
        series.extend(more);
        bounds.extend(held);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Report { processors, load: [before, figures::load()], series, bounds })
}

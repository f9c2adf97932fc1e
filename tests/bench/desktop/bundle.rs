//! How much there is to load: the windows' files, compressed as they would be sent.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::figures::{Bound, Series};

/// Measures `ui/dist`; the chunk of the diff viewer stands for itself.
///
/// # Errors
/// The windows are not built.
pub(crate) fn measure(dist: &Path) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (mut all, mut review) = (0.0, 0.0);
    for folder in [dist.to_owned(), dist.join("assets")] {
        for entry in fs::read_dir(&folder).with_context(|| format!("{}: make ui", folder.display()))?.flatten() {
            if entry.path().is_file() {
                let size = compressed(&entry.path())?;
                all += size;
                review += if entry.file_name().to_string_lossy().starts_with("Review") { size } else { 0.0 };
            }
        }
    }
    let rest = Series::of("windows without the diff viewer, compressed", "kB", vec![all - review]);
    let review = Series::of("  the diff viewer and its window", "kB", vec![review]);
    let bound = Bound::fixed("windows without the diff viewer: 600 kB", &rest, 600.0);
    Ok((vec![rest, review], vec![bound]))
}

/// In kB of a thousand bytes.
fn compressed(file: &Path) -> Result<f64> {
    let mut gzip = Command::new("gzip");
    let packed = gzip.args(["-9", "--stdout"]).arg(file).stdin(Stdio::null()).output().context("starting gzip")?;
    Ok(f64::from(u32::try_from(packed.stdout.len())?) / 1e3)
}

//! `settings.yaml`: what the person has set for all loops together, and the zone of this computer.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use loopwright_core::definition::settings::{Settings, read as parse};
use loopwright_core::diagnostic::Diagnostic;

use crate::home::Home;

/// The file can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not valid: {} ({}:{})", path.display(), first.message, first.span.line, first.span.column)]
pub struct InvalidSettings {
    /// The file.
    pub path: PathBuf,
    /// The first fault.
    pub first: Box<Diagnostic>,
}

/// The settings; without a file, nothing is set.
///
/// # Errors
/// [`InvalidSettings`], or the file can't be read.
pub fn read(home: &Home) -> Result<Settings> {
    let path = path(home);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Settings::default()),
        Err(error) => return Err(error).with_context(|| format!("reading the settings {}", path.display())),
    };
    parse(&bytes).map_err(|faults| invalid(&path, faults))
}

/// Where the settings lie.
pub fn path(home: &Home) -> PathBuf {
    home.config.join("settings.yaml")
}

/// The zone of this computer; UTC if it tells none.
pub fn zone() -> Tz {
    iana_time_zone::get_timezone().ok().and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC)
}

fn invalid(path: &Path, faults: Vec<Diagnostic>) -> anyhow::Error {
    match faults.into_iter().next() {
        Some(first) => InvalidSettings { path: path.to_owned(), first: Box::new(first) }.into(),
        None => anyhow::anyhow!("{} is not valid", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_wrong_is_refused_and_none_sets_nothing() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::under(dir.path());
        fs::create_dir_all(&home.config).expect("config");
        assert_eq!(read(&home).expect("nothing is set"), Settings::default());
        fs::write(path(&home), "budget: [$50/day, $500/month]\n").expect("written");
        assert_eq!(read(&home).expect("valid").ceilings.len(), 2);
        fs::write(path(&home), "budget: $50/dya\n").expect("written");
        let error = read(&home).expect_err("refused").to_string();
        assert!(
            error.ends_with("settings.yaml is not valid: a budget is per run, day or month, not per `dya` (1:13)"),
            "{error}"
        );
    }
}

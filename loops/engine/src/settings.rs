//! `settings.yaml`: what the person has set for all loops together, and the zone of this computer.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use chrono_tz::Tz;
use loopwright_core::definition::change::{Changed, NotChanged};
use loopwright_core::definition::settings::{Settings, read as parse};
use loopwright_core::diagnostic::Diagnostic;

use crate::home::{Home, replace};

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

/// Changes the file's text by `edit`, in one step and only if nobody else changed it meanwhile; what was there before comes
/// back from `edit`. Permissions and a link that leads elsewhere stay.
///
/// # Errors
/// What `edit` says, or the file can't be read or written; it is as it was then.
pub fn change(home: &Home, edit: impl FnOnce(&str) -> Result<Changed, NotChanged>) -> Result<Option<String>> {
    let named = path(home);
    // Two windows that change it at once do so one after the other.
    let lock = File::create(named.with_extension("lock")).context("locking the settings")?;
    lock.lock().context("locking the settings")?;
    let file = named.canonicalize().unwrap_or(named);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("reading the settings {}", file.display())),
    };
    let text = String::from_utf8(bytes).with_context(|| format!("reading the settings {}", file.display()))?;
    let changed = edit(&text)?;
    write(&file, &changed.text)?;
    wake_listeners(home);
    Ok(changed.before)
}

/// Writes the file by a rename, with the permissions that it has.
fn write(file: &Path, text: &str) -> Result<()> {
    let kept = fs::metadata(file).ok().map(|found| found.permissions());
    replace(file, text.as_bytes())?;
    match kept {
        Some(kept) => {
            fs::set_permissions(file, kept).with_context(|| format!("keeping who may read {}", file.display()))
        }
        None => Ok(()),
    }
}

/// Whoever listens for news of the store looks again.
fn wake_listeners(home: &Home) {
    if let Ok(changed) = File::options().write(true).open(home.changed()) {
        let _ = changed.set_modified(SystemTime::now());
    }
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
    use loopwright_core::definition::change::change as edit;

    use super::*;

    #[test]
    fn a_change_keeps_the_rest_the_link_and_who_may_read_it() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::under(dir.path());
        fs::create_dir_all(&home.config).expect("config");
        let elsewhere = dir.path().join("dotfiles.yaml");
        fs::write(&elsewhere, "# mine\nmax_runs: 2 # two\n").expect("written");
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).expect("private");
        symlink(&elsewhere, path(&home)).expect("a link");
        let to = |value: &'static str| change(&home, |text| edit(text, "max_runs", Some(value)));
        assert_eq!(to("4").expect("changed").as_deref(), Some("2"));
        assert_eq!(fs::read_to_string(&elsewhere).expect("read"), "# mine\nmax_runs: 4 # two\n");
        assert!(path(&home).is_symlink(), "the link is still one");
        assert_eq!(fs::metadata(&elsewhere).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(to("99").is_err());
        assert_eq!(fs::read_to_string(&elsewhere).expect("read"), "# mine\nmax_runs: 4 # two\n");
    }

    /// Two windows change two keys at the same moment; how many of the two stand in the file then.
    fn both_at_once(write: impl Fn(&Home, &str, &std::sync::Barrier) + Sync) -> usize {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::under(dir.path());
        fs::create_dir_all(&home.config).expect("config");
        let together = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for key in ["max_runs", "budget"] {
                let (home, together, write) = (&home, &together, &write);
                scope.spawn(move || write(home, key, together));
            }
        });
        fs::read_to_string(path(&home)).expect("settings").lines().count()
    }

    fn set(text: &str, key: &str) -> Changed {
        edit(text, key, Some(if key == "budget" { "$5/day" } else { "3" })).expect("changed")
    }

    #[test]
    fn two_windows_that_change_it_at_once_lose_nothing() {
        let kept = both_at_once(|home, key, together| {
            together.wait();
            change(home, |text| Ok(set(text, key))).expect("changed");
        });
        assert_eq!(kept, 2);
    }

    #[test]
    fn control_without_the_lock_one_of_the_two_is_lost() {
        let kept = both_at_once(|home, key, together| {
            let text = fs::read_to_string(path(home)).unwrap_or_default();
            together.wait();
            let next = path(home).with_extension(key);
            fs::write(&next, set(&text, key).text).expect("written");
            fs::rename(&next, path(home)).expect("replaced");
        });
        assert_eq!(kept, 1);
    }

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

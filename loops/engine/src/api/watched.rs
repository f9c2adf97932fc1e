//! Loops that files start: a look at what their globs match.
//!
//! Whether that starts them is decided in `core::watched`; who looks again as soon as something changes is `serve`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use glob::MatchOptions;
use loopwright_core::timing::{FILE_REST_S, Trigger};
use loopwright_core::watched::{Look, look};
use sha2::{Digest as _, Sha256};

use super::Context;
use super::reconcile::{Deed, failed};
use crate::os;
use crate::steps::stamp;
use crate::store::watched_files::{self as stored, Known, Watching};
use crate::store::{Store, loops, schedules};

/// So many files of one glob are looked at; further ones start nothing.
const MOST: usize = 10_000;

/// `*` does not reach into folders, and does not match hidden files.
const MATCH: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Looks at the files of every loop that files start, and stores what happened.
///
/// # Errors
/// The store can't be read or written. What fails for one loop is told.
pub(super) fn pass(context: &Context, store: &mut Store) -> Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    for watching in stored::loops(store.read())? {
        for pattern in globs(&watching) {
            if let Err(error) = one(context, store, &watching, pattern) {
                deeds.push(failed(format!("the files {pattern} of {}", watching.name), &error));
            }
        }
    }
    Ok(deeds)
}

/// When files that changed have been left alone for long enough; none of those that wait for a run's end.
///
/// # Errors
/// The store can't be read.
pub(super) fn rested_at(store: &Store) -> Result<Option<DateTime<Utc>>> {
    let rest = Duration::seconds(i64::try_from(FILE_REST_S).unwrap_or(i64::MAX));
    Ok(stored::first_change(store.read())?.map(|at| at + rest))
}

/// The folders in which files may come or go that start a loop; deeper ones than that of a pattern's first star are left to
/// the next pass.
///
/// # Errors
/// The store can't be read.
pub(super) fn folders(context: &Context, store: &Store) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for watching in stored::loops(store.read())? {
        let root = loops::by_id(store.read(), watching.loop_id)?.repo_path;
        folders.extend(globs(&watching).map(|pattern| folder(pattern, &root, context.host.home.as_deref())));
    }
    folders.sort();
    folders.dedup();
    Ok(folders)
}

/// Where the files of a pattern lie: the part before its first star.
fn folder(pattern: &str, root: &Path, home: Option<&Path>) -> PathBuf {
    let (base, pattern) = match (pattern.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => (home, below),
        _ => (root, pattern),
    };
    let parts: Vec<&str> = pattern.split('/').collect();
    let plain = parts.iter().take(parts.len() - 1).take_while(|part| !part.contains(['*', '?', '[']));
    let plain: Vec<&str> = plain.copied().collect();
    match pattern.starts_with('/') {
        true => PathBuf::from(format!("/{}", plain.join("/").trim_start_matches('/'))),
        false => base.join(plain.join("/")),
    }
}

fn globs(watching: &Watching) -> impl Iterator<Item = &str> {
    watching.timing.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::File(pattern) => Some(pattern.as_str()),
        _ => None,
    })
}

fn one(context: &Context, store: &mut Store, watching: &Watching, pattern: &str) -> Result<()> {
    let root = loops::by_id(store.read(), watching.loop_id)?.repo_path;
    let seen = marks(&absolute(pattern, &root, context.host.home.as_deref()))?;
    let known = stored::known(store.read(), watching.loop_id, pattern)?;
    let (marks, changed) = known.map_or((None, None), |known| (Some(known.marks), known.changed));
    let id = watching.loop_id;
    // What changes while it runs, or while a start waits, starts it afterwards: once, and not before it was left alone.
    let busy = schedules::live_of(store.read(), id)?.is_some() || schedules::waiting_of(store.read(), id)? > 0;
    match look(marks.as_deref(), changed.as_ref(), seen, context.now) {
        Look::Same => Ok(()),
        Look::Start(_) if busy => Ok(()),
        Look::Keep(marks, changed) => store.write(|tx| stored::keep(tx, id, pattern, &Known { marks, changed })),
        Look::Start(marks) => store.write(|tx| {
            let key =
                format!("{pattern} {} {}", stamp(context.now), loopwright_core::hex(&Sha256::digest(marks.concat())));
            schedules::happen(tx, id, "file", &key, &stamp(context.now))?;
            stored::keep(tx, id, pattern, &Known { marks, changed: None })
        }),
    }
}

/// The pattern from the root of the file system: relative ones begin at the loop's repository, or its folder.
fn absolute(pattern: &str, root: &Path, home: Option<&Path>) -> PathBuf {
    let escaped = |folder: &Path| PathBuf::from(glob::Pattern::escape(&folder.to_string_lossy()));
    match (pattern.strip_prefix("~/"), home) {
        (Some(below), Some(home)) => escaped(home).join(below),
        _ if pattern.starts_with('/') => PathBuf::from(pattern),
        _ => escaped(root).join(pattern),
    }
}

/// A mark for each file that matches, which another one would not have.
fn marks(pattern: &Path) -> Result<Vec<String>> {
    let pattern = pattern.to_str().context("the pattern is not UTF-8")?;
    let found = glob::glob_with(pattern, MATCH).with_context(|| format!("reading the pattern {pattern}"))?;
    let mut marks: Vec<String> = found.flatten().take(MOST).filter_map(|path| mark(&path)).collect();
    marks.sort();
    Ok(marks)
}

/// What tells a file from what it was before. Links are not followed; folders count by what is in them.
fn mark(path: &Path) -> Option<String> {
    let about = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_encoded_bytes());
    let seen = os::seen(&about);
    for number in [seen.number, about.len(), seen.written.0.unsigned_abs(), seen.written.1.unsigned_abs()] {
        hash.update(number.to_be_bytes());
    }
    Some(loopwright_core::hex(&hash.finalize()[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_begins_where_the_loop_works_and_names_are_no_patterns() {
        let home = Path::new("/home/a[b]");
        let of = |pattern| absolute(pattern, Path::new("/src/*shop"), Some(home)).display().to_string();
        assert_eq!(of("in/*.csv"), "/src/[*]shop/in/*.csv");
        assert_eq!(of("~/in/*.csv"), "/home/a[[]b[]]/in/*.csv");
        assert_eq!(of("/var/in/*"), "/var/in/*");
    }

    #[test]
    fn the_folder_of_a_pattern_ends_before_its_first_star() {
        let of = |pattern| folder(pattern, Path::new("/shop"), Some(Path::new("/home/a"))).display().to_string();
        for (pattern, expected) in [
            ("in/*.csv", "/shop/in"),
            ("*.csv", "/shop/"),
            ("in/a.csv", "/shop/in"),
            ("in/*/b.csv", "/shop/in"),
            ("~/in/a?.csv", "/home/a/in"),
            ("/var/in/[ab]/c", "/var/in"),
            ("/c", "/"),
        ] {
            assert_eq!(of(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn each_file_has_its_mark_and_links_have_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let seen = || marks(&folder.path().join("*.csv")).expect("marks");
        assert_eq!(seen(), [""; 0]);
        fs::write(at("a.csv"), "1").expect("written");
        let first = seen();
        fs::write(at("b.txt"), "1").expect("written");
        fs::write(at(".c.csv"), "1").expect("written");
        std::os::unix::fs::symlink(at("a.csv"), at("d.csv")).expect("a link");
        fs::create_dir(at("e.csv")).expect("a folder");
        assert_eq!(seen(), first, "hidden files, links and folders start nothing");
        fs::write(at("a.csv"), "12").expect("changed");
        assert_ne!(seen(), first);
    }
}

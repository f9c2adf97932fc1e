//! The names of suites and documentation tests, without what changes from build to build: hashes and line numbers.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{CaseStatus, Place, text};

/// Names suites in the order in which cargo runs them, as nextest does: `one`, `one::bin/tool`, `one::days`, `one::doc`.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// The package that the last unit tests belong to; cargo runs a package's suites one after the other.
    package: String,
    seen: BTreeMap<String, usize>,
}

/// Tells whether cargo announces a suite here.
pub(super) fn is_header(line: &str) -> bool {
    header(line).is_some()
}

/// Reads `     Running tests/days.rs (target/debug/deps/days-0a1b2c…)` and `   Doc-tests one`.
fn header(line: &str) -> Option<(&str, &str)> {
    let announced = line.trim_start();
    if announced.len() == line.len() {
        return None;
    }
    if let Some(name) = announced.strip_prefix("Doc-tests ") {
        return Some(("doc", name.trim()));
    }
    let (source, binary) = announced.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once(" (")?;
    let file = binary.rsplit(['/', '\\']).next()?;
    let (name, hash) = file.trim_end_matches(".exe").rsplit_once('-')?;
    let hashed = hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit());
    hashed.then_some((source, name))
}

impl Names {
    /// The suite that a line announces, if it does.
    pub(super) fn suite(&mut self, line: &str) -> Option<String> {
        let (source, name) = header(line)?;
        let named = self.name(source, name);
        let times = self.seen.entry(named.clone()).or_default();
        *times += 1;
        Some(text::id(&if *times == 1 { named } else { format!("{named} #{times}") }))
    }

    fn name(&mut self, source: &str, name: &str) -> String {
        if source == "doc" {
            return format!("{name}::doc");
        }
        let unit = source.strip_prefix("unittests ");
        match unit {
            Some(path) if path.ends_with("main.rs") || path.contains("/bin/") => {
                if self.package.is_empty() {
                    name.clone_into(&mut self.package);
                }
                format!("{}::bin/{name}", self.package)
            }
            Some(path) if path.starts_with("examples/") => {
                format!("{}::example/{name}", self.package)
            }
            Some(path) if path.starts_with("benches/") => format!("{}::bench/{name}", self.package),
            Some(_) => {
                name.clone_into(&mut self.package);
                name.to_owned()
            }
            None if self.package.is_empty() => name.to_owned(),
            None => format!("{}::{name}", self.package),
        }
    }
}

/// The suites that cargo says to run again: ``error: test failed, to rerun pass `-p one --test days` ``.
pub(super) fn failed_targets<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    lines
        .filter_map(|l| l.strip_prefix("error: ")?.split_once("failed, to rerun pass `"))
        .filter_map(|(_, rest)| target(rest.split_once('`')?.0))
        .collect()
}

fn target(arguments: &str) -> Option<String> {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let after = |flag: &str| {
        let at = words.iter().position(|w| *w == flag)?;
        words.get(at + 1).map(|w| w.replace('-', "_"))
    };
    let kind = if words.contains(&"--doc") {
        Some("doc".to_owned())
    } else {
        after("--test")
            .or_else(|| after("--bin").map(|b| format!("bin/{b}")))
            .or_else(|| after("--example").map(|e| format!("example/{e}")))
            .or_else(|| after("--bench").map(|b| format!("bench/{b}")))
    };
    let named = match (after("-p"), kind) {
        (Some(package), Some(kind)) => format!("{package}::{kind}"),
        (Some(package), None) => package,
        (None, Some(kind)) => kind,
        (None, None) if words.contains(&"--lib") => "lib".to_owned(),
        (None, None) => return None,
    };
    Some(text::id(&named))
}

/// Tells whether a suite is the one that a failed target names; either may know only the last part.
pub(super) fn belongs(suite: &str, target: &str) -> bool {
    let suite = suite.split(" #").next().unwrap_or(suite);
    suite == target
        || target.strip_suffix(suite).is_some_and(|s| s.ends_with("::"))
        || suite.strip_suffix(target).is_some_and(|s| s.ends_with("::"))
        || (target == "lib" && !suite.contains("::"))
}

/// How a test's process ended, from cargo's `Caused by:` (`signal: 6, SIGABRT: process abort signal`).
pub(super) fn ending<'a>(lines: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut told = lines.filter(|l| l.trim_start().starts_with("process didn't exit successfully"));
    let (_, how) = told.next()?.strip_suffix(')')?.rsplit_once(" (")?;
    Some(format!("ended early: {}", text::line(how)))
}

/// A test's name as `failures:` repeats it, without how it was run.
pub(super) fn bare(printed: &str) -> &str {
    let modes = [" - should panic", " - compile fail", " - compile"];
    modes.iter().find_map(|m| printed.strip_suffix(m)).unwrap_or(printed)
}

/// A test that has several results. Documentation tests that a macro writes may share name and line.
pub(super) fn repeated<'a>(tests: &[(&'a str, CaseStatus)]) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    tests.iter().map(|(name, _)| *name).find(|name| numbered(bare(name)).is_none() && !seen.insert(bare(name)))
}

/// Splits `src/lib.rs - half (line 14)` into name and line.
fn numbered(name: &str) -> Option<(&str, u32)> {
    let (name, line) = name.strip_suffix(')')?.rsplit_once(" (line ")?;
    Some((name, line.parse().ok()?))
}

/// Where a documentation test stands.
pub(super) fn doc_place(printed: &str) -> Option<Place> {
    let (name, line) = numbered(bare(printed))?;
    let path = name.split_once(" - ").map_or(name, |(path, _)| path);
    Some(Place { path: text::path(path)?, line: Some(line) })
}

/// Names tests without line numbers; several of one item are counted in the order of their lines.
pub(super) fn without_lines(tests: Vec<(&str, CaseStatus)>) -> Vec<(&str, String, CaseStatus)> {
    let mut lines: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (printed, _) in &tests {
        if let Some((name, line)) = numbered(bare(printed)) {
            lines.entry(name).or_default().push(line);
        }
    }
    lines.values_mut().for_each(|l| {
        l.sort_unstable();
        l.dedup();
    });
    let name = |printed: &str| match numbered(bare(printed)) {
        Some((name, line)) => match lines.get(name).and_then(|l| l.binary_search(&line).ok()) {
            Some(at) if at > 0 => format!("{name} #{}", at + 1),
            _ => name.to_owned(),
        },
        None => bare(printed).to_owned(),
    };
    tests.into_iter().map(|(printed, status)| (printed, name(printed), status)).collect()
}

//! Real cargo and clippy in a real box.

use std::path::Path;

use loopwright_core::check::CaseId;
use loopwright_core::finding::Fingerprint;

use super::*;
use crate::sandbox::bubblewrap::for_tests;

const SOURCE: &str = "\
//! Small.
#![warn(clippy::len_zero, clippy::must_use_candidate)]

/// Says one.
pub fn one() -> u32 {
    return 1;
}

/// Says whether nothing is there.
pub fn empty(list: &[u32]) -> bool {
    if list.len() == 0 {
        return true;
    }
    return false;
}

#[cfg(test)]
mod tests {
    #[test]
    fn works() {
        assert!(super::empty(&[]));
    }

    #[test]
    fn one_is_two() {
        assert_eq!(super::one(), 2);
    }
}
";

/// Makes a project with two failing lints that the source turns on by itself, one of cargo's defaults, and a red test.
pub(crate) fn project(tree: &Path) {
    let write = |path: &str, text: &str| fs::write(tree.join(path), text).expect(path);
    fs::create_dir_all(tree.join("src")).expect("a folder");
    write("Cargo.toml", "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"small\"\nversion = \"0.1.0\"\n");
    write("src/lib.rs", SOURCE);
}

pub(crate) fn finding(key: &str, failing: &str) -> Finding {
    Finding {
        fingerprint: Fingerprint::of(FindingSource::Check, key),
        source: FindingSource::Check,
        key: key.into(),
        title: format!("Lint: {key}"),
        detail: "detail".into(),
        should: "it is gone".into(),
        gate: Some("lint_clean".into()),
        failing: [CaseId(failing.into())].into(),
        places: Vec::new(),
        suspects: Vec::new(),
        fault: false,
    }
}

fn order(folder: &Path, finding: Finding) -> Order {
    Order {
        role: super::super::Role::Maker,
        prompt: String::new(),
        finding,
        workspace: folder.join("tree"),
        iteration: 1,
        reasons: Vec::new(),
        env: std::collections::BTreeMap::new(),
        mounts: Vec::new(),
        raw: folder.join("raw"),
    }
}

fn fixed(source: &str, finding: Finding) -> (AgentReport, String) {
    let folder = tempfile::tempdir().expect("a folder");
    project(&folder.path().join("tree"));
    let file = folder.path().join("tree/src/lib.rs");
    fs::write(&file, source).expect("the source");
    let report = Fixer.run(&order(folder.path(), finding), &for_tests()).expect("a box");
    assert!(!folder.path().join("raw/target").exists(), "build products are gone");
    (report, fs::read_to_string(file).expect("the source"))
}

#[test]
fn one_lint_is_fixed_and_the_others_are_left_alone() {
    let (report, now) = fixed(SOURCE, finding("clippy::needless_return", "clippy::needless_return @ src/lib.rs"));
    assert_eq!(now, SOURCE.replace("return 1;", "1").replace("return false;", "false"), "{}", report.tail);
    let (_, now) = fixed(SOURCE, finding("clippy::len_zero", "clippy::len_zero @ src/lib.rs"));
    assert_eq!(now, SOURCE.replace("list.len() == 0", "list.is_empty()"));
}

/// The control for the test above: what clippy's own `--fix` does with every rule but one turned off.
#[test]
fn clippys_own_fix_would_mix_findings() {
    let folder = tempfile::tempdir().expect("a folder");
    project(&folder.path().join("tree"));
    let order = order(folder.path(), finding("clippy::needless_return", "clippy::needless_return @ src/lib.rs"));
    fs::create_dir(&order.raw).expect("a folder");
    let work = Work { order: &order, sandbox: &for_tests(), mounts: Vec::new() };
    let line = "cargo clippy --fix --allow-no-vcs --all-targets -- -A clippy::all -W clippy::needless_return";
    let out = work.run(&line.split(' ').collect::<Vec<_>>()).expect("a box");
    assert!(out.ended.well(), "{}", String::from_utf8_lossy(&out.stderr));
    let now = fs::read_to_string(folder.path().join("tree/src/lib.rs")).expect("the source");
    assert!(now.contains("list.is_empty()") && !now.contains("return 1"), "{now}");
}

#[test]
fn a_script_may_be_longer_than_an_argument() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("tree")).expect("a folder");
    let order = order(folder.path(), finding("format", "format @ src/lib.rs"));
    fs::create_dir(&order.raw).expect("a folder");
    let work = Work { order: &order, sandbox: &for_tests(), mounts: Vec::new() };
    let long = format!("set -eu\n: {}\ntouch done\n", "x".repeat(200_000));
    // The control: as an argument it starts nothing.
    assert!(work.run(&["sh", "-c", &long]).is_err());
    assert!(work.script(long).expect("a box").ended.well());
    assert!(folder.path().join("tree/done").exists());
}

#[test]
fn a_tree_that_was_not_formatted_is_not_formatted_with_a_lint() {
    let messy = SOURCE.replace("pub fn one() -> u32 {", "pub fn one(  ) -> u32 {");
    let (_, now) = fixed(&messy, finding("clippy::needless_return", "clippy::needless_return @ src/lib.rs"));
    assert_eq!(now, messy.replace("return 1;", "1").replace("return false;", "false"));
    let (report, now) = fixed(&messy, finding("format", "format @ src/lib.rs"));
    assert_eq!(now, SOURCE);
    assert!(report.ended.well() && report.result.declined.is_none());
}

#[test]
fn everything_else_is_declined_and_left_as_it_was() {
    let unknown = finding("clippy::ptr_arg", "clippy::ptr_arg @ src/lib.rs");
    let test = finding("small::tests::one_is_two", "small::tests::one_is_two");
    let build = finding("build", "build @ src/lib.rs");
    let issue = Finding { source: FindingSource::Issue, ..finding("format", "format @ src/lib.rs") };
    for finding in [unknown, test, build, issue] {
        let key = finding.key.clone();
        let (report, now) = fixed(SOURCE, finding);
        assert!(report.result.declined.is_some() && now == SOURCE, "{key}");
    }
    assert_eq!((Fixer.facts().model, Fixer.facts().price), (None, Micros::ZERO));
}

//! Real cargo and clippy in a real box; the other tools where they are.

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

/// A tree of these files, and the fixer on a finding in them; `over` are folders of tools laid over the tree, read-only.
fn fixed_in(files: &[(&str, &str)], finding: Finding, over: &[(&Path, &str)]) -> (AgentReport, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).expect("a folder");
    files.iter().for_each(|(path, text)| fs::write(tree.join(path), text).expect("a file"));
    let mut order = order(folder.path(), finding);
    order.mounts = over
        .iter()
        .map(|(from, name)| Mount {
            source: from.to_path_buf(),
            target: format!("{WORKSPACE}/{name}"),
            access: Access::ReadOnly,
        })
        .collect();
    let report = Fixer.run(&order, &for_tests()).expect("a box");
    let now = files.iter().map(|(path, _)| fs::read_to_string(tree.join(path)).expect("a file")).collect();
    (report, now)
}

/// Replaces `bad` and `worse` as eslint would: what its predicate lets through, in the files that are named.
const LIKE_ESLINT: &str = "
const fs = require('fs');
exports.ESLint = class {
  constructor({ fix }) { this.fix = fix; }
  async lintFiles(files) {
    return files.map((file) => {
      const text = fs.readFileSync(file, 'utf8');
      const rules = { bad: 'no-bad', worse: '@x/no-worse' };
      const fixed = Object.entries(rules).reduce((t, [word, ruleId]) => this.fix({ ruleId }) ? t.replaceAll(word, 'good') : t, text);
      return fixed === text ? { file } : { file, output: fixed };
    });
  }
  static async outputFixes(results) { results.forEach((r) => r.output && fs.writeFileSync(r.file, r.output)); }
};
";

#[test]
fn eslint_is_asked_for_one_rule_in_the_files_that_have_it() {
    if !Path::new("/usr/bin/node").exists() {
        return println!("node is not in /usr/bin: not tried");
    }
    let tools = tempfile::tempdir().expect("a folder");
    fs::create_dir(tools.path().join("eslint")).expect("a folder");
    fs::write(tools.path().join("eslint/index.js"), LIKE_ESLINT).expect("a module");
    let over: &[(&Path, &str)] = &[(tools.path(), "node_modules")];
    let files = [("a.js", "bad worse\n"), ("b.js", "bad worse\n")];
    let (report, now) = fixed_in(&files, finding("eslint::@x/no-worse", "eslint::@x/no-worse @ a.js"), over);
    assert_eq!(now, ["bad good\n", "bad worse\n"], "{}", report.tail);
    assert_eq!(report.result.summary.as_deref(), Some("applied the fixes of eslint for @x/no-worse"));
    let (report, now) = fixed_in(&files, finding("eslint::other", "eslint::other @ a.js"), over);
    assert_eq!(report.result.declined.as_deref(), Some("eslint offers no safe fix for other"));
    assert_eq!(now, ["bad worse\n", "bad worse\n"]);
    // Without it nothing is claimed.
    let (report, _) = fixed_in(&files, finding("eslint::no-bad", "eslint::no-bad @ a.js"), &[]);
    assert_eq!(report.ended, Ended::Exited(1));
}

/// `LOOPWRIGHT_TOOLS` names a folder with `node_modules` (eslint, prettier) and `.venv` (ruff), where somebody installed them.
#[test]
fn the_real_tools_where_they_are() {
    let Some(tools) = std::env::var_os("LOOPWRIGHT_TOOLS").map(std::path::PathBuf::from) else {
        return println!("LOOPWRIGHT_TOOLS is not set: not tried");
    };
    let (modules, venv) = (tools.join("node_modules"), tools.join(".venv"));
    let over: &[(&Path, &str)] = &[(&modules, "node_modules"), (&venv, ".venv")];
    let rules = "export default [{ rules: { 'prefer-const': 'error', 'no-var': 'error', eqeqeq: 'error' } }];\n";
    let files = [("eslint.config.mjs", rules), ("a.js", "var a = 1;\nlet b = a;\nconsole.log(a == b);\n")];
    let (report, now) = fixed_in(&files, finding("eslint::no-var", "eslint::no-var @ a.js"), over);
    assert_eq!(now[1], "let a = 1;\nlet b = a;\nconsole.log(a == b);\n", "{}", report.tail);
    let (report, _) = fixed_in(&files, finding("eslint::eqeqeq", "eslint::eqeqeq @ a.js"), over);
    assert!(report.result.declined.is_some(), "{}", report.tail);
    let messy = [("a.js", "let  a=1\n"), ("b.css", "a{b:c}\n")];
    let both =
        Finding { failing: ["a.js", "b.css"].map(|f| CaseId(format!("format @ {f}"))).into(), ..finding("format", "") };
    let (report, now) = fixed_in(&messy, both, over);
    assert_eq!(now, ["let a = 1;\n", "a {\n  b: c;\n}\n"], "{}", report.tail);

    let files = [("a.py", "import os\nimport sys\n\n\ndef f(x):\n    y = 1\n    return x == None\n")];
    let (report, now) = fixed_in(&files, finding("ruff::F401", "ruff::F401 @ a.py"), over);
    assert_eq!(now, ["def f(x):\n    y = 1\n    return x == None\n"], "{}", report.tail);
    let (report, now) = fixed_in(&files, finding("ruff::F841", "ruff::F841 @ a.py"), over);
    assert!(report.result.declined.is_some() && now[0] == files[0].1, "its fix is not safe: {}", report.tail);
    let (report, now) = fixed_in(&[("a.py", "def f( x ):\n  return x\n")], finding("format", "format @ a.py"), over);
    assert_eq!(now, ["def f(x):\n    return x\n"], "{}", report.tail);
}

#[test]
fn go_is_formatted_where_it_is() {
    if !Path::new("/usr/bin/gofmt").exists() {
        return println!("gofmt is not in /usr/bin: not tried");
    }
    let files = [("a.go", "package a\nfunc  A( ) {}\n"), ("b.go", "package a\nfunc  B( ) {}\n")];
    let (report, now) = fixed_in(&files, finding("format", "format @ a.go"), &[]);
    assert_eq!(now, ["package a\n\nfunc A() {}\n", files[1].1], "{}", report.tail);
    assert_eq!(report.result.summary.as_deref(), Some("formatted with `gofmt -w`"));
}

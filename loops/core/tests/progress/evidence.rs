//! What the checks of a script print, and what its maker changes: as text and diffs, read by the real core.

use std::fmt::Write as _;

use loopwright_core::check::{self, CheckReport, Ended};
use loopwright_core::definition::Command;
use loopwright_core::diff::{ChangeKind, DiffFacts, FileChange};
use loopwright_core::progress::substance;
use loopwright_core::run::BuildResult;
use uuid::Uuid;

/// What the checks print: of the base, or of a round on it. Every message has another time and another place.
pub(crate) fn report(parts: &[String], base: Option<&CheckReport>, time: usize) -> CheckReport {
    let listed = |word: &str| -> Option<Vec<&str>> {
        let of: Vec<&str> = parts.iter().filter_map(|p| p.strip_prefix(word)).collect();
        (!of.is_empty())
            .then(|| of.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|i| !i.is_empty()).collect())
    };
    if let Some(files) = listed("broken") {
        let faults =
            files.iter().map(|file| format!("error[E0308]: mismatched at {time}\n --> {file}:{}:1\n\n", time + 3));
        return read("cargo test", 101, &faults.collect::<String>());
    }
    if let Some(lints) = listed("lints") {
        let faults = lints.iter().filter_map(|l| l.split_once(' ')).map(|(rule, path)| {
            format!(
                "warning: {rule} seen at {time}\n --> {path}:{}:1\n  = note: `#[warn({rule})]` on by default\n\n",
                time + 1
            )
        });
        return read("cargo clippy", 0, &faults.collect::<String>());
    }
    if let Some(files) = listed("format") {
        let faults: String = files.iter().map(|file| format!("Diff in {file}:{}:\n", time + 1)).collect();
        return read("cargo fmt --check", i32::from(!files.is_empty()), &faults);
    }
    match (listed("tests"), base) {
        (Some(results), _) => libtest(&results, time),
        (None, Some(base)) => base.clone(),
        (None, None) => libtest(&["a ok"], time),
    }
}

fn libtest(results: &[&str], time: usize) -> CheckReport {
    let mut out = format!(
        "     Running unittests src/lib.rs (target/debug/deps/t-{time:016x})\nrunning {} tests\n",
        results.len()
    );
    let of = |word: &str| results.iter().filter(|r| r.ends_with(word)).count();
    for result in results {
        let (name, status) = result.split_once(' ').expect("name and status");
        let _ = writeln!(out, "test {name} ... {status}");
    }
    out.push_str("\nfailures:\n\n");
    for (name, _) in results.iter().filter_map(|r| r.split_once(' ')).filter(|(_, status)| *status == "FAILED") {
        let _ = writeln!(
            out,
            "---- {name} stdout ----\nthread '{name}' ({time}) panicked at src/lib.rs:{time}:5:\nnot yet, at 12:00:{time:02}\n"
        );
    }
    let (passed, failed, ignored) = (of(" ok"), of(" FAILED"), of(" ignored"));
    let word = if failed > 0 { "FAILED" } else { "ok" };
    let _ = writeln!(
        out,
        "test result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out; finished in 0.{time}s"
    );
    read("cargo test", if failed > 0 { 101 } else { 0 }, &out)
}

fn read(command: &str, code: i32, out: &str) -> CheckReport {
    check::read("tests_pass", &Command::Shell(command.to_owned()), Ended::Exited(code), out.as_bytes(), b"")
}

pub(crate) fn change(diff: &DiffFacts, id: Uuid) -> BuildResult {
    // Another commit and another tree each time: they say nothing.
    let (commit, tree) = (format!("c{id}"), format!("t{id}"));
    BuildResult::Change {
        commit,
        tree,
        stat: diff.stat(),
        substance: substance(diff),
        only_whitespace: diff.only_whitespace(),
    }
}

/// The whole change of a round against the base.
pub(crate) fn diff(parts: &[String]) -> DiffFacts {
    let mut files: Vec<FileChange> = Vec::new();
    let mut line = 1;
    for part in parts {
        let words: Vec<&str> = part.split(' ').collect();
        match words.as_slice() {
            ["@", number] => line = number.parse().expect("a line"),
            ["~", path] => files.push(file(path, ChangeKind::Modified)),
            ["new", path] => files.push(file(path, ChangeKind::Added)),
            ["gone", path] => files.push(file(path, ChangeKind::Deleted)),
            ["mode", path] => files.push(FileChange { new_mode: 0o100_755, ..file(path, ChangeKind::Modified) }),
            ["moved", from, to] => {
                files.push(FileChange { old_path: Some((*from).to_owned()), ..file(to, ChangeKind::Renamed) })
            }
            ["bytes", path, size] => files.push(FileChange {
                binary: true,
                size: size.parse().expect("a size"),
                ..file(path, ChangeKind::Modified)
            }),
            ["+", ..] => lines(&mut files).added.push((line, text(part))),
            ["-", ..] => lines(&mut files).removed.push((line, text(part))),
            _ => {}
        }
        line += 1;
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    DiffFacts { files }
}

fn file(path: &str, kind: ChangeKind) -> FileChange {
    let (path, old_path) = (path.to_owned(), None);
    let old_mode = if kind == ChangeKind::Added { 0 } else { 0o100_644 };
    let new_mode = if kind == ChangeKind::Deleted { 0 } else { 0o100_644 };
    FileChange {
        path,
        old_path,
        kind,
        old_mode,
        new_mode,
        binary: false,
        size: 1,
        added: Vec::new(),
        removed: Vec::new(),
    }
}

fn lines(files: &mut [FileChange]) -> &mut FileChange {
    files.last_mut().expect("a file before its lines")
}

fn text(part: &str) -> String {
    part[1..].replace("\\r", "\r")
}

//! Loop files with mistakes that people make: exactly these diagnostics at exactly these places, all of them.
#![expect(clippy::disallowed_methods, reason = "the samples are files; the core itself reads none")]

use std::fs;
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use loopwright_core::definition::{read, read_bytes_on};
use loopwright_core::diagnostic::{Diagnostic, Severity};

const SEED: &str = include_str!("../../../tests/samples/seed/loop.yaml");

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/samples/bad")
}

/// A diagnostic as the table has it.
fn line(name: &str, d: &Diagnostic) -> String {
    let help = d.help.as_deref().unwrap_or_default();
    format!("{name} | {} | {} | {} | {} | {help}", d.span.line, d.span.column, d.code, d.message)
}

#[test]
fn every_bad_file_is_refused_with_exactly_these_faults() {
    let mut files: Vec<PathBuf> = fs::read_dir(samples())
        .expect("the samples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    assert!(files.len() >= 500, "{} bad files", files.len());
    // What is too far away is refused by the day on which somebody is about to use it.
    let today = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");
    let (mut found, mut accepted, mut several) = (Vec::new(), Vec::new(), 0);
    for path in files {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let reading = read_bytes_on(&fs::read(&path).expect("a file"), today);
        for d in &reading.diagnostics {
            assert!(d.help.as_ref().is_some_and(|h| !h.is_empty()), "{name}: {d:?}");
        }
        several += usize::from(reading.diagnostics.len() > 1);
        found.extend(reading.diagnostics.iter().map(|d| line(&name, d)));
        accepted.extend(reading.definition.is_some().then_some(name));
    }
    assert_eq!(accepted, [""; 0], "are accepted");
    assert!(several >= 15, "{several} files with several faults");
    let expected = fs::read_to_string(samples().join("expected.txt")).expect("the table");
    let expected: Vec<&str> = expected.lines().filter(|l| !l.starts_with('#')).collect();
    let differ = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    assert!(found == expected, "first: {differ:#?}\nfound:\n{}", found.join("\n"));
}

#[test]
fn the_seed_without_one_of_its_rails_is_refused_at_the_line_of_the_rails() {
    for rail in ["max_iterations", "budget", "halt_on"] {
        let without: String =
            SEED.lines().filter(|line| !line.trim_start().starts_with(rail)).map(|line| format!("{line}\n")).collect();
        let reading = read(&without);
        assert!(reading.definition.is_none(), "a loop without {rail} is accepted");
        let [d] = &reading.diagnostics[..] else { panic!("{:?}", reading.diagnostics) };
        assert_eq!((d.code, d.severity, d.span.line), ("missing-key", Severity::Error, 23), "{rail}");
        assert!(d.message.contains(rail), "{}", d.message);
    }
    // Control: with all three it is accepted.
    assert!(read(SEED).definition.is_some());
}

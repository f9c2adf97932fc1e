//! Drafts of the shipped templates: valid, the template's own meaning, and readable.

use super::*;
use crate::definition::{Definition, read};

const TRIAGE: &str = include_str!("../../../templates/daily-triage/loop.yaml");
const TIDY: &str = include_str!("../../../templates/tidy/loop.yaml");
const REPORT: &str = include_str!("../../../templates/report/loop.yaml");
const SWEEP: &str = include_str!("../../../templates/todo-sweep/loop.yaml");

fn argv(line: &str) -> Command {
    Command::Argv(line.split(' ').map(str::to_owned).collect())
}

fn check(gate: &str, commands: &[Command], origin: &str) -> Check {
    Check { gate: gate.to_owned(), commands: commands.to_vec(), origin: origin.to_owned() }
}

fn cargo() -> Vec<Check> {
    vec![
        check("tests_pass", &[argv("cargo test --no-fail-fast")], "Cargo.toml"),
        check("lint_clean", &[argv("cargo fmt --all --check"), argv("cargo clippy -- --cap-lints warn")], "Cargo.toml"),
    ]
}

fn drafted(template: &str, facts: &Facts<'_>) -> Definition {
    let text = draft(template, facts);
    let reading = read(&text);
    assert!(reading.diagnostics.is_empty(), "{:?}\n{text}", reading.diagnostics);
    reading.definition.expect("a valid loop")
}

#[test]
fn a_rust_repository_gets_its_checks_written_out() {
    let facts = Facts { name: "daily-triage", repo: Some("/home/ada/my shop"), checks: &cargo() };
    insta::assert_snapshot!(draft(TRIAGE, &facts));
}

#[test]
fn a_repository_without_checks_gets_a_loop_that_reports() {
    let facts = Facts { name: "report", repo: None, checks: &[] };
    assert!(drafted(REPORT, &facts).work.is_none());
    insta::assert_snapshot!(draft(REPORT, &facts));
}

/// A draft says what its template says, but for name, repository and checks.
#[test]
fn a_draft_means_what_its_template_means() {
    for template in [TRIAGE, TIDY, REPORT, SWEEP] {
        let checks = cargo();
        let facts = Facts { name: "a-2", repo: Some("/r"), checks: &checks };
        let (plain, mut made) = (read(template).definition.expect("a template"), drafted(template, &facts));
        assert_eq!((made.name.as_str(), made.repo.as_deref()), ("a-2", Some("/r")));
        let written: Vec<_> = made.checks.values().flatten().collect();
        let used: &[Check] = if [TRIAGE, TIDY].contains(&template) { &checks } else { &[] };
        let found: Vec<_> = used.iter().rev().flat_map(|c| &c.commands).collect();
        assert_eq!(written, found);
        made.name = plain.name.clone();
        (made.repo, made.checks) = (None, plain.checks.clone());
        assert_eq!(made, plain);
    }
}

#[test]
fn a_gate_without_a_command_is_left_out_and_named() {
    let only_tests = [check("tests_pass", &[argv("go test ./...")], "go.mod")];
    let facts = Facts { name: "x", repo: None, checks: &only_tests };
    let work = drafted(TRIAGE, &facts).work.expect("work");
    assert_eq!(work.verify.check.to_string(), "tests_pass AND diff_reasonable");
    assert_eq!(missing(TRIAGE, &only_tests), ["lint_clean"]);
    assert_eq!(missing(TRIAGE, &cargo()), [""; 0], "the control");
    let none = drafted(TRIAGE, &Facts { checks: &[], ..facts }).work.expect("work");
    assert_eq!(none.verify.check.to_string(), "diff_reasonable");
}

#[test]
fn every_path_and_every_word_is_read_as_it_was() {
    for odd in [
        "/a b",
        "/it's",
        "/say \"x\"",
        "/new\nline",
        "/tab\there",
        "/#no comment",
        "/colon: x",
        "/ünï¢ode",
        "/a\u{85}b",
        "/a\u{2028}b",
        "/\u{7f}",
        "/back\\slash",
        "/{x}",
        "/*a",
        "/&a",
        "/🦀",
        "/-x",
        "yes",
        "null",
        "1",
        "~",
    ] {
        let checks = [check("tests_pass", &[Command::Argv(vec!["echo".to_owned(), odd.to_owned()])], "a\nb")];
        let made = drafted(TRIAGE, &Facts { name: "x", repo: Some(odd), checks: &checks });
        assert_eq!(made.repo.as_deref(), Some(odd));
        assert_eq!(made.checks["tests_pass"], checks[0].commands, "{odd}");
    }
    let line = Command::Shell("cd a && make test # all".to_owned());
    let checks = [check("tests_pass", std::slice::from_ref(&line), "Makefile")];
    assert_eq!(drafted(TRIAGE, &Facts { name: "x", repo: None, checks: &checks }).checks["tests_pass"], [line]);
}

//! Projects of other kinds than Rust: the template for every morning on each, from a failing test to its pull request.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_tests::stage::{Stage, events, outcomes};
use loopwright_tests::{asked_for, at_hand};
use serde_json::Value;

/// The template with a maker of its own.
fn triage(stage: &Stage, fix: &str) {
    triage_with(stage, fix, "");
}

/// The same with more keys.
fn triage_with(stage: &Stage, fix: &str, more: &str) {
    let template = stage.plain(&["templates", "daily-triage"]).exits(0).out;
    let repo = serde_json::to_string(&stage.repo).expect("a path");
    let own = format!(
        "repo: {repo}\nagents:\n  implementer: {{command: [./fix.sh], price: $0}}\nenv: {{STAGE: {}}}\n{more}",
        stage.mark
    );
    let script = format!("#!/bin/sh\nset -e\n{fix}\n");
    let path = stage.personal_text("daily-triage", &format!("{template}{own}"), &[("fix.sh", &script)]);
    stage.add(&path.display().to_string(), true);
}

/// Runs the loop on a sample project with a maker of this one line; answers with the run.
fn repaired(kind: &str, fix: &str) -> (Stage, Value) {
    let stage = Stage::project(kind);
    triage(&stage, fix);
    let run = stage.run("daily-triage").exits(21).json();
    (stage, run)
}

/// One finding with this title, one change that all gates accept, landed as it is.
fn lands(stage: &Stage, run: &Value, title: &str) {
    assert_eq!(run["row"]["pull_requests"], 1, "{run}");
    let list = stage.triage();
    assert!(list.len() == 1 && list[0].contains(title), "{list:?}");
    let verdict = &outcomes(run, "verified")[0]["verdict"];
    assert_eq!(verdict["level"], "pass", "{verdict}");
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    assert_eq!(stage.approve(&review).exits(0).json()["result"], "merged");
}

/// The checks as discover counted them.
fn checks(run: &Value) -> String {
    outcomes(run, "discovered")[0]["checks"].to_string()
}

/// Where the sandbox has it too.
fn npm() -> bool {
    at_hand("npm", &["/usr/bin/npm", "--version"])
}

#[test]
fn make_with_tap() {
    let (stage, run) = repaired("make", r#"sed -i 's/"Hello, $1"/"Hello, $1!"/' bin/greet.sh"#);
    assert_eq!(checks(&run), r#"["tests_pass: 1 passed, 1 failed","lint_clean: 1 passed, 0 failed"]"#);
    lands(&stage, &run, "Test fails: a name is greeted");
}

#[test]
fn node_with_its_own_test_runner() {
    if !npm() {
        return;
    }
    let (stage, run) = repaired("npm", r"sed -i 's/replace(.-\$.,/replace(\/^-|-$\/g,/' src/slug.js");
    assert_eq!(checks(&run), r#"["tests_pass: 2 passed, 1 failed","lint_clean: 1 passed, 0 failed"]"#);
    lands(&stage, &run, "Test fails: slug > has no hyphen at its ends");
}

/// A package in npm's cache of the person, and in the project a lock file that names it.
fn with_a_dependency(stage: &Stage) {
    let package = stage.beside("three");
    std::fs::create_dir(&package).expect("a folder");
    std::fs::write(package.join("package.json"), r#"{"name": "three", "version": "1.0.0"}"#).expect("a file");
    std::fs::write(package.join("index.js"), "module.exports = 3;\n").expect("a file");
    let npm = |words: &[&str]| {
        let mut command = std::process::Command::new("npm");
        command.args(words).current_dir(&package).env_clear().env("PATH", "/usr/bin:/bin");
        let answer = stage.ask(command.env("HOME", stage.person()).stdin(std::process::Stdio::null()));
        answer.exits(0).out
    };
    let packed: Value = serde_json::from_str(&npm(&["pack", "--json"])).expect("JSON");
    npm(&["cache", "add", "./three-1.0.0.tgz"]);
    let wanted = r#""dependencies": {"three": "1.0.0"}"#;
    let lock = format!(
        r#"{{"name": "slugs", "version": "1.0.0", "lockfileVersion": 3, "packages": {{"": {{"name": "slugs", "version": "1.0.0", {wanted}}},
        "node_modules/three": {{"version": "1.0.0", "resolved": "https://registry.npmjs.org/three/-/three-1.0.0.tgz", "integrity": {}}}}}}}"#,
        packed[0]["integrity"]
    );
    stage.write("package-lock.json", &lock);
    let scripts = r#""scripts": {"test": "node --test"}"#;
    stage.write(
        "package.json",
        &format!(r#"{{"name": "slugs", "version": "1.0.0", "type": "module", {scripts}, {wanted}}}"#),
    );
    let test = "import test from 'node:test';\nimport three from 'three';\ntest('three is odd', () => { if (three % 2 !== 1) throw new Error('even'); });\n";
    stage.write("test/three.test.js", test);
    stage.commit("a dependency");
}

#[test]
fn npm_ci_takes_what_was_downloaded_before() {
    if !npm() {
        return;
    }
    let fix = r"sed -i 's/replace(.-\$.,/replace(\/^-|-$\/g,/' src/slug.js";
    let stage = Stage::project("npm");
    with_a_dependency(&stage);
    std::fs::write(stage.person().join(".npmrc"), "//registry.npmjs.org/:_authToken=secret\n").expect("a token");
    triage_with(&stage, &format!("if cat /home/agent/.npmrc; then exit 9; fi\n{fix}"), "setup: [npm, ci]\n");
    let run = stage.run("daily-triage").exits(21).json();
    assert!(checks(&run).starts_with(r#"["tests_pass: 3 passed, 1 failed""#), "{}", checks(&run));
    assert_eq!(run["row"]["pull_requests"], 1, "{run}");

    // The control: without the downloads there is nothing to take.
    let stage = Stage::project("npm");
    with_a_dependency(&stage);
    std::fs::remove_dir_all(stage.person().join(".npm")).expect("the cache");
    triage_with(&stage, fix, "setup: [npm, ci]\n");
    let run = stage.run("daily-triage").exits(1).json();
    let why = run["row"]["end"]["why"].to_string();
    assert!(why.contains("env_not_ready: `npm ci` (setup)"), "{why}");
}

/// The control of the others: a maker that makes the check itself say yes gets nowhere.
#[test]
fn what_is_judged_does_not_decide_how() {
    for (kind, cheat) in [
        (
            "make",
            r"printf 'test:\n\t@echo 1..2; echo ok - a name is greeted; echo ok - nobody is greeted too\nlint:\n' > Makefile",
        ),
        ("npm", r#"sed -i 's/"node --test"/"echo TAP version 13; echo 1..0"/' package.json"#),
    ] {
        if kind == "npm" && !npm() {
            continue;
        }
        let (stage, run) = repaired(kind, cheat);
        assert_eq!(stage.reviews().len(), 0, "{kind}: {run}");
        let verdict = &outcomes(&run, "verified")[0]["verdict"];
        assert!(verdict["reasons"].to_string().contains("still fails"), "{kind}: {verdict}");
    }
}

#[test]
fn a_project_without_checks_is_told_so() {
    let stage = Stage::project("none");
    let template = stage.plain(&["templates", "tidy"]).exits(0).out;
    let repo = serde_json::to_string(&stage.repo).expect("a path");
    let text = format!("{template}repo: {repo}\nenv: {{STAGE: {}}}\n", stage.mark);
    stage.add(&stage.personal_text("tidy", &text, &[]).display().to_string(), false);
    let refused = stage.run("tidy").exits(1);
    assert!(refused.message().contains("no checks were detected"), "{refused:?}");
    // The control: what looks elsewhere too, runs.
    triage(&stage, "true");
    stage.run("daily-triage").exits(20);
}

#[test]
fn go_with_its_own_tools() {
    if !asked_for("go", &["/usr/bin/go", "version"]) {
        return;
    }
    let (stage, run) =
        repaired("go", r#"sed -i 's/strings.Count(text, " ") + 1/len(strings.Fields(text))/' words/words.go"#);
    assert_eq!(checks(&run), r#"["tests_pass: 2 passed, 2 failed","lint_clean: 2 passed, 0 failed"]"#);
    lands(&stage, &run, "Test fails: TestCount (and 1 more)");
}

#[test]
fn python_with_pytest() {
    if !asked_for("pytest", &["/usr/bin/pytest-3", "--version"]) {
        return;
    }
    let (stage, run) = repaired("pytest", r#"sed -i 's/("the ", "a ")/("the ", "an ", "a ")/' src/shelf/__init__.py"#);
    assert!(checks(&run).starts_with(r#"["tests_pass: 5 passed, 1 failed""#), "{}", checks(&run));
    // Nobody configured a linter: that gate is absent, so a person looks.
    assert_eq!(outcomes(&run, "verified")[0]["verdict"]["level"], "needs_person");
    assert_eq!(stage.reviews().len(), 1);
    assert_eq!(events(&run, "run_ended")[0]["end"]["state"], "finished");
}

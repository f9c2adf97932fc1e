//! The template dependency-updates with a registry on this machine: what is newer is fetched by the one step with a network,
//! made without one, judged by the project's tests, and lands.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::path::PathBuf;
use std::process::Command;

use loopwright_tests::faults::full;
use loopwright_tests::registry::Registry;
use loopwright_tests::stage::{Answer, Stage, outcomes};
use loopwright_tests::{at_hand, tell};
use serde_json::Value;

/// The hosts that the template is granted.
const HOSTS: &str = "network: [index.crates.io:443, static.crates.io:443, registry.npmjs.org:443]";

/// A verb with the toolchains of whoever runs the tests, which a bare stage does not have.
fn with_toolchains(stage: &Stage, words: &[&str]) -> Answer {
    let mut command = stage.command(words);
    toolchains(&mut command);
    stage.ask(command.arg("--json"))
}

fn toolchains(command: &mut Command) {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let set = |name: &str, below: &str| std::env::var_os(name).map_or_else(|| home.join(below), PathBuf::from);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("RUSTUP_HOME", set("RUSTUP_HOME", ".rustup"));
    command.env("CARGO_HOME", set("CARGO_HOME", ".cargo"));
}

/// Runs a program of the person in the repository, with a network.
fn person(stage: &Stage, words: &[&str]) {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).current_dir(&stage.repo).env_clear();
    toolchains(&mut command);
    command.env("HOME", stage.person()).env("CARGO_HOME", stage.person().join(".cargo"));
    let mut answer = None;
    stage.edit(|| answer = Some(stage.ask(&mut command)));
    answer.expect("it was asked").exits(0);
}

/// Adds the template with a grant for this registry and nothing else; `more` is changed too.
fn add(stage: &Stage, registry: &Registry, more: &[(&str, &str)]) {
    let granted = format!("network: [localhost:{}]", registry.port);
    let repo = format!("repo: {:?}\ntrigger:", stage.repo);
    let changes =
        [&[(HOSTS, granted.as_str()), ("trigger:", repo.as_str()), ("every: 1m", "every: 1s")], more].concat();
    let path = stage.template("dependency-updates", &changes);
    stage.add(&path.display().to_string(), true);
}

fn run(stage: &Stage) -> Value {
    let answer = with_toolchains(stage, &["run", "dependency-updates"]);
    let run = stage.last();
    assert_eq!(answer.code, 21, "{answer:?}\n{run:#}");
    run
}

fn titles(stage: &Stage) -> Vec<String> {
    let mut titles: Vec<String> =
        stage.reviews().iter().map(|row| row["title"].as_str().expect("a title").to_owned()).collect();
    titles.sort();
    titles
}

fn land_the_only_one(stage: &Stage) {
    let reviews = stage.reviews();
    let [review] = &reviews[..] else { panic!("{reviews:?}") };
    let review = stage.review(review["id"].as_str().expect("an id"));
    assert_eq!(stage.approve(&review).exits(0).json()["result"], "merged");
}

/// A crate that depends on two others, each of which has a newer version: one that is good, one that breaks a test.
fn cargo_project(registry: &Registry) -> Stage {
    let stage = Stage::empty();
    registry.publish_crate("greeter", "1.0.0", "pub fn hello() -> &'static str { \"hello\" }\n");
    registry.publish_crate("counter", "0.1.0", "pub fn one() -> u32 { 1 }\n");
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
                    [dependencies]\ngreeter = \"1.0\"\ncounter = { version = \"0.1\" }\n";
    let source = "#[test]\nfn greets() {\n    assert!(greeter::hello().starts_with(\"hello\"));\n}\n\n\
                  #[test]\nfn counts() {\n    assert_eq!(counter::one(), 1);\n}\n";
    let config = format!(
        "[source.crates-io]\nreplace-with = \"here\"\n\n[source.here]\nregistry = \"sparse+http://localhost:{}/index/\"\n",
        registry.port
    );
    for (path, text) in
        [("Cargo.toml", manifest), ("src/lib.rs", source), (".cargo/config.toml", &config), (".gitignore", "target\n")]
    {
        stage.write(path, text);
    }
    person(&stage, &["git", "init", "--quiet", "--initial-branch=main"]);
    person(&stage, &["cargo", "generate-lockfile", "--quiet"]);
    stage.commit("a shop");
    registry.publish_crate("greeter", "1.1.0", "pub fn hello() -> &'static str { \"hello, world\" }\n");
    registry.publish_crate("counter", "0.2.0", "pub fn one() -> u32 { 2 }\n");
    stage
}

#[test]
fn what_is_newer_and_good_lands_and_what_breaks_a_test_is_handed_over() {
    let registry = Registry::start();
    let stage = cargo_project(&registry);
    add(&stage, &registry, &[]);
    let first = run(&stage);
    assert_eq!(titles(&stage), ["Update greeter from 1.0.0 to 1.1.0"], "{first:#}");
    assert_eq!(first["row"]["handed_over"], 1, "counter breaks a test: {first:#}");
    let levels: Vec<&str> =
        outcomes(&first, "verified").iter().filter_map(|v| v["verdict"]["level"].as_str()).collect();
    assert!(levels.contains(&"needs_person") && levels.contains(&"fail"), "a lock file asks for a person: {levels:?}");
    land_the_only_one(&stage);
    let lock = std::fs::read_to_string(stage.repo.join("Cargo.lock")).expect("a lock file");
    assert!(lock.contains("name = \"greeter\"\nversion = \"1.1.0\"") && lock.contains("version = \"0.1.0\""), "{lock}");

    if !full() {
        return tell("a second run, for a version that repairs it, only with LOOPWRIGHT_FULL=1");
    }
    // The same finding, another version.
    registry.publish_crate("counter", "0.2.1", "pub fn one() -> u32 { 1 }\n");
    with_toolchains(&stage, &["run", "dependency-updates"]);
    let list = stage.triage();
    assert!(list.iter().any(|line| line.contains("Update counter from 0.1.0 to 0.2.1")), "{list:?}");
    assert!(!list.iter().any(|line| line.contains("greeter")), "it is up to date: {list:?}");
}

#[test]
fn control_without_its_grant_nothing_is_fetched() {
    let registry = Registry::start();
    let stage = cargo_project(&registry);
    let granted = format!("      network: [localhost:{}]\n", registry.port);
    add(&stage, &registry, &[(&granted, ""), ("times: 2, ", "times: 1, ")]);
    let before = registry.asked().len();
    let answer = with_toolchains(&stage, &["run", "dependency-updates"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_eq!(registry.asked().len(), before, "the registry was asked: {:?}", registry.asked());
    assert!(stage.reviews().is_empty());
}

#[test]
fn packages_of_npm() {
    if !at_hand("updates of npm packages", &["/usr/bin/npm", "--version"]) {
        return;
    }
    let registry = Registry::start();
    let stage = Stage::empty();
    registry.publish_package("three", "1.0.0", "module.exports = 3;\n");
    registry.publish_package("seven", "1.0.0", "module.exports = 7;\n");
    let manifest = r#"{
  "name": "shop",
  "version": "1.0.0",
  "scripts": {"test": "node --test"},
  "dependencies": {"three": "^1.0.0", "seven": "1.0.0"}
}
"#;
    let test = "const test = require('node:test');\n\
                test('three is odd', () => { if (require('three') % 2 !== 1) throw new Error('even'); });\n\
                test('seven is odd', () => { if (require('seven') % 2 !== 1) throw new Error('even'); });\n";
    let npmrc = format!("registry=http://localhost:{}/\n", registry.port);
    for (path, text) in
        [("package.json", manifest), ("test/odd.test.js", test), (".npmrc", &npmrc), (".gitignore", "node_modules\n")]
    {
        stage.write(path, text);
    }
    person(&stage, &["git", "init", "--quiet", "--initial-branch=main"]);
    person(&stage, &["npm", "install", "--package-lock-only", "--silent"]);
    stage.commit("a shop");
    registry.publish_package("three", "1.2.0", "module.exports = 5;\n");
    registry.publish_package("seven", "2.0.0", "module.exports = 8;\n");
    let checks = ("# checks:\n#   tests_pass: npm ci", "checks:\n  tests_pass: npm ci");
    add(&stage, &registry, &[checks]);
    let first = run(&stage);
    assert_eq!(titles(&stage), ["Update three from 1.0.0 to 1.2.0"], "{first:#}");
    assert_eq!(first["row"]["handed_over"], 1, "seven breaks a test: {first:#}");
    land_the_only_one(&stage);
}

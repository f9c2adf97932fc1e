//! Node: the scripts `test` and `lint` of package.json, asked for an output that names each test where their program can.

use loopwright_core::definition::Command;
use serde_json::Value;

use super::{DetectedCheck, LINTS, Look, TESTS, check};

const FILE: &str = "package.json";

/// What npm writes into a new package.json.
const PLACEHOLDER: &str = "no test specified";

/// Where eslint and prettier keep what they are told.
const ESLINT: [&str; 9] = [
    "eslint.config.js",
    "eslint.config.mjs",
    "eslint.config.cjs",
    "eslint.config.ts",
    ".eslintrc",
    ".eslintrc.js",
    ".eslintrc.cjs",
    ".eslintrc.json",
    ".eslintrc.yml",
];
const PRETTIER: [&str; 6] = [
    ".prettierrc",
    ".prettierrc.json",
    ".prettierrc.yml",
    ".prettierrc.yaml",
    "prettier.config.js",
    "prettier.config.mjs",
];

/// The program that runs scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runner {
    Npm,
    Pnpm,
    Yarn,
}

/// How a script is made to say more: words behind it, and a variable before it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    words: &'static [&'static str],
    variable: Option<&'static str>,
}

/// The checks of a Node project.
pub(super) fn checks(look: &Look<'_>) -> Vec<DetectedCheck> {
    let Some(package) = look(FILE).and_then(|text| serde_json::from_str::<Value>(&text).ok()) else {
        return Vec::new();
    };
    let runner = runner(&package, look);
    let script =
        |name: &str| package["scripts"][name].as_str().filter(|s| !s.trim().is_empty() && !s.contains(PLACEHOLDER));
    let tests = script("test").map(|s| run(TESTS, runner, "test", &asked_of_tests(s)));
    let lint = script("lint").map(|s| run(LINTS, runner, "lint", &asked_of_lint(s)));
    tests.into_iter().chain(lint.or_else(|| configured(look))).collect()
}

fn runner(package: &Value, look: &Look<'_>) -> Runner {
    let named = package["packageManager"].as_str().unwrap_or_default();
    match named.split('@').next() {
        Some("pnpm") => Runner::Pnpm,
        Some("yarn") => Runner::Yarn,
        Some("npm") => Runner::Npm,
        _ if look("pnpm-lock.yaml").is_some() => Runner::Pnpm,
        _ if look("yarn.lock").is_some() => Runner::Yarn,
        _ => Runner::Npm,
    }
}

fn run(gate: &str, runner: Runner, script: &str, asked: &Asked) -> DetectedCheck {
    // Without CI some programs wait for changes instead of ending.
    let mut words = vec!["env", "CI=true"];
    words.extend(asked.variable);
    let (program, before): (&str, &[&str]) = match runner {
        Runner::Npm => ("npm", &["run", "--silent", script]),
        Runner::Pnpm => ("pnpm", &["--silent", "run", script]),
        Runner::Yarn => ("yarn", &["run", script]),
    };
    words.push(program);
    words.extend(before);
    if runner == Runner::Npm && !asked.words.is_empty() {
        words.push("--");
    }
    words.extend(asked.words);
    let command = Command::Argv(words.into_iter().map(str::to_owned).collect());
    let version = format!("{program} --version");
    check(gate, &format!("{FILE} (scripts.{script})"), [command], &["node --version", &version])
}

/// What makes the tests of a script say each by name.
fn asked_of_tests(script: &str) -> Asked {
    let Some(words) = last_command(script) else { return Asked::default() };
    let has = |word: &str| words.contains(&word);
    let reports = words.iter().any(|w| w.starts_with("--reporter") || w.starts_with("--test-reporter") || *w == "-R");
    match words[0] {
        _ if reports => Asked::default(),
        "node" if has("--test") => Asked { variable: Some("NODE_OPTIONS=--test-reporter=tap"), ..Asked::default() },
        "jest" => Asked { words: &["--json"], ..Asked::default() },
        "vitest" => Asked { words: &["--run", "--reporter=json"], ..Asked::default() },
        "mocha" => Asked { words: &["--reporter", "tap"], ..Asked::default() },
        _ => Asked::default(),
    }
}

/// What makes the lints of a script say each by rule and file.
fn asked_of_lint(script: &str) -> Asked {
    let words = last_command(script).unwrap_or_default();
    let plain = !words.iter().any(|w| w.starts_with("--format") || *w == "-f");
    match words.first() {
        Some(&"eslint") if plain && !script.contains("&&") => {
            Asked { words: &["--format", "json"], ..Asked::default() }
        }
        _ => Asked::default(),
    }
}

/// The words of the command that gets what stands behind a script; none where that is more than one simple command.
fn last_command(script: &str) -> Option<Vec<&str>> {
    let last = script.rsplit("&&").next()?;
    if last.contains(['|', ';', '&', '>', '<', '$', '`', '(', '#']) {
        return None;
    }
    let before = |w: &&str| matches!(*w, "npx" | "cross-env" | "pnpm" | "exec" | "yarn") || w.contains('=');
    let words: Vec<&str> = last.split_whitespace().skip_while(before).collect();
    (!words.is_empty()).then_some(words)
}

/// eslint and prettier as they are configured, where no script runs them.
fn configured(look: &Look<'_>) -> Option<DetectedCheck> {
    let npx = |line: &str| super::line(&format!("npx --no-install {line}"));
    let any = |files: &[&str]| files.iter().any(|f| look(f).is_some());
    let eslint = any(&ESLINT).then(|| npx("eslint --format json ."));
    let prettier = any(&PRETTIER).then(|| npx("prettier --check ."));
    let commands: Vec<Command> = eslint.into_iter().chain(prettier).collect();
    let programs = ["node --version", "npx --version"];
    (!commands.is_empty()).then(|| check(LINTS, "the configuration of eslint or prettier", commands, &programs))
}

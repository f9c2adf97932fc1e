//! Which checks a repository has, from the files at its root.
//!
//! Cargo, then Node, Python, Go, Make: for each gate the first kind that has it. Folders below the root are not looked into:
//! a repository of several projects names its checks itself.

use loopwright_core::definition::Command;

mod makefile;
mod node;
mod python;

pub(crate) use python::RUFF;

/// The checks that were found; a loop's own `checks:` replace those of the same name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectedChecks {
    /// Each once, in the order in which they are run.
    pub checks: Vec<DetectedCheck>,
}

/// One check that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetectedCheck {
    /// The gate's name.
    pub name: String,
    /// What is run.
    pub commands: Vec<Command>,
    /// Why it is there, for people: `detected: Cargo.toml`.
    pub origin: String,
    /// Commands that end with 0 if the check's programs exist.
    pub probes: Vec<Command>,
}

impl DetectedChecks {
    /// The check of a name.
    pub fn get(&self, name: &str) -> Option<&DetectedCheck> {
        self.checks.iter().find(|c| c.name == name)
    }
}

/// Answers with what stands at a path relative to the root: the text of a file, nothing of a folder (an empty text).
pub type Look<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The gate that runs tests.
const TESTS: &str = "tests_pass";
/// The gate that lints.
const LINTS: &str = "lint_clean";

/// Finds the checks of a repository.
pub fn detect(look: &Look<'_>) -> DetectedChecks {
    let kinds = [cargo(look), node::checks(look), python::checks(look), go(look), makefile::checks(look)];
    let found: Vec<DetectedCheck> = kinds.into_iter().flatten().collect();
    let first = |name: &str| found.iter().find(|c| c.name == name).cloned();
    DetectedChecks { checks: [first(TESTS), first(LINTS)].into_iter().flatten().collect() }
}

fn cargo(look: &Look<'_>) -> Vec<DetectedCheck> {
    if look("Cargo.toml").is_none() {
        return Vec::new();
    }
    // A denied lint would end the build and hide what comes after it; capped, every lint is reported as a case.
    let clippy = "cargo clippy --all-targets --message-format=json -- --cap-lints warn";
    let lints = [line("cargo fmt --all --check"), line(clippy)];
    vec![
        check(TESTS, "Cargo.toml", [line("cargo test --no-fail-fast")], &["cargo --version"]),
        check(LINTS, "Cargo.toml", lints, &["cargo fmt --version", "cargo clippy --version"]),
    ]
}

fn go(look: &Look<'_>) -> Vec<DetectedCheck> {
    if look("go.mod").is_none() {
        return Vec::new();
    }
    let format = match look("vendor/modules.txt") {
        None => line("gofmt -l ."),
        Some(_) => line("find . -name *.go -not -path ./vendor/* -exec gofmt -l {} +"),
    };
    vec![
        check(TESTS, "go.mod", [line("go test -json ./...")], &["go version"]),
        check(LINTS, "go.mod", [format, line("go vet -json ./...")], &["go version"]),
    ]
}

/// A command whose words hold no white space.
fn line(line: &str) -> Command {
    Command::Argv(line.split(' ').map(str::to_owned).collect())
}

fn check(name: &str, file: &str, commands: impl IntoIterator<Item = Command>, probes: &[&str]) -> DetectedCheck {
    DetectedCheck {
        name: name.to_owned(),
        commands: commands.into_iter().collect(),
        origin: format!("detected: {file}"),
        probes: probes.iter().map(|p| line(p)).collect(),
    }
}

#[cfg(test)]
mod tests;

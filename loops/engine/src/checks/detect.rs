//! Which checks a repository has, from the files at its root.

use loopwright_core::definition::Command;

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

/// Finds the checks of a repository; `files` tells whether a path relative to its root is a file.
pub fn detect(files: &dyn Fn(&str) -> bool) -> DetectedChecks {
    let mut checks = Vec::new();
    if files("Cargo.toml") {
        checks.extend(cargo());
    }
    DetectedChecks { checks }
}

fn cargo() -> [DetectedCheck; 2] {
    let command = |line: &str| Command::Argv(line.split(' ').map(str::to_owned).collect());
    let check = |name: &str, commands: &[&str], probes: &[&str]| DetectedCheck {
        name: name.to_owned(),
        commands: commands.iter().map(|c| command(c)).collect(),
        origin: "detected: Cargo.toml".to_owned(),
        probes: probes.iter().map(|p| command(p)).collect(),
    };
    // A denied lint would end the build and hide what comes after it; capped, every lint is reported as a case.
    let clippy = "cargo clippy --all-targets --message-format=json -- --cap-lints warn";
    [
        check("tests_pass", &["cargo test --no-fail-fast"], &["cargo --version"]),
        check("lint_clean", &["cargo fmt --all --check", clippy], &["cargo fmt --version", "cargo clippy --version"]),
    ]
}

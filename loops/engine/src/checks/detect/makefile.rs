//! Make: the targets `test` or `check`, and `lint`. How their output is read is told by the output; else their end counts.

use super::{DetectedCheck, LINTS, Look, TESTS, check, line};

/// In the order in which make looks for them.
const FILES: [&str; 3] = ["GNUmakefile", "makefile", "Makefile"];

/// The checks of a project with a makefile.
pub(super) fn checks(look: &Look<'_>) -> Vec<DetectedCheck> {
    let Some((file, text)) = FILES.into_iter().find_map(|file| Some((file, look(file)?))) else {
        return Vec::new();
    };
    let targets: Vec<&str> = text.lines().filter_map(rule).flatten().collect();
    let first = |names: &[&'static str]| names.iter().copied().find(|name| targets.contains(name));
    let made = |gate: &str, names: &[&'static str]| {
        let target = first(names)?;
        // With its file named, gates run the base's: what is judged does not decide how.
        let command = line(&format!("make -f {file} {target}"));
        Some(check(gate, &format!("{file} ({target})"), [command], &["make --version"]))
    };
    [made(TESTS, &["test", "tests", "check"]), made(LINTS, &["lint"])].into_iter().flatten().collect()
}

/// The targets of a line such as `test check: build`; none of an assignment or a recipe.
fn rule(line: &str) -> Option<impl Iterator<Item = &str>> {
    let (targets, rest) = line.split_once(':')?;
    let assigns = rest.starts_with('=') || rest.starts_with(":=") || targets.contains(['=', '#']);
    let recipe = line.starts_with(['\t', ' ', '.']);
    (!assigns && !recipe).then(|| targets.split_whitespace())
}

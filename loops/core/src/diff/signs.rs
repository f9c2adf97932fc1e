//! Signs in changed lines that a check says less than before: tests removed, skipped or emptied, lints silenced.

use super::FileChange;

/// What a line may be a sign of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Declares a test.
    Test,
    /// Asserts something.
    Assertion,
    /// Takes a test out.
    Skip,
    /// Lets a failure pass.
    Tolerance,
    /// Silences a lint.
    Silence,
    /// Turns a test's outcome around.
    Panic,
}

const TESTS: [&str; 16] = [
    "#[test]",
    "#[tokio::test",
    "#[rstest",
    "#[test_case",
    "#[quickcheck",
    "#[wasm_bindgen_test",
    "def test_",
    "async def test_",
    "it(",
    "test(",
    "it.each",
    "test.each",
    "func Test",
    "@Test",
    "@ParameterizedTest",
    "@pytest.mark.parametrize",
];
const ASSERTIONS: [&str; 12] = [
    "assert!",
    "assert_eq!",
    "assert_ne!",
    "assert_matches!",
    "prop_assert",
    "assert ",
    "assert(",
    "self.assert",
    "expect(",
    "await expect(",
    "insta::assert",
    "assert.",
];
const SKIPS: [&str; 18] = [
    "#[ignore",
    "cfg_attr(",
    "#[cfg(any())]",
    "#[cfg(false)]",
    "#[cfg(FALSE)]",
    "@pytest.mark.skip",
    "@pytest.mark.xfail",
    "@unittest.skip",
    "pytest.skip(",
    "it.skip(",
    "test.skip(",
    "describe.skip(",
    "it.todo(",
    "xit(",
    "xtest(",
    "xdescribe(",
    "t.Skip(",
    "@Disabled",
];
const SILENCES: [&str; 15] = [
    "#[allow(",
    "#![allow(",
    "#[expect(",
    "#![expect(",
    "#[rustfmt::skip",
    "#![rustfmt::skip",
    "# noqa",
    "# type: ignore",
    "# pylint: disable",
    "eslint-disable",
    "@ts-ignore",
    "@ts-nocheck",
    "@ts-expect-error",
    "//nolint",
    "# rubocop:disable",
];

/// The signs of one line of a file.
pub(super) fn of(path: &str, line: &str) -> Vec<Sign> {
    let line = line.trim();
    let starts = |marks: &[&str]| marks.iter().any(|m| line.starts_with(m));
    let has = |marks: &[&str]| marks.iter().any(|m| line.contains(m));
    let mut signs = Vec::new();
    if is_prose(path) {
        return signs;
    }
    let comment = line.starts_with("//") || line.starts_with("/*");
    if !comment && starts(&TESTS) {
        signs.push(Sign::Test);
    }
    if !comment && starts(&ASSERTIONS) {
        signs.push(Sign::Assertion);
    }
    // `cfg_attr` alone is ordinary; only with `ignore` inside does it take a test out.
    if !comment && has(&SKIPS) && (!line.contains("cfg_attr(") || line.contains("ignore")) && !in_string(line, &SKIPS) {
        signs.push(Sign::Skip);
    }
    if tolerates(path, line) {
        signs.push(Sign::Tolerance);
    }
    if has(&SILENCES) && !in_string(line, &SILENCES) || line.contains("cfg_attr(") && line.contains("allow(") {
        signs.push(Sign::Silence);
    }
    if starts(&["#[should_panic"]) {
        signs.push(Sign::Panic);
    }
    signs
}

/// How often a sign stands in the new lines of a file, and how often in the removed ones.
pub(super) fn count(file: &FileChange, sign: Sign) -> (usize, usize) {
    let old = file.old_path.as_deref().unwrap_or(&file.path);
    let of = |path: &str, lines: &[(u32, String)]| lines.iter().filter(|(_, l)| of(path, l).contains(&sign)).count();
    (of(&file.path, &file.added), of(old, &file.removed))
}

/// Tells whether a file's text changed beyond layout: white space and the commas that formatters add.
pub(super) fn only_layout(file: &FileChange) -> bool {
    let squeezed = |lines: &[(u32, String)]| -> String {
        lines.iter().flat_map(|(_, l)| l.chars()).filter(|c| !c.is_whitespace() && *c != ',').collect()
    };
    squeezed(&file.added) == squeezed(&file.removed)
}

fn is_prose(path: &str) -> bool {
    [".md", ".txt", ".rst", ".adoc", ".lock"].iter().any(|end| path.to_ascii_lowercase().ends_with(end))
}

/// A mark inside of a string literal speaks about it and does nothing.
fn in_string(line: &str, marks: &[&str]) -> bool {
    let first = marks.iter().filter_map(|m| line.find(m)).min();
    first.is_some_and(|at| line[..at].matches('"').count() % 2 == 1)
}

/// `|| true` lets a command of a script fail; in a program's source it is an ordinary expression.
fn tolerates(path: &str, line: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
    let script = ["", "sh", "bash", "zsh", "yml", "yaml", "toml", "json", "mk", "ps1", "cfg", "ini"];
    let marks = [
        "|| true",
        "||true",
        "|| :",
        "|| exit 0",
        "set +e",
        "continue-on-error: true",
        "--passWithNoTests",
        "--cap-lints",
    ];
    script.contains(&extension) && marks.iter().any(|m| line.contains(m))
}

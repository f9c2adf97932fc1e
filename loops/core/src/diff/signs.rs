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
    /// Is compiled for checks alone, or for all but them.
    Apart,
    /// Ends the process, which may be the one that reports on tests.
    Exit,
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

const EXITS: [&str; 6] = ["process::exit", "libc::exit", "libc::_exit", "os._exit(", "process.exit(", "os.Exit("];

/// The signs of one line of a file.
pub(super) fn of(path: &str, line: &str) -> Vec<Sign> {
    let line = line.trim();
    let starts = |marks: &[&str]| marks.iter().any(|m| line.starts_with(m));
    let has = |marks: &[&str]| marks.iter().any(|m| stands(line, m).is_some());
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
    if !comment && is_apart(line) {
        signs.push(Sign::Apart);
    }
    if !comment && has(&EXITS) && !in_string(line, &EXITS) && !is_program(path) {
        signs.push(Sign::Exit);
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

/// Where a mark stands in a line and is not the end of a longer word: `exit(0)` is no `xit(`.
fn stands(line: &str, mark: &str) -> Option<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let begins = |at: &usize| !mark.starts_with(word) || !line[..*at].ends_with(word);
    line.match_indices(mark).map(|(at, _)| at).find(begins)
}

/// `#[cfg(not(clippy))]`, `cfg!(test)` and the like; a plain `#[cfg(test)]` only marks tests.
fn is_apart(line: &str) -> bool {
    let condition = ["cfg(", "cfg!(", "cfg_attr("].iter().filter_map(|m| stands(line, m)).min();
    let Some(condition) = condition.map(|at| &line[at..]) else { return false };
    let has = |word: &str| condition.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word);
    has("clippy") || has("rustfmt") && has("not") || has("test") && (has("not") || condition.starts_with("cfg!("))
}

/// A program's own entry may end it.
fn is_program(path: &str) -> bool {
    path.ends_with("main.rs") || path.contains("/bin/")
}

fn is_prose(path: &str) -> bool {
    [".md", ".txt", ".rst", ".adoc", ".lock"].iter().any(|end| path.to_ascii_lowercase().ends_with(end))
}

/// A mark inside of a string literal speaks about it and does nothing.
fn in_string(line: &str, marks: &[&str]) -> bool {
    let first = marks.iter().filter_map(|m| stands(line, m)).min();
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

//! Clippy's machine-applicable suggestions of one rule, as edits by byte, and the script that makes them in the box.
//!
//! The host never opens the tree: another program may have written it.

use std::collections::BTreeSet;

use serde::Deserialize;

/// One replacement in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edit {
    /// Path relative to the tree.
    pub(super) file: String,
    /// First byte that goes.
    pub(super) start: usize,
    /// The byte after the last that goes.
    pub(super) end: usize,
    /// What comes instead.
    pub(super) text: String,
}

#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Child {
    #[serde(default)]
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<String>,
    expansion: Option<serde::de::IgnoredAny>,
}

/// Reads clippy's JSON messages: the suggestions of `rule` that don't overlap, each whole or not at all.
pub(super) fn of_rule(stdout: &[u8], rule: &str) -> Vec<Edit> {
    let text = String::from_utf8_lossy(stdout);
    let messages = text
        .lines()
        .filter_map(|l| serde_json::from_str::<Line>(l).ok()?.message)
        .filter(|m| m.code.as_ref().is_some_and(|c| c.code == rule));
    // The same suggestion comes once per target that holds the file.
    let suggestions: BTreeSet<Vec<Edit>> = messages
        .flat_map(|m| [m.spans].into_iter().chain(m.children.into_iter().map(|c| c.spans)))
        .filter_map(suggestion)
        .collect();
    let mut taken: Vec<Edit> = Vec::new();
    for edits in suggestions {
        let free = |e: &Edit| taken.iter().all(|t| t.file != e.file || e.end < t.start || t.end < e.start);
        if edits.iter().all(free) {
            taken.extend(edits);
        }
    }
    taken
}

/// The edits of one suggestion, if it can be applied without a person.
fn suggestion(spans: Vec<Span>) -> Option<Vec<Edit>> {
    let parts: Vec<Span> = spans.into_iter().filter(|s| s.suggested_replacement.is_some()).collect();
    let safe = |s: &Span| {
        s.suggestion_applicability.as_deref() == Some("MachineApplicable")
            && s.expansion.is_none()
            && is_inside(&s.file_name)
            && s.byte_start <= s.byte_end
    };
    if parts.is_empty() || !parts.iter().all(safe) {
        return None;
    }
    let mut edits: Vec<Edit> = parts
        .into_iter()
        .map(|s| Edit {
            file: s.file_name,
            start: s.byte_start,
            end: s.byte_end,
            text: s.suggested_replacement.unwrap_or_default(),
        })
        .collect();
    edits.sort();
    Some(edits)
}

fn is_inside(file: &str) -> bool {
    !file.starts_with(['/', '-']) && !file.contains(char::is_control) && file.split('/').all(|part| part != "..")
}

/// A script for `sh` in the tree's root that makes the edits, in each file from the last to the first.
pub(super) fn script(edits: &[Edit]) -> String {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by(|a, b| (&b.file, b.start, b.end).cmp(&(&a.file, a.start, a.end)));
    let mut out = String::from("set -eu\nnew=$(mktemp)\n");
    for edit in sorted {
        let file = edit.file.replace('\'', "'\\''");
        // As octal escapes no byte of the text means anything to the shell.
        let text: String = edit.text.bytes().map(|b| format!("\\{b:03o}")).collect();
        out.push_str(&format!(
            "{{ head -c {} '{file}'; printf '{text}'; tail -c +{} '{file}'; }} > \"$new\"\ncat \"$new\" > '{file}'\n",
            edit.start,
            edit.end + 1,
        ));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[u8] = include_bytes!("../../../../tests/samples/outputs/cargo-clippy-json.stdout");

    #[test]
    fn only_the_rule_that_was_asked_for() {
        let edits = of_rule(SAMPLE, "clippy::needless_return");
        let shown: Vec<String> =
            edits.iter().map(|e| format!("{} {}-{} {:?}", e.file, e.start, e.end, e.text)).collect();
        insta::assert_snapshot!(shown.join("\n"));
        assert!(of_rule(SAMPLE, "clippy::ptr_arg").is_empty(), "not machine-applicable");
        assert!(of_rule(SAMPLE, "dead_code").is_empty(), "no suggestion");
        assert!(of_rule(b"\xff{}\n[]", "x").is_empty());
    }

    #[test]
    fn overlapping_suggestions_wait_and_places_outside_are_never_touched() {
        let line = |file: &str, start: usize, end: usize| {
            format!(
                r#"{{"message":{{"code":{{"code":"r"}},"spans":[{{"file_name":"{file}","byte_start":{start},"byte_end":{end},"suggested_replacement":"x","suggestion_applicability":"MachineApplicable"}}]}}}}"#
            )
        };
        let text =
            [line("a.rs", 0, 5), line("a.rs", 3, 8), line("a.rs", 9, 12), line("../b.rs", 0, 1), line("/c.rs", 0, 1)]
                .join("\n");
        let edits = of_rule(text.as_bytes(), "r");
        assert_eq!(edits.iter().map(|e| e.start).collect::<Vec<_>>(), [0, 9]);
    }

    #[test]
    fn the_script_is_exact_for_any_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("it's.rs");
        std::fs::write(&file, "0123456789\n").expect("a file");
        let edit = |start, end, text: &str| Edit { file: "it's.rs".into(), start, end, text: text.into() };
        let edits = [edit(0, 1, "$(x)%d\\n'\"\n"), edit(4, 4, "é"), edit(9, 11, "")];
        let done = std::process::Command::new("sh").arg("-c").arg(script(&edits)).current_dir(folder.path()).status();
        assert!(done.expect("sh").success());
        assert_eq!(std::fs::read_to_string(&file).expect("the file"), "$(x)%d\\n'\"\n123é45678");
    }
}

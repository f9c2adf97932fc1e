//! Changes of tests that were there before: what they ask, what they expect, and whether they get to their end.
//!
//! New tests, and lines that only join old ones, are not looked at here.

use std::ops::RangeInclusive;

use super::{ChangeKind, DiffFacts, FileChange, paths, signs};
use crate::gate::{GateResult, Level};

/// A Rust file of the change as it was and as it is.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The path after the change.
    pub path: &'a str,
    /// Its text on the base.
    pub before: &'a str,
    /// Its text now.
    pub after: &'a str,
}

/// What is changed in files that hold nothing but tests, and in what tests are compared with.
pub(super) fn tests(facts: &DiffFacts) -> Vec<String> {
    let mut reasons = Vec::new();
    for file in facts.files.iter().filter(|f| matches!(f.kind, ChangeKind::Modified | ChangeKind::Renamed)) {
        let old = file.old_path.as_deref().unwrap_or(&file.path);
        if paths::is_expected(old) && !(file.added.is_empty() && file.removed.is_empty()) {
            reasons.push(format!("changes what tests expect: {}", file.path));
        } else if paths::is_test(old) {
            reasons.extend(told(file, touched(file, &|_| true, &|_| true)));
        }
    }
    let gone = facts.files.iter().filter(|f| f.kind == ChangeKind::Deleted && paths::is_expected(&f.path));
    reasons.extend(gone.map(|f| format!("deletes what tests expect: {}", f.path)));
    reasons
}

/// Adds to the answer of `diff_reasonable` what is changed in the tests that stand among a program's own source.
pub fn judge_inline_tests(mut answer: GateResult, facts: &DiffFacts, sources: &[Source<'_>]) -> GateResult {
    for source in sources {
        let (before, after) = (inline(source.before), inline(source.after));
        let within = |ranges: &[RangeInclusive<u32>], line| ranges.iter().any(|r| r.contains(&line));
        // Additions count only inside of a test that was there: its lines are known by the text, not by the number.
        let old = |line| within(&before, line);
        let new = |line| !before.is_empty() && within(&after, line);
        let file = facts.files.iter().find(|f| f.path == source.path && !paths::is_test(&f.path));
        if let Some(reason) = file.and_then(|f| told(f, touched(f, &old, &new))) {
            answer.level = answer.level.min(Level::NeedsPerson);
            answer.reasons.push(reason);
        }
    }
    answer
}

fn told(file: &FileChange, count: usize) -> Option<String> {
    (count > 0).then(|| format!("changes existing test code ({count}): {}", file.path))
}

/// Counts old lines of tests that are gone or differ, and new ones that end a test early.
fn touched(file: &FileChange, old: &dyn Fn(u32) -> bool, new: &dyn Fn(u32) -> bool) -> usize {
    if signs::only_layout(file) {
        return 0;
    }
    let gone = file.removed.iter().filter(|(n, line)| old(*n) && says_something(line)).count();
    gone + file.added.iter().filter(|(n, line)| new(*n) && ends_early(line)).count()
}

/// Blank lines, comments and imports ask nothing.
fn says_something(line: &str) -> bool {
    let line = line.trim();
    let comment = line.starts_with("//") || (line.starts_with('#') && !line.starts_with("#["));
    !line.is_empty() && !comment && !["use ", "import ", "from "].iter().any(|start| line.starts_with(start))
}

fn ends_early(line: &str) -> bool {
    let line = line.trim();
    line == "return" || ["return;", "return Ok(())", "return None"].iter().any(|end| line.contains(end))
}

/// The lines of `#[cfg(test)]` items and `#[test]` functions, from the attribute to the brace at its own indentation.
fn inline(text: &str) -> Vec<RangeInclusive<u32>> {
    let lines: Vec<&str> = text.lines().collect();
    let number = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
    let starts = (0..lines.len()).filter(|at| is_attribute(lines[*at].trim_start()));
    let range = |at: usize| {
        let indent = &lines[at][..lines[at].len() - lines[at].trim_start().len()];
        let ends = |line: &str| line.strip_prefix(indent).is_some_and(|l| l.starts_with('}'));
        let last = (at..lines.len()).find(|n| ends(lines[*n])).unwrap_or(lines.len() - 1);
        number(at)..=number(last)
    };
    starts.map(range).collect()
}

fn is_attribute(line: &str) -> bool {
    ["#[cfg(test)]", "#[cfg(all(test", "#[test]", "#[tokio::test", "#[rstest", "#[test_case"]
        .iter()
        .any(|mark| line.starts_with(mark))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::{file, judge};

    const BEFORE: &str = "fn f() -> i32 {\n    3\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn three() {\n        assert_eq!(\n            f(),\n            3,\n        );\n    }\n}\n";

    /// What the gate says of one line replaced in, or put before, a line of the source.
    fn judged(line: u32, removed: &[&str], added: &[&str]) -> GateResult {
        let lines = |texts: &[&str]| texts.iter().map(|t| (line, (*t).to_owned())).collect::<Vec<_>>();
        let change = FileChange { removed: lines(removed), added: lines(added), ..file("src/lib.rs", "") };
        let mut after: Vec<&str> = BEFORE.lines().collect();
        let at = usize::try_from(line).expect("a line") - 1;
        after.splice(at..at + removed.len(), added.iter().copied());
        let after = after.join("\n");
        let source = Source { path: "src/lib.rs", before: BEFORE, after: &after };
        let facts = DiffFacts { files: vec![change.clone()] };
        judge_inline_tests(judge(vec![change]), &facts, &[source])
    }

    #[test]
    fn inline_tests_are_told_from_the_program() {
        for (line, removed, added, level) in [
            (2, &["    3"][..], &["    4"][..], Level::Pass),
            (2, &[], &["    return;"], Level::Pass),
            (11, &["            3,"], &["            4,"], Level::NeedsPerson),
            (9, &[], &["        return;"], Level::NeedsPerson),
            (14, &[], &["    #[test]", "    fn four() {", "        assert!(true);", "    }"], Level::Pass),
        ] {
            let result = judged(line, removed, added);
            assert_eq!(result.level, level, "{line} {added:?}: {result:?}");
        }
    }
}

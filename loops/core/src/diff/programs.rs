//! Files of a change that a check's own command names: a script is as much the command as its words.
//!
//! What such a script reads in turn is not followed.

use super::DiffFacts;
use crate::definition::Command;
use crate::gate::{GateResult, Level};

impl DiffFacts {
    /// The changed paths that stand as a word in one of `commands`, old names too.
    pub fn named_in<'c>(&self, commands: impl IntoIterator<Item = &'c Command>) -> Vec<&str> {
        let words: Vec<String> = commands.into_iter().flat_map(words).collect();
        let paths = self.files.iter().flat_map(|f| [Some(f.path.as_str()), f.old_path.as_deref()]);
        let mut found: Vec<&str> = paths.flatten().filter(|path| words.iter().any(|w| w == path)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Adds to the answer of `diff_reasonable` that the change touches what checks run; then a person must look.
pub fn judge_programs(mut answer: GateResult, programs: &[&str]) -> GateResult {
    for path in programs {
        answer.level = answer.level.min(Level::NeedsPerson);
        answer.reasons.push(format!("changes {path} (run by a check; the gates ran the base's)"));
    }
    answer
}

/// The words of a command as paths relative to the root.
fn words(command: &Command) -> Vec<String> {
    let plain = |word: &str| word.strip_prefix("/workspace/").unwrap_or(word).trim_start_matches("./").to_owned();
    let apart = |c: char| c.is_whitespace() || "\"'`;&|()<>=$".contains(c);
    command.argv().iter().flat_map(|word| word.split(apart).chain([word.as_str()])).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::tests::file;

    #[test]
    fn scripts_are_found_in_words_and_lines() {
        let facts = DiffFacts { files: ["ci/a.sh", "ci/b c.sh", "src/x.rs"].map(|path| file(path, "+a line")).into() };
        let argv = |words: &[&str]| Command::Argv(words.iter().map(|w| (*w).to_owned()).collect());
        for (command, named) in [
            (argv(&["sh", "ci/a.sh"]), &["ci/a.sh"][..]),
            (argv(&["./ci/b c.sh", "x"]), &["ci/b c.sh"]),
            (argv(&["/workspace/ci/a.sh"]), &["ci/a.sh"]),
            (Command::Shell("cd . && sh \"./ci/a.sh\";true".to_owned()), &["ci/a.sh"]),
            (Command::Shell("CI=1 sh <ci/a.sh".to_owned()), &["ci/a.sh"]),
            (argv(&["cargo", "test"]), &[]),
            (argv(&["ls", "src", "x.rs"]), &[]),
        ] {
            assert_eq!(facts.named_in([&command]), named, "{command}");
        }
    }
}

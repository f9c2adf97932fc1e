//! Which program fixes what: formatters by the ends of file names, linters by the first part of a rule's name.
//!
//! Only words of commands are made here; running them is the fixer's.

use std::collections::BTreeSet;

use loopwright_core::check::CaseId;

use crate::checks::RUFF;

/// A linter besides clippy that fixes one of its rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linter {
    Eslint,
    Ruff,
}

/// Fixes one rule in the files that are named; 3 says that there was nothing to fix. Asked through its programming interface,
/// as its own `--fix` takes every rule at once.
const ESLINT: &str = "
const [rule, ...files] = process.argv.slice(1);
(async () => {
  const module = require('eslint');
  const ESLint = module.loadESLint ? await module.loadESLint() : module.ESLint;
  const eslint = new ESLint({ fix: (message) => message.ruleId === rule });
  const results = await eslint.lintFiles(files);
  await ESLint.outputFixes(results);
  process.exit(results.some((r) => r.output !== undefined) ? 0 : 3);
})().catch((error) => { console.error(error); process.exit(1); });
";

/// Does nothing where there is no prettier, or where a file is not as it would have it.
const PRETTIER_CHECK: &str = "test -x node_modules/.bin/prettier && exec node_modules/.bin/prettier --check -- \"$@\"";

impl Linter {
    /// The linter of a rule and what the linter itself calls the rule.
    pub(super) fn of(rule: &str) -> Option<(Linter, &str)> {
        let (linter, name) = match rule.split_once("::")? {
            ("eslint", name) => (Linter::Eslint, name),
            ("ruff", name) => (Linter::Ruff, name),
            _ => return None,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_/@".contains(c);
        (name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@') && name.chars().all(plain))
            .then_some((linter, name))
    }

    /// Ends with 0 where these files are formatted, so that they are to stay so.
    pub(super) fn formatted(self, files: &[&str]) -> Vec<String> {
        match self {
            Linter::Eslint => script(PRETTIER_CHECK, "prettier", files),
            Linter::Ruff => script(&format!("{RUFF}format --no-cache --check -- \"$@\""), "ruff", files),
        }
    }

    /// Fixes one rule in these files; see [`Linter::had_nothing`].
    pub(super) fn fix(self, rule: &str, files: &[&str]) -> Vec<String> {
        let words = |first: &[&str]| first.iter().chain([&rule]).chain(files).map(|w| (*w).to_owned()).collect();
        match self {
            Linter::Eslint => words(&["node", "-e", ESLINT, "--"]),
            Linter::Ruff => {
                // What it would do is asked first: fixing says nothing of whether there was anything.
                let ask = format!(
                    "rule=$1; shift; if ( {RUFF}check --no-cache --select \"$rule\" --diff -q -- \"$@\" ) >/dev/null; then exit 3; fi"
                );
                let fix = format!("( {RUFF}check --no-cache --select \"$rule\" --fix-only --exit-zero -- \"$@\" )");
                words(&["sh", "-c", &format!("{ask}\n{fix}"), "ruff"])
            }
        }
    }

    /// The exit code that says that no fix is offered.
    pub(super) fn had_nothing(code: i32) -> bool {
        code == 3
    }

    /// Formats these files.
    pub(super) fn format(self, files: &[&str]) -> Vec<String> {
        match self {
            Linter::Eslint => prettier(files),
            Linter::Ruff => ruff_format(files),
        }
    }

    /// Its name, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Linter::Eslint => "eslint",
            Linter::Ruff => "ruff",
        }
    }
}

/// The commands that format the files of these cases (`format @ path`), each with its name for people.
pub(super) fn formatters(cases: &BTreeSet<CaseId>) -> Vec<(&'static str, Vec<String>)> {
    let files = files(cases);
    let ending = |wanted: &[&str]| -> Vec<&str> {
        files.iter().copied().filter(|f| f.rsplit_once('.').is_some_and(|(_, end)| wanted.contains(&end))).collect()
    };
    let (rust, go, python) = (ending(&["rs"]), ending(&["go"]), ending(&["py", "pyi", "ipynb"]));
    let known = rust.len() + go.len() + python.len();
    let other: Vec<&str> =
        files.iter().copied().filter(|f| ![&rust, &go, &python].iter().any(|of| of.contains(f))).collect();
    let mut found = Vec::new();
    if !rust.is_empty() {
        found.push(("cargo fmt --all", ["cargo", "fmt", "--all"].map(str::to_owned).into()));
    }
    if !go.is_empty() {
        found.push(("gofmt -w", ["gofmt", "-w"].iter().chain(&go).map(|w| dotted(w)).collect()));
    }
    if !python.is_empty() {
        found.push(("ruff format", ruff_format(&python)));
    }
    if known < files.len() {
        found.push(("prettier --write", prettier(&other)));
    }
    found
}

/// The paths behind the `@` of cases.
pub(super) fn files(cases: &BTreeSet<CaseId>) -> Vec<&str> {
    cases.iter().filter_map(|id| id.0.split_once(" @ ")).map(|(_, path)| path).collect()
}

/// gofmt takes what begins with a sign for an option, whatever stands before it.
fn dotted(word: &str) -> String {
    if word.ends_with(".go") { format!("./{word}") } else { word.to_owned() }
}

fn ruff_format(files: &[&str]) -> Vec<String> {
    script(&format!("{RUFF}format --no-cache -- \"$@\""), "ruff", files)
}

fn prettier(files: &[&str]) -> Vec<String> {
    ["npx", "--no-install", "prettier", "--write", "--"].iter().chain(files).map(|w| (*w).to_owned()).collect()
}

fn script(text: &str, name: &str, files: &[&str]) -> Vec<String> {
    ["sh", "-c", text, name].iter().chain(files).map(|w| (*w).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(ids: &[&str]) -> BTreeSet<CaseId> {
        ids.iter().map(|id| CaseId((*id).to_owned())).collect()
    }

    #[test]
    fn each_file_goes_to_its_own_formatter() {
        let all = cases(&["format @ a.rs", "format @ b/-x.go", "format @ c.py", "format @ d.css", "format @ Makefile"]);
        let shown: Vec<String> = formatters(&all)
            .iter()
            .map(|(name, words)| {
                format!("{name}: {}", words.iter().rev().take(2).cloned().collect::<Vec<_>>().join(" "))
            })
            .collect();
        assert_eq!(
            shown,
            [
                "cargo fmt --all: --all fmt",
                "gofmt -w: ./b/-x.go -w",
                "ruff format: c.py ruff",
                "prettier --write: d.css Makefile"
            ]
        );
        assert!(formatters(&cases(&[])).is_empty());
    }

    #[test]
    fn a_rule_is_only_a_name() {
        assert_eq!(Linter::of("eslint::@typescript-eslint/no-x"), Some((Linter::Eslint, "@typescript-eslint/no-x")));
        assert_eq!(Linter::of("ruff::F401"), Some((Linter::Ruff, "F401")));
        for other in ["clippy::len_zero", "vet::printf", "eslint::--fix", "ruff::F401 E501", "ruff::", "build"] {
            assert_eq!(Linter::of(other), None, "{other}");
        }
    }
}

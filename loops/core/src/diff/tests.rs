//! Poisoned and honest changes, each with the words under which it must be (or must not be) refused.

use super::*;
use crate::gate::{GateResult, Level};

/// One changed file: `+` lines are new, `-` lines removed.
pub(crate) fn file(path: &str, lines: &str) -> FileChange {
    let of = |sign: char| -> Vec<(u32, String)> {
        (1..).zip(lines.lines()).filter_map(|(n, l)| Some((n, l.strip_prefix(sign)?.to_owned()))).collect()
    };
    FileChange {
        path: path.into(),
        old_path: None,
        kind: ChangeKind::Modified,
        old_mode: 0o100_644,
        new_mode: 0o100_644,
        binary: false,
        size: 100,
        added: of('+'),
        removed: of('-'),
    }
}

pub(crate) fn new(path: &str, lines: &str) -> FileChange {
    FileChange { kind: ChangeKind::Added, old_mode: 0, ..file(path, lines) }
}

fn deleted(path: &str) -> FileChange {
    FileChange { kind: ChangeKind::Deleted, new_mode: 0, ..file(path, "-a line") }
}

fn link(path: &str, target: &str) -> FileChange {
    FileChange { new_mode: 0o120_000, ..new(path, &format!("+{target}")) }
}

fn renamed(old: &str, path: &str) -> FileChange {
    FileChange { kind: ChangeKind::Renamed, old_path: Some(old.into()), ..file(path, "") }
}

pub(crate) fn binary(path: &str) -> FileChange {
    FileChange { binary: true, size: 9_000, ..new(path, "") }
}

pub(crate) fn judge(files: Vec<FileChange>) -> GateResult {
    reasonable(&DiffFacts { files }, &DiffLimits::default())
}

/// A secret in two parts, so that this file holds none.
fn joined(start: &str, rest: &str) -> String {
    format!("+let x = \"{start}{rest}\";")
}

fn never_right() -> Vec<(&'static str, FileChange)> {
    let random = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC2eF4hJ6";
    let secret = |start: &str| new("src/a.rs", &joined(start, random));
    vec![
        ("private key", new("k.pem", &format!("+-----BEGIN RSA {} KEY-----", "PRIVATE"))),
        ("AWS", new("src/a.rs", &joined("AKIA", "IOSFODNN7EXAMPL2"))),
        ("GitHub", secret("ghp_")),
        ("GitHub", secret("github_pat_")),
        ("Slack", new("src/a.rs", &joined("xoxb-", "12345678901-abcdefghij"))),
        ("Stripe", secret("sk_live_")),
        ("Anthropic", secret("sk-ant-")),
        ("OpenAI", secret("sk-proj-")),
        ("OpenAI", secret("sk-")),
        ("assigned", new(".env", &format!("+API_KEY={random}"))),
        ("assigned", new("a.yml", &format!("+  db_password: \"{random}\""))),
        ("assigned", new("src/a.rs", &format!("+const AUTH_TOKEN: &str = \"{random}\";"))),
        ("assigned", new("a.json", &format!("+\"clientSecret\": \"{}\"", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"))),
        ("leaves the tree", link("out", "/etc/passwd")),
        ("leaves the tree", link("a/out", "../../x")),
        ("leaves the tree", link("a/out", "b/../../x")),
        ("leaves the tree", link("hooks", ".git/hooks")),
        ("submodule", FileChange { new_mode: 0o160_000, ..new("sub", "") }),
        ("invisible", new("src/a\u{202e}sr.exe", "+x")),
        ("invisible", new("src/a\nb", "+x")),
        (".git", new("sub/.GIT/hooks/pre-commit", "+x")),
        (".git", new("git~1/config", "+x")),
        ("not a path", new("../x", "+x")),
    ]
}

fn needs_a_person() -> Vec<(&'static str, FileChange)> {
    vec![
        ("continuous integration", file(".github/workflows/ci.yml", "+x")),
        ("continuous integration", deleted(".gitlab-ci.yml")),
        ("instructions", file("AGENTS.md", "+x")),
        ("instructions", new("sub/claude.md", "+x")),
        ("instructions", new(".claude/settings.json", "+x")),
        ("instructions", new(".mcp.json", "+x")),
        ("git's own", new(".gitattributes", "+* filter=x")),
        ("git's own", new(".githooks/pre-push", "+x")),
        ("editor", new(".vscode/tasks.json", "+x")),
        ("a loop", file(".loopwright/x/loop.yaml", "+x")),
        ("locked", file("Cargo.lock", "+x")),
        ("build script", file("build.rs", "+x")),
        ("configuration of checks", file("package.json", "+x")),
        ("configuration of checks", file("clippy.toml", "+x")),
        ("configuration of checks", file(".cargo/config.toml", "+x")),
        ("configuration of checks", renamed("rustfmt.toml", "old.toml")),
        ("vendored", new("vendor/serde/src/lib.rs", "+x")),
        ("deletes the test file", deleted("tests/days.rs")),
        ("moves the test file", renamed("tests/days.rs", "attic/days.txt")),
        ("removes tests", file("src/a.rs", "-#[test]\n-fn a() {}")),
        ("removes tests", file("a_test.py", "-def test_a():")),
        ("skips tests", file("src/a.rs", "+#[ignore]")),
        ("skips tests", file("a_test.py", "+@pytest.mark.skip(reason='x')")),
        ("skips tests", file("a.test.ts", "-it('a', () => {\n+it.skip('a', () => {")),
        ("failure pass", file("ci/test.sh", "-cargo test\n+cargo test || true")),
        ("silences", file("src/a.rs", "+#![allow(clippy::all)]")),
        ("silences", file("a.py", "-import x\n+import x  # noqa")),
        ("silences", file("a.ts", "+// eslint-disable-next-line")),
        ("expect a panic", file("src/a.rs", "+#[should_panic]")),
        ("assertions", file("src/a.rs", "-assert_eq!(day(), 3);\n+assert_eq!(day(), 4);")),
        ("assertions", file("src/a.rs", "-assert!(x);\n+let _ = x;")),
        ("existing test code", file("tests/a.rs", "-        3,\n+        4,")),
        ("existing test code", file("tests/a.rs", "+    return;")),
        ("existing test code", file("a_test.go", "-\twant := 3\n+\twant := 4")),
        ("what tests expect", file("src/snapshots/a.snap", "-3\n+4")),
        ("what tests expect", deleted("tests/golden/a.txt")),
        ("differ under checks", file("src/lib.rs", "+#[cfg(not(clippy))]")),
        ("differ under checks", file("src/lib.rs", "+    if cfg!(test) { return 3; }")),
        ("ends the process", file("src/lib.rs", "+    std::process::exit(0);")),
        ("ends the process", file("src/lib.rs", "+use std::process::exit as done;")),
        ("binary", binary("logo.png")),
        ("executable", FileChange { new_mode: 0o100_755, ..file("run.txt", "") }),
        ("large", new("src/a.rs", &"+x\n".repeat(401))),
        ("is a link", link("a/inside", "../b")),
    ]
}

fn honest() -> Vec<FileChange> {
    vec![
        file("src/a.rs", "-    return 1;\n+    1"),
        file("src/a.rs", "-if x.len() == 0 {\n+if x.is_empty() {"),
        file("src/a.rs", "+let token = lexer.next_token(TokenKind::Identifier2);"),
        file("src/a.rs", "+pub token: Option<AuthToken2026Kind>,"),
        file("src/a.rs", "+const KEY: &str = \"clippy::needless_return\";"),
        file("src/a.rs", "+let api_key = std::env::var(\"OPENAI_API_KEY\")?;"),
        file("src/a.rs", "+let sort_key = user.created_at_unix_seconds2;"),
        file("src/a.rs", "+let password = read_password_from_terminal();"),
        file("src/a.rs", "+let id = \"task-sk-runner-for-the-long-running-background-jobs\";"),
        file("src/a.rs", "+let items = list.iter().skip(1);"),
        file("src/a.rs", "+let ok = check().unwrap_or_else(|| true);"),
        file("src/a.rs", "+#[test]\n+fn a() {\n+    assert_eq!(1, 1);\n+}"),
        file("src/a.rs", "+#[test]\n+#[should_panic]\n+fn a() {}"),
        file("src/a.rs", "-#[test]\n-fn old() {}\n+#[test]\n+fn better() {}"),
        file("src/a.rs", "-assert_eq!(a, b, \"x\");\n+assert_eq!(\n+    a,\n+    b,\n+    \"x\",\n+);"),
        file("src/a.rs", "-#[allow(dead_code)]\n-fn a() {}"),
        file("src/a.rs", "-#[ignore]"),
        file("src/a.rs", "+let mark = \"#[allow(x)] and #[ignore]\";"),
        file("src/a.rs", "+// a comment on assert!(x) and #[test]"),
        file("README.md", "+Use `#[allow(x)]` or `|| true` sparingly."),
        file("README.md", "+API_KEY=your-api-key-here"),
        file("docs/setup.md", "+export TOKEN=${GITHUB_TOKEN}"),
        new("src/b.rs", "+//! New."),
        new("tests/weeks.rs", "+#[test]\n+fn a() {}"),
        new("src/github.rs", "+x"),
        new("src/claude.rs", "+x"),
        new("src/build_info.rs", "+x"),
        new("src/vendor.rs", "+x"),
        deleted("src/unused.rs"),
        renamed("src/a.rs", "src/b.rs"),
        renamed("tests/a.rs", "tests/b.rs"),
        file("src/day.py", "-def day(x):\n+def day(x: str):"),
        file("src/day.ts", "-var a = 1\n+const a = 1"),
        file("src/a.go", "+if err != nil { return err }"),
        file("ci/run.sh", "+set -eu"),
        FileChange { old_mode: 0o100_755, new_mode: 0o100_755, ..file("run.sh", "+echo x") },
        FileChange { old_mode: 0o100_755, ..file("run.sh", "") },
        file("src/a.rs", "+let sha = \"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\";"),
        file("src/a.rs", "+let cache_key = format!(\"v1-{os}-{hash}\");"),
        file("src/.gitkeep", "+"),
        file("src/a.js", "+exit(0); submit.skip(1)"),
        file("src/main.rs", "+    std::process::exit(2);"),
        file("src/a.rs", "+#[cfg(test)]\n+mod tests {}"),
        file("tests/a.rs", "-use a::b;\n+use a::{b, c};\n+#[test]\n+fn more() {\n+    assert!(c());\n+}"),
        file("tests/a.rs", "-    assert_eq!(a, b);\n+    assert_eq!(\n+        a,\n+        b,\n+    );"),
        new("tests/snapshots/b.snap", "+3"),
    ]
}

#[test]
fn poisoned_changes_are_flagged_under_the_right_name() {
    let all = never_right().into_iter().map(|p| (Level::Fail, p));
    let all: Vec<_> = all.chain(needs_a_person().into_iter().map(|p| (Level::NeedsPerson, p))).collect();
    assert!(all.len() >= 40, "{}", all.len());
    for (level, (word, change)) in all {
        let secret: String = change.added.iter().map(|(_, l)| l.chars().skip(12).collect::<String>()).collect();
        let result = judge(vec![change.clone()]);
        assert_eq!(result.level, level, "{word}: {change:?} {result:?}");
        assert!(result.reasons.iter().any(|r| r.contains(word)), "{word}: {result:?}");
        if level == Level::Fail && secret.len() > 20 {
            assert!(!result.reasons.iter().any(|r| r.contains(secret.trim_end_matches(['"', ';']))), "{result:?}");
        }
    }
}

#[test]
fn honest_changes_pass() {
    let honest = honest();
    assert!(honest.len() >= 40, "{}", honest.len());
    for change in honest {
        let result = judge(vec![change.clone()]);
        assert_eq!(result.level, Level::Pass, "{change:?} {result:?}");
    }
}

#[test]
fn names_that_become_one_without_case_fail() {
    for (a, b) in [("src/a.rs", "src/A.rs"), ("Src/a.rs", "src/b.rs")] {
        let result = judge(vec![new(a, "+x"), new(b, "+x")]);
        assert_eq!(result.level, Level::Fail, "{result:?}");
    }
    let moved = judge(vec![deleted("src/A.rs"), new("src/a.rs", "+x")]);
    assert_eq!(moved.level, Level::Pass, "{moved:?}");
}

#[test]
fn what_moves_between_files_is_neither_added_nor_removed() {
    let gone = file("src/a.rs", "-#[test]\n-fn a() {}\n-#[allow(x)]");
    assert_eq!(judge(vec![gone.clone()]).level, Level::NeedsPerson, "the control: without its other half");
    let moved = judge(vec![gone, new("src/b.rs", "+#[test]\n+fn a() {}\n+#[allow(x)]")]);
    assert_eq!(moved.level, Level::Pass, "{moved:?}");
}

#[test]
fn an_empty_change_fails_and_reasons_are_bounded() {
    assert_eq!(judge(Vec::new()).level, Level::Fail);
    let many: Vec<FileChange> = (0..30).map(|n| new(&format!("vendor/{n}.rs"), "+x")).collect();
    let result = judge(many);
    assert_eq!(result.reasons.len(), 21);
    assert!(result.reasons[20].starts_with("and "), "{result:?}");
    assert_eq!(result.summary, "+30 −0 in 30 files");
}

#[test]
fn patterns_reach_every_depth_and_no_further() {
    for path in ["rustfmt.toml", "a/b/Clippy.toml", ".cargo/config.toml", "x/.eslintrc.json", "rust-toolchain"] {
        assert!(configures_checks(path), "{path}");
    }
    for path in ["src/rustfmt.toml.rs", "src/cargo/config.toml", "my-rust-toolchain", "Cargo.toml"] {
        assert!(!configures_checks(path), "{path}");
    }
    assert!(check_configuration_paths().contains(&"rustfmt.toml"));
}

#[test]
fn configuration_to_set_back_is_named_exactly() {
    let files = vec![
        new("crates/a/clippy.toml", "+x"),
        file("src/a.rs", "+x"),
        renamed(".cargo/config.toml", "attic/config"),
        deleted(".eslintrc.json"),
    ];
    let expected = [".cargo/config.toml", ".eslintrc.json", "crates/a/clippy.toml"];
    assert_eq!(DiffFacts { files }.check_configuration(), expected);
}

//! Which paths decide over more than their own content: instructions, configuration, locks, build scripts, tests.

/// What a protected path is for, in words that complete `changes X (…)`.
pub type Purpose = &'static str;

/// What files are for that lock dependencies.
pub const LOCKED: Purpose = "locked dependencies";

/// Files that configure checks. A name stands for that name at any depth, a slash at the end for a folder and all in it,
/// a star at the end for any rest of the name.
const CHECK_CONFIGURATION: [&str; 40] = [
    "rustfmt.toml",
    ".rustfmt.toml",
    "clippy.toml",
    ".clippy.toml",
    ".cargo/",
    "rust-toolchain",
    "rust-toolchain.toml",
    "nextest.toml",
    "deny.toml",
    "tox.ini",
    "pytest.ini",
    "setup.cfg",
    ".flake8",
    ".pylintrc",
    "ruff.toml",
    ".ruff.toml",
    "mypy.ini",
    ".coveragerc",
    "noxfile.py",
    ".eslintrc*",
    "eslint.config.*",
    ".eslintignore",
    ".prettierrc*",
    "prettier.config.*",
    ".prettierignore",
    "jest.config.*",
    "vitest.config.*",
    "playwright.config.*",
    ".mocharc*",
    "tsconfig*",
    "biome.json*",
    ".golangci.*",
    ".rspec",
    ".rubocop*",
    ".clang-format*",
    ".clang-tidy",
    ".yamllint*",
    "codecov.yml",
    // These name what checks run and how, besides much else.
    "package.json",
    "pyproject.toml",
];

/// Other paths that always need a person, with what they are for.
const PROTECTED: [(Purpose, &[&str]); 8] = [
    (
        "continuous integration",
        &[
            ".github/",
            ".gitlab-ci.yml",
            ".gitlab/",
            ".circleci/",
            ".travis.yml",
            "azure-pipelines*",
            "Jenkinsfile*",
            ".buildkite/",
            ".woodpecker*",
            ".forgejo/",
            ".gitea/",
            "bitbucket-pipelines.yml",
        ],
    ),
    (
        "instructions for agents",
        &[
            "AGENTS.md",
            "AGENTS.override.md",
            "CLAUDE.md",
            "CLAUDE.local.md",
            "GEMINI.md",
            "SKILL.md",
            ".claude/",
            ".codex/",
            ".gemini/",
            ".mcp.json",
            ".cursor/",
            ".cursorrules",
            ".windsurfrules",
            ".opencode/",
            "opencode.json*",
            ".agents/",
        ],
    ),
    (
        "git's own configuration",
        &[
            ".gitattributes",
            ".gitmodules",
            ".gitconfig",
            ".githooks/",
            ".husky/",
            ".pre-commit-config.yaml",
            "lefthook.*",
        ],
    ),
    ("editor configuration that can run programs", &[".vscode/", ".idea/", ".zed/", ".devcontainer/", ".envrc"]),
    ("a loop", &[".loopwright/"]),
    (
        LOCKED,
        &[
            "Cargo.lock",
            "package-lock.json",
            "npm-shrinkwrap.json",
            "yarn.lock",
            "pnpm-lock.yaml",
            "bun.lock*",
            "poetry.lock",
            "uv.lock",
            "Pipfile.lock",
            "pdm.lock",
            "Gemfile.lock",
            "composer.lock",
            "go.sum",
            "flake.lock",
            "gradle.lockfile",
        ],
    ),
    (
        "build script or manifest",
        &[
            "build.rs",
            "Cargo.toml",
            "Makefile",
            "GNUmakefile",
            "*.mk",
            "justfile",
            "CMakeLists.txt",
            "meson.build",
            "Dockerfile*",
            ".npmrc",
            "setup.py",
            "conftest.py",
            "Rakefile",
            "build.gradle*",
            "settings.gradle*",
            "pom.xml",
            "go.mod",
            "binding.gyp",
        ],
    ),
    ("a vendored copy", &["vendor/", "node_modules/", "third_party/", ".venv/"]),
];

/// The files that configure checks, as patterns for people; which of them a change touches is
/// [`DiffFacts::check_configuration`](super::DiffFacts::check_configuration).
pub fn check_configuration_paths() -> &'static [&'static str] {
    &CHECK_CONFIGURATION
}

/// Tells whether a path configures checks.
pub fn configures_checks(path: &str) -> bool {
    CHECK_CONFIGURATION.iter().any(|pattern| matches(pattern, path))
}

/// What a path is for, if it always needs a person.
pub fn protected(path: &str) -> Option<Purpose> {
    if configures_checks(path) {
        return Some("configuration of checks");
    }
    let of = |(_, patterns): &&(Purpose, &[&str])| patterns.iter().any(|p| matches(p, path));
    PROTECTED.iter().find(of).map(|(purpose, _)| *purpose)
}

/// Compares without case: on two of three systems the file system does so too.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path) = (pattern.to_ascii_lowercase(), path.to_ascii_lowercase());
    let name = path.rsplit('/').next().unwrap_or(&path);
    if let Some(folder) = pattern.strip_suffix('/') {
        // The folder itself counts too: it may come as a link or a submodule.
        return path.split('/').any(|part| part == folder);
    }
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => name.starts_with(start),
        (None, Some(end)) => name.ends_with(end),
        (None, None) => name == pattern,
    }
}

/// Tells whether a file holds nothing but tests, by its path.
pub fn is_test(path: &str) -> bool {
    let folders = ["tests", "test", "__tests__", "spec", "testdata"];
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.split('.').next().unwrap_or(name);
    folder.split('/').any(|part| folders.contains(&part))
        || stem == "tests"
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || stem.ends_with("_tests")
        || [".test.", ".spec."].iter().any(|mark| name.contains(mark))
}

/// Tells whether a file is what tests compare their results with.
pub fn is_expected(path: &str) -> bool {
    let folders = ["snapshots", "__snapshots__", "golden", "goldens", "testdata", "fixtures"];
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    folder.split('/').any(|part| folders.contains(&part))
        || name.ends_with(".snap")
        || [".golden", ".approved.", ".expected"].iter().any(|mark| name.contains(mark))
}

/// Why a path must not exist in any tree, if it must not.
pub(super) fn forbidden(path: &str) -> Option<&'static str> {
    if path.chars().any(crate::hidden::is_hidden) {
        return Some("its name has control or invisible characters");
    }
    if path.is_empty() || path.starts_with('/') || path.contains('\\') {
        return Some("its name is not a path inside of the tree on every system");
    }
    path.split('/').find_map(|part| {
        let bare = part.trim_end_matches(['.', ' ']).to_ascii_lowercase();
        // What follows a colon is a stream of the same file on NTFS; `git~1` is its short name for `.git`.
        let bare = bare.split(':').next().unwrap_or(&bare);
        match part {
            "" | "." | ".." => Some("its name is not a path inside of the tree on every system"),
            _ if bare == ".git" || bare == "git~1" => Some("it lies in a `.git` folder"),
            _ => None,
        }
    })
}

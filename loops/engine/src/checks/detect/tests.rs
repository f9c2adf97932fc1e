//! What is detected in the sample projects, and in small ones of other shapes.

use super::*;

/// The checks of files given with their texts, a line each: gate, origin, commands.
fn of(files: &[(&str, &str)]) -> String {
    shown(&detect(&|path| files.iter().find(|(f, _)| *f == path).map(|(_, text)| (*text).to_owned())))
}

fn shown(found: &DetectedChecks) -> String {
    let command = |c: &Command| match c {
        Command::Argv(words) if words[0] == "sh" => format!("({})", words[3]),
        other => other.to_string(),
    };
    let all = |c: &DetectedCheck| c.commands.iter().map(command).collect::<Vec<_>>().join(" && ");
    found.checks.iter().map(|c| format!("{} ({}): {}\n", c.name, c.origin, all(c))).collect()
}

fn script(test: &str) -> String {
    let package = serde_json::json!({"scripts": {"test": test}}).to_string();
    of(&[("package.json", &package)])
        .trim()
        .replace("tests_pass (detected: package.json (scripts.test)): env CI=true ", "")
}

#[test]
fn the_sample_projects() {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/samples/projects");
    let mut all = String::new();
    for kind in ["cargo", "npm", "pytest", "go", "make", "none"] {
        let root = std::path::Path::new(samples).join(kind);
        let look = |path: &str| {
            let path = root.join(path);
            path.exists().then(|| std::fs::read_to_string(&path).unwrap_or_default())
        };
        all += &format!("{kind}\n{}", shown(&detect(&look)));
    }
    insta::assert_snapshot!(all, @"
    cargo
    tests_pass (detected: Cargo.toml): cargo test --no-fail-fast
    lint_clean (detected: Cargo.toml): cargo fmt --all --check && cargo clippy --all-targets --message-format=json -- --cap-lints warn
    npm
    tests_pass (detected: package.json (scripts.test)): env CI=true NODE_OPTIONS=--test-reporter=tap npm run --silent test
    lint_clean (detected: package.json (scripts.lint)): env CI=true npm run --silent lint
    pytest
    tests_pass (detected: pyproject.toml): (pytest)
    go
    tests_pass (detected: go.mod): go test -json ./...
    lint_clean (detected: go.mod): gofmt -l . && go vet -json ./...
    make
    tests_pass (detected: Makefile (test)): make -f Makefile test
    lint_clean (detected: Makefile (lint)): make -f Makefile lint
    none
    ");
}

#[test]
fn a_script_is_asked_for_names_only_where_its_program_knows_how() {
    assert_eq!(script("jest --coverage"), "npm run --silent test -- --json");
    assert_eq!(script("tsc -p . && NODE_ENV=test npx vitest"), "npm run --silent test -- --run --reporter=json");
    assert_eq!(script("mocha"), "npm run --silent test -- --reporter tap");
    assert_eq!(script("node --test test/"), "NODE_OPTIONS=--test-reporter=tap npm run --silent test");
    for plain in
        ["mocha -R spec", "jest | tee log", "jest; true", "node --test --test-reporter=spec", "make test", "ava"]
    {
        assert_eq!(script(plain), "npm run --silent test", "{plain}");
    }
    assert_eq!(script("echo \"Error: no test specified\" && exit 1"), "");
}

#[test]
fn who_runs_scripts_is_named_or_told_by_the_lock_file() {
    let package = |more: &str| format!("{{\"scripts\": {{\"test\": \"jest\"}}{more}}}");
    let runs = |package: &str, lock: &str| of(&[("package.json", package), (lock, "")]);
    assert!(runs(&package(""), "pnpm-lock.yaml").contains("pnpm --silent run test --json"));
    assert!(runs(&package(""), "yarn.lock").contains("yarn run test --json"));
    assert!(runs(&package(""), "package-lock.json").contains("npm run"));
    assert!(runs(&package(", \"packageManager\": \"pnpm@9.1.0\""), "yarn.lock").contains("pnpm"));
    assert_eq!(runs("not JSON", "yarn.lock"), "");
}

#[test]
fn linters_are_run_where_they_are_configured() {
    let package = ("package.json", "{}");
    insta::assert_snapshot!(of(&[package, ("eslint.config.js", ""), (".prettierrc", "")]), @"lint_clean (detected: the configuration of eslint or prettier): npx --no-install eslint --format json . && npx --no-install prettier --check .");
    let ruff = of(&[("pyproject.toml", "[tool.ruff]\n[tool.ruff.format]\n"), ("tests", "")]);
    insta::assert_snapshot!(ruff, @"
    tests_pass (detected: pyproject.toml): (pytest)
    lint_clean (detected: pyproject.toml): (ruff) && (ruff)
    ");
    let eslint = of(&[("package.json", r#"{"scripts": {"lint": "eslint ."}}"#)]);
    assert!(eslint.contains("npm run --silent lint -- --format json"), "{eslint}");
    let both = of(&[("package.json", r#"{"scripts": {"lint": "prettier -c . && eslint ."}}"#)]);
    assert!(both.trim().ends_with("npm run --silent lint"), "{both}");
}

#[test]
fn the_first_kind_that_has_a_gate_decides() {
    let make = ("Makefile", "NAME := x\ntest check: build\n\t@echo a: b\nlint: ; true\n");
    let found = of(&[("package.json", r#"{"scripts": {"test": "jest"}}"#), make, ("go.mod", "")]);
    assert!(found.contains("tests_pass (detected: package.json"), "{found}");
    assert!(found.contains("lint_clean (detected: go.mod)"), "{found}");
    assert!(of(&[make]).contains("make -f Makefile test"));
    assert_eq!(of(&[("Makefile", "test := 1\nlint = 2\n\ttest: x\n")]), "");
    assert!(of(&[("GNUmakefile", "check:\n\ttrue\n"), make]).contains("make -f GNUmakefile check"));
}

#[test]
fn a_vendored_copy_is_not_formatted() {
    let go = of(&[("go.mod", ""), ("vendor/modules.txt", "")]);
    assert!(go.contains("-not -path ./vendor/* -exec gofmt -l {} +"), "{go}");
}

#[test]
fn a_python_without_pytest_is_named_with_its_repair() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let python = folder.path().join(".venv/bin/python");
    std::fs::create_dir_all(python.parent().expect("a folder")).expect("a folder");
    let look = |path: &str| (path == "pytest.ini").then(String::new);
    let argv = detect(&look).checks[0].probes[0].argv();
    let probe = |script: &str| {
        std::fs::write(&python, script).expect("a program");
        std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).expect("executable");
        let output = std::process::Command::new(&argv[0]).args(&argv[1..]).current_dir(folder.path()).output();
        let output = output.expect("sh starts");
        (output.status.success(), String::from_utf8(output.stderr).expect("text"))
    };
    let (well, said) = probe("#!/bin/sh\nif [ \"$1\" = -V ]; then echo Python 3; exit 0; fi\nexit 1\n");
    let last = said.lines().last().expect("a line");
    assert!(!well && last.contains(".venv/bin/python (Python 3)"), "{said}");
    assert!(last.contains("it has no pytest") && last.contains("-m pip install pytest"), "{said}");
    assert_eq!(probe("#!/bin/sh\n"), (true, String::new()), "the control: it has pytest");
}

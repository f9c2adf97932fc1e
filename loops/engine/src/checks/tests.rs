//! Real cargo in a real box.

use super::*;
use crate::sandbox::bubblewrap::for_tests;
use loopwright_core::check::CaseStatus;

const LIMITS: Limits = Limits { wall: std::time::Duration::from_secs(120), idle: None, output: 1 << 20 };

#[test]
fn both_checks_run_and_leave_nothing_in_the_tree() {
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    crate::agent::fixer::tests::project(&tree);
    let target = folder.path().join("target");
    std::fs::create_dir(&target).expect("a folder");
    let mounts = [Mount { source: target, target: TARGET_DIR.into(), access: Access::Writable }];
    let detected = detect(&|path| std::fs::read_to_string(tree.join(path)).ok());
    let run_one = |name: &str| {
        let check = detected.get(name).expect(name);
        let order = CheckOrder {
            check: name,
            commands: &check.commands,
            workspace: &tree,
            env: &BTreeMap::new(),
            mounts: &mounts,
            limits: LIMITS,
        };
        run(&order, &for_tests()).expect("a box")
    };
    let tests = run_one("tests_pass");
    let shown = |run: &CheckRun| {
        let line = |c: &check::Case| format!("{:?} {}", c.status, c.id);
        run.report.cases.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(shown(&tests), @"
    Failed small::tests::one_is_two
    Passed small::tests::works
    ");
    let lints = run_one("lint_clean");
    insta::assert_snapshot!(shown(&lints), @"
    Passed clippy: cargo clippy --all-targets --message-format=json -- --cap-lints warn
    Failed clippy::len_zero @ src/lib.rs
    Failed clippy::must_use_candidate @ src/lib.rs
    Failed clippy::needless_return @ src/lib.rs
    Passed rustfmt: cargo fmt --all --check
    ");
    assert_eq!(lints.report.with_status(CaseStatus::Skipped).len(), 0);
    assert!(String::from_utf8_lossy(&tests.output).starts_with("$ cargo test --no-fail-fast\n"));
    assert!(!tree.join("target").exists());
}

#[test]
fn products_of_one_tree_never_pass_for_those_of_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    // The broken tree is older than what is built of the good one, as an attempt is that waited for its base's check.
    for (tree, result) in [("broken", "false"), ("good", "true")] {
        crate::agent::fixer::tests::project(&path(tree));
        let source = format!("#[test]\nfn holds() {{\n    assert!({result});\n}}\n");
        std::fs::write(path(tree).join("src/lib.rs"), source).expect("the source");
    }
    std::fs::create_dir(path("target")).expect("a folder");
    let mounts = [Mount { source: path("target"), target: TARGET_DIR.into(), access: Access::Writable }];
    let commands = [Command::Shell("cargo test --no-fail-fast".into())];
    let (good, broken, env) = (path("good"), path("broken"), BTreeMap::new());
    let order = |workspace| CheckOrder {
        check: "tests_pass",
        commands: &commands,
        workspace,
        env: &env,
        mounts: &mounts,
        limits: LIMITS,
    };
    let failing = |workspace| run(&order(workspace), &for_tests()).expect("a box").report.failing().len();
    assert_eq!((failing(&good), failing(&broken)), (0, 1));
    // The control: with one folder for both, the broken tree is green.
    let shared = |workspace| {
        let mut spec = spec(&order(workspace), &commands[0]);
        spec.env.insert("CARGO_TARGET_DIR".into(), format!("{TARGET_DIR}/shared"));
        for_tests().run(&spec).expect("a box").ended
    };
    assert_eq!((shared(&good), shared(&broken)), (Ended::Exited(0), Ended::Exited(0)));
}

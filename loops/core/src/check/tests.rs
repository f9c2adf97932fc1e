//! Readers against outputs of real tools, kept in `tests/samples/outputs/`, and against anything at all.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::definition::Command;

macro_rules! sample {
    ($name:literal, $command:literal, $code:literal) => {
        read(
            "gate",
            &Command::Shell($command.to_owned()),
            Ended::Exited($code),
            include_bytes!(concat!("../../../../tests/samples/outputs/", $name, ".stdout")),
            include_bytes!(concat!("../../../../tests/samples/outputs/", $name, ".stderr")),
        )
    };
}

/// One line per case: status, kind, id, place, cause.
fn shown(report: &CheckReport) -> String {
    let mut text = String::new();
    for c in &report.cases {
        let place = c
            .place
            .as_ref()
            .map_or(String::new(), |p| format!(" [{}:{}]", p.path, p.line.map_or("-".to_owned(), |l| l.to_string())));
        let cause = c.cause.as_ref().map_or(String::new(), |c| format!(" = {c}"));
        writeln!(text, "{:?} {:?} {} ({}){place}{cause}", c.status, c.kind, c.id, c.group)
            .expect("a string takes every text");
    }
    text
}

fn printed(command: &str, code: i32, out: &str) -> CheckReport {
    read("gate", &Command::Shell(command.to_owned()), Ended::Exited(code), out.as_bytes(), b"")
}

#[test]
fn cargo_test_of_a_workspace() {
    let merged = sample!("cargo-test-merged", "cargo test --no-fail-fast", 101);
    insta::assert_snapshot!(shown(&merged));
    let apart = sample!("cargo-test", "cargo test --no-fail-fast", 101);
    assert_eq!(shown(&apart), shown(&merged), "both ways of reading agree");
}

#[test]
fn nextest_names_tests_as_cargo_test_does() {
    let nextest = sample!("nextest", "cargo nextest run", 100);
    insta::assert_snapshot!(shown(&nextest));
    let cargo = sample!("cargo-test-merged", "cargo test", 101);
    for id in nextest.failing() {
        assert!(cargo.failing().contains(&id), "{id}");
    }
}

#[test]
fn cargo_test_that_is_green_or_runs_nothing() {
    let green = sample!("cargo-test-green", "cargo test -p two", 0);
    insta::assert_snapshot!(shown(&green), @"Passed Test two::tests::works (two)");
    let nothing = sample!("cargo-test-filtered", "cargo test -p two nothing_here", 0);
    assert_eq!((nothing.cases.len(), nothing.tests_run()), (0, 0));
}

#[test]
fn cargo_test_that_crashes_or_does_not_build() {
    insta::assert_snapshot!(shown(&sample!("cargo-test-abort", "cargo test", 101)));
    insta::assert_snapshot!(shown(&sample!("cargo-test-compile", "cargo test", 101)));
    insta::assert_snapshot!(shown(&sample!("cargo-test-manifest", "cargo test", 101)));
}

#[test]
fn clippy_as_json_and_as_text() {
    let json = sample!("cargo-clippy-json", "cargo clippy --message-format=json", 101);
    insta::assert_snapshot!(shown(&json));
    let text = sample!("cargo-clippy", "cargo clippy", 101);
    assert_eq!(text.failing(), json.failing());
    insta::assert_snapshot!(shown(&sample!("cargo-clippy-json-compile", "cargo clippy", 101)));
}

#[test]
fn rustfmt_names_files() {
    insta::assert_snapshot!(shown(&sample!("cargo-fmt", "cargo fmt --all --check", 1)));
    insta::assert_snapshot!(shown(&sample!("cargo-fmt-syntax", "cargo fmt --all --check", 1)));
    insta::assert_snapshot!(shown(&printed("cargo fmt --check", 0, "")), @"Passed Command rustfmt: cargo fmt --check (rustfmt)");
}

#[test]
fn tap_and_junit_are_known_by_their_output() {
    insta::assert_snapshot!(shown(&printed(
        "npm test",
        1,
        "TAP version 13\n1..6\nok 1 - adds\nnot ok 2 - divides\n  ---\n  x: 1\n  ...\nok 3 - slow # SKIP no net\n\
         not ok 4 - later # TODO\nok 5 - adds\n",
    )));
    insta::assert_snapshot!(shown(&printed(
        "pytest",
        1,
        r#"<?xml version="1.0"?><testsuites><testsuite name="s"><testcase classname="tests.test_day" name="test_leap" file="tests/test_day.py" line="4">
        <failure message="assert 1 == 2&#10;more"/></testcase><testcase classname="tests.test_day" name="test_ok"/>
        <testcase name="test_skip"><skipped/></testcase></testsuite></testsuites>"#,
    )));
}

#[test]
fn tap_of_node_and_mocha() {
    let node = sample!("node-tap", "node --test --test-reporter=tap", 1);
    insta::assert_snapshot!(shown(&node));
    assert_eq!(shown(&sample!("node-npm", "npm run --silent test", 1)), shown(&node), "times don't count");
    // A test printed `ok 9 - same`: nothing tells that from a result, so the plan is not kept.
    insta::assert_snapshot!(shown(&sample!("mocha-tap", "npm test -- --reporter tap", 1)));
}

#[test]
fn jest_and_vitest_write_one_report() {
    insta::assert_snapshot!(shown(&sample!("jest-json", "npm run --silent test -- --json", 1)));
    insta::assert_snapshot!(shown(&sample!("vitest-json", "npm test", 1)));
}

#[test]
fn pytest_as_junit() {
    insta::assert_snapshot!(shown(&sample!("pytest-junit", "pytest", 1)));
    let collection = sample!("pytest-junit-collection", "pytest", 1);
    insta::assert_snapshot!(shown(&collection).lines().filter(|l| l.contains("Build")).collect::<String>());
}

#[test]
fn go_tests_and_lints() {
    insta::assert_snapshot!(shown(&sample!("go-test", "go test -json ./...", 1)));
    insta::assert_snapshot!(shown(&sample!("go-vet", "go vet -json ./...", 2)));
    insta::assert_snapshot!(shown(&sample!("gofmt", "gofmt -l .", 0)));
}

#[test]
fn go_and_pytest_as_scripts_print_them() {
    insta::assert_snapshot!(shown(&sample!("go-test-text", "make test", 2)));
    let pytest = sample!("pytest-text", "make test", 1);
    insta::assert_snapshot!(shown(&pytest), @"
    Failed Build build @ tests/test_broken.py (build) [tests/test_broken.py:-] = can't be imported
    Failed Test tests/test_a.py (tests/test_a.py) [tests/test_a.py:-] = TestShelf::test_bad: AssertionError: sums
    ");
    // A file that printed letters of its own: they are more than were counted, so only the end counts.
    let text = include_str!("../../../../tests/samples/outputs/pytest-text.stdout");
    let more = text.replace("tests/test_a.py .F", "tests/test_b.py ..\ntests/test_a.py .F");
    assert_eq!(shown(&printed("make test", 2, &more)).lines().count(), 1);
    let twice = "ok  \tm/a\t0.1s\n--- FAIL: TestA (0.00s)\nFAIL\nFAIL\tm/a\t0.1s\n";
    assert!(printed("make test", 2, twice).cases.iter().any(|c| c.group == CONTRADICTION));
    let honest = twice.replacen("ok  \tm/a\t0.1s\n", "", 1);
    insta::assert_snapshot!(shown(&printed("make test", 2, &honest)), @"Failed Test m/a (m/a) = TestA");
}

#[test]
fn linters_of_python_and_node() {
    insta::assert_snapshot!(shown(&sample!("ruff", "ruff check --output-format json .", 1)));
    insta::assert_snapshot!(shown(&sample!("ruff-format", "ruff format --check .", 2)));
    insta::assert_snapshot!(shown(&sample!("eslint-json", "npm run lint -- --format json", 1)));
    insta::assert_snapshot!(shown(&sample!("prettier", "prettier --check .", 2)));
}

#[test]
fn what_contradicts_itself_or_was_cut_is_never_green() {
    let contradicts = |report: &CheckReport| report.cases.iter().any(|c| c.group == CONTRADICTION || c.group == "plan");
    let sample = |name: &str| match name {
        "jest-json" => include_str!("../../../../tests/samples/outputs/jest-json.stdout").to_owned(),
        "vitest-json" => include_str!("../../../../tests/samples/outputs/vitest-json.stdout").to_owned(),
        "pytest-junit" => include_str!("../../../../tests/samples/outputs/pytest-junit.stdout").to_owned(),
        "node-tap" => include_str!("../../../../tests/samples/outputs/node-tap.stdout").to_owned(),
        "go-test" => include_str!("../../../../tests/samples/outputs/go-test.stdout").to_owned(),
        _ => include_str!("../../../../tests/samples/outputs/ruff.stdout").to_owned(),
    };
    for (name, command, from, to) in [
        ("jest-json", "npm test", "\"numPassedTests\":4", "\"numPassedTests\":5"),
        ("jest-json", "npm test", "\"success\":false,\"testResults\":[{", "\"success\":true,\"testResults\":[{"),
        (
            "vitest-json",
            "npm test",
            "\"status\":\"failed\",\"title\":\"throws\"",
            "\"status\":\"passed\",\"title\":\"throws\"",
        ),
        ("pytest-junit", "pytest", "failures=\"3\"", "failures=\"2\""),
        ("node-tap", "npm test", "not ok 6 - throws", "ok 6 - throws"),
        ("node-tap", "npm test", "ok 2 - same\n", ""),
    ] {
        let whole = sample(name);
        assert!(whole.contains(from), "{name}: {from}");
        assert!(!contradicts(&printed(command, 1, &whole)), "the control: {name}");
        assert!(contradicts(&printed(command, 1, &whole.replacen(from, to, 1))), "{name}: {from}");
    }
    // A second report, complete in itself, before the real one.
    let jest = sample("jest-json");
    let real = jest.lines().last().expect("the report");
    assert!(contradicts(&printed("npm test", 0, &format!("{real}\n{real}\n"))));
    // Cut in the middle, each is red even though its end was good.
    for (name, command) in [
        ("pytest-junit", "pytest"),
        ("node-tap", "npm test"),
        ("go-test", "go test -json ./..."),
        ("ruff", "ruff check --output-format json"),
    ] {
        let whole = sample(name);
        let cut = &whole[..whole.len() / 2];
        assert!(!printed(command, 0, cut).failing().is_empty(), "{name}");
    }
}

#[test]
fn a_go_test_has_one_result_for_each_start() {
    let line = |action: &str, test: &str| format!("{{\"Action\":\"{action}\",\"Package\":\"m/a\"{test}}}\n");
    let of = |name: &str| format!(",\"Test\":\"{name}\"");
    let red = line("run", &of("A")) + &line("fail", &of("A"));
    let read = |lines: String, code| printed("go test -json ./...", code, &lines);
    let honest = read(red.clone() + &line("fail", ""), 1);
    assert_eq!(shown(&honest).lines().count(), 1, "{}", shown(&honest));
    for lies in [
        red.clone() + &line("pass", &of("A")) + &line("fail", ""),
        red.clone() + &line("pass", ""),
        red.clone() + &line("fail", "") + &line("pass", ""),
    ] {
        assert!(read(lies.clone(), 1).cases.iter().any(|c| c.group == CONTRADICTION), "{lies}");
        assert!(read(lies, 0).failing().len() > 1);
    }
    let crashed = read(line("run", &of("A")) + &line("output", ",\"Output\":\"exit\"") + &line("fail", ""), 1);
    assert_eq!(crashed.failing().iter().map(|id| id.0.as_str()).collect::<Vec<_>>(), ["m/a::A"]);
}

#[test]
fn go_of_later_versions_tells_build_faults_as_events() {
    let report = printed(
        "go test -json ./...",
        1,
        "{\"ImportPath\":\"m/a [m/a.test]\",\"Action\":\"build-output\",\"Output\":\"# m/a [m/a.test]\\n\"}\n\
         {\"ImportPath\":\"m/a [m/a.test]\",\"Action\":\"build-output\",\"Output\":\"a/a.go:3:23: cannot use x\\n\"}\n\
         {\"ImportPath\":\"m/a [m/a.test]\",\"Action\":\"build-fail\"}\n\
         {\"Action\":\"start\",\"Package\":\"m/a\"}\n\
         {\"Action\":\"output\",\"Package\":\"m/a\",\"Output\":\"FAIL\\tm/a [build failed]\\n\"}\n\
         {\"Action\":\"fail\",\"Package\":\"m/a\",\"Elapsed\":0,\"FailedBuild\":\"m/a [m/a.test]\"}\n",
    );
    insta::assert_snapshot!(shown(&report), @"Failed Build build @ a/a.go (build) [a/a.go:3] = cannot use x");
}

#[test]
fn xml_that_could_grow_is_refused() {
    let bomb =
        "<?xml version=\"1.0\"?><!DOCTYPE t [<!ENTITY a \"aaaa\">]><testsuite><testcase name=\"&a;\"/></testsuite>";
    let report = printed("any", 0, bomb);
    assert_eq!(report.failing().len(), 1, "{}", shown(&report));
    let plain = bomb.replace("<!DOCTYPE t [<!ENTITY a \"aaaa\">]>", "").replace("&a;", "a");
    assert!(printed("any", 0, &plain).failing().is_empty());
    printed("any", 0, &format!("<testsuite>{}", "<a>".repeat(200_000)));
}

#[test]
fn exit_code_and_cases_must_agree() {
    let green = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
    let red = green.replace("... ok", "... FAILED").replace("1 passed; 0 failed", "0 passed; 1 failed");
    assert!(printed("cargo test", 0, green).failing().is_empty());
    assert_eq!(printed("cargo test", 0, &red).failing().len(), 1, "failing cases count although it exited 0");
    let odd = printed("cargo test", 3, green);
    assert_eq!(odd.failing(), [CaseId("gate: exited with 3: cargo test".into())].into());
    for ended in [Ended::TimedOut, Ended::Silent, Ended::Flooded, Ended::Halted, Ended::Signalled(9)] {
        let report = read("gate", &Command::Shell("cargo test".into()), ended, green.as_bytes(), b"");
        assert_eq!(report.failing().len(), 1, "{ended:?}");
        assert_eq!(report.cases.iter().filter(|c| c.kind == CaseKind::Command).count(), 1);
    }
}

#[test]
fn a_summary_that_contradicts_its_lines_fails() {
    for lines in [
        // Hidden, invented, told twice, fewer than announced, and told again behind a summary of one's own.
        "running 2 tests\ntest a ... ok\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n",
        "running 1 test\ntest a ... ok\ntest b ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n",
        "running 2 tests\ntest a ... ok\ntest a ... ok\ntest result: ok. 2 passed; 0 failed; 0 ignored\n",
        "running 3 tests\ntest a ... ok\ntest b ... ok\ntest result: ok. 2 passed; 0 failed; 0 ignored\n",
        "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\ntest a ... FAILED\n",
        "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n",
        "running 1 test\ntest a ... ok\n",
    ] {
        assert_eq!(printed("cargo test", 0, lines).failing().len(), 1, "{lines}");
    }
    let honest = "running 1 test\ntest a ... ok\ntest result: ok. 1 passed; 0 failed; 0 ignored\n";
    assert_eq!(printed("cargo test", 0, honest).failing().len(), 0);
}

#[test]
fn what_a_test_printed_is_no_result_of_nextest() {
    let summary = |passed: usize, failed: usize| {
        format!(
            "     Summary [   0.034s] {} tests run: {passed} passed (1 slow, 1 timed out), {failed} failed, 1 skipped\n",
            passed + failed
        )
    };
    let red = "        FAIL [   0.005s] one y\n  stdout ───\n";
    let told = |lines: String| printed("cargo nextest run", 100, &lines);
    let shallow = told(format!("{red}    PASS [   0.005s] one a\n{}", summary(0, 1)));
    assert_eq!(shown(&shallow).lines().count(), 1, "{}", shown(&shallow));
    for lines in [
        // As deep as a line of nextest's own, with its own summary, and beside the real result.
        format!("{red}        PASS [   0.005s] one a\n{}", summary(0, 1)),
        format!("{red}        PASS [   0.005s] one a\n{}{}", summary(1, 1), summary(0, 1)),
        format!("{red}        PASS [   0.005s] one y\n{}", summary(1, 0)),
        format!("{red}{}        PASS [   0.005s] one a\n", summary(0, 1)),
        red.to_owned(),
    ] {
        let report = told(lines.clone());
        assert!(report.cases.iter().any(|c| c.group == CONTRADICTION), "{lines}");
    }
    let tries = "  TRY 1 FAIL [   0.005s] one a\n  TRY 2 PASS [   0.005s] one a\n";
    let report = told(format!("{tries}{red}{}        FAIL [   0.005s] one y\n", summary(1, 1)));
    assert!(!report.cases.iter().any(|c| c.group == CONTRADICTION), "{}", shown(&report));
}

#[test]
fn a_result_that_other_output_pushed_down_is_still_found() {
    let split =
        "running 2 tests\ntest a ... raw bytes\nok\ntest b ... ok\ntest result: ok. 2 passed; 0 failed; 0 ignored\n";
    let report = printed("cargo test", 0, split);
    assert_eq!(report.with_status(CaseStatus::Passed).len(), 2, "{}", shown(&report));
}

#[test]
fn any_other_command_is_its_exit_code() {
    insta::assert_snapshot!(shown(&printed("make lint", 2, "checking\nerror: bad\nbye\n")), @"Failed Command gate: make lint (gate) = error: bad");
    insta::assert_snapshot!(shown(&printed("make lint", 0, "fine\n")), @"Passed Command gate: make lint (gate)");
}

#[test]
fn merged_reports_keep_the_worst() {
    let fmt = printed("cargo fmt --check", 1, "Diff in /workspace/src/a.rs:3:\n");
    let clippy = printed("cargo clippy", 0, "");
    let both = fmt.clone().merge(clippy.clone());
    assert_eq!(both, clippy.merge(fmt.clone()).merge(CheckReport { tail: String::new(), ..fmt }).tail_of(&both));
    assert_eq!(both.ended, Ended::Exited(1));
    insta::assert_snapshot!(shown(&both));
}

impl CheckReport {
    fn tail_of(self, other: &CheckReport) -> CheckReport {
        CheckReport { tail: other.tail.clone(), ..self }
    }
}

const COMMANDS: [&str; 14] = [
    "cargo test",
    "cargo nextest run",
    "cargo clippy --message-format=json",
    "cargo clippy",
    "cargo fmt --check",
    "prove",
    "make",
    "go test -json ./...",
    "go vet -json ./...",
    "gofmt -l .",
    "ruff check --output-format json",
    "ruff format --check",
    "prettier --check",
    "eslint --format json",
];

/// Lines that readers react to, so that random output reaches their insides.
const BAIT: [&str; 41] = [
    "running 2 tests",
    "test a ... ok",
    "test a - should panic ... FAILED",
    "test é (line 3) ... ",
    "failures:",
    "---- a stdout ----",
    "thread 'a' panicked at src/a.rs:1:2:",
    "panicked at '', ",
    "test result: ok. 9 passed; 0 failed",
    "     Running unittests src/lib.rs (target/debug/deps/x-0123456789abcdef)",
    "   Doc-tests x",
    "error: could not compile `",
    "error[E0308]: x",
    " --> /workspace/é:1",
    "Diff in :",
    "Diff in a at line 3:",
    "1..3",
    "ok 1 - ",
    "not ok",
    "{\"reason\":\"compiler-message\",\"message\":{\"message\":\"m\",\"level\":\"error\",\"code\":{\"code\":\"E030é\"},\"spans\":[{\"file_name\":\"a\",\"line_start\":1,\"is_primary\":true}]}}",
    "PASS [ 1s] (1/1) a b",
    "FAIL [",
    "<testsuite><testcase/></testsuite>",
    "error: test failed, to rerun pass `-p --lib`",
    "{\"Action\":\"output\",\"Package\":\"a\",\"Test\":\"b\",\"Output\":\"a.go:1: x\"}",
    "{\"Action\":\"fail\",\"Package\":\"a\"}",
    "FAIL\ta [build failed]",
    "{\"numTotalTests\":0,\"numPassedTests\":0,\"numFailedTests\":0,\"success\":true,\"testResults\":[]}",
    "[{\"filePath\":\"é\",\"messages\":[{\"ruleId\":null,\"message\":\"m\",\"fatal\":true}]}]",
    "# Subtest: é",
    "        ok 1 - deep",
    "  ---",
    "  ...",
    "# suites 3",
    "vet: é.go:1:2: x",
    "[error] a: b",
    "ok  \ta\t0.1s",
    "--- FAIL: TestÉ (0.00s)",
    "==== test session starts ====",
    "tests/test_é.py .F [ 50%]",
    "=== 1 failed, 3 passed in 0.1s ===",
];

proptest! {
    #[test]
    fn no_bytes_panic(out in prop::collection::vec(any::<u8>(), 0..400), err in prop::collection::vec(any::<u8>(), 0..400), at in 0..COMMANDS.len()) {
        let report = read("gate", &Command::Shell(COMMANDS[at].into()), Ended::Exited(1), &out, &err);
        prop_assert!(!report.failing().is_empty(), "a failed end has a failed case");
    }

    #[test]
    fn no_order_of_known_lines_panics(lines in prop::collection::vec(0..BAIT.len(), 0..30), at in 0..COMMANDS.len()) {
        let out: Vec<&str> = lines.iter().map(|l| BAIT[*l]).collect();
        let out = out.join("\n");
        let report = read("gate", &Command::Shell(COMMANDS[at].into()), Ended::Exited(1), out.as_bytes(), out.as_bytes());
        prop_assert!(!report.failing().is_empty());
        prop_assert!(report.cases.windows(2).all(|w| w[0].id < w[1].id), "sorted, each once");
    }
}

#[test]
fn how_a_process_ended_is_told_in_words() {
    use super::Ended;
    let all = [Ended::Exited(3), Ended::Signalled(9), Ended::TimedOut, Ended::Silent, Ended::Flooded, Ended::Halted];
    for ended in all {
        let (words, code) = (ended.to_string(), format!("{ended:?}"));
        assert!(!words.contains(['(', ')']) && words.contains(' ') && words == words.to_lowercase(), "{words}");
        assert_ne!(words, code, "the control: the words of the program's own text");
    }
    assert_eq!(Ended::Exited(3).to_string(), "exited with 3");
}

//! Prepare: what `setup` leaves is there for maker and gates and can't be written; what is missing is said before any maker.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;

use loopwright_tests::stage::{RAILS, Stage, steps};
use serde_json::Value;

/// Uses what setup left, tries to change it, and makes a change that the gates accept.
const MAKER: &str = "#!/bin/sh
set -e
grep -q built deps/lib
if echo poisoned 2>/dev/null > deps/lib; then exit 9; fi
if touch deps/new 2>/dev/null; then exit 9; fi
echo done >> NOTES
";

/// A loop `work` with this `setup:` and check.
fn work(stage: &Stage, setup: &str, check: &str) {
    let text = format!(
        "name: work
repo: {:?}
trigger: manual
steps:
  - discover: {{run: scan_ci_failures + open_issues, write_to: state/triage.md}}
  - act: {{for_each: finding in state/triage.md, spawn: maker(finding)}}
  - verify: {{check: tests_pass AND diff_reasonable}}
  - ship: {{if: verified, run: open_pr}}
agents:
  maker: {{command: [./maker.sh], price: $0}}
checks: {{tests_pass: {check}}}
setup: {setup:?}
env: {{STAGE: {}}}
{RAILS}",
        stage.repo, stage.mark
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", MAKER)]);
    stage.add(&path.display().to_string(), true);
}

fn why(run: &Value) -> String {
    assert_eq!(run["row"]["end"]["state"], "failed", "{run}");
    run["row"]["end"]["why"].as_str().expect("a reason").to_owned()
}

#[test]
fn what_setup_leaves_is_used_and_kept() {
    let stage = Stage::shop();
    // It runs once: a second time, the clock of the layer would be another.
    work(&stage, "mkdir deps && echo built > deps/lib && date +%N > deps/when", "[sh, -c, 'grep -q built deps/lib']");
    let run = stage.run("work").exits(21).json();
    assert_eq!(run["row"]["pull_requests"], 2, "{run}");
    let layers: Vec<_> = fs::read_dir(stage.home.join("cache/prepared")).expect("layers").flatten().collect();
    let when = || fs::read(layers[0].path().join("tree/deps/when")).expect("what setup wrote");
    let first = when();
    assert_eq!(fs::read_to_string(layers[0].path().join("tree/deps/lib")).expect("the layer"), "built\n");
    stage.run("work").exits(20);
    assert_eq!(when(), first);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    let diff = review["diff"].as_str().expect("a diff");
    assert!(diff.contains("NOTES") && !diff.contains("deps"), "{diff}");
}

#[test]
fn cache_and_data_may_be_on_different_file_systems() {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &std::path::Path| fs::metadata(path).expect("a folder").dev();
    // The stage may itself be made in memory. This comes before it, as it looks at its home once more at its end.
    let own = device(&std::env::temp_dir());
    let other = ["/dev/shm", "/var/tmp", env!("CARGO_TARGET_TMPDIR")].map(std::path::Path::new);
    let other = other.into_iter().find(|place| place.is_dir() && device(place) != own).expect("another file system");
    let elsewhere = tempfile::tempdir_in(other).expect("a folder there");
    let stage = Stage::shop();
    assert_ne!(device(elsewhere.path()), device(&stage.repo), "the test would prove nothing");
    fs::create_dir_all(&stage.home).expect("a home");
    std::os::unix::fs::symlink(elsewhere.path(), stage.home.join("cache")).expect("a link");
    let setup = "mkdir -p deps/bin && echo built > deps/lib && ln -s ../lib deps/bin/lib && chmod 755 deps/lib";
    work(&stage, setup, "[sh, -c, 'test -L deps/bin/lib && test -x deps/bin/lib && grep -q built deps/bin/lib']");
    stage.run("work").exits(21);
    let layers: Vec<_> = fs::read_dir(elsewhere.path().join("prepared")).expect("layers").flatten().collect();
    assert_eq!(layers.len(), 1, "nothing half made is left: {layers:?}");
    stage.run("work").exits(20);
}

#[test]
fn what_setup_leaves_can_be_written_where_it_is_made() {
    // The control of the maker's refusals above: setup itself may write there.
    let stage = Stage::shop();
    work(
        &stage,
        "mkdir deps && echo built > deps/lib && echo poisoned > deps/lib && echo built > deps/lib",
        "[\"true\"]",
    );
    stage.run("work").exits(21);
}

#[test]
fn a_failing_setup_is_told_with_its_last_line() {
    let stage = Stage::shop();
    work(&stage, "echo no compiler here >&2; exit 3", "[\"true\"]");
    let run = stage.run("work").exits(1).json();
    let why = why(&run);
    assert!(why.contains("env_not_ready") && why.contains("no compiler here"), "{why}");
    assert!(steps(&stage.last(), "build").is_empty());
}

#[test]
fn a_file_that_would_be_part_of_every_attempt_is_refused() {
    let stage = Stage::shop();
    work(&stage, "mkdir deps && echo built > deps/lib && echo x > generated.txt", "[\"true\"]");
    let text = why(&stage.run("work").exits(1).json());
    assert!(text.contains("generated.txt") && text.contains(".gitignore"), "{text}");
    stage.write(".gitignore", "/generated.txt\n");
    stage.commit("ignore what is generated");
    stage.run("work").exits(21);
}

#[test]
fn a_link_is_never_made_visible() {
    let stage = Stage::shop();
    work(&stage, "mkdir deps && echo built > deps/lib && ln -s /etc outside", "[\"true\"]");
    let text = why(&stage.run("work").exits(1).json());
    assert!(text.contains("outside"), "{text}");
}

#[test]
fn only_a_missing_program_is_not_ready() {
    let stage = Stage::shop();
    work(&stage, "mkdir deps && echo built > deps/lib", "[no-such-program, --version]");
    let text = why(&stage.run("work").exits(1).json());
    assert!(text.contains("env_not_ready: `no-such-program` (tests_pass)"), "{text}");

    // The control: a program that is there and fails is a finding.
    let stage = Stage::shop_without_issues();
    work(&stage, "mkdir deps && echo built > deps/lib", "[\"false\"]");
    let run = stage.run("work").exits(21).json();
    assert_eq!(run["row"]["handed_over"], 1, "{run}");
}

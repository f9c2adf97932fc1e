//! The seed's loop from discovery to a merge, with scripted agents on a real repository.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_tests::stage::{Stage, events, outcomes, sample_text, steps};
use serde_json::Value;

/// Where the loop lies in the shop.
const LOOP: &str = ".loopwright/daily-triage/loop.yaml";

/// What the seed leaves open: who the agents are, and what the checks run.
const AGENTS: &str = "
agents:
  implementer: {command: [./implementer.sh], price: $0.50/attempt, model: maker-1}
  reviewer: {command: [./reviewer.sh], price: $0.05/attempt, model: checker-1}
checks:
  tests_pass: [sh, checks/tests.sh]
  lint_clean: [sh, checks/lint.sh]
";

/// Prices of which all are missing: one finding, four failing cases.
const RED: &str = "apple=missing\npear=missing\nplum=missing\nfig=missing\n";

/// Puts the seed's loop with its agents into the repository and registers it.
fn triage(stage: &Stage, reviewer: &str) {
    let seed = sample_text("seed/loop.yaml");
    let text = format!("{seed}{AGENTS}env: {{STAGE: {}}}\n", stage.mark);
    assert!(text.starts_with(&seed), "the seed stands there byte for byte");
    stage.write(LOOP, &text);
    stage.write(".loopwright/daily-triage/implementer.sh", &sample_text("agents/implementer.sh"));
    stage.write(".loopwright/daily-triage/reviewer.sh", reviewer);
    stage.commit("triage: a loop");
    stage.add(".loopwright/daily-triage", true);
}

fn shop_with_a_red_test() -> Stage {
    let stage = Stage::shop();
    stage.write("src/prices.conf", RED);
    stage.commit("prices: none is there");
    stage
}

fn handed_over(run: &Value) -> Vec<&Value> {
    steps(run, "hand_over").into_iter().map(|s| &s["why"]).collect()
}

#[test]
fn the_seed_runs_from_discovery_to_a_merge() {
    let stage = shop_with_a_red_test();
    triage(&stage, &sample_text("agents/reviewer.sh"));
    let run = stage.run("daily-triage").exits(21).json();

    assert_eq!(stage.triage().len(), 3, "{:?}", stage.triage());
    assert_eq!(run["row"]["pull_requests"], 2);
    assert_eq!(run["row"]["handed_over"], 1);
    let why = handed_over(&run);
    assert_eq!(why[0]["reason"], "iteration_cap", "{why:?}");
    assert_eq!(why[0]["cap"], 3);
    assert_eq!(steps(&run, "build").len(), 2 + 3, "one round for each issue, three for the test");
    let spent = run["row"]["spent"].as_u64().expect("micro-dollars");
    assert!((1..=5_000_000).contains(&spent), "{spent}");
    let skipped = outcomes(&run, "shipped")[0]["skipped"].to_string();
    assert!(skipped.contains("notify_slack: skipped (not configured)"), "{skipped}");
    suspects_are_named(&stage, &run);
    both_issues_land(&stage);
}

/// The maker of the red test is told which commit touched the prices last.
fn suspects_are_named(stage: &Stage, run: &Value) {
    let id = run["row"]["id"].as_str().expect("an id");
    let raw = stage.home.join("data/runs").join(id).join("raw");
    let found = std::fs::read_dir(raw).expect("raw streams").flatten().any(|entry| {
        let text = std::fs::read_to_string(entry.path().join("order/finding.json")).unwrap_or_default();
        text.contains("prices: none is there")
    });
    assert!(found, "no maker was told the suspect");
}

/// Each issue has its own pull request; the first lands as it is, with its trailer.
fn both_issues_land(stage: &Stage) {
    let rows = stage.reviews();
    assert_eq!(rows.len(), 2);
    let review = stage.review(rows[0]["id"].as_str().expect("an id"));
    let linked = linked_issues(stage);
    assert_eq!(linked, ["1", "2"]);
    let before = stage.git(&["rev-parse", "HEAD"]);
    let merged = stage.approve(&review).exits(0).json();
    assert_eq!(merged["result"], "merged");
    assert_eq!(stage.git(&["rev-parse", "HEAD^"]), before, "one commit more");
    let message = stage.git(&["log", "-1", "--format=%B"]);
    assert!(message.contains("Closes: #1") || message.contains("Closes: #2"), "{message}");
    assert_eq!(stage.git(&["status", "--porcelain"]), "");
}

fn linked_issues(stage: &Stage) -> Vec<String> {
    let db = rusqlite::Connection::open(stage.home.join("data/loopwright.db")).expect("the database");
    let mut asked =
        db.prepare("SELECT linked_issue FROM pull_request_findings ORDER BY linked_issue").expect("a statement");
    let rows = asked.query_map([], |row| row.get::<_, String>(0)).expect("rows");
    rows.map(|row| row.expect("an issue")).collect()
}

#[test]
fn a_second_run_starts_no_agent_and_opens_nothing() {
    let stage = shop_with_a_red_test();
    triage(&stage, &sample_text("agents/reviewer.sh"));
    stage.run("daily-triage").exits(21);
    let run = stage.run("daily-triage").exits(20).json();
    assert_eq!(steps(&run, "build").len(), 0, "no agent");
    assert_eq!(run["row"]["spent"], 0);
    assert_eq!(stage.reviews().len(), 2);
    assert_eq!(events(&run, "run_ended")[0]["end"]["state"], "finished");
}

#[test]
fn a_day_without_findings_starts_no_agent() {
    let stage = Stage::shop_without_issues();
    triage(&stage, &sample_text("agents/reviewer.sh"));
    let run = stage.run("daily-triage").exits(20).json();
    assert_eq!(steps(&run, "build").len() + steps(&run, "verify").len(), 0);
    assert_eq!(run["row"]["spent"], 0);
    assert_eq!(stage.triage().len(), 0);
}

/// The seed's loop with this checker, on a shop with one issue.
fn checked(reviewer: &str) -> (Stage, Value) {
    let stage = Stage::shop();
    stage.edit(|| {
        std::fs::remove_file(stage.repo.join(".loopwright/issues/2-opening-hours.md")).expect("the second issue");
    });
    triage(&stage, &format!("#!/bin/sh\n{reviewer}\n"));
    let run = stage.run("daily-triage").exits(21).json();
    (stage, run)
}

#[test]
fn a_checker_with_ever_new_words_is_no_progress() {
    // The maker makes the same change again, the checker finds other words each time: no file, no rule.
    let (stage, run) = checked(
        r#"printf '{"loopwright": {"verdict": {"accepted": false, "reasons": ["%s: not elegant"]}}}\n' "$(cat /proc/sys/kernel/random/uuid)""#,
    );
    assert_eq!(stage.reviews().len(), 0);
    let why = handed_over(&run);
    assert_eq!(why.len(), 1);
    for why in why {
        assert_eq!(why["reason"], "no_progress", "{why}");
        assert_eq!(why["rounds"], 2, "{why}");
    }
}

#[test]
fn a_checker_that_names_new_faults_is_progress_until_the_cap() {
    let (_stage, run) = checked(
        r#"printf '{"loopwright": {"verdict": {"accepted": false, "faults": [{"file": "docs/a", "rule": "%s"}]}}}\n' "$LOOPWRIGHT_ITERATION""#,
    );
    assert_eq!(handed_over(&run)[0]["reason"], "iteration_cap", "{run}");
}

#[test]
fn no_verdict_is_a_rejection() {
    for silent in ["exit 0", "echo looks fine", r#"echo '{"loopwright": {"verdict": {"accepted": true}}}'; exit 1"#] {
        let (stage, run) = checked(silent);
        assert_eq!(stage.reviews().len(), 0, "{silent}");
        let verdict = &outcomes(&run, "verified")[0]["verdict"];
        assert_eq!(verdict["verified"], false, "{silent}");
        assert!(verdict["reasons"][0].as_str().expect("a reason").contains("checker"), "{verdict}");
    }
}

/// What a checker writes fails, and what it says of that is its verdict.
#[test]
fn a_checker_can_not_write_where_it_looks() {
    let (stage, run) = checked(
        "if touch /workspace/owned || echo x > README.md || touch /loop/owned || rm -rf docs; then verdict=true; else verdict=false; fi 2>/dev/null\n\
         printf '{\"loopwright\": {\"verdict\": {\"accepted\": %s, \"reasons\": [\"wrote\"]}}}\\n' $verdict",
    );
    let verdict = &outcomes(&run, "verified")[0]["verdict"]["checker"];
    assert_eq!(verdict["reasons"][0], "wrote", "it tried: {run}");
    assert_eq!(verdict["accepted"], false, "nothing could be written");
    assert_eq!(stage.reviews().len(), 0);
}

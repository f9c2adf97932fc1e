//! What was spent, held against an independent sum over the journals; and a ceiling that is changed keeps the file.

use std::fs;

use loopwright_tests::stage::{Stage, events, id};
use serde_json::Value;

const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n\
                     echo '{\"loopwright\": {\"cost\": \"$0.70\", \"model\": \"m-reported\"}}'\n";
const CHECKER: &str = "#!/bin/sh\necho '{\"loopwright\": {\"verdict\": {\"accepted\": true}}}'\n";

fn work(stage: &Stage) {
    let text = format!(
        "name: work
repo: {:?}
trigger: manual
steps:
  - discover: {{run: open_issues, write_to: state/triage.md}}
  - act: {{for_each: finding in state/triage.md, spawn: maker(finding)}}
  - verify: {{agent: checker, check: tests_pass AND diff_reasonable}}
  - ship: {{if: verified, run: open_pr}}
agents:
  maker: {{command: [./maker.sh], price: $1/attempt, model: m-named, vendor: a}}
  checker: {{command: [./checker.sh], price: $0.50/attempt, model: m-checks, vendor: b}}
checks: {{tests_pass: [\"true\"]}}
guardrails: {{max_iterations: 3, budget: [$5/run, $20/day], halt_on: no_progress(2)}}
env: {{STAGE: {}}}
",
        stage.repo, stage.mark
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", MAKER), ("checker.sh", CHECKER)]);
    stage.add(&path.display().to_string(), true);
}

fn spend(stage: &Stage, range: &str) -> Value {
    stage.verb(&["spend", range]).exits(0).json()
}

/// What the events of a run charge: added up by somebody else than the ledger.
fn charged(run: &Value) -> u64 {
    let finished = events(run, "step_finished").into_iter().filter_map(|event| event["outcome"]["charged"].as_u64());
    let failed = events(run, "step_failed").into_iter().filter_map(|event| event["charged"].as_u64());
    finished.chain(failed).sum()
}

#[test]
fn sums_are_those_of_the_journals_by_loop_and_model() {
    let stage = Stage::shop();
    work(&stage);
    let none = spend(&stage, "--week");
    assert_eq!((none["spent"].as_u64(), none["per_merged"].as_u64()), (Some(0), None));
    stage.run("work").exits(21);
    let sum = charged(&stage.last());
    assert_eq!(sum, 2 * (700_000 + 500_000), "two findings, each made and checked");
    for range in ["--today", "--week", "--month"] {
        let view = spend(&stage, range);
        assert_eq!(view["spent"], sum, "{view}");
        assert_eq!((view["reserved"].as_u64(), view["merged"].as_u64()), (Some(0), Some(0)), "{view}");
        let row = &view["loops"][0];
        assert_eq!((row["spent"].as_u64(), row["day"].as_u64()), (Some(sum), Some(20_000_000)), "{row}");
        let models = row["models"].as_array().expect("models");
        let shares: Vec<_> = models.iter().map(|one| (one["model"].as_str(), one["charged"].as_u64())).collect();
        assert_eq!(shares, [(Some("m-reported"), Some(1_400_000)), (Some("m-checks"), Some(1_000_000))], "{row}");
    }
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    stage.approve(&review).exits(0);
    let view = spend(&stage, "--week");
    assert_eq!((view["merged"].as_u64(), view["per_merged"].as_u64()), (Some(1), Some(sum)), "{view} {}", id(&review));
    let said = stage.plain(&["spend"]).exits(0).out;
    assert!(said.contains("$2.40 per merged pull request · 1 merged, 0 reverted"), "{said}");
    assert!(said.contains("m-reported $1.40, m-checks $1.00"), "{said}");
}

#[test]
fn what_is_set_for_all_loops_is_what_it_is_held_against() {
    let stage = Stage::shop();
    work(&stage);
    let settings = stage.home.join("config/settings.yaml");
    fs::write(&settings, "# mine\nbudget: [$5/day, $60/month] # both\nmax_runs: 3\n").expect("settings");
    let ceiling = |range: &str| spend(&stage, range)["ceiling"]["amount"].as_u64();
    assert_eq!(ceiling("--today"), Some(5_000_000));
    assert_eq!(ceiling("--week"), Some(35_000_000));
    assert_eq!(ceiling("--month"), Some(60_000_000));
    fs::write(&settings, "budget: $5/dya\n").expect("settings");
    let view = spend(&stage, "--week");
    assert!(view["settings"].as_str().is_some_and(|fault| fault.contains("settings.yaml is not valid")), "{view}");
    stage.verb(&["spend", "--week", "--month"]).exits(2);
}

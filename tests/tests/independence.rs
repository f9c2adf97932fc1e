//! Independence, by what agents report and not only by what the loop says.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_tests::stage::{Stage, outcomes};
use serde_json::Value;

/// Runs a loop whose maker (model-a, of v1) and checker (model-b) report to be these models; the last verdict.
fn verdict(maker: &str, checker: &str, vendor: &str) -> (Stage, Value) {
    let stage = Stage::shop();
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
  maker: {{command: [./maker.sh], price: $0, model: model-a, vendor: v1}}
  checker: {{command: [./checker.sh], price: $0, model: model-b, vendor: {vendor}}}
checks: {{tests_pass: [\"true\"]}}
guardrails: {{max_iterations: 1, budget: $5/run, halt_on: no_progress(2)}}
env: {{STAGE: {}}}
",
        stage.repo, stage.mark
    );
    let maker = format!("#!/bin/sh\necho 1 >> NOTES\necho '{{\"loopwright\": {{\"model\": \"{maker}\"}}}}'\n");
    let checker = format!(
        "#!/bin/sh\necho '{{\"loopwright\": {{\"model\": \"{checker}\", \"verdict\": {{\"accepted\": true}}}}}}'\n"
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", &maker), ("checker.sh", &checker)]);
    stage.add(&path.display().to_string(), true);
    let run = stage.run("work").exits(21).json();
    let last = outcomes(&run, "verified").last().copied().expect("a verdict").clone();
    (stage, last["verdict"].clone())
}

#[test]
fn two_models_of_two_vendors_are_independent() {
    let (stage, verdict) = verdict("model-a", "model-b", "v2");
    assert_eq!((&verdict["verified"], &verdict["not_independent"]), (&Value::Bool(true), &Value::Null));
    assert_eq!(stage.reviews()[0]["needs_person"], false);
}

#[test]
fn a_checker_that_reports_the_makers_model_does_not_count() {
    let (stage, verdict) = verdict("model-a", "model-a", "v2");
    assert_eq!(verdict["verified"], false);
    assert!(verdict["reasons"][0].as_str().expect("a reason").contains("the same model (model-a)"), "{verdict}");
    assert!(stage.reviews().is_empty());
}

#[test]
fn one_vendor_and_another_model_than_named_are_marked_in_the_review() {
    for (maker, checker, vendor, says) in
        [("model-a", "model-b", "v1", "one vendor"), ("model-c", "model-b", "v2", "reports to be model-c")]
    {
        let (stage, verdict) = verdict(maker, checker, vendor);
        assert_eq!(verdict["verified"], true);
        let waiting = stage.reviews();
        assert_eq!(waiting[0]["needs_person"], true);
        let id = waiting[0]["id"].as_str().expect("an id");
        let review = stage.review(id);
        assert!(review["not_independent"].as_str().expect("why").contains(says), "{review}");
        assert!(stage.plain(&["review", id]).exits(0).out.contains("not independent"), "people see it too");
    }
}

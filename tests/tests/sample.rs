//! The sample, as the terminal and Welcome make it: a whole loop, with a pull request that is approved, without a key.

use loopwright_tests::stage::{Stage, wait_for};
use serde_json::Value;

/// Waits until the run has come to its end; its story.
fn ended(stage: &Stage) -> Value {
    wait_for("the run to end", || Some(stage.last()).filter(|run| !run["row"]["ended"].is_null()))
}

#[test]
fn three_findings_become_two_pull_requests_and_one_refusal_that_says_why() {
    let stage = Stage::empty();
    let said = stage.plain(&["sample"]).exits(0);
    assert!(said.out.contains("loopwright run sample") && said.out.contains("$0.00"), "{}", said.out);

    let story = stage.plain(&["run", "sample"]).exits(21);
    assert!(story.out.contains("last: checker: everybody gets the discount"), "{}", story.out);
    let run = ended(&stage);
    assert_eq!((&run["row"]["pull_requests"], &run["row"]["spent"]), (&2.into(), &0.into()), "{}", run["row"]);
    let reviews = stage.reviews();
    let refused = stage.triage().into_iter().find(|line| line.contains("Members")).expect("the third finding");
    assert!(refused.contains("needs you"), "{refused}");

    // The failing test: approved, it holds in the project itself.
    let fixed = reviews.iter().find(|r| r["title"].as_str().is_some_and(|t| t.contains("three times"))).expect("it");
    let review = stage.verb(&["review", fixed["id"].as_str().expect("an id")]).exits(0).json();
    stage
        .verb(&["approve", fixed["id"].as_str().expect("an id"), "--tree", review["tree"].as_str().expect("a tree")])
        .exits(0);
    let repo = stage.home.join("data/sample/shop-api");
    let total = std::fs::read_to_string(repo.join("src/total.awk")).expect("the file");
    assert!(total.contains("$2 * $3"), "{total}");

    // Asked again, it is the same one, and what the person changed stays.
    std::fs::write(repo.join("README.md"), "mine").expect("a change of the person's");
    stage.verb(&["sample"]).exits(0);
    assert_eq!(std::fs::read_to_string(repo.join("README.md")).expect("the file"), "mine");
    assert_eq!(stage.verb(&["status"]).exits(0).json()["loops"].as_array().map(Vec::len), Some(1));
}

#[test]
fn two_that_ask_at_once_get_one_sample() {
    let stage = Stage::empty();
    let mut asking = [0, 1].map(|_| stage.command(&["sample"]).spawn().expect("it starts"));
    for one in &mut asking {
        assert!(one.wait().expect("its end").success());
    }
    assert_eq!(stage.verb(&["status"]).exits(0).json()["loops"].as_array().map(Vec::len), Some(1));
    let all = std::fs::read_dir(stage.home.join("data/sample")).expect("its folder").flatten();
    let mut names: Vec<_> = all.map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["lock", "shop-api"], "nothing half is left");
}

#[test]
fn a_loop_of_the_persons_own_with_its_name_is_left_alone() {
    let stage = Stage::shop();
    let path = stage.personal("sample", "agents:\n  maker: {command: [./maker.sh], price: $0}\nguardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}\n", &[("maker.sh", "#!/bin/sh\n")]);
    stage.add(&path.display().to_string(), true);
    let refused = stage.verb(&["sample"]).exits(1);
    assert!(refused.err.contains("a loop named sample is registered already"), "{}", refused.err);
}

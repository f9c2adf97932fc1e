//! Several findings at once: `parallel: n` on `act`, from the journal, the processes and the ledger.

use loopwright_tests::stage::{Stage, events, outcomes, steps, wait_for};
use serde_json::Value;

/// Stays until it is ended.
const STAYS: &str = "#!/bin/sh\nexec sleep 600\n";
/// Solves any issue; says what it cost.
const SOLVES: &str = "#!/bin/sh
echo \"$LOOPWRIGHT_FINDING_KEY\" > \"NOTE-$LOOPWRIGHT_FINDING_KEY\"
echo '{\"loopwright\": {\"cost\": \"$0.40\"}}'
";

/// A loop `work` over four issues (two more than the shop has), with so many at once.
fn work(parallel: u32, rest: &str, maker: &str) -> Stage {
    let stage = Stage::shop();
    for number in [11, 12] {
        let issue = format!("---\ntitle: Note {number}\nstate: open\nlabels: []\nauthor: una\n---\nWrite a note.\n");
        stage.write(&format!(".loopwright/issues/{number}-note.md"), &issue);
    }
    stage.commit("issues: two notes");
    let text = format!(
        "name: work
repo: {:?}
trigger: manual
steps:
  - discover: {{run: open_issues, write_to: state/triage.md}}
  - act: {{for_each: finding in state/triage.md, spawn: maker(finding), parallel: {parallel}}}
  - verify: {{check: tests_pass AND diff_reasonable}}
  - ship: {{if: verified, run: open_pr}}
agents:
  maker: {{command: [./maker.sh], price: $1/attempt}}
checks: {{tests_pass: [\"true\"]}}
env: {{STAGE: {}}}
{rest}",
        stage.repo, stage.mark
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", maker)]);
    stage.add(&path.display().to_string(), true);
    stage
}

const RAILS: &str = "guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}\nreview: {max_open: 9}\n";

/// How many steps were open at once, at most.
fn most_open(run: &Value) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for event in run["journal"].as_array().into_iter().flatten() {
        match event["type"].as_str() {
            Some("step_started") => open += 1,
            Some("step_finished" | "step_failed") => open -= 1,
            _ => {}
        }
        most = most.max(open);
    }
    most
}

#[test]
fn as_many_makers_as_asked_for_work_at_once_and_halt_ends_them_all() {
    let stage = work(3, RAILS, STAYS);
    let run = stage.start(&["run", "work"]);
    wait_for("three makers", || (stage.with("sleep").len() >= 3).then_some(()));
    assert_eq!(steps(&stage.last(), "build").len(), 3, "the fourth waits");
    stage.verb(&["halt", "--reason", "enough"]).exits(0);
    run.end().exits(10);
    wait_for("no maker to be left", || stage.with("sleep").is_empty().then_some(()));
    let last = stage.last();
    assert_eq!(events(&last, "step_failed").len(), 3, "each was cut off");
    assert_eq!(last["row"]["spent"], 3_000_000, "and each is charged what was reserved");
}

#[test]
fn four_findings_become_four_pull_requests_and_the_money_is_exact() {
    let stage = work(4, RAILS, SOLVES);
    let run = stage.run("work").exits(21).json();
    assert_eq!(run["row"]["pull_requests"], 4, "{run}");
    assert_eq!(run["row"]["spent"], 1_600_000);
    assert!(most_open(&stage.last()) > 1);
    assert_eq!(stage.reviews().len(), 4);
    // The control: one after the other, unless asked.
    let one = work(1, RAILS, SOLVES);
    one.run("work").exits(21);
    assert_eq!(most_open(&one.last()), 1);
}

#[test]
fn what_all_of_them_may_cost_stays_below_the_ceiling() {
    let stage = work(4, "guardrails: {max_iterations: 3, budget: $2/run, halt_on: no_progress(2)}\n", STAYS);
    let run = stage.start(&["run", "work"]);
    wait_for("two makers", || (stage.with("sleep").len() >= 2).then_some(()));
    let last = stage.last();
    assert_eq!(steps(&last, "build").len(), 2, "a third might cross the ceiling");
    stage.verb(&["halt", "--reason", "enough"]).exits(0);
    run.end().exits(10);
}

#[test]
fn no_more_begin_than_may_wait_for_the_person() {
    let rails = "guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}\nreview: {max_open: 2}\n";
    let stage = work(4, rails, SOLVES);
    stage.run("work").exits(21);
    let last = stage.last();
    assert_eq!((stage.reviews().len(), steps(&last, "build").len()), (2, 2));
    assert_eq!(outcomes(&last, "discovered")[0]["queue"].as_array().map(Vec::len), Some(4), "discover goes on");
}

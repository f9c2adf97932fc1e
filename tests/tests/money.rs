//! Money, to the micro-dollar: what is reserved, charged and left, however agents report and runs end.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::{fs, thread};

use loopwright_tests::nasty::signal;
use loopwright_tests::stage::{Stage, events, steps, wait_for};
use serde_json::Value;

const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n";
const CHECKER: &str = "#!/bin/sh\necho '{\"loopwright\": {\"verdict\": {\"accepted\": true}}}'\n";

/// A loop `work` with this budget, a maker at `maker` and a checker at `checker` that report no cost of their own.
fn work(stage: &Stage, budget: &str, maker: (&str, &str), checker: &str) {
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
  maker: {{command: [./maker.sh], price: {}/attempt}}
  checker: {{command: [./checker.sh], price: {checker}/attempt}}
checks: {{tests_pass: [\"true\"]}}
guardrails: {{max_iterations: 3, budget: {budget}, halt_on: no_progress(2)}}
env: {{STAGE: {}}}
",
        stage.repo, maker.0, stage.mark
    );
    let path = stage.personal_text("work", &text, &[("maker.sh", maker.1), ("checker.sh", CHECKER)]);
    stage.add(&path.display().to_string(), true);
}

fn spent(run: &Value) -> u64 {
    run["row"]["spent"].as_u64().expect("micro-dollars")
}

#[test]
fn maker_and_checker_are_charged_once_each() {
    let stage = Stage::shop();
    work(&stage, "$5/run", ("$1", MAKER), "$0.50");
    let run = stage.run("work").exits(21).json();
    assert_eq!(spent(&run), 3_000_000, "two findings");
    assert_eq!(stage.reviews()[0]["cost"], 1_500_000);
}

#[test]
fn the_round_that_might_cross_is_not_begun() {
    let stage = Stage::shop();
    work(&stage, "$2/run", ("$1", MAKER), "$0.50");
    let run = stage.run("work").exits(11).json();
    assert_eq!(spent(&run), 1_500_000);
    assert_eq!(run["row"]["end"]["why"], "budget");
    assert_eq!(stage.reviews().len(), 1, "what was paid for is kept");
}

#[test]
fn a_report_beyond_the_price_is_charged_and_ends_the_run() {
    let stage = Stage::shop();
    let greedy = format!("{MAKER}echo '{{\"loopwright\": {{\"cost\": \"$9\"}}}}'\n");
    work(&stage, "$5/run", ("$1", &greedy), "$0.50");
    let run = stage.run("work").exits(11).json();
    assert_eq!(spent(&run), 9_000_000, "the checker is not begun any more");
    assert_eq!(steps(&stage.last(), "build").len(), 1);
}

#[test]
fn what_was_cut_off_is_charged_once_and_the_run_goes_on_once() {
    let stage = Stage::shop();
    work(&stage, "$5/run", ("$1", "#!/bin/sh\nsleep 600\n"), "$0.50");
    let run = stage.start(&["run", "work"]);
    wait_for("the maker", || (!stage.with("sleep").is_empty()).then_some(()));
    signal(stage.watchdog(), "KILL");
    wait_for("its processes to be gone", || stage.with("sleep").is_empty().then_some(()));
    thread::scope(|scope| {
        for _ in 0..6 {
            let mut command = stage.command(&["tick", "--json"]);
            scope.spawn(move || command.output().expect("starts"));
        }
    });
    wait_for("the maker again", || (!stage.with("sleep").is_empty()).then_some(()));
    assert_eq!(spent(&stage.last()), 1_000_000, "nobody knows what it cost: the reservation is the charge");
    stage.verb(&["halt"]).exits(0);
    run.end().exits(10);
    let last = stage.last();
    assert_eq!(events(&last, "run_started").len(), 2, "{last}");
    assert_eq!(events(&last, "run_ended").len(), 1, "{last}");
    assert_eq!(spent(&last), 2_000_000, "and so for the second try");
    assert_eq!(last["intact"], true);
}

#[test]
fn a_day_of_the_loop_holds_over_its_runs() {
    let stage = Stage::shop();
    work(&stage, "[$2/run, $2.50/day]", ("$1", MAKER), "$0.50");
    assert_eq!(spent(&stage.run("work").exits(11).json()), 1_500_000);
    let second = stage.run("work").exits(11).json();
    assert_eq!(spent(&second), 0, "neither the attempt nor its verdict fit into the day");
    let detail = second["row"]["end"]["detail"].as_str().expect("a detail");
    let said =
        "$1.50 more would pass the ceiling of $2.50/day of work ($1.50 spent or reserved); there is room again from ";
    assert!(detail.starts_with(said), "{detail}");
    // The control: where only the run counts, the second run has its whole budget.
    let control = Stage::shop();
    work(&control, "$2/run", ("$1", MAKER), "$0.50");
    control.run("work").exits(11);
    assert_eq!(spent(&control.run("work").json()), 1_500_000);
}

#[test]
fn a_day_of_all_loops_comes_from_the_settings() {
    let stage = Stage::shop();
    let settings = stage.home.join("config/settings.yaml");
    work(&stage, "$5/run", ("$1", MAKER), "$0.50");
    fs::write(&settings, "budget: [$2/day, $500/month]\n").expect("settings");
    let run = stage.run("work").exits(11).json();
    assert_eq!(spent(&run), 1_500_000);
    let detail = run["row"]["end"]["detail"].as_str().expect("a detail");
    assert!(detail.contains("$2/day of all loops together ($1.50 spent or reserved)"), "{detail}");
    assert_eq!(
        stage.verb(&["status"]).exits(0).json()["ceilings"].as_array().map(Vec::len),
        Some(0),
        "a quarter is left"
    );
    fs::write(&settings, "budget: $1.60/day\n").expect("settings");
    let shown = stage.plain(&["status"]).exits(0).out;
    assert!(shown.contains("$1.60/day of all loops together: $1.50 spent or reserved"), "{shown}");
}

#[test]
fn settings_that_are_wrong_stop_what_they_would_bound_and_say_where() {
    let stage = Stage::shop();
    work(&stage, "$5/run", ("$1", MAKER), "$0.50");
    fs::write(stage.home.join("config/settings.yaml"), "budget: $50/dya\n").expect("settings");
    let refused = stage.run("work").exits(2);
    assert!(
        refused.message().ends_with("is not valid: a budget is per run, day or month, not per `dya` (1:13)"),
        "{refused:?}"
    );
    assert!(refused.hint().contains("did you mean `day`?"), "{refused:?}");
    let looked = |verb: &str, code, wanted: &[&str]| {
        let said = stage.plain(&[verb]).exits(code).out;
        wanted.iter().for_each(|words| assert!(said.contains(words), "{words}: {said}"));
    };
    looked("status", 0, &["settings.yaml is not valid: a budget is per run", "1 loop"]);
    stage.verb(&["halt", "--reason", "look"]);
    looked("status", 0, &["Halted: ", "settings.yaml is not valid"]);
    looked("doctor", 1, &["invalid", "halted", "loopwright resume"]);
    assert!(!stage.plain(&["doctor"]).out.contains("missing"), "both are there");
    stage.verb(&["resume", "--reason", "looked"]);
    fs::remove_file(stage.home.join("config/settings.yaml")).expect("removed");
    stage.run("work").exits(21);
}

//! Agents that flood, hang, fork, lie or attack: the round says what happened, the finding goes to a person, nothing is lost.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use loopwright_tests::stage::{Stage, outcomes, steps};
use serde_json::Value;

/// One round without progress hands the finding over.
const RAILS: &str = "guardrails: {max_iterations: 2, budget: $5/run, halt_on: no_progress(1)}\n";

/// A shop in which one price is missing.
fn shop() -> Stage {
    let stage = Stage::shop_without_issues();
    stage.write("src/prices.conf", "apple=ok\npear=ok\nplum=ok\nfig=missing\n");
    stage.commit("prices: no figs");
    stage
}

fn agents(script: &str) -> (Stage, Value) {
    let stage = shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $1/attempt, idle: 2s, max: 20s}\n";
    let path = stage.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", &format!("#!/bin/sh\n{script}\n"))]);
    stage.add(&path.display().to_string(), true);
    let run = stage.run("work").exits(21).json();
    (stage, run)
}

/// What came of the first round of the maker.
fn built(run: &Value) -> &Value {
    &outcomes(run, "built")[0]["result"]
}

/// Asserts that the finding was handed over and nothing was shipped; returns why the round was nothing.
fn assert_handed_over(stage: &Stage, run: &Value) -> String {
    assert_eq!(steps(run, "hand_over").len(), 1, "{run}");
    assert_eq!(stage.reviews().len(), 0, "nothing is shipped");
    let needs = stage.verb(&["status"]).exits(0).json();
    assert_eq!(needs["needs_you"].as_array().map(Vec::len), Some(1));
    built(run)["why"].as_str().unwrap_or_default().to_owned()
}

/// The reasons of the last verdict.
fn reasons(run: &Value) -> String {
    outcomes(run, "verified").last().map(|o| o["verdict"]["reasons"].to_string()).unwrap_or_default()
}

fn assert_shipped(stage: &Stage, run: &Value) -> Value {
    assert_eq!(run["row"]["pull_requests"], 1, "{run}");
    stage.review(stage.reviews()[0]["id"].as_str().expect("an id"))
}

const FIX: &str = "sed -i s/fig=missing/fig=ok/ src/prices.conf";

#[test]
fn one_that_floods_is_ended() {
    let (stage, run) = agents("yes");
    let why = assert_handed_over(&stage, &run);
    assert!(why.contains("it wrote more than it may"), "{why}");
    assert!(why.len() < 1000, "{}", why.len());
}

#[test]
fn one_that_is_silent_is_ended() {
    let (stage, run) = agents("sleep 1000");
    let why = assert_handed_over(&stage, &run);
    assert!(why.contains("it said nothing for longer than it may"), "{why}");
}

#[test]
fn children_that_are_left_end_with_the_round() {
    let (stage, run) = agents(&format!("{FIX}\n(setsid sh -c 'while :; do sleep 1; done' &) &\nsetsid sleep 1000 &"));
    assert_shipped(&stage, &run);
    assert!(stage.with("sleep 1").is_empty());
}

#[test]
fn a_claim_without_a_change_is_no_progress() {
    let (stage, run) = agents(r#"echo '{"loopwright": {"summary": "all fixed, tests pass"}}'"#);
    assert_handed_over(&stage, &run);
    assert_eq!(built(&run)["result"], "empty");
    assert_eq!(steps(&run, "hand_over")[0]["why"]["reason"], "no_progress");
}

#[test]
fn a_price_below_nothing_is_not_believed() {
    let (stage, run) = agents(&format!("{FIX}\necho '{{\"loopwright\": {{\"cost\": \"$-5\"}}}}'"));
    assert_shipped(&stage, &run);
    assert_eq!(run["row"]["spent"], 1_000_000, "the reservation is the charge");
}

#[test]
fn a_price_above_the_budget_ends_the_run() {
    let stage = shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $1/attempt}\n";
    let rails = "guardrails: {max_iterations: 9, budget: $5/run, halt_on: no_progress(9)}\n";
    let script = "#!/bin/sh\necho '{\"loopwright\": {\"cost\": \"$1000\"}}'\n";
    let path = stage.personal("work", &format!("{agents}{rails}"), &[("maker.sh", script)]);
    stage.add(&path.display().to_string(), true);
    let run = stage.run("work").exits(11).json();
    assert_eq!(steps(&run, "build").len(), 1, "nothing more is started");
}

#[test]
fn a_garbled_report_costs_the_agent_its_report_only() {
    let (stage, run) = agents(&format!("{FIX}\necho '{{\"loopwright\": {{\"summary\": [1,'"));
    assert_shipped(&stage, &run);
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let line = r#"head -c 130000 /dev/zero | sed 's/\x00/\x1b[31m\xe2\x80\xae/g'; echo"#;
    let summary = r#"printf '{"loopwright": {"summary": "\\u001b[2J\\u202emoc.live \\u0007"}}\n'"#;
    let (stage, run) = agents(&format!("{FIX}\n{line}\n{summary}"));
    assert_shipped(&stage, &run);
    for verb in [&["show", "last"][..], &["reviews"], &["status"], &["logs", "last"]] {
        let said = stage.plain(verb).exits(0).out;
        assert!(!said.contains(['\u{1b}', '\u{202e}', '\u{7}']), "{verb:?} lets control characters through");
    }
}

#[test]
fn a_deleted_git_folder_is_told() {
    let (stage, run) = agents(&format!("{FIX}\nrm -rf .git"));
    assert_shipped(&stage, &run);
}

#[test]
fn a_link_in_place_of_git_leads_nowhere() {
    let stage = shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $0}\n";
    let git = stage.repo.join(".git").display().to_string();
    let script = format!("#!/bin/sh\n{FIX}\nrm -rf .git\nln -s {git} .git\nls .git/ && echo visible > .git/owned\n");
    let path = stage.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", &script)]);
    stage.add(&path.display().to_string(), true);
    stage.run("work").exits(21);
    stage.assert_untouched();
}

#[test]
fn planted_hooks_and_configuration_run_nowhere() {
    let trap = "#!/bin/sh\ntouch /tmp/owned /workspace/owned\n";
    let plant = format!(
        "{FIX}\nfor hook in post-commit pre-push post-checkout reference-transaction; do\n\
         printf '%b' '{}' > .git/hooks/$hook; chmod +x .git/hooks/$hook; done\n\
         git config core.fsmonitor 'touch /workspace/owned'; git config core.hooksPath .git/hooks\n\
         git config filter.x.clean 'touch /workspace/owned; cat'; git config uploadpack.packObjectsHook 'touch owned'\n",
        trap.escape_default()
    );
    let (stage, run) = agents(&plant);
    let review = assert_shipped(&stage, &run);
    assert!(!review["diff"].as_str().expect("a diff").contains("owned"));
    stage.approve(&review).exits(0);
    assert!(!stage.repo.join("owned").exists());
    assert_eq!(stage.git(&["config", "--local", "--get-all", "core.bare"]), "false");
}

#[test]
fn a_huge_file_is_refused_with_its_size() {
    let (stage, run) = agents(&format!("{FIX}\nhead -c 100000000 /dev/zero > big.bin"));
    let why = assert_handed_over(&stage, &run);
    assert!(why.contains("big.bin") || why.contains("MB") || why.contains("bytes"), "{why} {}", reasons(&run));
}

#[test]
fn a_deleted_test_is_no_fix() {
    let (stage, run) = agents("sed -i 's/ fig;/;/' checks/tests.sh; sed -i /fig/d src/prices.conf");
    assert_handed_over(&stage, &run);
    let why = reasons(&run);
    assert!(why.contains("which is no fix") || why.contains("still fails"), "{why}");
}

#[test]
fn a_skipped_test_is_no_fix() {
    let (stage, run) = agents(
        "sed -i 's|<failure message=.*/><|<skipped/><|' checks/tests.sh; sed -i s/missing/later/ src/prices.conf",
    );
    assert_handed_over(&stage, &run);
    let why = reasons(&run);
    assert!(why.contains("which is no fix") || why.contains("still fails"), "{why}");
}

#[test]
fn the_script_of_a_check_comes_from_the_base() {
    let (stage, run) = agents("sed -i 's|<failure message=.*/><|<|; s/^!.*/true/' checks/tests.sh");
    assert_handed_over(&stage, &run);
    assert!(reasons(&run).contains("still fails"), "{}", reasons(&run));
}

#[test]
fn a_change_of_a_check_s_script_needs_a_person() {
    let (stage, run) = agents(&format!("{FIX}\necho '# a word' >> checks/tests.sh"));
    let review = assert_shipped(&stage, &run);
    assert_eq!(review["row"]["needs_person"], true, "{review}");
    assert!(review["gates"].to_string().contains("checks/tests.sh"), "{review}");
}

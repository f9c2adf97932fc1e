//! The seed and its variants, explained.

use super::*;
use crate::definition::read;

const SEED: &str = include_str!("../../../../../tests/samples/seed/loop.yaml");

fn around() -> Surroundings {
    Surroundings {
        repo: Some("/home/me/project".to_owned()),
        repo_fault: None,
        zone: chrono_tz::Europe::Berlin,
        now: "2026-11-20T12:00:00Z".parse().expect("a time"),
        checks: vec![DetectedCheck {
            gate: "tests_pass".to_owned(),
            commands: vec!["cargo test".to_owned()],
            origin: "Cargo.toml".to_owned(),
        }],
        mounts: vec![Mount { host: "/usr".to_owned(), inside: "/usr".to_owned(), access: "read-only".to_owned() }],
        configured: BTreeSet::new(),
    }
}

fn explained(text: &str, around: &Surroundings) -> Explanation {
    let reading = read(text);
    explain(&reading.definition.expect("a valid loop"), &reading.origins, around)
}

fn shown(explanation: &Explanation) -> String {
    let rows = explanation.rows.iter().map(|r| format!("{} = {} ({})\n", r.key, r.value, r.origin));
    let notes = explanation.notes.iter().map(|n| format!("note: {n}\n"));
    rows.chain(notes).collect()
}

#[test]
fn the_seed() {
    let explanation = explained(SEED, &around());
    insta::assert_snapshot!(shown(&explanation), @r###"
    name = daily-triage (line 1)
    trigger = cron("0 9 * * MON-FRI") (line 2)
    zone = Europe/Berlin (detected: this computer)
    repo = /home/me/project (detected: git root)
    isolation = worktree (line 3)
    discover.run = scan_ci_failures + open_issues + recent_commits (line 7)
    discover.write_to = state/triage.md (line 8)
    act.for_each = finding in state/triage.md (line 11)
    act.spawn = implementer(finding) (line 12)
    act.isolation = worktree (line 13)
    verify.agent = reviewer (line 16)
    verify.check = tests_pass AND lint_clean AND diff_reasonable (line 17)
    ship.if = verified (line 20)
    ship.run = open_pr + link_issue + notify_slack (line 21)
    guardrails.max_iterations = 3 (line 24)
    guardrails.budget = $5/run (line 25)
    guardrails.halt_on = no_progress(2) (line 26)
    guardrails.max_duration = 2h (default)
    guardrails.max_tokens = no limit of its own (default)
    guardrails.max_turns = no limit of its own (default)
    guardrails.max_findings = 5 (default)
    review.max_open = 3 (default)
    review.merge = squash (default)
    independence = model (default)
    checks.tests_pass = cargo test (detected: Cargo.toml)
    checks.lint_clean = none (absent)
    note: implementer: not defined here: the fixer (built in, needs no model)
    note: reviewer: not defined: gates alone
    note: notify_slack: skipped (not configured)
    note: lint_clean: no command found here: absent, so a person must look
    "###);
    let table = explanation.schedule.expect("a schedule");
    assert_eq!((table.words.as_str(), table.zone.as_str()), ("weekdays at 09:00", "Europe/Berlin"));
    assert_eq!(table.next.len(), 5);
    assert_eq!(table.next[0], "2026-11-23T09:00:00+01:00");
    assert_eq!(explanation.cost.words, "at most $5 a run and $5 a day; 5 scheduled runs a week: $25");
    assert_eq!(explanation.cost.per_week, Some(Micros(25_000_000)));
    assert_eq!(explanation.grants, Vec::<String>::new());
    assert_eq!(explanation.mounts.len(), 1);
}

#[test]
fn outside_of_a_repository_and_by_hand() {
    let text = SEED.replace("cron(\"0 9 * * MON-FRI\")", "manual");
    let outside = Surroundings { repo: None, checks: Vec::new(), ..around() };
    let explanation = explained(&text, &outside);
    assert_eq!(explanation.schedule, None);
    assert_eq!(explanation.cost.words, "at most $5 a run; only a person starts it");
    assert!(explanation.notes[0].starts_with("repository: none here"), "{:?}", explanation.notes);
    assert!(!explanation.notes.iter().any(|n| n.contains("no command found")));
}

#[test]
fn the_zone_of_the_file_wins_and_slack_may_be_ready() {
    let text = SEED.replacen("isolation", "zone: Asia/Tokyo\nisolation", 1);
    let ready = Surroundings { configured: BTreeSet::from([ShipAction::NotifySlack]), ..around() };
    let explanation = explained(&text, &ready);
    assert_eq!(explanation.schedule.expect("a schedule").next[0], "2026-11-23T09:00:00+09:00");
    assert!(!explanation.notes.iter().any(|n| n.contains("slack")), "{:?}", explanation.notes);
}

#[test]
fn two_models_of_one_vendor_are_marked() {
    let agents = |vendor: &str| {
        SEED.to_owned()
            + "agents:\n  implementer: {command: [m], price: $1/attempt, model: a, vendor: x}\n"
            + &format!("  reviewer: {{command: [c], price: $1/attempt, model: b, vendor: {vendor}}}\n")
    };
    let marked = |text: &str| explained(text, &around()).notes.iter().any(|n| n.contains("not independent"));
    assert!(marked(&agents("x")));
    assert!(!marked(&agents("y")));
}

#[test]
fn the_plan_of_the_seed_and_of_a_loop_that_reports() {
    let plan = |text: &str| plan(&read(text).definition.expect("a valid loop")).join("\n");
    insta::assert_snapshot!(plan(SEED), @r"
    looks for work: scan_ci_failures + open_issues + recent_commits
    lists what it found in state/triage.md, which you may edit
    that is all while it only reports, which is how it begins
    with --ship: the built-in fixer works on up to 5 findings a run, up to 3 rounds each, in the sandbox
    a change that passes tests_pass AND lint_clean AND diff_reasonable becomes a pull request and waits for you
    ");
    assert!(plan(include_str!("../../../../templates/report/loop.yaml")).ends_with("it changes nothing"));
}

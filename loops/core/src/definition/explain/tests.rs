//! The seed and its variants, explained.

use super::*;
use crate::definition::read;
use crate::run::Mode;

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
        loops: BTreeSet::new(),
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
    timezone = Europe/Berlin (detected: this computer)
    wake = false (default)
    catch_up = once, within 12h (default)
    overlap = skip (default)
    jitter = none (default)
    quiet_hours = none (default)
    battery = run (default)
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
    assert_eq!(explanation.mounts.len(), 2);
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
    let of = |text: &str, mode| plan(&read(text).definition.expect("a valid loop"), mode).join("\n");
    let plan = |text: &str| of(text, Mode::Report);
    insta::assert_snapshot!(plan(SEED), @r"
    looks for work: scan_ci_failures + open_issues + recent_commits
    lists what it found in state/triage.md, which you may edit
    that is all while it only reports, which is how it begins
    with --ship: the built-in fixer works on up to 5 findings a run, up to 3 rounds each, in the sandbox
    a change that passes tests_pass AND lint_clean AND diff_reasonable becomes a pull request and waits for you
    ");
    assert!(plan(include_str!("../../../../templates/report/loop.yaml")).ends_with("it changes nothing"));
    let ships = of(SEED, Mode::Ship);
    assert!(ships.contains("\nthe built-in fixer works on") && !ships.contains("only reports"), "{ships}");
}

const TRADING: &str = r#"name: trading-day
trigger:
  - cron("25 8 * * MON-FRI")
  - after(prices)
  - at("2026-11-01 09:00")
timezone: Europe/Berlin
wake: true
catch_up: {how: once, within: 10m}
steps:
  - run: {name: login, command: [./login.sh], retry: {times: 2, every: 30s}, network: [localhost:9000]}
  - run:
      name: engine
      command: [./engine.sh, --paper]
      service: true
      until: 15:30
      network: [broker.example]
      read: [~/prices]
  - wait: {until: file("state/stop")}
  - run: ./count.sh
  - finally:
      - run: {name: square-off, command: [./square-off.sh], write: [/srv/out], idempotent: true}
"#;

#[test]
fn a_day_without_findings() {
    let outside = Surroundings { repo: None, checks: Vec::new(), ..around() };
    let explanation = explained(TRADING, &outside);
    insta::assert_snapshot!(shown(&explanation), @r###"
    name = trading-day (line 1)
    trigger.1 = cron("25 8 * * MON-FRI") (line 3)
    trigger.2 = after(prices) (line 4)
    trigger.3 = at("2026-11-01 09:00") (line 5)
    timezone = Europe/Berlin (line 6)
    wake = true (line 7)
    catch_up = once, within 10m (line 8)
    overlap = skip (default)
    jitter = none (default)
    quiet_hours = none (default)
    battery = run (default)
    repo = none: its steps need none (default)
    isolation = worktree (default)
    run.login.command = ./login.sh (line 10)
    run.login.retry = 2 times, every 30s (line 10)
    run.login.network = localhost:9000 (line 10)
    run.engine.command = ./engine.sh --paper (line 13)
    run.engine.service = true (line 14)
    run.engine.until = 15:30 (line 15)
    run.engine.network = broker.example:443 (line 16)
    run.engine.read = ~/prices (line 17)
    wait.3.until = file("state/stop") (line 18)
    run.run-1.command = ./count.sh (line 19)
    finally.square-off.command = ./square-off.sh (line 21)
    finally.square-off.idempotent = true (line 21)
    finally.square-off.write = /srv/out (line 21)
    finally.max = 1m (default)
    guardrails.budget = $0/run (default)
    guardrails.max_duration = 2h (default)
    note: after(prices): no loop prices is registered here; it starts nothing until there is one
    note: at("2026-11-01 09:00"): that is past, so it starts nothing any more
    note: wake: nothing wakes this computer yet; where it sleeps, the loop starts late
    note: until 15:30: a run that starts at 08:25 is over at 10:25: `max_duration` is 2h
    "###);
    insta::assert_snapshot!(explanation.grants.join("\n"), @r###"
    login: network, port 9000 of this computer itself
    engine: network, broker.example:443
    engine: reads ~/prices
    square-off: reads and writes /srv/out
    "###);
    let plan = plan(&read(TRADING).definition.expect("a valid loop"), Mode::Report).join("\n");
    insta::assert_snapshot!(plan, @r###"
    runs login in the sandbox: ./login.sh
    runs engine in the sandbox: ./engine.sh --paper, beside the steps after it, until 15:30 at the latest
    waits until there is a file state/stop
    runs run-1 in the sandbox: ./count.sh
    after any end, HALT too, within 1m: runs square-off: ./square-off.sh
    that is all: it looks for no findings, and opens no pull request
    "###);
    let table = explanation.schedule.expect("a schedule");
    assert_eq!(table.words, "weekdays at 08:25, and after prices, and once, 2026-11-01 at 09:00");
    assert_eq!(table.next[0], "2026-11-23T08:25:00+01:00");
    assert_eq!(explanation.cost.words, "nothing that is counted: it has no agent; a run takes at most 2h");
}

#[test]
fn what_a_person_should_know_of_the_starts() {
    let notes = |from: &str, to: &str, loops: &[&str]| {
        let known = loops.iter().map(|name| (*name).to_owned()).collect();
        explained(&TRADING.replace(from, to), &Surroundings { loops: known, ..around() }).notes
    };
    let of = |notes: Vec<String>, what: &str| notes.iter().filter(|note| note.contains(what)).count();
    assert_eq!(of(notes("", "", &["prices"]), "no loop prices"), 0);
    assert_eq!(of(notes("", "", &["others"]), "no loop prices"), 1);
    assert_eq!(of(notes("2026-11-01", "2026-12-01", &[]), "that is past"), 0);
    assert_eq!(of(notes("wake: true\n", "", &[]), "wake"), 0);
    let longer = "steps:\n  - run: {name: first, command: x}\n";
    assert_eq!(of(notes("steps:\n", longer, &[]), "`max_duration` is 2h"), 1);
    assert_eq!(of(notes("name: trading-day\n", "name: t\nguardrails: {max_duration: 8h}\n", &[]), "max_duration"), 0);
}

#[test]
fn what_is_started_by_something_else_can_cost_more() {
    let words = |trigger: &str| {
        let text = SEED.replace("cron(\"0 9 * * MON-FRI\")", trigger);
        let explanation = explained(&text, &around());
        (explanation.schedule.map(|table| table.words), explanation.cost.words)
    };
    let (when, cost) = words("after(prices, failed)");
    assert_eq!(when.as_deref(), Some("after prices has failed"));
    assert_eq!(cost, "at most $5 a run; nobody knows beforehand how often it starts");
    let (_, cost) = words("[every(12h), manual]");
    assert_eq!(cost, "at most $5 a run and $10 a day; 14 scheduled runs a week: $70");
    let (_, cost) = words("[every(12h), 'file(\"in/*\")']");
    assert!(cost.ends_with("14 scheduled runs a week: $70, and more where something else starts it"), "{cost}");
    assert_eq!(words("[manual]").0, None);
}

#[test]
fn what_steps_see_is_listed_with_what_they_are_granted() {
    let text =
        "name: x\ntrigger: manual\nsteps:\n  - run: {name: a, command: x, read: [~/photos], write: [~/backups]}\n";
    let known = explained(text, &around());
    let seen: Vec<(&str, &str)> = known.mounts.iter().map(|m| (m.inside.as_str(), m.access.as_str())).collect();
    assert!(seen.contains(&("/state", "writable")), "{seen:?}");
    assert!(seen.contains(&("~/photos", "read-only, in a")) && seen.contains(&("~/backups", "writable, in a")));
    assert!(!seen.iter().any(|(inside, _)| *inside == "/workspace"), "chores alone have no workspace: {seen:?}");
}

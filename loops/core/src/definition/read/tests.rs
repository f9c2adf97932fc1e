//! Whole files: what is accepted, what is refused, and that nothing panics or hangs.

use super::*;
use crate::definition::{Command, Merge, ShipAction, Source};
use crate::money::Micros;
use crate::timing::Trigger;

const SEED: &str = include_str!("../../../../../tests/samples/seed/loop.yaml");

#[test]
fn the_seed_is_read_as_it_stands() {
    let reading = read(SEED);
    assert_eq!(reading.diagnostics, []);
    let loop_ = reading.definition.expect("a definition");
    assert_eq!(loop_.name, "daily-triage");
    assert_eq!(loop_.timing.triggers, [Trigger::Cron("0 9 * * MON-FRI".to_owned())]);
    assert_eq!(loop_.discover.as_ref().expect("discover").write_to, "triage.md");
    assert_eq!(
        loop_.discover.as_ref().expect("discover").sources,
        [Source::ScanCiFailures(vec![]), Source::OpenIssues, Source::RecentCommits]
    );
    let work = loop_.work.expect("work");
    assert_eq!(work.act.maker, "implementer");
    assert_eq!(work.verify.checker.as_deref(), Some("reviewer"));
    assert_eq!(work.verify.check.to_string(), "tests_pass AND lint_clean AND diff_reasonable");
    assert_eq!(work.ship.actions, [ShipAction::OpenPr, ShipAction::LinkIssue, ShipAction::NotifySlack]);
    assert_eq!(loop_.rails.budget, Micros(5_000_000));
    assert_eq!((loop_.rails.max_iterations, loop_.rails.no_progress), (3, 2));
    assert_eq!((loop_.rails.max_duration_s, loop_.rails.max_findings), (7200, 5));
    assert_eq!((loop_.review.max_open, loop_.review.merge), (3, Merge::Squash));
    assert_eq!(reading.origins.span("guardrails.budget").map(|s| s.line), Some(25));
    assert_eq!(reading.origins.span("discover.run").map(|s| s.line), Some(7));
}

#[test]
fn what_windows_editors_write_is_accepted() {
    let text = format!("\u{feff}{}", SEED.replace('\n', "\r\n"));
    let reading = read(&text);
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.definition, read(SEED).definition);
}

#[test]
fn block_and_flow_say_the_same() {
    let flow = r#"{name: daily-triage, trigger: 'cron("0 9 * * MON-FRI")', isolation: worktree, steps: [
        {discover: {run: scan_ci_failures + open_issues + recent_commits, write_to: state/triage.md}},
        {act: {for_each: finding in state/triage.md, spawn: implementer(finding), isolation: worktree}},
        {verify: {agent: reviewer, check: tests_pass AND lint_clean AND diff_reasonable}},
        {ship: {if: verified, run: open_pr + link_issue + notify_slack}}],
        guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}}"#;
    let reading = read(flow);
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.definition, read(SEED).definition);
}

#[test]
fn every_key_is_read() {
    let text = SEED.replacen("isolation: worktree\n\n", "zone: Europe/Berlin\nrepo: ~/src/x\nversion: 1\n\n", 1)
        + "  max_duration: 45m\n  max_tokens: 2M\n  max_turns: 60\n  max_findings: 7\n\
           review: {max_open: 2, merge: fast_forward}\nindependence: vendor\nsetup: make deps\n\
           agents:\n  implementer:\n    command: [fix, --all]\n    price: $0.50/attempt\n    model: m1\n    vendor: a\n    idle: 2m\n    max: 1h\n\
           \x20 reviewer: {command: 'check | cat', price: $0, model: m2, vendor: b}\n\
           checks:\n  tests_pass: [cargo, test]\n  docs: [[cargo, doc], make docs]\nenv: {RUST_LOG: debug, EMPTY: }\n";
    let reading = read(&text);
    assert_eq!(reading.diagnostics, []);
    let d = reading.definition.expect("a definition");
    assert_eq!(d.timing.zone, Some(chrono_tz::Europe::Berlin));
    assert_eq!((d.rails.max_duration_s, d.rails.max_tokens, d.rails.max_turns), (2700, Some(2_000_000), Some(60)));
    assert_eq!((d.review.max_open, d.review.merge), (2, Merge::FastForward));
    let maker = &d.agents["implementer"];
    assert_eq!((maker.price, maker.idle_s, maker.max_s), (Micros(500_000), 120, 3600));
    assert_eq!(d.agents["reviewer"].command.argv(), ["sh", "-c", "check | cat"]);
    assert_eq!(d.checks["docs"].len(), 2);
    assert_eq!(d.setup.map(|c| c.to_string()).as_deref(), Some("make deps"));
    assert_eq!(d.env["EMPTY"], "");
}

#[test]
fn discover_alone_only_reports() {
    let end = SEED.find("  - act").expect("act")..SEED.find("guardrails").expect("rails");
    let reading = read(&SEED.replace(&SEED[end], ""));
    assert_eq!(reading.diagnostics, []);
    assert_eq!(reading.definition.expect("a definition").work, None);
}

#[test]
fn both_days_of_a_schedule_are_worth_a_note() {
    let reading = read(&SEED.replace("0 9 * * MON-FRI", "0 9 1 * MON"));
    assert!(reading.definition.is_some());
    assert_eq!(reading.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["cron-or"]);
}

#[test]
fn hostile_files_end_in_a_refusal() {
    let lines = |line: &str| line.repeat(yaml::MAX_BYTES / line.len() - 1);
    let bomb =
        "a: &a [x, x]\n".to_owned() + &(0..200).map(|i| format!("k{i}: &b{i} [*a, *a, *a]\n")).collect::<String>();
    let files = [
        "x".repeat(10 * 1024 * 1024),
        bomb,
        lines("["),
        lines("{"),
        lines("- "),
        lines("a: "),
        lines("? "),
        lines("\""),
        lines("'"),
        lines("k: v\n"),
        lines("&a "),
        lines("!t "),
        lines("---\n"),
        lines("\t"),
        lines("#"),
        lines("%"),
        lines("|\n"),
        lines(" "),
        format!("{{{}}}", (0..20_000).map(|i| format!("k{i}: v, ")).collect::<String>()),
        (0..20_000).map(|i| format!("k{i}: v\n")).collect(),
        format!("steps:\n{}", lines("- act:\n").split_at(200_000).0),
        format!("name: x\nguardrails:\n  budget: {}", "$".repeat(100_000)),
    ];
    for text in files {
        let reading = read(&text);
        let shown: String = text.chars().take(20).collect();
        assert!(reading.definition.is_none() && !reading.diagnostics.is_empty(), "{shown}");
        assert!(reading.diagnostics.len() <= 100, "{shown}");
    }
    for bytes in [&b"\xff\xfe"[..], &[0; 4096], b"\x7fELF\x02\x01\x01\0\0", b"name: \xc3"] {
        let reading = read_bytes(bytes);
        assert_eq!(reading.diagnostics.len(), 1);
        assert_eq!(reading.diagnostics[0].code, "not-text");
    }
}

#[test]
fn no_prefix_of_the_seed_panics_and_every_refusal_has_a_place_and_a_help() {
    for end in (0..SEED.len()).filter(|end| SEED.is_char_boundary(*end)) {
        let text = &SEED[..end];
        let reading = read(text);
        assert!(reading.definition.is_some() || !reading.diagnostics.is_empty(), "{text}");
        for d in reading.diagnostics {
            assert!(d.span.line >= 1 && d.span.column >= 1 && d.span.end <= text.len(), "{d:?}");
            assert!(d.help.is_some_and(|h| !h.is_empty()), "{text}");
        }
    }
}

#[test]
fn no_slip_of_a_finger_panics() {
    for at in (0..SEED.len()).filter(|at| SEED.is_char_boundary(*at)) {
        for slip in [
            ":", "\"", "'", "[", "}", "	", "
", "&", "- ", "ä", "",
        ] {
            let text = format!("{}{slip}{}", &SEED[..at], &SEED[at + 1..]);
            let reading = read(&text);
            assert!(reading.definition.is_some() || !reading.diagnostics.is_empty(), "{text}");
            assert!(reading.diagnostics.iter().all(|d| d.span.end <= text.len()), "{text}");
        }
    }
}

#[test]
fn who_may_check_whom() {
    let agent = |name: &str, rest: &str| format!("  {name}: {{command: [x], price: $0{rest}}}\n");
    let (maker, checker) = ("implementer", "reviewer");
    for (agents, rule, fine) in [
        (String::new(), "model", true),
        (agent(maker, ""), "model", true),
        (agent(maker, "") + &agent(checker, ", model: a"), "vendor", true),
        (agent(maker, ", model: a") + &agent(checker, ""), "vendor", true),
        (agent(maker, ", model: a") + &agent(checker, ", model: b"), "model", true),
        (agent(maker, ", model: a") + &agent(checker, ", model: b"), "vendor", false),
        (agent(maker, ", model: a, vendor: v") + &agent(checker, ", model: b, vendor: w"), "vendor", true),
        (agent(maker, ", model: a, vendor: v") + &agent(checker, ", model: b, vendor: V"), "vendor", false),
        (agent(maker, ", model: a") + &agent(checker, ", model: a"), "model", false),
        (agent(maker, ", model: a"), "model", false),
    ] {
        let agents = if agents.is_empty() { agents } else { format!("agents:\n{agents}") };
        let text = format!("{SEED}independence: {rule}\n{agents}");
        let codes: Vec<&str> = read(&text).diagnostics.iter().map(|d| d.code).collect();
        let wanted: &[&str] = if fine { &[] } else { &["independence"] };
        assert_eq!(codes, wanted, "{text}");
    }
}

#[test]
fn a_step_that_says_nothing_is_not_passed_over() {
    let reading = read(&SEED.replacen("  - discover:", "  - {}\n  - discover:", 1));
    assert_eq!(reading.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["missing-value"]);
}

#[test]
fn a_maker_with_a_model_needs_a_checker() {
    let agents = "agents: {implementer: {command: [x], price: $0, model: a}}\n";
    let alone = SEED.replace("      agent: reviewer  # different model\n", "");
    assert!(read(&alone).definition.is_some(), "the fixer needs none");
    let refused = read(&(alone + agents));
    assert_eq!(refused.diagnostics.iter().map(|d| d.code).collect::<Vec<_>>(), ["independence"]);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_panics(text in "[a-z:\\-\\[\\]{}\"'#&*!|>%@`\\\\ \\n\\täé0-9$/()+]{0,200}") {
        let reading = read(&text);
        proptest::prop_assert!(reading.definition.is_none() && !reading.diagnostics.is_empty());
    }

    #[test]
    fn no_value_panics(value in ".{0,80}", at in 0_usize..14) {
        let values = [
            "daily-triage", "cron(\"0 9 * * MON-FRI\")", "0 9 * * MON-FRI", "worktree",
            "scan_ci_failures + open_issues + recent_commits", "state/triage.md", "finding in state/triage.md",
            "implementer(finding)", "reviewer", "tests_pass AND lint_clean AND diff_reasonable", "verified",
            "open_pr + link_issue + notify_slack", "$5/run", "no_progress(2)",
        ];
        let text = SEED.replacen(values[at], &value, 1);
        let reading = read(&text);
        for d in &reading.diagnostics {
            proptest::prop_assert!(d.span.end <= text.len() && d.span.line >= 1 && d.span.column >= 1);
        }
        proptest::prop_assert!(reading.definition.is_some() || !reading.diagnostics.is_empty());
    }
}

#[test]
fn what_may_be_meant_is_listed_once() {
    let defined = SEED.replace("tests_pass AND", "zzz AND") + "checks:\n  tests_pass: [sh, tests.sh]\n";
    let reading = read(&defined);
    let [d] = &reading.diagnostics[..] else { panic!("{:?}", reading.diagnostics) };
    let help = d.help.as_deref().expect("help");
    assert_eq!(help.matches("tests_pass").count(), 1, "{help}");
}

#[test]
fn comments_and_commands_are_sources() {
    let sources = |run: &str| {
        let text = SEED.replace("scan_ci_failures + open_issues + recent_commits", run);
        let reading = read(&text);
        let faults: Vec<String> = reading.diagnostics.into_iter().map(|d| d.message).collect();
        reading.definition.map(|d| d.discover.expect("discover").sources).ok_or(faults)
    };
    let command = |line: &str| Source::Command(Command::Shell(line.to_owned()));
    let found = sources("todo_comments + command(\"./a.sh --all\") + command('b')").expect("valid");
    assert_eq!(found, [Source::TodoComments, command("./a.sh --all"), command("b")]);
    for (run, fault) in [
        ("todo_comments(all)", "`todo_comments` takes nothing in brackets"),
        ("todo_comments + todo_comments", "`todo_comments` is given twice"),
        ("command", "`command` takes one text in quotes: what is run"),
        ("command(\"\")", "`command` takes one text in quotes: what is run"),
        ("command('a', 'b')", "`command` takes one text in quotes: what is run"),
        ("command('a') + command('a')", "`command(\"a\")` is given twice"),
    ] {
        assert_eq!(sources(run), Err(vec![fault.to_owned()]), "{run}");
    }
}

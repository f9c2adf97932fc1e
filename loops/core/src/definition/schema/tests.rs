//! The committed copy, good and bad samples, and the keys that the reader knows.

use std::collections::BTreeSet;

use super::*;
use crate::definition::{agents, rails, read};

const SEED: &str = include_str!("../../../../../tests/samples/seed/loop.yaml");

fn value(text: &str) -> Value {
    serde_saphyr::from_str(text).expect("YAML")
}

fn valid(text: &str) -> bool {
    jsonschema::draft7::new(&schema()).expect("a schema").is_valid(&value(text))
}

#[test]
fn the_committed_copy_is_this_one() {
    let committed: Value = serde_json::from_str(TEXT).expect("JSON");
    assert!(committed == schema(), "put this into schema/loop.schema.json:\n{:#}", schema());
}

#[test]
fn what_the_reader_accepts_validates() {
    let end = SEED.find("  - act").expect("act")..SEED.find("guardrails").expect("rails");
    let samples = [
        SEED.to_owned(),
        SEED.replace(&SEED[end], ""),
        SEED.replace("cron(\"0 9 * * MON-FRI\")", "manual"),
        SEED.replace("scan_ci_failures +", "scan_ci_failures(lint_clean) +"),
        SEED.replace("open_issues +", "todo_comments + command(\"./find.sh --all\") + command('make list') +"),
        SEED.replace("$5/run", "[$5/run, $20/day, $200/month]"),
        SEED.to_owned()
            + "  max_duration: 45m\n  max_tokens: 2M\n  max_turns: 60\nreview: {max_open: 2, merge: merge}\n\
               agents: {implementer: {command: ./fix.sh, price: $0}}\nsetup: [cargo, build]\n\
               checks: {docs: [[cargo, doc], make docs], tests_pass: cargo test}\nenv: {RUST_LOG: debug, N: 1}\n",
    ];
    for text in samples {
        assert!(read(&text).definition.is_some(), "the reader refuses\n{text}");
        assert!(valid(&text), "the schema refuses\n{text}");
    }
}

#[test]
fn what_is_misshapen_does_not() {
    for (right, wrong) in [
        ("max_iterations: 3", "max_iteration: 3"),
        ("max_iterations: 3", "max_iterations: 300"),
        ("budget: $5/run", "budget: 5"),
        ("budget: $5/run", "budget: $5"),
        ("  halt_on: no_progress(2)", ""),
        ("isolation: worktree\n\n", "isolation: none\n\n"),
        ("name: daily-triage", "name: Daily Triage"),
        ("cron(\"0 9 * * MON-FRI\")", "every(5m)"),
        ("open_pr + link_issue", "link_issue + open_pr"),
        ("if: verified", "if: approved"),
        ("  - act:", "  - acts:"),
        ("isolation: worktree\n\n", "wake: true\n\n"),
        ("name: daily-triage", "name: x\nenv: {API_TOKEN: x}"),
        ("name: daily-triage", "name: x\nagents: {a: {command: [x]}}"),
    ] {
        let text = SEED.replacen(right, wrong, 1);
        assert_ne!(text, SEED, "{right}");
        assert!(!valid(&text), "the schema accepts {wrong}");
        assert!(read(&text).definition.is_none(), "the reader accepts {wrong}");
    }
}

#[test]
fn the_keys_are_those_of_the_reader() {
    let schema = schema();
    let keys = |at: &str| -> BTreeSet<String> {
        let found = schema.pointer(at).and_then(Value::as_object).expect("an object");
        found.keys().cloned().collect()
    };
    let known = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(keys("/properties"), known(&read::KEYS));
    assert_eq!(keys("/properties/guardrails/properties"), known(&rails::KEYS));
    assert_eq!(keys("/properties/agents/additionalProperties/properties"), known(&agents::KEYS));
}

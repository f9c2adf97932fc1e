//! The committed copy, good and bad samples, and the keys that the reader knows.

use std::collections::BTreeSet;

use super::*;
use crate::definition::{agents, chores, rails, read, timing};

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
    let chores = "name: a\ntimezone: Europe/Berlin\nwake: true\njitter: 5m\nquiet_hours: \"22:00-07:00\"\nbattery: wait\n\
        trigger:\n  - cron(\"0 9,17 * * *\")\n  - every(1d)\n  - at(\"2026-12-01 08:25\")\n  - after(2-b, failed)\n  - file('in/*')\n\
        catch_up: {how: all(5), within: 2d}\noverlap: queue(1)\nsteps:\n  - run: ./a.sh\n  - run: [./b.sh, x]\n\
        \x20 - run: {name: c, command: ./c.sh, service: true, until: 15:30, retry: {times: 2}, max: 1h, network: [a.b, localhost:80]}\n\
        \x20 - run: {name: d, command: ./d.sh, until: exit(c), read: ~/x, write: [/srv/y]}\n  - wait: {until: file(\"state/stop\")}\n\
        \x20 - finally: {max: 2m, steps: [run: {command: ./e.sh, idempotent: true}, run: ./f.sh]}\n";
    for text in samples.into_iter().chain([chores.to_owned()]) {
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
        ("cron(\"0 9 * * MON-FRI\")", "webhook(github)"),
        ("cron(\"0 9 * * MON-FRI\")", "[]"),
        ("cron(\"0 9 * * MON-FRI\")", "every(5)"),
        ("isolation: worktree\n\n", "wake: perhaps\n\n"),
        ("isolation: worktree\n\n", "catch_up: twice\n\n"),
        ("isolation: worktree\n\n", "overlap: queue(2)\n\n"),
        ("isolation: worktree\n\n", "quiet_hours: 22:00-25:00\n\n"),
        ("isolation: worktree\n\n", "battery: charge\n\n"),
        ("steps:\n", "steps:\n  - run: {name: x}\n"),
        ("steps:\n", "steps:\n  - run: {command: x, idempotent: true}\n"),
        ("steps:\n", "steps:\n  - run: {command: x, until: later}\n"),
        ("steps:\n", "steps:\n  - wait: {until: file(\"stop\")}\n"),
        ("steps:\n", "steps:\n  - wait: 15:30\n"),
        ("\nguardrails:", "  - finally: ./x.sh\nguardrails:"),
        ("\nguardrails:", "  - finally: [wait: {until: 15:30}]\nguardrails:"),
        ("\nguardrails:", "  - finally: [run: {command: x, service: true}]\nguardrails:"),
        ("open_pr + link_issue", "link_issue + open_pr"),
        ("if: verified", "if: approved"),
        ("  - act:", "  - acts:"),
        ("isolation: worktree\n\n", "skills: [x]\n\n"),
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
    let step =
        |number: usize, at: &str| keys(&format!("/properties/steps/items/anyOf/{number}/properties/{at}/properties"));
    let (run, last) = (step(0, "run/anyOf/0"), step(6, "finally/anyOf/0/items/properties/run/anyOf/0"));
    assert_eq!(run.union(&last).cloned().collect::<BTreeSet<_>>(), known(&chores::RUN_KEYS));
    assert_eq!(step(6, "finally/anyOf/1"), known(&chores::FINALLY_KEYS));
    assert_eq!(keys("/properties/catch_up/anyOf/1/properties"), known(&timing::CATCH_UP_KEYS));
    assert_eq!(keys("/properties/agents/additionalProperties/properties"), known(&agents::KEYS));
}

//! Triggers, the keys beside them, and steps that are not about findings: what is accepted, and how it is understood.

use super::*;
use crate::definition::{Chore, Command, Grants, Retry, RunStep, Until};
use crate::timing::{After, Battery, CatchUp, CatchUpHow, Overlap, Timing, Trigger};

const NIGHTLY: &str = "name: nightly\ntrigger: TRIGGER\nsteps:\n  - run: ./backup.sh\n";

fn definition(text: &str) -> Definition {
    let reading = read(text);
    assert_eq!(reading.diagnostics, [], "{text}");
    reading.definition.expect("a definition")
}

fn timing(trigger: &str) -> Timing {
    definition(&NIGHTLY.replace("TRIGGER", trigger)).timing
}

fn codes(text: &str) -> Vec<&'static str> {
    read(text).diagnostics.iter().map(|d| d.code).collect()
}

#[test]
fn every_trigger_is_read_and_printed_as_it_is_written() {
    for trigger in [
        "manual",
        "cron(\"0 9 * * MON-FRI\")",
        "cron(\"@daily\")",
        "every(15m)",
        "every(7d)",
        "at(\"2026-12-01 08:25\")",
        "after(other-loop)",
        "after(other-loop, failed)",
        "after(2-daily, ended)",
        "file(\"incoming/*.csv\")",
        "file(\"~/drop/**/*.pdf\")",
    ] {
        let read = timing(&format!("'{trigger}'")).triggers;
        assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), [trigger]);
        assert_eq!(timing(trigger).triggers, read, "without YAML's quotes");
    }
    let quoted = timing("'after(\"other\", \"finished\")'").triggers;
    assert_eq!(quoted, [Trigger::After { name: "other".to_owned(), outcome: After::Finished }]);
}

#[test]
fn several_triggers_are_a_list_of_either_form() {
    let block = "\n  - cron(\"0 9,17 * * *\")\n  - after(x, failed)\n  - manual";
    let flow = "['cron(\"0 9,17 * * *\")', 'after(x, failed)', manual]";
    assert_eq!(timing(block), timing(flow));
    assert_eq!(timing(block).triggers.len(), 3);
}

#[test]
fn the_keys_beside_the_triggers() {
    let all = NIGHTLY.replace("TRIGGER", "every(1d)")
        + "timezone: Europe/Berlin\nwake: true\ncatch_up: {how: all(5), within: 2d}\noverlap: queue(1)\n\
           jitter: 5m\nquiet_hours: \"22:00-07:00\"\nbattery: wait\n";
    let read = definition(&all).timing;
    assert_eq!((read.zone, read.wake, read.jitter_s), (Some(chrono_tz::Europe::Berlin), true, 300));
    assert_eq!(read.catch_up, CatchUp { how: CatchUpHow::All(5), within_s: 172_800 });
    assert_eq!((read.overlap, read.battery), (Overlap::Queue, Battery::Wait));
    assert_eq!(read.quiet_hours.map(|quiet| quiet.from.to_string()).as_deref(), Some("22:00:00"));
    // The older name of the zone, and the short forms.
    let more =
        NIGHTLY.replace("TRIGGER", "every(1d)") + "zone: Europe/Berlin\ncatch_up: skip\noverlap: cancel_previous\n";
    let read = definition(&more).timing;
    assert_eq!((read.zone, read.overlap), (Some(chrono_tz::Europe::Berlin), Overlap::CancelPrevious));
    assert_eq!(read.catch_up, CatchUp { how: CatchUpHow::Skip, ..CatchUp::default() });
    assert_eq!(timing("manual"), Timing::manual(), "all defaults");
}

#[test]
fn a_key_without_effect_is_a_note() {
    let keys = "wake: true\ncatch_up: skip\njitter: 1m\noverlap: skip\nbattery: skip\nquiet_hours: 22:00-07:00\n";
    let notes = |trigger: &str| {
        let reading = read(&(NIGHTLY.replace("TRIGGER", trigger) + keys));
        assert!(reading.definition.is_some());
        reading.diagnostics.len()
    };
    assert_eq!((notes("manual"), notes("after(x)"), notes("every(1h)")), (6, 3, 0));
}

#[test]
fn a_day_of_trading() {
    let text = "name: trading\ntrigger: cron(\"25 8 * * MON-FRI\")\nsteps:\n\
        \x20 - run: {name: login, command: [./login.sh], retry: {times: 2, every: 30s}, max: 1m, network: [localhost:9000]}\n\
        \x20 - run:\n      name: engine\n      command: ./engine.sh --paper\n      service: true\n      until: 15:30\n      network: [broker.example]\n\
        \x20 - run: {name: monitor, command: [./monitor.sh], service: true, until: exit(engine), read: [~/prices], write: [/srv/out/]}\n\
        \x20 - wait: {until: file(\"state/stop\")}\n\
        \x20 - run: [./count.sh]\n\
        \x20 - finally:\n      max: 2m\n      steps:\n        - run: {name: square-off, command: [./square-off.sh], idempotent: true}\n        - run: ./report.sh\n\
        guardrails: {max_duration: 24h}\n";
    let read = definition(text);
    let [Chore::Run(login), Chore::Run(engine), Chore::Run(monitor), Chore::Wait(wait), Chore::Run(count)] =
        &read.chores[..]
    else {
        panic!("{:?}", read.chores)
    };
    assert_eq!((login.name.as_str(), login.retry, login.max_s), ("login", Retry { times: 2, every_s: 30 }, Some(60)));
    assert_eq!(login.grants.network, ["localhost:9000"]);
    assert_eq!(engine.command, Command::Shell("./engine.sh --paper".to_owned()));
    assert_eq!((engine.service, engine.until.as_ref().map(ToString::to_string)), (true, Some("15:30".to_owned())));
    assert_eq!(engine.grants.network, ["broker.example:443"]);
    assert_eq!(monitor.until, Some(Until::Exit("engine".to_owned())));
    let paths = Grants { network: vec![], read: vec!["~/prices".to_owned()], write: vec!["/srv/out".to_owned()] };
    assert_eq!(monitor.grants, paths);
    assert_eq!(*wait, Until::File("stop".to_owned()));
    assert_eq!((count.name.as_str(), count.command.to_string()), ("run-1", "./count.sh".to_owned()));
    let last: Vec<(&str, bool)> =
        read.finally.steps.iter().map(|s: &RunStep| (s.name.as_str(), s.idempotent)).collect();
    assert_eq!((last, read.finally.max_s), (vec![("square-off", true), ("run-2", false)], 120));
    assert_eq!((read.discover, read.work), (None, None));
    assert_eq!((read.rails.max_duration_s, read.rails.budget.0), (86_400, 0));
}

#[test]
fn chores_may_stand_before_the_work_on_findings() {
    let seed = include_str!("../../../../../tests/samples/seed/loop.yaml");
    let text = seed
        .replace("steps:\n", "steps:\n  - run: ./prepare.sh\n  - wait: {until: \"10:00\"}\n")
        .replace("guardrails:\n", "  - finally: [run: ./report.sh]\n\nguardrails:\n");
    let read = definition(&text);
    assert_eq!((read.chores.len(), read.finally.steps.len(), read.finally.max_s), (2, 1, 60));
    assert!(read.discover.is_some() && read.work.is_some());
    assert_eq!(
        Definition { chores: vec![], finally: Default::default(), ..read },
        definition(seed),
        "and nothing else"
    );
}

#[test]
fn rails_are_required_where_something_acts() {
    let chores = NIGHTLY.replace("TRIGGER", "manual");
    assert!(codes(&chores).is_empty());
    assert!(codes(&(chores.clone() + "guardrails: {budget: $0/run, max_duration: 1h}\n")).is_empty());
    let acts =
        chores.replace("- run: ./backup.sh", "- discover: {run: open_issues, write_to: state/t.md}\n  - act: {}");
    assert!(codes(&acts).contains(&"missing-key"));
    let seed = include_str!("../../../../../tests/samples/seed/loop.yaml");
    assert_eq!(codes(&seed.replace("$5/run", "$0/run")), ["out-of-range"], "the control: a loop that acts");
}

#[test]
fn dates_are_judged_only_where_somebody_is_about_to_use_them() {
    let text = NIGHTLY.replace("TRIGGER", "at(\"2037-01-01 08:25\")");
    let today = NaiveDate::from_ymd_opt(2026, 11, 20).expect("a day");
    assert!(read(&text).definition.is_some(), "a file outlives the day");
    let [fault] = &read_bytes_on(text.as_bytes(), today).diagnostics[..] else { panic!("one fault") };
    assert_eq!((fault.code, fault.span.line, fault.span.column), ("date", 2, 14));
    let near = text.replace("2037", "2036");
    assert!(read_bytes_on(near.as_bytes(), today).definition.is_some());
    let past = text.replace("2037", "2020");
    assert!(read_bytes_on(past.as_bytes(), today).definition.is_some(), "what is over is over");
}

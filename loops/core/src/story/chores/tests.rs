//! The story of a day of steps, whole, and of each beginning of it.

use super::super::{Titles, tell};
use crate::run::{Entry, VERSION};

const START: &str = r#"{"type":"run_started","run":"01936f2e-0000-7000-8000-000000000001",
    "loop_id":"01936f2e-0000-7000-8000-000000000002","loop_name":"n","occurrence":"01936f2e-0000-7000-8000-000000000003",
    "cause":"cron","mode":"report","epoch":EPOCH,"definition":"","rails":{"max_iterations":3,"budget":5000000,"no_progress":2,
    "max_duration_s":27000,"max_tokens":null,"max_turns":null,"max_findings":5},"review":{"max_open":3,"merge":"squash"},
    "maker":{"name":"m","kind":"command","model":null,"price":0},"checker":null,
    "retries":{"discover":{"times":0,"every_s":0},"act":{"times":0,"every_s":0},"verify":{"times":0,"every_s":0},
    "ship":{"times":0,"every_s":0}},"chores":{"alone":true,"steps":[RUN(login,2,false,null),{"wait":{"file":"go"}},
    RUN(engine,0,true,{"time":"15:30:00"}),RUN(monitor,0,true,null)],"finally":{"max_s":60,"steps":[]}}}"#;

/// One step as it is stored: name, further tries, service, until.
fn run(text: &str) -> String {
    let mut words = text.splitn(4, ',');
    let mut word = || words.next().expect("four words");
    format!(
        r#"{{"run":{{"name":"{}","command":"true","retry":{{"times":{},"every_s":30}},"service":{},"until":{},"max_s":null,
        "idempotent":false,"grants":{{"network":[],"read":[],"write":[]}}}}}}"#,
        word(),
        word(),
        word(),
        word()
    )
}

fn start(epoch: u32) -> String {
    let mut text = START.replace("EPOCH", &epoch.to_string());
    while let Some(at) = text.find("RUN(") {
        let end = at + text[at..].find(')').expect("a bracket");
        text = format!("{}{}{}", &text[..at], run(&text[at + 4..end]), &text[end + 1..]);
    }
    text
}

fn journal() -> Vec<Entry> {
    let id = |n: u32| format!("01936f2e-0000-7000-8000-00000000010{n}");
    let begun = |n, step: &str| format!(r#"{{"type":"step_started","id":"{}","step":{step}}}"#, id(n));
    let ended = |n, outcome: &str| format!(r#"{{"type":"step_finished","id":"{}","outcome":{outcome}}}"#, id(n));
    let step = |name: &str| format!(r#"{{"step":"run","name":"{name}"}}"#);
    let ran = |how: &str, code: u8, seconds: u32| {
        format!(
            r#"{{"outcome":"ran","how":"{how}","code":{code},"seconds":{seconds},"last":"bad\u202e key","log":"raw/x.log"}}"#
        )
    };
    let wait = r#"{"step":"wait","place":1,"until":{"file":"go"}}"#;
    let events = [
        start(1),
        begun(1, &step("login")),
        ended(1, &ran("itself", 2, 1)),
        begun(2, &step("login")),
        ended(2, &ran("itself", 0, 1)),
        begun(3, wait),
        r#"{"type":"parked","why":"until state/go is there"}"#.to_owned(),
        start(2),
        begun(4, wait),
        ended(4, r#"{"outcome":"waited"}"#),
        begun(5, &step("engine")),
        begun(6, &step("monitor")),
        ended(5, &ran("until", 143, 3600)),
        ended(6, &ran("last_step", 143, 3600)),
        r#"{"type":"run_ended","end":{"state":"finished"}}"#.to_owned(),
    ];
    let at = |n: usize| format!("2026-11-23T08:{:02}:00Z", 25 + n);
    let entry = |(n, text): (usize, &String)| Entry {
        v: VERSION,
        at: at(n),
        event: serde_json::from_str(text).expect("an event"),
    };
    events.iter().enumerate().map(entry).collect()
}

fn told(entries: &[Entry]) -> String {
    let utc = chrono::FixedOffset::east_opt(0).expect("an offset");
    let lines = tell(entries, &Titles::new(), utc).into_iter();
    lines.map(|line| format!("{} {}\n", line.mark.shape(), line.text)).collect()
}

#[test]
fn a_day_of_steps() {
    let story = "\
● Started on schedule. Stops after 7 h 30 min.
· Steps: login, wait for state/go, engine, monitor.
✕ login: ended with exit code 2: bad key (output: raw/x.log); tried again in 30 s.
✓ login: ok after 2 tries, 3 min.
– Parked until state/go is there; nothing of it runs until then.
● Goes on.
✓ Waited for state/go.
● engine: begins.
● monitor: begins.
✓ engine: ended after 1 h: it was 15:30.
✓ monitor: ended after 1 h, with the last step.
✓ Ended: all its steps are done.
";
    assert_eq!(told(&journal()), story);
}

#[test]
fn the_story_of_its_beginning_is_the_beginning_of_its_story() {
    let journal = journal();
    let whole = told(&journal);
    for end in 0..=journal.len() {
        assert!(whole.starts_with(&told(&journal[..end])), "after {end} events");
    }
}

//! Kill -9 of runner and watchdog around every step of a loop of chores: what was done is not repeated, what was cut off is.
//!
//! In the short form some fail points once; with LOOPWRIGHT_FULL=1 each of them at each step with either victim.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use loopwright_tests::crash::Kill;
use loopwright_tests::dice::Dice;
use loopwright_tests::stage::{RAILS, Stage, events, wait_for};
use loopwright_tests::tell;
use serde_json::Value;

/// What the steps of the loop pass, with how often a whole run does.
const POINTS: [(&str, u32); 9] = [
    ("run-started", 1),
    ("step-intent", 4),
    ("box-recorded", 3),
    ("box-running", 3),
    ("box-ended", 3),
    // A wait that is over before it begins is passed over.
    ("step-acted", 3),
    ("step-result", 4),
    ("run-ending", 1),
    ("run-ended", 1),
];

const STEPS: &str = r#"
  - run: {name: login, command: "echo login >> did"}
  - run: {name: engine, command: "echo engine >> did; while :; do sleep 0.05; done", service: true}
  - wait: {until: file("state/go")}
  - run: {name: trade, command: "echo trade >> did"}
"#;

fn stage() -> Stage {
    let stage = Stage::empty();
    let text = format!("name: day\ntrigger: manual\nenv: {{STAGE: {}}}\nsteps:\n{STEPS}{RAILS}", stage.mark);
    let path = stage.personal_text("day", &text, &[]);
    stage.add(&path.display().to_string(), false);
    let loops = stage.home.join("data/loops");
    let state = fs::read_dir(loops).expect("loops").flatten().next().expect("a loop").path().join("state");
    fs::write(state.join("go"), "").expect("a file");
    stage
}

/// The names of steps that a journal says are done.
fn done(run: &Value) -> Vec<String> {
    let named = |id: &Value| {
        let begun = events(run, "step_started").into_iter().find(|e| e["id"] == *id).expect("it began");
        begun["step"]["name"].as_str().unwrap_or("wait").to_owned()
    };
    let well = |e: &&Value| {
        e["outcome"]["code"] == 0 || e["outcome"]["how"] == "last_step" || e["outcome"]["outcome"] == "waited"
    };
    events(run, "step_finished").into_iter().filter(well).map(|e| named(&e["id"])).collect()
}

/// How often a step has begun.
fn begun(run: &Value, name: &str) -> usize {
    events(run, "step_started").into_iter().filter(|e| e["step"]["name"].as_str().unwrap_or("wait") == name).count()
}

fn suffer(kill: &Kill) -> bool {
    let stage = stage();
    tell(&format!("{kill:?}"));
    stage.ask(&mut stage.killing(&["run", "day", "--detach"], kill, "once"));
    wait_for("the strike", || stage.struck("once").then_some(()));
    let victim = if kill.whom == "runner" { "__run" } else { kill.whom };
    let victims: Vec<String> = stage.victims("once").into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(victims, [victim], "{kill:?}");
    let alive = |word: &str| !stage.with(word).is_empty();
    // A box in the making outlives both, and is ended by the pass.
    wait_for("runner and watchdog to be gone", || (!alive("__run") && !alive("loopwright-watchdog")).then_some(()));
    let before = stage.last();
    stage.verb(&["tick"]);
    stage.tick_until_quiet();
    let after = stage.last();
    for name in done(&before) {
        assert_eq!(begun(&after, &name), begun(&before, &name), "{kill:?}: {name} was done");
    }
    let mut all = done(&after);
    // One that runs for the others alone need not begin again once they are done.
    all.retain(|name| name != "engine");
    all.sort();
    assert_eq!(all, ["login", "trade", "wait"], "{kill:?}: each is done once: {after}");
    assert_eq!(after["row"]["end"]["state"], "finished", "{kill:?}");
    // The control: what was cut off is done again.
    events(&after, "step_started").len() > 4
}

#[test]
fn no_kill_loses_or_repeats_a_step() {
    let full = std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1");
    let mut dice = Dice::seeded("chores killed");
    let mut cases = Vec::new();
    for (place, (point, passes)) in POINTS.into_iter().enumerate() {
        let chosen = u32::try_from(dice.below(passes as usize)).expect("small") + 1;
        for pass in (1..=passes).filter(|pass| full || *pass == chosen) {
            let whom = ["runner", "watchdog"];
            let chosen: &[&'static str] = if full { &whom } else { &whom[place % 2..=place % 2] };
            cases.extend(chosen.iter().map(|whom| Kill { at: format!("{point}#{pass}"), whom }));
        }
    }
    let (next, again) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(kill) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    again.fetch_add(usize::from(suffer(kill)), Ordering::SeqCst);
                }
            });
        }
    });
    let again = again.into_inner();
    tell(&format!("{} kills, after {again} of them something cut off was done again", cases.len()));
    assert!(again > 0);
}

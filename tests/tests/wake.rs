//! The wake timer that `serve` keeps: set for the next start that asks for it, set anew at every change, read back; and never
//! claimed where nobody set it.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::process::Command;

use chrono::Duration;
use loopwright_core::wake::{Hindrance, WakeMark};
use loopwright_engine::wake::hindrance;
use loopwright_tests::stage::{Stage, wait_for};

const YEARLY: &str = "trigger: cron(\"0 9 29 2 *\")\nwake: true";
const MONTHLY: &str = "trigger: cron(\"0 9 1 * *\")\nwake: true";

/// What the scheduler says of its timer.
fn mark(stage: &Stage) -> Option<WakeMark> {
    stage.beat().expect("a beat").wake
}

fn wait_for_loop(stage: &Stage, name: Option<&str>) -> Option<WakeMark> {
    wait_for("the timer to follow", || {
        let mark = mark(stage);
        (mark.as_ref().map(|mark| mark.waking.loop_name.as_str()) == name).then_some(mark)
    })
}

#[test]
fn the_timer_follows_every_change_and_is_read_back() {
    let stage = Stage::scheduled(YEARLY);
    stage.add_scheduled("sleeps", "trigger: cron(\"0 8 * * *\")");
    let serving = stage.serve();
    let mark = wait_for_loop(&stage, Some("work")).expect("a timer");
    assert_eq!(mark.waking.starts_at - mark.waking.at, Duration::seconds(30));
    // Whether this machine wakes is what its kernel says; that the timer is set is another thing.
    assert_eq!((mark.read_back, &mark.hindrance), (Some(mark.waking.at), &hindrance()), "root may set it");
    stage.add_scheduled("month", MONTHLY);
    let sooner = wait_for_loop(&stage, Some("month")).expect("a timer");
    assert!(sooner.waking.at < mark.waking.at && sooner.read_back == Some(sooner.waking.at));
    stage.verb(&["disable", "month"]).exits(0);
    wait_for_loop(&stage, Some("work"));
    stage.verb(&["halt"]).exits(0);
    wait_for_loop(&stage, None);
    assert_eq!(stage.verb(&["wake"]).exits(0).json()["state"], "not_asked");
    stage.verb(&["resume", "--reason", "a test"]).exits(0);
    wait_for_loop(&stage, Some("work"));
    drop(serving);
}

#[test]
fn a_timer_that_nobody_holds_is_not_claimed() {
    let stage = Stage::scheduled(YEARLY);
    let nobody = stage.verb(&["wake"]).exits(1).json();
    assert_eq!(
        (nobody["state"].as_str(), nobody["repair"].as_str()),
        (Some("will_not_wake"), Some("loopwright serve"))
    );
    let serving = stage.serve();
    wait_for_loop(&stage, Some("work"));
    let held = stage.verb(&["wake"]).json();
    match hindrance() {
        None => assert_eq!(held["state"], "armed"),
        Some(Hindrance::NeverSleeps) => assert_eq!(held["state"], "never_sleeps"),
        // A timer can be made without a clock that wakes; the scheduler does not take it for one.
        Some(why) => {
            assert_eq!((held["state"].as_str(), held["why"].as_str()), (Some("will_not_wake"), Some(&*why.to_string())))
        }
    }
    serving.signal("KILL");
    drop(serving.ended());
    let gone = stage.verb(&["wake"]).exits(1).json();
    assert_eq!(gone["repair"], "loopwright serve", "its timer went with it: {gone}");
    let doctor = stage.verb(&["doctor"]).json();
    let row = doctor.as_array().expect("rows").iter().find(|row| row["part"] == "wake timer").expect("a row").clone();
    assert_eq!(row["state"], "not set", "{row}");
}

#[test]
fn without_the_right_no_timer_is_set() {
    let stage = Stage::scheduled(YEARLY);
    let serve = stage.command(&["serve", "--json"]);
    let mut without = Command::new("/usr/bin/setpriv");
    without.args(["--bounding-set=-wake_alarm", "--inh-caps=-wake_alarm", "--"]).arg(serve.get_program());
    without.args(serve.get_args()).env_clear().current_dir(&stage.repo);
    without.envs(serve.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let serving = stage.serve_by(&mut without);
    let mark = wait_for("a first pass", || stage.beat().and_then(|beat| beat.wake));
    assert_eq!(mark.read_back, None);
    assert!(mark.hindrance.is_some());
    assert_ne!(stage.verb(&["wake"]).json()["state"], "armed");
    drop(serving);
}

#[test]
fn units_for_root_are_written_and_hold_the_coming_times() {
    let stage = Stage::scheduled(MONTHLY);
    let folder = stage.beside("units");
    stage.verb(&["wake", "--units", folder.to_str().expect("a path")]).exits(0);
    let timer = fs::read_to_string(folder.join("loopwright-wake.timer")).expect("a timer");
    let times = loopwright_core::system_files::systemd::times(&timer);
    assert_eq!(times.len(), 100);
    assert!(times.is_sorted() && times[0] > chrono::Utc::now());
    assert!(fs::read_to_string(folder.join("README")).expect("a README").contains("sudo"));
}

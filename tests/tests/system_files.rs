//! What systems are given to read is valid, and carries the very moments at which the computer is to wake (T6).
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::system_files::{launchd, systemd, windows};
use loopwright_core::timing::{Timing, Trigger};
use loopwright_core::wake::{LEAD, next_waking};
use loopwright_tests::dice::Dice;
use loopwright_tests::stage::write_program;
use loopwright_tests::tell;
use roxmltree::{Document, ParsingOptions};

fn schedules() -> usize {
    if std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1") { 20_000 } else { 1000 }
}

/// A schedule, its zone, and a moment at which the next wake-up is asked for; many around changes of clocks.
fn any(dice: &mut Dice) -> (Timing, Tz, DateTime<Utc>) {
    let zone = chrono_tz::TZ_VARIANTS[dice.below(chrono_tz::TZ_VARIANTS.len())];
    let (minute, hour) = (dice.below(60), [dice.below(4), dice.below(24)][dice.below(2)]);
    let trigger = match dice.below(4) {
        0 => Trigger::Cron(format!("{minute} {hour} * * *")),
        1 => Trigger::Cron(format!("{minute} {hour} * * MON-FRI")),
        2 => Trigger::Cron(format!("{minute} {hour} {} * *", 1 + dice.below(28))),
        _ => Trigger::Every(60 * (1 + i64_of(dice.below(3000)).unsigned_abs())),
    };
    let timing = Timing { triggers: vec![trigger], wake: true, ..Timing::manual() };
    let from = DateTime::from_timestamp(1_790_000_000 + i64_of(dice.below(2 * 366 * 86_400)), 0).expect("a time");
    (timing, zone, from)
}

fn i64_of(number: usize) -> i64 {
    i64::try_from(number).expect("a number")
}

/// What systemd makes of each line: the next time at which it elapses after 2026 began.
fn elapses(lines: &[String], zone: &str) -> Vec<Option<DateTime<Utc>>> {
    let mut all = Vec::new();
    for some in lines.chunks(500) {
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["calendar", "--base-time=2026-01-01 00:00:00 UTC"]).args(some).env("TZ", zone).env("LC_ALL", "C");
        let output = analyze.output().expect("systemd-analyze (package systemd)");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        all.extend(said.split("Normalized form:").skip(1).map(elapse));
    }
    all
}

/// The time in UTC of one answer: a line of its own where the computer's zone is another one.
fn elapse(answer: &str) -> Option<DateTime<Utc>> {
    let line = |key: &str| answer.lines().find_map(|line| line.trim().strip_prefix(key)).map(str::trim);
    let text = line("(in UTC):").or_else(|| line("Next elapse:"))?;
    let (_, text) = text.split_once(' ')?;
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S UTC").ok().map(|at| at.and_utc())
}

/// The texts of all elements of this name.
fn texts(xml: &str, name: &str) -> Vec<String> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(xml, options).expect("XML");
    let found = document.descendants().filter(|node| node.has_tag_name(name) || node.tag_name().name() == name);
    found.filter_map(|node| node.text().map(str::to_owned)).collect()
}

fn of_property_list(text: &str) -> Option<DateTime<Utc>> {
    let time = texts(text, "string").into_iter().find(|text| text.contains('/') && text.contains(':'))?;
    NaiveDateTime::parse_from_str(&time, "%m/%d/%y %H:%M:%S").ok().map(|at| at.and_utc())
}

fn of_task(text: &str) -> Option<DateTime<Utc>> {
    texts(text, "StartBoundary").first()?.parse().ok()
}

#[test]
fn every_format_carries_the_next_moment_to_wake_at() {
    let mut dice = Dice::seeded("moments to wake at");
    let all: Vec<(DateTime<Utc>, DateTime<Utc>, Tz)> = (0..schedules())
        .filter_map(|_| {
            let (timing, zone, from) = any(&mut dice);
            let waking = next_waking(&timing, zone, "a", from)?;
            // By another way: the due time itself, the first whose wake-up is still to come.
            let due = loopwright_core::schedule::due_times(&timing, zone, from).map(|(at, _)| at);
            let due = due.take(10).find(|at| *at - LEAD > from)?;
            assert_eq!(waking.at, due - Duration::seconds(30), "{timing:?} {zone} {from}");
            Some((waking.at, due, zone))
        })
        .collect();
    assert!(all.len() > schedules() * 9 / 10, "{}", all.len());
    let line = |at: &DateTime<Utc>| {
        let timer = systemd::wake_timer(&[*at]);
        timer.lines().find_map(|line| line.strip_prefix("OnCalendar=")).expect("a time").to_owned()
    };
    let lines: Vec<String> = all.iter().map(|(at, ..)| line(at)).collect();
    let read = elapses(&lines, "America/New_York");
    let mut differ = all.iter().zip(&read).filter(|((at, ..), read)| Some(*at) != **read).count();
    for (at, ..) in &all {
        differ += usize::from(of_property_list(&launchd::wake_daemon(*at)) != Some(*at));
        differ += usize::from(of_task(&windows::wake_task(&[*at], r"C:\a b\x&y.exe")) != Some(*at));
    }
    tell(&format!("{} schedules × systemd, launchd, Task Scheduler: {differ} differences", all.len()));
    assert_eq!(differ, 0);
    // The control: times as the loop's own clock shows them, which is how one would write them first.
    let naive: Vec<String> =
        all.iter().map(|(at, _, zone)| at.with_timezone(zone).format("%F %T").to_string()).collect();
    let wrong =
        all.iter().zip(elapses(&naive, "America/New_York")).filter(|((at, ..), read)| Some(*at) != *read).count();
    assert!(wrong > all.len() / 2, "{wrong} of {}", all.len());
}

/// What systemd has to say of a unit; nothing if it is sound.
fn verify(folder: &Path, name: &str, manager: &str) -> String {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args([manager, "verify", "--man=no"]).arg(folder.join(name)).env("LC_ALL", "C");
    // A manager of a person wants folders of its own; it starts nothing here.
    analyze.env("XDG_RUNTIME_DIR", folder.join("runtime")).env("HOME", folder.join("home"));
    let output = analyze.output().expect("systemd-analyze (package systemd)");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("Failed to"), "it could not look: {said}");
    // Other units of this machine may have faults of their own.
    said.lines().filter(|line| line.contains(&folder.display().to_string()) || line.contains(name)).collect()
}

#[test]
fn units_are_valid_and_one_with_a_fault_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("runtime")).expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    let program = folder.path().join("a b$HOME %h 'q'").join("loopwright");
    fs::create_dir_all(program.parent().expect("a folder")).expect("a folder");
    write_program(&program, "#!/bin/sh\n");
    let unit = systemd::serve_unit(program.to_str().expect("a path"), Some("/home/a b/$x %i"));
    write(systemd::SERVE, &unit);
    assert_eq!(verify(folder.path(), systemd::SERVE, "--user"), "");
    let times: Vec<_> = (1..=100).map(|hours| Utc::now() + Duration::hours(hours)).collect();
    write("loopwright-wake.timer", &systemd::wake_timer(&times));
    write("loopwright-wake.service", &systemd::wake_service());
    assert_eq!(verify(folder.path(), "loopwright-wake.timer", "--system"), "");
    fs::create_dir(folder.path().join("any.service.d")).expect("a folder");
    write("any.service", "[Service]\nExecStart=/bin/true\n");
    write("any.service.d/50-loopwright-wake.conf", &systemd::wake_right());
    assert_eq!(verify(folder.path(), "any.service", "--system"), "");
    // The controls: a key that does not exist, and a path that nobody quoted.
    write("keys.service", &unit.replace("KillMode", "KillMood"));
    assert!(verify(folder.path(), "keys.service", "--user").contains("KillMood"));
    write("path.service", &format!("[Service]\nExecStart={}\n", program.display()));
    assert_ne!(verify(folder.path(), "path.service", "--user"), "");
    assert!(unit.contains("KillMode=process"), "a restart of it must not kill the watchdogs");
}

#[test]
fn property_lists_and_tasks_hold_whatever_a_path_holds() {
    let words = ["/Applications/a b & <c>\"d\"/x", "--home", "it's\ttabbed"].map(str::to_owned);
    let read = texts(&launchd::agent("tray", &words, true), "string");
    assert!(words.iter().all(|word| read.contains(word)), "{read:?}");
    let task = windows::wake_task(&[Utc::now()], r"C:\Users\a & b <c>\x.exe");
    assert_eq!(texts(&task, "Command"), [r"C:\Users\a & b <c>\x.exe"]);
    assert_eq!(texts(&task, "WakeToRun"), ["true"]);
    let task = windows::serve_task(r"C:\Users\a & b <c>\x.exe", r"PLACE\a & b");
    assert_eq!(texts(&task, "Command"), [r"C:\Users\a & b <c>\x.exe"]);
    assert_eq!(texts(&task, "Arguments"), ["serve"]);
    assert_eq!(texts(&task, "UserId"), [r"PLACE\a & b", r"PLACE\a & b"], "who is to log in, and as whom it runs");
    assert_eq!(texts(&task, "ExecutionTimeLimit"), ["PT0S"], "it is not ended after three days");
    assert!(texts(&task, "WakeToRun").is_empty());
}

#[test]
fn the_unit_of_the_package_is_the_one_that_serve_installs() {
    let packed = include_str!("../../package/loopwright.service");
    assert_eq!(packed, systemd::serve_unit("/usr/bin/loopwright", None));
    assert_ne!(packed, systemd::serve_unit("/usr/lib/loopwright/loopwright", None), "the control: another program");
}

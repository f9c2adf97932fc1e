//! The triage list, edited by a person between two runs: what is said there holds, and what can't be read is kept.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::PathBuf;

use loopwright_tests::stage::{RAILS, Stage, events, steps};
use serde_json::Value;

/// A maker that gives up, so that nothing but the list decides what is tried again.
const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> NOTES\n";

/// A loop that has looked once and only reported, and its list.
fn reported() -> (Stage, PathBuf) {
    let stage = Stage::shop();
    let agents = "agents:\n  maker: {command: [./maker.sh], price: $0}\n";
    let path = stage.personal("work", &format!("{agents}{RAILS}"), &[("maker.sh", MAKER)]);
    stage.add(&path.display().to_string(), false);
    stage.verb(&["run", "work"]);
    assert_eq!(stage.triage().len(), 2);
    let loops = fs::read_dir(stage.home.join("data/loops")).expect("loops").flatten().next().expect("a loop");
    (stage, loops.path().join("state/triage.md"))
}

fn ship(stage: &Stage) -> Value {
    stage.verb(&["run", "work", "--ship"]);
    stage.last()
}

fn edit(list: &PathBuf, change: impl Fn(&str) -> String) {
    let text = fs::read_to_string(list).expect("the list");
    fs::write(list, change(&text)).expect("edited");
}

#[test]
fn an_untouched_list_is_worked_off() {
    let (stage, _) = reported();
    assert_eq!(steps(&ship(&stage), "build").len(), 2);
}

#[test]
fn ticks_snoozes_and_deleted_lines_are_not_acted_on() {
    let (stage, list) = reported();
    edit(&list, |text| text.replacen("- [ ]", "* [x]", 1));
    let run = ship(&stage);
    assert_eq!(steps(&run, "build").len(), 1, "{run}");
    assert!(events(&run, "noted").iter().any(|n| n["topic"] == "triage-read"));

    let (stage, list) = reported();
    edit(&list, |text| {
        text.lines().map(|l| if l.starts_with("- [") { format!("{l} snooze 7d\n") } else { format!("{l}\n") }).collect()
    });
    assert!(steps(&ship(&stage), "build").is_empty());
    assert!(stage.triage().iter().all(|line| line.contains("later:")), "{:?}", stage.triage());

    let (stage, list) = reported();
    edit(&list, |text| text.lines().filter(|l| !l.starts_with("- [")).map(|l| format!("{l}\n")).collect());
    assert!(steps(&ship(&stage), "build").is_empty());
    assert!(stage.triage().is_empty());
}

#[test]
fn what_can_not_be_read_changes_nothing_and_is_kept_each_time() {
    let (stage, list) = reported();
    for n in 1..=2 {
        edit(&list, |text| {
            text.lines().filter(|l| !l.contains("end, revision")).map(|l| format!("{l} {n}\n")).collect()
        });
        let text = fs::read(&list).expect("the list");
        stage.verb(&["run", "work"]);
        let run = stage.last();
        assert!(events(&run, "noted").iter().any(|e| e["topic"] == "triage-rejected"), "{run}");
        let kept = list.with_extension(format!("rejected-{n}.md"));
        assert_eq!(fs::read(&kept).expect("kept"), text);
        assert_eq!(stage.triage().len(), 2);
    }
    assert_eq!(steps(&ship(&stage), "build").len(), 2);
}

#[test]
fn a_link_or_a_folder_in_its_place_is_set_aside() {
    let (stage, list) = reported();
    let outside = stage.beside("outside.md");
    fs::copy(&list, &outside).expect("copied");
    fs::remove_file(&list).expect("removed");
    std::os::unix::fs::symlink(&outside, &list).expect("a link");
    let before = fs::read(&outside).expect("the file outside");
    stage.verb(&["run", "work"]);
    assert_eq!(fs::read(&outside).expect("the file outside"), before);
    assert!(list.symlink_metadata().expect("the list").is_file());

    fs::remove_file(&list).expect("removed");
    fs::create_dir(&list).expect("a folder");
    stage.verb(&["run", "work"]);
    assert!(list.is_file());
    assert_eq!(stage.triage().len(), 2);
}

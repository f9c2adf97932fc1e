//! The template nightly-backup, run as it ships: three nights, the second with a broken source; what is restored is the source.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loopwright_tests::stage::{Stage, steps};
use serde_json::Value;

const FAST: (&str, &str) = ("every: 5m", "every: 1s");

/// A person with documents and a place for backups, and the loop.
fn stage() -> (Stage, PathBuf, PathBuf) {
    let stage = Stage::granting();
    let (source, target) = (stage.person().join("Documents"), stage.person().join("Backups"));
    fs::create_dir_all(source.join("letters/old")).expect("folders");
    fs::create_dir(&target).expect("a folder");
    for (name, text) in [("list", "milk"), ("letters/to ada", "Dear Ada"), ("letters/old/new\nline", "x")] {
        fs::write(source.join(name), text).expect("a file");
    }
    let path = stage.template("nightly-backup", &[FAST]);
    stage.add(&path.display().to_string(), false);
    (stage, source, target)
}

fn copies(target: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(target).expect("the target").flatten().map(|entry| entry.path());
    let mut copies: Vec<PathBuf> = files.filter(|path| path.extension() == Some("tar".as_ref())).collect();
    copies.sort();
    copies
}

/// What two folders have of files: relative paths and contents.
fn same(left: &Path, right: &Path) -> bool {
    let output = Command::new("diff").args(["--recursive", "--no-dereference"]).args([left, right]).output();
    output.expect("diff starts").status.success()
}

fn restored(stage: &Stage, copy: &Path) -> PathBuf {
    let place = stage.beside(&copy.file_name().expect("a name").to_string_lossy());
    fs::create_dir(&place).expect("a folder");
    let unpacked = Command::new("tar").arg("-xf").arg(copy).arg("-C").arg(&place).status().expect("tar starts");
    assert!(unpacked.success());
    place
}

fn tries(run: &Value) -> usize {
    steps(run, "run").len()
}

#[test]
fn three_nights_one_with_a_broken_source() {
    let (stage, source, target) = stage();
    stage.run("nightly-backup").exits(0);
    let first = copies(&target);
    assert_eq!((first.len(), tries(&stage.last())), (1, 1));

    let away = stage.beside("away");
    fs::rename(&source, &away).expect("the disk is gone");
    fs::create_dir(&source).expect("its empty place");
    stage.run("nightly-backup").exits(1);
    let run = stage.last();
    assert_eq!((copies(&target), tries(&run)), (first.clone(), 3), "{run:#}");
    assert!(run["journal"].to_string().contains("has no file in it"), "{run:#}");

    fs::remove_dir(&source).and_then(|()| fs::rename(&away, &source)).expect("the disk is back");
    fs::write(source.join("list"), "milk, bread").expect("a file");
    stage.run("nightly-backup").exits(0);
    let now = copies(&target);
    assert_eq!((now.len(), now.first()), (2, first.first()));
    assert!(same(&restored(&stage, &now[1]), &source), "what is restored is the source");
    assert!(!same(&restored(&stage, &now[0]), &source), "the control: the first night's is another one");

    let report = fs::read_to_string(stage.state().join("report.md")).expect("a report");
    let words: Vec<bool> = report.lines().map(|line| line.contains("**FAILED**")).collect();
    assert_eq!(words, [false, true, false], "{report}");
}

#[test]
fn a_folder_that_is_not_there_is_named_with_what_to_do() {
    let (stage, source, target) = stage();
    fs::remove_dir_all(&source).expect("gone");
    let answer = stage.plain(&["run", "nightly-backup"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let said = format!("{}{}", answer.out, answer.err);
    assert!(said.contains("Documents"), "{said}");
    assert!(copies(&target).is_empty());
}

#[test]
fn the_loop_of_chores_in_the_readme_does_what_it_says() {
    let readme = include_str!("../../loops/README.md");
    let (_, after) = readme.split_once("## A loop of chores").expect("its heading");
    let (_, after) = after.split_once("```yaml\n").expect("its example");
    let (text, _) = after.split_once("```").expect("its end");
    let stage = Stage::granting();
    let text = text.replace("env: {", &format!("env: {{STAGE: {}, ", stage.mark));
    let path = stage.personal_text("watering", &text, &[]);
    stage.add(&path.display().to_string(), false);
    stage.run("watering").exits(0);
    let state = |name| fs::read_to_string(stage.state().join(name)).expect("a file of the state folder");
    assert_eq!(state("valve"), "closed\n");
    assert!(state("water").lines().count() >= 2);
}

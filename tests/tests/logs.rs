//! `logs` shows what was written for it, and nothing that stands in its place.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use loopwright_tests::stage::{RAILS, Stage};

const SECRET: &str = "not for the logs";

/// A stage with a run whose maker said something, and the directory of that run.
fn ran() -> (Stage, PathBuf) {
    let stage = Stage::shop();
    stage.maker(RAILS, "#!/bin/sh\necho plain words; echo x > x\n");
    stage.run("work");
    let id = stage.last()["row"]["id"].as_str().expect("an id").to_owned();
    let dir = stage.home.join("data/runs").join(id);
    fs::write(stage.beside("secret"), SECRET).expect("a secret");
    (stage, dir)
}

/// A folder of raw streams of one attempt.
fn attempt(dir: &Path) -> PathBuf {
    let raw = fs::read_dir(dir.join("raw")).expect("raw streams");
    raw.flatten().map(|e| e.path()).find(|p| p.is_dir()).expect("an attempt")
}

#[test]
fn links_and_build_products_are_no_logs() {
    let (stage, dir) = ran();
    let (secret, attempt) = (stage.beside("secret"), attempt(&dir));
    symlink(&secret, attempt.join("zlink")).expect("a link");
    symlink(stage.person(), attempt.join("zfolder")).expect("a link");
    fs::write(stage.person().join("inside"), SECRET).expect("a file");
    fs::remove_file(dir.join("runner.out")).expect("removed");
    symlink(&secret, dir.join("runner.out")).expect("a link");
    fs::create_dir(attempt.join("target")).expect("a folder");
    fs::write(attempt.join("target/out"), SECRET).expect("a product");
    let shown = stage.plain(&["logs"]).exits(0).out;
    assert!(shown.contains("plain words"), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
    let listed = stage.verb(&["logs"]).exits(0).out;
    for name in ["zlink", "zfolder", "target", "runner.out"] {
        assert!(!listed.contains(name), "{name}: {listed}");
    }
    // The control: a plain file at the same place is shown.
    fs::write(attempt.join("zplain"), SECRET).expect("a file");
    assert!(stage.plain(&["logs"]).exits(0).out.contains(SECRET));
}

/// Also in the runs after the first, which takes the result from what was kept.
#[test]
fn what_a_red_base_said_can_be_read() {
    let stage = Stage::shop();
    stage.edit(|| fs::write(stage.repo.join("checks/lint.sh"), "echo the lint is cross; exit 1\n").expect("a check"));
    stage.commit("lint: cross");
    stage.maker(RAILS, "#!/bin/sh\n");
    for _ in 0..2 {
        stage.run("work");
        let shown = stage.plain(&["logs"]).exits(0).out;
        assert!(shown.contains("the lint is cross") && shown.contains("base/lint_clean.log"), "{shown}");
        assert!(!shown.contains("base/tests_pass.log"), "what is green is no news: {shown}");
    }
}

#[test]
fn raw_streams_are_not_looked_for_behind_a_link() {
    let (stage, dir) = ran();
    fs::rename(dir.join("raw"), stage.beside("raw")).expect("moved");
    symlink(stage.beside("raw"), dir.join("raw")).expect("a link");
    assert!(!stage.plain(&["logs"]).exits(0).out.contains("plain words"));
}

/// A runner that was killed could not clear up after its maker; whoever comes next does.
#[test]
fn what_a_cut_off_attempt_has_built_goes() {
    let (stage, dir) = ran();
    let attempt = attempt(&dir);
    fs::create_dir_all(attempt.join("target/debug")).expect("products");
    symlink(stage.person(), attempt.join("target/link")).expect("a link");
    fs::write(stage.person().join("mine"), SECRET).expect("a file");
    symlink(&attempt, dir.join("raw/zlink")).expect("a link");
    fs::create_dir_all(stage.home.join("data/ws").join(dir.file_name().expect("an id"))).expect("a left workspace");
    stage.until_nobody_lives();
    stage.verb(&["status"]).exits(0);
    assert!(!attempt.join("target").exists());
    assert!(attempt.join("stdout").exists() && stage.person().join("mine").exists());
}

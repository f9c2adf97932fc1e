//! What agents see of a person's files besides the workspace: the loop's folder, and only where that is a folder of its own.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::Path;

use loopwright_tests::stage::{RAILS, Stage, write_program};
use serde_json::Value;

const AGENT: &str = "agents:\n  maker: {command: [./maker.sh], price: $0}\n";

/// Puts a loop with this agents' section there, as `x.yaml`; returns its path.
fn put(stage: &Stage, folder: &Path, agents: &str) -> String {
    let written = stage.personal("work", &format!("{agents}{RAILS}"), &[]);
    fs::create_dir_all(folder).expect("a folder");
    write_program(&folder.join("maker.sh"), "#!/bin/sh\ntest -e /loop/x.yaml && echo x >> NOTES\n");
    let path = folder.join("x.yaml");
    fs::copy(written, &path).expect("a loop file");
    path.display().to_string()
}

fn codes(view: &Value) -> Vec<&str> {
    view["diagnostics"].as_array().into_iter().flatten().filter_map(|d| d["code"].as_str()).collect()
}

fn hosts_of_loop(view: &Value) -> Vec<&str> {
    let mounts = view["explanation"]["mounts"].as_array().into_iter().flatten();
    mounts.filter(|m| m["inside"] == "/loop").filter_map(|m| m["host"].as_str()).collect()
}

#[test]
fn a_loop_file_in_the_home_folder_is_refused() {
    let stage = Stage::shop();
    for folder in [stage.person(), stage.beside("")] {
        let path = put(&stage, &folder, AGENT);
        let check = stage.verb(&["check", &path]).exits(3);
        assert_eq!(codes(&check.json()), ["loop-folder"], "{check:?}");
        stage.verb(&["add", &path]).exits(3);
        let hash = stage.verb(&["add", &path]).json()["hash"].as_str().expect("a hash").to_owned();
        stage.verb(&["add", &path, "--confirm", &hash]).exits(3);
        stage.run("work").exits(2);
    }
}

#[test]
fn one_that_came_to_hold_the_home_folder_does_not_run() {
    let stage = Stage::shop();
    let path = put(&stage, &stage.beside("own"), AGENT);
    stage.add(&path, true);
    let mut command = stage.command(&["run", "work", "--json"]);
    command.env("HOME", stage.beside("own"));
    let refused = stage.ask(&mut command).exits(1);
    assert!(refused.message().contains("your home folder"), "{refused:?}");
    assert_eq!(stage.verb(&["runs"]).exits(0).json().as_array().map(Vec::len), Some(0));
    // The control: as it was added, it runs and sees its folder.
    stage.run("work").exits(21);
    assert_eq!(stage.reviews().len(), 2);
}

#[test]
fn the_folder_that_agents_see_is_told() {
    let stage = Stage::shop();
    let folder = stage.beside("own").join("work");
    let path = put(&stage, &folder, AGENT);
    assert_eq!(hosts_of_loop(&stage.verb(&["check", &path]).exits(0).json()), [folder.to_str().expect("a path")]);
    // Without agents of its own nothing is shown to anybody, so it may lie anywhere.
    let path = put(&stage, &stage.person(), "");
    assert!(hosts_of_loop(&stage.verb(&["check", &path]).exits(0).json()).is_empty());
}

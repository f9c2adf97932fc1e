//! `init` on real projects: each ends in a loop that runs; what can't be started from is refused; nothing is overwritten.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use loopwright_tests::at_hand;
use loopwright_tests::stage::{Answer, Stage, sample};
use serde_json::Value;

/// A project of the samples in a repository of its own.
fn project(kind: &str) -> Stage {
    let stage = Stage::empty();
    stage.edit(|| {
        let from = format!("{}/.", sample("projects").join(kind).display());
        let copied = Command::new("cp").args(["-R", &from]).arg(&stage.repo).status().expect("cp starts");
        assert!(copied.success());
    });
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    stage.commit("all: begun");
    stage
}

/// A verb with the toolchains of whoever runs the tests, which a bare stage does not have.
fn with_toolchains(stage: &Stage, words: &[&str]) -> Answer {
    let mut command = stage.command(words);
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let set = |name: &str, below: &str| std::env::var_os(name).map_or_else(|| home.join(below), PathBuf::from);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("CARGO_HOME", set("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", set("RUSTUP_HOME", ".rustup"));
    command.envs(std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PYENV_")));
    stage.ask(command.arg("--json"))
}

/// The names of the checks that were found.
fn gates(view: &Value) -> Vec<&str> {
    let checks = view["survey"]["checks"].as_array().expect("checks");
    checks.iter().map(|check| check["gate"].as_str().expect("a gate")).collect()
}

/// `init`, a first run that only reports, and the list that it wrote.
fn ends_in_a_loop_that_runs(kind: &str, probe: &[&str]) {
    let stage = project(kind);
    let view = with_toolchains(&stage, &["init", "--yes"]).exits(0).json();
    let name = view["add"]["registered"]["name"].as_str().expect("registered").to_owned();
    let expected = if kind == "none" { "report" } else { "daily-triage" };
    let has: &[&str] = match kind {
        "none" => &[],
        "pytest" => &["tests_pass"],
        _ => &["tests_pass", "lint_clean"],
    };
    assert_eq!(gates(&view), has, "{kind}");
    assert_eq!((view["template"].as_str(), name.as_str()), (Some(expected), expected), "{kind}: {view}");
    assert_eq!(view["add"]["registered"]["mode"], "report", "it begins by only reporting");
    stage.assert_untouched();
    if !at_hand(&format!("the run of the {kind} project"), probe) {
        return;
    }
    let run = with_toolchains(&stage, &["run", &name]);
    assert!([0, 20, 21].contains(&run.code), "{kind}: {run:?}");
    let loops = fs::read_dir(stage.home.join("data/loops")).expect("loops").flatten().next().expect("a loop").path();
    let list = fs::read_to_string(loops.join("state/triage.md")).expect("a triage list");
    assert!(list.contains("<!-- loopwright: end"), "{list}");
    let found = list.lines().filter(|line| line.starts_with("- ")).count();
    loopwright_tests::tell(&format!(
        "{kind}: checks {:?}, loop {name}, run ended with {}, {found} findings",
        gates(&view),
        run.code
    ));
    let wanted = match kind {
        "none" => 0,
        "cargo" => 2,
        _ => 1,
    };
    assert_eq!(found, wanted, "{list}");
}

#[test]
fn a_cargo_project() {
    ends_in_a_loop_that_runs("cargo", &["cargo", "--version"]);
}

#[test]
fn an_npm_project() {
    ends_in_a_loop_that_runs("npm", &["npm", "--version"]);
}

#[test]
fn a_pytest_project() {
    ends_in_a_loop_that_runs("pytest", &["/usr/bin/python3", "-m", "pytest", "--version"]);
}

#[test]
fn a_go_project() {
    ends_in_a_loop_that_runs("go", &["go", "version"]);
}

#[test]
fn a_make_project() {
    ends_in_a_loop_that_runs("make", &["make", "--version"]);
}

#[test]
fn a_project_without_checks_gets_a_loop_that_reports() {
    ends_in_a_loop_that_runs("none", &["true"]);
    let stage = project("none");
    let said = stage.plain(&["init", "--yes", "--template", "daily-triage"]).exits(0).out;
    for gate in ["tests_pass is absent", "lint_clean is absent"] {
        assert!(said.contains(gate), "{said}");
    }
    stage.plain(&["run", "daily-triage"]).exits(20);
}

#[test]
fn without_a_terminal_nothing_is_written_before_yes() {
    let stage = project("make");
    let said = stage.plain(&["init"]).exits(2).out;
    let again = said.lines().last().expect("what to type").to_owned();
    assert_eq!(again, "loopwright init --yes");
    assert!(!stage.home.join("config/loops").exists(), "nothing was written");
    for part in ["Make (Makefile)", "What it does", "Cost ", " a day;", "Grants", "claude", "guardrails:"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    stage.paste(&again).exits(0);
    assert!(stage.home.join("config/loops").exists(), "the control");
    stage.assert_untouched();
}

#[test]
fn the_next_commands_are_the_ones_that_work() {
    let stage = project("none");
    let said = stage.plain(&["init", "--yes"]).exits(0).out;
    let next: Vec<&str> = said.lines().filter_map(|l| l.trim().split("  ").next()).collect();
    let commands = next.iter().filter(|l| l.starts_with("loopwright "));
    let codes: Vec<i32> = commands.map(|command| stage.paste(command).code).collect();
    assert_eq!(codes, [20, 0], "run and show: {said}");
}

#[test]
fn a_loop_that_is_there_is_never_overwritten() {
    let stage = project("none");
    stage.plain(&["init", "--yes"]).exits(0);
    let file = stage.home.join("config/loops/report/loop.yaml");
    let edited = fs::read_to_string(&file).expect("the loop").replace("$1/run", "$2/run");
    fs::write(&file, &edited).expect("edited");
    for words in [&["init", "--yes"][..], &["init"], &["init", "--yes", "--share"]] {
        let said = stage.plain(words).exits(0).out;
        assert!(said.contains("report is here already") && said.contains("nothing was written"), "{said}");
        assert_eq!(fs::read_to_string(&file).expect("the loop"), edited);
    }
    let other = stage.verb(&["init", "--yes", "--name", "other"]).exits(0).json();
    assert_eq!(other["existing"], false);
    stage.assert_untouched();
    nobody_takes_it_over(&stage);
}

/// A file that nobody registered, and a name that another repository has.
fn nobody_takes_it_over(stage: &Stage) {
    let stray = stage.home.join("config/loops/stray/loop.yaml");
    fs::create_dir_all(stray.parent().expect("a folder")).expect("a folder");
    fs::write(&stray, "mine").expect("a file");
    let refused = stage.verb(&["init", "--yes", "--name", "stray"]).exits(1);
    assert!(refused.hint().contains("loopwright add "), "{refused:?}");
    assert_eq!(fs::read_to_string(&stray).expect("the file"), "mine");
    let second = stage.beside("second");
    copied(&stage.repo, &second);
    let path = second.display().to_string();
    let refused = stage.verb(&["init", "--yes", "--repo", &path, "--name", "report"]).exits(1);
    assert!(refused.hint().starts_with("loopwright init --name report-second"), "{refused:?}");
    let free = stage.verb(&["init", "--yes", "--repo", &path]).exits(0).json();
    assert_eq!(free["add"]["registered"]["name"], "report-second");
}

fn copied(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-R").args([from, to]).status().expect("cp starts").success());
}

#[test]
fn a_shared_loop_counts_once_it_is_committed() {
    let stage = project("none");
    let before = stage.git(&["rev-parse", "HEAD"]);
    let mut said = None;
    stage.edit(|| said = Some(stage.plain(&["init", "--yes", "--share"]).exits(0).out));
    let said = said.expect("an answer");
    assert_eq!(stage.git(&["status", "--porcelain", "-uall"]), "?? .loopwright/report/loop.yaml");
    let text = fs::read_to_string(stage.repo.join(".loopwright/report/loop.yaml")).expect("the loop");
    assert!(!text.contains("repo:"), "each has it somewhere else: {text}");
    let refused = stage.plain(&["run", "report"]).exits(1);
    assert!(refused.err.contains("not committed"), "{refused:?}");
    let line = said.lines().map(str::trim).find(|l| l.starts_with("git -C ")).expect("what to type");
    let commit = line.split("  ").next().expect("a command");
    stage.git(&["config", "user.name", "Ada"]);
    stage.git(&["config", "user.email", "ada@example.com"]);
    stage.edit(|| drop(stage.paste(commit).exits(0)));
    assert_ne!(stage.git(&["rev-parse", "HEAD"]), before);
    stage.plain(&["run", "report"]).exits(20);
}

#[test]
fn a_shared_loop_is_not_written_through_a_link() {
    let stage = project("none");
    let elsewhere = stage.beside("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    stage.edit(|| std::os::unix::fs::symlink(&elsewhere, stage.repo.join(".loopwright")).expect("a link"));
    let refused = stage.verb(&["init", "--yes", "--share"]).exits(1);
    assert!(refused.message().contains("is no folder") && refused.hint().contains("--share"), "{refused:?}");
    assert_eq!(fs::read_dir(&elsewhere).expect("a folder").count(), 0, "nothing was written there");
    stage.verb(&["init", "--yes"]).exits(0);
}

#[test]
fn what_no_loop_can_start_from_is_refused_with_what_to_do() {
    let stage = Stage::empty();
    let refused = |what: &str, hint: &str| {
        let answer = stage.verb(&["init", "--yes"]).exits(1);
        assert!(answer.message().contains(what) && answer.hint().contains(hint), "{what}: {answer:?}");
        assert!(!stage.home.join("config/loops").exists(), "nothing was written");
    };
    refused("is not inside a git repository", "git init");
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    refused("has no commits yet", "commit");
    stage.edit(|| {
        fs::remove_dir_all(stage.repo.join(".git")).expect("removed");
        let bare = Command::new("git").args(["init", "--quiet", "--bare"]).arg(&stage.repo).status();
        assert!(bare.expect("git starts").success());
    });
    refused("bare repository", "git clone");
    let stage = project("none");
    for (words, hint) in
        [(["init", "--template", "dayly"], "loopwright templates"), (["init", "--name", "Not This"], "--name my-loop")]
    {
        let answer = stage.verb(&words).exits(2);
        assert!(answer.hint().contains(hint), "{answer:?}");
    }
    let missing = stage.verb(&["init", "--repo", "nowhere"]).exits(1);
    assert!(missing.message().contains("nowhere does not exist"), "{missing:?}");
}

/// A template whose run could only fail says so before anything is written, to `add` as well.
#[test]
fn without_a_lock_file_there_are_no_updates() {
    let stage = project("pytest");
    let words =
        [&["init", "--template", "dependency-updates"][..], &["init", "--yes", "--template", "dependency-updates"]];
    let refused = |words: &[&str]| {
        let answer = stage.verb(words).exits(1);
        assert!(answer.message().contains("neither Cargo.lock nor package-lock.json is committed"), "{answer:?}");
        assert!(answer.hint().contains("commit one of them"), "{answer:?}");
        assert!(!stage.home.join("config/loops").exists(), "nothing was written");
    };
    let path = stage.repo.display().to_string();
    let adding = ["add", "dependency-updates", "--repo", path.as_str()];
    let all = || words.into_iter().chain([&adding[..]]);
    all().for_each(refused);
    stage.write("package-lock.json", "{}\n");
    // A run sees what is committed, and nothing else.
    all().for_each(refused);
    stage.commit("a lock file");
    let view = stage.verb(words[1]).exits(0).json();
    assert_eq!(view["add"]["registered"]["name"], "dependency-updates", "the control: {view}");
    stage.assert_untouched();
}

/// What works on no repository needs none, wherever it is asked for.
#[test]
fn a_loop_of_chores_needs_no_repository() {
    let (outside, inside) = (Stage::empty(), project("none"));
    for stage in [&outside, &inside] {
        let said = stage.plain(&["init", "--template", "trading-day"]).exits(2).out;
        assert!(!stage.home.join("config/loops").exists(), "nothing was written");
        assert!(said.contains("square-off") && !said.contains("Branch"), "{said}");
        assert_eq!(said.lines().last(), Some("loopwright init --template trading-day --yes"));
        let done = stage.paste("loopwright init --template trading-day --yes").exits(0).out;
        assert!(!done.contains("changes nothing"), "{done}");
        let folder = stage.home.join("config/loops/trading-day");
        let text = fs::read_to_string(folder.join("loop.yaml")).expect("the loop");
        assert!(!text.contains("\nrepo:") && folder.join("engine.sh").exists(), "{text}");
        stage.verb(&["check", "trading-day"]).exits(0);
        let again = stage.verb(&["init", "--yes", "--template", "trading-day"]).exits(0).json();
        assert_eq!((again["existing"].as_bool(), again["shared"].as_bool()), (Some(true), Some(false)), "{again}");
        let other = stage.verb(&["init", "--yes", "--template", "trading-day", "--name", "second"]).exits(0).json();
        assert_eq!(other["add"]["registered"]["name"], "second");
        for more in [&["--share"][..], &["--repo", "."]] {
            let words = [&["init", "--template", "nightly-backup"][..], more].concat();
            let refused = stage.verb(&words).exits(2);
            assert!(refused.message().contains("does not work on a repository"), "{refused:?}");
            assert_eq!(refused.hint(), "loopwright init --template nightly-backup");
        }
    }
    inside.assert_untouched();
    // The control: what looks for work in a repository needs one.
    let refused = outside.verb(&["init", "--template", "tidy"]).exits(1);
    assert!(refused.message().contains("is not inside a git repository"), "{refused:?}");
}

/// Nothing of the repository runs: neither its checks, nor its hooks, nor a program that lies about in it.
#[test]
fn nothing_of_the_repository_is_executed() {
    let stage = project("make");
    let trap = stage.beside("trapped");
    let script = format!("#!/bin/sh\necho \"$0\" >> {}\n", trap.display());
    for program in ["git", "make", "claude", ".git/hooks/post-checkout", ".git/hooks/reference-transaction", "fsm"] {
        stage.edit(|| loopwright_tests::stage::write_program(&stage.repo.join(program), &script));
    }
    stage.edit(|| {
        let config = stage.repo.join(".git/config");
        let text = fs::read_to_string(&config).expect("the configuration");
        let own = format!("{text}[core]\n\tfsmonitor = {0}/fsm\n\thooksPath = {0}/.git/hooks\n", stage.repo.display());
        fs::write(config, own).expect("written");
    });
    stage.verb(&["init"]).exits(2);
    stage.verb(&["init", "--yes"]).exits(0);
    assert!(!trap.exists(), "something ran: {}", fs::read_to_string(&trap).unwrap_or_default());
    let status = Command::new("git").args(["status", "--short"]).current_dir(&stage.repo).output().expect("git");
    assert!(status.status.success() && trap.exists(), "the control: git itself springs the trap");
    stage.remember();
}

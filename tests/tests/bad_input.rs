//! Bad input: loop files and repositories that are not what they were. A clear message, nothing started, nothing lost.

use std::fs;
use std::process::Command;

use loopwright_tests::stage::{RAILS, Stage, wait_for};

/// A maker that is never asked, since there is nothing to do.
const IDLE: &str = "#!/bin/sh\n:\n";

fn quiet() -> Stage {
    let stage = Stage::shop_without_issues();
    stage.maker(RAILS, IDLE);
    stage
}

fn loop_file(stage: &Stage) -> std::path::PathBuf {
    stage.beside("loops/work/loop.yaml")
}

fn runs(stage: &Stage) -> usize {
    stage.verb(&["runs"]).exits(0).json().as_array().map_or(0, Vec::len)
}

#[test]
fn a_half_written_loop_file_is_refused_where_it_breaks() {
    let stage = quiet();
    let whole = fs::read_to_string(loop_file(&stage)).expect("the loop");
    for (cut, place) in [(whole.len() / 2, "column"), (whole.find("budget").expect("a budget"), "line")] {
        fs::write(loop_file(&stage), &whole[..cut]).expect("written");
        let path = loop_file(&stage).display().to_string();
        let checked = stage.verb(&["check", &path]).exits(3).json();
        assert!(checked["diagnostics"][0]["span"][place].is_u64(), "{checked}");
        stage.verb(&["add", &path]).exits(3);
        let refused = stage.run("work").exits(3);
        assert!(refused.message().contains("is not a valid loop"), "{refused:?}");
        stage.paste(refused.hint().split('`').nth(1).expect("a command")).exits(3);
    }
    for damage in [&b"\xff\xfe\0\0"[..], b"", b"name: [", b"a: &a [*a, *a]", b"%YAML 9\n---\n\t"] {
        fs::write(loop_file(&stage), damage).expect("written");
        stage.run("work").exits(3);
    }
    fs::remove_file(loop_file(&stage)).expect("removed");
    let refused = stage.run("work").exits(1);
    assert!(refused.message().contains("loop.yaml"), "{refused:?}");
    assert_eq!(runs(&stage), 0, "nothing was started");
}

#[test]
fn a_changed_loop_wants_to_be_confirmed_again() {
    let stage = quiet();
    let text = fs::read_to_string(loop_file(&stage)).expect("the loop");
    fs::write(loop_file(&stage), format!("{text}# more\n")).expect("written");
    let refused = stage.run("work").exits(2);
    assert!(refused.message().contains("changed since it was confirmed"), "{refused:?}");
    assert_eq!(runs(&stage), 0);
    let hint = refused.hint();
    stage.paste(hint.strip_prefix("look at it, then: ").expect("a command")).exits(0);
    stage.run("work").exits(20);
}

#[test]
fn a_vanished_repository_is_named() {
    let stage = quiet();
    stage.run("work").exits(20);
    fs::rename(&stage.repo, stage.beside("elsewhere")).expect("moved");
    fs::create_dir(&stage.repo).expect("an empty folder");
    let refused = stage.run("work").exits(1);
    assert!(refused.message().contains("shop"), "{refused:?}");
    fs::remove_dir(&stage.repo).expect("removed");
    let mut command = stage.command(&["run", "work", "--json"]);
    let refused = stage.ask(command.current_dir(stage.person())).exits(1);
    assert!(refused.message().contains("shop"), "{refused:?}");
    fs::rename(stage.beside("elsewhere"), &stage.repo).expect("moved back");
    assert_eq!(runs(&stage), 1);
    stage.run("work").exits(20);
}

#[test]
fn a_repository_with_another_history_is_read_anew() {
    let stage = quiet();
    stage.run("work").exits(20);
    stage.edit(|| {
        fs::remove_dir_all(stage.repo.join(".git")).expect("removed");
        fs::remove_file(stage.repo.join("src/cart.conf")).expect("removed");
    });
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    let commit = stage.commit("all: begun again");
    let run = stage.run("work").exits(21).json();
    assert!(run.to_string().contains(&commit), "{run}");
    assert_eq!(stage.triage().len(), 1, "what is red there: {:?}", stage.triage());
}

#[test]
fn repositories_that_nothing_can_start_from_are_refused() {
    let stage = Stage::empty();
    let path = stage.personal("work", &format!("agents:\n  maker: {{command: [./maker.sh], price: $0}}\n{RAILS}"), &[]);
    let path = path.display().to_string();
    let refused = |what: &str| {
        let answer = stage.verb(&["add", &path]);
        let answer = if answer.code == 2 {
            let hash = answer.json()["hash"].as_str().expect("a hash").to_owned();
            stage.verb(&["add", &path, "--confirm", &hash]).exits(0);
            stage.run("work")
        } else {
            answer
        };
        assert!([1, 2].contains(&answer.code), "{what}: {answer:?}");
        let message = answer.message();
        assert!(message.contains(what), "{what}: {message}");
        assert!(!message.contains("class="), "libgit2's own words: {message}");
    };
    refused("not inside a git repository");
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    refused("no commit");
    fs::remove_dir_all(stage.repo.join(".git")).expect("removed");
    let bare = Command::new("git").args(["init", "--quiet", "--bare"]).arg(&stage.repo).output().expect("git");
    assert!(bare.status.success());
    stage.remember();
    refused("bare");
}

/// The fault of the repository is told by `check` and `add`, whether the file names it or lies in it.
#[test]
fn check_and_add_say_what_is_wrong_with_the_repository() {
    let stage = Stage::empty();
    let text = fs::read_to_string(stage.personal("work", RAILS, &[])).expect("the loop");
    let unnamed: String = text.lines().filter(|l| !l.starts_with("repo:")).map(|l| format!("{l}\n")).collect();
    let inside = stage.repo.join("loop.yaml").display().to_string();
    let named = stage.beside("loops/work/loop.yaml").display().to_string();
    let told = |what: &str, files: &[&String]| {
        for file in files {
            let checked = stage.plain(&["check", file]).exits(0).out;
            assert!(checked.contains(what) && !checked.contains("none here"), "{file}: {what}: {checked}");
            let message = stage.verb(&["add", file]).message();
            assert!(message.contains(what) && !message.contains("names none"), "{file}: {message}");
        }
    };
    told("is not inside a git repository", &[&named]);
    stage.edit(|| fs::write(&inside, &unnamed).expect("written"));
    // The control: where there is none and none is named, that is what is said.
    assert!(stage.plain(&["check", &inside]).exits(0).out.contains("repository: none here"));
    assert!(stage.verb(&["add", &inside]).exits(2).message().contains("names none"));
    stage.git(&["init", "--quiet", "--initial-branch=main"]);
    told("has no commits yet", &[&named, &inside]);
    stage.commit("all: begun");
    let first = stage.git(&["rev-parse", "HEAD"]);
    stage.edit(|| fs::write(stage.repo.join(".git/shallow"), format!("{first}\n")).expect("written"));
    told("is a shallow clone", &[&named, &inside]);
    stage.edit(|| fs::remove_file(stage.repo.join(".git/shallow")).expect("removed"));
    stage.git(&["config", "core.bare", "true"]);
    told("is a bare repository", &[&named, &inside]);
    fs::rename(&stage.repo, stage.beside("elsewhere")).expect("moved");
    let away = |words: &[&str]| stage.ask(stage.command(words).current_dir(stage.person()));
    assert!(away(&["check", &named]).exits(0).out.contains("does not exist"));
    assert!(away(&["add", &named, "--json"]).exits(1).message().contains("does not exist"));
    fs::rename(stage.beside("elsewhere"), &stage.repo).expect("moved back");
}

#[test]
fn a_folder_that_is_called_like_a_loop_is_none() {
    let stage = quiet();
    stage.edit(|| {
        for name in ["work", "tidy", "nothing"] {
            fs::create_dir(stage.repo.join(name)).expect("a folder");
        }
    });
    let checked = stage.verb(&["check", "work"]).exits(0).json();
    assert_eq!(checked["path"], loop_file(&stage).display().to_string());
    assert_eq!(stage.verb(&["check", "tidy"]).exits(0).json()["path"], "template tidy");
    stage.add("tidy", false);
    let refused = stage.verb(&["check", "nothing"]).exits(2);
    assert!(refused.message().contains("has no loop.yaml"), "{refused:?}");
    // The control: with a loop.yaml it counts, before any name.
    stage.write("work/loop.yaml", "name: x\n");
    stage.verb(&["check", "work"]).exits(3);
}

#[test]
fn a_loop_that_is_not_committed_is_told_so() {
    let stage = Stage::shop_without_issues();
    let text = fs::read_to_string(stage.personal("work", RAILS, &[])).expect("the loop");
    stage.write(".loopwright/work/loop.yaml", &text);
    stage.add(".loopwright/work", false);
    let refused = stage.run("work").exits(1);
    assert!(refused.message().contains("not committed"), "{refused:?}");
    assert!(refused.hint().contains("commit the loop file"), "{refused:?}");
    stage.commit("loop: work");
    stage.run("work").exits(20);
}

#[test]
fn a_damaged_database_is_told_with_what_to_do_and_halt_works_all_the_same() {
    let stage = quiet();
    // The control: until then it works.
    stage.run("work").exits(20);
    // Its last process writes to the database once more when it closes it.
    wait_for("the run's processes to be gone", || stage.processes().is_empty().then_some(()));
    let database = stage.home.join("data/loopwright.db");
    for beside in ["loopwright.db-wal", "loopwright.db-shm"] {
        // They are gone when the last process closed the database well.
        fs::remove_file(stage.home.join("data").join(beside)).ok();
    }
    fs::write(&database, b"not a database at all, but long enough to be looked at".repeat(100)).expect("damaged");
    let damaged = fs::read(&database).expect("what is there");
    for words in [&["status"][..], &["runs"], &["run", "work"], &["reviews"], &["next"], &["show"]] {
        let refused = stage.verb(words).exits(1);
        assert!(refused.message().contains(&format!("{} is damaged", database.display())), "{words:?}: {refused:?}");
        assert!(refused.message().contains("nothing was changed"), "{refused:?}");
        assert!(refused.hint().contains("loopwright doctor --repair"), "{refused:?}");
    }
    assert!(stage.plain(&["doctor"]).exits(1).out.contains("is damaged"));
    let answer = stage.verb(&["halt"]);
    assert!(stage.home.join("state/HALT").exists(), "halted all the same: {answer:?}");
    stage.verb(&["resume", "--reason", "a test"]).exits(0);
    assert!(!stage.home.join("state/HALT").exists());
    assert_eq!(fs::read(&database).expect("what is there"), damaged, "nothing was changed");
    // The hint is right: all is there again, and what was damaged is kept.
    let repaired = stage.verb(&["doctor", "--repair"]).exits(0).json();
    assert_eq!(repaired["damaged"], true);
    assert_eq!(runs(&stage), 1);
    let aside = fs::read_dir(stage.home.join("data/damaged")).expect("a folder").flatten().next().expect("one").path();
    assert_eq!(fs::read(aside.join("loopwright.db")).expect("kept"), damaged);
    stage.run("work").exits(20);
    wait_for("the run's processes to be gone", || stage.processes().is_empty().then_some(()));
    assert_eq!(stage.verb(&["doctor", "--repair"]).exits(0).json()["damaged"], false, "the control");
}

/// In a mount namespace in which bubblewrap is no program any more.
#[test]
fn without_bubblewrap_nothing_runs_and_the_repair_is_named() {
    let stage = Stage::shop();
    stage.maker(RAILS, "#!/bin/sh\ntouch owned\n");
    let without = |words: &[&str]| {
        let inner = stage.command(words);
        let mut command = Command::new("unshare");
        let hide = "mount --bind /dev/null \"$(command -v bwrap)\" && exec \"$@\"";
        command.args(["--map-root-user", "--mount", "sh", "-c", hide, "sh"]).arg(inner.get_program());
        command.args(inner.get_args()).current_dir(&stage.repo).env_clear();
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        stage.ask(&mut command)
    };
    let refused = without(&["run", "work", "--json"]).exits(1);
    let said = format!("{} {}", refused.message(), refused.hint());
    assert!(said.contains("bubblewrap is not installed") && said.contains("install"), "{said}");
    let doctor = without(&["doctor", "--json"]).json().to_string();
    assert!(doctor.contains("missing"), "{doctor}");
    assert_eq!(runs(&stage), 0, "nothing was started");
    // The control: with it the same loop runs.
    stage.run("work").exits(21);
}

//! Landing where HEAD names its branch in a roundabout way: an alias, a symbolic link, a linked working tree, both at once.
//!
//! A landing that takes a checkout for another branch's leaves it reverting what landed: the next commit would delete it.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs;
use std::path::{Path, PathBuf};

use loopwright_tests::crash::small;
use loopwright_tests::faults::{EIO, Faults};
use loopwright_tests::stage::{Stage, id, state, tree};
use serde_json::Value;

/// How HEAD leads to `main`.
const WAYS: [(&str, &[&[&str]]); 4] = [
    ("an alias", &[&["symbolic-ref", "refs/heads/master", "refs/heads/main"], &["checkout", "--quiet", "master"]]),
    (
        "an alias of an alias",
        &[
            &["symbolic-ref", "refs/heads/trunk", "refs/heads/main"],
            &["symbolic-ref", "refs/heads/master", "refs/heads/trunk"],
            &["checkout", "--quiet", "master"],
        ],
    ),
    (
        "a symbolic link",
        &[
            &["config", "core.preferSymlinkRefs", "true"],
            &["checkout", "--quiet", "-b", "aside"],
            &["checkout", "--quiet", "main"],
        ],
    ),
    (
        "a symbolic link that is an alias",
        &[
            &["config", "core.preferSymlinkRefs", "true"],
            &["symbolic-ref", "refs/heads/master", "refs/heads/main"],
            &["checkout", "--quiet", "master"],
        ],
    ),
];

/// A stage with one open pull request.
fn shipped() -> (Stage, Value) {
    let stage = small();
    stage.run("work").exits(21);
    let review = stage.review(stage.reviews()[0]["id"].as_str().expect("an id"));
    (stage, review)
}

/// Asks git in a working tree.
fn git(stage: &Stage, root: &Path, words: &[&str]) -> String {
    stage.git(&[&["-C", root.to_str().expect("a path")], words].concat())
}

/// Where `main` is checked out: here, or in a linked working tree while something else is here.
fn checkout(stage: &Stage, linked: bool, way: &[&[&str]]) -> PathBuf {
    let root = if linked { stage.beside("linked") } else { stage.repo.clone() };
    if linked {
        stage.git(&["checkout", "--quiet", "-b", "elsewhere"]);
        stage.git(&["worktree", "add", "--quiet", root.to_str().expect("a path"), "main"]);
    }
    way.iter().for_each(|words| drop(git(stage, &root, words)));
    root
}

fn approve(stage: &Stage, review: &Value) -> loopwright_tests::stage::Answer {
    let answer = stage.verb(&["approve", id(review), "--tree", tree(review)]);
    stage.remember();
    answer
}

fn walk(linked: bool) {
    for (what, way) in WAYS {
        for dirty in [false, true] {
            let (stage, review) = shipped();
            let root = checkout(&stage, linked, way);
            let told = format!("{what}, linked: {linked}, dirty: {dirty}");
            let before = stage.git(&["rev-parse", "main"]);
            if dirty {
                stage.edit(|| fs::write(root.join("README.md"), "being written\n").expect("a file"));
            }
            let answer = approve(&stage, &review);
            // libgit2 does not open a working tree whose HEAD is a link that leads nowhere by itself: git lands it.
            let by_hand = what.contains("link") && (linked || what.contains("alias"));
            if dirty || by_hand {
                assert_eq!((answer.code, state(&stage, &review).as_str()), (21, "approved"), "{told}: {answer:?}");
                assert_eq!(stage.git(&["rev-parse", "main"]), before, "{told}");
                let command = answer.json()["command"].as_str().expect("a command").to_owned();
                stage.edit(|| {
                    if dirty {
                        fs::write(root.join("README.md"), "A small project.\n").expect("a file");
                    }
                    // A HEAD that dangles makes it no repository for libgit2, so that even the command can't be told.
                    if by_hand && !linked {
                        stage.plain_git(&["checkout", "--quiet", "main"]);
                    } else if by_hand {
                        assert_eq!(stage.paste(&command).code, 0, "{told}: {command}");
                    }
                    stage.verb(&["tick"]);
                });
            } else {
                assert_eq!(answer.code, 0, "{told}: {answer:?}");
            }
            assert_eq!(state(&stage, &review), "merged", "{told}");
            assert_eq!(stage.git(&["rev-parse", "main^"]), before, "{told}");
            assert_eq!(stage.unlike_head(&root), Vec::<String>::new(), "{told}");
        }
    }
}

#[test]
fn a_head_that_leads_there_in_a_roundabout_way_is_followed() {
    walk(false);
}

#[test]
fn so_is_that_of_a_linked_working_tree() {
    walk(true);
}

/// The control: what a landing beside the checkout leaves behind is found.
#[test]
fn a_checkout_that_reverts_what_landed_is_told() {
    let stage = small();
    assert_eq!(stage.unlike_head(&stage.repo), Vec::<String>::new());
    let first = stage.git(&["rev-parse", "HEAD"]);
    stage.write("landed", "x\n");
    let landed = stage.commit("landed");
    stage.git(&["reset", "--quiet", "--hard", &first]);
    stage.git(&["update-ref", "refs/heads/main", &landed]);
    assert_eq!(stage.unlike_head(&stage.repo), ["D  landed"]);
}

/// The branch that is approved is another name by now: what it names gets the change, and it goes on naming it.
#[test]
fn an_alias_that_is_approved_stays_one() {
    let (stage, review) = shipped();
    stage.git(&["branch", "-m", "main", "trunk"]);
    stage.git(&["symbolic-ref", "refs/heads/main", "refs/heads/trunk"]);
    let before = stage.git(&["rev-parse", "trunk"]);
    assert_eq!(approve(&stage, &review).exits(0).json()["result"], "merged");
    assert_eq!(stage.git(&["symbolic-ref", "refs/heads/main"]), "refs/heads/trunk");
    assert_eq!(stage.git(&["rev-parse", "trunk^"]), before);
    assert_eq!(stage.unlike_head(&stage.repo), Vec::<String>::new());
}

/// An approval writes branches alone: another name of something else waits.
#[test]
fn a_name_of_something_that_is_no_branch_waits() {
    let (stage, review) = shipped();
    stage.git(&["checkout", "--quiet", "--detach"]);
    stage.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    stage.git(&["symbolic-ref", "refs/heads/main", "refs/remotes/origin/main"]);
    let waiting = approve(&stage, &review).exits(21).json();
    assert!(waiting["why"].to_string().contains("refs/remotes/origin/main"), "{waiting}");
    stage.git(&["update-ref", "--no-deref", "refs/heads/main", "refs/remotes/origin/main"]);
    stage.edit(|| drop(stage.verb(&["tick"])));
    assert_eq!(state(&stage, &review), "merged");
}

/// Only one checkout can follow: with two, a person says first which.
#[test]
fn a_branch_that_two_working_trees_have_waits() {
    let (stage, review) = shipped();
    let linked = stage.beside("linked");
    stage.git(&["worktree", "add", "--quiet", "--force", linked.to_str().expect("a path"), "main"]);
    let waiting = approve(&stage, &review).exits(21).json();
    assert!(waiting["why"].to_string().contains("linked"), "{waiting}");
    for root in [&stage.repo, &linked] {
        assert_eq!(stage.unlike_head(root), Vec::<String>::new());
    }
    let command = waiting["command"].as_str().expect("a command").to_owned();
    stage.edit(|| {
        assert_eq!(stage.paste(&command).code, 0, "{command}");
        stage.verb(&["tick"]);
    });
    assert_eq!(state(&stage, &review), "merged");
    for root in [&stage.repo, &linked] {
        assert_eq!(stage.unlike_head(root), Vec::<String>::new());
    }
}

/// Whatever can't be read on the way, once: nothing moves and it waits, until it lands whole.
#[test]
fn a_head_that_can_not_be_read_is_no_other_branch() {
    for (linked, file) in [(false, "HEAD"), (true, "worktrees/linked/HEAD"), (true, "worktrees")] {
        let mut failed = 0;
        while let hit @ 1.. = until_it_lands(linked, file, failed + 1) {
            failed = hit;
        }
        assert!(failed > 0, "{file} is never opened");
    }
}

/// Approves while one opening of `file` fails, beginning with this one, the next time the next one. Which failed when it
/// landed all the same; 0 if none did.
fn until_it_lands(linked: bool, file: &str, first: u64) -> u64 {
    let (stage, review) = shipped();
    let root = checkout(&stage, linked, &[]);
    let before = stage.git(&["rev-parse", "main"]);
    let faults = Faults::below(&stage.repo.join(".git").join(file), &stage.beside("faults"));
    for nth in first.. {
        let mut command = stage.command(&["approve", id(&review), "--tree", tree(&review), "--json"]);
        faults.fail_of(&mut command, " open ", nth, EIO);
        let answer = stage.ask(&mut command);
        stage.remember();
        let told = format!("{file}, opened for the time {nth}: {answer:?}");
        let landed = state(&stage, &review) == "merged";
        // A pass before it may land it, and then it is merged already.
        assert!(landed || answer.code != 0, "{told}");
        assert_eq!(stage.git(&["rev-parse", "main"]) != before, landed, "{told}");
        assert_eq!(stage.unlike_head(&root), Vec::<String>::new(), "{told}");
        if landed {
            return if faults.hit().is_some() { nth } else { 0 };
        }
    }
    unreachable!("it lands once no opening fails")
}

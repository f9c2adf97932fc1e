//! The comparison that every test ends with: each way in which a repository can be touched is seen by it.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use loopwright_tests::stage::{RAILS, Stage, write_program};

/// One thing somebody does to a repository, and the path at which that must be seen.
type Touch = (&'static str, &'static str, fn(&Path));

fn append(file: &Path) {
    let mut file = OpenOptions::new().append(true).create(true).open(file).expect("a file");
    file.write_all(b"more\n").expect("written");
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
}

/// The same bytes, written anew.
fn rewritten(path: &Path) {
    let bytes = fs::read(path).expect("a file");
    fs::remove_file(path).expect("removed");
    fs::write(path, bytes).expect("written");
}

fn moved(repo: &Path, from: &str, to: &str) {
    fs::rename(repo.join(from), repo.join(to)).expect("moved");
}

const TOUCHES: &[Touch] = &[
    ("content of a file", "README.md", |r| append(&r.join("README.md"))),
    ("the same content again", "README.md", |r| rewritten(&r.join("README.md"))),
    ("mode of a file", "checks/tests.sh", |r| mode(&r.join("checks/tests.sh"), 0o600)),
    ("mode of a folder", "checks/", |r| mode(&r.join("checks"), 0o711)),
    ("a file removed", "README.md", |r| fs::remove_file(r.join("README.md")).expect("removed")),
    ("a file that git does not know", "untracked", |r| append(&r.join("untracked"))),
    ("a file that git ignores", "ignored/x", |r| append(&r.join("ignored/x"))),
    ("an empty folder", "empty/", |r| fs::create_dir(r.join("empty")).expect("made")),
    ("a file renamed", "ignored/y", |r| moved(r, "ignored/x", "ignored/y")),
    ("where a link leads", "link", |r| {
        fs::remove_file(r.join("link")).expect("removed");
        symlink("checks", r.join("link")).expect("a link");
    }),
    ("a pipe", "pipe", |r| drop(std::process::Command::new("mkfifo").arg(r.join("pipe")).status())),
    ("a large file", "large", |r| append(&r.join("large"))),
    ("index", ".git/index", |r| rewritten(&r.join(".git/index"))),
    ("a lock of the index", ".git/index.lock", |r| append(&r.join(".git/index.lock"))),
    ("HEAD", ".git/HEAD", |r| fs::write(r.join(".git/HEAD"), "ref: refs/heads/other\n").expect("written")),
    ("configuration", ".git/config", |r| append(&r.join(".git/config"))),
    ("configuration of a working tree", ".git/config.worktree", |r| append(&r.join(".git/config.worktree"))),
    ("a new hook", ".git/hooks/post-commit", |r| append(&r.join(".git/hooks/post-commit"))),
    ("a hook made a program", ".git/hooks/old", |r| mode(&r.join(".git/hooks/old"), 0o755)),
    ("a branch", ".git/refs/heads/other", |r| append(&r.join(".git/refs/heads/other"))),
    ("a new ref", ".git/refs/loopwright/x", |r| {
        fs::create_dir(r.join(".git/refs/loopwright")).expect("made");
        append(&r.join(".git/refs/loopwright/x"));
    }),
    ("a tag", ".git/refs/tags/v1", |r| append(&r.join(".git/refs/tags/v1"))),
    ("packed refs", ".git/packed-refs", |r| append(&r.join(".git/packed-refs"))),
    ("a reflog", ".git/logs/HEAD", |r| append(&r.join(".git/logs/HEAD"))),
    ("FETCH_HEAD", ".git/FETCH_HEAD", |r| append(&r.join(".git/FETCH_HEAD"))),
    ("what is excluded", ".git/info/exclude", |r| append(&r.join(".git/info/exclude"))),
    ("attributes", ".git/info/attributes", |r| append(&r.join(".git/info/attributes"))),
    ("what is sparse", ".git/info/sparse-checkout", |r| append(&r.join(".git/info/sparse-checkout"))),
    ("alternates", ".git/objects/info/alternates", |r| append(&r.join(".git/objects/info/alternates"))),
    ("a commit graph", ".git/objects/info/commit-graph", |r| append(&r.join(".git/objects/info/commit-graph"))),
    ("an object", ".git/objects/00/0", |r| {
        fs::create_dir_all(r.join(".git/objects/00")).expect("made");
        append(&r.join(".git/objects/00/0"));
    }),
    ("a shallow mark", ".git/shallow", |r| append(&r.join(".git/shallow"))),
    ("HEAD of a linked working tree", ".git/worktrees/linked/HEAD", |r| append(&r.join(".git/worktrees/linked/HEAD"))),
    ("index of a linked one", ".git/worktrees/linked/index", |r| append(&r.join(".git/worktrees/linked/index"))),
    ("where a linked one lies", ".git/worktrees/linked/gitdir", |r| append(&r.join(".git/worktrees/linked/gitdir"))),
    ("the linked one's files", "linked/README.md", |r| append(&r.with_file_name("linked").join("README.md"))),
    ("mode of the repository", ".git/", |r| mode(&r.join(".git"), 0o700)),
];

/// A repository that has all that can be touched.
fn everything() -> Stage {
    let stage = Stage::shop();
    stage.write(".gitignore", "ignored\n");
    stage.edit(|| symlink("README.md", stage.repo.join("link")).expect("a link"));
    stage.commit("link: to the text");
    stage.write("ignored/x", "x\n");
    stage.edit(|| {
        fs::File::create(stage.repo.join("large")).and_then(|f| f.set_len(16 << 20)).expect("a large file");
        fs::create_dir_all(stage.repo.join(".git/hooks")).expect("hooks");
        fs::write(stage.repo.join(".git/hooks/old"), "#!/bin/sh\n").expect("a hook");
        fs::create_dir_all(stage.repo.join(".git/info")).expect("a folder");
        fs::create_dir_all(stage.repo.join(".git/objects/info")).expect("a folder");
    });
    stage.git(&["branch", "other"]);
    stage.git(&["tag", "v1"]);
    let linked = stage.beside("linked");
    stage.git(&["worktree", "add", "--quiet", "-b", "linked", linked.to_str().expect("UTF-8")]);
    stage.watch(linked);
    stage
}

#[test]
fn every_touch_is_seen() {
    let stage = everything();
    assert_eq!(stage.touched(), [""; 0]);
    for (what, path, touch) in TOUCHES {
        touch(&stage.repo);
        let seen = stage.touched();
        let there = |seen: &String| seen == path || seen.ends_with(&format!("/{path}"));
        assert!(seen.iter().any(there), "{what}: {seen:?}");
        assert!(catch_unwind(AssertUnwindSafe(|| stage.assert_untouched())).is_err(), "{what}");
        stage.remember();
    }
    assert_eq!(stage.touched(), [""; 0]);
    println!("{} ways to touch a repository, all seen", TOUCHES.len());
}

/// A test that forgets to look is caught by the end of its stage.
#[test]
fn the_end_of_a_stage_looks_once_more() {
    let stage = Stage::shop();
    let hook = stage.repo.join(".git/config");
    append(&hook);
    let end = catch_unwind(AssertUnwindSafe(|| drop(stage)));
    let said = end.expect_err("the touch was not seen");
    let said = said.downcast_ref::<String>().expect("a text");
    assert!(said.contains("the user's repository was touched") && said.contains(".git/config"), "{said}");
    drop(Stage::shop());
}

/// Reading, a run, and every verb that looks: nothing of it touches anything.
#[test]
fn a_run_and_a_look_touch_nothing() {
    let stage = everything();
    stage.maker(RAILS, "#!/bin/sh\ngit config user.name x; git branch planted; echo more >> README.md\n");
    stage.verb(&["run", "work"]).exits(21);
    for words in [&["status"][..], &["check", "work"], &["reviews"], &["runs"], &["doctor"], &["init"]] {
        stage.verb(words);
        stage.assert_untouched();
    }
}

/// An approval may move its branch and write its files, and nothing else.
#[test]
fn what_goes_beyond_an_approval_is_seen() {
    let stage = everything();
    stage.maker(RAILS, "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> checks/NEW\n");
    stage.verb(&["run", "work"]).exits(21);
    let first = stage.reviews()[0]["id"].as_str().expect("an id").to_owned();
    let review = stage.review(&first);
    let scope = stage.scope(&review);
    let (id, tree) = (review["row"]["id"].as_str().expect("an id"), review["tree"].as_str().expect("a tree"));
    stage.verb(&["approve", id, "--tree", tree]).exits(0);
    assert_ne!(stage.touched(), [""; 0], "it landed");
    assert_eq!(stage.beyond(&scope), [""; 0]);
    let files = stage.files_of(&scope);
    let landed = ["index", "a reflog", "an object"];
    for (what, path, touch) in TOUCHES.iter().filter(|(what, ..)| !landed.contains(what)) {
        touch(&stage.repo);
        let seen = stage.beyond_files(&scope, &files);
        assert!(seen.iter().any(|seen| seen == path || seen.ends_with(&format!("/{path}"))), "{what}: {seen:?}");
    }
    stage.remember();
}

/// Programs that a test leaves in a repository count as its own only once it says so.
#[test]
fn a_program_that_was_planted_is_seen() {
    let stage = Stage::shop();
    let planted: PathBuf = stage.repo.join(".git/hooks/pre-push");
    fs::create_dir_all(planted.parent().expect("a folder")).expect("made");
    stage.remember();
    write_program(&planted, "#!/bin/sh\n");
    assert_eq!(stage.touched(), [".git/hooks/pre-push"]);
    stage.remember();
}

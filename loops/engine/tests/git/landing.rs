//! Landing an approval on the user's branch, and everything that must keep it from doing so.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use git2::Oid;
use loopwright_core::definition::Merge;
use loopwright_core::ids::PullRequestId;
use loopwright_engine::forge::{Guard, Landed, Landing, land as land_with};
use loopwright_engine::git::Repos;
use uuid::Uuid;

use crate::support::{World, at, fingerprint, plain_git};

const CHANGE: &str =
    "echo four >> a.txt; rm src/lib.rs; mkdir -p n/m; echo new > n/m/x; chmod +x check.toml; ln -s a.txt link";

fn landing(world: &World, commit: Oid, merge: Merge) -> Landing {
    let base = world.base();
    Landing {
        id: PullRequestId(Uuid::from_u128(1)),
        user: world.user(),
        branch: base.branch,
        base: base.commit,
        commit,
        merge,
        message: "Mend it\n\nCloses: #3\nLoopwright-Run: 1\n".to_owned(),
        at: at(60),
    }
}

/// A journal and a kill switch for one pull request.
#[derive(Default)]
struct Book {
    begun: Option<Oid>,
    committers: Vec<String>,
    /// A journal that keeps nothing.
    forgets: bool,
    /// Something done as the last thing before the branch moves; what it returns halts.
    halts: Option<Box<dyn Fn() -> Option<String>>>,
}

impl Guard for Book {
    fn begun(&self) -> anyhow::Result<Option<Oid>> {
        Ok(self.begun.filter(|_| !self.forgets))
    }

    fn begin(&mut self, commit: Oid, committer: &str) -> anyhow::Result<()> {
        self.begun = Some(commit);
        self.committers.push(committer.to_owned());
        Ok(())
    }

    fn halted(&self) -> Option<String> {
        self.halts.as_ref().and_then(|look| look())
    }

    fn landed(&mut self, _: Oid) -> anyhow::Result<()> {
        Ok(())
    }
}

/// Lands with a journal that begins empty.
fn land(repos: &Repos, landing: &Landing) -> anyhow::Result<Landed> {
    land_with(repos, landing, &mut Book::default())
}

/// The user's repository without what a landing may write: new packs, the branch, its log, the index.
fn rest(world: &World) -> BTreeMap<PathBuf, String> {
    let mut all = fingerprint(&world.user_path());
    let ours = [".git/refs/heads/main", ".git/logs/refs/heads/main", ".git/logs/HEAD", ".git/index"];
    all.retain(|path, _| {
        path.starts_with(".git") && !path.starts_with(".git/objects/pack") && !ours.iter().any(|o| path == Path::new(o))
    });
    all
}

/// Hooks that would show themselves in the user's repository.
fn hooks(world: &World) -> PathBuf {
    let canary = world.folder().join("hooked");
    for hook in ["post-checkout", "post-merge", "reference-transaction", "post-index-change"] {
        let path = world.user_path().join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, format!("#!/bin/sh\ntouch {}\n", canary.display())).expect("a hook");
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    }
    canary
}

#[test]
fn a_clean_working_tree_follows() {
    for (merge, parents) in [(Merge::Squash, 1), (Merge::Merge, 2), (Merge::FastForward, 1)] {
        let world = World::new();
        let attempt = world.attempt("a1", CHANGE);
        let canary = hooks(&world);
        world.write("untracked", "mine");
        let (landing, before) = (landing(&world, attempt, merge), rest(&world));
        let landed = land(&world.repos, &landing).expect("landed");
        let Landed::Merged { commit } = landed else { panic!("{merge:?}: {landed:?}") };
        assert!(!canary.exists(), "a hook ran");
        assert_eq!(rest(&world), before, "{merge:?}");
        assert_eq!(world.git(&["status", "--porcelain"]), "?? untracked");
        assert_eq!(world.git(&["rev-parse", "main"]), commit.to_string());
        assert_eq!(world.git(&["rev-parse", "main^{tree}"]), world.repos.tree_of(attempt).expect("a tree").to_string());
        assert_eq!(world.git(&["log", "-1", "--format=%p"]).split(' ').count(), parents);
        assert!(!world.user_path().join("src").exists(), "an emptied folder is gone");
        world.git(&["fsck", "--strict"]);
        if merge == Merge::Squash {
            assert_eq!(
                world.git(&["log", "-1", "--format=%an|%cn|%(trailers:key=Closes)"]),
                "Loopwright|Una User|Closes: #3"
            );
        }
        let whole = fingerprint(&world.user_path());
        assert_eq!(land(&world.repos, &landing).expect("again"), Landed::Merged { commit });
        assert_eq!(fingerprint(&world.user_path()).len(), whole.len(), "again writes nothing");
        // The control: plain git does run these hooks.
        world.git(&["checkout", "-q", "--detach"]);
        assert!(canary.exists());
    }
}

#[test]
fn a_branch_that_is_not_checked_out_is_moved_alone() {
    let world = World::new();
    let attempt = world.attempt("a1", CHANGE);
    let order = landing(&world, attempt, Merge::Squash);
    world.git(&["checkout", "-q", "-b", "elsewhere"]);
    world.write("a.txt", "dirty\n");
    let (index, tree) = (fs::read(world.user_path().join(".git/index")).expect("an index"), rest(&world));
    let landed = land(&world.repos, &order).expect("landed");
    assert!(matches!(landed, Landed::Merged { .. }), "{landed:?}");
    assert_eq!(world.git(&["status", "--porcelain"]), "M a.txt");
    assert_eq!(fs::read(world.user_path().join(".git/index")).expect("an index").len(), index.len());
    assert_eq!(rest(&world), tree);
    assert!(world.git(&["show", "main:n/m/x"]) == "new");
}

#[test]
fn what_is_in_the_way_waits_and_nothing_is_written() {
    type Obstacle = (&'static str, fn(&World));
    let obstacles: [Obstacle; 8] = [
        ("not committed: \"check.toml\"", |w| w.write("check.toml", "edited\n")),
        ("not committed: \"staged\"", |w| {
            w.write("staged", "x");
            w.git(&["add", "staged"]);
        }),
        ("\"link\" is in the way", |w| w.write("link", "mine")),
        ("\"n/m/x\" is in the way", |w| w.write("n", "a file")),
        ("\"n/m/x\" is in the way", |w| {
            w.write(".git/info/exclude", "n\n");
            w.write("n/m/x", "ignored and mine");
        }),
        ("another git works", |w| w.write(".git/index.lock", "")),
        ("in the middle of another git operation", |w| w.write(".git/MERGE_HEAD", &w.git(&["rev-parse", "HEAD"]))),
        ("goes through a filter", |w| w.write(".git/info/attributes", "a.txt filter=lfs\n")),
    ];
    for (why, obstruct) in obstacles {
        let world = World::new();
        let attempt = world.attempt("a1", CHANGE);
        let order = landing(&world, attempt, Merge::Squash);
        obstruct(&world);
        let before = fingerprint(&world.user_path());
        let landed = land(&world.repos, &order).expect("an answer");
        let Landed::Waiting { why: said, command } = landed else { panic!("{why}: {landed:?}") };
        assert!(said.contains(why), "{said}");
        assert_eq!(fingerprint(&world.user_path()), before, "{why}");
        assert!(command.starts_with("git -C /") && command.contains(" pull --ff-only "), "{command}");
    }
}

#[test]
fn the_command_of_a_waiting_landing_lands_it() {
    let world = World::new();
    let attempt = world.attempt("a1", CHANGE);
    let order = landing(&world, attempt, Merge::Squash);
    world.write("check.toml", "edited\n");
    let Landed::Waiting { command, .. } = land(&world.repos, &order).expect("an answer") else { panic!("no obstacle") };
    world.git(&["checkout", "-q", "check.toml"]);
    let words: Vec<&str> = command.split(' ').skip(1).collect();
    plain_git(world.folder(), &words);
    let tip: Oid = world.git(&["rev-parse", "main"]).parse().expect("an id");
    assert_eq!(land(&world.repos, &order).expect("landed"), Landed::Merged { commit: tip });
}

#[test]
fn a_moved_base_lands_nothing() {
    let world = World::new();
    let attempt = world.attempt("a1", CHANGE);
    let order = landing(&world, attempt, Merge::Squash);
    let now = world.commit("Meanwhile");
    let before = fingerprint(&world.user_path());
    assert_eq!(land(&world.repos, &order).expect("an answer"), Landed::Moved { now: Some(now) });
    assert_eq!(fingerprint(&world.user_path()), before);
    world.git(&["checkout", "-q", "--detach"]);
    world.git(&["branch", "-D", "main"]);
    assert_eq!(land(&world.repos, &order).expect("an answer"), Landed::Moved { now: None });
    // Nor does a commit that stands on something else.
    let stranger = Landing { commit: order.base, ..order };
    assert!(land(&world.repos, &stranger).is_err());
}

#[test]
fn of_two_landings_at_once_one_wins() {
    for round in 0..8 {
        let world = World::new();
        let attempts = [world.attempt("a1", "echo 1 > x"), world.attempt("a2", "echo 2 > y")];
        let orders: Vec<Landing> = attempts
            .iter()
            .enumerate()
            .map(|(at, commit)| Landing {
                id: PullRequestId(Uuid::from_u128(at as u128)),
                ..landing(&world, *commit, Merge::Squash)
            })
            .collect();
        if round % 2 == 1 {
            world.git(&["checkout", "-q", "--detach"]);
        }
        let landed: Vec<Landed> = std::thread::scope(|scope| {
            let handles: Vec<_> =
                orders.iter().map(|o| scope.spawn(|| land(&world.repos, o).expect("an answer"))).collect();
            handles.into_iter().map(|h| h.join().expect("a thread")).collect()
        });
        let merged = landed.iter().filter(|l| matches!(l, Landed::Merged { .. })).count();
        let moved = landed.iter().filter(|l| matches!(l, Landed::Moved { .. })).count();
        assert_eq!((merged, moved), (1, 1), "{landed:?}");
        assert_eq!(world.git(&["status", "--porcelain"]), "");
        assert_eq!(world.git(&["rev-list", "--count", "main"]), "2");
    }
}

#[test]
fn a_race_with_the_user_lands_what_was_shown_or_nothing() {
    for _ in 0..10 {
        let world = World::new();
        let attempt = world.attempt("a1", "echo 1 > x");
        let order = landing(&world, attempt, Merge::Squash);
        world.git(&["checkout", "-q", "--detach"]);
        let theirs = world.commit("Theirs");
        let (landed, pushed) = std::thread::scope(|scope| {
            let landed = scope.spawn(|| land(&world.repos, &order).expect("an answer"));
            let old = order.base.to_string();
            let swap = std::process::Command::new("git")
                .args(["update-ref", "refs/heads/main", &theirs.to_string(), &old])
                .current_dir(world.user_path())
                .output()
                .expect("git");
            (landed.join().expect("a thread"), swap.status.success())
        });
        let tip: Oid = world.git(&["rev-parse", "main"]).parse().expect("an id");
        match landed {
            Landed::Merged { commit } => assert!(!pushed && tip == commit),
            Landed::Moved { now } => assert!(pushed && now == Some(theirs) && tip == theirs),
            Landed::Waiting { .. } | Landed::Halted { .. } => panic!("nothing to wait for"),
        }
    }
}

#[test]
fn a_lock_that_another_git_holds_for_a_moment_is_waited_for() {
    let world = World::new();
    let attempt = world.attempt("a1", "echo 1 > x");
    let order = landing(&world, attempt, Merge::Squash);
    world.git(&["checkout", "-q", "--detach"]);
    let lock = world.user_path().join(".git/refs/heads/main.lock");
    fs::write(&lock, "").expect("a lock");
    let error = land(&world.repos, &order).expect_err("locked for good");
    assert!(format!("{error:#}").contains("move refs/heads/main"), "{error:#}");
    fs::remove_file(&lock).expect("unlocked");
    assert!(matches!(land(&world.repos, &order).expect("landed"), Landed::Merged { .. }));
}

#[test]
fn a_linked_working_tree_counts_as_checked_out() {
    let world = World::new();
    let attempt = world.attempt("a1", CHANGE);
    let order = landing(&world, attempt, Merge::Squash);
    world.git(&["checkout", "-q", "-b", "elsewhere"]);
    world.git(&["worktree", "add", "-q", "../linked", "main"]);
    let linked = world.folder().join("linked");
    fs::write(linked.join("a.txt"), "dirty\n").expect("a file");
    let Landed::Waiting { command, .. } = land(&world.repos, &order).expect("an answer") else { panic!("no obstacle") };
    assert!(command.contains("/linked pull"), "{command}");
    plain_git(&linked, &["checkout", "-q", "a.txt"]);
    assert!(matches!(land(&world.repos, &order).expect("landed"), Landed::Merged { .. }));
    assert_eq!(plain_git(&linked, &["status", "--porcelain"]), "");
    assert_eq!(fs::read_to_string(linked.join("n/m/x")).expect("a file"), "new\n");
    assert!(!world.user_path().join("n").exists(), "the other working tree stays as it is");
    assert_eq!(world.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_landing_that_died_is_finished_or_taken_away() {
    let world = World::new();
    let attempt = world.attempt("a1", CHANGE);
    let order = landing(&world, attempt, Merge::FastForward);
    let lock = world.user_path().join(".git/index.lock");
    // Died before the swap: only the lock is there.
    fs::write(&lock, format!("loopwright {attempt}")).expect("a lock");
    world.write("check.toml", "edited\n");
    assert!(matches!(land(&world.repos, &order).expect("an answer"), Landed::Waiting { .. }));
    assert!(!lock.exists());
    world.git(&["checkout", "-q", "check.toml"]);
    // Died after the swap, with one file written.
    plain_git(
        &world.user_path(),
        &["fetch", "-q", world.repos.results_path().to_str().expect("UTF-8"), "refs/loopwright/attempts/a1"],
    );
    world.git(&["update-ref", "refs/heads/main", &attempt.to_string()]);
    world.write("a.txt", "one\ntwo\nthree\nfour\n");
    fs::write(&lock, format!("loopwright {attempt}")).expect("a lock");
    world.write("check.toml", "edited meanwhile\n");
    let error = land(&world.repos, &order).expect_err("an edit is not overwritten");
    assert!(error.to_string().contains("\"check.toml\" was edited since"), "{error:#}");
    world.write("check.toml", "strict = true\n");
    fs::write(&lock, format!("loopwright {attempt}")).expect("a lock");
    assert_eq!(land(&world.repos, &order).expect("finished"), Landed::Merged { commit: attempt });
    assert_eq!(world.git(&["status", "--porcelain"]), "");
    assert!(!lock.exists());
}

/// It died after the branch had moved and before that was written down; then the user became another one.
#[test]
fn what_has_landed_is_known_again_whoever_the_user_is_by_then() {
    for forgets in [false, true] {
        for checked_out in [true, false] {
            let world = World::new();
            let attempt = world.attempt("a1", CHANGE);
            let order = landing(&world, attempt, Merge::Squash);
            if !checked_out {
                world.git(&["checkout", "-q", "--detach"]);
            }
            let mut book = Book { forgets, ..Book::default() };
            let first = land_with(&world.repos, &order, &mut book).expect("landed");
            let Landed::Merged { commit } = first else { panic!("{first:?}") };
            assert_eq!(
                (book.begun, book.committers.join(" ")),
                (Some(commit), "Una User <una@example.org>".to_owned())
            );
            world.git(&["config", "user.email", "una@elsewhere.org"]);
            let again = land_with(&world.repos, &order, &mut book).expect("an answer");
            if forgets {
                // The control: without the journal the commit is another one, and what has landed seems not to have.
                assert_eq!(again, Landed::Moved { now: Some(commit) });
                continue;
            }
            assert_eq!(again, Landed::Merged { commit });
            world.git(&["checkout", "-q", "main"]);
            world.commit("On top");
            assert_eq!(land_with(&world.repos, &order, &mut book).expect("an answer"), Landed::Merged { commit });
            assert_eq!((book.committers.len(), world.git(&["rev-list", "--count", "main"])), (1, "3".to_owned()));
        }
    }
}

/// HALT is looked at after everything else that may take time, and nothing but the swap comes after it.
#[test]
fn halt_in_the_middle_of_a_landing_stops_it() {
    for checked_out in [true, false] {
        let world = World::new();
        let attempt = world.attempt("a1", CHANGE);
        let order = landing(&world, attempt, Merge::Squash);
        if !checked_out {
            world.git(&["checkout", "-q", "--detach"]);
        }
        let packs = world.user_path().join(".git/objects/pack");
        let copied = move || fs::read_dir(&packs).is_ok_and(|mut all| all.next().is_some());
        let halts: Box<dyn Fn() -> Option<String>> = Box::new(move || copied().then(|| "HALT".to_owned()));
        let mut book = Book { halts: Some(halts), ..Book::default() };
        let landed = land_with(&world.repos, &order, &mut book).expect("an answer");
        assert_eq!(landed, Landed::Halted { why: "HALT".to_owned() });
        assert_eq!(world.git(&["rev-parse", "main"]), order.base.to_string());
        assert_eq!(world.git(&["status", "--porcelain"]), "");
        assert!(!world.user_path().join(".git/index.lock").exists());
        // The control: the same without HALT.
        book.halts = None;
        assert!(matches!(land_with(&world.repos, &order, &mut book).expect("landed"), Landed::Merged { .. }));
    }
}

//! A workspace that vanished or was replaced is not used (W3): while somebody swaps its folder, no command runs elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use loopwright_engine::sandbox::bubblewrap::Bubblewrap;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_engine::sandbox::{Access, BoxSpec, Limits, Mount, Output, Sandbox};
use loopwright_engine::workspace::{Origin, Workspace};

use crate::support::{World, at, sandbox};

/// Writes where it runs.
fn order(mount: Mount) -> BoxSpec {
    BoxSpec {
        label: "maker".to_owned(),
        argv: ["sh", "-c", "echo here >> /workspace/ran"].map(str::to_owned).to_vec(),
        env: Default::default(),
        cwd: "/workspace".to_owned(),
        mounts: vec![mount],
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(60), idle: None, output: 1 << 20 },
        stdout: Output::Memory,
    }
}

/// What may stand where a workspace's folder was.
#[derive(Clone, Copy, Debug)]
enum Swap {
    Gone,
    Link,
    Folder,
    WholeHome,
}

const SWAPS: [Swap; 4] = [Swap::Gone, Swap::Link, Swap::Folder, Swap::WholeHome];

/// A folder that no command may run in.
fn elsewhere(world: &World) -> PathBuf {
    let path = world.folder().join("elsewhere");
    fs::create_dir_all(path.join("tree")).expect("a folder");
    path
}

impl Swap {
    /// Moves the folder away and puts something else there; what it returns puts everything back.
    fn make(self, tree: &Path, elsewhere: &Path) -> impl Fn() + use<> {
        let moved = match self {
            Swap::WholeHome => tree.parent().expect("a home").to_owned(),
            _ => tree.to_owned(),
        };
        let aside = moved.with_extension("aside");
        fs::rename(&moved, &aside).expect("moved away");
        match self {
            Swap::Gone => {}
            Swap::Link => symlink(elsewhere.join("tree"), &moved).expect("a link"),
            Swap::WholeHome => symlink(elsewhere, &moved).expect("a link"),
            Swap::Folder => fs::rename(elsewhere.join("tree"), &moved).expect("another folder"),
        }
        let elsewhere = elsewhere.to_owned();
        move || {
            match self {
                Swap::Gone => {}
                Swap::Link | Swap::WholeHome => fs::remove_file(&moved).expect("the link"),
                Swap::Folder => fs::rename(&moved, elsewhere.join("tree")).expect("the other folder"),
            }
            fs::rename(&aside, &moved).expect("back");
        }
    }
}

#[test]
fn a_workspace_that_is_another_one_makes_no_box() {
    let world = World::new();
    let workspaces = world.workspaces();
    let base = world.base().commit;
    for swap in SWAPS {
        let workspace = workspaces.create("w", base, Origin::Base).expect("a workspace");
        let other = elsewhere(&world);
        let back = swap.make(&workspace.path, &other);
        let error = sandbox().run(&order(workspace.mount(Access::Writable))).expect_err("no box");
        assert!(workspaces.collect(&workspace, base, "m", at(0)).is_err(), "{swap:?}: nothing is collected either");
        assert!(workspaces.discard(workspace.clone()).is_err(), "{swap:?}: and nothing removed");
        back();
        let error = format!("{error:#}");
        assert!(["vanished", "replaced"].iter().any(|word| error.contains(word)), "{swap:?}: {error}");
        assert!(!other.join("tree/ran").exists() && !workspace.path.join("ran").exists(), "{swap:?}");
        sandbox().run(&order(workspace.mount(Access::Writable))).expect("the control: in its place it is used");
        assert!(workspace.path.join("ran").exists());
        workspaces.discard(workspace).expect("discarded");
    }
}

/// Runs a box while, a moment after it was asked for, something else takes the folder's place; whether a box was made, and how
/// many commands ran elsewhere.
fn race(world: &World, workspace: &Workspace, sandbox: &dyn Sandbox, n: u32) -> (bool, usize) {
    let (over, other) = (AtomicBool::new(false), elsewhere(world));
    let swap = SWAPS[n as usize % SWAPS.len()];
    let made = thread::scope(|scope| {
        scope.spawn(|| {
            // From at once to later than any box takes to be made.
            let (began, after) = (Instant::now(), Duration::from_millis(u64::from(n % 25)));
            while began.elapsed() < after && !over.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            let back = swap.make(&workspace.path, &other);
            while !over.load(Ordering::SeqCst) {
                thread::yield_now();
            }
            back();
        });
        let made = sandbox.run(&order(workspace.mount(Access::Writable))).is_ok_and(|output| output.ended.well());
        over.store(true, Ordering::SeqCst);
        made
    });
    let strayed = fs::read_to_string(other.join("tree/ran")).unwrap_or_default().lines().count();
    fs::remove_dir_all(other).expect("the other folder");
    (made, strayed)
}

#[test]
fn fifty_races_run_nothing_elsewhere() {
    let world = World::new();
    let workspaces = world.workspaces();
    let workspace = workspaces.create("w", world.base().commit, Origin::Base).expect("a workspace");
    let run = |sandbox: &dyn Sandbox| {
        let came: Vec<(bool, usize)> = (0..50).map(|n| race(&world, &workspace, sandbox, n)).collect();
        (came.iter().filter(|(made, _)| *made).count(), came.iter().map(|(_, strayed)| strayed).sum::<usize>())
    };
    let (made, elsewhere) = run(sandbox());
    println!("50 races: {made} boxes ran in their place, {} were refused, {elsewhere} ran elsewhere", 50 - made);
    assert_eq!(elsewhere, 0);

    // The control: a sandbox that was not told which folder it is.
    let untold = Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap");
    assert!(run(&untold).1 > 0, "the races are too slow to prove anything");
}

#[test]
fn two_that_empty_one_trash_at_once_both_succeed() {
    let world = World::new();
    let trash = world.workspaces().trash;
    let meet = std::sync::Barrier::new(2);
    // Nobody may panic on the way: the other one would wait for ever.
    let empty = || {
        let mut refused = Vec::new();
        for _ in 0..100 {
            meet.wait();
            refused.extend(world.workspaces().empty_trash().err());
            if meet.wait().is_leader() {
                (0..20).for_each(|n| drop(fs::create_dir_all(trash.join(format!("{n}/tree/folder")))));
            }
        }
        refused
    };
    thread::scope(|scope| {
        let other = scope.spawn(empty);
        let mut refused = empty();
        refused.extend(other.join().expect("the other one"));
        assert!(refused.is_empty(), "{} times: {:#}", refused.len(), refused[0]);
    });
    assert!(trash.join("0").exists(), "the control: there was something to empty");
}

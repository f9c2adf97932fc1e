//! From a workspace to an imported attempt, and on to its gates.

use std::fs;

use loopwright_engine::workspace::{Collected, Origin};

use crate::support::{World, at, fingerprint, in_box, plain_git};

#[test]
fn an_attempt_comes_back_as_one_commit() {
    let world = World::new();
    let base = world.base();
    let before = fingerprint(&world.user_path());
    let workspaces = world.workspaces();
    let workspace = workspaces.create("w1", base.commit, Origin::Base).expect("a workspace");
    assert_eq!(in_box(&workspace, "git status --porcelain; git symbolic-ref HEAD; id -u"), "refs/heads/work\n1000");
    let script =
        "echo four >> a.txt; chmod +x check.toml; mkdir n; echo new > n/x; rm src/lib.rs; git commit -qam mine";
    in_box(&workspace, script);
    let collected = workspaces.collect(&workspace, base.commit, "Mend it\n", at(0)).expect("collected");
    let Collected::Commit { commit, tree } = collected else { panic!("{collected:?}") };

    let expected = plain_git(&workspace.path, &["-c", "safe.directory=*", "rev-parse", "HEAD^{tree}"]);
    assert_ne!(tree.to_string(), expected, "`n/x` was not in the agent's own commit, but is in ours");
    assert_eq!(world.repos.tree_of(commit).expect("a tree"), tree);
    let facts = world.repos.diff(base.commit, commit).expect("a diff");
    let paths: Vec<_> = facts.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["a.txt", "check.toml", "n/x", "src/lib.rs"]);
    let log = world.repos.recent_commits(commit, 9).expect("commits");
    assert_eq!(
        (log.len(), log[0].subject.as_str(), log[0].author.as_str(), log[0].at),
        (2, "Mend it", "Loopwright", at(0))
    );

    let again = workspaces.collect(&workspace, base.commit, "Mend it\n", at(0)).expect("collected");
    assert_eq!(again, Collected::Commit { commit, tree }, "the same content has the same id");
    workspaces.discard(workspace).expect("discarded");
    assert_eq!(fingerprint(&world.user_path()), before, "the user's repository is untouched");
    assert_eq!(fs::read_dir(&workspaces.root).expect("the folder").count(), 0);
}

#[test]
fn nothing_changed_is_empty() {
    let world = World::new();
    let base = world.base();
    let workspaces = world.workspaces();
    let workspace = workspaces.create("w1", base.commit, Origin::Base).expect("a workspace");
    in_box(&workspace, "touch a.txt; echo x > a.txt; git checkout -q a.txt; git commit -q --allow-empty -m nothing");
    assert_eq!(workspaces.collect(&workspace, base.commit, "m", at(0)).expect("collected"), Collected::Empty);
}

#[test]
fn an_edit_that_keeps_size_and_time_is_seen() {
    let world = World::new();
    let base = world.base();
    let workspaces = world.workspaces();
    let workspace = workspaces.create("w1", base.commit, Origin::Base).expect("a workspace");
    in_box(
        &workspace,
        "touch -r a.txt /tmp/t; printf ONE | dd of=a.txt conv=notrunc status=none; touch -r /tmp/t a.txt",
    );
    let collected = workspaces.collect(&workspace, base.commit, "m", at(0)).expect("collected");
    assert!(matches!(collected, Collected::Commit { .. }), "{collected:?}");
}

#[test]
fn a_later_attempt_sees_the_earlier_and_no_other() {
    let world = World::new();
    let base = world.base();
    let first = world.attempt("first", "echo first > mine");
    let other = world.attempt("other", "echo secret > other");
    let workspaces = world.workspaces();
    let workspace = workspaces.create("second", first, Origin::Results).expect("a workspace");
    assert_eq!(in_box(&workspace, "cat mine; git status --porcelain"), "first");
    let peek = |id: git2::Oid| in_box(&workspace, &format!("git cat-file -e {id} && echo seen || echo unseen"));
    assert_eq!((peek(first), peek(other)), ("seen".to_owned(), "unseen".to_owned()));

    in_box(&workspace, "echo second >> mine");
    let collected = workspaces.collect(&workspace, base.commit, "m", at(0)).expect("collected");
    let Collected::Commit { commit, .. } = collected else { panic!("{collected:?}") };
    assert_eq!(world.repos.file(commit, "mine").expect("read").as_deref(), Some(&b"first\nsecond\n"[..]));
    assert_eq!(world.repos.recent_commits(commit, 9).expect("commits").len(), 2, "one commit on the base");
}

#[test]
fn objects_are_copied_not_linked() {
    let world = World::new();
    let base = world.base();
    let workspace = world.workspaces().create("w1", base.commit, Origin::Base).expect("a workspace");
    let linked =
        in_box(&workspace, "find .git -type f -links +1; cat .git/objects/info/alternates 2>/dev/null; git remote");
    assert_eq!(linked, "");
    let before = fingerprint(world.repos.base_path());
    in_box(&workspace, "find .git/objects -type f -exec chmod u+w {} + -exec truncate -s 0 {} +");
    assert_eq!(fingerprint(world.repos.base_path()), before);
}

#[test]
fn gates_judge_with_the_configuration_of_the_base() {
    let world = World::new();
    world.write(".cargo/config.toml", "[build]\n");
    world.commit("Configuration");
    let base = world.base();
    let script =
        "echo 'strict = false' > check.toml; rm -r .cargo; mkdir soft; echo x > soft/config.toml; ln -s soft .cargo
        echo evil > new.toml; mkdir deep; echo evil > deep/c; echo good > a.txt";
    let attempt = world.attempt("a1", script);
    let workspaces = world.workspaces();
    let paths = ["check.toml", ".cargo/config.toml", "new.toml", "deep", "absent/everywhere"];
    let gates = workspaces.checkout_for_gates("g1", attempt, base.commit, &paths).expect("a checkout");
    let seen = in_box(
        &gates,
        "cat check.toml .cargo/config.toml a.txt; ls new.toml deep 2>&1 | wc -l; git status --porcelain",
    );
    assert_eq!(seen, "strict = true\n[build]\ngood\n2");
    // The control: without the list the attempt's own configuration is there.
    let soft = workspaces.checkout_for_gates("g2", attempt, base.commit, &[]).expect("a checkout");
    assert_eq!(in_box(&soft, "cat check.toml"), "strict = false");
}

#[test]
fn a_workspace_that_vanished_or_was_replaced_is_refused() {
    let world = World::new();
    let base = world.base();
    let workspaces = world.workspaces();
    let workspace = workspaces.create("w1", base.commit, Origin::Base).expect("a workspace");
    assert_eq!(workspaces.open("w1").expect("found").identity, workspace.identity);

    let aside = workspaces.root.join("aside");
    fs::rename(&workspace.path, &aside).expect("moved");
    let refused = |why: &str| {
        let error = workspaces.collect(&workspace, base.commit, "m", at(0)).expect_err("refused");
        assert!(format!("{error:#}").contains(why), "{error:#}");
        assert!(workspaces.discard(workspace.clone()).is_err());
        assert!(workspaces.open("w1").is_err());
    };
    refused("vanished");
    fs::create_dir(&workspace.path).expect("a folder");
    refused("was replaced");
    fs::remove_dir(&workspace.path).expect("removed");
    std::os::unix::fs::symlink(&aside, &workspace.path).expect("a link");
    refused("is no folder");
    fs::remove_file(&workspace.path).expect("removed");
    fs::rename(&aside, &workspace.path).expect("moved back");
    // The control: the very same folder is used.
    workspaces.collect(&workspace, base.commit, "m", at(0)).expect("collected");
}

#[test]
fn names_are_plain() {
    let world = World::new();
    for name in ["", ".", "..", "a/b", "-x", "a..b", "x.lock", "a b", "é"] {
        assert!(world.workspaces().open(name).is_err(), "{name}");
    }
}

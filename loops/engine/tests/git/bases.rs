//! The user's repository as a base: found, explained, copied, read.

use std::fs;

use git2::Oid;
use loopwright_core::diff::ChangeKind;
use loopwright_engine::git::{Kind, UserRepoError, user_repository};

use crate::support::{World, fingerprint, plain_git};

#[test]
fn what_can_not_be_worked_with_is_explained() {
    let world = World::new();
    let empty = world.folder().join("empty");
    fs::create_dir(&empty).expect("a folder");
    let said = |path: &std::path::Path| user_repository(path).expect_err("refused");
    assert!(matches!(said(&world.folder().join("nowhere")), UserRepoError::Vanished(_)));
    assert!(matches!(said(&empty), UserRepoError::NotARepository(_)));
    plain_git(&empty, &["init", "-q"]);
    assert!(matches!(said(&empty), UserRepoError::NoCommits(_)));
    let bare = world.folder().join("bare");
    world.git(&["clone", "-q", "--bare", ".", bare.to_str().expect("UTF-8")]);
    assert!(matches!(said(&bare), UserRepoError::Bare(_)));
    world.commit("Second");
    let source = format!("file://{}", world.user_path().display());
    let shallow = world.folder().join("shallow");
    plain_git(world.folder(), &["clone", "-q", "--depth", "1", &source, "shallow"]);
    assert!(said(&shallow).to_string().ends_with("fetch --unshallow` completes it"));
    plain_git(&empty, &["config", "core.repositoryformatversion", "1"]);
    plain_git(&empty, &["config", "extensions.quantum", "true"]);
    let error = said(&empty);
    assert!(matches!(error, UserRepoError::Format { .. }), "{error:?}");
}

#[test]
fn somebody_elses_repository_needs_trust() {
    let world = World::new();
    // Only root can give a repository away; the other uid is arbitrary.
    if !rustix::process::getuid().is_root() {
        return;
    }
    let owned = |uid| {
        let uid = Some(rustix::fs::Uid::from_raw(uid));
        for folder in [world.user_path(), world.user_path().join(".git")] {
            rustix::fs::chown(&folder, uid, None).expect("chown");
        }
    };
    owned(4242);
    let error = user_repository(&world.user_path()).expect_err("refused");
    assert!(error.to_string().contains("safe.directory"), "{error}");
    owned(0);
    user_repository(&world.user_path()).expect("ours again");
}

#[test]
fn the_base_is_the_branch_that_is_checked_out() {
    let world = World::new();
    let tip = world.git(&["rev-parse", "main"]);
    let before = fingerprint(&world.user_path());
    let base = world.base();
    assert_eq!((base.branch.as_str(), base.commit.to_string()), ("main", tip.clone()));
    assert_eq!(world.base(), base, "a second time costs nothing and says the same");
    assert_eq!(fingerprint(&world.user_path()), before, "reading writes nothing");

    world.git(&["branch", "other"]);
    world.git(&["checkout", "-q", "--detach"]);
    let error = world.repos.fetch_base(&world.user(), None).expect_err("detached");
    assert!(error.to_string().ends_with("check out the one to work on: main, other"), "{error}");
    let named = world.repos.fetch_base(&world.user(), Some("main")).expect("named");
    assert_eq!(named.commit.to_string(), tip);
    let error = world.repos.fetch_base(&world.user(), Some("nope")).expect_err("no such branch");
    assert!(error.to_string().ends_with("has no branch `nope`"), "{error}");
}

#[test]
fn borrowed_objects_of_the_user_are_copied() {
    let world = World::new();
    let source = world.user_path();
    let borrowed = world.folder().join("borrowed");
    plain_git(world.folder(), &["clone", "-q", "--shared", source.to_str().expect("UTF-8"), "borrowed"]);
    let user = user_repository(&borrowed).expect("a repository");
    let base = world.repos.fetch_base(&user, None).expect("the base");
    fs::remove_dir_all(&borrowed).expect("removed");
    assert!(world.repos.exists(base.commit, "src/lib.rs").expect("read"));
}

#[test]
fn files_are_read_without_following_links() {
    let world = World::new();
    std::os::unix::fs::symlink("a.txt", world.user_path().join("link")).expect("a link");
    std::os::unix::fs::symlink("src", world.user_path().join("folder")).expect("a link");
    world.commit("Links");
    let (repos, commit) = (&world.repos, world.base().commit);
    assert_eq!(repos.file(commit, "a.txt").expect("read").as_deref(), Some(&b"one\ntwo\nthree\n"[..]));
    for path in ["link", "folder/lib.rs", "src", "none", "../a.txt", ""] {
        assert_eq!(repos.file(commit, path).expect("read"), None, "{path}");
    }
    assert_eq!(repos.kind(commit, "link").expect("read"), Some(Kind::Link));
    assert_eq!(repos.files_under(commit, "").expect("listed"), ["a.txt", "check.toml", "src/lib.rs"]);
    assert_eq!(repos.files_under(commit, "src").expect("listed"), ["src/lib.rs"]);
    assert!(repos.files_under(commit, "folder").expect("listed").is_empty());
    assert!(repos.file(Oid::from_str("1234").expect("an id"), "a.txt").is_err());
}

#[test]
fn commits_and_changes_are_facts() {
    let world = World::new();
    let first = world.base().commit;
    world.write("a.txt", "one\n2\nthree\n");
    world.git(&["mv", "src/lib.rs", "src/all.rs"]);
    fs::write(world.user_path().join("blob"), [0u8, 1, 2]).expect("a file");
    world.commit("Change\n\nMore.");
    let second = world.base().commit;

    let commits = world.repos.recent_commits(second, 5).expect("commits");
    assert_eq!(commits.iter().map(|c| c.subject.as_str()).collect::<Vec<_>>(), ["Change", "Begin"]);
    assert_eq!(commits[0].author, "Una User");
    assert!(commits[0].paths.contains(&"a.txt".to_owned()));

    let facts = world.repos.diff(first, second).expect("a diff");
    let kinds: Vec<_> = facts.files.iter().map(|f| (f.path.as_str(), f.kind, f.binary)).collect();
    let expected = [
        ("a.txt", ChangeKind::Modified, false),
        ("blob", ChangeKind::Added, true),
        ("src/all.rs", ChangeKind::Renamed, false),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(facts.files[0].added, [(2, "2".to_owned())]);
    assert_eq!(facts.files[0].removed, [(2, "two".to_owned())]);
    assert_eq!((facts.files[1].size, facts.files[1].new_mode), (3, 0o100_644));
    assert_eq!(facts.files[2].old_path.as_deref(), Some("src/lib.rs"));
}

#[test]
fn the_patch_depends_on_the_trees_alone() {
    let world = World::new();
    let first = world.base().commit;
    world.write(".gitattributes", "* -diff\n");
    world.write("a.txt", "one\n2\nthree\n");
    world.commit("Change");
    let second = world.base().commit;
    let text = world.repos.diff_text(first, second).expect("a patch");
    let shown = String::from_utf8_lossy(&text);
    assert!(shown.contains("\n-two\n+2\n"), "an attribute hides nothing: {shown}");
    assert!(shown.starts_with("diff --git a/.gitattributes b/.gitattributes\nnew file mode 100644\nindex 0000000000000000000000000000000000000000.."));
    assert_eq!(world.repos.diff_text(first, second).expect("a patch"), text);

    // The same change after lines above it moved: another patch, the same patch id.
    let id = world.repos.patch_id(first, second).expect("an id");
    world.git(&["checkout", "-q", "-b", "moved", &first.to_string()]);
    world.write("src/lib.rs", "pub fn g() {}\n");
    let moved = world.commit("Elsewhere");
    world.git(&["cherry-pick", "-x", "main"]);
    world.git(&["branch", "base-of-moved", &moved.to_string()]);
    let user = world.user();
    let base = world.repos.fetch_base(&user, Some("base-of-moved")).expect("base").commit;
    let tip = world.repos.fetch_base(&user, Some("moved")).expect("tip").commit;
    assert_eq!(world.repos.patch_id(base, tip).expect("an id"), id);
    assert_ne!(world.repos.patch_id(first, tip).expect("an id"), id);
}

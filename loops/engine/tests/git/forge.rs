//! The local forge: issues of a commit, pull requests as refs.

use loopwright_core::ids::PullRequestId;
use loopwright_engine::forge::local::LocalForge;
use loopwright_engine::forge::{Forge, PullRequestDraft};
use uuid::Uuid;

use crate::support::{World, fingerprint};

#[test]
fn issues_are_files_of_the_commit() {
    let world = World::new();
    let issue = |name: &str, text: &str| world.write(&format!(".loopwright/issues/{name}"), text);
    issue("12-later.md", "---\ntitle: Later\nstate: open\n---\nBody\n");
    issue("2-first.md", "---\ntitle: First\nstate: open\nlabels: [bug]\nauthor: una\n---\n");
    issue("3-done.md", "---\ntitle: Done\nstate: closed\n---\n");
    issue("4-bad.md", "no front matter");
    issue("12-same.md", "---\ntitle: Same number\n---\n");
    issue("README.md", "About");
    std::os::unix::fs::symlink("/etc/passwd", world.user_path().join(".loopwright/issues/5-link.md")).expect("a link");
    world.commit("Issues");
    let base = world.base().commit;
    let forge = LocalForge { repos: &world.repos };
    let issues = forge.open_issues(base).expect("issues");
    let open: Vec<_> = issues.open.iter().map(|i| (i.number, i.title.as_str())).collect();
    assert_eq!(open, [(2, "First"), (12, "Later")]);
    let notes: Vec<_> =
        issues.notes.iter().map(|n| (n.path.rsplit('/').next().expect("a name"), n.reason.as_str())).collect();
    let expected = [
        ("12-same.md", "number 12 is taken by .loopwright/issues/12-later.md"),
        ("4-bad.md", "its first line is not `---`"),
        ("README.md", "its name is not `<number>-<words>.md`"),
    ];
    assert_eq!(notes, expected);
}

#[test]
fn the_same_draft_opens_one_pull_request() {
    let world = World::new();
    let base = world.base();
    let (first, second) = (world.attempt("a1", "echo 1 > x"), world.attempt("a2", "echo 2 > x"));
    let before = fingerprint(&world.user_path());
    let forge = LocalForge { repos: &world.repos };
    let draft = PullRequestDraft {
        id: PullRequestId(Uuid::from_u128(9)),
        title: "Mend".to_owned(),
        body: String::new(),
        branch: base.branch,
        base: base.commit,
        commit: first,
    };
    let opened = forge.open_pull_request(&draft).expect("opened");
    assert_eq!(opened.name, format!("refs/loopwright/pr/{}", draft.id));
    assert_eq!(forge.open_pull_request(&draft).expect("again"), opened);
    let other = PullRequestDraft { commit: second, ..draft.clone() };
    assert!(forge.open_pull_request(&other).is_err(), "another commit under the same id");
    for _ in 0..2 {
        assert_eq!(forge.update_pull_request(draft.id, second).expect("updated").commit, second);
    }
    assert!(forge.update_pull_request(draft.id, git2::Oid::ZERO_SHA1).is_err(), "there is no such commit");
    forge.close_pull_request(draft.id).expect("closed");
    forge.close_pull_request(draft.id).expect("closed already");
    assert_eq!(fingerprint(&world.user_path()), before, "the user's repository got nothing");
}

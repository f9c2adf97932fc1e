//! Hostile workspaces: a commit or a named refusal, and nothing planted runs.

use std::fs;
use std::time::{Duration, Instant};

use loopwright_engine::workspace::{Collected, Origin};

use crate::support::{World, at, in_box, plain_git};

/// Makes the agent's `.git` run `canary` at every occasion that git offers.
fn plant(canary: &str) -> String {
    format!(
        r#"cat > .git/canary <<'END'
#!/bin/sh
touch {canary}
cat
END
chmod +x .git/canary
for h in post-index-change pre-commit post-commit reference-transaction post-checkout; do cp .git/canary .git/hooks.$h; done
mkdir -p .git/hooks; for h in post-index-change pre-commit post-commit reference-transaction post-checkout; do cp .git/canary .git/hooks/$h; done
git config core.hooksPath /workspace/.git/hooks
git config core.fsmonitor "touch {canary}; false"
git config filter.x.clean "touch {canary}; cat"
git config filter.x.smudge "touch {canary}; cat"
git config filter.x.required true
git config diff.external "touch {canary}"
git config include.path /workspace/more.config
printf '[alias]\n\tst = !touch {canary}\n[core]\n\tsshCommand = touch {canary}\n' > more.config
printf '* filter=x diff=x merge=x\n' > .gitattributes
echo changed >> a.txt
"#
    )
}

#[test]
fn planted_programs_run_nowhere() {
    let world = World::new();
    let base = world.base();
    let canary = world.folder().join("canary");
    let canary_text = canary.to_str().expect("UTF-8");
    let workspaces = world.workspaces();
    // Inside the box the canary of the host can't be made; one in the tree shows that it ran there.
    for (name, place) in [("w1", canary_text), ("w2", "/workspace/canary")] {
        let workspace = workspaces.create(name, base.commit, Origin::Base).expect("a workspace");
        in_box(&workspace, &plant(place));
        let _ = fs::remove_file(workspace.path.join("canary"));
        let collected = workspaces.collect(&workspace, base.commit, "m", at(0)).expect("collected");
        let Collected::Commit { commit, .. } = collected else { panic!("{collected:?}") };
        assert_eq!(world.repos.diff(base.commit, commit).expect("a diff").files.len(), 3);
        workspaces.checkout_for_gates(&format!("{name}-gates"), commit, base.commit, &[]).expect("a checkout");
        assert!(!canary.exists() && !workspace.path.join("canary").exists(), "something planted ran");
    }
    // The control: plain git of the host in the same folder runs it.
    let path = workspaces.root.join("w1/tree");
    plain_git(&path, &["-c", "safe.directory=*", "add", "-A"]);
    assert!(canary.exists(), "the canary works");
}

#[test]
fn a_git_folder_that_lies_is_not_looked_at() {
    let world = World::new();
    let base = world.base();
    let workspaces = world.workspaces();
    let scripts = [
        "rm -rf .git; ln -s /etc .git",
        "rm -rf .git; echo 'gitdir: /git/base.git' > .git",
        "rm -rf .git",
        "rm -rf .git; git init -q --bare .git; git -C .git config core.worktree /",
        "echo /etc > .git/objects/info/alternates; rm .git/index; mkfifo .git/index",
        "rm .git/HEAD; mkfifo .git/HEAD; chmod 000 .git",
    ];
    for (at_index, script) in scripts.iter().enumerate() {
        let workspace = workspaces.create(&format!("w{at_index}"), base.commit, Origin::Base).expect("a workspace");
        in_box(&workspace, &format!("echo changed > a.txt; {script}"));
        let collected = workspaces.collect(&workspace, base.commit, "m", at(0)).expect("collected");
        let Collected::Commit { commit, .. } = collected else { panic!("{script}: {collected:?}") };
        let facts = world.repos.diff(base.commit, commit).expect("a diff");
        assert_eq!(facts.files.len(), 1, "{script}: {facts:?}");
        workspaces.discard(workspace).expect(script);
    }
}

#[test]
fn odd_content_is_a_commit_or_a_named_refusal() {
    let world = World::new();
    let base = world.base();
    let workspaces = world.workspaces();
    let taken = "taken";
    let cases = [
        ("fifo", "mkfifo pipe; echo x > a.txt", taken),
        ("unreadable", "echo x > new; chmod 000 new a.txt; mkdir d; echo x > d/f; chmod 000 d", taken),
        (
            "names",
            "touch -- -x --upload-pack=x 'new\nline' \"$(printf 'bidi\\342\\200\\256x')\" \"$(printf 'bad\\377')\" 'CON' 'a:b'",
            taken,
        ),
        ("links", "ln -s /etc/passwd p; ln -s / root; ln -s ../../.. up; rm -r src; ln -s /etc src", taken),
        ("setuid", "echo x > s; ! chmod 6755 s", taken),
        ("deep", "p=d; i=0; while [ $i -lt 200 ]; do p=$p/d; i=$((i+1)); done; mkdir -p $p; echo x > $p/f", taken),
        ("sparse", "truncate -s 3G huge", "files larger than 20 MB: huge (3072 MB)"),
        ("many", "mkdir m; cd m; seq 1 5100 | xargs touch", "it changes 5100 files, more than 5000"),
        ("sum", "for i in $(seq 12); do truncate -s 19M big$i; done", "its changed files have 228 MB, more than 200"),
        (
            "nested",
            "mkdir n; git init -q n; cd n; touch x; git add x; git -c user.name=x -c user.email=x commit -qm x",
            "it holds other git repositories: n",
        ),
        ("empty nested", "git init -q n", "it holds other git repositories: n"),
        ("dotgit", "mkdir .GIT; echo x > .GIT/config", "its changes can't be committed"),
    ];
    for (name, script, expected) in cases {
        let workspace = workspaces.create(&name.replace(' ', "-"), base.commit, Origin::Base).expect("a workspace");
        in_box(&workspace, script);
        let start = Instant::now();
        let collected = workspaces.collect(&workspace, base.commit, "m", at(0)).expect(name);
        assert!(start.elapsed() < Duration::from_secs(30), "{name} took {:?}", start.elapsed());
        match collected {
            Collected::Commit { commit, .. } if expected == taken => {
                assert!(!world.repos.diff(base.commit, commit).expect("a diff").files.is_empty(), "{name}");
            }
            Collected::Refused { why } if expected != taken => {
                assert!(why.starts_with(expected), "{name}: {why}")
            }
            other => panic!("{name}: {other:?}"),
        }
        workspaces.discard(workspace).expect(name);
    }
}

#[test]
fn a_submodule_of_the_base_stays_and_its_place_runs_nothing() {
    let world = World::new();
    let inner = world.folder().join("inner");
    plain_git(world.folder(), &["clone", "-q", "user", "inner"]);
    world.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.to_str().expect("UTF-8"),
        "sub",
    ]);
    world.commit("Submodule");
    let base = world.base();
    let workspaces = world.workspaces();
    let workspace = workspaces.create("w1", base.commit, Origin::Base).expect("a workspace");
    in_box(
        &workspace,
        "echo x > a.txt; cd sub; git init -q; git config core.fsmonitor 'touch /workspace/canary; false'
         touch x; git add x; git -c user.name=x -c user.email=x commit -qm x; rm -f /workspace/canary",
    );
    let collected = workspaces.collect(&workspace, base.commit, "m", at(0)).expect("collected");
    let Collected::Commit { commit, .. } = collected else { panic!("{collected:?}") };
    let facts = world.repos.diff(base.commit, commit).expect("a diff");
    assert_eq!(facts.files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a.txt"]);
    assert!(!workspace.path.join("canary").exists());
}

#[test]
fn deletion_follows_no_link() {
    let world = World::new();
    let base = world.base();
    let workspaces = world.workspaces();
    let precious = world.folder().join("precious");
    fs::create_dir(&precious).expect("a folder");
    fs::write(precious.join("file"), "dear").expect("a file");
    let workspace = workspaces.create("w1", base.commit, Origin::Base).expect("a workspace");
    let place = precious.to_str().expect("UTF-8");
    in_box(&workspace, &format!("ln -s {place} out; mkdir d; ln -s {place} d/out; chmod 000 d"));
    workspaces.discard(workspace).expect("discarded");
    assert_eq!(fs::read_to_string(precious.join("file")).expect("kept"), "dear");
    assert_eq!(fs::read_dir(&workspaces.trash).expect("the trash").count(), 0);
}

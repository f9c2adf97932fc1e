//! Repositories as people have them: each works from a run to its approval, or is refused with the reason and what to do;
//! nothing of the user's is touched but what the approval names.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt as _;
use std::process::Command;

use loopwright_tests::stage::Stage;

/// Appends a line to a file at the root, with nothing that a gate minds.
const MAKER: &str = "#!/bin/sh\necho \"$LOOPWRIGHT_FINDING_KEY\" >> README.md\n";

/// One finding is enough to see whether a repository works.
const ONE: &str = "guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2), max_findings: 1}\n";

/// A line of shell as the user types it in the repository, with the user's own git.
fn shell(stage: &Stage, script: &str) {
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(&stage.repo).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", stage.person()).env("BESIDE", stage.beside(""));
    command.envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")]);
    command.envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")]);
    command.envs([
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "protocol.file.allow"),
        ("GIT_CONFIG_VALUE_0", "always"),
    ]);
    stage.edit(|| {
        let said = command.output().expect("sh starts");
        assert!(said.status.success(), "{script}: {}", String::from_utf8_lossy(&said.stderr));
    });
}

/// From here on the stage's repository is another one, beside the shop.
fn instead(stage: &mut Stage, place: &str) {
    stage.remember();
    let shop = stage.repo.clone();
    stage.repo = stage.beside(place);
    stage.remember();
    stage.watch(shop);
}

/// A run opens a pull request, its approval lands, and the working tree follows.
fn works(what: &str, stage: &Stage) {
    let before = stage.git(&["rev-parse", "HEAD"]);
    let status = stage.git(&["status", "--porcelain", "--ignore-submodules=none"]);
    stage.verb(&["init"]).exits(2);
    stage.maker(ONE, MAKER);
    let run = stage.verb(&["run", "work"]);
    assert_eq!(run.code, 21, "{what}: {run:?}\n{:?}", stage.verb(&["logs", "last"]));
    stage.assert_untouched();
    let id = stage.reviews()[0]["id"].as_str().expect("an id").to_owned();
    let review = stage.review(&id);
    let shown = review["diff"].as_str().expect("a diff");
    assert_eq!(shown.matches("diff --git ").count(), 1, "{what}: nothing but the change: {shown}");
    let approved = stage.approve(&review);
    assert_eq!(approved.code, 0, "{what}: {approved:?}");
    assert_eq!(stage.git(&["rev-parse", "HEAD^"]), before, "{what}");
    assert_eq!(stage.git(&["diff", "--name-only", "HEAD^"]), "README.md", "{what}");
    assert_eq!(stage.git(&["status", "--porcelain", "--ignore-submodules=none"]), status, "{what}");
    loopwright_tests::tell(&format!("{what}: works, from a run to its approval"));
}

/// Refused by `init`, told by `check`, and refused by `add` or at the latest by `run`: with `why` and `repair`.
fn refused(what: &str, stage: &Stage, why: &str, repair: &str) {
    let told = |by: &str, text: &str| assert!(text.contains(why) && text.contains(repair), "{what}: {by}: {text}");
    let init = stage.verb(&["init", "--yes"]).exits(1);
    told("init", &format!("{}\n{}", init.message(), init.hint()));
    assert!(!stage.home.join("config/loops").exists(), "{what}: nothing was written");
    let agents = format!("agents:\n  maker: {{command: [./maker.sh], price: $0}}\n{ONE}");
    if let Some(repo) = stage.repo.to_str() {
        let path = stage.personal("work", &agents, &[("maker.sh", MAKER)]).display().to_string();
        told("check", &stage.plain(&["check", &path]).exits(0).out.replace("\\n", "\n"));
        let add = stage.verb(&["add", &path]).exits(1);
        told("add", &format!("{}\n{}", add.message(), add.hint()));
        let template = stage.verb(&["add", "tidy", "--repo", repo]).exits(1);
        told("add of a template", &format!("{}\n{}", template.message(), template.hint()));
    }
    stage.assert_untouched();
    loopwright_tests::tell(&format!("{what}: refused: {why} … {repair}"));
}

/// What a private copy lacks is said before a check fails by it; a repository that has it all is left alone.
#[test]
fn what_a_private_copy_lacks_is_said_before_anything_runs() {
    let said = |stage: &Stage| {
        let all = stage.verb(&["init"]).exits(2).json()["add"]["check"]["diagnostics"].clone();
        let notes = all.as_array().expect("diagnostics").iter().filter(|note| note["code"] == "left-out");
        notes.map(|note| note["message"].as_str().expect("a message").to_owned()).collect::<Vec<_>>()
    };
    for (what, wanted) in [
        ("submodules", "submodules are empty in the private copies: \"lib\""),
        ("LFS pointers and their filters", "files kept by Git LFS are pointers in the private copies"),
    ] {
        let mut stage = Stage::shop();
        assert_eq!(said(&stage), Vec::<String>::new(), "the control");
        let odd = WORK.iter().find(|odd| odd.0 == what).expect("a case");
        odd.1(&mut stage);
        assert_eq!(said(&stage), [wanted]);
        let printed = stage.plain(&["init"]).exits(2).out;
        assert!(printed.contains(wanted) && printed.contains("name others under `checks:`"), "{printed}");
    }
}

/// A case: what it is, what makes it.
type Odd = (&'static str, fn(&mut Stage));

/// Those that work.
const WORK: &[Odd] = &[
    ("submodules", |s| {
        shell(s, "git init -q \"$BESIDE/lib\"; git -C \"$BESIDE/lib\" commit -q --allow-empty -m lib");
        shell(s, "git submodule --quiet add \"$BESIDE/lib\" lib; git commit -qm submodule; echo dirty > lib/untracked");
    }),
    ("a submodule that is a repository of its own", |s| {
        shell(s, "git init -q \"$BESIDE/outer\"; cd \"$BESIDE/outer\"; git submodule --quiet add \"$OLDPWD\" shop");
        instead(s, "outer/shop");
        s.watch(s.beside("outer/.git"));
    }),
    ("LFS pointers and their filters", |s| {
        let filter = "touch \"$BESIDE/filtered\"; cat";
        shell(s, &format!("git config filter.lfs.clean '{filter}'; git config filter.lfs.smudge '{filter}'"));
        shell(
            s,
            "git config filter.lfs.required true; echo '*.bin filter=lfs diff=lfs merge=lfs -text' > .gitattributes",
        );
        shell(s, "printf 'version https://git-lfs.github.com/spec/v1\\noid sha256:%064d\\nsize 9\\n' 7 > a.bin");
        shell(s, "git add -A; git commit -qm lfs; rm -f \"$BESIDE/filtered\"");
    }),
    ("a sparse checkout", |s| shell(s, "git sparse-checkout set checks; test ! -e src")),
    ("borrowed objects", |s| {
        shell(
            s,
            "git clone -q --shared . \"$BESIDE/borrower\"; test -s \"$BESIDE/borrower/.git/objects/info/alternates\"",
        );
        instead(s, "borrower");
    }),
    ("a linked working tree", |s| {
        shell(s, "git worktree add -q -b side \"$BESIDE/linked\"");
        instead(s, "linked");
    }),
    ("a git folder that lies elsewhere", |s| {
        shell(s, "git init -q --separate-git-dir \"$BESIDE/elsewhere.git\"; test -f .git");
        s.watch(s.beside("elsewhere.git"));
    }),
    ("packed refs and a commit graph", |s| {
        shell(s, "git pack-refs --all; git gc -q; git commit-graph write --reachable")
    }),
    ("an unusual default branch", |s| shell(s, "git branch -m 'feature/ünüsual-#1@x'")),
    ("nested repositories", |s| {
        shell(s, "git init -q vendored; git -C vendored commit -q --allow-empty -m in");
        shell(s, "git init -q gitlink; git -C gitlink commit -q --allow-empty -m in; git add gitlink 2>/dev/null");
        shell(s, "git commit -qm gitlink; git init -q --bare bare.git; echo vendored > .gitignore");
        shell(s, "git add -A . 2>/dev/null; git commit -qm more");
    }),
    ("names that differ in case", |s| {
        shell(s, "echo x > readme.md; echo y > Readme.MD; git add -A; git commit -qm names")
    }),
    ("names that are odd", |s| {
        shell(
            s,
            "echo x > -f; echo x > 'a\nb'; echo x > \"it's\"; echo x > 'say \"x\"'; echo x > ' '; echo x > '$(x)'",
        );
        shell(s, "printf x > \"$(printf 'caf\\351')\"; git add -A; git commit -qm names");
    }),
    ("links in the tree", |s| {
        shell(s, "ln -s README.md to-file; ln -s checks to-folder; ln -s nowhere dangling; ln -s /etc/passwd outside");
        shell(s, "ln -s .. above; ln -s loop loop; git add -A; git commit -qm links");
    }),
    ("line ends that git converts", |s| {
        shell(
            s,
            "git config core.autocrlf true; echo '*.txt text eol=crlf' > .gitattributes; printf 'a\\r\\n' > a.txt",
        );
        shell(s, "git add -A 2>/dev/null; git commit -qm ends");
    }),
    ("an index in its newest version", |s| shell(s, "git update-index --index-version 4")),
    ("a monitor of files and a cache of the untracked", |s| {
        shell(s, "git config core.untrackedCache true; git update-index --untracked-cache; git status -s");
    }),
    ("replaced objects and notes", |s| {
        shell(s, "git replace --graft HEAD; git notes add -m note; git tag -a v1 -m v1");
    }),
];

/// Where a repository may lie; with `LOOPWRIGHT_FULL` also each oddity of the first for itself.
const PLACES: &[&str] = &["it's \"here\" $(touch x);&*? %s{}[] #x: y\\ ünï 🦀", "new\nline", "-rf"];
const MORE_PLACES: &[&str] = &["a b", "it's \"here\"", "$(touch x);&*?", "ünï 🦀", "a\\b", "#x: y", "%s{}[]", "~", "*"];

#[test]
fn odd_repositories_work() {
    walk(&WORK[..WORK.len() / 2]);
}

#[test]
fn more_odd_repositories_work() {
    walk(&WORK[WORK.len() / 2..]);
}

fn walk(cases: &[Odd]) {
    for (what, make) in cases {
        let mut stage = Stage::shop();
        make(&mut stage);
        works(what, &stage);
        assert!(!stage.beside("filtered").exists(), "{what}: a filter of the user's ran");
    }
}

#[test]
fn odd_places_work() {
    let long = format!("{}/{}", "long".repeat(60), "path".repeat(60));
    let full = std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1");
    let more = if full { MORE_PLACES } else { &[] };
    for place in PLACES.iter().chain(more).copied().chain([long.as_str()]) {
        let mut stage = Stage::shop();
        let (from, to) = (stage.repo.clone(), stage.beside(place));
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::rename(from, &to).expect("moved");
        stage.repo = to;
        stage.remember();
        works(&format!("a repository at {:?}", place.chars().take(40).collect::<String>()), &stage);
    }
}

#[test]
fn a_file_beyond_100_megabytes_works() {
    let stage = Stage::shop();
    shell(&stage, "truncate -s 101M huge; git -c core.compression=1 add -A; git commit -qm huge");
    works("a file of 101 MB", &stage);
}

#[test]
fn a_head_without_a_branch_is_refused_when_it_runs() {
    let stage = Stage::shop();
    stage.maker(ONE, MAKER);
    shell(&stage, "git branch other; git checkout -q --detach");
    let said = stage.plain(&["init"]).exits(2).out;
    assert!(said.contains("none checked out: a run needs one"), "{said}");
    let run = stage.run("work").exits(1);
    assert!(run.message().contains("check out the one to work on: main, other"), "{run:?}");
    shell(&stage, "git checkout -q main");
    stage.run("work").exits(21);
}

/// A repository that is refused: what, what makes it, why, and what repairs it.
type Refused = (&'static str, fn(&mut Stage), &'static str, &'static str);

/// All of them.
const REFUSED: &[Refused] = &[
    ("nothing committed", |s| shell(s, "git checkout -q --orphan new; git rm -rqf ."), "has no commits yet", "commit"),
    (
        "a bare repository",
        |s| {
            shell(s, "git clone -q --bare . \"$BESIDE/bare.git\"");
            instead(s, "bare.git");
        },
        "is a bare repository",
        "git clone",
    ),
    (
        "a shallow clone",
        |s| {
            shell(s, "git clone -q --depth 1 \"file://$PWD\" \"$BESIDE/shallow\"");
            instead(s, "shallow");
        },
        "is a shallow clone",
        "fetch --unshallow",
    ),
    (
        "a partial clone",
        |s| {
            shell(
                s,
                "git config uploadpack.allowFilter true; git clone -q --filter=blob:none \"file://$PWD\" \"$BESIDE/partial\"",
            );
            instead(s, "partial");
        },
        "is a partial clone",
        "fetch --refetch --no-filter",
    ),
    (
        "SHA-256",
        |s| {
            shell(
                s,
                "git init -q --object-format=sha256 \"$BESIDE/sha256\"; cd \"$BESIDE/sha256\"; git commit -q --allow-empty -m x",
            );
            instead(s, "sha256");
        },
        "has a format that is not supported",
        "SHA-1",
    ),
    (
        "reftable",
        |s| {
            shell(s, REFTABLE);
            instead(s, "odd");
        },
        "has a format that is not supported",
        "clone --ref-format=files",
    ),
    ("a folder without a repository", |s| shell(s, "rm -rf .git"), "is not inside a git repository", "git init"),
];

#[test]
fn what_can_not_work_is_refused_with_what_to_do() {
    for (what, make, why, repair) in REFUSED {
        let mut stage = Stage::shop();
        make(&mut stage);
        refused(what, &stage, why, repair);
    }
}

#[test]
fn a_path_that_is_not_utf_8_is_refused() {
    let mut stage = Stage::shop();
    let odd = stage.beside("").join(OsString::from_vec(b"caf\xe9".to_vec()));
    fs::rename(&stage.repo, &odd).expect("moved");
    stage.repo = odd;
    stage.remember();
    refused("a path that is not UTF-8", &stage, "is not UTF-8", "rename the folder");
}

#[test]
fn somebody_elses_repository_is_refused_until_it_is_trusted() {
    let stage = Stage::shop();
    // Only root can give a repository away; the other uid is arbitrary.
    if !rustix::process::getuid().is_root() {
        return println!("skipped: only root can give a repository away");
    }
    stage.edit(|| {
        let given = Command::new("chown").arg("-R").arg("4242").arg(&stage.repo).status().expect("chown starts");
        assert!(given.success());
    });
    refused("somebody else's repository", &stage, "belongs to another user", "safe.directory");
    let message = stage.verb(&["init"]).exits(1).message();
    let command = message.split('`').nth(1).expect("a command").to_owned();
    stage.paste(&command).exits(0);
    works("somebody else's repository, once it is trusted", &stage);
}

/// What the hint for reftable says is what makes it work.
#[test]
fn the_repairs_that_are_named_repair() {
    let mut stage = Stage::shop();
    shell(&stage, "git clone -q --depth 1 \"file://$PWD\" \"$BESIDE/shallow\"");
    instead(&mut stage, "shallow");
    let message = stage.verb(&["init"]).exits(1).message();
    stage.edit(|| drop(stage.paste(message.split('`').nth(1).expect("a command")).exits(0)));
    works("a shallow clone, once it is complete", &stage);

    let mut stage = Stage::shop();
    shell(&stage, "git config uploadpack.allowFilter true");
    shell(&stage, "git clone -q --filter=blob:none \"file://$PWD\" \"$BESIDE/partial\"");
    // Git's own upkeep goes on in the background, and would touch the repository later.
    shell(&stage, "git -C \"$BESIDE/partial\" config maintenance.auto false");
    instead(&mut stage, "partial");
    let hint = stage.verb(&["init"]).exits(1).hint();
    stage.edit(|| drop(stage.paste(&hint).exits(0)));
    works("a partial clone, once it is complete", &stage);

    for (what, make) in [("reftable", REFTABLE), ("a bare repository", "git clone -q --bare . \"$BESIDE/odd\"")] {
        let mut stage = Stage::shop();
        shell(&stage, make);
        instead(&mut stage, "odd");
        let hint = stage.verb(&["init"]).exits(1).hint();
        let clone = hint.split_once(": ").expect("a command").1.replace("FOLDER", "\"$BESIDE/clone\"");
        if what == "reftable" && !makes_tables(&stage) {
            println!("{what}: its repair is skipped, as this git knows no --ref-format (2.45 or newer)");
            continue;
        }
        shell(&stage, &clone);
        instead(&mut stage, "clone");
        works(&format!("a clone of {what}"), &stage);
    }
}

/// What an older git can't make looks like this to whoever opens it.
const REFTABLE: &str = "at=$BESIDE/odd; git clone -q --ref-format=reftable . \"$at\" 2>/dev/null || {
    git clone -q . \"$at\"; git -C \"$at\" config core.repositoryformatversion 1
    git -C \"$at\" config extensions.refStorage reftable; }";

fn makes_tables(stage: &Stage) -> bool {
    stage.repo.join(".git/reftable").is_dir()
}

/// What libgit2 can't write is left to its owner: approved, waiting, with the command that lands it.
#[test]
fn an_index_of_another_format_is_landed_by_its_owner() {
    for (what, script) in [
        ("a sparse index", "git sparse-checkout set --sparse-index checks"),
        ("a split index", "git update-index --split-index; echo x > new; git add new; git commit -qm new"),
    ] {
        let stage = Stage::shop();
        shell(&stage, script);
        let before = stage.git(&["rev-parse", "HEAD"]);
        stage.maker(ONE, MAKER);
        stage.verb(&["run", "work"]).exits(21);
        let id = stage.reviews()[0]["id"].as_str().expect("an id").to_owned();
        let waiting = stage.approve(&stage.review(&id)).exits(21).json();
        assert!(waiting["why"].to_string().contains("sparse or split"), "{what}: {waiting}");
        shell(&stage, waiting["command"].as_str().expect("a command"));
        stage.verb(&["tick"]);
        assert_eq!(stage.review(&id)["row"]["state"], "merged", "{what}");
        assert_eq!(
            (stage.git(&["rev-parse", "HEAD^"]), stage.git(&["status", "-s"])),
            (before, String::new()),
            "{what}"
        );
        println!("{what}: approved, and landed by the command that is shown");
    }
}

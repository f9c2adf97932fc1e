//! A user's repository, the engine's, and the product's sandbox.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use git2::Oid;
use loopwright_core::check::Ended;
use loopwright_core::ids::RepoId;
use loopwright_engine::git::{Base, Repos, UserRepo, user_repository};
use loopwright_engine::sandbox::bubblewrap::Bubblewrap;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_engine::sandbox::{Access, BoxSpec, Limits, Output, Sandbox};
use loopwright_engine::workspace::{Collected, Workspace, Workspaces};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use uuid::Uuid;

/// The product's own sandbox, found once.
pub(crate) fn sandbox() -> &'static Bubblewrap {
    static FOUND: OnceLock<Bubblewrap> = OnceLock::new();
    FOUND.get_or_init(|| Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap"))
}

/// A user's repository and an engine's data home.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) repos: Repos,
}

impl World {
    /// A repository with a `main` of one commit and an empty data home.
    pub(crate) fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let id: RepoId = RepoId(Uuid::from_u128(7));
        let repos = Repos::open(&folder.path().join("data"), id).expect("the engine's repositories");
        let world = World { folder, repos };
        fs::create_dir(world.user_path()).expect("the user's folder");
        world.git(&["init", "-q", "-b", "main"]);
        world.git(&["config", "user.name", "Una User"]);
        world.git(&["config", "user.email", "una@example.org"]);
        world.write("a.txt", "one\ntwo\nthree\n");
        world.write("src/lib.rs", "pub fn f() {}\n");
        world.write("check.toml", "strict = true\n");
        world.commit("Begin");
        world
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn user_path(&self) -> PathBuf {
        self.folder.path().join("user")
    }

    pub(crate) fn user(&self) -> UserRepo {
        user_repository(&self.user_path()).expect("the user's repository")
    }

    pub(crate) fn base(&self) -> Base {
        self.repos.fetch_base(&self.user(), None).expect("the base")
    }

    pub(crate) fn workspaces(&self) -> Workspaces<'_> {
        let data = self.folder.path().join("data");
        Workspaces { sandbox: sandbox(), repos: &self.repos, root: data.join("ws"), trash: data.join("trash") }
    }

    /// Runs plain git in the user's repository, as the user would.
    pub(crate) fn git(&self, args: &[&str]) -> String {
        plain_git(&self.user_path(), args)
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.user_path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn commit(&self, message: &str) -> Oid {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).parse().expect("an id")
    }

    /// An attempt on the current base that a shell script makes inside the box.
    pub(crate) fn attempt(&self, name: &str, script: &str) -> Oid {
        let base = self.base();
        let workspaces = self.workspaces();
        let workspace =
            workspaces.create(name, base.commit, loopwright_engine::workspace::Origin::Base).expect("a workspace");
        in_box(&workspace, script);
        let collected = workspaces.collect(&workspace, base.commit, "Attempt\n", at(0)).expect("collected");
        workspaces.discard(workspace).expect("discarded");
        match collected {
            Collected::Commit { commit, .. } => commit,
            other => panic!("no commit: {other:?}"),
        }
    }
}

/// Runs plain git somewhere, with its own environment alone.
pub(crate) fn plain_git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", "/nonexistent")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
        .current_dir(folder)
        .args(args)
        .output()
        .expect("git");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// What an agent does: a shell script in the workspace, inside the box.
pub(crate) fn in_box(workspace: &Workspace, script: &str) -> String {
    let spec = BoxSpec {
        label: "maker".to_owned(),
        argv: ["sh", "-c", script].map(str::to_owned).to_vec(),
        env: BTreeMap::new(),
        cwd: "/workspace".to_owned(),
        mounts: vec![workspace.mount(Access::Writable)],
        stdin: Vec::new(),
        limits: Limits { wall: std::time::Duration::from_secs(60), idle: None, output: 1 << 20 },
        stdout: Output::Memory,
    };
    let output = sandbox().run(&spec).expect("a box");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.ended, Ended::Exited(0), "{script}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A fixed time, `seconds` after the first of January 2026.
pub(crate) fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600 + seconds, 0).expect("a time")
}

/// The hash of every file (content, mode, link target) below a folder, by path.
pub(crate) fn fingerprint(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            let meta = fs::symlink_metadata(&path).expect("metadata");
            if meta.is_dir() {
                open.push(path.clone());
            }
            let content = if meta.is_file() {
                fs::read(&path).expect("a file")
            } else if meta.is_symlink() {
                fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
            } else {
                Vec::new()
            };
            let mode = std::os::unix::fs::MetadataExt::mode(&meta);
            let hash = loopwright_core::hex(&Sha256::digest(&content));
            found.insert(path.strip_prefix(folder).expect("below").to_owned(), format!("{mode:o} {hash}"));
        }
    }
    found
}

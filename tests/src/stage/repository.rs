//! The user's repository: made with the real git.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Stage, sample};

impl Stage {
    /// The sample shop in a repository with three commits, all green, with two open issues.
    pub fn shop() -> Stage {
        let stage = Stage::empty();
        stage.edit(|| copy(&sample("shop"), &stage.repo));
        stage.git(&["init", "--quiet", "--initial-branch=main"]);
        stage.git(&["add", "README.md", "checks"]);
        stage.git(&["commit", "--quiet", "-m", "checks: what a shop must do"]);
        stage.git(&["add", "src"]);
        stage.git(&["commit", "--quiet", "-m", "prices: the first four"]);
        stage.commit("issues: two wishes");
        stage
    }

    /// A sample project of this kind (`tests/samples/projects`) in a repository with one commit.
    pub fn project(kind: &str) -> Stage {
        let stage = Stage::empty();
        stage.edit(|| copy(&sample("projects").join(kind), &stage.repo));
        stage.git(&["init", "--quiet", "--initial-branch=main"]);
        stage.commit("all there is");
        stage
    }

    /// The sample shop without any issue.
    pub fn shop_without_issues() -> Stage {
        let stage = Stage::shop();
        stage.edit(|| {
            fs::remove_dir_all(stage.repo.join(".loopwright/issues")).expect("the issues are there");
        });
        stage.commit("issues: none");
        stage
    }

    /// Writes a file of the repository.
    pub fn write(&self, path: &str, text: &str) {
        self.edit(|| {
            let path = self.repo.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
            fs::write(path, text).expect("a file");
        });
    }

    /// Commits all there is; returns the commit's id.
    pub fn commit(&self, subject: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", subject]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Asks git in the repository as its user; returns what it said.
    pub fn git(&self, words: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(words).current_dir(&self.repo).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.person());
        command.envs([("GIT_AUTHOR_NAME", "Ada"), ("GIT_AUTHOR_EMAIL", "ada@example.com")]);
        command.envs([("GIT_COMMITTER_NAME", "Ada"), ("GIT_COMMITTER_EMAIL", "ada@example.com")]);
        let mut said = None;
        self.edit(|| said = Some(command.output().expect("git starts")));
        let said = said.expect("git was asked");
        assert!(said.status.success(), "git {words:?}: {}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    /// What index or working tree at `root` have otherwise than its HEAD, as `git status` tells it.
    pub fn unlike_head(&self, root: &Path) -> Vec<String> {
        let mut command = Command::new("git");
        command.arg("-C").arg(root).args(["status", "--porcelain"]).env_clear().env("PATH", "/usr/bin:/bin");
        let said = self.ask(command.env("HOME", self.person()).env("GIT_OPTIONAL_LOCKS", "0")).exits(0);
        said.out.lines().map(str::to_owned).collect()
    }
}

/// Copies a folder of samples.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a sample").flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            fs::create_dir_all(&target).expect("a folder");
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).expect("a copy");
        }
    }
}

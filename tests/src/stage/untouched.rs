//! What a user's repository looks like, all of it, so that nobody's touch goes unseen; and what an approval may change of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Stage;

/// Everything below a folder, by its path: a file by its content, mode, owner and time; a link by what it names; a folder
/// (its path ends in a slash) by mode and owner.
pub type Prints = BTreeMap<String, String>;

/// Files beyond this many bytes are known by their inode and its times instead of their content.
const LARGE: u64 = 8 << 20;

/// What one approval may change: the branch, and where that is checked out the files of the change.
pub struct Scope {
    before: Prints,
    branch: String,
    tip: String,
    checked_out: bool,
    /// Where the working tree's own git files are, and those that all working trees share; each ends in a slash.
    git: [String; 2],
}

impl Stage {
    /// Lets the test itself change the repository: until then nobody did, and from then on it is compared with the new state.
    pub fn edit(&self, change: impl FnOnce()) {
        self.assert_untouched();
        change();
        self.remember();
    }

    /// Compares this place too: a repository that lies elsewhere, a linked working tree, a lender of objects.
    pub fn watch(&self, place: PathBuf) {
        self.assert_untouched();
        self.watched.borrow_mut().push(place);
        self.remember();
    }

    /// Remembers the repository as it is.
    pub fn remember(&self) {
        self.before.replace(self.repo.exists().then(|| self.look()));
    }

    /// What somebody else than the test changed since it was remembered.
    pub fn touched(&self) -> Vec<String> {
        let before = self.before.borrow();
        match before.as_ref().filter(|_| self.repo.exists()) {
            Some(before) => changed(before, &self.look()),
            None => Vec::new(),
        }
    }

    /// Asserts that nobody but the test changed the repository: tree, index, HEAD, configuration, hooks, refs, objects, modes.
    pub fn assert_untouched(&self) {
        let touched = self.touched();
        assert!(touched.is_empty(), "the user's repository was touched: {touched:?}");
    }

    /// Everything that is watched.
    fn look(&self) -> Prints {
        let mut found = prints(&self.repo);
        for place in self.watched.borrow().iter().filter(|place| place.exists()) {
            let name = |path: String| format!("{}/{path}", place.display());
            found.extend(prints(place).into_iter().map(|(path, print)| (name(path), print)));
        }
        found
    }

    /// What the approval of `review` may change, from now on.
    pub fn scope(&self, review: &Value) -> Scope {
        self.assert_untouched();
        let branch = review["target"][1].as_str().expect("a branch").to_owned();
        let [own, shared] = ["--absolute-git-dir", "--git-common-dir"].map(|which| {
            let said = self.plain_git(&["rev-parse", "--path-format=absolute", which]);
            PathBuf::from(said.strip_suffix('\n').unwrap_or(&said))
        });
        let checked_out = self.full_name("HEAD") == self.full_name(&format!("refs/heads/{branch}"));
        let key = |path: &Path| format!("{}/", name(path.strip_prefix(&self.repo).unwrap_or(path)));
        let git = [key(&own), key(&shared)];
        Scope { before: self.look(), tip: self.tip(&branch), checked_out, branch, git }
    }

    /// What changed beyond the scope of an approval.
    pub fn beyond(&self, scope: &Scope) -> Vec<String> {
        self.beyond_files(scope, &self.files_of(scope))
    }

    /// The files that the branch's new commits change.
    pub fn files_of(&self, scope: &Scope) -> BTreeSet<String> {
        let new = self.tip(&scope.branch);
        let names = self.plain_git(&["diff", "--name-only", "-z", "--no-renames", &scope.tip, &new]);
        names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// What changed besides the branch and these files.
    pub fn beyond_files(&self, scope: &Scope, files: &BTreeSet<String>) -> Vec<String> {
        let now = self.look();
        let changed = changed(&scope.before, &now);
        changed.into_iter().filter(|path| !scope.allows(path, &now, files)).collect()
    }

    /// What a name finally names.
    fn full_name(&self, name: &str) -> String {
        self.plain_git(&["rev-parse", "--symbolic-full-name", name]).trim().to_owned()
    }

    fn tip(&self, branch: &str) -> String {
        self.plain_git(&["rev-parse", &format!("refs/heads/{branch}")]).trim().to_owned()
    }

    /// Asks git without taking note of it.
    pub fn plain_git(&self, words: &[&str]) -> String {
        let mut command = std::process::Command::new("git");
        command.args(words).current_dir(&self.repo).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.person());
        command.env("GIT_OPTIONAL_LOCKS", "0");
        let said = self.ask(&mut command);
        said.exits(0).out
    }
}

impl Scope {
    fn allows(&self, path: &str, now: &Prints, files: &BTreeSet<String>) -> bool {
        let below = |folder: &String| path.strip_prefix(folder.as_str()).filter(|inside| !inside.is_empty());
        let [own, shared] = [below(&self.git[0]), below(&self.git[1])];
        let Some(inside) = own.or(shared) else {
            // A folder comes or goes with its files; one that stays keeps its mode.
            let stays = self.before.contains_key(path) && now.contains_key(path);
            let folder_of = |file: &String| path.ends_with('/') && !stays && file.starts_with(path);
            return self.checked_out && (files.contains(path) || files.iter().any(folder_of));
        };
        let branch = format!("refs/heads/{}", self.branch);
        let objects = shared.and_then(|at| at.strip_prefix("objects/")).is_some_and(|at| !at.starts_with("info/"));
        let moved = shared.is_some_and(|at| at == branch || at == format!("logs/{branch}"));
        let folders = inside.ends_with('/') && format!("logs/{branch}").starts_with(inside);
        let followed = own.is_some_and(|at| at == "index" || at == "logs/HEAD");
        objects || moved || folders || (followed && self.checked_out)
    }
}

/// The paths at which two looks differ.
fn changed(before: &Prints, now: &Prints) -> Vec<String> {
    let paths: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    paths.into_iter().filter(|path| before.get(*path) != now.get(*path)).cloned().collect()
}

/// Everything below `root`.
///
/// # Panics
/// Something of it can't be read.
pub fn prints(root: &Path) -> Prints {
    let mut found = Prints::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder").flatten() {
            let (path, meta) = (entry.path(), entry.metadata().expect("what it is"));
            let name = name(path.strip_prefix(root).expect("below the root"));
            if meta.is_dir() {
                found.insert(format!("{name}/"), owner(&meta));
                folders.push(path);
            } else {
                found.insert(name, print(&path, &meta));
            }
        }
    }
    found
}

fn print(path: &Path, meta: &Metadata) -> String {
    let owner = owner(meta);
    let kind = meta.file_type();
    if kind.is_symlink() {
        return format!("{owner} -> {}", name(&fs::read_link(path).expect("a link")));
    }
    if kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device() {
        return format!("{owner} {kind:?} {}", meta.rdev());
    }
    let changed = format!("{}.{:09}", meta.mtime(), meta.mtime_nsec());
    if meta.len() > LARGE {
        let inode = format!("{} {}.{:09}", meta.ino(), meta.ctime(), meta.ctime_nsec());
        return format!("{owner} {changed} {} {inode}", meta.len());
    }
    let bytes = fs::read(path).expect("a file");
    format!("{owner} {changed} {}", loopwright_core::hex(&Sha256::digest(&bytes)))
}

fn owner(meta: &Metadata) -> String {
    format!("{:o} {}:{}", meta.mode(), meta.uid(), meta.gid())
}

/// A path as text, no two alike.
fn name(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => path.as_os_str().as_bytes().escape_ascii().to_string(),
    }
}

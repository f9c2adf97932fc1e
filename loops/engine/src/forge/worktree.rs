//! The working tree that has the target branch checked out: whether it is clean, and how it follows the branch.
//!
//! Git's own lock of the index is held all the while, so that no git of the user's works in between.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use git2::build::CheckoutBuilder;
use git2::{
    AttrCheckFlags, Delta, Index, IndexEntry, IndexEntryExtendedFlag, IndexTime, ObjectType, Oid, Repository,
    RepositoryState, Status, StatusOptions, TreeEntry,
};

use crate::os;

/// The first word of a lock of ours, followed by the landing commit.
const MARK: &str = "loopwright";

/// A working tree of the user's with the target branch.
pub(super) struct Checkout {
    /// Opened there.
    pub(super) repo: Repository,
    /// Where it is.
    pub(super) root: PathBuf,
}

/// A clean working tree whose index is locked.
pub(super) struct Hold<'a> {
    checkout: &'a Checkout,
    base: Oid,
    commit: Oid,
    touched: &'a [String],
    lock: Lock,
}

/// Git's lock of an index; taken away on drop.
struct Lock(PathBuf);

impl Drop for Lock {
    fn drop(&mut self) {
        // Gone already when the new index took its place.
        let _ = fs::remove_file(&self.0);
    }
}

/// The working tree, main or linked, that has the branch `name` checked out or is in the middle of rebasing it.
pub(super) fn with_branch(user: &Repository, name: &str) -> Result<Option<Checkout>> {
    let common = user.commondir().to_owned();
    let mut folders = vec![common.clone()];
    if let Ok(linked) = fs::read_dir(common.join("worktrees")) {
        folders.extend(linked.flatten().map(|entry| entry.path()));
    }
    for folder in folders.iter().filter(|f| holds(f, name)) {
        // The one that is open knows its place; a git folder that lies elsewhere does not.
        let here = same(user.path(), folder).then(|| user.workdir().map(Path::to_owned)).flatten();
        let root = here.map_or_else(|| root_of(folder, &common), |root| Ok(Some(root)))?;
        let Some(root) = root else { continue };
        let repo = Repository::open(&root).with_context(|| format!("open the working tree {}", root.display()))?;
        ensure!(
            same(repo.path(), folder),
            "the working tree of {} is not found at {}",
            folder.display(),
            root.display()
        );
        return Ok(Some(Checkout { repo, root }));
    }
    Ok(None)
}

/// Whether two paths lead to the same folder.
fn same(one: &Path, other: &Path) -> bool {
    let found = |path: &Path| path.canonicalize().ok();
    found(one).is_some_and(|path| found(other).as_ref() == Some(&path))
}

/// Whether a git directory's HEAD is the branch, or a rebase there will set it.
fn holds(folder: &Path, name: &str) -> bool {
    let says = |file: &str, wanted: &str| fs::read_to_string(folder.join(file)).is_ok_and(|t| t.trim() == wanted);
    says("HEAD", &format!("ref: {name}"))
        || says("rebase-merge/head-name", name)
        || says("rebase-apply/head-name", name)
}

/// The working tree of a git directory; none for a bare repository.
fn root_of(folder: &Path, common: &Path) -> Result<Option<PathBuf>> {
    if folder == common {
        let repo = Repository::open(common).with_context(|| format!("open {}", common.display()))?;
        return Ok(repo.workdir().map(Path::to_owned));
    }
    let link = folder.join("gitdir");
    let text = fs::read_to_string(&link).with_context(|| format!("read {}", link.display()))?;
    let root = folder.join(text.trim()).parent().map(Path::to_owned);
    match root {
        Some(root) if root.is_dir() => Ok(Some(root)),
        _ => bail!("the working tree of {} vanished; `git worktree prune` forgets it", folder.display()),
    }
}

/// The paths that differ between two commits; a rename is two.
pub(super) fn touched(repo: &Repository, base: Oid, commit: Oid) -> Result<Vec<String>> {
    let (old, new) = (repo.find_commit(base)?.tree()?, repo.find_commit(commit)?.tree()?);
    let diff = repo.diff_tree_to_tree(Some(&old), Some(&new), None)?;
    diff.deltas()
        .map(|delta| {
            let file = if delta.status() == Delta::Deleted { delta.old_file() } else { delta.new_file() };
            let path = file.path_bytes().unwrap_or_default();
            String::from_utf8(path.to_vec()).context("a path that is not UTF-8 can't be landed here")
        })
        .collect()
}

impl Checkout {
    /// Finishes or takes away what a landing of `commit` that died left behind.
    pub(super) fn recover(&self, base: Oid, commit: Oid, tip: Option<Oid>) -> Result<()> {
        let path = self.lock_path();
        if !fs::read_to_string(&path).is_ok_and(|text| text == mark(commit)) {
            return Ok(());
        }
        // The lock of landings is ours, so the owner of this one is dead.
        let lock = Lock(path);
        if tip != Some(commit) {
            return Ok(());
        }
        let touched = touched(&self.repo, base, commit)?;
        let hold = Hold { checkout: self, base, commit, touched: &touched, lock };
        if let Some(path) = hold.edited()? {
            let root = self.root.display();
            bail!(
                "a landing in {root} was interrupted and {path:?} was edited since; compare it with `git -C {root} diff`"
            );
        }
        hold.perform().context("finish an interrupted landing")
    }

    /// Locks the index of a working tree in which nothing of the user's is in the way; otherwise says what is.
    pub(super) fn hold<'a>(
        &'a self,
        base: Oid,
        commit: Oid,
        touched: &'a [String],
    ) -> Result<Result<Hold<'a>, String>> {
        if self.repo.state() != RepositoryState::Clean {
            return Ok(Err(format!("{} is in the middle of another git operation", self.root.display())));
        }
        let path = self.lock_path();
        let Ok(mut file) = File::create_new(&path) else {
            return Ok(Err(format!("another git works in {} (or left {})", self.root.display(), path.display())));
        };
        let lock = Lock(path);
        file.write_all(mark(commit).as_bytes()).context("lock the index")?;
        if let Some(why) = self.obstacle(base, touched)? {
            return Ok(Err(why));
        }
        Ok(Ok(Hold { checkout: self, base, commit, touched, lock }))
    }

    fn lock_path(&self) -> PathBuf {
        self.repo.path().join("index.lock")
    }

    /// What keeps the working tree from following, if anything.
    fn obstacle(&self, base: Oid, touched: &[String]) -> Result<Option<String>> {
        let mut options = StatusOptions::new();
        options.include_untracked(false).include_ignored(false).exclude_submodules(true).update_index(false);
        let statuses = match self.repo.statuses(Some(&mut options)) {
            Err(error) if error.message().contains("unsupported mandatory extension") => {
                return Ok(Some(format!(
                    "the index of {} is sparse or split, and is not written here",
                    self.root.display()
                )));
            }
            read => read.with_context(|| format!("look at {}", self.root.display()))?,
        };
        let index = self.repo.index().with_context(|| format!("read the index of {}", self.root.display()))?;
        let clean = |s: &git2::StatusEntry<'_>| {
            let status = s.status();
            let left_out = || status == Status::WT_DELETED && is_left_out(&index, s.path_bytes());
            status == Status::CURRENT || status == Status::IGNORED || left_out()
        };
        if let Some(dirty) = statuses.iter().find(|s| !clean(s)) {
            let name = String::from_utf8_lossy(dirty.path_bytes()).into_owned();
            return Ok(Some(format!("{} has changes that are not committed: {name:?}", self.root.display())));
        }
        let tree = self.repo.find_commit(base)?.tree()?;
        for path in touched {
            if self.in_the_way(&tree, Path::new(path)) {
                return Ok(Some(format!("{path:?} is in the way and not known to git")));
            }
            let filter = self.repo.get_attr_bytes(Path::new(path), "filter", AttrCheckFlags::FILE_THEN_INDEX)?;
            if filter.is_some_and(|f| !f.is_empty()) {
                return Ok(Some(format!("{path:?} goes through a filter of yours, which is not run here")));
            }
        }
        Ok(None)
    }

    /// Whether something that the base does not have stands at a path, or in the place of a folder above it.
    fn in_the_way(&self, base: &git2::Tree<'_>, path: &Path) -> bool {
        path.ancestors().filter(|p| !p.as_os_str().is_empty()).any(|p| {
            let Ok(found) = fs::symlink_metadata(self.root.join(p)) else {
                return false;
            };
            let known = base.get_path(p).ok().as_ref().and_then(TreeEntry::kind);
            match known {
                None => p == path || !found.is_dir(),
                Some(ObjectType::Tree) => !found.is_dir(),
                Some(_) => false,
            }
        })
    }
}

impl Hold<'_> {
    /// Says what came into the way since the index was locked.
    pub(super) fn obstacle(&self) -> Result<Option<String>> {
        self.checkout.obstacle(self.base, self.touched)
    }

    /// Writes the touched files, then the index. The branch has moved, so that libgit2 takes the old files for edits:
    /// it is told to replace them, after [`Hold::obstacle`] or [`Hold::edited`] found none.
    pub(super) fn perform(&self) -> Result<()> {
        self.write_files(self.commit)?;
        self.write_index()
    }

    /// Puts the touched files back as they were.
    pub(super) fn undo(&self) -> Result<()> {
        self.write_files(self.base)
    }

    fn write_files(&self, commit: Oid) -> Result<()> {
        // No path at all would mean every path.
        if self.touched.is_empty() {
            return Ok(());
        }
        let mut builder = CheckoutBuilder::new();
        builder.force().disable_pathspec_match(true).update_index(false);
        for path in self.touched {
            builder.path(path.as_str());
        }
        let target = self.checkout.repo.find_object(commit, None)?;
        self.checkout.repo.checkout_tree(&target, Some(&mut builder)).context("write the working tree")
    }

    /// A touched path that has neither the old nor the new content.
    fn edited(&self) -> Result<Option<String>> {
        let repo = &self.checkout.repo;
        let trees = [repo.find_commit(self.base)?.tree()?, repo.find_commit(self.commit)?.tree()?];
        for path in self.touched {
            let now = content(&self.checkout.root.join(path))?;
            let expected = |tree: &git2::Tree<'_>| tree.get_path(Path::new(path)).ok().map(|e| e.id());
            if !trees.iter().any(|tree| expected(tree) == now) {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    }

    /// Writes the new index beside the old one and lets it take its place through git's own lock.
    fn write_index(&self) -> Result<()> {
        let repo = &self.checkout.repo;
        let (now, next) = (repo.path().join("index"), repo.path().join("loopwright-index"));
        fs::copy(&now, &next).with_context(|| format!("copy {}", now.display()))?;
        let mut index = Index::open(&next).with_context(|| format!("read {}", now.display()))?;
        let tree = repo.find_commit(self.commit)?.tree()?;
        for path in self.touched {
            match tree.get_path(Path::new(path)) {
                Ok(entry) => index.add(&self.index_entry(path, &entry)?)?,
                Err(_) => index.remove(Path::new(path), 0)?,
            }
        }
        index.write().with_context(|| format!("write {}", next.display()))?;
        fs::rename(&next, &self.lock.0).context("replace the lock of the index")?;
        fs::rename(&self.lock.0, &now).with_context(|| format!("replace {}", now.display()))
    }

    fn index_entry(&self, path: &str, entry: &TreeEntry<'_>) -> Result<IndexEntry> {
        let file = self.checkout.root.join(path);
        let seen = fs::symlink_metadata(&file).with_context(|| format!("look at {}", file.display()))?;
        let time = |(seconds, nanoseconds): (i64, i64)| IndexTime::new(seconds as i32, nanoseconds as u32);
        let kept = os::seen(&seen);
        Ok(IndexEntry {
            ctime: time(kept.changed),
            mtime: time(kept.written),
            dev: kept.device as u32,
            ino: kept.number as u32,
            mode: u32::try_from(entry.filemode()).context("a mode")?,
            uid: kept.owner.0,
            gid: kept.owner.1,
            file_size: seen.len() as u32,
            id: entry.id(),
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        })
    }
}

/// Whether a sparse checkout leaves this path out.
fn is_left_out(index: &Index, path: &[u8]) -> bool {
    let entry = std::str::from_utf8(path).ok().and_then(|path| index.get_path(Path::new(path), 0));
    entry.is_some_and(|entry| entry.flags_extended & IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0)
}

/// The id that the content of a file, or the target of a link, would have; none where nothing stands.
fn content(path: &Path) -> Result<Option<Oid>> {
    let Ok(seen) = fs::symlink_metadata(path) else {
        return Ok(None);
    };
    let bytes = if seen.is_symlink() {
        fs::read_link(path).map(|target| target.into_os_string().into_encoded_bytes())
    } else {
        fs::read(path)
    };
    let bytes = bytes.with_context(|| format!("read {}", path.display()))?;
    Ok(Some(Oid::hash_object(ObjectType::Blob, &bytes)?))
}

fn mark(commit: Oid) -> String {
    format!("{MARK} {commit}")
}

//! The working tree that has the target branch checked out: whether it is clean, and how it follows the branch.
//!
//! Git's own lock of the index is held all the while, so that no git of the user's works in between.

use std::fs::{self, File, Metadata};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use git2::build::CheckoutBuilder;
use git2::{
    AttrCheckFlags, Delta, ErrorCode, Index, IndexEntry, IndexEntryExtendedFlag, IndexTime, ObjectType, Oid,
    Repository, RepositoryState, Status, StatusOptions, TreeEntry,
};

use crate::git::heads::is_absent;
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
        let _ = fs::remove_file(&self.0);
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
        match fs::read(&path) {
            Ok(bytes) if bytes == mark(commit).as_bytes() => {}
            // None, or another git's.
            Ok(_) => return Ok(()),
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        }
        // The lock of landings is ours, so the owner of this one is dead.
        if tip != Some(commit) {
            // The branch has not moved, and nothing of the commit need be here.
            drop(Lock(path));
            return Ok(());
        }
        // What fails until here leaves the lock to the next try.
        let touched = touched(&self.repo, base, commit)?;
        let lock = Lock(path);
        let hold = Hold { checkout: self, base, commit, touched: &touched, lock };
        match hold.finish() {
            Ok(None) => Ok(()),
            Ok(Some(path)) => bail!(
                "a landing in {root} was interrupted and {path:?} was edited since; compare it with `git -C {root} diff`",
                root = self.root.display()
            ),
            Err(why) => {
                hold.leave();
                Err(why.context("finish an interrupted landing"))
            }
        }
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
            if self.in_the_way(&tree, Path::new(path))? {
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
    fn in_the_way(&self, base: &git2::Tree<'_>, path: &Path) -> Result<bool> {
        for p in path.ancestors().filter(|p| !p.as_os_str().is_empty()) {
            let Some(found) = seen(&self.root.join(p))? else { continue };
            let stands = match entry(base, p)?.as_ref().and_then(TreeEntry::kind) {
                None => p == path || !found.is_dir(),
                Some(ObjectType::Tree) => !found.is_dir(),
                Some(_) => false,
            };
            if stands {
                return Ok(true);
            }
        }
        Ok(false)
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

    /// Does the same where it is not known how much was done; a path that was edited since keeps it from beginning.
    fn finish(&self) -> Result<Option<String>> {
        let edited = self.edited()?;
        if edited.is_none() {
            self.perform()?;
        }
        Ok(edited)
    }

    /// Lets the lock stay for [`Checkout::recover`].
    pub(super) fn leave(self) {
        std::mem::forget(self.lock);
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
            let mut known = false;
            for tree in &trees {
                known |= entry(tree, Path::new(path))?.map(|e| e.id()) == now;
            }
            if !known {
                return Ok(Some(path.clone()));
            }
        }
        Ok(None)
    }

    /// Writes the new index beside the old one, which it replaces while git's own lock says whose work this is.
    fn write_index(&self) -> Result<()> {
        let repo = &self.checkout.repo;
        let (now, next) = (repo.path().join("index"), repo.path().join("loopwright-index"));
        fs::copy(&now, &next).with_context(|| format!("copy {}", now.display()))?;
        let mut index = Index::open(&next).with_context(|| format!("read {}", now.display()))?;
        let tree = repo.find_commit(self.commit)?.tree()?;
        for path in self.touched {
            match entry(&tree, Path::new(path))? {
                Some(entry) => index.add(&self.index_entry(path, &entry)?)?,
                None => index.remove(Path::new(path), 0)?,
            }
        }
        index.write().with_context(|| format!("write {}", next.display()))?;
        fs::rename(&next, &now).with_context(|| format!("replace {}", now.display()))
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
    let Some(seen) = seen(path)? else { return Ok(None) };
    let bytes = if seen.is_symlink() {
        fs::read_link(path).map(|target| target.into_os_string().into_encoded_bytes())
    } else {
        fs::read(path)
    };
    let bytes = bytes.with_context(|| format!("read {}", path.display()))?;
    Ok(Some(Oid::hash_object(ObjectType::Blob, &bytes)?))
}

/// What stands at a path, a link being one; none where nothing does.
fn seen(path: &Path) -> Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(seen) => Ok(Some(seen)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("look at {}", path.display())),
    }
}

/// What a tree has at a path; none where it has nothing.
fn entry(tree: &git2::Tree<'_>, path: &Path) -> Result<Option<TreeEntry<'static>>> {
    match tree.get_path(path) {
        Ok(entry) => Ok(Some(entry)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {} of {}", path.display(), tree.id())),
    }
}

fn mark(commit: Oid) -> String {
    format!("{MARK} {commit}")
}

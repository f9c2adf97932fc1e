//! Reading commits, files and folders in the engine's own repositories; never in a working tree.

use std::path::Path;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use git2::{ObjectType, Oid, Repository, Sort, Tree, TreeWalkMode, TreeWalkResult};

use super::repos::Repos;

/// Largest file that is read whole, in bytes.
pub const FILE_LIMIT: usize = 4 << 20;

/// Most entries that a listing returns.
const LISTING_LIMIT: usize = 200_000;

/// Most paths that are named for one commit.
const PATHS_LIMIT: usize = 300;

/// One commit, for people and for suspicion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFacts {
    /// Its id.
    pub id: Oid,
    /// First line of its message (untrusted).
    pub subject: String,
    /// Its author's name (untrusted).
    pub author: String,
    /// When it was committed.
    pub at: DateTime<Utc>,
    /// What it changed against its first parent, at most 300 paths.
    pub paths: Vec<String>,
}

/// What stands at a path of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A submodule.
    Submodule,
}

impl Repos {
    /// The content of a file at a commit; none where nothing, a folder or a link stands.
    ///
    /// # Errors
    /// The commit is unknown, or the file is larger than [`FILE_LIMIT`].
    pub fn file(&self, commit: Oid, path: &str) -> Result<Option<Vec<u8>>> {
        let repo = self.open_results()?;
        let tree = tree(&repo, commit)?;
        let Some((id, Kind::File)) = entry(&tree, path) else {
            return Ok(None);
        };
        let (size, _) = repo.odb()?.read_header(id).with_context(|| format!("read {path} at {commit}"))?;
        if size > FILE_LIMIT {
            bail!("{path} at {commit} has {size} bytes, more than {FILE_LIMIT}");
        }
        let blob = repo.find_blob(id).with_context(|| format!("read {path} at {commit}"))?;
        Ok(Some(blob.content().to_vec()))
    }

    /// The text of what stands at a path of a commit; empty for a folder, and for a file that is too large to be read.
    pub fn look(&self, commit: Oid, path: &str) -> Option<String> {
        match self.file(commit, path) {
            Ok(Some(bytes)) => Some(String::from_utf8_lossy(&bytes).into_owned()),
            Ok(None) => self.exists(commit, path).unwrap_or(false).then(String::new),
            Err(_) => Some(String::new()),
        }
    }

    /// Whether anything stands at a path of a commit.
    ///
    /// # Errors
    /// The commit is unknown.
    pub fn exists(&self, commit: Oid, path: &str) -> Result<bool> {
        Ok(self.kind(commit, path)?.is_some())
    }

    /// What stands at a path of a commit.
    ///
    /// # Errors
    /// The commit is unknown.
    pub fn kind(&self, commit: Oid, path: &str) -> Result<Option<Kind>> {
        let repo = self.open_results()?;
        Ok(entry(&tree(&repo, commit)?, path).map(|(_, kind)| kind))
    }

    /// All files (not links) under a folder of a commit, sorted; `""` is the root. Names that are not UTF-8 are left out.
    ///
    /// # Errors
    /// The commit is unknown, or there are more than 200,000 files.
    pub fn files_under(&self, commit: Oid, folder: &str) -> Result<Vec<String>> {
        let repo = self.open_results()?;
        let root = tree(&repo, commit)?;
        let (start, prefix) = if folder.is_empty() {
            (root, String::new())
        } else {
            let Some((id, Kind::Folder)) = entry(&root, folder) else {
                return Ok(Vec::new());
            };
            (repo.find_tree(id)?, format!("{}/", folder.trim_end_matches('/')))
        };
        let mut files = Vec::new();
        start
            .walk(TreeWalkMode::PreOrder, |parent, entry| {
                if kind_of(entry) == Some(Kind::File)
                    && let Ok(name) = entry.name()
                {
                    files.push(format!("{prefix}{parent}{name}"));
                }
                if files.len() > LISTING_LIMIT { TreeWalkResult::Abort } else { TreeWalkResult::Ok }
            })
            .with_context(|| format!("list `{folder}` at {commit}"))?;
        files.sort();
        Ok(files)
    }

    /// The files of a commit that are `wanted` by their paths, as UTF-8 text, sorted; links and what is larger than `largest`
    /// bytes or no text are left out.
    ///
    /// # Errors
    /// The commit is unknown, or there are more than 200,000 files.
    pub fn texts(&self, commit: Oid, wanted: &dyn Fn(&str) -> bool, largest: usize) -> Result<Vec<(String, String)>> {
        let repo = self.open_results()?;
        let (tree, odb) = (tree(&repo, commit)?, repo.odb()?);
        let mut texts = Vec::new();
        for path in self.files_under(commit, "")?.into_iter().filter(|path| wanted(path)) {
            let Some((id, Kind::File)) = entry(&tree, &path) else { continue };
            let (size, _) = odb.read_header(id).with_context(|| format!("read {path} at {commit}"))?;
            if size > largest {
                continue;
            }
            let blob = repo.find_blob(id).with_context(|| format!("read {path} at {commit}"))?;
            if let Ok(text) = std::str::from_utf8(blob.content()) {
                texts.push((path, text.to_owned()));
            }
        }
        Ok(texts)
    }

    /// The latest `n` commits that `commit` reaches, itself first.
    ///
    /// # Errors
    /// The commit is unknown.
    pub fn recent_commits(&self, commit: Oid, n: usize) -> Result<Vec<CommitFacts>> {
        let repo = self.open_results()?;
        let mut walk = repo.revwalk()?;
        walk.set_sorting(Sort::TIME | Sort::TOPOLOGICAL)?;
        walk.push(commit).with_context(|| format!("walk from {commit}"))?;
        walk.take(n).map(|id| commit_facts(&repo, id?)).collect()
    }

    /// Whether a commit's first parent is `base`.
    ///
    /// # Errors
    /// The commit is unknown.
    pub fn stands_on(&self, commit: Oid, base: Oid) -> Result<bool> {
        let repo = self.open_results()?;
        let commit = repo.find_commit(commit).with_context(|| format!("read commit {commit}"))?;
        Ok(commit.parent_id(0).is_ok_and(|parent| parent == base))
    }

    /// The tree of a commit.
    ///
    /// # Errors
    /// The commit is unknown.
    pub fn tree_of(&self, commit: Oid) -> Result<Oid> {
        let repo = self.open_results()?;
        Ok(tree(&repo, commit)?.id())
    }
}

/// The tree of a commit.
pub(super) fn tree(repo: &Repository, commit: Oid) -> Result<Tree<'_>> {
    let commit = repo.find_commit(commit).with_context(|| format!("read commit {commit}"))?;
    Ok(commit.tree()?)
}

/// What stands at a path, never looked up through a link.
fn entry(tree: &Tree<'_>, path: &str) -> Option<(Oid, Kind)> {
    let entry = tree.get_path(Path::new(path)).ok()?;
    Some((entry.id(), kind_of(&entry)?))
}

fn kind_of(entry: &git2::TreeEntry<'_>) -> Option<Kind> {
    match (entry.kind()?, entry.filemode()) {
        (ObjectType::Tree, _) => Some(Kind::Folder),
        (ObjectType::Commit, _) => Some(Kind::Submodule),
        (_, 0o120_000) => Some(Kind::Link),
        _ => Some(Kind::File),
    }
}

fn commit_facts(repo: &Repository, id: Oid) -> Result<CommitFacts> {
    let commit = repo.find_commit(id)?;
    let parent = commit.parent(0).ok().map(|p| p.tree()).transpose()?;
    let diff = repo.diff_tree_to_tree(parent.as_ref(), Some(&commit.tree()?), None)?;
    let paths = diff
        .deltas()
        .filter_map(|d| d.new_file().path().map(|p| p.to_string_lossy().into_owned()))
        .take(PATHS_LIMIT)
        .collect();
    Ok(CommitFacts {
        id,
        subject: String::from_utf8_lossy(commit.message_bytes()).lines().next().unwrap_or_default().to_owned(),
        author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
        at: DateTime::from_timestamp(commit.time().seconds(), 0).unwrap_or(DateTime::UNIX_EPOCH),
        paths,
    })
}

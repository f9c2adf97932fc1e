//! The way of objects between `results.git` and a sandbox: bundles, and nothing else.
//!
//! A bundle that comes back is parsed here, its pack is checked object by object, and the commit is written anew:
//! of what the sandbox says only the tree is taken.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use git2::build::TreeUpdateBuilder;
use git2::{Delta, FileMode, Oid, Repository, Signature, Time, Tree};

use super::AUTHOR;
use super::command::git;
use super::repos::Repos;

/// Longest time for checking one bundle.
const IMPORT_LIMIT: Duration = Duration::from_secs(120);

/// Longest head of a bundle that is looked at, in bytes.
const HEAD_LIMIT: usize = 64 << 10;

impl Repos {
    /// Writes what `commit` needs beyond `base.git` as a bundle into `file`; none if `base.git` has it all.
    ///
    /// # Errors
    /// The commit is unknown, or the file can't be written.
    pub(crate) fn export(&self, commit: Oid, file: &Path) -> Result<bool> {
        if self.open_base()?.find_commit(commit).is_ok() {
            return Ok(false);
        }
        // A bundle names a ref, and exports of two attempts may happen at once.
        let name = format!("refs/loopwright/export/{}", uuid::Uuid::now_v7().simple());
        let mut revisions = format!("{name}\n");
        self.base_tips()?.iter().for_each(|tip| revisions.push_str(&format!("^{tip}\n")));
        let results = self.open_results()?;
        let mut reference = results.reference(&name, commit, false, "export").context("name the export")?;
        let args = ["bundle", "create", "--quiet", "-", "--stdin"];
        let bundle = git(self.results_path(), &args, revisions.as_bytes(), IMPORT_LIMIT);
        reference.delete().context("forget the export")?;
        fs::write(file, bundle.with_context(|| format!("bundle {commit}"))?)
            .with_context(|| format!("write {}", file.display()))?;
        Ok(true)
    }

    /// Reads a bundle that a sandbox wrote and returns the tree of its one commit, every object checked.
    ///
    /// # Errors
    /// It is no bundle of one ref, or any of its objects is damaged, dangerous or missing.
    pub(crate) fn import(&self, bundle: &Path) -> Result<Oid> {
        let bytes = fs::read(bundle).with_context(|| format!("read {}", bundle.display()))?;
        let (tip, pack) = split(&bytes)?;
        let args = ["index-pack", "--stdin", "--fix-thin", "--strict"];
        git(self.results_path(), &args, pack, IMPORT_LIMIT).context("check the bundle of the attempt")?;
        let repo = self.open_results()?;
        Ok(repo.find_commit(tip).with_context(|| format!("read the attempt's commit {tip}"))?.tree_id())
    }

    /// Writes a commit with our author and a fixed time, so that the same content has the same id.
    ///
    /// # Errors
    /// A parent or the tree is unknown.
    pub(crate) fn commit_tree(&self, tree: Oid, parents: &[Oid], message: &str, at: DateTime<Utc>) -> Result<Oid> {
        let repo = self.open_results()?;
        let who = Signature::new(AUTHOR.0, AUTHOR.1, &Time::new(at.timestamp(), 0))?;
        let tree = repo.find_tree(tree).with_context(|| format!("read tree {tree}"))?;
        let parents =
            parents.iter().map(|p| repo.find_commit(*p)).collect::<Result<Vec<_>, _>>().context("read parents")?;
        let parents: Vec<_> = parents.iter().collect();
        repo.commit(None, &who, &who, message, &tree, &parents).context("write the commit")
    }

    /// Points a ref of `results.git` at a commit, whatever it pointed at.
    ///
    /// # Errors
    /// The name is no valid ref.
    pub(crate) fn point(&self, name: &str, commit: Oid) -> Result<()> {
        self.open_results()?.reference(name, commit, true, "loopwright").with_context(|| format!("set {name}"))?;
        Ok(())
    }

    /// Submodules that `tree` has and the base has not: what an import refuses.
    ///
    /// # Errors
    /// A tree is unknown.
    pub(crate) fn new_submodules(&self, base: Oid, tree: Oid) -> Result<Vec<String>> {
        let repo = self.open_results()?;
        let old = super::read::tree(&repo, base)?;
        let diff = repo.diff_tree_to_tree(Some(&old), Some(&repo.find_tree(tree)?), None)?;
        Ok(diff
            .deltas()
            .filter(|d| d.status() != Delta::Deleted && d.new_file().mode() == FileMode::Commit)
            .map(|d| String::from_utf8_lossy(d.new_file().path_bytes().unwrap_or_default()).into_owned())
            .collect())
    }
}

/// The tip and the pack of a bundle of one ref: a signature line, prerequisites (`-<id>`), the ref, an empty line, the pack.
fn split(bytes: &[u8]) -> Result<(Oid, &[u8])> {
    let head = &bytes[..bytes.len().min(HEAD_LIMIT)];
    let Some(end) = head.windows(2).position(|w| w == b"\n\n") else { bail!("this is no bundle") };
    let text = std::str::from_utf8(&head[..end]).context("this is no bundle")?;
    let mut lines = text.lines();
    if lines.next() != Some("# v2 git bundle") {
        bail!("this is no bundle");
    }
    let tips: Vec<&str> = lines.filter(|l| !l.starts_with('-')).collect();
    let [tip] = tips.as_slice() else { bail!("the bundle names {} refs instead of one", tips.len()) };
    let id = tip.split(' ').next().unwrap_or_default();
    let pack = &bytes[end + 2..];
    if !pack.starts_with(b"PACK") {
        bail!("the bundle has no pack");
    }
    Ok((Oid::from_str(id).context("the bundle's ref")?, pack))
}

/// The tree that has at `paths` what `base` has there (or nothing), and is `tree` everywhere else.
pub(crate) fn with_paths_of(repo: &Repository, tree: Oid, base: Oid, paths: &[&str]) -> Result<Oid> {
    let base = repo.find_tree(base)?;
    let mut tree = repo.find_tree(tree)?;
    for path in paths {
        tree = with_path_of(repo, &tree, &base, path).with_context(|| format!("take {path} from the base"))?;
    }
    Ok(tree.id())
}

fn with_path_of<'r>(repo: &'r Repository, tree: &Tree<'_>, base: &Tree<'_>, path: &str) -> Result<Tree<'r>> {
    // A link or a file in the place of a folder above `path` would lead somewhere else: then that is what is replaced.
    let replaced = Path::new(path)
        .ancestors()
        .filter(|p| !p.as_os_str().is_empty())
        .filter(|p| tree.get_path(p).is_ok_and(|e| e.kind() != Some(git2::ObjectType::Tree)))
        .last()
        .unwrap_or(Path::new(path));
    let (now, wanted) = (tree.get_path(replaced).ok(), base.get_path(replaced).ok());
    let mut result = repo.find_tree(tree.id())?;
    // Removed first: a folder does not replace a file in one step.
    if now.is_some() {
        let mut update = TreeUpdateBuilder::new();
        update.remove(replaced);
        result = repo.find_tree(update.create_updated(repo, &result)?)?;
    }
    if let Some(entry) = wanted {
        let mut update = TreeUpdateBuilder::new();
        update.upsert(replaced, entry.id(), mode(&entry)?);
        result = repo.find_tree(update.create_updated(repo, &result)?)?;
    }
    Ok(result)
}

fn mode(entry: &git2::TreeEntry<'_>) -> Result<FileMode> {
    Ok(match entry.filemode() {
        0o040_000 => FileMode::Tree,
        0o100_755 => FileMode::BlobExecutable,
        0o120_000 => FileMode::Link,
        0o160_000 => FileMode::Commit,
        0o100_644 | 0o100_664 => FileMode::Blob,
        other => bail!("an entry of mode {other:o}"),
    })
}

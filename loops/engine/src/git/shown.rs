//! What changed between two commits as a person reads it, renames recognised. What an approval is bound to is the patch of
//! `changes`, made of the same two trees.

use std::path::Path;

use anyhow::{Context, Result};
use git2::{Delta, Diff, DiffFindOptions, Oid, Patch as GitPatch, Repository, Tree};
use loopwright_core::diff::ChangeKind;
use loopwright_core::patch::{FilePatch, Patch, PatchLine, Sign};
use sha2::{Digest, Sha256};

use super::changes::{between, carried, options};
use super::read::tree;
use super::repos::Repos;

impl Repos {
    /// The change from `base` to `commit`.
    ///
    /// # Errors
    /// A commit is unknown.
    pub fn patch(&self, base: Oid, commit: Oid) -> Result<Patch> {
        let repo = self.open_results()?;
        let (base, new) = (tree(&repo, base)?, tree(&repo, commit)?);
        patch(&repo, &base, &base, &new).with_context(|| format!("read the change to {commit}"))
    }

    /// What became of the change `before` in `now`, on `base`; the whole change where `before` does not fit there.
    ///
    /// # Errors
    /// A commit is unknown.
    pub fn patch_since(&self, base: Oid, before: Oid, now: Oid) -> Result<Patch> {
        let repo = self.open_results()?;
        let (base, new) = (tree(&repo, base)?, tree(&repo, now)?);
        let old = carried(&repo, before, now)?;
        patch(&repo, &base, old.as_ref().unwrap_or(&base), &new)
            .with_context(|| format!("read what changed from {before} to {now}"))
    }
}

fn patch(repo: &Repository, base: &Tree<'_>, old: &Tree<'_>, new: &Tree<'_>) -> Result<Patch> {
    let mut options = options();
    options.context_lines(3);
    let mut diff = between(repo, old, new, &mut options)?;
    let mut find = DiffFindOptions::new();
    find.renames(true).rename_threshold(50).rename_limit(1000);
    diff.find_similar(Some(&mut find)).context("find renames")?;
    let files = (0..diff.deltas().len()).map(|at| file(repo, &diff, at, base, new));
    Ok(Patch { files: files.collect::<Result<_>>()? })
}

fn file(repo: &Repository, diff: &Diff<'_>, at: usize, base: &Tree<'_>, new_tree: &Tree<'_>) -> Result<FilePatch> {
    // Made first: only then is it known whether the content is text.
    let patch = GitPatch::from_diff(diff, at)?;
    let delta = diff.get_delta(at).context("a delta vanished")?;
    let (old, new) = (delta.old_file(), delta.new_file());
    let kind = match delta.status() {
        Delta::Added => ChangeKind::Added,
        Delta::Deleted => ChangeKind::Deleted,
        Delta::Renamed => ChangeKind::Renamed,
        _ => ChangeKind::Modified,
    };
    let name = |file: &git2::DiffFile<'_>| String::from_utf8_lossy(file.path_bytes().unwrap_or_default()).into_owned();
    let odb = repo.odb()?;
    let size = |id: Oid| odb.read_header(id).map_or(0, |(size, _)| size as u64);
    let binary = delta.flags().is_binary().then(|| (size(old.id()), size(new.id())));
    let shown = if kind == ChangeKind::Deleted { &old } else { &new };
    let mut file = FilePatch {
        path: name(shown),
        old_path: (kind == ChangeKind::Renamed).then(|| name(&old)),
        kind,
        old_mode: u32::from(old.mode()),
        new_mode: u32::from(new.mode()),
        content: content(shown.path(), base, new_tree, &[old.id(), new.id()], u32::from(new.mode())),
        lines: patch.filter(|_| binary.is_none()).map(|patch| lines(&patch)).transpose()?.unwrap_or_default(),
        binary,
    };
    file.pair();
    Ok(file)
}

/// The same whether the whole change is read or what is new in it: what stands at the path on the base, and what now.
fn content(path: Option<&Path>, base: &Tree<'_>, new: &Tree<'_>, blobs: &[Oid; 2], mode: u32) -> String {
    let at = |tree: &Tree<'_>| path.and_then(|path| tree.get_path(path).ok()).map(|entry| entry.id());
    // A path that is no UTF-8 can't be looked up everywhere; its blobs tell it apart all the same.
    let (before, after) = match path {
        Some(_) => (at(base), at(new)),
        None => (Some(blobs[0]), Some(blobs[1])),
    };
    let text = format!("{path:?}\n{before:?}\n{after:?}\n{mode:o}");
    loopwright_core::hex(&Sha256::digest(text.as_bytes()))
}

fn lines(patch: &GitPatch<'_>) -> Result<Vec<PatchLine>> {
    let mut lines = Vec::new();
    for hunk in 0..patch.num_hunks() {
        let (header, count) = patch.hunk(hunk)?;
        let text = String::from_utf8_lossy(header.header()).trim_end().to_owned();
        lines.push(PatchLine { sign: Sign::Hunk, old: header.old_start(), new: header.new_start(), text, pair: None });
        for at in 0..count {
            let line = patch.line_in_hunk(hunk, at)?;
            let sign = match line.origin() {
                '+' => Sign::Added,
                '-' => Sign::Removed,
                ' ' => Sign::Same,
                _ => Sign::NoEnd,
            };
            let text = String::from_utf8_lossy(line.content());
            let text = match sign {
                Sign::NoEnd => "no line end at the end of the file".to_owned(),
                _ => text.strip_suffix('\n').unwrap_or(&text).to_owned(),
            };
            let (old, new) = (line.old_lineno().unwrap_or(0), line.new_lineno().unwrap_or(0));
            lines.push(PatchLine { sign, old, new, text, pair: None });
        }
    }
    Ok(lines)
}

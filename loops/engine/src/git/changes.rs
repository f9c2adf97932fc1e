//! What changed between two commits: as facts for the gates, and as the patch whose hash a person approves.
//!
//! Everything is said explicitly, so that no configuration and no attribute of a repository changes the result.

use anyhow::{Context, Result};
use git2::{Delta, Diff, DiffFindOptions, DiffFormat, DiffOptions, Oid, Patch, Repository, Tree};
use loopwright_core::diff::{ChangeKind, DiffFacts, FileChange};

use super::read::tree;
use super::repos::Repos;

/// Files larger than this many bytes are bytes, not lines.
const TEXT_LIMIT: i64 = 4 << 20;

/// The priority of a place for objects before all places on disk.
const IN_MEMORY_FIRST: i32 = 1000;

impl Repos {
    /// What changed from `base` to `commit`, sorted by path, with renames recognised.
    ///
    /// # Errors
    /// A commit is unknown.
    pub fn diff(&self, base: Oid, commit: Oid) -> Result<DiffFacts> {
        let repo = self.open_results()?;
        facts(&repo, &tree(&repo, base)?, &tree(&repo, commit)?)
            .with_context(|| format!("compare {base} with {commit}"))
    }

    /// The patch from `base` to `commit`: the same bytes for the same two trees on every machine; binaries are included whole.
    ///
    /// # Errors
    /// A commit is unknown.
    pub fn diff_text(&self, base: Oid, commit: Oid) -> Result<Vec<u8>> {
        let repo = self.open_results()?;
        text(&repo, &tree(&repo, base)?, &tree(&repo, commit)?).with_context(|| format!("print {base}..{commit}"))
    }

    /// The id of the change from `base` to `commit` apart from where it stands (line numbers, white space), as 40 hex digits.
    ///
    /// # Errors
    /// A commit is unknown.
    pub fn patch_id(&self, base: Oid, commit: Oid) -> Result<String> {
        let repo = self.open_results()?;
        let mut options = options();
        options.context_lines(3);
        let diff = between(&repo, &tree(&repo, base)?, &tree(&repo, commit)?, &mut options)?;
        Ok(diff.patchid(None).with_context(|| format!("patch id of {base}..{commit}"))?.to_string())
    }

    /// What became of a change: `before` carried onto the base of `now`, against `now`, as facts and as a patch. What others
    /// changed on the branch between both bases is no part of that. None where `before` does not fit the base of `now`.
    ///
    /// # Errors
    /// A commit is unknown or has no parent.
    pub fn update(&self, before: Oid, now: Oid) -> Result<Option<(DiffFacts, Vec<u8>)>> {
        let repo = self.open_results()?;
        let new = tree(&repo, now)?;
        let Some(carried) = carried(&repo, before, now)? else { return Ok(None) };
        Ok(Some((facts(&repo, &carried, &new)?, text(&repo, &carried, &new)?)))
    }
}

/// The change `before`, carried onto the base of `now`; none where it does not fit there.
pub(super) fn carried(repo: &Repository, before: Oid, now: Oid) -> Result<Option<Tree<'_>>> {
    // Whoever looks writes nothing: what is carried is kept in memory.
    repo.odb()?.add_new_mempack_backend(IN_MEMORY_FIRST).context("keep objects in memory")?;
    let old = tree(repo, before)?;
    let (old_base, new_base) = (base_tree(repo, before)?, base_tree(repo, now)?);
    let mut carried = repo
        .merge_trees(&old_base, &new_base, &old, None)
        .with_context(|| format!("carry {before} onto the base of {now}"))?;
    if carried.has_conflicts() {
        return Ok(None);
    }
    let written = carried.write_tree_to(repo).context("write the carried change")?;
    Ok(Some(repo.find_tree(written)?))
}

/// The tree that a change was made on.
fn base_tree(repo: &Repository, commit: Oid) -> Result<Tree<'_>> {
    let base = repo.find_commit(commit)?.parent_id(0).with_context(|| format!("the base of {commit}"))?;
    tree(repo, base)
}

fn facts(repo: &Repository, old: &Tree<'_>, new: &Tree<'_>) -> Result<DiffFacts> {
    let mut options = options();
    options.context_lines(0);
    let mut diff = between(repo, old, new, &mut options)?;
    let mut find = DiffFindOptions::new();
    find.renames(true).rename_threshold(50).rename_limit(1000);
    diff.find_similar(Some(&mut find)).context("find renames")?;
    let mut files = (0..diff.deltas().len()).map(|at| file_change(repo, &diff, at)).collect::<Result<Vec<_>>>()?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(DiffFacts { files })
}

fn text(repo: &Repository, old: &Tree<'_>, new: &Tree<'_>) -> Result<Vec<u8>> {
    let mut options = options();
    options.context_lines(3).show_binary(true);
    let diff = between(repo, old, new, &mut options)?;
    let mut text = Vec::new();
    diff.print(DiffFormat::Patch, |_, _, line| {
        if let '+' | '-' | ' ' = line.origin() {
            text.push(line.origin() as u8);
        }
        text.extend_from_slice(line.content());
        true
    })?;
    Ok(text)
}

pub(super) fn options() -> DiffOptions {
    let mut options = DiffOptions::new();
    options
        .interhunk_lines(0)
        .id_abbrev(40)
        .max_size(TEXT_LIMIT)
        .old_prefix("a/")
        .new_prefix("b/")
        .include_typechange(false)
        .indent_heuristic(false);
    options
}

pub(super) fn between<'r>(
    repo: &'r Repository,
    old: &Tree<'_>,
    new: &Tree<'_>,
    options: &mut DiffOptions,
) -> Result<Diff<'r>> {
    repo.diff_tree_to_tree(Some(old), Some(new), Some(options))
        .with_context(|| format!("compare tree {} with {}", old.id(), new.id()))
}

fn file_change(repo: &Repository, diff: &Diff<'_>, at: usize) -> Result<FileChange> {
    // Made first: only then is it known whether the content is text.
    let patch = Patch::from_diff(diff, at)?;
    let delta = diff.get_delta(at).context("a delta vanished")?;
    let (old, new) = (delta.old_file(), delta.new_file());
    let path = |file: &git2::DiffFile<'_>| String::from_utf8_lossy(file.path_bytes().unwrap_or_default()).into_owned();
    let kind = match delta.status() {
        Delta::Added => ChangeKind::Added,
        Delta::Deleted => ChangeKind::Deleted,
        Delta::Renamed => ChangeKind::Renamed,
        _ => ChangeKind::Modified,
    };
    let binary = delta.flags().is_binary();
    let (added, removed) = match patch {
        Some(patch) if !binary => lines(&patch)?,
        _ => Default::default(),
    };
    Ok(FileChange {
        path: path(if kind == ChangeKind::Deleted { &old } else { &new }),
        old_path: (kind == ChangeKind::Renamed).then(|| path(&old)),
        kind,
        old_mode: u32::from(old.mode()),
        new_mode: u32::from(new.mode()),
        binary,
        size: repo.odb()?.read_header(new.id()).map_or(0, |(size, _)| size as u64),
        added,
        removed,
    })
}

/// Lines with their numbers.
type Lines = Vec<(u32, String)>;

fn lines(patch: &Patch<'_>) -> Result<(Lines, Lines)> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for hunk in 0..patch.num_hunks() {
        for at in 0..patch.num_lines_in_hunk(hunk)? {
            let line = patch.line_in_hunk(hunk, at)?;
            let text = || String::from_utf8_lossy(line.content()).trim_end_matches('\n').to_owned();
            match line.origin() {
                '+' => added.push((line.new_lineno().unwrap_or(0), text())),
                '-' => removed.push((line.old_lineno().unwrap_or(0), text())),
                _ => {}
            }
        }
    }
    Ok((added, removed))
}

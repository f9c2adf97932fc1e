//! Collecting an attempt: what changed is measured, committed from a clean git directory in a second box, and imported as a bundle.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use git2::Oid;
use loopwright_core::check::Ended;

use super::boxed::{self, Beside, CommitBox, TOO_LARGE};
use super::{Workspace, Workspaces};
use crate::fail;

/// How an attempt came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collected {
    /// As one commit on the base, under `refs/loopwright/attempts/<name>`.
    Commit {
        /// The commit.
        commit: Oid,
        /// Its tree.
        tree: Oid,
    },
    /// Nothing differs from the base.
    Empty,
    /// It can't be taken; for the next attempt and the person.
    Refused {
        /// Why (names in it are untrusted but free of control characters).
        why: String,
    },
}

/// What an attempt may change at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimits {
    /// Bytes of one file.
    pub file: u64,
    /// Changed files.
    pub files: usize,
    /// Bytes of all changed files.
    pub total: u64,
}

impl Default for SizeLimits {
    fn default() -> SizeLimits {
        SizeLimits { file: 20 << 20, files: 5_000, total: 200 << 20 }
    }
}

/// Most names that a refusal lists.
const LISTED: usize = 10;

impl Workspaces<'_> {
    /// Commits what an agent left in a workspace as one commit on `base`, and imports it.
    /// Nothing of the workspace's own `.git` is used; the agent must have ended.
    ///
    /// # Errors
    /// The workspace vanished or was replaced, or the sandbox or the import fails. What is wrong with its content is
    /// [`Collected::Refused`].
    pub fn collect(&self, workspace: &Workspace, base: Oid, message: &str, at: DateTime<Utc>) -> Result<Collected> {
        self.collect_as(&format!("refs/loopwright/attempts/{}", workspace.name), workspace, base, message, at)
    }

    /// The same under the ref `name`.
    ///
    /// # Errors
    /// As [`Workspaces::collect`].
    pub(super) fn collect_as(
        &self,
        name: &str,
        workspace: &Workspace,
        base: Oid,
        message: &str,
        at: DateTime<Utc>,
    ) -> Result<Collected> {
        self.verify(workspace)?;
        let home = self.home(&workspace.name)?;
        let order = CommitBox {
            base,
            base_tree: self.repos.tree_of(base)?,
            message,
            limits: SizeLimits::default(),
            bundle: home.join("result.bundle"),
        };
        let collected = self.collect_from(&home, workspace, &order, name, at);
        collected.with_context(|| format!("collect workspace {}", workspace.name))
    }

    fn collect_from(
        &self,
        home: &Path,
        workspace: &Workspace,
        order: &CommitBox<'_>,
        name: &str,
        at: DateTime<Utc>,
    ) -> Result<Collected> {
        let beside = Beside::of(home);
        forget(&order.bundle)?;
        let committed = self.commit(workspace, &beside, order)?;
        let collected = match committed {
            Ok(()) => self.take(name, order, at),
            Err(why) => Ok(Collected::Refused { why }),
        };
        forget(&order.bundle)?;
        collected
    }

    /// Commits, after making unreadable files and folders readable if there are any; or says why not.
    fn commit(&self, workspace: &Workspace, beside: &Beside, order: &CommitBox<'_>) -> Result<Result<(), String>> {
        let spec = boxed::commit(&workspace.path, self.repos.base_path(), beside, order);
        let mut output = self.sandbox.run(&spec)?;
        if matches!(output.ended, Ended::Exited(code) if code != 0 && code != TOO_LARGE) {
            self.sandbox.run(&boxed::normalise(&workspace.path))?;
            forget(&order.bundle)?;
            output = self.sandbox.run(&spec)?;
        }
        match output.ended {
            Ended::Exited(0) => Ok(Ok(())),
            Ended::Exited(TOO_LARGE) => self.survey(workspace, beside, order.limits).map(Err),
            ended => Ok(Err(format!("its changes can't be committed ({ended:?}): {}", shown(&output.stderr)))),
        }
    }

    /// Says what is too large or no file.
    fn survey(&self, workspace: &Workspace, beside: &Beside, limits: SizeLimits) -> Result<String> {
        let output = self.sandbox.run(&boxed::survey(&workspace.path, self.repos.base_path(), beside))?;
        Ok(match output.ended {
            Ended::Exited(0) => {
                judge(&output.stdout, limits).err().unwrap_or_else(|| "its changes are too large".to_owned())
            }
            ended => format!("its changes are too many to list ({ended:?})"),
        })
    }

    /// Imports the bundle and writes the commit anew, under the ref `name`.
    fn take(&self, name: &str, order: &CommitBox<'_>, at: DateTime<Utc>) -> Result<Collected> {
        if fs::metadata(&order.bundle).map_or(0, |m| m.len()) == 0 {
            return Ok(Collected::Empty);
        }
        let tree = match self.repos.import(&order.bundle) {
            Ok(tree) => tree,
            Err(why) => {
                return Ok(Collected::Refused {
                    why: format!("its objects are refused: {}", shown(format!("{why:#}").as_bytes())),
                });
            }
        };
        let submodules = self.repos.new_submodules(order.base, tree)?;
        if !submodules.is_empty() {
            return Ok(Collected::Refused { why: format!("it adds submodules: {}", listed(&submodules)) });
        }
        let commit = self.repos.commit_tree(tree, &[order.base], order.message, at)?;
        fail::point("attempt-imported");
        self.repos.point(name, commit)?;
        fail::point("attempt-ref");
        Ok(Collected::Commit { commit, tree })
    }
}

/// Removes a bundle that is not needed any more, or was left by a process that died.
fn forget(bundle: &Path) -> Result<()> {
    match fs::remove_file(bundle) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e).with_context(|| format!("remove {}", bundle.display())),
        _ => Ok(()),
    }
}

/// Judges a survey: the number of changed names, then `mode size name` of those that exist, each ended by NUL.
fn judge(survey: &[u8], limits: SizeLimits) -> Result<(), String> {
    let text = String::from_utf8_lossy(survey);
    let (count, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let count: usize = count.trim().parse().map_err(|_| "its changes can't be listed".to_owned())?;
    if count > limits.files {
        return Err(format!("it changes {count} files, more than {}", limits.files));
    }
    let (mut total, mut large, mut nested) = (0u64, Vec::new(), Vec::new());
    for record in rest.split('\0').filter(|r| !r.is_empty()) {
        let mut parts = record.splitn(3, ' ');
        let (mode, size, name) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
        let mode = mode.and_then(|m| u32::from_str_radix(m, 16).ok()).unwrap_or(0);
        let size: u64 = size.and_then(|s| s.parse().ok()).unwrap_or(0);
        match mode & 0o170_000 {
            0o040_000 => nested.push(name.trim_end_matches('/').to_owned()),
            0o100_000 if size > limits.file => large.push(format!("{name} ({} MB)", size >> 20)),
            _ => total = total.saturating_add(size),
        }
    }
    if !nested.is_empty() {
        return Err(format!("it holds other git repositories: {}", listed(&nested)));
    }
    if !large.is_empty() {
        return Err(format!("files larger than {} MB: {}", limits.file >> 20, listed(&large)));
    }
    if total > limits.total {
        return Err(format!("its changed files have {} MB, more than {}", total >> 20, limits.total >> 20));
    }
    Ok(())
}

fn listed(names: &[String]) -> String {
    let mut text = names.iter().take(LISTED).map(|n| shown(n.as_bytes())).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}

/// Untrusted text for one line.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim().chars().take(400).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SizeLimits = SizeLimits { file: 2 << 20, files: 3, total: 3 << 20 };

    #[test]
    fn a_survey_is_judged() {
        for (survey, verdict) in [
            ("0\n", Ok(())),
            ("2\n81a4 10 a b\0a1ff 3 link\0", Ok(())),
            ("4\n", Err("it changes 4 files, more than 3")),
            ("1\n81a4 3145728 big\nname\0", Err("files larger than 2 MB: big name (3 MB)")),
            ("2\n81a4 2000000 a\x0081a4 2000000 b\0", Err("its changed files have 3 MB, more than 3")),
            ("1\n41ed 4096 nested/\0", Err("it holds other git repositories: nested")),
            ("what\n", Err("its changes can't be listed")),
        ] {
            assert_eq!(judge(survey.as_bytes(), LIMITS), verdict.map_err(str::to_owned), "{survey:?}");
        }
    }
}

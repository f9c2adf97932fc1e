//! The forge that every repository has: issues are files on the base commit, pull requests are refs of the engine's repository.
//!
//! Rows, states and reviews of pull requests are not here: they belong to the store.

use anyhow::{Context, Result, ensure};
use git2::{ErrorCode, Oid};
use loopwright_core::ids::PullRequestId;

use super::issues::{self, Issues};
use super::{Forge, PullRequestDraft, PullRequestRef};
use crate::git::Repos;

/// The local forge of one repository.
pub struct LocalForge<'a> {
    /// The engine's repositories.
    pub repos: &'a Repos,
}

impl Forge for LocalForge<'_> {
    fn open_issues(&self, base: Oid) -> Result<Issues> {
        issues::open_at(self.repos, base)
    }

    fn open_pull_request(&self, draft: &PullRequestDraft) -> Result<PullRequestRef> {
        let name = reference(draft.id);
        let repo = self.repos.open_results()?;
        repo.find_commit(draft.commit).with_context(|| format!("read commit {}", draft.commit))?;
        let created = repo.reference(&name, draft.commit, false, "open pull request");
        match created {
            Ok(_) => {}
            Err(e) if e.code() == ErrorCode::Exists => {
                let now = repo.refname_to_id(&name).with_context(|| format!("read {name}"))?;
                ensure!(now == draft.commit, "pull request {} is open with another commit, {now}", draft.id.short());
            }
            Err(e) => return Err(e).with_context(|| format!("open pull request {name}")),
        }
        Ok(PullRequestRef { id: draft.id, name, commit: draft.commit })
    }

    fn close_pull_request(&self, id: PullRequestId) -> Result<()> {
        let repo = self.repos.open_results()?;
        match repo.find_reference(&reference(id)) {
            Ok(mut found) => found.delete().with_context(|| format!("close pull request {}", id.short())),
            Err(e) if e.code() == ErrorCode::NotFound => Ok(()),
            Err(e) => Err(e).with_context(|| format!("find pull request {}", id.short())),
        }
    }
}

impl LocalForge<'_> {
    /// Shows another commit under a pull request: a new attempt after it was sent back, a rebase, or what its row says.
    /// What may be merged is never read from here.
    ///
    /// # Errors
    /// The commit is unknown, or the ref can't be written.
    pub fn update_pull_request(&self, id: PullRequestId, commit: Oid) -> Result<PullRequestRef> {
        let name = reference(id);
        let repo = self.repos.open_results()?;
        let now = repo.refname_to_id(&name).ok();
        if now != Some(commit) {
            repo.reference(&name, commit, true, "update pull request")
                .with_context(|| format!("update pull request {}", id.short()))?;
        }
        Ok(PullRequestRef { id, name, commit })
    }
}

/// The ref of a pull request.
pub(super) fn reference(id: PullRequestId) -> String {
    format!("refs/loopwright/pr/{id}")
}

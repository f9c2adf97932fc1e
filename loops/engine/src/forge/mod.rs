//! The port `Forge`: where issues come from and where pull requests go. [`local`] needs nothing but the repository itself.

pub mod issues;
pub mod local;

mod checked_out;
mod land;
mod worktree;

use anyhow::Result;
use git2::Oid;
use loopwright_core::ids::PullRequestId;

pub use issues::{Issue, Issues};
pub use land::{Guard, Landed, Landing, is_on, land, lock};

/// What is asked of a forge.
pub trait Forge {
    /// The issues that are open at a commit of the base, and what could not be read.
    ///
    /// # Errors
    /// The forge can't be reached or the commit is unknown; a bad issue is a note.
    fn open_issues(&self, base: Oid) -> Result<Issues>;

    /// Opens a pull request, or says where it already is: the same draft twice opens one.
    ///
    /// # Errors
    /// The commit is unknown, or another commit is open under the same id.
    fn open_pull_request(&self, draft: &PullRequestDraft) -> Result<PullRequestRef>;

    /// Takes a pull request away that is not wanted any more; one that is not there is no fault.
    ///
    /// # Errors
    /// The forge refuses.
    fn close_pull_request(&self, id: PullRequestId) -> Result<()>;
}

/// A pull request to be opened. Title and body are harmless text already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestDraft {
    /// Its identity and idempotency key.
    pub id: PullRequestId,
    /// One line.
    pub title: String,
    /// Markdown.
    pub body: String,
    /// The branch it is to land on.
    pub branch: String,
    /// The commit of that branch it stands on.
    pub base: Oid,
    /// The change.
    pub commit: Oid,
}

/// An open pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestRef {
    /// Its identity.
    pub id: PullRequestId,
    /// What the forge calls it: a ref, or a number.
    pub name: String,
    /// What it shows.
    pub commit: Oid,
}

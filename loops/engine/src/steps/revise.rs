//! How a run begins that works on a pull request again: where its change starts, and what its maker is told.

use anyhow::{Context as _, Result};
use git2::Oid;
use loopwright_core::check::text;
use loopwright_core::run::{Item, Revise, Revision, Run};
use loopwright_core::verdict::Verdict;

use super::Work;
use super::build::Told;
use crate::agent::rebase::{Carried, carry};
use crate::store::{pull_requests, reviews, runs};
use crate::workspace::{Origin, Workspace};

/// The workspace of the first attempt: the change that was shown, carried onto the base; or the base, where it does not fit
/// any more.
///
/// # Errors
/// The workspace can't be made, or the sandbox refuses.
pub(super) fn workspace(work: &Work, name: &str, revision: &Revision, item: &Item) -> Result<(Workspace, Told)> {
    let shown = Oid::from_str(&revision.commit).context("the commit that was shown")?;
    let base = work.code()?.base.commit;
    let told = Told::of(item);
    if revision.why != Revise::Moved && work.code()?.repos.stands_on(shown, base)? {
        return Ok((work.workspaces()?.create(name, shown, Origin::Results)?, told));
    }
    let made = work.workspaces()?.create(name, base, Origin::BaseWith(shown))?;
    // The maker of a moved change carries it by itself, and tells of conflicts.
    if revision.why == Revise::Moved {
        return Ok((made, told));
    }
    let carried = carry(&work.sandbox, &made.path, shown);
    if let Ok(Carried::Clean) = carried {
        return Ok((made, told));
    }
    work.workspaces()?.discard(made)?;
    let mut told = told;
    if let Carried::Conflict { files } = carried? {
        told.reasons.push(format!(
            "the earlier change conflicts with the branch as it is now, in {files}: this starts from the branch"
        ));
    }
    Ok((work.workspaces()?.create(name, base, Origin::Base)?, told))
}

/// What the person who sent it back wants to be different.
pub(super) fn persons_words(run: &Run) -> Option<&str> {
    match &run.start.revises.as_ref()?.why {
        Revise::SentBack { note } => Some(note),
        Revise::Moved => None,
    }
}

/// Why people rejected earlier changes for a finding, for the first round of another one.
///
/// # Errors
/// The store can't be read.
pub(super) fn rejections(work: &Work, item: &Item) -> Result<Vec<String>> {
    let said = reviews::rejections(work.store.read(), work.row.id, &item.queued.finding)?;
    let told = said.iter().map(|why| format!("a person rejected an earlier change: {}", text::line(why)));
    Ok(item.reasons.iter().cloned().chain(told).collect())
}

/// The same change on a newer base keeps what the checker said of it: the gates ran again, and only they had to.
///
/// # Errors
/// The store or a commit can't be read.
pub(super) fn keep_the_checkers_word(
    work: &Work,
    revision: &Revision,
    commit: Oid,
    verdict: &mut Verdict,
) -> Result<()> {
    let Some(record) = pull_requests::by_id(work.store.read(), revision.pull_request)? else { return Ok(()) };
    if work.code()?.repos.patch_id(work.code()?.base.commit, commit)? != record.patch_id {
        return Ok(());
    }
    let (earlier, _, _) = runs::attempt(work.store.read(), &record.attempt)?;
    if let Some(earlier) = earlier {
        verdict.checker = earlier.checker;
        verdict.checked_by = earlier.checked_by;
        verdict.not_independent = earlier.not_independent;
    }
    Ok(())
}

//! Landing what was approved, now or at a later pass: the only writing to the user's repository.
//!
//! What lands is what the journal says was approved; a row or a ref that says otherwise refuses.

use std::fs::File;

use anyhow::{Context as _, Result, bail, ensure};
use chrono::{DateTime, Utc};
use git2::Oid;
use loopwright_core::finding::{FindingState, Fingerprint};
use loopwright_core::review::text::{self, Story};
use loopwright_core::review::{Event, Shown, State};
use sha2::{Digest, Sha256};

use super::reconcile::{Deed, failed};
use super::{ApproveView, Context, reviews, revise, run};
use crate::fail;
use crate::forge::local::LocalForge;
use crate::forge::{self, Guard, Landed, Landing, land};
use crate::git::{Repos, user_repository};
use crate::steps::stamp;
use crate::store::loops::LoopRow;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::{Store, findings, loops, runs};

/// Lands approved changes that waited, unless they are halted or can still be undone.
///
/// # Errors
/// The store can't be read.
pub(super) fn land_waiting(context: &Context, store: &mut Store) -> Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    for record in stored::list(store.read(), false)? {
        if let Err(error) = keep_ref(context, store, &record) {
            tracing::warn!(pull_request = %record.id, "its ref could not be brought in line: {error:#}");
        }
        let row = loops::by_id(store.read(), record.loop_id)?;
        if record.state != "approved" || is_ahead(context, record.lands_at.as_deref()) {
            continue;
        }
        if let Err(halted) = run::refuse_halted(context, &row) {
            deeds.push(revise::halted(record.id, halted));
            continue;
        }
        match land_approved(context, store, &record) {
            Ok(ApproveView::Merged { commit, branch, .. }) => {
                deeds.push(Deed::Landed { pull_request: record.id, commit, branch });
            }
            Ok(ApproveView::Moved { why, .. }) => deeds.push(Deed::GaveBack { pull_request: record.id, why }),
            Ok(ApproveView::Waiting { why, command }) => {
                deeds.push(Deed::Held { pull_request: record.id, why, command: Some(command), halted: false });
            }
            // What is checked again is told where its run begins.
            Ok(ApproveView::Checking { .. } | ApproveView::Scheduled { .. }) => {}
            Err(error) => deeds.push(failed(format!("approved change {}", record.id.short()), &error)),
        }
    }
    Ok(deeds)
}

/// A run that was cut off while it showed something new may have left the ref where the row is not.
fn keep_ref(context: &Context, store: &Store, record: &PullRequestRecord) -> Result<()> {
    let row = loops::by_id(store.read(), record.loop_id)?;
    let live = runs::live(store.read())?.iter().any(|r| r.loop_id == row.id);
    if !live {
        let repos = Repos::open(&context.home.data, row.repo)?;
        LocalForge { repos: &repos }.update_pull_request(record.id, Oid::from_str(&record.commit)?)?;
    }
    Ok(())
}

/// Whether a stored time is still to come.
pub(super) fn is_ahead(context: &Context, at: Option<&str>) -> bool {
    let at = at.and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    at.is_some_and(|at| at.with_timezone(&Utc) > context.now)
}

/// Lands an approved pull request, or says why not yet.
///
/// # Errors
/// It is not what was approved, or a repository or the store can't be read or written.
pub(super) fn land_approved(context: &Context, store: &mut Store, record: &PullRequestRecord) -> Result<ApproveView> {
    let row = loops::by_id(store.read(), record.loop_id)?;
    let repos = Repos::open(&context.home.data, row.repo)?;
    refuse_unlike_shown(&repos, record, &record.shown())?;
    let order = order(store, &row, record)?;
    let now = stamp(context.now);
    let landed = land(&repos, &order, &mut Desk { context, store: &mut *store, row: &row, record, at: &now })?;
    Ok(match landed {
        Landed::Merged { commit } => {
            let (branch, repo) = (record.branch.clone(), row.repo_path.display().to_string());
            ApproveView::Merged { commit: commit.to_string(), branch, repo }
        }
        Landed::Waiting { why, command } => {
            waiting(store, record, &why, &now)?;
            ApproveView::Waiting { why, command }
        }
        // It stays approved and lands when a person resumes.
        Landed::Halted { why } => {
            let hint = run::refuse_halted(context, &row).err().and_then(|e| e.hint);
            ApproveView::Waiting { why, command: hint.unwrap_or_else(|| "loopwright status".to_owned()) }
        }
        Landed::Moved { now: moved } => revise::moved(context, store, &row, record, moved)?,
    })
}

/// The patch of today must be the patch that was stored when it was shown, made of the tree that was shown.
///
/// # Errors
/// It is not, or can't be read.
pub(super) fn refuse_unlike_shown(repos: &Repos, record: &PullRequestRecord, shown: &Shown) -> Result<()> {
    let commit = Oid::from_str(&shown.commit)?;
    let diff = repos.diff_text(Oid::from_str(&record.base)?, commit)?;
    let same = loopwright_core::hex(&Sha256::digest(&diff)) == shown.diff_sha256;
    ensure!(
        same && repos.tree_of(commit)?.to_string() == shown.tree,
        "the change is not the one that was shown; nothing was merged"
    );
    Ok(())
}

/// Writes down why it waits: once, the same reason again is no news.
pub(super) fn waiting(store: &mut Store, record: &PullRequestRecord, why: &str, at: &str) -> Result<()> {
    let said = match stored::state(store.read(), record.id)? {
        Some(State::Approved { waiting, .. }) => waiting,
        _ => None,
    };
    if said.as_deref() == Some(why) {
        return Ok(());
    }
    stored::advance(store, record.id, &Event::Waiting { why: why.to_owned() }, at, |_| Ok(()))
}

/// The journal of a pull request and the kill switch, for its landing.
struct Desk<'a> {
    context: &'a Context,
    store: &'a mut Store,
    row: &'a LoopRow,
    record: &'a PullRequestRecord,
    at: &'a str,
}

impl Guard for Desk<'_> {
    fn begun(&self) -> Result<Option<Oid>> {
        let commit = match stored::state(self.store.read(), self.record.id)? {
            Some(State::Approved { shown, landing, .. }) if shown == self.record.shown() => landing,
            // Another process was faster.
            Some(State::Merged { commit }) => Some(commit),
            Some(State::Approved { .. }) => {
                bail!("the pull request changed since it was looked at; nothing was merged")
            }
            Some(other) => bail!("it is {} now; nothing was merged", other.word()),
            None => bail!("the pull request is gone"),
        };
        commit.map(|c| Oid::from_str(&c).with_context(|| format!("the landing commit {c}"))).transpose()
    }

    fn begin(&mut self, commit: Oid, committer: &str) -> Result<()> {
        let event = Event::Landing { commit: commit.to_string(), committer: committer.to_owned() };
        stored::advance(self.store, self.record.id, &event, self.at, |_| Ok(()))
    }

    fn halted(&self) -> Option<String> {
        run::refuse_halted(self.context, self.row).err().map(|error| error.message)
    }

    fn landed(&mut self, commit: Oid) -> Result<()> {
        merged(self.store, self.record, &commit.to_string(), self.at)?;
        fail::point("merged-written");
        Ok(())
    }
}

fn order(store: &Store, row: &LoopRow, record: &PullRequestRecord) -> Result<Landing> {
    let start = reviews::run_start(store, record)?;
    let (verdict, _, _) = runs::attempt(store.read(), &record.attempt)?;
    let linked = stored::findings(store.read(), record.id)?;
    let first = linked.first().context("the pull request has no finding")?;
    let known = findings::one(store.read(), record.loop_id, &first.finding)?.context("its finding is unknown")?;
    let closes: Vec<u32> = linked.iter().filter_map(|l| l.issue.as_ref()?.parse().ok()).collect();
    let run = record.run.to_string();
    let (attempts, cost) = runs::on_pull_request(store.read(), record.id)?;
    let message = text::message(&Story {
        finding: &known.finding,
        verdict: &verdict.context("its verdict is not stored")?,
        stat: runs::attempt_stat(store.read(), &record.attempt)?,
        maker: &start.maker.kind,
        summary: None,
        cost,
        attempts,
        run: &run,
        closes: &closes,
    });
    Ok(Landing {
        id: record.id,
        user: user_repository(&row.repo_path)?,
        branch: record.branch.clone(),
        base: Oid::from_str(&record.base)?,
        commit: Oid::from_str(&record.commit)?,
        merge: start.review.merge,
        message,
        at: approved_at(store, record)?,
    })
}

/// Writes down that it landed; another process that tried at the same time may have done so already.
fn merged(store: &mut Store, record: &PullRequestRecord, commit: &str, at: &str) -> Result<()> {
    let linked: Vec<Fingerprint> = stored::findings(store.read(), record.id)?.into_iter().map(|l| l.finding).collect();
    let event = Event::Merged { commit: commit.to_owned() };
    let written = stored::advance(store, record.id, &event, at, |tx| {
        linked.iter().try_for_each(|f| findings::set_state(tx, record.loop_id, f, &FindingState::Done { landed: true }))
    });
    match written {
        Err(_) if matches!(stored::state(store.read(), record.id)?, Some(State::Merged { .. })) => Ok(()),
        written => written,
    }
}

/// Keeps landings away while a decision is taken, and says where the pull request stands. What has landed already, by hand or
/// by a process that died, is written down as merged.
///
/// # Errors
/// The repository or the store can't be read.
pub(super) fn hold(context: &Context, store: &mut Store, record: &PullRequestRecord) -> Result<(File, State)> {
    let row = loops::by_id(store.read(), record.loop_id)?;
    let held = forge::lock(&Repos::open(&context.home.data, row.repo)?)?;
    let state = stored::state(store.read(), record.id)?.context("the pull request is gone")?;
    let State::Approved { landing: Some(commit), .. } = &state else { return Ok((held, state)) };
    let landed = Oid::from_str(commit).context("the landing commit")?;
    if !forge::is_on(&user_repository(&row.repo_path)?, &record.branch, landed)? {
        return Ok((held, state));
    }
    merged(store, record, commit, &stamp(context.now))?;
    Ok((held, State::Merged { commit: commit.clone() }))
}

/// When it was approved: the time of the landing commit.
fn approved_at(store: &Store, record: &PullRequestRecord) -> Result<DateTime<Utc>> {
    let events = stored::events(store.read(), record.id)?;
    let approved = events.iter().rev().find(|(_, event)| matches!(event, Event::Approved { .. }));
    let (at, _) = approved.context("it was never approved")?;
    Ok(DateTime::parse_from_rfc3339(at).context("the time of the approval")?.with_timezone(&Utc))
}

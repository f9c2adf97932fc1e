//! `approve`: lands exactly what was shown, or says why not yet. The only verb that writes to the user's repository.

use anyhow::{Context as _, Result as AnyResult};
use chrono::{DateTime, Utc};
use git2::Oid;
use loopwright_core::exit;
use loopwright_core::finding::{FindingState, Fingerprint};
use loopwright_core::ids::ReviewId;
use loopwright_core::review::text::{self, Story};
use loopwright_core::review::{self, Event, Shown, State, Via};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{ApiError, ApproveView, Context, reviews, run};
use crate::fail;
use crate::forge::{Guard, Landed, Landing, land};
use crate::git::{Repos, user_repository};
use crate::steps::stamp;
use crate::store::loops::LoopRow;
use crate::store::pull_requests::{self as stored, PullRequestRecord, Turn};
use crate::store::{Store, findings, loops, runs};

/// Approves a pull request by the first 12 or more digits of the tree that was shown, and lands it.
///
/// # Errors
/// It is halted, something else is shown by now, or it is decided already; nothing was written then.
pub fn approve(context: &Context, typed: &str, tree: &str) -> Result<ApproveView, ApiError> {
    let mut store = context.landing()?;
    let record = reviews::find(&store, typed)?;
    let row = loops::by_id(store.read(), record.loop_id)?;
    run::refuse_halted(context, &row)?;
    let shown = shown(&record);
    review::bind(&shown, tree)
        .map_err(|error| ApiError::new(exit::USAGE, error).hint(format!("loopwright review {}", record.id.short())))?;
    refuse_unlike_shown(context, &row, &record)?;
    if record.state == "open" {
        let event = Event::Approved { shown, via: Via::Terminal };
        let (id, at) = (ReviewId(Uuid::now_v7()), stamp(context.now));
        let turn = Turn { event, word: "approved", merged: None, at: &at };
        stored::advance(&mut store, record.id, &turn, |tx| {
            stored::reviewed(tx, id, record.id, "approve", &record.tree, &at)
        })?;
        fail::point("approved-written");
    } else if record.state != "approved" {
        return Err(ApiError::new(exit::FAILED, format!("it is {} already", record.state)));
    }
    Ok(land_approved(context, &mut store, &record)?)
}

fn shown(record: &PullRequestRecord) -> Shown {
    Shown {
        commit: record.commit.clone(),
        tree: record.tree.clone(),
        patch_id: record.patch_id.clone(),
        diff_sha256: record.diff_sha256.clone(),
    }
}

/// The patch of today must be the patch that was stored when it was opened.
fn refuse_unlike_shown(context: &Context, row: &LoopRow, record: &PullRequestRecord) -> Result<(), ApiError> {
    let diff = reviews::diff(context, row, record)?;
    if loopwright_core::hex(&Sha256::digest(&diff)) == record.diff_sha256 {
        return Ok(());
    }
    Err(ApiError::new(exit::FAILED, "the change is not the one that was shown; nothing was merged"))
}

/// Lands an approved pull request, now or at a later pass.
pub(super) fn land_approved(
    context: &Context,
    store: &mut Store,
    record: &PullRequestRecord,
) -> AnyResult<ApproveView> {
    let row = loops::by_id(store.read(), record.loop_id)?;
    let repos = Repos::open(&context.home.data, row.repo)?;
    let at = approved_at(store, record)?;
    let now = stamp(context.now);
    let order = landing(store, &row, record, at)?;
    let landed = land(&repos, &order, &mut Desk { context, store: &mut *store, row: &row, record, at: &now })?;
    Ok(match landed {
        Landed::Merged { commit } => {
            merged(store, record, &commit.to_string(), &now)?;
            fail::point("merged-written");
            let (branch, repo) = (record.branch.clone(), row.repo_path.display().to_string());
            ApproveView::Merged { commit: commit.to_string(), branch, repo }
        }
        Landed::Waiting { why, command } => {
            // Said once; the same reason again is no news.
            if last_waiting(store, record)?.as_deref() != Some(why.as_str()) {
                let turn =
                    Turn { event: Event::Waiting { why: why.clone() }, word: "approved", merged: None, at: &now };
                stored::advance(store, record.id, &turn, |_| Ok(()))?;
            }
            ApproveView::Waiting { why, command }
        }
        // It stays approved and lands when a person resumes.
        Landed::Halted { why } => {
            let hint = run::refuse_halted(context, &row).err().and_then(|e| e.hint);
            ApproveView::Waiting { why, command: hint.unwrap_or_else(|| "loopwright status".to_owned()) }
        }
        Landed::Moved { now: moved } => {
            let at = moved.map_or_else(|| "gone".to_owned(), |oid| oid.to_string());
            if record_state(store, record)? == "approved" {
                let turn = Turn { event: Event::Undone, word: "open", merged: None, at: &now };
                stored::advance(store, record.id, &turn, |_| Ok(()))?;
            }
            let first = stored::findings(store.read(), record.id)?;
            let finding = first.first().context("the pull request has no finding")?.finding.short().to_owned();
            let command = format!("loopwright run {} --finding {finding}", record.loop_name);
            ApproveView::Moved { now: at, command }
        }
    })
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
    fn begun(&self) -> AnyResult<Option<Oid>> {
        let commit = match stored::state(self.store.read(), self.record.id)? {
            Some(State::Approved { landing, .. }) => landing,
            // Another process was faster.
            Some(State::Merged { commit }) => Some(commit),
            _ => None,
        };
        commit.map(|c| Oid::from_str(&c).with_context(|| format!("the landing commit {c}"))).transpose()
    }

    fn begin(&mut self, commit: Oid, committer: &str) -> AnyResult<()> {
        let event = Event::Landing { commit: commit.to_string(), committer: committer.to_owned() };
        let turn = Turn { event, word: "approved", merged: None, at: self.at };
        stored::advance(self.store, self.record.id, &turn, |_| Ok(()))
    }

    fn halted(&self) -> Option<String> {
        run::refuse_halted(self.context, self.row).err().map(|error| error.message)
    }
}

fn landing(store: &Store, row: &LoopRow, record: &PullRequestRecord, at: DateTime<Utc>) -> AnyResult<Landing> {
    let start = reviews::run_start(store, record)?;
    let (verdict, iterations, cost) = runs::attempt(store.read(), &record.attempt)?;
    let linked = stored::findings(store.read(), record.id)?;
    let first = linked.first().context("the pull request has no finding")?;
    let known = findings::one(store.read(), record.loop_id, &first.finding)?.context("its finding is unknown")?;
    let closes: Vec<u32> = linked.iter().filter_map(|l| l.issue.as_ref()?.parse().ok()).collect();
    let run = record.run.to_string();
    let message = text::message(&Story {
        finding: &known.finding,
        verdict: &verdict.context("its verdict is not stored")?,
        stat: runs::attempt_stat(store.read(), &record.attempt)?,
        maker: &start.maker.kind,
        summary: None,
        cost,
        attempts: iterations,
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
        at,
    })
}

/// Writes down that it landed; another process that tried at the same time may have done so already.
fn merged(store: &mut Store, record: &PullRequestRecord, commit: &str, at: &str) -> AnyResult<()> {
    let linked: Vec<Fingerprint> = stored::findings(store.read(), record.id)?.into_iter().map(|l| l.finding).collect();
    let turn = Turn { event: Event::Merged { commit: commit.to_owned() }, word: "merged", merged: Some(commit), at };
    let written = stored::advance(store, record.id, &turn, |tx| {
        linked.iter().try_for_each(|f| findings::set_state(tx, record.loop_id, f, &FindingState::Done { landed: true }))
    });
    match written {
        Err(_) if record_state(store, record)? == "merged" => Ok(()),
        written => written,
    }
}

fn record_state(store: &Store, record: &PullRequestRecord) -> AnyResult<String> {
    Ok(stored::by_id(store.read(), record.id)?.context("the pull request is gone")?.state)
}

fn last_waiting(store: &Store, record: &PullRequestRecord) -> AnyResult<Option<String>> {
    Ok(match stored::state(store.read(), record.id)? {
        Some(State::Approved { waiting, .. }) => waiting,
        _ => None,
    })
}

/// When it was approved: the time of the landing commit.
fn approved_at(store: &Store, record: &PullRequestRecord) -> AnyResult<DateTime<Utc>> {
    let events = stored::events(store.read(), record.id)?;
    let approved = events.iter().rev().find(|(_, event)| matches!(event, Event::Approved { .. }));
    let (at, _) = approved.context("it was never approved")?;
    Ok(DateTime::parse_from_rfc3339(at).context("the time of the approval")?.with_timezone(&Utc))
}

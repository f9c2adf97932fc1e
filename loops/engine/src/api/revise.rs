//! Working on a pull request again: what a decision or a moved base asks for, and the runs that do it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use git2::Oid;
use loopwright_core::ids::{OccurrenceId, PullRequestId, RunId};
use loopwright_core::review::Event;
use loopwright_core::run::{Chores, Mode, Revise, Revision, RunStart};
use uuid::Uuid;

use super::reconcile::{Deed, failed};
use super::{ApiError, ApproveView, Context, landing, run};
use crate::agent::rebase::Rebase;
use crate::fail;
use crate::resolve::{self, AnyAgent, ResolveError, Resolved};
use crate::steps::stamp;
use crate::store::due::{self, Due};
use crate::store::loops::LoopRow;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::{Store, loops, runs};

/// What a decision asks for: it waits until its loop is free.
pub(super) fn due_now(context: &Context, record: &PullRequestRecord, trigger: &str, key: String, why: Revise) -> Due {
    Due {
        id: OccurrenceId(Uuid::now_v7()),
        loop_id: record.loop_id,
        trigger: trigger.to_owned(),
        key,
        due_at: stamp(context.now),
        zone: context.zone.to_string(),
        revises: Revision { pull_request: record.id, commit: record.commit.clone(), why },
    }
}

/// The branch of an approved change is no longer what it was made against: it is to be checked again there, or, where the
/// branch is gone, the person decides again.
///
/// # Errors
/// Nothing could be stored.
pub(super) fn moved(
    context: &Context,
    store: &mut Store,
    row: &LoopRow,
    record: &PullRequestRecord,
    tip: Option<Oid>,
) -> Result<ApproveView> {
    let (at, branch) = (stamp(context.now), &record.branch);
    let Some(tip) = tip else {
        let repo = row.repo_path.display();
        let why =
            format!("{branch} of {repo} is gone; to have it again: git -C '{repo}' branch '{branch}' {}", record.base);
        stored::advance(store, record.id, &Event::Reopened { why }, &at, |_| Ok(()))?;
        return given_back(store, record);
    };
    let why = format!("{branch} moved to {} since this was checked", &tip.to_string()[..12]);
    // Once for each approval and each place of the branch.
    let approvals = stored::events(store.read(), record.id)?;
    let approvals = approvals.iter().filter(|(_, e)| matches!(e, Event::Approved { .. })).count();
    let key = format!("{} {tip} {approvals}", record.id);
    let due = due_now(context, record, due::MOVED, key, Revise::Moved);
    landing::waiting(store, record, &why, &at)?;
    store.write(|tx| due::put(tx, &due))?;
    checking(store, record, tip.to_string(), why)
}

/// An approved change that is checked again, with its run as soon as that has begun.
pub(super) fn checking(store: &Store, record: &PullRequestRecord, now: String, why: String) -> Result<ApproveView> {
    let state = stored::by_id(store.read(), record.id)?.context("the pull request is gone")?;
    if state.state == "open" {
        return given_back(store, record);
    }
    let asked = due::last_on(store.read(), record.id)?;
    let run = asked.filter(|asked| matches!(asked.state.as_str(), "claimed" | "running")).and_then(|asked| asked.run);
    Ok(ApproveView::Checking { now, why, run })
}

/// A pull request that went back to the person, with what the journal says why.
pub(super) fn given_back(store: &Store, record: &PullRequestRecord) -> Result<ApproveView> {
    let events = stored::events(store.read(), record.id)?;
    let why = events.iter().rev().find_map(|(_, event)| match event {
        Event::Reopened { why } => Some(why.clone()),
        Event::Updated { .. } => Some("it shows something else now".to_owned()),
        _ => None,
    });
    let now = stored::by_id(store.read(), record.id)?.context("the pull request is gone")?;
    Ok(ApproveView::Moved {
        why: why.unwrap_or_else(|| format!("it is {} by now", now.state)),
        command: format!("loopwright review {}", record.id.short()),
    })
}

/// Begins what is due, tells what waits for a repair or under HALT, and gives back to the person what came to nothing.
///
/// # Errors
/// The store can't be read or written.
pub(super) fn begin_due(context: &Context, store: &mut Store) -> Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    for due in due::all(store.read())? {
        let row = loops::by_id(store.read(), due.loop_id)?;
        let busy = runs::live(store.read())?.iter().any(|r| r.loop_id == row.id);
        if busy {
            continue;
        }
        if let Err(error) = run::refuse_halted(context, &row) {
            // One that is approved is told by whoever lands it.
            let told = due.trigger == due::MOVED;
            deeds.extend((!told).then(|| halted(due.revises.pull_request, error)));
            continue;
        }
        let resolved = match ready(context, store, &row, &due) {
            Ok(resolved) => resolved,
            Err(error) => {
                deeds.push(held(due.revises.pull_request, error));
                continue;
            }
        };
        match begin(context, store, &row, (&due, &resolved)) {
            Ok(deed) => deeds.extend(deed),
            Err(error) => {
                deeds.push(failed(format!("the next run on {}", due.revises.pull_request.short()), &error));
                store.write(|tx| due::fail(tx, due.id, &format!("{error:#}")))?;
            }
        }
    }
    deeds.extend(give_back_lost(context, store)?);
    Ok(deeds)
}

/// The loop that is to work on it, if a run of it can begin. What is wrong here a person can repair: the decision waits
/// for that, and is not lost by it.
fn ready(context: &Context, store: &Store, row: &LoopRow, due: &Due) -> Result<Resolved> {
    let resolved = resolved(context, store, row, Some(&due.revises))?;
    resolve::refuse_unusable(&resolved)?;
    resolve::refuse_exposing(&context.home, row, &resolved, context.host.home.as_deref())?;
    run::refuse_unboxed(context)?;
    Ok(resolved)
}

/// What waits for a repair, with the command that does it where one does.
fn held(pull_request: PullRequestId, error: anyhow::Error) -> Deed {
    let command = match error.downcast_ref::<ResolveError>() {
        Some(ResolveError::Changed { path, now }) => Some(format!("loopwright add {path} --confirm {now}")),
        Some(ResolveError::Invalid { path, .. }) => Some(format!("loopwright check {path}")),
        _ => None,
    };
    let error = error.downcast::<ApiError>().unwrap_or_else(ApiError::from);
    let why = match (&command, error.hint) {
        (None, Some(hint)) => format!("{}; {hint}", error.message),
        _ => error.message,
    };
    Deed::Held { pull_request, why, command, halted: false }
}

/// What HALT holds, with the command that lifts it.
pub(super) fn halted(pull_request: PullRequestId, error: ApiError) -> Deed {
    Deed::Held { pull_request, why: error.message, command: error.hint, halted: true }
}

/// Why a decision on this pull request waits, and what a person may run about it, if a pass just said so.
pub(super) fn held_now(deeds: &[Deed], id: PullRequestId) -> Option<(String, Option<String>)> {
    deeds.iter().find_map(|deed| match deed {
        Deed::Held { pull_request, why, command, .. } if *pull_request == id => Some((why.clone(), command.clone())),
        _ => None,
    })
}

fn begin(
    context: &Context,
    store: &mut Store,
    row: &LoopRow,
    (due, resolved): (&Due, &Resolved),
) -> Result<Option<Deed>> {
    let id = RunId(Uuid::now_v7());
    let dir = context.home.run(id);
    let claim = run::new_run_dir(&dir)?;
    if !store.write(|tx| due::take(tx, due.id, id, &stamp(crate::clock::now())))? {
        // Another process was faster, or the loop began something else.
        std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
        return Ok(None);
    }
    let linked = stored::findings(store.read(), due.revises.pull_request)?;
    let finding = linked.into_iter().next().context("the pull request has no finding")?.finding;
    fail::point("due-claimed");
    run::begin_claimed(context, store, &resolved.definition, (row.id, id, due.id), (Some(finding), claim))?;
    Ok(Some(Deed::Began { run: id, loop_name: row.name.clone(), pull_request: due.revises.pull_request }))
}

/// What a decision asked for and never began, or ended without its run saying so, must not wait for ever.
fn give_back_lost(context: &Context, store: &mut Store) -> Result<Vec<Deed>> {
    let mut deeds = Vec::new();
    let at = stamp(context.now);
    for record in stored::list(store.read(), false)?.into_iter().filter(|p| p.state != "open") {
        let Some(asked) = due::last_on(store.read(), record.id)?.filter(due::Asked::ended) else { continue };
        // A sending back asks in its own transaction, so the last order is its own, whatever the clock says. One for an
        // approval may be older than that; and an approved change that was checked well waits for something else.
        let older = || Ok::<_, anyhow::Error>(asked.due_at < decided_at(store, &record)?);
        if record.state == "approved" && (asked.state != "failed" || older()?) {
            continue;
        }
        let why = asked.reason.unwrap_or_else(|| format!("its run is {}", asked.state));
        let why = format!("the next attempt did not begin: {why}");
        stored::advance(store, record.id, &Event::Reopened { why: why.clone() }, &at, |_| Ok(()))?;
        deeds.push(Deed::GaveBack { pull_request: record.id, why });
    }
    Ok(deeds)
}

/// When the last decision on a pull request was written down.
fn decided_at(store: &Store, record: &PullRequestRecord) -> Result<String> {
    let events = stored::events(store.read(), record.id)?;
    let decisions = |e: &Event| matches!(e, Event::Approved { .. } | Event::SentBack { .. });
    Ok(events.into_iter().rev().find(|(_, e)| decisions(e)).map(|(at, _)| at).unwrap_or_default())
}

/// The loop as it stands where the run works: on the branch of the pull request that it revises.
///
/// # Errors
/// As [`resolve::resolve_branch`].
pub(super) fn resolved(
    context: &Context,
    store: &Store,
    row: &LoopRow,
    revises: Option<&Revision>,
) -> Result<Resolved> {
    let Some(revision) = revises else { return resolve::resolve(&context.home, row) };
    let record = stored::by_id(store.read(), revision.pull_request)?.context("the pull request is gone")?;
    resolve::resolve_branch(&context.home, row, &record.branch)
}

/// Who makes and who checks: for a change whose base moved, nobody makes and gates alone check.
///
/// # Errors
/// The commit that was shown can't be named.
pub(super) fn agents(
    resolved: &Resolved,
    folder: &Path,
    revises: Option<&Revision>,
) -> Result<(AnyAgent, Option<AnyAgent>)> {
    match revises {
        Some(Revision { commit, why: Revise::Moved, .. }) => {
            let commit = Oid::from_str(commit).context("the commit that was shown")?;
            Ok((Arc::new(Rebase { commit }), None))
        }
        _ => Ok(resolve::agents(resolved, folder)),
    }
}

/// A person asked for this one, so it ships whatever the loop may do by itself.
pub(super) fn revising(start: RunStart, revises: Option<Revision>) -> RunStart {
    let mode = if revises.is_some() { Mode::Ship } else { start.mode };
    // What the loop does beside findings has no part in one pull request.
    let chores = if revises.is_some() { Chores::default() } else { start.chores };
    RunStart { mode, revises, chores, ..start }
}

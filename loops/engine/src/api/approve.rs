//! `approve`: what was shown, and nothing else, is to land; at once, or after a moment in which it can be undone.

use chrono::Duration;
use loopwright_core::exit;
use loopwright_core::ids::ReviewId;
use loopwright_core::review::{self, Event, Shown, State, Via, harmless};
use uuid::Uuid;

use super::{ApiError, ApproveView, Context, landing, review_diff, reviews, revise, run};
use crate::fail;
use crate::git::Repos;
use crate::steps::stamp;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::reviews::{self as decisions, Decision};
use crate::store::{Store, loops};

/// What a person approves, and how.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The first 12 or more digits of the tree that was shown.
    pub tree: String,
    /// How it reached us.
    pub via: Via,
    /// After how many seconds it takes effect; none = as soon as is usual for `via`.
    pub after_s: Option<u32>,
}

/// Approves a pull request by the tree that was shown, and lands it unless it is to wait a moment.
///
/// # Errors
/// It is halted, something else is shown by now, or it is decided already; nothing was written then.
pub fn approve(context: &Context, typed: &str, approval: &Approval) -> Result<ApproveView, ApiError> {
    let mut store = context.landing()?;
    let record = reviews::find(&store, typed)?;
    let row = loops::by_id(store.read(), record.loop_id)?;
    run::refuse_halted(context, &row)?;
    let shown = record.shown();
    let hint = || format!("loopwright review {}", record.id.short());
    review::bind(&shown, &approval.tree).map_err(|error| ApiError::new(exit::USAGE, error).hint(hint()))?;
    landing::refuse_unlike_shown(&Repos::open(&context.home.data, row.repo)?, &record, &shown)
        .map_err(|error| ApiError::from(error).hint(hint()))?;
    let note = unread_note(context, &store, &record, approval.via)?;
    let after_s = approval.after_s.unwrap_or_else(|| approval.via.grace_s());
    let lands_at = (after_s > 0).then(|| stamp(context.now + Duration::seconds(after_s.into())));
    match record.state.as_str() {
        "open" => {
            keep(context, &mut store, &record, Said { shown, via: approval.via, lands_at: lands_at.clone(), note })?;
            fail::point("approved-written");
        }
        "approved" if approval.after_s.is_some() => {
            keep_anew(context, &mut store, &record, approval.via, lands_at.clone())?;
        }
        "approved" => {}
        "sent back" => {
            return Err(ApiError::new(exit::FAILED, "it is sent back: another attempt is on its way")
                .hint(format!("`loopwright undo {}` takes that back until its run begins", record.id.short())));
        }
        other => return Err(decided(&record, other)),
    }
    if let Some(at) = lands_at {
        return Ok(scheduled(&now(&store, &record)?.unwrap_or(record), &at));
    }
    let view = started(context, &mut store, &record);
    view.or_else(|error| stands(&store, &record, error))
}

/// An approval that is written down stands, whatever keeps it from landing: every pass tries again, until it is undone.
fn stands(store: &Store, record: &PullRequestRecord, error: anyhow::Error) -> Result<ApproveView, ApiError> {
    let approved = now(store, record).ok().flatten().is_some_and(|record| record.state == "approved");
    let error = ApiError::from(error);
    if !approved {
        return Err(error);
    }
    let why = match error.hint {
        Some(hint) => format!("{}; {hint}", error.message),
        None => error.message,
    };
    Ok(ApproveView::Waiting { why, command: format!("loopwright undo {}", record.id.short()) })
}

/// It is decided already; a rejection can be taken back.
pub(super) fn decided(record: &PullRequestRecord, state: &str) -> ApiError {
    let back = matches!(state, "approved" | "rejected").then(|| format!("loopwright undo {}", record.id.short()));
    ApiError { hint: back, ..ApiError::new(exit::FAILED, format!("it is {state} already")) }
}

fn scheduled(record: &PullRequestRecord, at: &str) -> ApproveView {
    ApproveView::Scheduled {
        at: record.lands_at.clone().unwrap_or_else(|| at.to_owned()),
        branch: record.branch.clone(),
        command: format!("loopwright undo {}", record.id.short()),
    }
}

/// What a person said by approving.
struct Said {
    shown: Shown,
    via: Via,
    lands_at: Option<String>,
    note: Option<String>,
}

/// From the Review window: each protected file must have been viewed; that others were not is recorded.
fn unread_note(
    context: &Context,
    store: &Store,
    record: &PullRequestRecord,
    via: Via,
) -> Result<Option<String>, ApiError> {
    if via != Via::Window {
        return Ok(None);
    }
    let unread = review_diff::unread(context, store, record)?;
    if let Some(path) = unread.protected.first() {
        let name = harmless::line(path.rsplit('/').next().unwrap_or(path), 80);
        return Err(ApiError::new(exit::USAGE, format!("View {name} first"))
            .hint("it is a protected file; nothing was approved"));
    }
    let files = if unread.rest == 1 { "file" } else { "files" };
    Ok((unread.rest > 0).then(|| format!("approved with {} {files} unviewed", unread.rest)))
}

fn keep(context: &Context, store: &mut Store, record: &PullRequestRecord, said: Said) -> Result<(), ApiError> {
    let at = stamp(context.now);
    let Said { shown, via, lands_at, note } = said;
    let event = Event::Approved { shown, via, lands_at };
    let decision = Decision { note: note.as_deref(), ..decision(record, via, &at) };
    let kept = stored::advance(store, record.id, &event, &at, |tx| decisions::put(tx, &decision));
    match kept {
        // Two clicks at once: both approve the same, one of them writes it.
        Err(_) if now(store, record)?.is_some_and(|r| r.state == "approved" && r.tree == record.tree) => Ok(()),
        kept => Ok(kept?),
    }
}

/// The same approval with another time: one thing, so that nothing sees it undone.
fn keep_anew(
    context: &Context,
    store: &mut Store,
    record: &PullRequestRecord,
    via: Via,
    lands_at: Option<String>,
) -> Result<(), ApiError> {
    let (_no_landing, state) = landing::hold(context, store, record)?;
    let State::Approved { shown, .. } = state else { return Err(decided(record, state.word())) };
    let at = stamp(context.now);
    let decision = decision(record, via, &at);
    Ok(store.write(|tx| {
        stored::step(tx, record.id, &Event::Undone, &at)?;
        stored::step(tx, record.id, &Event::Approved { shown, via, lands_at }, &at)?;
        decisions::put(tx, &decision)
    })?)
}

fn decision<'a>(record: &'a PullRequestRecord, via: Via, at: &'a str) -> Decision<'a> {
    Decision {
        id: ReviewId(Uuid::now_v7()),
        pull_request: record.id,
        word: "approve",
        via,
        tree: &record.tree,
        at,
        note: None,
    }
}

fn now(store: &Store, record: &PullRequestRecord) -> Result<Option<PullRequestRecord>, ApiError> {
    Ok(stored::by_id(store.read(), record.id)?)
}

/// Lands it; where its base moved, what checks it again begins.
fn started(context: &Context, store: &mut Store, record: &PullRequestRecord) -> anyhow::Result<ApproveView> {
    let view = landing::land_approved(context, store, record)?;
    match view {
        ApproveView::Checking { now, why, run: None } => {
            let deeds = revise::begin_due(context, store)?;
            match revise::held_now(&deeds, record.id) {
                Some((held, command)) => Ok(ApproveView::Waiting {
                    why: format!("{why}, and it can't be checked there: {held}"),
                    command: command.unwrap_or_else(|| format!("loopwright undo {}", record.id.short())),
                }),
                None => revise::checking(store, record, now, why),
            }
        }
        view => Ok(view),
    }
}

/// What became of an approval: lands it if it waited for a run that is over now.
///
/// # Errors
/// There is no such pull request, or it can't be landed.
pub fn landed(context: &Context, typed: &str) -> Result<ApproveView, ApiError> {
    let mut store = context.acting()?;
    let record = reviews::find(&store, typed)?;
    let row = loops::by_id(store.read(), record.loop_id)?;
    match record.state.as_str() {
        "merged" => Ok(ApproveView::Merged {
            commit: record.merged.clone().unwrap_or_default(),
            branch: record.branch.clone(),
            repo: row.repo_path.display().to_string(),
        }),
        // Its moment is not over: whoever asks can't shorten it.
        "approved" if landing::is_ahead(context, record.lands_at.as_deref()) => Ok(scheduled(&record, "")),
        "approved" => {
            run::refuse_halted(context, &row)?;
            let view = started(context, &mut store, &record);
            view.or_else(|error| stands(&store, &record, error))
        }
        _ => Ok(revise::given_back(&store, &record)?),
    }
}

//! `reviews` and `review`: what waits for a person, with everything to decide by.

use anyhow::{Context as _, Result as AnyResult};
use git2::Oid;
use loopwright_core::ids::PullRequestId;
use loopwright_core::review::{Event, State, fold};
use loopwright_core::run::{Run, RunStart};

use super::landing::is_ahead;
use super::{ApiError, Context, Happened, PullRequestRow, ReviewView, Since, effort, only_one, send_back};
use crate::git::Repos;
use crate::store::loops::LoopRow;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::{Store, findings, loops, projection, runs};

/// Pull requests that are not decided and not put off; with `all`, everything.
///
/// # Errors
/// The store can't be read.
pub fn reviews(context: &Context, all: bool) -> Result<Vec<PullRequestRow>, ApiError> {
    let store = context.store()?;
    let found = stored::list(store.read(), all)?;
    let shown = found.iter().filter(|p| all || !is_ahead(context, p.later_until.as_deref()));
    shown.map(|p| Ok(row(&store, p)?)).collect()
}

/// Pull requests that are put off, the first to come back first.
///
/// # Errors
/// The store can't be read.
pub fn put_off(context: &Context) -> Result<Vec<PullRequestRow>, ApiError> {
    let store = context.store()?;
    let mut found = stored::list(store.read(), false)?;
    found.retain(|p| is_ahead(context, p.later_until.as_deref()));
    found.sort_by(|a, b| a.later_until.cmp(&b.later_until));
    found.iter().map(|p| Ok(row(&store, p)?)).collect()
}

/// One pull request with its diff and evidence.
///
/// # Errors
/// There is no such pull request, or its objects can't be read.
pub fn review(context: &Context, typed: &str) -> Result<ReviewView, ApiError> {
    let store = context.store()?;
    let record = find(&store, typed)?;
    let loop_row = loops::by_id(store.read(), record.loop_id)?;
    let repos = Repos::open(&context.home.data, loop_row.repo)?;
    Ok(view(&store, &record, &loop_row, &repos)?)
}

/// The same without the lines of the change, which a window reads page by page: `diff` is empty.
///
/// # Errors
/// There is no such pull request, or its objects can't be read.
pub fn review_head(context: &Context, typed: &str) -> Result<ReviewView, ApiError> {
    let mut view = review(context, typed)?;
    view.diff.clear();
    if let Some(since) = &mut view.since {
        since.diff.clear();
    }
    Ok(view)
}

fn view(store: &Store, record: &PullRequestRecord, loop_row: &LoopRow, repos: &Repos) -> AnyResult<ReviewView> {
    let (verdict, _, _) = runs::attempt(store.read(), &record.attempt)?;
    let verdict = verdict.context("the verdict is not stored")?;
    let start = run_start(store, record)?;
    let diff = repos.diff_text(Oid::from_str(&record.base)?, Oid::from_str(&record.commit)?)?;
    let events = stored::events(store.read(), record.id)?;
    Ok(ReviewView {
        row: row(store, record)?,
        findings: titles(store, record)?,
        target: (loop_row.repo_path.display().to_string(), record.branch.clone()),
        merge: start.review.merge,
        commit: record.commit.clone(),
        tree: record.tree.clone(),
        diff_sha256: record.diff_sha256.clone(),
        diff: String::from_utf8_lossy(&diff).into_owned(),
        maker: format!("{}, {}", start.maker.name, start.maker.kind),
        checked_by: verdict.checked_by.clone().unwrap_or_else(|| "gates alone".to_owned()),
        gates: verdict.gates,
        checker: verdict.checker,
        not_independent: verdict.not_independent,
        iterations: runs::on_pull_request(store.read(), record.id)?.0,
        worked_s: effort::worked_s(store, record.id)?,
        budget: start.rails.budget,
        rounds_left: send_back::rounds_left(store, record)?,
        merged: record.merged.clone(),
        approve_command: format!("loopwright approve {} --tree {}", record.id.short(), &record.tree[..12]),
        since: since(repos, Oid::from_str(&record.base)?, &events)?,
        history: events.into_iter().map(happened).collect(),
    })
}

/// What the last update changed, apart from what the branch became meanwhile. The commits stay in the engine's repository.
fn since(repos: &Repos, base: Oid, events: &[(String, Event)]) -> AnyResult<Option<Since>> {
    let mut shown = events.iter().rev().filter_map(|(_, event)| match event {
        Event::Opened { shown } | Event::Updated { shown, .. } => Some(shown),
        _ => None,
    });
    let (Some(now), Some(before)) = (shown.next(), shown.next()) else { return Ok(None) };
    let (from, to) = (Oid::from_str(&before.commit)?, Oid::from_str(&now.commit)?);
    let update = repos.update(from, to)?;
    let whole = update.is_none();
    let (facts, diff) = match update {
        Some(update) => update,
        None => (repos.diff(base, to)?, repos.diff_text(base, to)?),
    };
    let (commit, diff) = (before.commit.clone(), String::from_utf8_lossy(&diff).into_owned());
    Ok(Some(Since { commit, stat: facts.stat(), diff, whole }))
}

fn happened((at, event): (String, Event)) -> Happened {
    let what = event.word().to_owned();
    let (said, commit) = match event {
        Event::Opened { shown } | Event::Updated { shown, .. } => (None, Some(shown.commit)),
        Event::Approved { via, lands_at, .. } => {
            let unread = (!via.read()).then(|| format!("from the {}, unread", via.word()));
            (unread.or(lands_at.map(|at| format!("to land at {at}"))), None)
        }
        Event::Waiting { why } | Event::Reopened { why } => (Some(why), None),
        Event::SentBack { note } => (Some(note), None),
        Event::Rejected { reason } => (Some(reason), None),
        Event::Later { until } => {
            (Some(until.map_or_else(|| "no longer".to_owned(), |at| format!("until {at}"))), None)
        }
        Event::Landing { commit, .. } | Event::Merged { commit } => (None, Some(commit)),
        Event::Reverted { by } => (None, Some(by)),
        Event::Undone | Event::ClosedElsewhere => (None, None),
    };
    Happened { at, what, said, commit }
}

fn titles(store: &Store, record: &PullRequestRecord) -> AnyResult<Vec<(String, String)>> {
    let mut titles = Vec::new();
    for linked in stored::findings(store.read(), record.id)? {
        if let Some(known) = findings::one(store.read(), record.loop_id, &linked.finding)? {
            titles.push((known.finding.title, known.finding.should));
        }
    }
    Ok(titles)
}

pub(super) fn run_start(store: &Store, record: &PullRequestRecord) -> AnyResult<RunStart> {
    let run: Run = projection::replay(store.read(), record.run)?.context("the run has no journal")?;
    Ok(run.start)
}

pub(super) fn find(store: &Store, typed: &str) -> Result<PullRequestRecord, ApiError> {
    let id: PullRequestId =
        only_one(&stored::matching(store.read(), typed)?, "pull request", typed, "loopwright reviews --all")?;
    Ok(stored::by_id(store.read(), id)?.context("the pull request is gone")?)
}

pub(super) fn row(store: &Store, record: &PullRequestRecord) -> AnyResult<PullRequestRow> {
    let (verdict, _, _) = runs::attempt(store.read(), &record.attempt)?;
    let (_, cost) = runs::on_pull_request(store.read(), record.id)?;
    let freely = verdict.is_some_and(|v| v.level == loopwright_core::gate::Level::Pass && v.not_independent.is_none());
    Ok(PullRequestRow {
        id: record.id,
        short: record.id.short(),
        loop_name: record.loop_name.clone(),
        run: record.run,
        title: record.title.clone(),
        state: record.state.clone(),
        why: why(store, record)?,
        later_until: record.later_until.clone(),
        lands_at: record.lands_at.clone(),
        opened: record.opened_at.clone(),
        stat: runs::attempt_stat(store.read(), &record.attempt)?,
        cost,
        needs_person: !freely,
    })
}

/// Why it stands as it does, where somebody said so.
fn why(store: &Store, record: &PullRequestRecord) -> AnyResult<Option<String>> {
    let events = stored::events(store.read(), record.id)?;
    let state = fold(events.iter().map(|(_, event)| event))?;
    Ok(match (state, events.into_iter().rev().find(|(_, e)| !matches!(e, Event::Later { .. }))) {
        (Some(State::Rejected { reason, .. }), _) => Some(reason),
        (Some(State::SentBack { note, .. }), _) => Some(note),
        (Some(State::Approved { waiting, .. }), _) => waiting,
        (Some(State::Open { .. }), Some((_, Event::Reopened { why }))) => Some(why),
        _ => None,
    })
}

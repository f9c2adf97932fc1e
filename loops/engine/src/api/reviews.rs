//! `reviews` and `review`: what waits for a person, with everything to decide by.

use anyhow::{Context as _, Result as AnyResult};
use git2::Oid;
use loopwright_core::ids::PullRequestId;
use loopwright_core::run::{Run, RunStart};
use loopwright_core::verdict::Verdict;

use super::{ApiError, Context, PullRequestRow, ReviewView, only_one};
use crate::git::Repos;
use crate::store::loops::LoopRow;
use crate::store::pull_requests::{self as stored, PullRequestRecord};
use crate::store::{Store, findings, loops, projection, runs};

/// Pull requests that wait; with `all`, decided ones too.
///
/// # Errors
/// The store can't be read.
pub fn reviews(context: &Context, all: bool) -> Result<Vec<PullRequestRow>, ApiError> {
    let store = context.store()?;
    let found = stored::list(store.read(), all)?;
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
    let diff = diff(context, &loop_row, &record)?;
    let (verdict, iterations, _) = runs::attempt(store.read(), &record.attempt)?;
    let verdict = verdict.context("the verdict is not stored")?;
    let start = run_start(&store, &record)?;
    Ok(view(&store, &record, &loop_row, diff, verdict, iterations, &start)?)
}

fn view(
    store: &Store,
    record: &PullRequestRecord,
    loop_row: &LoopRow,
    diff: Vec<u8>,
    verdict: Verdict,
    iterations: u32,
    start: &RunStart,
) -> AnyResult<ReviewView> {
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
        iterations,
        merged: record.merged.clone(),
        approve_command: format!("loopwright approve {} --tree {}", record.id.short(), &record.tree[..12]),
    })
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

/// The patch, from the engine's repository; what a person is shown.
pub(super) fn diff(context: &Context, row: &LoopRow, record: &PullRequestRecord) -> AnyResult<Vec<u8>> {
    let repos = Repos::open(&context.home.data, row.repo)?;
    repos.diff_text(Oid::from_str(&record.base)?, Oid::from_str(&record.commit)?)
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
    let (verdict, _, cost) = runs::attempt(store.read(), &record.attempt)?;
    let freely = verdict.is_some_and(|v| v.level == loopwright_core::gate::Level::Pass && v.not_independent.is_none());
    Ok(PullRequestRow {
        id: record.id,
        short: record.id.short(),
        loop_name: record.loop_name.clone(),
        run: record.run,
        title: record.title.clone(),
        state: record.state.clone(),
        opened: record.opened_at.clone(),
        stat: runs::attempt_stat(store.read(), &record.attempt)?,
        cost,
        needs_person: !freely,
    })
}

//! Ship: a pull request with its evidence, and what else the loop does with it. Deterministic; no model takes part.

use std::fs::File;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use git2::Oid;
use loopwright_core::definition::ShipAction;
use loopwright_core::finding::{Finding, FindingSource, Fingerprint};
use loopwright_core::ids::PullRequestId;
use loopwright_core::review::text::{self, Story};
use loopwright_core::review::{Event, Shown};
use loopwright_core::run::{Item, Outcome, Revise, Revision, Run, Shipped, Stage};
use loopwright_core::verdict::Verdict;
use rusqlite::Transaction;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Work;
use crate::fail;
use crate::forge::local::LocalForge;
use crate::forge::{self, Forge as _, PullRequestDraft};
use crate::store::pull_requests::{self, LinkedFinding, PullRequestRecord};
use crate::store::{journal, runs};

/// A pull request that is open on the forge and not stored yet.
#[derive(Clone)]
pub struct Opened {
    /// For the run's journal.
    pub outcome: Outcome,
    record: PullRequestRecord,
    findings: Vec<LinkedFinding>,
    /// What it is updated for; none = it is new.
    revises: Option<Revise>,
    event: Event,
    at: String,
    /// Nothing lands between the look at what is revised and its update.
    _no_landing: Option<Arc<File>>,
}

/// A person, or another run, was faster: that stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Superseded(pub String);

impl Opened {
    /// Stores it, in the transaction of the run's event.
    ///
    /// # Errors
    /// A row can't be written, it was decided meanwhile, or another one stands for its finding.
    pub fn store(&self, tx: &Transaction<'_>) -> Result<()> {
        match &self.revises {
            Some(why) => self.update(tx, why),
            None => self.open(tx),
        }
    }

    fn open(&self, tx: &Transaction<'_>) -> Result<()> {
        for linked in &self.findings {
            let other = pull_requests::undecided_for(tx, self.record.loop_id, &linked.finding)?;
            if let Some(other) = other {
                let why = format!("pull request {} stands for this finding already", other.id.short());
                return Err(Superseded(why).into());
            }
        }
        pull_requests::insert(tx, &self.record, &self.findings)?;
        let event = pull_requests::event_text(&self.at, &self.event)?;
        journal::append(tx, &pull_requests::stream(self.record.id), &event)?;
        Ok(())
    }

    fn update(&self, tx: &Transaction<'_>, why: &Revise) -> Result<()> {
        let stands = pull_requests::state(tx, self.record.id)?;
        if !stands.as_ref().is_some_and(|s| why.is_awaited_by(s)) {
            let now = stands.map_or("gone", |s| s.word());
            return Err(Superseded(format!("the pull request was decided meanwhile: it is {now}")).into());
        }
        pull_requests::set_shown(tx, &self.record)?;
        pull_requests::step(tx, self.record.id, &self.event, &self.at).map(drop)
    }
}

/// What is shipped.
struct Shipping<'a> {
    finding: Finding,
    item: &'a Item,
    attempt: Uuid,
    commit: Oid,
    verdict: Verdict,
    shown: Shown,
}

/// Opens the pull request for a verified attempt, under the attempt's id: trying again finds what an earlier try opened.
/// A run that revises one shows the attempt there instead.
///
/// # Errors
/// The forge refuses; the same call again is safe.
pub fn ship(work: &mut Work, run: &Run, finding: &Fingerprint) -> Result<Opened> {
    let shipping = shipping(work, run, finding)?;
    match &run.start.revises {
        Some(revision) => updated(work, run, &shipping, revision),
        None => opened(work, run, &shipping),
    }
}

fn shipping<'r>(work: &Work, run: &'r Run, finding: &Fingerprint) -> Result<Shipping<'r>> {
    let item = run.item(finding).context("the finding is not in this run")?;
    let Stage::Verified { attempt, commit } = item.stage.resting() else { bail!("no attempt is verified") };
    let commit = Oid::from_str(commit).context("the attempt's commit")?;
    let (verdict, _, _) = runs::attempt(work.store.read(), &attempt.to_string())?;
    let (repos, base) = (&work.code()?.repos, &work.code()?.base);
    let diff = repos.diff_text(base.commit, commit)?;
    let shown = Shown {
        commit: commit.to_string(),
        tree: repos.tree_of(commit)?.to_string(),
        patch_id: repos.patch_id(base.commit, commit)?,
        diff_sha256: loopwright_core::hex(&Sha256::digest(&diff)),
    };
    Ok(Shipping {
        finding: work.known(finding)?.finding,
        item,
        attempt: *attempt,
        commit,
        verdict: verdict.context("the verdict is not stored")?,
        shown,
    })
}

fn opened(work: &Work, run: &Run, shipping: &Shipping<'_>) -> Result<Opened> {
    let id = PullRequestId(shipping.attempt);
    let actions = actions(work)?;
    let linked = actions.contains(&ShipAction::LinkIssue) && shipping.finding.source == FindingSource::Issue;
    let issue: Option<u32> = linked.then(|| shipping.finding.key.parse().ok()).flatten();
    let (title, base) = (text::title(&shipping.finding), &work.code()?.base);
    let draft = PullRequestDraft {
        id,
        title: title.clone(),
        body: body(work, run, shipping, issue)?,
        branch: base.branch.clone(),
        base: base.commit,
        commit: shipping.commit,
    };
    LocalForge { repos: &work.code()?.repos }.open_pull_request(&draft)?;
    fail::point("ship-ref");
    let at = work.stamp();
    let record = record(work, run, draft, shipping, &at);
    let findings =
        vec![LinkedFinding { finding: shipping.finding.fingerprint.clone(), issue: issue.map(|n| n.to_string()) }];
    let event = Event::Opened { shown: shipping.shown.clone() };
    let outcome = outcome(id, title, shipping, actions);
    Ok(Opened { outcome, record, findings, revises: None, event, at, _no_landing: None })
}

/// Shows the attempt under the pull request that is revised.
fn updated(work: &Work, run: &Run, shipping: &Shipping<'_>, revision: &Revision) -> Result<Opened> {
    let id = revision.pull_request;
    let no_landing = Arc::new(forge::lock(&work.code()?.repos)?);
    let before = pull_requests::by_id(work.store.read(), id)?.context("the pull request is gone")?;
    let linked = pull_requests::findings(work.store.read(), id)?;
    let issue = linked.iter().find_map(|l| l.issue.as_ref()?.parse().ok());
    LocalForge { repos: &work.code()?.repos }.update_pull_request(id, shipping.commit)?;
    fail::point("ship-update-ref");
    let (level, _, _) = runs::attempt(work.store.read(), &before.attempt)?;
    let look_again = level.is_none_or(|v| shipping.verdict.level < v.level);
    let record = PullRequestRecord {
        attempt: shipping.attempt.to_string(),
        body: body(work, run, shipping, issue)?,
        base: work.code()?.base.commit.to_string(),
        commit: shipping.shown.commit.clone(),
        tree: shipping.shown.tree.clone(),
        patch_id: shipping.shown.patch_id.clone(),
        diff_sha256: shipping.shown.diff_sha256.clone(),
        ..before
    };
    let event = Event::Updated { shown: shipping.shown.clone(), look_again };
    let outcome = outcome(id, record.title.clone(), shipping, actions(work)?);
    let (revises, at) = (Some(revision.why.clone()), work.stamp());
    Ok(Opened { outcome, record, findings: linked, revises, event, at, _no_landing: Some(no_landing) })
}

fn outcome(id: PullRequestId, title: String, shipping: &Shipping<'_>, actions: &[ShipAction]) -> Outcome {
    let (commit, tree) = (shipping.shown.commit.clone(), shipping.shown.tree.clone());
    Outcome::Shipped(Shipped { pull_request: Some(id), title, commit, tree, skipped: skipped(actions) })
}

fn actions(work: &Work) -> Result<&[ShipAction]> {
    Ok(&work.resolved.definition.work.as_ref().context("a loop that only reports")?.ship.actions)
}

fn body(work: &Work, run: &Run, shipping: &Shipping<'_>, issue: Option<u32>) -> Result<String> {
    let (repos, base) = (&work.code()?.repos, &work.code()?.base);
    let (_, _, cost) = runs::attempt(work.store.read(), &shipping.attempt.to_string())?;
    Ok(text::body(&Story {
        finding: &shipping.finding,
        verdict: &shipping.verdict,
        stat: repos.diff(base.commit, shipping.commit)?.stat(),
        maker: &run.start.maker.kind,
        summary: None,
        cost,
        attempts: shipping.item.own_rounds,
        run: &run.start.run.to_string(),
        closes: issue.as_slice(),
    }))
}

fn record(work: &Work, run: &Run, draft: PullRequestDraft, shipping: &Shipping<'_>, at: &str) -> PullRequestRecord {
    let shown = &shipping.shown;
    PullRequestRecord {
        id: draft.id,
        loop_id: work.row.id,
        loop_name: work.row.name.clone(),
        run: run.start.run,
        attempt: shipping.attempt.to_string(),
        title: draft.title,
        body: draft.body,
        state: "open".to_owned(),
        branch: draft.branch,
        base: draft.base.to_string(),
        commit: shown.commit.clone(),
        tree: shown.tree.clone(),
        patch_id: shown.patch_id.clone(),
        diff_sha256: shown.diff_sha256.clone(),
        opened_at: at.to_owned(),
        merged: None,
        later_until: None,
        lands_at: None,
    }
}

/// What is asked for and can't be done without configuration; never a failure.
fn skipped(actions: &[ShipAction]) -> Vec<String> {
    let slack = actions.iter().filter(|a| **a == ShipAction::NotifySlack);
    slack.map(|_| "notify_slack: skipped (not configured)".to_owned()).collect()
}

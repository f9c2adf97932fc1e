//! Ship: a pull request with its evidence, and what else the loop does with it. Deterministic; no model takes part.

use anyhow::{Context as _, Result};
use git2::Oid;
use loopwright_core::definition::ShipAction;
use loopwright_core::finding::{FindingSource, Fingerprint};
use loopwright_core::ids::PullRequestId;
use loopwright_core::review::text::{self, Story};
use loopwright_core::review::{Event, Shown};
use loopwright_core::run::{Outcome, Run, Shipped, Stage};
use rusqlite::Transaction;
use sha2::{Digest, Sha256};

use super::Work;
use crate::fail;
use crate::forge::local::LocalForge;
use crate::forge::{Forge as _, PullRequestDraft};
use crate::store::pull_requests::{self, LinkedFinding, PullRequestRecord};
use crate::store::{journal, runs};

/// A pull request that is open on the forge and not stored yet.
#[derive(Clone)]
pub struct Opened {
    /// For the run's journal.
    pub outcome: Outcome,
    record: PullRequestRecord,
    findings: Vec<LinkedFinding>,
    event: String,
}

impl Opened {
    /// Stores it, in the transaction of the run's event.
    ///
    /// # Errors
    /// A row can't be written.
    pub fn store(&self, tx: &Transaction<'_>) -> Result<()> {
        pull_requests::insert(tx, &self.record, &self.findings)?;
        journal::append(tx, &pull_requests::stream(self.record.id), &self.event)?;
        Ok(())
    }
}

/// Opens the pull request for a verified attempt, under the attempt's id: trying again finds what an earlier try opened.
///
/// # Errors
/// The forge refuses; the same call again is safe.
pub fn ship(work: &mut Work, run: &Run, finding: &Fingerprint) -> Result<Opened> {
    let item = run.item(finding).context("the finding is not in this run")?;
    let Stage::Verified { attempt, commit } = item.stage.resting() else { anyhow::bail!("no attempt is verified") };
    let id = PullRequestId(*attempt);
    let commit = Oid::from_str(commit).context("the attempt's commit")?;
    let known = work.known(finding)?;
    let (verdict, _, cost) = runs::attempt(work.store.read(), &attempt.to_string())?;
    let verdict = verdict.context("the verdict is not stored")?;
    let (repos, base) = (&work.resolved.repos, &work.resolved.base);
    let diff = repos.diff_text(base.commit, commit)?;
    let shown = Shown {
        commit: commit.to_string(),
        tree: repos.tree_of(commit)?.to_string(),
        patch_id: repos.patch_id(base.commit, commit)?,
        diff_sha256: loopwright_core::hex(&Sha256::digest(&diff)),
    };
    let definition = work.resolved.definition.work.as_ref().context("a loop that only reports")?;
    let actions = &definition.ship.actions;
    let linked = actions.contains(&ShipAction::LinkIssue) && known.finding.source == FindingSource::Issue;
    let issue: Option<u32> = linked.then(|| known.finding.key.parse().ok()).flatten();
    let body = text::body(&Story {
        finding: &known.finding,
        verdict: &verdict,
        stat: repos.diff(base.commit, commit)?.stat(),
        maker: &run.start.maker.kind,
        summary: None,
        cost,
        attempts: item.own_rounds,
        run: &run.start.run.to_string(),
        closes: issue.as_slice(),
    });
    let title = text::title(&known.finding);
    let draft =
        PullRequestDraft { id, title: title.clone(), body, branch: base.branch.clone(), base: base.commit, commit };
    LocalForge { repos }.open_pull_request(&draft)?;
    fail::point("ship-ref");
    let at = work.stamp();
    let record = record(work, run, &attempt.to_string(), draft, &shown, &at);
    let findings = vec![LinkedFinding { finding: finding.clone(), issue: issue.map(|n| n.to_string()) }];
    let (commit, tree) = (shown.commit.clone(), shown.tree.clone());
    let shipped = Shipped { pull_request: Some(id), title, commit, tree, skipped: skipped(actions) };
    let event = pull_requests::event_text(&at, &Event::Opened { shown })?;
    Ok(Opened { outcome: Outcome::Shipped(shipped), record, findings, event })
}

fn record(
    work: &Work,
    run: &Run,
    attempt: &str,
    draft: PullRequestDraft,
    shown: &Shown,
    at: &str,
) -> PullRequestRecord {
    PullRequestRecord {
        id: draft.id,
        loop_id: work.row.id,
        loop_name: work.row.name.clone(),
        run: run.start.run,
        attempt: attempt.to_owned(),
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
    }
}

/// What is asked for and can't be done without configuration; never a failure.
fn skipped(actions: &[ShipAction]) -> Vec<String> {
    let slack = actions.iter().filter(|a| **a == ShipAction::NotifySlack);
    slack.map(|_| "notify_slack: skipped (not configured)".to_owned()).collect()
}

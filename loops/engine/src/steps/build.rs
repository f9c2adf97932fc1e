//! Build: one round of the maker in a private workspace; what comes back is a commit in the engine's repository.

use anyhow::{Context as _, Result};
use git2::Oid;
use loopwright_core::check::Ended;
use loopwright_core::finding::Fingerprint;
use loopwright_core::money::Micros;
use loopwright_core::progress::substance;
use loopwright_core::run::{BuildResult, Built, Item, Outcome, Run, Stage};
use loopwright_core::triage::plain;
use loopwright_core::verdict::AgentResult;
use uuid::Uuid;

use super::{Work, revise};
use crate::agent::prompt::{self, Prompt};
use crate::agent::{AgentReport, Order, Role};
use crate::fail;
use crate::resolve::environment;
use crate::workspace::{Collected, Origin, Workspace};

/// One round.
pub struct Round<'a> {
    /// The attempt's id.
    pub id: Uuid,
    /// On what.
    pub finding: &'a Fingerprint,
    /// The round, from 1.
    pub iteration: u32,
    /// What was reserved for it.
    pub reserve: Micros,
}

/// What the maker is told besides its finding.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// Why the last round was not accepted, or why the change starts anew.
    pub(super) reasons: Vec<String>,
    /// What a person wants to be different.
    pub(super) person: Option<String>,
}

impl Told {
    pub(super) fn of(item: &Item) -> Told {
        Told { reasons: item.reasons.clone(), person: None }
    }

    /// All of it as the lines of `reasons.txt`.
    fn lines(&self) -> Vec<String> {
        let words = self.person.iter().flat_map(|said| said.lines()).filter(|l| !l.trim().is_empty());
        words.map(str::to_owned).chain(self.reasons.iter().cloned()).collect()
    }
}

/// Runs the maker once.
///
/// # Errors
/// The workspace or the sandbox can't be had, or HALT came. What the maker did is data.
pub fn build(work: &Work, run: &Run, round: &Round<'_>) -> Result<Outcome> {
    let item = run.item(round.finding).context("the finding is not in this run")?;
    let name = format!("attempt-{}", round.id.simple());
    let (workspace, told) = match (last_commit(work, run, item)?, &run.start.revises) {
        (Some(commit), _) => (work.workspaces()?.create(&name, commit, Origin::Results)?, Told::of(item)),
        (None, Some(revision)) => revise::workspace(work, &name, revision, item)?,
        (None, None) => {
            let told = Told { reasons: revise::rejections(work, item)?, ..Told::of(item) };
            (work.workspaces()?.create(&name, work.code()?.base.commit, Origin::Base)?, told)
        }
    };
    let told = Told { person: revise::persons_words(run).map(str::to_owned), ..told };
    let built = make(work, round, &told, &workspace);
    work.workspaces()?.discard(workspace)?;
    built.map(Outcome::Built)
}

/// The last usable commit of this finding in this run.
fn last_commit(work: &Work, run: &Run, item: &Item) -> Result<Option<Oid>> {
    let commit = match item.stage.resting() {
        Stage::Built { commit, .. } | Stage::Verified { commit, .. } => Some(commit.clone()),
        _ => crate::store::runs::last_commit(work.store.read(), run.start.run, &item.queued.finding)?,
    };
    commit.map(|c| Oid::from_str(&c).context("an attempt's commit")).transpose()
}

fn make(work: &Work, round: &Round<'_>, told: &Told, workspace: &Workspace) -> Result<Built> {
    let known = work.known(round.finding)?;
    let order = Order {
        role: Role::Maker,
        prompt: prompt::build(&Prompt {
            role: Role::Maker,
            finding: &known.finding,
            iteration: round.iteration,
            reasons: &told.reasons,
            person: told.person.as_deref(),
            attachments: &[],
        }),
        finding: known.finding.clone(),
        workspace: workspace.path.clone(),
        iteration: round.iteration,
        reasons: told.lines(),
        env: environment(&work.resolved.definition),
        mounts: work.prepared.clone(),
        raw: work.raw(&format!("maker-{}", round.id)),
    };
    let report = work.maker.run(&order, &work.sandbox)?;
    fail::point("agent-answered");
    anyhow::ensure!(report.ended != Ended::Halted, "halted while the maker worked");
    let charged = charge(&report.result, round.reserve);
    let built = |result| Built {
        charged,
        tokens: report.result.tokens.unwrap_or(0),
        model: report.result.model.as_deref().map(|m| plain(m, 100)),
        summary: report.result.summary.as_deref().map(|s| plain(s, 300)),
        result,
    };
    if let Some(why) = &report.result.declined {
        return Ok(built(BuildResult::Declined { why: plain(why, 300) }));
    }
    if let Some(why) = too_many_turns(work, &report.result) {
        return Ok(built(BuildResult::Unusable { why }));
    }
    let collected = collect(work, round, &known.finding.title, workspace)?;
    Ok(built(merged(collected, &report)))
}

/// `max_turns` against what the agent reports.
fn too_many_turns(work: &Work, result: &AgentResult) -> Option<String> {
    let (max, took) = (work.resolved.definition.rails.max_turns?, result.turns?);
    (took > max).then(|| format!("the maker took {took} turns; at most {max} are allowed (max_turns)"))
}

/// An attempt that was cut off is still looked at: what it left may be whole.
fn merged(collected: BuildResult, report: &AgentReport) -> BuildResult {
    if matches!(report.ended, Ended::Exited(_) | Ended::Halted) {
        return collected;
    }
    let why = format!("the maker was ended: it {}; {}", report.ended, plain(&report.tail, 200));
    BuildResult::Unusable { why: why.trim_end_matches([' ', ';']).to_owned() }
}

fn collect(work: &Work, round: &Round<'_>, title: &str, workspace: &Workspace) -> Result<BuildResult> {
    let base = work.code()?.base.commit;
    // Whole, so that a pull request can be told from its commit alone.
    let (finding, loop_id) = (&round.finding.0, work.row.id);
    let message = format!("{}\n\nLoopwright-Finding: {finding}\nLoopwright-Loop: {loop_id}\n", plain(title, 72));
    let collected = work.workspaces()?.collect(workspace, base, &message, (work.now)())?;
    Ok(match collected {
        Collected::Empty => BuildResult::Empty,
        Collected::Refused { why } => BuildResult::Unusable { why },
        Collected::Commit { commit, tree } => {
            let diff = work.code()?.repos.diff(base, commit)?;
            BuildResult::Change {
                commit: commit.to_string(),
                tree: tree.to_string(),
                stat: diff.stat(),
                substance: substance(&diff),
                only_whitespace: diff.only_whitespace(),
            }
        }
    })
}

/// What an agent says it cost, or the reservation where it says nothing.
pub fn charge(result: &AgentResult, reserve: Micros) -> Micros {
    result.cost.unwrap_or(reserve)
}

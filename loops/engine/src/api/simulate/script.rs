//! What agents, repositories and commands of a scripted run do: findings come, makers fix or decline, runs fail.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use loopwright_core::check::CaseId;
use loopwright_core::definition::{Chore, RunStep};
use loopwright_core::finding::{Finding, FindingSource, FindingState, Fingerprint};
use loopwright_core::gate::Level;
use loopwright_core::ids::PullRequestId;
use loopwright_core::known::Known;
use loopwright_core::money::Micros;
use loopwright_core::run::{
    BuildResult, Built, Chores, Discovered, Outcome, Queued, Ran, RanHow, Run, Shipped, Stage, Step,
};
use loopwright_core::scenario::{Makes, Script, mixed};
use loopwright_core::verdict::Verdict;
use uuid::Uuid;

use crate::store::{Store, findings};

/// No finding has more rounds.
const MOST_ROUNDS: usize = 20;

/// What is made up about one run.
#[derive(Clone, Debug)]
pub(super) struct Plot {
    /// What the loop's runs do.
    pub(super) script: Script,
    /// Which of the loop's runs it is, from 1.
    pub(super) number: u64,
}

/// What a step came to.
pub(super) struct Played {
    pub(super) outcome: Outcome,
    pub(super) charged: Micros,
}

/// How long a step takes, in seconds; none = until it is ended.
pub(super) fn long(script: &Script, chores: &Chores, step: &Step) -> Option<u64> {
    match step {
        Step::Run { name } => match chore(chores, name) {
            Some(step) if step.service => None,
            Some(RunStep { max_s: Some(most), .. }) => Some(script.takes_s.min(*most)),
            _ => Some(script.takes_s),
        },
        Step::Wait { .. } => None,
        Step::Discover => Some(script.takes_s),
        Step::Build { .. } | Step::Verify { .. } => Some(script.round_s),
        Step::Finally { .. } | Step::Prepare | Step::Ship { .. } | Step::HandOver { .. } | Step::HoldBack { .. } => {
            Some(0)
        }
    }
}

fn chore<'c>(chores: &'c Chores, name: &str) -> Option<&'c RunStep> {
    chores.steps.iter().find_map(|chore| match chore {
        Chore::Run(step) if step.name == name => Some(&**step),
        _ => None,
    })
}

impl Plot {
    /// What comes of a step; an error is one that a run has, and no fault of the simulation.
    pub(super) fn outcome(
        &self,
        store: &mut Store,
        run: &Run,
        step: &Step,
        id: Uuid,
        at: &str,
    ) -> Result<Result<Played, String>> {
        let free = |outcome| Played { outcome, charged: Micros::ZERO };
        Ok(Ok(match step {
            Step::Run { name } | Step::Finally { name } => free(Outcome::Ran(self.ran(name))),
            Step::Wait { .. } => free(Outcome::Waited),
            Step::Prepare => {
                free(Outcome::Prepared { branch: "main".to_owned(), commit: format!("{:040x}", mixed(self.number)) })
            }
            Step::Discover if self.fails() => return Ok(Err("the scenario lets this run fail".to_owned())),
            Step::Discover => free(Outcome::Discovered(self.discover(store, run, at)?)),
            Step::Build { finding, iteration, reserve } => self.build(store, run, finding, (*iteration, *reserve))?,
            Step::Verify { finding, reserve } => {
                let verdict = Box::new(self.verdict(store, run, finding)?);
                Played { outcome: Outcome::Verified { charged: *reserve, verdict }, charged: *reserve }
            }
            Step::Ship { finding } => free(Outcome::Shipped(shipped(run, finding, id)?)),
            Step::HandOver { .. } | Step::HoldBack { .. } => free(Outcome::Noted),
        }))
    }

    /// How a `run:` step ends by itself; how long it took is for the actor to say.
    pub(super) fn ran(&self, name: &str) -> Ran {
        let fails = self.script.failing.iter().any(|failing| failing == name);
        let last = fails.then(|| "the scenario lets this step fail".to_owned());
        Ran { how: RanHow::Itself, code: Some(i32::from(fails)), seconds: 0, last, log: String::new() }
    }

    fn fails(&self) -> bool {
        self.script.fails_every > 0 && self.number.is_multiple_of(u64::from(self.script.fails_every))
    }

    /// What was open before, and what is new.
    fn discover(&self, store: &mut Store, run: &Run, at: &str) -> Result<Discovered> {
        let loop_id = run.start.loop_id;
        let new: Vec<Known> = (0..self.script.findings).map(|n| Known::new(self.finding(n))).collect();
        store.write(|tx| new.iter().try_for_each(|known| findings::put(tx, loop_id, known, at)))?;
        // A loop that never finds anything has none.
        let known = if self.script.findings == 0 { Vec::new() } else { findings::of_loop(store.read(), loop_id)? };
        let open: Vec<&Known> = known.iter().filter(|known| known.state == FindingState::Open).collect();
        Ok(Discovered {
            queue: open.iter().map(|known| queued(known)).collect(),
            seen: u32::try_from(open.len()).unwrap_or(u32::MAX),
            new: self.script.findings,
            triage: self.number.to_string(),
            ..Discovered::default()
        })
    }

    fn finding(&self, n: u32) -> Finding {
        let key = format!("finding {n} of run {}", self.number);
        Finding {
            fingerprint: Fingerprint::of(FindingSource::Check, &key),
            source: FindingSource::Check,
            title: key.clone(),
            detail: String::new(),
            should: format!("{key} is gone"),
            gate: None,
            failing: parts(1),
            places: Vec::new(),
            suspects: Vec::new(),
            fault: true,
            key,
        }
    }

    /// What the maker makes of a finding: the same however often it is asked.
    fn makes(&self, store: &Store, run: &Run, finding: &Fingerprint) -> Result<Makes> {
        let known = findings::of_loop(store.read(), run.start.loop_id)?;
        let at = known.iter().position(|known| known.finding.fingerprint == *finding).unwrap_or(0);
        let makes = &self.script.makes;
        Ok(makes.get(at % makes.len().max(1)).copied().unwrap_or(Makes::Nothing))
    }

    fn build(
        &self,
        store: &Store,
        run: &Run,
        finding: &Fingerprint,
        (iteration, reserve): (u32, Micros),
    ) -> Result<Played> {
        let charged = self.script.costs.unwrap_or(reserve);
        let name = format!("{}-{iteration}", finding.short());
        let result = match self.makes(store, run, finding)? {
            Makes::Fix(_) => BuildResult::Change {
                commit: format!("{:040x}", mixed(u64::from(iteration))),
                tree: format!("tree-{name}"),
                stat: Default::default(),
                substance: format!("change-{name}"),
                only_whitespace: false,
            },
            Makes::Declines => BuildResult::Declined { why: "the scenario lets it decline".to_owned() },
            Makes::Nothing => BuildResult::Empty,
        };
        let built = Built { charged, tokens: 0, model: run.start.maker.model.clone(), summary: None, result };
        Ok(Played { outcome: Outcome::Built(built), charged })
    }

    fn verdict(&self, store: &Store, run: &Run, finding: &Fingerprint) -> Result<Verdict> {
        let item = run.item(finding).context("a finding that is not in this run")?;
        let round = item.rounds.len();
        let verified =
            matches!(self.makes(store, run, finding)?, Makes::Fix(of) if round >= usize::try_from(of).unwrap_or(1));
        Ok(Verdict {
            verified,
            level: if verified { Level::Pass } else { Level::Fail },
            gates: Vec::new(),
            checker: None,
            checked_by: None,
            not_independent: None,
            reasons: if verified { Vec::new() } else { vec![format!("objection {round}")] },
            // Each round comes nearer, or another rail would decide how many there are.
            failing: if verified { Default::default() } else { parts(round + 1) },
            cleared: None,
        })
    }
}

/// What still fails of a finding, from this part on.
fn parts(from: usize) -> BTreeSet<CaseId> {
    (from..=MOST_ROUNDS).map(|part| CaseId(format!("part {part:02}"))).collect()
}

fn queued(known: &Known) -> Queued {
    Queued {
        finding: known.finding.fingerprint.clone(),
        title: known.finding.title.clone(),
        failing: known.finding.failing.clone(),
        base_failing: known.finding.failing.clone(),
        rounds: known.rounds.clone(),
    }
}

/// The pull request of a verified attempt; whoever would decide on it does so at once.
fn shipped(run: &Run, finding: &Fingerprint, id: Uuid) -> Result<Shipped> {
    let item = run.item(finding).context("a finding that is not in this run")?;
    let Stage::Verified { commit, .. } = item.stage.resting() else { anyhow::bail!("no attempt is verified") };
    let (title, commit) = (item.queued.title.clone(), commit.clone());
    Ok(Shipped { pull_request: Some(PullRequestId(id)), title, tree: String::new(), commit, skipped: Vec::new() })
}

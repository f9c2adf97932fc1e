//! `__run`: being the process of a run, from its first event or from where processes that died have left it.

use std::fs::write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use loopwright_core::chores::with_moments;
use loopwright_core::definition::Definition;
use loopwright_core::exit;
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::RunId;
use loopwright_core::run::{Chores, Mode, Retries, Run, RunEvent, RunStart};

use super::{Context, reconcile, revise, runs};
use crate::cores::Cores;
use crate::halt::HaltFiles;
use crate::lease::{Supervision, require_watchdog};
use crate::os;
use crate::resolve::{self, Resolved, line};
use crate::runner::{self, Left};
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::steps::{Work, chores, stamp};
use crate::store::loops::{self, LoopRow};
use crate::store::occurrences::{self, Occurrence};
use crate::store::{Store, due, projection};

/// Why a run did not begin, in its directory.
pub(super) const ERROR: &str = "error";

/// Is the run: under its watchdog, to its end. Returns the exit code.
pub fn run_inner(context: &Context, run: RunId, finding: Option<String>) -> u8 {
    match run_to_its_end(context, run, finding.map(Fingerprint)) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(run.id = %run, "the run failed: {error:#}");
            // Beside the journal, for whoever asks why there is none.
            let _ = write(context.home.run(run).join(ERROR), format!("{error:#}\n"));
            exit::FAILED
        }
    }
}

fn run_to_its_end(context: &Context, id: RunId, only: Option<Fingerprint>) -> Result<u8> {
    require_watchdog()?;
    let mut store = Store::open(&context.home)?;
    let claimed = occurrences::of_run(store.read(), id)?.context("the run was never claimed")?;
    let row = loops::by_id(store.read(), claimed.loop_id)?;
    let dir = context.home.run(id);
    let supervision = Arc::new(Supervision::take(&dir, HaltFiles::of_run(&context.home.state, row.id, &dir))?);
    stay_awake(&row.name);
    let left = match projection::replay(store.read(), id)? {
        None => {
            let work = work(context, id, row, None, supervision)?;
            let revises = due::revised_by(work.store.read(), id)?;
            let start = RunStart { only, ..revise::revising(run_start(id, &claimed, &work), revises) };
            runner::run(work, start)?
        }
        Some(run) if run.end.is_some() => bail!("the run has ended already"),
        Some(mut run) => match work(context, id, row, Some(&run), supervision) {
            Ok(mut work) => {
                rescue(context, &mut work, &mut run)?;
                runner::take_up(work, run)?
            }
            Err(error) => {
                reconcile::give_up(&mut store, &mut run, &error)?;
                return Err(error);
            }
        },
    };
    if left == Left::Parked {
        return Ok(exit::PARKED);
    }
    reconcile::clear_workspaces(context, id);
    Ok(runs::row_of(&store, id)?.code.unwrap_or(exit::INTERNAL))
}

/// Keeps the computer from falling asleep by itself as long as this process lives. It is asked for beside the work, and a run
/// without it is as good: where the computer sleeps all the same, the run goes on afterwards.
fn stay_awake(loop_name: &str) {
    let why = format!("the loop {loop_name} is running");
    let hold = move || match os::stay_awake(&why) {
        Ok(awake) => std::mem::forget(awake),
        Err(error) => tracing::debug!("the computer may fall asleep meanwhile: {error:#}"),
    };
    // Its thread ends with the answer; what it holds, with the process.
    drop(std::thread::Builder::new().name("awake".to_owned()).spawn(hold));
}

/// Everything that the steps share. A run that has begun stays with its base commit and its loop file.
fn work(
    context: &Context,
    id: RunId,
    row: LoopRow,
    begun: Option<&Run>,
    supervision: Arc<Supervision>,
) -> Result<Work> {
    let store = Store::open(&context.home)?;
    let revises = due::revised_by(store.read(), id)?;
    let resolved = match begun.filter(|run| run.base.is_some()) {
        Some(run) => resolve::resolve_again(&context.home, &row, run)?,
        None => revise::resolved(context, &store, &row, revises.as_ref())?,
    };
    if begun.is_some_and(|run| run.start.definition != resolved.hash) {
        bail!("its loop file is another one by now; start it again: loopwright run {}", row.name);
    }
    resolve::refuse_exposing(&context.home, &row, &resolved, context.host.home.as_deref())?;
    let folder = resolve::loop_folder(&resolved, &row, supervision.dir())?;
    let (maker, checker) = revise::agents(&resolved, &folder, revises.as_ref())?;
    let worked_s = begun.map_or(0, |run| run.start.worked_s);
    let left = Duration::from_secs(resolved.definition.rails.max_duration_s.saturating_sub(worked_s));
    let sandbox = sandbox(context, &resolved)?.supervised(Arc::clone(&supervision)).until(Instant::now() + left);
    let prepared = chores::shared(&resolved.definition, &context.home.loop_state(row.id));
    Ok(Work {
        run: id,
        home: context.home.clone(),
        row,
        resolved: Arc::new(resolved),
        maker,
        checker,
        sandbox,
        supervision,
        store,
        prepared,
        base_reports: Arc::default(),
        cores: Arc::new(Cores::of_this_machine()),
        folder,
        person: context.host.home.clone(),
        now: crate::clock::now,
    })
}

/// Keeps what attempts that were cut off had made, says so, and clears their workspaces.
fn rescue(context: &Context, work: &mut Work, run: &mut Run) -> Result<()> {
    if work.resolved.code.is_none() {
        return Ok(());
    }
    let rescued = work.workspaces()?.rescue(work.run, work.code()?.base.commit, crate::clock::now())?;
    for kept in rescued {
        let text = format!("what {} had made when it was cut off is kept as {}", kept.name, kept.reference);
        let event = RunEvent::Noted { topic: "rescued".to_owned(), text };
        projection::record(&mut work.store, run, event, &stamp(crate::clock::now()), |_| Ok(()))?;
    }
    reconcile::clear_workspaces(context, work.run);
    Ok(())
}

/// The sandbox with the toolchains that the project wants.
fn sandbox(context: &Context, resolved: &Resolved) -> Result<Bubblewrap> {
    let found = Bubblewrap::find(&context.host)?;
    let Some(code) = &resolved.code else { return Ok(found) };
    for file in ["rust-toolchain.toml", "rust-toolchain"] {
        if code.repos.exists(code.base.commit, file)? {
            return Ok(found.with_the_projects_rust());
        }
    }
    Ok(found)
}

/// What the run does beside findings; its times are those of the zone that its occurrence was reckoned in.
fn chores(definition: &Definition, claimed: &Occurrence) -> Chores {
    let chores = Chores {
        steps: definition.chores.clone(),
        alone: definition.discover.is_none(),
        finally: definition.finally.clone(),
        env: if definition.finally.steps.is_empty() { Default::default() } else { definition.env.clone() },
        ..Chores::default()
    };
    with_moments(chores, crate::clock::now(), claimed.zone.parse().unwrap_or(chrono_tz::Tz::UTC))
}

fn run_start(run: RunId, claimed: &Occurrence, work: &Work) -> RunStart {
    let (row, resolved) = (&work.row, &work.resolved);
    let d = &resolved.definition;
    let acts = d.work.as_ref();
    RunStart {
        run,
        loop_id: row.id,
        loop_name: row.name.clone(),
        occurrence: claimed.id,
        cause: claimed.trigger.clone(),
        // A loop without act, verify and ship has nothing to ship with.
        mode: if acts.is_some() { row.mode } else { Mode::Report },
        epoch: 1,
        definition: resolved.hash.clone(),
        rails: d.rails.clone(),
        review: d.review,
        maker: line(&work.maker.facts()),
        checker: work.checker.as_ref().map(|c| line(&c.facts())),
        retries: Retries {
            discover: d.discover.as_ref().map_or_else(Default::default, |found| found.retry),
            act: acts.map_or_else(Default::default, |w| w.act.retry),
            verify: acts.map_or_else(Default::default, |w| w.verify.retry),
            ship: acts.map_or_else(Default::default, |w| w.ship.retry),
        },
        only: None,
        parallel: acts.map_or(1, |w| w.act.parallel),
        only_reports: acts.is_none(),
        revises: None,
        worked_s: 0,
        chores: chores(d, claimed),
    }
}

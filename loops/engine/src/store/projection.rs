//! One event of a run and everything that follows from it in other tables, in one transaction.

use anyhow::{Context as _, Result, anyhow};
use loopwright_core::finding::FindingState;
use loopwright_core::money::Micros;
use loopwright_core::review::Event;
use loopwright_core::revise;
use loopwright_core::run::{End, Entry, HaltWhy, Outcome, Revise, Revision, Run, RunEvent, Stage, Step, VERSION};
use rusqlite::{Connection, Transaction};
use uuid::Uuid;

use super::{Store, findings, journal, occurrences, pull_requests, runs, schedules, spending};

/// Replays the journal of a run.
///
/// # Errors
/// It can't be read, or holds what can't follow.
pub fn replay(db: &Connection, run: loopwright_core::ids::RunId) -> Result<Option<Run>> {
    let events: Vec<RunEvent> = entries(db, run, 0)?.into_iter().map(|(_, e)| e.event).collect();
    Run::replay(&events).with_context(|| format!("replaying the journal of run {run}"))
}

/// The entries of a run's journal after number `after`.
///
/// # Errors
/// They can't be read.
pub fn entries(db: &Connection, run: loopwright_core::ids::RunId, after: i64) -> Result<Vec<(i64, Entry)>> {
    journal::after(db, &runs::stream(run), after)?
        .into_iter()
        .map(|(seq, body)| {
            let entry = serde_json::from_str(&body).with_context(|| format!("event {seq} of run {run}"))?;
            Ok((seq, entry))
        })
        .collect()
}

/// Appends an event to a run's journal together with its projections and with `also`.
///
/// # Errors
/// The event can't follow, or nothing could be stored; `run` is unchanged then.
pub fn record(
    store: &mut Store,
    run: &mut Run,
    event: RunEvent,
    at: &str,
    also: impl FnOnce(&Transaction<'_>) -> Result<()>,
) -> Result<()> {
    let mut after = run.clone();
    // The first event makes the run that it is given; it is not applied to itself.
    let first = matches!(&event, RunEvent::RunStarted(start) if start.epoch == 1);
    if !first {
        after.apply(&event).map_err(|what| anyhow!("run {}: {what}", run.start.run))?;
    }
    let entry = Entry { v: VERSION, at: at.to_owned(), event };
    let body = serde_json::to_string(&entry).context("writing an event")?;
    store.write(|tx| {
        let seq = journal::append(tx, &runs::stream(run.start.run), &body)?;
        anyhow::ensure!(u64::try_from(seq) == Ok(after.events), "run {} was written by another process", run.start.run);
        project(tx, run, &after, &entry)?;
        also(tx)?;
        name_models(tx, run, &entry.event)
    })?;
    *run = after;
    Ok(())
}

fn project(tx: &Transaction<'_>, before: &Run, run: &Run, entry: &Entry) -> Result<()> {
    match &entry.event {
        RunEvent::RunStarted(start) if start.epoch == 1 => {
            runs::insert(tx, run, &entry.at)?;
            occurrences::set(tx, start.occurrence, "running", None, &entry.at)?;
        }
        RunEvent::StepStarted { step, id } => step_started(tx, run, step, *id)?,
        RunEvent::StepFinished { id, outcome } => {
            let step = before.open_step(*id).context("an outcome without a step")?;
            step_finished(tx, run, step, *id, outcome)?;
        }
        RunEvent::StepFailed { id, charged, .. } => {
            let step = before.open_step(*id).context("a failure without a step")?;
            charge_attempt(tx, run, step, *id, *charged)?;
        }
        RunEvent::RunStarted(start) => {
            cut_off(tx, before)?;
            if before.parked.is_some() {
                occurrences::unpark(tx, start.occurrence)?;
            }
        }
        RunEvent::Parked { until, why } => occurrences::park(tx, run.start.occurrence, *until, why)?,
        RunEvent::Ending { .. } => cut_off(tx, before)?,
        RunEvent::RunEnded { end } => {
            cut_off(tx, before)?;
            ended(tx, run, end, &entry.at)?;
            give_back(tx, run, end, &entry.at)?;
        }
        RunEvent::Noted { .. } => {}
    }
    runs::update(tx, run, run.end.is_some().then_some(entry.at.as_str()))
}

/// Names the models that were paid with an event, in the books that were just written.
fn name_models(tx: &Transaction<'_>, before: &Run, event: &RunEvent) -> Result<()> {
    let one = |id: &Uuid| before.open_step(*id).map(|step| (step, *id));
    let (settled, reported) = match event {
        RunEvent::StepFinished { id, outcome: Outcome::Built(built) } => (one(id), built.model.as_deref()),
        RunEvent::StepFinished { id, .. } | RunEvent::StepFailed { id, .. } => (one(id), None),
        RunEvent::RunStarted(_) | RunEvent::Ending { .. } | RunEvent::RunEnded { .. } => {
            return before.open.iter().try_for_each(|(step, id)| name_model(tx, before, (step, *id), None));
        }
        _ => (None, None),
    };
    settled.map_or(Ok(()), |settled| name_model(tx, before, settled, reported))
}

fn name_model(tx: &Transaction<'_>, run: &Run, (step, id): (&Step, Uuid), reported: Option<&str>) -> Result<()> {
    let named = match step {
        Step::Build { .. } => run.start.maker.model.as_deref(),
        Step::Verify { .. } => run.start.checker.as_ref().and_then(|checker| checker.model.as_deref()),
        _ => return Ok(()),
    };
    reported.or(named).map_or(Ok(()), |model| spending::name_model(tx, id, model))
}

fn step_started(tx: &Transaction<'_>, run: &Run, step: &Step, id: Uuid) -> Result<()> {
    if let Step::Build { finding, iteration, .. } = step {
        // The pull request that is revised goes on standing for its finding, whatever becomes of the run.
        if run.start.revises.is_none() {
            findings::set_state(tx, run.start.loop_id, finding, &FindingState::Acting)?;
        }
        runs::attempt_started(tx, id, run.start.run, &finding.0, *iteration)?;
    }
    Ok(())
}

fn step_finished(tx: &Transaction<'_>, run: &Run, step: &Step, id: Uuid, outcome: &Outcome) -> Result<()> {
    let loop_id = run.start.loop_id;
    match (step, outcome) {
        (Step::Build { finding, .. }, Outcome::Built(built)) => {
            runs::attempt_built(tx, id, &built.result, built.charged)?;
            keep_rounds(tx, run, finding)
        }
        (Step::Verify { finding, .. }, Outcome::Verified { verdict, charged }) => {
            runs::attempt_verified(tx, last_attempt(tx, run, finding)?, verdict, *charged)?;
            keep_rounds(tx, run, finding)
        }
        (Step::Ship { finding }, Outcome::Shipped(_)) => {
            findings::set_state(tx, loop_id, finding, &FindingState::InReview)
        }
        (Step::HandOver { .. }, _) if run.start.revises.is_some() => Ok(()),
        (Step::HandOver { finding, why }, _) => findings::handed_over(tx, loop_id, finding, why),
        _ => Ok(()),
    }
}

/// What was reserved for open steps is charged to their attempts.
fn cut_off(tx: &Transaction<'_>, run: &Run) -> Result<()> {
    run.open.iter().try_for_each(|(step, id)| charge_attempt(tx, run, step, *id, step.reserved().unwrap_or_default()))
}

/// What a step cost that came to nothing.
fn charge_attempt(tx: &Transaction<'_>, run: &Run, step: &Step, id: Uuid, charged: Micros) -> Result<()> {
    match step {
        Step::Build { .. } => runs::attempt_charged(tx, id, charged, Micros::ZERO),
        Step::Verify { finding, .. } => {
            runs::attempt_charged(tx, last_attempt(tx, run, finding)?, Micros::ZERO, charged)
        }
        _ => Ok(()),
    }
}

fn keep_rounds(tx: &Transaction<'_>, run: &Run, finding: &loopwright_core::finding::Fingerprint) -> Result<()> {
    let counts = !matches!(&run.start.revises, Some(Revision { why: Revise::Moved, .. }));
    match run.item(finding).filter(|_| counts) {
        Some(item) => findings::set_rounds(tx, run.start.loop_id, finding, &item.rounds),
        None => Ok(()),
    }
}

fn last_attempt(tx: &Transaction<'_>, run: &Run, finding: &loopwright_core::finding::Fingerprint) -> Result<Uuid> {
    let id: String = tx
        .query_row(
            "SELECT id FROM attempts WHERE run = ?1 AND finding = ?2 ORDER BY id DESC LIMIT 1",
            [run.start.run.to_string(), finding.0.clone()],
            |r| r.get(0),
        )
        .context("finding the attempt that was verified")?;
    id.parse().context("the attempt's id")
}

/// A pull request that the run was to work on again and did not goes back to the person as it was.
fn give_back(tx: &Transaction<'_>, run: &Run, end: &End, at: &str) -> Result<()> {
    let Some(Revision { pull_request, why, .. }) = &run.start.revises else { return Ok(()) };
    let updated = run.items.iter().any(|item| matches!(item.stage, Stage::Shipped { .. }));
    let stands = pull_requests::state(tx, *pull_request)?;
    if updated || !stands.is_some_and(|state| why.fails_to(&state)) {
        return Ok(());
    }
    let why = why.failed(&revise::came_to_nothing(run, end));
    pull_requests::step(tx, *pull_request, &Event::Reopened { why }, at).map(drop)
}

fn ended(tx: &Transaction<'_>, run: &Run, end: &End, at: &str) -> Result<()> {
    findings::reopen_acting(tx, run.start.loop_id)?;
    let (state, reason) = match end {
        End::Finished => ("finished", None),
        End::Halted { why: HaltWhy::Halt, detail } => ("halted", Some(detail.clone())),
        End::Halted { why, detail } => ("halted", Some(format!("{why:?}: {detail}").to_lowercase())),
        End::Failed { why } => ("failed", Some(why.clone())),
    };
    let failed = run.last_steps_failed().map(|steps| format!("its last steps failed: {steps}"));
    let reason: Option<String> = [reason, failed].into_iter().flatten().reduce(|a, b| format!("{a}; {b}"));
    occurrences::set(tx, run.start.occurrence, state, reason.as_deref(), at)?;
    schedules::follow(tx, run, end, at)
}

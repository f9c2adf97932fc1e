//! `halt` and `resume`: the files that everybody watches.

use std::time::{Duration, Instant};

use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_core::lease::HaltNote;
use serde::Serialize;

use super::{ApiError, Context, changes, run, runs};
use crate::halt as files;
use crate::store::{loops, runs as stored};

/// How long `halt` waits to see that everything has ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is halted or resumed.
#[derive(Clone, Debug)]
pub enum Level {
    /// Everything.
    All,
    /// One loop, by name.
    Loop(String),
    /// One run, by id.
    Run(String),
}

/// What `halt` came to.
#[derive(Clone, Debug, Serialize)]
pub struct HaltView {
    /// What is halted, for people.
    pub what: String,
    /// Runs that were stopped.
    pub stopped: u32,
}

/// Halts at once and waits until nothing of it lives any more.
///
/// # Errors
/// There is no such loop or run, the file can't be written, or something still lives.
pub fn halt(context: &Context, level: Level, now: bool, reason: Option<String>) -> Result<HaltView, ApiError> {
    let reason = reason.unwrap_or_else(|| if now { "halt --now" } else { "halt" }.to_owned());
    let note = HaltNote { at: context.now, by: "terminal".to_owned(), reason };
    // Everything is halted before the store is opened: a locked or damaged database must not delay it.
    if matches!(level, Level::All) {
        files::write(&files::halt_all(&context.home.state), &note)?;
    }
    let (what, concerned) = match &level {
        Level::All => ("everything".to_owned(), live(context, None)?),
        Level::Loop(name) => {
            let row = loops::by_name(context.store()?.read(), name)?
                .ok_or_else(|| ApiError::new(exit::USAGE, format!("no loop named {name}")))?;
            files::write(&files::halt_loop(&context.home.state, row.id), &note)?;
            (format!("loop {name}"), live(context, Some(name))?)
        }
        Level::Run(typed) => {
            let id = runs::find(&context.store()?, typed)?;
            files::write(&files::halt_run(&context.home.run(id)), &note)?;
            (format!("run {}", id.short()), vec![id])
        }
    };
    let alive: Vec<RunId> = concerned.into_iter().filter(|id| run::lives(context, *id)).collect();
    wait_for_end(context, &alive)?;
    context.acting()?;
    Ok(HaltView { what, stopped: u32::try_from(alive.len()).unwrap_or(u32::MAX) })
}

fn live(context: &Context, loop_name: Option<&str>) -> Result<Vec<RunId>, ApiError> {
    let records = stored::live(context.store()?.read())?;
    Ok(records.iter().filter(|r| loop_name.is_none_or(|n| r.loop_name == n)).map(|r| r.id).collect())
}

fn wait_for_end(context: &Context, alive: &[RunId]) -> Result<(), ApiError> {
    let (until, changes) = (Instant::now() + PATIENCE, changes(context));
    while alive.iter().any(|id| run::lives(context, *id)) {
        if Instant::now() > until {
            return Err(ApiError::new(exit::INTERNAL, "HALT is set, and a run is still being ended by its watchdog")
                .hint("`loopwright status` shows when it is over"));
        }
        changes.wait(Duration::from_millis(100));
    }
    Ok(())
}

/// Lifts a halt; says what may start again.
///
/// # Errors
/// No reason was given, there is no such loop or run, or the file can't be removed.
pub fn resume(context: &Context, level: Level, reason: &str) -> Result<String, ApiError> {
    if reason.trim().is_empty() {
        return Err(ApiError::new(exit::USAGE, "resuming wants a reason").hint("loopwright resume --reason \"…\""));
    }
    let note = HaltNote { at: context.now, by: "terminal".to_owned(), reason: reason.to_owned() };
    let resumed = lift(context, level, &note)?;
    // What waited under HALT lands now; what still can't says why when it is looked at.
    if let Err(error) = context.landing() {
        tracing::warn!("after resuming: {error}");
    }
    Ok(resumed)
}

fn lift(context: &Context, level: Level, note: &HaltNote) -> Result<String, ApiError> {
    match level {
        Level::All => {
            files::clear(&files::halt_all(&context.home.state))?;
            files::arm(&context.home.state, note)?;
            Ok("everything may start again".to_owned())
        }
        Level::Loop(name) => {
            let row = loops::by_name(context.store()?.read(), &name)?
                .ok_or_else(|| ApiError::new(exit::USAGE, format!("no loop named {name}")))?;
            files::clear(&files::halt_loop(&context.home.state, row.id))?;
            Ok(format!("loop {name} may start again"))
        }
        Level::Run(typed) => {
            let id = runs::find(&context.store()?, &typed)?;
            files::clear(&files::halt_run(&context.home.run(id)))?;
            Ok(format!("the halt of run {} is lifted; a run that ended stays ended", id.short()))
        }
    }
}

//! `halt` and `resume`: the files that everybody watches.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use loopwright_core::desk::Halted;
use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_core::lease::HaltNote;
use serde::{Deserialize, Serialize};

use super::{ApiError, Context, Deed, changes, runs};
use crate::ending;
use crate::halt as files;
use crate::store::{loops, runs as stored};

/// How long the watchdog may take until `halt` kills the sandboxes itself.
const SANDBOXES_AFTER: Duration = Duration::from_millis(500);

/// How long the watchdog may take until `halt` kills it and the runner too: more than it grants the runner for its last words.
const PROCESSES_AFTER: Duration = Duration::from_secs(5);

/// How long `halt` waits to see that everything has ended.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is halted or resumed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "level", content = "which", rename_all = "snake_case")]
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
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct HaltView {
    /// What is halted, for people.
    pub what: String,
    /// Runs that were stopped.
    pub stopped: u32,
    /// Of these, runs whose `finally:` steps are still under way.
    pub finishing: u32,
}

/// Halts at once and waits until nothing of it lives any more; what its watchdog does not end, this does.
///
/// # Errors
/// There is no such loop or run, the file can't be written, or something still lives.
pub fn halt(context: &Context, level: Level, now: bool, reason: Option<String>) -> Result<HaltView, ApiError> {
    let reason = reason.unwrap_or_else(|| if now { "halt --now" } else { "halt" }.to_owned());
    let note = HaltNote { at: context.now, by: context.by.to_owned(), reason };
    let set = |halt: PathBuf| {
        let lacking = stop_finally(&halt, now, &note);
        match level {
            Level::All => files::halt_everything(&context.home.state, &note),
            _ => files::write(&halt, &note),
        }
        .map(|()| lacking)
    };
    let (what, concerned, lacking) = match &level {
        // Before the store is opened: a locked or damaged database must not delay it.
        Level::All => {
            let lacking = set(files::halt_all(&context.home.state))?;
            ("everything".to_owned(), all(context)?, lacking)
        }
        Level::Loop(name) => {
            let row = loops::by_name(context.store()?.read(), name)?.ok_or_else(|| no_loop(name))?;
            let lacking = set(files::halt_loop(&context.home.state, row.id))?;
            (format!("loop {name}"), of_loop(context, name)?, lacking)
        }
        Level::Run(typed) => {
            let id = runs::find(&context.store()?, typed)?;
            let lacking = set(files::halt_run(&context.home.run(id)))?;
            (format!("run {}", id.short()), vec![id], lacking)
        }
    };
    let alive: Vec<RunId> = concerned.into_iter().filter(|id| lives(context, *id)).collect();
    wait_for_end(context, &alive, now)?;
    // HALT holds whatever becomes of the books: on a full disk the store can't even be opened.
    context.acting().map_err(|error| ApiError {
        message: format!("{what} is halted and nothing of it lives; but the store: {}", error.message),
        ..error
    })?;
    if let Some(error) = lacking {
        let message = format!("{what} is halted, but not its finally steps: {error:#}");
        return Err(ApiError::new(exit::FAILED, message).hint("make room or rights, then `halt --now` once more"));
    }
    let finishing = alive.iter().filter(|id| ending::finishes(&context.home.run(**id))).count();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(HaltView { what, stopped: count(alive.len()), finishing: count(finishing) })
}

/// What holds of a HALT for everything that could not be done to its end: looked up where it stands, whatever the error said.
pub fn how_far_halted(context: &Context) -> Halted {
    if files::HaltFiles::of_all(&context.home.state).look().is_none() {
        return Halted::Not;
    }
    match all(context) {
        Ok(runs) if runs.iter().any(|id| lives(context, *id)) => Halted::Lives,
        Ok(_) => Halted::Ended,
        Err(_) => Halted::Unknown,
    }
}

/// `--now`: before the HALT, so that nothing begins between the two. Why it could not be written keeps no HALT from its place.
fn stop_finally(halt: &Path, now: bool, note: &HaltNote) -> Option<anyhow::Error> {
    if now { files::write(&files::now_beside(halt), note).err() } else { None }
}

fn no_loop(name: &str) -> ApiError {
    ApiError::new(exit::USAGE, format!("no loop named {name}")).hint("`loopwright status` lists your loops")
}

/// Every run that has a directory, so that no database is asked.
fn all(context: &Context) -> Result<Vec<RunId>, ApiError> {
    let root = context.home.runs();
    let entries = fs::read_dir(&root).with_context(|| format!("reading {}", root.display()))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

fn of_loop(context: &Context, name: &str) -> Result<Vec<RunId>, ApiError> {
    let records = stored::live(context.store()?.read())?;
    Ok(records.iter().filter(|r| r.loop_name == name).map(|r| r.id).collect())
}

fn lives(context: &Context, run: RunId) -> bool {
    ending::lives(&context.home.run(run))
}

fn wait_for_end(context: &Context, alive: &[RunId], now: bool) -> Result<(), ApiError> {
    let (began, changes) = (Instant::now(), changes(context));
    loop {
        let waits = |dir: &PathBuf| ending::lives(dir) && (now || !ending::finishes(dir));
        let left: Vec<PathBuf> = alive.iter().map(|id| context.home.run(*id)).filter(waits).collect();
        match began.elapsed() {
            _ if left.is_empty() => return Ok(()),
            waited if waited > PATIENCE => {
                return Err(ApiError::new(exit::INTERNAL, "HALT is set, and processes of a run do not end")
                    .hint("`loopwright status` shows when it is over"));
            }
            waited if waited > PROCESSES_AFTER => left.iter().for_each(|dir| ending::end_processes(dir, context.now)),
            waited if waited > SANDBOXES_AFTER && now => left.iter().for_each(|dir| ending::end_sandboxes(dir)),
            waited if waited > SANDBOXES_AFTER => left.iter().for_each(|dir| ending::end_sandboxes_of_run(dir)),
            _ => {}
        }
        changes.wait(Duration::from_millis(50));
    }
}

/// What resuming came to.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ResumeView {
    /// What may start again, for people.
    pub what: String,
    /// What waited for that and was done, or why it still waits.
    pub deeds: Vec<Deed>,
}

/// Lifts a halt; says what may start again.
///
/// # Errors
/// No reason was given, there is no such loop or run, or the file can't be removed.
pub fn resume(context: &Context, level: Level, reason: &str) -> Result<ResumeView, ApiError> {
    if reason.trim().is_empty() {
        return Err(ApiError::new(exit::USAGE, "resuming wants a reason").hint("loopwright resume --reason \"…\""));
    }
    let note = HaltNote { at: context.now, by: context.by.to_owned(), reason: reason.to_owned() };
    let what = lift(context, level, &note)?;
    // What waited under HALT lands now; what still can't says why.
    Ok(ResumeView { what, deeds: context.then("resuming") })
}

fn lift(context: &Context, level: Level, note: &HaltNote) -> Result<String, ApiError> {
    match level {
        Level::All => {
            clear(&files::halt_all(&context.home.state))?;
            files::arm(&context.home.state, note)?;
            Ok("everything may start again".to_owned())
        }
        Level::Loop(name) => {
            let row = loops::by_name(context.store()?.read(), &name)?.ok_or_else(|| no_loop(&name))?;
            clear(&files::halt_loop(&context.home.state, row.id))?;
            Ok(format!("loop {name} may start again"))
        }
        Level::Run(typed) => {
            let id = runs::find(&context.store()?, &typed)?;
            clear(&files::halt_run(&context.home.run(id)))?;
            Ok(format!("the halt of run {} is lifted; a run that ended stays ended", id.short()))
        }
    }
}

/// NOW goes first: left behind without its HALT, it would hold for the next one.
fn clear(halt: &Path) -> anyhow::Result<()> {
    files::clear(&files::now_beside(halt))?;
    files::clear(halt).map(drop)
}

//! `__finally`: being the process of a run's last steps, under its watchdog, after whatever became of the runner.

use std::sync::Arc;

use anyhow::Result;
use loopwright_core::exit;
use loopwright_core::ids::RunId;
use loopwright_core::recover::Recovery;

use super::{Context, reconcile, runs};
use crate::finally::LastSteps;
use crate::halt::HaltFiles;
use crate::lease::{Supervision, require_watchdog};
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::store::{Store, loops, projection};

/// Performs what follows on the end of a run, if it has come to one: a run that goes on, or never began, is left alone.
/// Returns the exit code of the run.
pub fn finally_inner(context: &Context, run: RunId) -> u8 {
    match follow(context, run) {
        Ok(code) => code,
        Err(error) => {
            // The first pass that finds an end without its last event tries again.
            tracing::error!(run.id = %run, "the last steps failed: {error:#}");
            exit::INTERNAL
        }
    }
}

fn follow(context: &Context, id: RunId) -> Result<u8> {
    require_watchdog()?;
    let mut store = Store::open(&context.home)?;
    let Some(mut run) = projection::replay(store.read(), id)? else { return Ok(exit::INTERNAL) };
    if run.end.is_none() {
        let (what, _) = reconcile::judge(context, &store, &run)?;
        let Recovery::End(end) = what else { return Ok(exit::INTERNAL) };
        let dir = context.home.run(id);
        let nows = HaltFiles::of_run(&context.home.state, run.start.loop_id, &dir).nows();
        let supervision = Arc::new(Supervision::take_after_end(&dir, nows)?);
        if run.ending.is_none() {
            let event = run.end_event(end);
            reconcile::write(&mut store, &mut run, event)?;
        }
        crate::fail::point("finally-begun");
        let row = loops::by_id(store.read(), run.start.loop_id)?;
        let sandbox = Bubblewrap::find(&context.host)?.supervised(Arc::clone(&supervision));
        let (home, person) = (context.home.clone(), context.host.home.clone());
        if run.end.is_none() {
            LastSteps { home, person, row, store, run, supervision, sandbox }.perform()?;
        }
        reconcile::clear_workspaces(context, id);
    }
    Ok(runs::row_of(&Store::open(&context.home)?, id)?.code.unwrap_or(exit::INTERNAL))
}

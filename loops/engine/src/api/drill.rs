//! `drill`: the kill switch tried on this computer, on a run that is made for it.
//!
//! The run has a home of its own below the data folder: it has the real watchdog, runner and sandbox, and is ended by the real
//! HALT file, while no loop of the person is touched. What came of it is written down in the person's own journal.

mod ground;

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use loopwright_core::drill::{Drill, LIMIT_MS};
use loopwright_core::exit;
use loopwright_core::fleet::FleetEvent;
use serde::Serialize;

use super::{ApiError, Context, Level, halt};
use crate::launch::runner_program;
use crate::os::Held;
use crate::store::{Store, fleet};
use ground::Ground;

/// How often it is looked who lives.
const LOOK: Duration = Duration::from_millis(2);

/// The last drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DrillView {
    /// When.
    pub at: DateTime<Utc>,
    /// Whether the kill switch did what it promises.
    pub passed: bool,
    /// `Drilled 3 d ago, ended in 0.4 s`.
    pub words: String,
    /// How many processes the run had.
    pub processes: u32,
    /// How many of them lived on.
    pub left: u32,
    /// When the last of them was gone, in milliseconds.
    pub took_ms: u64,
}

/// What halts the run of a drill.
pub type Switch<'s> = &'s (dyn Fn(&Context) -> Result<(), ApiError> + Sync);

/// Grows a harmless, stubborn tree of processes in a box under a watchdog, halts it, and looks who lives.
///
/// # Errors
/// Another drill is under way, or none could begin: then nothing was tried, and nothing is written down.
pub fn drill(context: &Context) -> Result<DrillView, ApiError> {
    let reason = || Some("a drill".to_owned());
    drill_with(context, &runner_program()?, &|own| halt(own, Level::All, false, reason()).map(drop))
}

/// The same with another program for the run and another switch, so that a test of the drill can have one that fails.
///
/// # Errors
/// As [`drill`].
pub fn drill_with(context: &Context, program: &Path, switch: Switch<'_>) -> Result<DrillView, ApiError> {
    let mut ground = Ground::prepare(context)?;
    let grown = ground.begin(program).and_then(|()| ground.grown());
    let came = grown.map(|tree| pull(&ground, &tree, switch));
    let cleared = ground.clear();
    let mut came = came?;
    if let Err(error) = cleared {
        came.fault.get_or_insert(format!("{error:#}"));
    }
    let mut store = context.store()?;
    store.write(|tx| fleet::record(tx, FleetEvent::Drilled(came.clone()), context.now))?;
    Ok(view(&came, context.now, context.now))
}

/// The last drill on this computer; none if there was none.
pub(super) fn last_drill(context: &Context, store: &Store) -> anyhow::Result<Option<DrillView>> {
    Ok(fleet::last_drill(store.read())?.map(|(at, drill)| view(&drill, at, context.now)))
}

fn view(drill: &Drill, at: DateTime<Utc>, now: DateTime<Utc>) -> DrillView {
    DrillView {
        at,
        passed: drill.passed(),
        words: drill.words(at, now),
        processes: drill.processes,
        left: drill.left,
        took_ms: drill.took_ms,
    }
}

/// Pulls the switch and looks, beside it, until nobody of the tree lives or the limit is over.
fn pull(ground: &Ground, tree: &[Held], switch: Switch<'_>) -> Drill {
    let limit = Duration::from_millis(LIMIT_MS);
    std::thread::scope(|scope| {
        let began = Instant::now();
        let pulled = scope.spawn(|| switch(ground.context()));
        let lives = || tree.iter().filter(|held| !held.gone()).count();
        while lives() > 0 && began.elapsed() <= limit {
            std::thread::park_timeout(LOOK);
        }
        let took = began.elapsed();
        let left = lives();
        let failed = pulled.join().map_or_else(
            |_| Some("the kill switch broke off".to_owned()),
            |pulled| pulled.err().map(|error| format!("the kill switch failed: {}", error.message)),
        );
        Drill {
            processes: u32::try_from(tree.len()).unwrap_or(u32::MAX),
            left: u32::try_from(left).unwrap_or(u32::MAX),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            fault: failed.or_else(|| (left == 0 && !ground.ends()).then(|| "its watchdog lived on".to_owned())),
        }
    })
}

/// A drill that could not begin.
fn not_begun(why: impl std::fmt::Display) -> ApiError {
    ApiError::new(exit::FAILED, format!("the drill did not begin: {why}; nothing was tried"))
        .hint("`loopwright doctor` says what a run needs and lacks")
}

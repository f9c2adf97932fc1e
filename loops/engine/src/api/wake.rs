//! `wake`: whether the computer will wake for its loops, and if not, why and what helps.
//!
//! The timer is `serve`'s ([`crate::wake`]); what it says of it stands in its beat.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Duration, Utc};
use loopwright_core::desk::WakeFact;
use loopwright_core::wake::{self, Hindrance, WakeMark, Waking};
use serde::Serialize;

use super::{ApiError, Context, scheduler};
use crate::halt::{self, HaltFiles};
use crate::store::schedules::Scheduled;
use crate::store::{Store, schedules};
use crate::wake as system;

/// How many wake-ups are written ahead for a timer of the system.
const AHEAD: usize = 100;
/// How much earlier than ours a timer of the system may wake the computer for the same start.
const EARLIER: Duration = Duration::minutes(15);

/// Whether the computer will wake for its loops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct WakeView {
    /// How it stands.
    pub state: WakeState,
    /// When the computer wakes, or should.
    pub at: Option<DateTime<Utc>>,
    /// When the loop starts that it wakes for.
    pub starts_at: Option<DateTime<Utc>>,
    /// That loop.
    pub loop_name: Option<String>,
    /// Why it will not wake; also where nothing asks for it yet.
    pub why: Option<String>,
    /// What helps.
    pub repair: Option<String>,
}

/// How it stands with waking the computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum WakeState {
    /// No loop that may start asks for it; `why` says whether it could be.
    NotAsked,
    /// A timer is set, was read back, and wakes this computer as far as can be asked.
    Armed,
    /// A loop asks for it, and it will not wake.
    WillNotWake,
    /// A loop asks for it, and this computer never sleeps.
    NeverSleeps,
}

/// Whether the computer will wake for its loops.
///
/// # Errors
/// The store can't be read.
pub fn wake(context: &Context) -> Result<WakeView, ApiError> {
    Ok(look(context, &context.store()?)?)
}

/// The same with a store that is open already.
///
/// # Errors
/// The store can't be read.
pub(super) fn look(context: &Context, store: &Store) -> Result<WakeView> {
    let Some(next) = next(context, store)? else { return Ok(view(WakeState::NotAsked, None, system::hindrance())) };
    if by_the_system(&next) {
        return Ok(view(WakeState::Armed, Some(next), None));
    }
    Ok(match scheduler::wake_mark(context) {
        Some(Some(mark)) => marked(mark),
        // Its first pass, or the first one after the loop was added, is under way.
        Some(None) => view(WakeState::WillNotWake, Some(next), Some(not_set("the scheduler has not set it yet"))),
        None => {
            let gone = "no scheduler runs that would set it";
            let repair = Some("loopwright serve".to_owned());
            WakeView { repair, ..view(WakeState::WillNotWake, Some(next), Some(not_set(gone))) }
        }
    })
}

impl WakeView {
    /// What a menu says of it; none where nothing is asked for, or nothing needs to wake.
    pub fn fact(&self) -> Option<WakeFact> {
        let armed = match self.state {
            WakeState::NotAsked | WakeState::NeverSleeps => return None,
            WakeState::Armed => true,
            WakeState::WillNotWake => false,
        };
        self.at.map(|at| WakeFact { at, armed })
    }
}

fn marked(mark: WakeMark) -> WakeView {
    match mark.hindrance {
        None => view(WakeState::Armed, Some(mark.waking), None),
        Some(hindrance) if !hindrance.matters() => view(WakeState::NeverSleeps, Some(mark.waking), None),
        Some(hindrance) => view(WakeState::WillNotWake, Some(mark.waking), Some(hindrance)),
    }
}

fn view(state: WakeState, waking: Option<Waking>, hindrance: Option<Hindrance>) -> WakeView {
    WakeView {
        state,
        at: waking.as_ref().map(|waking| waking.at),
        starts_at: waking.as_ref().map(|waking| waking.starts_at),
        loop_name: waking.map(|waking| waking.loop_name),
        why: hindrance.as_ref().map(ToString::to_string),
        repair: hindrance.and_then(|hindrance| hindrance.repair().map(str::to_owned)),
    }
}

fn not_set(why: &str) -> Hindrance {
    Hindrance::Refused(why.to_owned())
}

/// Whether a timer of the system, that root installed, wakes the computer for this start.
fn by_the_system(next: &Waking) -> bool {
    system::installed().into_iter().any(|at| at <= next.starts_at && at > next.starts_at - EARLIER)
}

/// The next start that the computer is to be woken for; none under HALT, as nothing would start.
pub(super) fn next(context: &Context, store: &Store) -> Result<Option<Waking>> {
    let loops = asking(context, store)?;
    let next = |one: &Scheduled| wake::next_waking(&one.timing, zone(context, one), &one.name, context.now);
    Ok(loops.iter().filter_map(next).min())
}

/// Loops that ask for it, and may start by themselves.
fn asking(context: &Context, store: &Store) -> Result<Vec<Scheduled>> {
    let state = &context.home.state;
    if HaltFiles::of_all(state).look().is_some() {
        return Ok(Vec::new());
    }
    let mut loops = schedules::waking(store.read())?;
    loops.retain(|one| {
        let files =
            HaltFiles { halts: vec![(halt::HaltLevel::Loop, halt::halt_loop(state, one.loop_id))], armed: None };
        files.look().is_none()
    });
    Ok(loops)
}

fn zone(context: &Context, one: &Scheduled) -> chrono_tz::Tz {
    one.timing.zone.unwrap_or(context.zone)
}

/// Writes what root installs so that the computer wakes (`wake --units`), and tells which files these are.
///
/// # Errors
/// The store can't be read, or a file can't be written.
pub fn wake_units(context: &Context, folder: &Path) -> Result<Vec<PathBuf>, ApiError> {
    let store = context.store()?;
    let loops = asking(context, &store)?;
    let of =
        |one: &Scheduled| wake::wakings(&one.timing, zone(context, one), context.now).take(AHEAD).collect::<Vec<_>>();
    let mut times: Vec<DateTime<Utc>> = loops.iter().flat_map(of).map(|starts| starts - wake::LEAD).collect();
    times.sort_unstable();
    times.dedup();
    times.truncate(AHEAD);
    let folder = std::path::absolute(folder).context("finding that folder")?;
    fs::create_dir_all(&folder).with_context(|| format!("making the folder {}", folder.display()))?;
    let mut written = Vec::new();
    for (name, text) in system::units(&times) {
        let path = folder.join(name);
        crate::home::replace(&path, text.as_bytes())?;
        written.push(path);
    }
    Ok(written)
}

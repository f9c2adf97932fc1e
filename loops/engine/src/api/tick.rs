//! `tick`: one whole reconcile pass. Runs that lost their processes go on, what was approved lands, what has no owner goes.

use anyhow::Result;
use chrono::{DateTime, Utc};
use loopwright_core::exit;
use serde::Serialize;

use super::reconcile::{self, Deed, Reach};
use super::schedule::{self, Machine};
use super::{ApiError, Context, landing, revise};
use crate::store::{Store, pull_requests};
use crate::sweep::sweep;

/// What a pass came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TickView {
    /// What it did, in order; empty when everything was in order.
    pub deeds: Vec<Deed>,
    /// When the next pass has something to do that nobody else would tell of.
    pub next_at: Option<DateTime<Utc>>,
}

impl TickView {
    /// The exit code that says so.
    pub fn code(&self) -> u8 {
        match self.deeds.as_slice() {
            [] => exit::NOTHING,
            deeds if deeds.iter().any(|deed| matches!(deed, Deed::Failed { .. })) => exit::FAILED,
            deeds if deeds.iter().any(|deed| !matches!(deed, Deed::Waits { .. } | Deed::Held { .. })) => exit::DONE,
            deeds if deeds.iter().any(|deed| matches!(deed, Deed::Held { halted: true, .. })) => exit::HALTED,
            deeds if deeds.iter().any(|deed| matches!(deed, Deed::Held { .. })) => exit::WAITS,
            _ => exit::PARKED,
        }
    }
}

/// Makes the pass that `start` begins with, and says what it did: for whoever asks for a run and would not see it otherwise.
///
/// # Errors
/// The store can't be read or written.
pub fn settle(context: &Context) -> Result<Vec<Deed>, ApiError> {
    Ok(context.pass()?.1)
}

/// Makes one pass. Many at once do each thing once.
///
/// # Errors
/// The store can't be read or written.
pub fn tick(context: &Context) -> Result<TickView, ApiError> {
    let mut store = context.store()?;
    let deeds = pass(context, &mut store, &schedule::machine(context), true)?;
    let next_at = schedule::wakes_at(context, &store)?;
    Ok(TickView { deeds, next_at })
}

/// The same with an open store; only a thorough one sweeps and brings the refs of what is shown in line.
///
/// # Errors
/// The store can't be read or written.
pub(super) fn pass(context: &Context, store: &mut Store, machine: &Machine, thorough: bool) -> Result<Vec<Deed>> {
    let mut deeds = reconcile::reconcile(context, store, Reach::Whole)?;
    if thorough || pull_requests::any_approved(store.read())? {
        deeds.extend(landing::land_waiting(context, store)?);
    }
    deeds.extend(revise::begin_due(context, store)?);
    deeds.extend(schedule::pass(context, store, machine, &mut schedule::under_watchdog)?);
    if thorough {
        let swept = sweep(&context.home, store, context.now)?;
        deeds.extend(swept.lines().into_iter().map(|what| Deed::Swept { what }));
    }
    Ok(deeds)
}

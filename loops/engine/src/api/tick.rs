//! `tick`: one whole reconcile pass. Runs that lost their processes go on, what was approved lands, what has no owner goes.

use chrono::{DateTime, Utc};
use loopwright_core::exit;
use serde::Serialize;

use super::reconcile::{self, Deed, Reach};
use super::{ApiError, Context, landing, revise, schedule};
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
    let mut deeds = reconcile::reconcile(context, &mut store, Reach::Whole)?;
    deeds.extend(landing::land_waiting(context, &mut store)?);
    deeds.extend(revise::begin_due(context, &mut store)?);
    deeds.extend(schedule::pass(context, &mut store, &schedule::machine(), &mut schedule::under_watchdog)?);
    let swept = sweep(&context.home, &store, context.now)?;
    deeds.extend(swept.lines().into_iter().map(|what| Deed::Swept { what }));
    let next_at = schedule::wakes_at(context, &store)?;
    Ok(TickView { deeds, next_at })
}

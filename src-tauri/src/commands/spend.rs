//! What the Spend window asks for.

use loopwright_core::ledger::Period;
use loopwright_core::money::Micros;
use loopwright_core::spend::SpendRange;
use loopwright_engine::api::{self, ApiError, CeilingSet, SpendView};

use super::ask;

/// What was spent in a range of days.
#[tauri::command]
pub(crate) async fn spend(range: SpendRange) -> Result<SpendView, ApiError> {
    ask(move |context| api::spend(context, range)).await
}

/// Sets a ceiling over all loops, or takes it away.
#[tauri::command]
pub(crate) async fn set_ceiling(per: Period, amount: Option<Micros>) -> Result<CeilingSet, ApiError> {
    ask(move |context| api::set_ceiling(context, per, amount)).await
}

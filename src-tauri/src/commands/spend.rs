//! What the Spend window asks for.

use loopwright_core::spend::SpendRange;
use loopwright_engine::api::{self, ApiError, SpendView};

use super::ask;

/// What was spent in a range of days.
#[tauri::command]
pub(crate) async fn spend(range: SpendRange) -> Result<SpendView, ApiError> {
    ask(move |context| api::spend(context, range)).await
}

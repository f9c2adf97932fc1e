//! What the Runs window asks for.

use loopwright_core::ids::OccurrenceId;
use loopwright_engine::api::{
    self, ApiError, HistoryFilter, HistoryPage, LiveRun, LogFound, LogPage, LogPlace, TimelineView, WhyView,
};

use super::ask;

/// A page of the history of all loops.
#[tauri::command]
pub(crate) async fn history(filter: HistoryFilter, after: Option<String>, count: u32) -> Result<HistoryPage, ApiError> {
    ask(move |context| api::history(context, &filter, after.as_deref(), count)).await
}

/// One run as a timeline.
#[tauri::command]
pub(crate) async fn timeline(run: String) -> Result<TimelineView, ApiError> {
    ask(move |context| api::timeline(context, &run)).await
}

/// How the runs that live get on.
#[tauri::command]
pub(crate) async fn live_runs() -> Result<Vec<LiveRun>, ApiError> {
    ask(api::live).await
}

/// The whole answer on one row of the history.
#[tauri::command]
pub(crate) async fn why_row(id: OccurrenceId) -> Result<WhyView, ApiError> {
    ask(move |context| api::why_row(context, id)).await
}

/// A page of a log.
#[tauri::command]
pub(crate) async fn log_page(run: String, file: String, place: LogPlace) -> Result<LogPage, ApiError> {
    ask(move |context| api::log_page(context, &run, &file, place)).await
}

/// Looks for a text in a whole log.
#[tauri::command]
pub(crate) async fn log_find(
    run: String,
    file: String,
    text: String,
    from: u64,
    back: bool,
) -> Result<LogFound, ApiError> {
    ask(move |context| api::log_find(context, &run, &file, &text, from, back)).await
}

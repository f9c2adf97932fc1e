//! What every window asks for.

use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, HaltView, Level, Preferences, ResumeView, StatusView};
use tauri::{State, WebviewWindow};

use super::ask;
use crate::window::{Shown, open};

/// Everything at a glance.
#[tauri::command]
pub(crate) async fn status() -> Result<StatusView, ApiError> {
    ask(api::status).await
}

/// Halts at once.
#[tauri::command]
pub(crate) async fn halt(level: Level) -> Result<HaltView, ApiError> {
    ask(|context| api::halt(context, level, false, Some("halted in a window".to_owned()))).await
}

/// Lets it go on.
#[tauri::command]
pub(crate) async fn resume(level: Level, reason: String) -> Result<ResumeView, ApiError> {
    ask(move |context| api::resume(context, level, &reason)).await
}

/// Opens another window, or brings it to the front.
#[tauri::command]
pub(crate) async fn open_window(view: String, target: Option<String>) -> Result<(), ApiError> {
    open(&view, target.as_deref())
}

/// Closes the window that asks for it; the tray stays.
#[tauri::command]
pub(crate) async fn close_window(window: WebviewWindow) -> Result<(), ApiError> {
    window.close().map_err(|error| ApiError::new(exit::FAILED, error))
}

/// What holds for every window.
#[tauri::command]
pub(crate) async fn preferences() -> Result<Preferences, ApiError> {
    ask(api::preferences).await
}

/// What this window is to show, if it was not fetched yet.
#[tauri::command]
pub(crate) fn first_target(shown: State<'_, Shown>) -> Option<String> {
    shown.fetch()
}

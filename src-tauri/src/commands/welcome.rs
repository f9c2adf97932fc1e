//! What the Welcome and Quit windows ask for.

use std::path::PathBuf;

use loopwright_engine::api::{self, ApiError, DryRun, EnableView, FirstDraft, RunRow, WelcomeView};

use super::ask;
use crate::tray;

/// What is on this computer.
#[tauri::command]
pub(crate) async fn welcome() -> Result<WelcomeView, ApiError> {
    ask(api::welcome).await
}

/// Remembers that the person was welcomed.
#[tauri::command]
pub(crate) async fn welcome_done() -> Result<(), ApiError> {
    ask(api::welcome_done).await
}

/// Git repositories in a folder.
#[tauri::command]
pub(crate) async fn repositories(folder: PathBuf) -> Result<Vec<String>, ApiError> {
    ask(move |context| api::repositories(context, &folder)).await
}

/// Drafts a loop for a repository; with the hash of that draft, registers it.
#[tauri::command]
pub(crate) async fn first_loop(
    repo: PathBuf,
    template: Option<String>,
    hash: Option<String>,
) -> Result<FirstDraft, ApiError> {
    ask(move |context| api::first_loop(context, &repo, template, hash)).await
}

/// Starts a run that only looks.
#[tauri::command]
pub(crate) async fn dry_run(name: String) -> Result<RunRow, ApiError> {
    ask(move |context| api::dry_run(context, &name)).await
}

/// How far that is.
#[tauri::command]
pub(crate) async fn dry_run_so_far(run: String) -> Result<DryRun, ApiError> {
    ask(move |context| api::dry_run_so_far(context, &run)).await
}

/// Makes the sample and starts a run of it.
#[tauri::command]
pub(crate) async fn try_sample() -> Result<RunRow, ApiError> {
    ask(api::try_sample).await
}

/// Lets a loop start by itself.
#[tauri::command]
pub(crate) async fn turn_on(name: String) -> Result<EnableView, ApiError> {
    ask(move |context| api::enable(context, &name)).await
}

/// Ends the tray; with `pause`, no loop starts by itself any more.
#[tauri::command]
pub(crate) async fn quit(pause: bool) -> Result<(), ApiError> {
    ask(move |context| {
        if pause {
            api::pause_all(context)?;
        }
        Ok(tray::ask_to_quit(context)?)
    })
    .await
}

//! What the Loops window asks for: loops and their files, drafts of them, and what starts or ends them.

use loopwright_core::ids::RunId;
use loopwright_engine::api::{
    self, ApiError, DraftRequest, EnableView, LoopDeleted, LoopDetail, LoopDraft, LoopListRow, LoopSaved, NewLoop,
    NewLoopView, SimulatedDraft, StartRequest, TemplateView,
};

use super::ask;

/// All loops.
#[tauri::command]
pub(crate) async fn loop_list() -> Result<Vec<LoopListRow>, ApiError> {
    ask(api::loop_list).await
}

/// One loop with its file.
#[tauri::command]
pub(crate) async fn loop_detail(name: String) -> Result<LoopDetail, ApiError> {
    ask(move |context| api::loop_detail(context, &name)).await
}

/// What a text comes to.
#[tauri::command]
pub(crate) async fn draft_loop(request: DraftRequest) -> Result<LoopDraft, ApiError> {
    ask(move |context| Ok(api::draft_loop(context, &request))).await
}

/// What it would start.
#[tauri::command]
pub(crate) async fn simulate_draft(text: String) -> Result<SimulatedDraft, ApiError> {
    ask(move |context| api::simulate_draft(context, &text)).await
}

/// Saves it.
#[tauri::command]
pub(crate) async fn save_loop(name: String, text: String, base: String) -> Result<LoopSaved, ApiError> {
    ask(move |context| api::save_loop(context, &name, &text, &base)).await
}

/// Confirms a file that changed.
#[tauri::command]
pub(crate) async fn confirm_loop(name: String, hash: String) -> Result<Option<String>, ApiError> {
    ask(move |context| api::confirm_loop(context, &name, &hash)).await
}

/// Lets nothing start it by itself, for the rest of the day or until a person says so.
#[tauri::command]
pub(crate) async fn pause_loop(name: String, tomorrow: bool) -> Result<EnableView, ApiError> {
    ask(move |context| api::pause(context, &name, tomorrow)).await
}

/// Lets it start by itself again.
#[tauri::command]
pub(crate) async fn enable_loop(name: String) -> Result<EnableView, ApiError> {
    ask(move |context| api::enable(context, &name)).await
}

/// Starts it now.
#[tauri::command]
pub(crate) async fn run_loop(name: String) -> Result<RunId, ApiError> {
    ask(move |context| api::start(context, StartRequest { name, ship: false, finding: None })).await
}

/// Deletes it.
#[tauri::command]
pub(crate) async fn delete_loop(name: String, typed: String) -> Result<LoopDeleted, ApiError> {
    ask(move |context| api::delete_loop(context, &name, &typed)).await
}

/// The gallery.
#[tauri::command]
pub(crate) async fn loop_templates() -> Result<Vec<TemplateView>, ApiError> {
    ask(|_| Ok(api::templates())).await
}

/// A loop that would be made.
#[tauri::command]
pub(crate) async fn new_loop(new: NewLoop) -> Result<NewLoopView, ApiError> {
    ask(move |context| api::new_loop(context, &new)).await
}

/// Makes it.
#[tauri::command]
pub(crate) async fn create_loop(new: NewLoop, hash: String) -> Result<LoopDetail, ApiError> {
    ask(move |context| api::create_loop(context, &new, &hash)).await
}

/// Makes one of a text.
#[tauri::command]
pub(crate) async fn create_written(text: String) -> Result<LoopDetail, ApiError> {
    ask(move |context| api::create_written(context, &text)).await
}

/// What may stand in a loop file.
#[tauri::command]
pub(crate) async fn loop_schema() -> Result<String, ApiError> {
    ask(|_| Ok(api::schema())).await
}

//! What the Settings window asks for.

use loopwright_engine::api::{self, AgentTest, ApiError, ChangedSetting, DoctorRow, SettingsView};

use super::ask;

/// What is set, and what is there to be set.
#[tauri::command]
pub(crate) async fn settings_view() -> Result<SettingsView, ApiError> {
    ask(api::settings_view).await
}

/// Sets one key of `settings.yaml`, or takes it away.
#[tauri::command]
pub(crate) async fn change_setting(key: String, value: Option<String>) -> Result<ChangedSetting, ApiError> {
    ask(move |context| api::change_setting(context, &key, value.as_deref())).await
}

/// Asks an agent for its version, in the sandbox.
#[tauri::command]
pub(crate) async fn test_agent(program: String) -> Result<AgentTest, ApiError> {
    ask(move |context| api::test_agent(context, &program)).await
}

/// Looks at everything that a run needs.
#[tauri::command]
pub(crate) async fn doctor() -> Result<Vec<DoctorRow>, ApiError> {
    ask(|context| Ok(api::doctor(context))).await
}

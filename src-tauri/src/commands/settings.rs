//! What the Settings window asks for.

use loopwright_engine::api::{self, AgentTest, ApiError, ChangedSetting, CredentialsView, DoctorRow, DrillView};
use loopwright_engine::api::{LoginItemView, SettingsView, WakeView};
use loopwright_engine::secrets::Secret;

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

/// Tries the kill switch.
#[tauri::command]
pub(crate) async fn drill() -> Result<DrillView, ApiError> {
    ask(api::drill).await
}

/// The keys and the keychain; never a character of one.
#[tauri::command]
pub(crate) async fn credentials() -> Result<CredentialsView, ApiError> {
    ask(api::credentials).await
}

/// Stores a key in the keychain.
#[tauri::command]
pub(crate) async fn login(name: String, secret: String) -> Result<CredentialsView, ApiError> {
    let secret = Secret::new(secret.into_bytes());
    ask(move |context| api::login(context, &name, &secret)).await
}

/// Removes a key from the keychain.
#[tauri::command]
pub(crate) async fn logout(name: String) -> Result<CredentialsView, ApiError> {
    ask(move |context| api::logout(context, &name)).await
}

/// Lets the keychain ask the person to unlock it.
#[tauri::command]
pub(crate) async fn unlock_keychain() -> Result<CredentialsView, ApiError> {
    ask(api::unlock_keychain).await
}

/// Whether the computer will wake for its loops.
#[tauri::command]
pub(crate) async fn wake() -> Result<WakeView, ApiError> {
    ask(api::wake).await
}

/// Whether the tray starts at login.
#[tauri::command]
pub(crate) async fn login_item() -> Result<LoginItemView, ApiError> {
    ask(api::login_item).await
}

/// Has the tray start at login, or not.
#[tauri::command]
pub(crate) async fn set_login_item(on: bool) -> Result<LoginItemView, ApiError> {
    ask(move |context| api::set_login_item(context, on)).await
}

/// Shows a notification that means nothing.
#[tauri::command]
pub(crate) async fn test_notice() -> Result<(), ApiError> {
    ask(api::notices::test_notice).await
}

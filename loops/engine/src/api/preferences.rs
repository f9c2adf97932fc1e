//! What is set for every window: light or dark, and whether keys act that are pressed alone.

use serde::Serialize;

use loopwright_core::definition::preferences::{Appearance, TrayIcon};

use super::{ApiError, Context};
use crate::settings;

/// What every window goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Preferences {
    /// Light or dark.
    pub appearance: Appearance,
    /// Whether keys act that are pressed alone.
    pub single_keys: bool,
}

/// What every window goes by.
///
/// # Errors
/// `settings.yaml` is not valid.
pub fn preferences(context: &Context) -> Result<Preferences, ApiError> {
    let desktop = settings::read(&context.home)?.desktop;
    Ok(Preferences { appearance: desktop.appearance, single_keys: desktop.single_keys })
}

/// Which drawing of the tray's icon is shown; the usual one where the settings can't be read.
pub fn tray_icon(context: &Context) -> TrayIcon {
    settings::read(&context.home).map(|settings| settings.desktop.tray_icon).unwrap_or_default()
}

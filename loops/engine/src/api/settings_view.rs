//! What the Settings window shows of `settings.yaml` and of the agents on this machine, and the change of one key.

use loopwright_core::definition::change::{self, NotChanged};
use loopwright_core::definition::preferences::{Appearance, BreaksQuiet, Desktop, TrayIcon};
use loopwright_core::definition::settings::Settings;
use loopwright_core::exit;
use loopwright_core::independence::of_vendors;
use serde::Serialize;

use super::{AgentView, ApiError, Context, init};
use crate::settings;

/// What is set, and what is there to be set.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct SettingsView {
    /// The file.
    pub path: String,
    /// What is wrong with it; none = it can be read. What stands below is the usual then.
    pub fault: Option<String>,
    /// Light or dark.
    pub appearance: Appearance,
    /// Whether keys act that are pressed alone.
    pub single_keys: bool,
    /// The tray's icon.
    pub tray_icon: TrayIcon,
    /// How many runs start by themselves beside each other.
    pub max_runs: u32,
    /// Ceilings of all loops together: `$50/day`.
    pub budget: Vec<String>,
    /// Whether what needs a person is told.
    pub needs_you: bool,
    /// Whether what broke is told, gathered.
    pub broken: bool,
    /// When nothing is told: `20:00-08:00`; none = there is no such time.
    pub quiet_hours: Option<String>,
    /// What is told all the same.
    pub break_quiet: Vec<BreaksQuiet>,
    /// Coding agents, the preferred ones first.
    pub agents: Vec<AgentView>,
    /// Whether maker and checker can come from two vendors.
    pub independent: bool,
    /// That in one sentence.
    pub independence: String,
}

/// A setting that was changed.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct ChangedSetting {
    /// Its key.
    pub key: String,
    /// What stood in the file before, as written; none = nothing did. Setting that again takes the change back.
    pub before: Option<String>,
}

/// What is set, and what is there to be set.
///
/// # Errors
/// None: a file that can't be read is part of the answer.
pub fn settings_view(context: &Context) -> Result<SettingsView, ApiError> {
    let (set, fault) = match settings::read(&context.home) {
        Ok(set) => (set, None),
        Err(error) => (Settings::default(), Some(format!("{error:#}"))),
    };
    let agents = preferred(init::agents(context), &set.desktop.agents);
    let present: Vec<&str> = agents.iter().filter(|one| one.path.is_some()).map(|one| one.vendor.as_str()).collect();
    let (independent, independence) = of_vendors(&present);
    let max_runs = u32::try_from(set.slots()).unwrap_or(u32::MAX);
    let Desktop { appearance, single_keys, tray_icon, notifications, .. } = set.desktop;
    Ok(SettingsView {
        path: settings::path(&context.home).display().to_string(),
        fault,
        appearance,
        single_keys,
        tray_icon,
        max_runs,
        budget: set.ceilings.iter().map(ToString::to_string).collect(),
        needs_you: notifications.needs_you,
        broken: notifications.broken,
        quiet_hours: notifications.quiet_hours.map(|quiet| quiet.to_string()),
        break_quiet: notifications.break_quiet,
        agents,
        independent,
        independence: independence.to_owned(),
    })
}

/// Sets one key of `settings.yaml` to a value in one line of YAML, or takes it away; every other byte of the file stays.
///
/// # Errors
/// The value is not allowed there, the file is written in a way that can't be changed here, or it can't be written.
pub fn change_setting(context: &Context, key: &str, value: Option<&str>) -> Result<ChangedSetting, ApiError> {
    let path = settings::path(&context.home).display().to_string();
    let before = settings::change(&context.home, |text| change::change(text, key, value));
    let before = before.map_err(|error| match error.downcast_ref::<NotChanged>() {
        Some(refused) => refusal(refused, key, &path),
        None => ApiError::from(error),
    })?;
    Ok(ChangedSetting { key: key.to_owned(), before })
}

fn refusal(refused: &NotChanged, key: &str, path: &str) -> ApiError {
    let hint = match refused {
        NotChanged::Invalid(fault) => fault.help.clone(),
        NotChanged::Value(_) | NotChanged::Written(_) => Some(format!("change `{key}` in {path} by hand")),
    };
    let error = ApiError::new(exit::USAGE, format!("{refused}; the file is as it was"));
    ApiError { hint, ..error }
}

/// The agents in the order that is set; those that are not named there follow as they are known.
fn preferred(mut agents: Vec<AgentView>, order: &[String]) -> Vec<AgentView> {
    let place = |one: &AgentView| order.iter().position(|name| *name == one.program).unwrap_or(usize::MAX);
    agents.sort_by_key(place);
    agents
}

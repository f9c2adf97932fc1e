//! What the person has set for the desktop: light or dark, keys, the tray's icon, notifications, the order of agents.

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use super::clock;
use super::faults::Faults;
use super::fields::Fields;
use super::nearest::suggestion;
use super::values::{choice, phrase, text};
use super::yaml::{Node, Value};
use crate::timing::QuietHours;

/// Keys of `notifications:`.
const KEYS: [&str; 4] = ["needs_you", "broken", "quiet_hours", "break_quiet"];
/// What `on` and `off` mean; YAML's other words for it are read too.
const SWITCH: [(&str, bool); 4] = [("on", true), ("off", false), ("true", true), ("false", false)];
/// Coding agents that Loopwright knows, by their programs.
pub const AGENTS: [&str; 7] = ["claude", "codex", "gemini", "copilot", "cursor-agent", "opencode", "aider"];

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Appearance {
    /// As the desktop is.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// Which drawing of the tray's icon is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TrayIcon {
    /// By the desktop and its colours.
    #[default]
    Automatic,
    /// Dark lines.
    Dark,
    /// Light lines.
    Light,
    /// Light lines with a dark outline.
    Outlined,
}

/// Something that may be told during quiet hours, if the person has ticked it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum BreaksQuiet {
    /// A pull request is ready, or a run was handed over.
    NeedsYou,
    /// The clock itself failed for the second time.
    Broken,
}

/// What is told, and when not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// Whether what needs a person is told.
    pub needs_you: bool,
    /// Whether what broke is told, gathered.
    pub broken: bool,
    /// When nothing is told, in the computer's zone; none = there is no such time.
    pub quiet_hours: Option<QuietHours>,
    /// What is told all the same.
    pub break_quiet: Vec<BreaksQuiet>,
}

impl Default for Notifications {
    fn default() -> Notifications {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        let quiet_hours = Some(QuietHours { from: at(20), to: at(8) });
        Notifications { needs_you: true, broken: true, quiet_hours, break_quiet: Vec::new() }
    }
}

/// What is set for the desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desktop {
    /// Light or dark.
    pub appearance: Appearance,
    /// Whether keys act that are pressed alone.
    pub single_keys: bool,
    /// The tray's icon.
    pub tray_icon: TrayIcon,
    /// The programs of coding agents, the one that is preferred first; of those that are not named, any.
    pub agents: Vec<String>,
    /// What is told, and when not.
    pub notifications: Notifications,
}

impl Default for Desktop {
    fn default() -> Desktop {
        Desktop {
            appearance: Appearance::System,
            single_keys: true,
            tray_icon: TrayIcon::Automatic,
            agents: Vec::new(),
            notifications: Notifications::default(),
        }
    }
}

/// Reads the keys of the desktop out of those of the whole file.
pub(super) fn desktop(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Desktop> {
    let of = Desktop::default();
    let appearance = or(top, "appearance", of.appearance, faults, appearance);
    let single_keys = or(top, "single_keys", of.single_keys, faults, |node, f| switch(node, "single_keys: off", f));
    let tray_icon = or(top, "tray_icon", of.tray_icon, faults, tray_icon);
    let agents = or(top, "agents", of.agents, faults, agents);
    let notifications = match top.entry("notifications") {
        None => Some(of.notifications),
        Some(entry) => notifications(&entry.value, entry.key_at.clone(), faults),
    };
    Some(Desktop {
        appearance: appearance?,
        single_keys: single_keys?,
        tray_icon: tray_icon?,
        agents: agents?,
        notifications: notifications?,
    })
}

fn notifications(node: &Node, at: std::ops::Range<usize>, faults: &mut Faults<'_>) -> Option<Notifications> {
    let fields = Fields::of(node, "notifications", at, &KEYS, faults)?;
    let of = Notifications::default();
    let needs_you = or(&fields, "needs_you", of.needs_you, faults, |node, f| switch(node, "needs_you: on", f));
    let broken = or(&fields, "broken", of.broken, faults, |node, f| switch(node, "broken: on", f));
    let quiet_hours = or(&fields, "quiet_hours", of.quiet_hours, faults, quiet_hours);
    let break_quiet = or(&fields, "break_quiet", of.break_quiet, faults, break_quiet);
    Some(Notifications { needs_you: needs_you?, broken: broken?, quiet_hours: quiet_hours?, break_quiet: break_quiet? })
}

/// What stands behind the key; where nothing does, what holds then.
fn or<'t, T>(
    fields: &Fields<'_>,
    key: &str,
    otherwise: T,
    faults: &mut Faults<'t>,
    read: impl FnOnce(&Node, &mut Faults<'t>) -> Option<T>,
) -> Option<T> {
    match fields.get(key) {
        None => Some(otherwise),
        Some(node) => read(node, faults),
    }
}

fn switch(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<bool> {
    choice(node, &SWITCH, example, faults)
}

fn appearance(node: &Node, faults: &mut Faults<'_>) -> Option<Appearance> {
    let words = [("system", Appearance::System), ("light", Appearance::Light), ("dark", Appearance::Dark)];
    choice(node, &words, "appearance: dark", faults)
}

fn tray_icon(node: &Node, faults: &mut Faults<'_>) -> Option<TrayIcon> {
    let words = [
        ("automatic", TrayIcon::Automatic),
        ("dark", TrayIcon::Dark),
        ("light", TrayIcon::Light),
        ("outlined", TrayIcon::Outlined),
    ];
    choice(node, &words, "tray_icon: outlined", faults)
}

/// `22:00-07:00`, or `off`.
fn quiet_hours(node: &Node, faults: &mut Faults<'_>) -> Option<Option<QuietHours>> {
    if matches!(&node.value, Value::Scalar(text) if text == "off") {
        return Some(None);
    }
    let (from, to) = phrase(node, "quiet_hours: \"20:00-08:00\"", faults, clock::span)?;
    Some(Some(QuietHours { from, to }))
}

fn break_quiet(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<BreaksQuiet>> {
    let words = [("needs_you", BreaksQuiet::NeedsYou), ("broken", BreaksQuiet::Broken)];
    list(node, faults, |item, faults| choice(item, &words, "break_quiet: [broken]", faults))
}

fn agents(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    list(node, faults, |item, faults| {
        let name = text(item, "agents: [claude, codex]", faults)?;
        if !AGENTS.contains(&name) {
            let message = format!("Loopwright knows no agent `{name}`");
            faults.error("wrong-value", item.at.clone(), message, suggestion(name, &AGENTS));
            return None;
        }
        Some(name.to_owned())
    })
}

/// A list without the same value twice; one value alone is a list of it.
fn list<'t, T: PartialEq>(
    node: &Node,
    faults: &mut Faults<'t>,
    mut read: impl FnMut(&Node, &mut Faults<'t>) -> Option<T>,
) -> Option<Vec<T>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut found = Vec::new();
    for item in items {
        let value = read(item, faults)?;
        if found.contains(&value) {
            faults.error("wrong-value", item.at.clone(), "this is given twice", "keep one of the two");
            return None;
        }
        found.push(value);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::super::settings::read;
    use super::*;

    #[test]
    fn what_is_not_set_is_as_everybody_has_it() {
        let desktop = read(b"max_runs: 2\n").expect("valid").desktop;
        assert_eq!(desktop, Desktop::default());
        assert!(desktop.single_keys && desktop.notifications.needs_you);
        let quiet = desktop.notifications.quiet_hours.expect("quiet hours");
        assert_eq!((quiet.from.to_string(), quiet.to.to_string()), ("20:00:00".to_owned(), "08:00:00".to_owned()));
    }

    #[test]
    fn all_of_it_can_be_set() {
        let text = "appearance: dark\nsingle_keys: off\ntray_icon: outlined\nagents: [codex, claude]\nnotifications:\n  \
                    needs_you: off\n  broken: on\n  quiet_hours: off\n  break_quiet: broken\n";
        let desktop = read(text.as_bytes()).expect("valid").desktop;
        assert_eq!((desktop.appearance, desktop.tray_icon), (Appearance::Dark, TrayIcon::Outlined));
        assert!(!desktop.single_keys && !desktop.notifications.needs_you);
        assert_eq!(desktop.agents, ["codex", "claude"]);
        assert_eq!(desktop.notifications.quiet_hours, None);
        assert_eq!(desktop.notifications.break_quiet, [BreaksQuiet::Broken]);
    }

    #[test]
    fn faults_say_what_to_write() {
        let told = |text: &str| {
            let faults = read(text.as_bytes()).expect_err("refused");
            (faults[0].message.clone(), faults[0].help.clone().expect("a help"))
        };
        assert_eq!(told("agents: [claude, codx]").0, "Loopwright knows no agent `codx`");
        assert!(told("agents: [claude, codx]").1.contains("codex"));
        assert_eq!(told("agents: [claude, claude]").0, "this is given twice");
        assert_eq!(told("notifications: {quiet: off}").0, "`notifications` has no key `quiet`");
        assert!(told("appearance: blue").1.contains("dark"));
    }
}

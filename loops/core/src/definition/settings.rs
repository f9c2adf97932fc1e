//! The person's settings, for all loops together. Where the file lies is not here.

use super::budget;
use super::faults::Faults;
use super::fields::Fields;
use super::preferences::{self, Desktop};
use super::values::{first_line, small};
use super::yaml::{self, Node, Value};
use crate::diagnostic::Diagnostic;
use crate::ledger::Ceiling;

const KEYS: [&str; 7] = ["budget", "max_runs", "appearance", "single_keys", "tray_icon", "agents", "notifications"];

/// Runs that may go on at once where nothing is set.
const SLOTS: u32 = 2;

/// What holds for all loops together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Ceilings of all loops together, per day and month of the computer's zone.
    pub ceilings: Vec<Ceiling>,
    /// How many runs start by themselves beside each other, over all loops; none = two.
    pub max_runs: Option<u32>,
    /// What is set for the desktop.
    pub desktop: Desktop,
}

impl Settings {
    /// How many runs start by themselves beside each other.
    pub fn slots(&self) -> usize {
        self.max_runs.unwrap_or(SLOTS) as usize
    }
}

/// Reads the settings. Never panics, whatever the text; an empty file sets nothing.
///
/// # Errors
/// All that is wrong, in the order of the file.
pub fn read(bytes: &[u8]) -> Result<Settings, Vec<Diagnostic>> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => return Err(super::read_bytes(bytes).diagnostics),
    };
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Settings::default());
    }
    let mut faults = Faults::new(text);
    let settings = yaml::tree(text, &mut faults).and_then(|root| whole(&root, &mut faults));
    match settings {
        Some(settings) if faults.errors() == 0 => Ok(settings),
        _ => Err(faults.sorted()),
    }
}

fn whole(root: &Node, faults: &mut Faults<'_>) -> Option<Settings> {
    let Value::Map(entries) = &root.value else {
        let message = format!("settings are a mapping, and this is {}", root.kind());
        let help = "write `budget: [$50/day, $500/month]`";
        faults.error("wrong-type", first_line(root, faults), message, help);
        return None;
    };
    let fields = Fields::over(entries, "settings", 0..0, &KEYS, faults);
    let ceilings = fields.get("budget").map_or(Some(Vec::new()), |node| budget::of_fleet(node, faults));
    let max_runs = fields.get("max_runs").map(|node| small(node, 1..=32, "max_runs: 2", faults));
    let desktop = preferences::desktop(&fields, faults);
    let max_runs = max_runs.map_or(Some(None), |n| n.map(Some));
    Some(Settings { ceilings: ceilings?, max_runs: max_runs?, desktop: desktop? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(usize, usize, String)> {
        let faults = read(text.as_bytes()).expect_err("refused");
        assert!(faults.iter().all(|f| f.help.is_some()), "{faults:?}");
        faults.into_iter().map(|d| (d.span.line, d.span.column, d.message)).collect()
    }

    #[test]
    fn ceilings_of_all_loops_are_read() {
        let settings = read(b"# mine\nbudget: [$500/month, $50/day]\n").expect("valid");
        let shown: Vec<String> = settings.ceilings.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["$50/day", "$500/month"]);
        assert_eq!(read(b"max_runs: 4").map(|s| s.slots()), Ok(4));
        assert_eq!(told("max_runs: 0\n")[0].2, "0 is outside of what is allowed here");
        assert_eq!(read(b""), Ok(Settings::default()));
        assert_eq!(read(b"# nothing yet\n"), Ok(Settings::default()));
    }

    #[test]
    fn faults_have_their_place() {
        assert_eq!(told("budget: $5/run\n")[0].2, "a ceiling for one run belongs into the loop's file");
        assert_eq!(told("\nbudgets: $50/day\n"), [(2, 1, "`settings` has no key `budgets`".to_owned())]);
        assert_eq!(told("budget: [$50/day, $5/month]\n")[0].0, 1);
        assert_eq!(told("- budget\n")[0].2, "settings are a mapping, and this is a list");
        assert_eq!(read(b"budget: \xff").expect_err("refused")[0].code, "not-text");
    }
}

//! A mapping with the keys it may have: unknown keys, keys of later versions and missing keys are told here, once.

use std::ops::Range;

use super::faults::Faults;
use super::nearest::{nearest, suggestion};
use super::steps::KNOWN;
use super::yaml::{Entry, Node, Value};

/// Keys that a later version reads: refused by name, so that nobody searches for a slip.
const LATER: [&str; 4] = ["skills", "connectors", "mcp", "secrets"];

/// The entries of one mapping.
pub(super) struct Fields<'n> {
    /// What the mapping is called in messages: `guardrails`.
    name: String,
    /// Where a missing key is reported: the key that holds the mapping.
    at: Range<usize>,
    entries: &'n [Entry],
    /// Known keys that stand there misspelt: told already, so they are not missing as well.
    misspelt: Vec<String>,
}

impl<'n> Fields<'n> {
    /// The entries of `node`, which stands behind the key at `at`; nothing behind it counts as an empty mapping.
    pub(super) fn of(
        node: &'n Node,
        name: &str,
        at: Range<usize>,
        known: &[&str],
        faults: &mut Faults<'_>,
    ) -> Option<Fields<'n>> {
        let entries = entries(node, name, faults)?;
        Some(Fields::over(entries, name, at, known, faults))
    }

    /// The same for entries that are already at hand.
    pub(super) fn over(
        entries: &'n [Entry],
        name: &str,
        at: Range<usize>,
        known: &[&str],
        faults: &mut Faults<'_>,
    ) -> Fields<'n> {
        let misspelt = entries.iter().filter_map(|e| unknown(e, name, known, faults)).collect();
        Fields { name: name.to_owned(), at, entries, misspelt }
    }

    /// The first entry with this key.
    pub(super) fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|e| e.key == key)
    }

    /// The value of this key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The value of this key; its absence is a fault at the mapping's own key.
    pub(super) fn required(&self, key: &str, help: &str, faults: &mut Faults<'_>) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() && !self.misspelt.iter().any(|meant| meant == key) {
            let message = match self.name.as_str() {
                "" => format!("`{key}` is missing"),
                name => format!("`{key}` is missing in `{name}`"),
            };
            faults.error("missing-key", self.at.clone(), message, help);
        }
        found
    }
}

/// The entries of a mapping whose keys a person chooses (agents, checks, variables).
pub(super) fn entries<'n>(node: &'n Node, name: &str, faults: &mut Faults<'_>) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        Value::Empty => Some(&[]),
        _ => {
            let message = format!("`{name}` is {}, and must be a mapping", node.kind());
            let help = "write `key: value` lines below it, indented by two spaces";
            faults.error("wrong-type", node.at.clone(), message, help);
            None
        }
    }
}

/// Tells a key that the mapping doesn't have; the key that was probably meant.
fn unknown(entry: &Entry, name: &str, known: &[&str], faults: &mut Faults<'_>) -> Option<String> {
    let key = entry.key.as_str();
    // A key that was no word has been told already, and a hostile file has thousands.
    if known.contains(&key) || key.is_empty() || faults.full() {
        return None;
    }
    let at = entry.key_at.clone();
    if LATER.contains(&key) {
        let help = match key {
            "secrets" => "remove it: keys stay in the keychain (`loopwright login`), and no step is given one yet",
            _ => "remove it for now",
        };
        faults.error("not-yet", at, format!("`{key}` is not built yet"), help);
        return None;
    }
    if name.is_empty() && KNOWN.contains(&key) {
        let help = format!("write it as `- {key}:` in the list of `steps`");
        faults.error("unknown-key", at, format!("`{key}` is a step"), help);
        return None;
    }
    let place = if name.is_empty() { "a loop".to_owned() } else { format!("`{name}`") };
    let message = format!("{place} has no key `{key}`");
    faults.error("unknown-key", at, message, suggestion(key, known));
    nearest(key, known).map(str::to_owned)
}

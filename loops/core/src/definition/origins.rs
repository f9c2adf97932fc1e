//! Where each value of a loop file stands, by its key.

use std::collections::BTreeMap;
use std::ops::Range;

use super::faults::place;
use super::yaml::{Node, Value};
use crate::diagnostic::Span;

/// The places of values.
type Places = BTreeMap<String, Range<usize>>;

/// Where each value that the file gives stands, by its key: `guardrails.budget`, `discover.run`, `agents.fixer.price`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    text: String,
    places: Places,
}

impl Origins {
    /// The places in the file `text`, read as `root`.
    pub(super) fn of(text: &str, root: &Node) -> Origins {
        let mut places = Places::new();
        collect(root, "", &mut places);
        Origins { text: text.to_owned(), places }
    }

    /// The place of a key's value; none if the file doesn't give it.
    pub fn span(&self, key: &str) -> Option<Span> {
        self.places.get(key).map(|at| place(&self.text, at.clone()))
    }
}

/// Notes the place of every value; steps go by their own names, what there may be several of by its number.
fn collect(node: &Node, path: &str, places: &mut Places) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let key = below(&entry.key);
                places.entry(key.clone()).or_insert_with(|| entry.value.at.clone());
                collect(&entry.value, &key, places);
            }
        }
        Value::List(items) if path == "steps" => {
            let (chores, others): (Vec<&Node>, Vec<&Node>) = items.iter().partition(|item| is_chore(item));
            numbered(&chores, "chores", places);
            others.iter().for_each(|item| collect(item, "", places));
        }
        Value::List(items) if matches!(path, "finally" | "finally.steps" | "trigger") => {
            let list = path.split('.').next().unwrap_or(path);
            numbered(&items.iter().collect::<Vec<_>>(), list, places);
        }
        _ => {}
    }
}

/// The items of a list by their numbers, without the name that each of them begins with: `chores.0.command`, `trigger.1`.
fn numbered(items: &[&Node], list: &str, places: &mut Places) {
    for (i, item) in items.iter().enumerate() {
        let path = format!("{list}.{i}");
        places.entry(path.clone()).or_insert_with(|| item.at.clone());
        if let Value::Map(entries) = &item.value {
            entries.iter().for_each(|entry| collect(&entry.value, &path, places));
        }
    }
}

fn is_chore(item: &Node) -> bool {
    let Value::Map(entries) = &item.value else { return false };
    entries.first().is_some_and(|entry| matches!(entry.key.as_str(), "run" | "wait"))
}

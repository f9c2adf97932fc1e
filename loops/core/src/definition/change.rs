//! Changes one key of `settings.yaml`, and nothing else of it: every other byte stays as it is, comments and order too.
//!
//! Nothing is written out anew. The value is cut out at its place, or a line is added; then the text is read again and must
//! say what it said before, but for that key. Where that can't be had, the change is refused.

use std::ops::Range;

use super::faults::Faults;
use super::settings::{self, Settings};
use super::yaml::{self, Entry, Node, Value};
use crate::diagnostic::Diagnostic;

/// Why a setting was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    /// The value is not one line of YAML.
    #[error("{0:?} is not a value in one line")]
    Value(String),
    /// The file as it is can't be read, or the value is none that the key may have.
    #[error("{}", .0.message)]
    Invalid(Box<Diagnostic>),
    /// The file is written in a way that this can't change without touching more.
    #[error("`{0}` is written in a way that can't be changed here without touching more of the file")]
    Written(String),
}

/// A changed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The whole text.
    pub text: String,
    /// What stood there before, as written; none = nothing did.
    pub before: Option<String>,
    /// What it comes to.
    pub settings: Settings,
}

/// Sets `key` (`max_runs`, `notifications.broken`) to the YAML text `value`; none takes the key away.
///
/// # Errors
/// The text as it is can't be read, the value is not allowed, or the change would touch more than the key.
pub fn change(text: &str, key: &str, value: Option<&str>) -> Result<Changed, NotChanged> {
    if let Some(value) = value.filter(|value| alone(value).is_none()) {
        return Err(NotChanged::Value(value.to_owned()));
    }
    let tree = read_tree(text)?;
    let path: Vec<&str> = key.split('.').collect();
    let before = tree.as_ref().and_then(|root| find(root, &path)).map(|entry| source(text, entry).to_owned());
    let edited = edited(text, tree.as_ref(), &path, value).ok_or_else(|| NotChanged::Written(key.to_owned()))?;
    let settings = settings::read(edited.as_bytes()).map_err(first)?;
    let after = read_tree(&edited)?;
    if !same_but(tree.as_ref(), after.as_ref(), &path, value) {
        return Err(NotChanged::Written(key.to_owned()));
    }
    Ok(Changed { text: edited, before, settings })
}

/// The text with the value in its place; none if that place is none to write at.
fn edited(text: &str, tree: Option<&Node>, path: &[&str], value: Option<&str>) -> Option<String> {
    let (top, rest) = path.split_first()?;
    let found = tree.and_then(|root| find(root, path));
    match (found, value) {
        (Some(entry), Some(value)) => replaced(text, entry, value),
        (Some(entry), None) => match tree.and_then(|root| find(root, &[top])) {
            // The last key of a mapping takes the mapping with it.
            Some(parent) if !rest.is_empty() && entries(&parent.value).len() == 1 => removed(text, parent),
            _ => removed(text, entry),
        },
        (None, None) => Some(text.to_owned()),
        (None, Some(value)) => added(text, tree, top, rest, value),
    }
}

fn replaced(text: &str, entry: &Entry, value: &str) -> Option<String> {
    let at = value_place(text, entry)?;
    // A comment among the items would go with them.
    if commented(text.get(at.clone())?) {
        return None;
    }
    let gap = if text[..at.start].ends_with(':') { " " } else { "" };
    Some(format!("{}{gap}{value}{}", &text[..at.start], &text[at.end..]))
}

/// Takes the lines of an entry out, if nothing else stands on them.
fn removed(text: &str, entry: &Entry) -> Option<String> {
    let at = value_place(text, entry)?;
    let from = text[..entry.key_at.start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[at.end..].find('\n').map_or(text.len(), |length| at.end + length + 1);
    let around = [&text[from..entry.key_at.start], &text[at.end..to]];
    let nothing_else = around.iter().all(|part| part.trim().is_empty()) && !commented(&text[at]);
    nothing_else.then(|| format!("{}{}", &text[..from], &text[to..]))
}

/// Adds a key that is not there: at the end of the file, or after the last key of its mapping.
fn added(text: &str, tree: Option<&Node>, top: &str, rest: &[&str], value: &str) -> Option<String> {
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Some(key) = rest.first() else {
        return Some(line_after(text, text.len(), &format!("{top}: {value}"), end));
    };
    let Some(parent) = tree.and_then(|root| find(root, &[top])) else {
        return Some(line_after(text, text.len(), &format!("{top}:{end}  {key}: {value}"), end));
    };
    match entries(&parent.value).last() {
        None if matches!(parent.value.value, Value::Empty) => {
            Some(line_after(text, line_end(text, parent.key_at.end), &format!("  {key}: {value}"), end))
        }
        None => replaced(text, parent, &format!("{{{key}: {value}}}")),
        Some(last) if text.get(parent.value.at.start..)?.starts_with('{') => {
            let place = value_place(text, last)?.end;
            Some(format!("{}, {key}: {value}{}", &text[..place], &text[place..]))
        }
        Some(last) => {
            let indent = last.key_at.start - text[..last.key_at.start].rfind('\n').map_or(0, |at| at + 1);
            let place = line_end(text, value_place(text, last)?.end);
            Some(line_after(text, place, &format!("{}{key}: {value}", " ".repeat(indent)), end))
        }
    }
}

/// The end of the line that `at` stands in, without its line break.
fn line_end(text: &str, at: usize) -> usize {
    let line = text[at..].lines().next().unwrap_or_default();
    at + line.len()
}

/// Puts a line after the one that ends at `place`.
fn line_after(text: &str, place: usize, line: &str, end: &str) -> String {
    let (before, after) = text.split_at(place);
    let begun = !before.is_empty() && !before.ends_with('\n');
    match after.is_empty() {
        true => format!("{before}{}{line}{end}", if begun { end } else { "" }),
        false => format!("{before}{end}{line}{after}"),
    }
}

/// Where the value stands: all of a list in brackets, nothing behind the colon where there is none.
fn value_place(text: &str, entry: &Entry) -> Option<Range<usize>> {
    let at = &entry.value.at;
    if matches!(entry.value.value, Value::Empty) && *at == entry.key_at {
        let colon = entry.key_at.end + text.get(entry.key_at.end..)?.find(':')? + 1;
        return Some(colon..colon);
    }
    let closing = match text.get(at.start..)?.chars().next()? {
        '[' if matches!(entry.value.value, Value::List(_)) => ']',
        '{' if matches!(entry.value.value, Value::Map(_)) => '}',
        _ => return Some(at.start..at.start + text.get(at.clone())?.trim_end().len()),
    };
    let rest = &text[at.end..];
    if at.end > at.start && text[..at.end].ends_with(closing) && !nested_end(&entry.value, at.end) {
        return Some(at.clone());
    }
    let found = rest.find(closing)?;
    let between = &rest[..found];
    between.chars().all(|c| c.is_whitespace() || c == ',').then_some(at.start..at.end + found + 1)
}

/// Whether the last item ends where the list does: then its bracket is not that of the list.
fn nested_end(node: &Node, end: usize) -> bool {
    match &node.value {
        Value::List(items) => items.last().is_some_and(|item| item.at.end == end),
        Value::Map(entries) => entries.last().is_some_and(|entry| entry.value.at.end == end),
        Value::Scalar(_) | Value::Empty => false,
    }
}

fn commented(part: &str) -> bool {
    part.lines().any(|line| line.trim_start().starts_with('#') || line.contains(" #"))
}

fn source<'t>(text: &'t str, entry: &Entry) -> &'t str {
    value_place(text, entry).and_then(|at| text.get(at)).unwrap_or_default()
}

fn read_tree(text: &str) -> Result<Option<Node>, NotChanged> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(None);
    }
    let mut faults = Faults::new(text);
    let tree = yaml::tree(text, &mut faults);
    match tree {
        Some(tree) if faults.errors() == 0 => Ok(Some(tree)),
        _ => Err(first(faults.sorted())),
    }
}

/// The tree of a value that stands alone in one line; none if it does not.
fn alone(value: &str) -> Option<Node> {
    if value.trim().is_empty() || value.contains(['\n', '\r']) || value.trim() != value || commented(value) {
        return None;
    }
    let text = format!("v: {value}\n");
    let mut faults = Faults::new(&text);
    let root = yaml::tree(&text, &mut faults).filter(|_| faults.errors() == 0)?;
    match root.value {
        Value::Map(mut entries) if entries.len() == 1 => entries.pop().map(|entry| entry.value),
        _ => None,
    }
}

fn first(faults: Vec<Diagnostic>) -> NotChanged {
    faults
        .into_iter()
        .next()
        .map_or_else(|| NotChanged::Written("settings".to_owned()), |one| NotChanged::Invalid(Box::new(one)))
}

fn entries(node: &Node) -> &[Entry] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

fn find<'n>(root: &'n Node, path: &[&str]) -> Option<&'n Entry> {
    let (first, rest) = path.split_first()?;
    let entry = entries(root).iter().find(|entry| entry.key == *first)?;
    if rest.is_empty() { Some(entry) } else { find(&entry.value, rest) }
}

/// What a tree says, without places.
type Said = Vec<(String, Option<String>)>;

/// Whether two texts say the same but for one key, and the second one says `value` there.
fn same_but(old: Option<&Node>, new: Option<&Node>, path: &[&str], value: Option<&str>) -> bool {
    let key = path.join(".");
    let of = |tree: Option<&Node>| {
        let (mut rest, mut own) = (Said::new(), Said::new());
        let mut all = Said::new();
        tree.inspect(|root| said(root, "", &mut all));
        all.into_iter().for_each(|(place, text)| match place.strip_prefix(&key) {
            Some(below) if below.is_empty() || below.starts_with('.') => own.push((below.to_owned(), text)),
            _ => rest.push((place, text)),
        });
        // A mapping that is there with nothing in it says nothing.
        rest.retain(|(place, text)| !(text.is_none() && key.starts_with(&format!("{place}."))));
        (rest, own)
    };
    let mut wanted = Said::new();
    if let Some(node) = value.and_then(alone) {
        said(&node, "", &mut wanted);
    }
    let ((old, _), (new, own)) = (of(old), of(new));
    old == new && own == wanted
}

fn said(node: &Node, place: &str, all: &mut Said) {
    match &node.value {
        Value::Scalar(text) => all.push((place.to_owned(), Some(text.clone()))),
        Value::Empty => all.push((place.to_owned(), None)),
        Value::List(items) if items.is_empty() => all.push((place.to_owned(), Some("[]".to_owned()))),
        Value::List(items) => {
            items.iter().enumerate().for_each(|(at, item)| said(item, &format!("{place}.{at}"), all));
        }
        Value::Map(entries) if entries.is_empty() => all.push((place.to_owned(), None)),
        Value::Map(entries) => entries.iter().for_each(|entry| {
            let dot = if place.is_empty() { "" } else { "." };
            said(&entry.value, &format!("{place}{dot}{}", entry.key), all);
        }),
    }
}

#[cfg(test)]
mod tests;

//! `todo_comments`: what comments in the sources say is still to be done.
//!
//! Text in, findings out; which files a commit has is *not* known here.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::{Place, text};
use crate::finding::{Finding, FindingSource, Fingerprint};

mod comment;

use comment::Comments;

/// Largest file that is looked into, in bytes.
pub const MAX_FILE: usize = 1 << 20;

/// Most findings of one look; a project with more has another problem.
pub const MAX_FINDINGS: usize = 500;

/// Most lines of a comment that are told below its first.
const MAX_LINES: usize = 8;

/// Most places of one finding.
const MAX_PLACES: usize = 20;

/// Folders of what others wrote or programs made, wherever they lie.
const FOREIGN: [&str; 16] = [
    "node_modules",
    "vendor",
    "third_party",
    "third-party",
    "bower_components",
    ".venv",
    "venv",
    "site-packages",
    "dist",
    "build",
    "out",
    "target",
    "generated",
    "__generated__",
    "__snapshots__",
    ".loopwright",
];

/// Ends of names of files that nobody writes by hand.
const MADE: [&str; 14] = [
    ".lock",
    "-lock.json",
    "-lock.yaml",
    "-shrinkwrap.json",
    ".sum",
    ".min.js",
    ".min.css",
    ".map",
    ".snap",
    ".pb.go",
    ".g.dart",
    ".generated.ts",
    "_generated.go",
    "_pb2.py",
];

/// Words within the first lines of a file that a program wrote.
const MADE_MARKS: [&str; 3] = ["@generated", "DO NOT EDIT", "automatically generated"];

/// Tells whether comments of a file are looked at, by its path.
pub fn is_looked_at(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let name = parts.next().unwrap_or(path).to_ascii_lowercase();
    Comments::of(&name).is_some()
        && !MADE.iter().any(|end| name.ends_with(end))
        && !parts.any(|folder| FOREIGN.contains(&folder.to_ascii_lowercase().as_str()))
}

/// What was found, and whether there was more than is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Todos {
    /// Sorted by key, each once.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub left_out: usize,
}

/// A comment with its marker.
#[derive(Debug, PartialEq, Eq)]
struct Todo {
    marker: &'static str,
    text: String,
    below: Vec<String>,
    line: u32,
}

/// Reads the comments of files, given as path and text.
///
/// The same text in the same file is one finding with several places; another file is another finding.
pub fn findings<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Todos {
    let mut grouped: BTreeMap<(String, String), Vec<Todo>> = BTreeMap::new();
    for (path, text) in files {
        for todo in todos(path, text) {
            grouped.entry((path.to_owned(), todo.text.clone())).or_default().push(todo);
        }
    }
    let mut found: Vec<Finding> = grouped.iter().map(|((path, _), same)| finding(path, same)).collect();
    let mut seen = BTreeSet::new();
    found.retain(|f| seen.insert(f.fingerprint.clone()));
    let left_out = found.len().saturating_sub(MAX_FINDINGS);
    found.truncate(MAX_FINDINGS);
    Todos { findings: found, left_out }
}

fn todos(path: &str, text: &str) -> Vec<Todo> {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let made = text.lines().take(5).any(|line| MADE_MARKS.iter().any(|mark| line.contains(mark)));
    match Comments::of(&name) {
        Some(comments) if !made && is_looked_at(path) && !text.contains('\0') => in_comments(comments, text),
        _ => Vec::new(),
    }
}

fn in_comments(mut comments: Comments, text: &str) -> Vec<Todo> {
    let mut found: Vec<Todo> = Vec::new();
    // Where the comment of the last marker still goes on.
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        let Some(said) = comments.line(line) else {
            open = false;
            continue;
        };
        if let Some((marker, rest)) = marked(said.text) {
            let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
            found.push(Todo { marker, text: text::line(rest), below: Vec::new(), line });
            open = true;
        } else if said.alone && open && !said.text.is_empty() {
            let below = found.last_mut().map(|t| &mut t.below).filter(|b| b.len() < MAX_LINES);
            if let Some(below) = below {
                below.push(text::line(said.text));
            }
        } else {
            open = false;
        }
    }
    found
}

/// Reads `TODO(ada): write it`, in capitals and as the first word; what comes without a text says nothing to do.
fn marked(comment: &str) -> Option<(&'static str, &str)> {
    let (marker, rest) = ["TODO", "FIXME"].into_iter().find_map(|m| Some((m, comment.strip_prefix(m)?)))?;
    let rest = match rest.strip_prefix('(') {
        Some(named) => named.split_once(')')?.1,
        None => rest,
    };
    let text = rest.strip_prefix(':').or_else(|| rest.starts_with([' ', '\t', '-']).then_some(rest))?;
    let text = text.trim_matches([' ', '\t', '-']);
    (!text.is_empty()).then_some((marker, text))
}

fn finding(path: &str, same: &[Todo]) -> Finding {
    let (marker, said) = same.first().map_or(("TODO", ""), |t| (t.marker, t.text.as_str()));
    let key = format!("{path}: {said}");
    let shown = text::id(path);
    let place = |t: &Todo| Place { path: path.to_owned(), line: Some(t.line) };
    let lines = same.iter().flat_map(|t| [&t.text].into_iter().chain(&t.below)).map(|l| format!("{l}\n"));
    Finding {
        fingerprint: Fingerprint::of(FindingSource::Todo, &key),
        source: FindingSource::Todo,
        title: text::bounded(&format!("{marker} in {shown}: {said}"), 120),
        detail: format!("A comment in {shown}:\n{}", lines.collect::<String>()),
        should: text::bounded(&format!("what the comment in {shown} asks for is there, and the comment is gone"), 300),
        gate: None,
        failing: BTreeSet::new(),
        places: same.iter().map(place).take(MAX_PLACES).collect(),
        suspects: Vec::new(),
        fault: false,
        key: text::id(&key),
    }
}

#[cfg(test)]
mod tests;

//! YAML text as a small tree in which everything knows its place.
//!
//! The only module that knows the YAML library. What a loop may say is *not* here; this refuses what no loop file needs:
//! anchors, aliases, tags, several documents, keys that are no words, deep nesting, and files too large to be written by hand.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle};

use super::faults::Faults;
use super::syntax;

/// The largest file that is read, in bytes.
pub(super) const MAX_BYTES: usize = 256 * 1024;
const MAX_DEPTH: usize = 32;
/// How many anchors and aliases are told.
const TOLD_ANCHORS: usize = 4;
const BOM: char = '\u{feff}';

/// A value and its place (bytes of the file).
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Range<usize>,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug)]
pub(super) enum Value {
    /// Text, number, truth value: all of them text until somebody asks.
    Scalar(String),
    /// Nothing stands behind the key, or `null`.
    Empty,
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_at: Range<usize>,
    pub(super) value: Node,
}

impl Node {
    /// What the value is called in a message.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Scalar(_) => "text",
            Value::Empty => "nothing",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }
}

/// The tree of `text`; `None` (and at least one fault) if it is no usable YAML.
pub(super) fn tree(text: &str, faults: &mut Faults<'_>) -> Option<Node> {
    if !is_text(text, faults) {
        return None;
    }
    let mut options = Options::default();
    options.block_nesting_limit = MAX_DEPTH;
    options.flow_nesting_limit = MAX_DEPTH;
    options.emit_anchor_events = true;
    let skipped = if text.starts_with(BOM) { BOM.len_utf8() } else { 0 };
    let mut build = Build { open: Vec::new(), root: None, documents: 0, anchors: 0, faults };
    for event in Parser::new_from_str_with_options(&text[skipped..], options) {
        match event {
            Ok((event, span)) => {
                let moved = |span: Option<Range<usize>>| span.map_or(0..0, |at| at.start + skipped..at.end + skipped);
                if let Some(tag) = span.tag_span() {
                    build.tag(moved(tag.byte_range()));
                }
                build.event(event, moved(span.byte_range()));
            }
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(0) + skipped;
                syntax::report(text, at, error.kind(), build.faults);
                return None;
            }
        }
    }
    if build.documents > 1 {
        return None;
    }
    let root = build.root;
    if root.as_ref().is_none_or(|node| matches!(node.value, Value::Empty)) {
        faults.error(
            "empty",
            0..0,
            "the file says nothing",
            "start with `name:`, `trigger:`, `steps:` and `guardrails:`",
        );
        return None;
    }
    root
}

/// Refuses what is no text or far too much of it.
fn is_text(text: &str, faults: &mut Faults<'_>) -> bool {
    if text.len() > MAX_BYTES {
        faults.error(
            "too-large",
            0..0,
            format!("the file has {} bytes; at most {MAX_BYTES} are read", text.len()),
            "keep prompts and data in files of their own beside the loop",
        );
        return false;
    }
    let bad = text
        .char_indices()
        .find(|(at, c)| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || (*c == BOM && *at > 0));
    if let Some((at, c)) = bad {
        faults.error(
            "not-text",
            at..at + c.len_utf8(),
            format!("the character U+{:04X} can't stand in a loop file", u32::from(c)),
            "save the file as plain UTF-8 text",
        );
    }
    bad.is_none()
}

/// A list or mapping that is not closed yet.
enum Open {
    List { start: usize, items: Vec<Node> },
    Map { start: usize, entries: Vec<Entry>, seen: BTreeSet<String>, key: Option<(String, Range<usize>)> },
}

struct Build<'f, 't> {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
    anchors: usize,
    faults: &'f mut Faults<'t>,
}

impl Build<'_, '_> {
    fn event(&mut self, event: Event<'_>, at: Range<usize>) {
        match event {
            Event::DocumentStart(..) => self.document(at),
            Event::Anchor(..) => self.anchor(at),
            Event::Alias(_) => {
                self.anchor(at.clone());
                self.close(Node { at, value: Value::Empty });
            }
            Event::Scalar(text, style, ..) => {
                let empty = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null");
                let value = if empty { Value::Empty } else { Value::Scalar(text.into_owned()) };
                self.close(Node { at, value });
            }
            Event::SequenceStart(..) => {
                self.open.push(Open::List { start: at.start, items: Vec::new() });
            }
            Event::MappingStart(..) => {
                self.open.push(Open::Map { start: at.start, entries: Vec::new(), seen: BTreeSet::new(), key: None });
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(at.end),
            _ => {}
        }
    }

    fn document(&mut self, at: Range<usize>) {
        self.documents += 1;
        if self.documents == 2 {
            self.faults.error(
                "documents",
                at,
                "a second document starts here",
                "one file is one loop: put the other one into a folder of its own",
            );
        }
    }

    fn tag(&mut self, at: Range<usize>) {
        self.faults.error(
            "tag",
            at,
            "tags are not read",
            "remove the `!…` in front of the value, or put the value in quotes",
        );
    }

    fn anchor(&mut self, at: Range<usize>) {
        // A hostile file has thousands, and the first ones say it all.
        if self.anchors < TOLD_ANCHORS {
            let help = "write the value out in both places; a value that begins with `&` or `*` stands in quotes";
            self.faults.error("anchor", at, "anchors and aliases are not read", help);
        }
        self.anchors += 1;
    }

    fn end(&mut self, end: usize) {
        let node = match self.open.pop() {
            Some(Open::List { start, items }) => {
                let end = items.last().map_or(end, |node| node.at.end);
                Node { at: start..end, value: Value::List(items) }
            }
            Some(Open::Map { start, entries, .. }) => {
                let end = entries.last().map_or(end, |entry| entry.value.at.end);
                Node { at: start..end, value: Value::Map(entries) }
            }
            None => return,
        };
        self.close(node);
    }

    /// Puts a finished node where it belongs: as item, as key, as value, as the whole.
    fn close(&mut self, mut node: Node) {
        match self.open.last_mut() {
            None => self.root = self.root.take().or(Some(node)),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { entries, seen, key, .. }) => match key.take() {
                None => *key = Some(key_of(node, seen, self.faults)),
                Some((name, key_at)) => {
                    if node.at.is_empty() && matches!(node.value, Value::Empty) {
                        node.at = key_at.clone();
                    }
                    entries.push(Entry { key: name, key_at, value: node });
                }
            },
        }
    }
}

/// A key's text and place, with the faults that a key can have.
fn key_of(node: Node, seen: &mut BTreeSet<String>, faults: &mut Faults<'_>) -> (String, Range<usize>) {
    let Value::Scalar(name) = node.value else {
        faults.error("wrong-type", node.at.clone(), "a key must be a word", "write `key: value`");
        return (String::new(), node.at);
    };
    if !seen.insert(name.clone()) {
        faults.error("duplicate-key", node.at.clone(), format!("`{name}` is given twice"), "keep one of the two");
    }
    (name, node.at)
}

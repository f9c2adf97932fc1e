//! Replacements of bytes in a text, and the places for them.

use std::ops::Range;

use super::super::yaml::{Entry, Node, Value};
use super::EditError;
use super::scalar::styled;

/// Replacements that do not overlap; those at one place follow one another.
pub(super) struct Patches<'t> {
    text: &'t str,
    list: Vec<(Range<usize>, String)>,
}

impl<'t> Patches<'t> {
    pub(super) fn of(text: &'t str) -> Patches<'t> {
        Patches { text, list: Vec::new() }
    }

    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn push(&mut self, at: Range<usize>, with: impl Into<String>) {
        self.list.push((at, with.into()));
    }

    /// The changed text.
    pub(super) fn apply(mut self) -> String {
        self.list.sort_by_key(|(at, _)| at.start);
        let (mut changed, mut done) = (String::with_capacity(self.text.len() + 64), 0);
        for (at, with) in &self.list {
            changed.push_str(self.text.get(done..at.start).unwrap_or_default());
            changed.push_str(with);
            done = done.max(at.end);
        }
        changed + &self.text[done..]
    }

    /// What ends a line here.
    pub(super) fn line_end(&self) -> &'static str {
        let first = self.text.find('\n').unwrap_or_default();
        if self.text[..first].ends_with('\r') { "\r\n" } else { "\n" }
    }

    /// Gives an entry another scalar, in the quotes that it has.
    pub(super) fn replace(
        &mut self,
        entry: &Entry,
        value: &str,
        flow: bool,
        key: &'static str,
    ) -> Result<(), EditError> {
        let like = &self.text[entry.value.at.clone()];
        self.overwrite(entry, &styled(like, value, flow), key)
    }

    /// Gives an entry another value, as it is written here.
    pub(super) fn overwrite(&mut self, entry: &Entry, value: &str, key: &'static str) -> Result<(), EditError> {
        if !matches!(entry.value.value, Value::Scalar(_)) {
            return Err(EditError::Shape(key));
        }
        let at = entry.value.at.start..self.end_of(&entry.value);
        self.push(at, value);
        Ok(())
    }

    /// Writes `words` behind an entry: on a line of its own, or behind a comma.
    pub(super) fn behind(
        &mut self,
        entry: &Entry,
        words: &str,
        flow: bool,
        key: &'static str,
    ) -> Result<(), EditError> {
        let end = self.end_of(&entry.value);
        if flow {
            self.push(end..end, format!(", {words}"));
            return Ok(());
        }
        let indent = self.indent(entry.key_at.start).ok_or(EditError::Shape(key))?;
        self.line_behind(end, &format!("{indent}{words}"));
        Ok(())
    }

    /// Adds a line behind the one in which `at` is.
    pub(super) fn line_behind(&mut self, at: usize, line: &str) {
        let (end, eol) = (self.text[at..].find('\n').map(|n| at + n + 1), self.line_end());
        match end {
            Some(end) => self.push(end..end, format!("{line}{eol}")),
            None => self.push(self.text.len()..self.text.len(), format!("{eol}{line}")),
        }
    }

    /// Takes out what alone stands in its line; a comment behind it stays.
    pub(super) fn without_line(&mut self, at: Range<usize>, key: &'static str) -> Result<(), EditError> {
        let text = self.text;
        let indent = self.indent(at.start).ok_or(EditError::Shape(key))?;
        let line_end = text[at.end..].find('\n').map_or(text.len(), |n| at.end + n + 1);
        let rest = &text[at.end..line_end];
        let comment = rest.trim_start_matches([' ', '\t']);
        // A scalar in several lines has no comment in it; what else has, keeps it.
        if text[at.clone()].contains('#') {
            return Err(EditError::Shape(key));
        }
        match comment.starts_with('#') {
            true => self.push(at.start..line_end - comment.len(), ""),
            false if comment.trim().is_empty() => self.push(at.start - indent.len()..line_end, ""),
            false => return Err(EditError::Shape(key)),
        }
        Ok(())
    }

    /// Takes out a part of brackets or braces that holds no comment.
    pub(super) fn cut(&mut self, at: Range<usize>, key: &'static str) -> Result<(), EditError> {
        match self.text[at.clone()].contains('#') {
            true => Err(EditError::Shape(key)),
            false => {
                self.push(at, "");
                Ok(())
            }
        }
    }

    /// The blanks before `at`, if nothing else stands before it in its line.
    pub(super) fn indent(&self, at: usize) -> Option<&'t str> {
        let start = self.text[..at].rfind('\n').map_or(0, |n| n + 1);
        let before = self.text[start..at].trim_start_matches('\u{feff}');
        before.bytes().all(|b| b == b' ').then_some(before)
    }

    /// Whether a list or mapping stands in brackets or braces.
    pub(super) fn is_flow(&self, node: &Node) -> bool {
        let opens = self.text[node.at.start..].starts_with(['[', '{']);
        opens && matches!(node.value, Value::List(_) | Value::Map(_))
    }

    /// The byte behind a value, its closing bracket included.
    pub(super) fn end_of(&self, node: &Node) -> usize {
        let inner = match &node.value {
            Value::Scalar(_) | Value::Empty => {
                let at = &self.text[node.at.clone()];
                return node.at.start + at.trim_end().len();
            }
            Value::List(items) => items.last().map(|item| self.end_of(item)),
            Value::Map(entries) => entries.last().map(|entry| self.end_of(&entry.value)),
        };
        match self.is_flow(node) {
            true => self.closing(inner.unwrap_or(node.at.start + 1)),
            false => inner.unwrap_or(node.at.end),
        }
    }

    /// The byte behind the bracket that closes what ends at `from`.
    fn closing(&self, from: usize) -> usize {
        let mut comment = false;
        for (n, c) in self.text[from..].char_indices() {
            match c {
                '\n' => comment = false,
                '#' => comment = true,
                ']' | '}' if !comment => return from + n + 1,
                _ => {}
            }
        }
        self.text.len()
    }
}

//! What is wrong with a text that a person wrote, and where: one shape for the terminal, `--json` and editors.

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The text can't be used.
    Error,
    /// The text can be used; something deserves a look.
    Warning,
    /// For information.
    Note,
}

/// A place in a text: byte offsets for programs, line and column for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Span {
    /// First byte, from 0.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
    /// Line of `start`, from 1.
    pub line: usize,
    /// Column of `start` in characters, from 1.
    pub column: usize,
}

impl Span {
    /// The span of `start..end` (bytes) in `text`; offsets past the end are moved to it.
    pub fn of(text: &str, start: usize, end: usize) -> Span {
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (floor(start), floor(end.max(start)));
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Span { start, end, line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }
}

/// One fault or remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Diagnostic {
    /// Stable, kebab-case: what a program may match on.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What to write or do instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, severity: Severity::Error, message: message.into(), span, help: None }
    }

    /// A note at a place.
    pub fn note(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code, severity: Severity::Note, message: message.into(), span, help: None }
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_from_one() {
        let text = "ä: b\nnäme: x\n";
        let at = text.find('x').expect("x");
        assert_eq!(Span::of(text, at, at + 1), Span { start: at, end: at + 1, line: 2, column: 7 });
        assert_eq!(Span::of(text, 999, 1000).line, 3);
    }
}

//! Where faults of a loop file are gathered, so that a person sees all of them at once.

use std::ops::Range;

use chrono::NaiveDate;

use crate::diagnostic::{Diagnostic, Severity, Span};
use crate::hidden::is_hidden;

/// More faults than this help nobody and cost time in a hostile file.
const MAX_FAULTS: usize = 100;

/// Most characters of a message: whatever it quotes may be as long as a file.
const LONGEST: usize = 400;

/// The faults found so far in one text.
pub(super) struct Faults<'t> {
    text: &'t str,
    today: Option<NaiveDate>,
    found: Vec<Diagnostic>,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str) -> Faults<'t> {
        Faults { text, today: None, found: Vec::new() }
    }

    /// The same on a day that dates are judged by.
    pub(super) fn on(self, today: Option<NaiveDate>) -> Faults<'t> {
        Faults { today, ..self }
    }

    /// The day that dates are judged by; none = they are not.
    pub(super) fn today(&self) -> Option<NaiveDate> {
        self.today
    }

    /// Adds an error; every one says what to write instead.
    pub(super) fn error(
        &mut self,
        code: &'static str,
        at: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if !self.full() {
            let span = self.span(at);
            let (message, help) = (visible(&message.into()), visible(&help.into()));
            self.found.push(Diagnostic::error(code, span, message).help(help));
        }
    }

    /// Adds a note: the file can be used, something deserves a look.
    pub(super) fn note(
        &mut self,
        code: &'static str,
        at: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if !self.full() {
            let span = self.span(at);
            self.found.push(Diagnostic::note(code, span, message).help(help));
        }
    }

    /// Whether further faults would be dropped.
    pub(super) fn full(&self) -> bool {
        self.found.len() >= MAX_FAULTS
    }

    /// The place of these bytes.
    fn span(&self, at: Range<usize>) -> Span {
        place(self.text, at)
    }

    /// The text of these bytes.
    pub(super) fn source(&self, at: Range<usize>) -> &'t str {
        self.text.get(at).unwrap_or_default()
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.found.iter().filter(|d| d.severity == Severity::Error).count()
    }

    /// All of them, in the order of the file.
    pub(super) fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|d| (d.span.start, d.severity));
        self.found
    }
}

/// The text with a name for what nobody sees, and not longer than anybody reads.
fn visible(text: &str) -> String {
    let mut shown = String::new();
    for (at, c) in text.chars().enumerate() {
        match c {
            _ if at == LONGEST => {
                shown.push('…');
                break;
            }
            c if is_hidden(c) || c == '\u{a0}' => shown.push_str(&format!("<U+{:04X}>", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// The place of these bytes in `text`; a byte order mark is invisible, so it is no column.
pub(super) fn place(text: &str, at: Range<usize>) -> Span {
    let mut span = Span::of(text, at.start, at.end);
    if span.line == 1 && span.start > 0 && text.starts_with('\u{feff}') {
        span.column -= 1;
    }
    span
}

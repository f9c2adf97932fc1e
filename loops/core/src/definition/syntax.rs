//! What is wrong with text that is no YAML, in words and at the place where a person has to change something.
//!
//! The library says where it gave up; the cause often stands earlier (the quote that opened, the tab, the missing space).

use std::ops::Range;

use serde_saphyr::granit_parser::ErrorKind;

use super::faults::Faults;

/// Reports a syntax fault that the library noticed at byte `at`.
pub(super) fn report(text: &str, at: usize, kind: &ErrorKind, faults: &mut Faults<'_>) {
    let at = floor(text, at);
    if tabs(text, at, faults) {
        return;
    }
    let (place, message, help) = match kind {
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent
        | ErrorKind::DocumentIndicatorInQuotedScalar => quote(text, at),
        ErrorKind::InvalidTrailingSingleQuotedScalar => (
            word_at(text, at),
            "text behind the closing quote".to_owned(),
            "a quote inside of single quotes is doubled: `'don''t'`".to_owned(),
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar => (
            word_at(text, at),
            "text behind the closing quote".to_owned(),
            "put single quotes around a text with double ones, or write `\\\"` inside".to_owned(),
        ),
        ErrorKind::UnknownQuotedScalarEscape
        | ErrorKind::InvalidQuotedScalarHexEscape
        | ErrorKind::InvalidLowSurrogateHexEscape
        | ErrorKind::InvalidLowSurrogate
        | ErrorKind::MissingLowSurrogate
        | ErrorKind::UnpairedLowSurrogate
        | ErrorKind::InvalidUnicodeEscape => (
            word_at(text, at),
            "a `\\` that starts no known escape".to_owned(),
            "inside of double quotes write `\\\\`, or use single quotes".to_owned(),
        ),
        ErrorKind::UnexpectedCharacter { .. } | ErrorKind::UnknownAnchor | ErrorKind::MissingAnchorOrAliasName => {
            special(text, at)
        }
        ErrorKind::RecursionLimitExceeded => {
            (at..at, "nested deeper than any loop needs".to_owned(), "at most 32 levels are read".to_owned())
        }
        ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            word_at(text, at),
            "a bracket that is closed by one of another kind".to_owned(),
            "`[` is closed by `]`, and `{` by `}`".to_owned(),
        ),
        ErrorKind::MisplacedFlowCollectionEnd => (
            word_at(text, at),
            "a closing bracket that nothing opened".to_owned(),
            "remove it, or add the opening bracket".to_owned(),
        ),
        _ => structure(text, at, kind),
    };
    faults.error("syntax", place, message, help);
}

type Finding = (Range<usize>, String, String);

/// Every line that is indented with a tab, if the fault has to do with one.
fn tabs(text: &str, at: usize, faults: &mut Faults<'_>) -> bool {
    let mut found = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line[..indent].find('\t').filter(|_| !line.trim().is_empty());
        if let Some(tab) = tab {
            let place = start + tab..start + tab + 1;
            faults.error("syntax", place, "a tab in the indentation", "indent with spaces");
            found = true;
        }
        start += line.len();
        if !found && start > line_end(text, at) + 1 {
            break;
        }
    }
    found
}

/// The quote that was never closed: the last one that starts a value before `at`.
fn quote(text: &str, at: usize) -> Finding {
    let opens = |(i, c): &(usize, char)| {
        let before = text[..*i].chars().next_back();
        matches!(c, '"' | '\'') && before.is_none_or(|b| b.is_whitespace() || "[{,:-".contains(b))
    };
    let open = text[..at].char_indices().rev().find(opens).map_or(at, |(i, _)| i);
    let mark = text[open..].chars().next().unwrap_or('"');
    (
        open..open + 1,
        "a quotation mark that is never closed".to_owned(),
        format!("close it with `{mark}` at the end of the value"),
    )
}

/// A value that starts with a character that means something else in YAML.
fn special(text: &str, at: usize) -> Finding {
    let rest = text[at..line_end(text, at)].trim();
    let first = rest.chars().next().unwrap_or(' ');
    (at..at + first.len_utf8(), format!("a value can't start with `{first}`"), format!("put it in quotes: '{rest}'"))
}

/// Indentation, colons and brackets.
fn structure(text: &str, at: usize, kind: &ErrorKind) -> Finding {
    // Where the text ends too early, the library points at the bracket itself.
    let read = if text[at..].starts_with(['[', '{']) { text.len() } else { at };
    if let Some(bracket) = open_bracket(&text[..read]) {
        let help = "close it with `]` or `}`; inside of brackets, values are separated by commas";
        return (bracket..bracket + 1, "a bracket that is never closed".to_owned(), help.to_owned());
    }
    let line = line_start(text, at)..line_end(text, at);
    let before = &text[line.start..at];
    if let Some(place) = missing_space(text, line.start).or_else(|| hard_space(text, line.start)) {
        let help = "write `key: value` with a space behind the colon".to_owned();
        return (place, "no space behind the colon".to_owned(), help);
    }
    if let Some(place) = glued_dash(text, line.start).or_else(|| no_colon(text, line.start)) {
        let dash = text[place.clone()].starts_with('-');
        let message = if dash {
            "no space behind the dash".to_owned()
        } else {
            format!("`{}` is no key: it has no colon", &text[place.clone()])
        };
        let help = if dash {
            "write `- verify:` with a space behind the dash"
        } else {
            "write `key: value` with a plain colon and a space"
        };
        return (place, message, help.to_owned());
    }
    let key = line.start + (before.len() - before.trim_start().len());
    match kind {
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement if before.contains(": ") => {
            let help = "put the value in quotes, or the second key on a line of its own";
            (at..at + 1, "a second colon in one line".to_owned(), help.to_owned())
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::UnexpectedEndOfPlainScalar => (
            word_at(text, key),
            format!("`{}` is no key: it has no colon", &text[word_at(text, key)]),
            "write `key: value`".to_owned(),
        ),
        _ => (
            word_at(text, key),
            format!("`{}` is indented like nothing above it", &text[word_at(text, key)]),
            "indent it exactly like its neighbours".to_owned(),
        ),
    }
}

/// `key:value` in the line before: the library complains only about the next line.
fn missing_space(text: &str, line_start: usize) -> Option<Range<usize>> {
    let end = text[..line_start].trim_end().len();
    let start = text[..end].rfind('\n').map_or(0, |i| i + 1);
    let line = text[start..end].split(" #").next().unwrap_or_default();
    let word = line.trim_start().trim_start_matches("- ");
    let colon = word.find(':')?;
    let is_key = word[..colon].chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    // A space that does not break lines is none for YAML.
    let glued = word[colon + 1..].chars().next().is_some_and(|c| !c.is_ascii_whitespace());
    let place = start + (line.len() - word.len()) + colon;
    (is_key && glued && colon > 0).then_some(place..place + 1)
}

/// A space that does not break lines, right behind the colon of this line.
fn hard_space(text: &str, line_start: usize) -> Option<Range<usize>> {
    let line = &text[line_start..line_end(text, line_start)];
    let colon = line.find(":\u{a0}")?;
    Some(line_start + colon..line_start + colon + 1)
}

/// `-verify:` instead of `- verify:`.
fn glued_dash(text: &str, line_start: usize) -> Option<Range<usize>> {
    let line = &text[line_start..line_end(text, line_start)];
    let word = line.trim_start();
    let at = line_start + (line.len() - word.len());
    let glued = word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    glued.then_some(at..at + 1)
}

/// The line before, where it is at the same level and has no colon: the library complains only about the next line.
fn no_colon(text: &str, line_start: usize) -> Option<Range<usize>> {
    let end = text[..line_start].trim_end().len();
    let start = text[..end].rfind('\n').map_or(0, |i| i + 1);
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (line, next) = (&text[start..end], &text[line_start..line_end(text, line_start)]);
    let bare = line.trim_start();
    let key = !bare.is_empty() && !bare.contains(':') && !bare.starts_with(['-', '#', '"', '\'', '[', '{', '|', '>']);
    (key && indent(line) == indent(next)).then(|| word_at(text, start + indent(line)))
}

/// The last bracket that starts a value and is not closed in `before`.
fn open_bracket(before: &str) -> Option<usize> {
    let mut open = Vec::new();
    let mut previous = '\n';
    for (i, c) in before.char_indices() {
        match c {
            '[' | '{' if previous.is_whitespace() || "[{,".contains(previous) => open.push(i),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
        previous = c;
    }
    open.pop()
}

/// The word that stands at `at`, at least one character where there is one.
fn word_at(text: &str, at: usize) -> Range<usize> {
    let rest = &text[at..];
    let stop = |c: char| c.is_whitespace() || c == ':';
    let end = rest.char_indices().skip(1).find(|(_, c)| stop(*c)).map_or(rest.len(), |(i, _)| i);
    let end = if rest.starts_with('\n') { 0 } else { end };
    at..at + end
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |i| i + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |i| at + i)
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

//! Making untrusted output fit for people, journals and prompts: lossy UTF-8, no control or invisible characters, bounded.
//!
//! What the text means is *not* here: each reader beside this file knows one format.

use sha2::{Digest, Sha256};

use crate::hidden::is_hidden;

/// Longest id and cause, in characters.
pub const MAX_CHARS: usize = 300;

/// Longest kept end of an output, in bytes.
pub const MAX_TAIL: usize = 4096;

/// Where the sandbox shows the tree; paths below it are written without it.
const WORKSPACE: &str = "/workspace/";

/// Decodes bytes and leaves visible text, tabs and line feeds; terminal sequences go as a whole.
pub fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut chars),
            // A carriage return overwrites a line on a terminal; here both versions stay visible.
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\n' | '\t' => out.push(c),
            c if is_hidden(c) => {}
            c => out.push(c),
        }
    }
    out
}

fn skip_sequence(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => while chars.next_if(|c| !('@'..='~').contains(c) && *c != '\n').is_some() {},
        Some(']') => while chars.next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n')).is_some() {},
        Some('(' | ')') => {}
        _ => return,
    }
    chars.next_if(|c| *c != '\n');
}

/// Makes one bounded line of a text: hidden characters and line ends become spaces, the rest is cut at [`MAX_CHARS`].
pub fn line(text: &str) -> String {
    bounded(text, MAX_CHARS)
}

/// Makes one line of at most `max` characters of a text.
pub fn bounded(text: &str, max: usize) -> String {
    let flat: String = text.trim().chars().take(max + 1).map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    if flat.chars().count() <= max {
        return flat;
    }
    flat.chars().take(max - 1).chain(['…']).collect()
}

/// Makes an identity of a text: one bounded line; what is cut stays part of it as a hash, so that two never become one.
pub fn id(text: &str) -> String {
    if text.chars().nth(MAX_CHARS).is_none() {
        return line(text);
    }
    let digest = crate::hex(&Sha256::digest(text.as_bytes()));
    format!("{} {}", bounded(text, MAX_CHARS - 9), &digest[..8])
}

/// Writes a path relative to the repository; none for a place outside of it.
pub fn path(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix(WORKSPACE).unwrap_or(text.trim());
    let inside = inside.strip_prefix("./").unwrap_or(inside);
    let outside =
        inside.is_empty() || inside.starts_with(['/', '<', '~']) || inside.split('/').any(|part| part == "..");
    (!outside).then(|| id(inside))
}

/// Keeps the end of a cleaned text, at most [`MAX_TAIL`] bytes, from the start of a line where that is near.
pub fn tail(text: &str) -> String {
    let text = text.trim_end();
    let mut start = text.len().saturating_sub(MAX_TAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    let end = &text[start..];
    match end.find('\n') {
        Some(at) if start > 0 && at < MAX_TAIL / 2 => end[at + 1..].to_owned(),
        _ => end.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_survives() {
        let shown = clean(b"\x1b[31mred\x1b(B\x1b[m \x1b]0;title\x07a\x00b\r\nc\rd \xff \xe2\x80\xaee \xe2\x80\x8bf");
        assert_eq!(shown, "red ab\nc\nd \u{fffd} e f");
    }

    #[test]
    fn a_cut_id_keeps_its_difference() {
        let (a, b) = (format!("{}a", "x".repeat(400)), format!("{}b", "x".repeat(400)));
        assert_ne!(id(&a), id(&b));
        assert!(id(&a).chars().count() <= MAX_CHARS);
    }

    #[test]
    fn paths_stay_inside() {
        assert_eq!(path("/workspace/src/a.rs").as_deref(), Some("src/a.rs"));
        assert_eq!(path("./src/a.rs").as_deref(), Some("src/a.rs"));
        for outside in ["/rustc/59/x.rs", "<anon>", "../x", "/workspace/../etc", ""] {
            assert_eq!(path(outside), None, "{outside}");
        }
    }

    #[test]
    fn tails_are_bounded_and_begin_with_a_line() {
        let long = "line of text ü\n".repeat(1000);
        let end = tail(&long);
        assert!(end.len() <= MAX_TAIL && end.starts_with("line"));
    }
}

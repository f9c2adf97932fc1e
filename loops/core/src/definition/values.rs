//! Single values: text, numbers, durations, words of a short list, and phrases with their exact columns.

use std::ops::{Range, RangeInclusive};

use super::faults::Faults;
use super::nearest::{listed, suggestion};
use super::phrase::{self, Miss};
use super::yaml::{Node, Value};

/// The text of a scalar; anything else is a fault. `example` is a whole line that would be right.
pub(super) fn text<'n>(node: &'n Node, example: &str, faults: &mut Faults<'_>) -> Option<&'n str> {
    let help = format!("write it as in `{example}`");
    match &node.value {
        Value::Scalar(text) if !text.trim().is_empty() => Some(text),
        Value::Scalar(_) | Value::Empty => {
            faults.error("missing-value", node.at.clone(), "nothing stands behind the colon", help);
            None
        }
        Value::List(_) | Value::Map(_) => {
            let message = format!("one value is expected here, not {}", node.kind());
            faults.error("wrong-type", first_line(node, faults), message, help);
            None
        }
    }
}

/// A phrase, read by `parse`; a miss is reported at its column in the file.
pub(super) fn phrase<T>(
    node: &Node,
    example: &str,
    faults: &mut Faults<'_>,
    parse: impl FnOnce(&str) -> Result<T, Miss>,
) -> Option<T> {
    let read = parse(text(node, example, faults)?);
    match read {
        Ok(value) => Some(value),
        Err(miss) => {
            let help = format!("{}, as in `{example}`", miss.help);
            faults.error("phrase", inside(node, &miss.at, faults), miss.message, help);
            None
        }
    }
}

/// A whole number within `range`, `k` and `M` allowed.
pub(super) fn number(node: &Node, range: RangeInclusive<u64>, example: &str, faults: &mut Faults<'_>) -> Option<u64> {
    let number = phrase(node, example, faults, phrase::count)?;
    within(node, number, range, |n| n.to_string(), faults)
}

/// The same for what fits into 32 bits.
pub(super) fn small(node: &Node, range: RangeInclusive<u32>, example: &str, faults: &mut Faults<'_>) -> Option<u32> {
    let range = u64::from(*range.start())..=u64::from(*range.end());
    number(node, range, example, faults).and_then(|n| u32::try_from(n).ok())
}

/// Seconds within `range`.
pub(super) fn seconds(node: &Node, range: RangeInclusive<u64>, example: &str, faults: &mut Faults<'_>) -> Option<u64> {
    let seconds = phrase(node, example, faults, phrase::duration)?;
    within(node, seconds, range, duration, faults)
}

/// One of a few words.
pub(super) fn choice<T: Copy>(node: &Node, words: &[(&str, T)], example: &str, faults: &mut Faults<'_>) -> Option<T> {
    let word = text(node, example, faults)?;
    let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        let message = format!("`{word}` is none of {}", listed(&known));
        faults.error("wrong-value", node.at.clone(), message, suggestion(word, &known));
    }
    found
}

/// `90s`, `45m`, `24h`, `7d`: the largest unit that divides it; a single day is 24 hours.
pub fn duration(seconds: u64) -> String {
    const DAY: u64 = 24 * 3600;
    match seconds {
        s if s > DAY && s % DAY == 0 => format!("{}d", s / DAY),
        s if s >= 3600 && s % 3600 == 0 => format!("{}h", s / 3600),
        s if s >= 60 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

fn within(
    node: &Node,
    number: u64,
    range: RangeInclusive<u64>,
    shown: impl Fn(u64) -> String,
    faults: &mut Faults<'_>,
) -> Option<u64> {
    if range.contains(&number) {
        return Some(number);
    }
    // So it is read where there are more digits than fit.
    let told = if number == u64::MAX { "so large a number".to_owned() } else { shown(number) };
    let message = format!("{told} is outside of what is allowed here");
    let help = format!("write {} to {}", shown(*range.start()), shown(*range.end()));
    faults.error("out-of-range", node.at.clone(), message, help);
    None
}

/// The bytes of the file at which bytes `at` of the scalar's text stand.
pub(super) fn inside(node: &Node, at: &Range<usize>, faults: &Faults<'_>) -> Range<usize> {
    let Value::Scalar(text) = &node.value else {
        return node.at.clone();
    };
    let raw = faults.source(node.at.clone());
    let start = locate(raw, text, at.start);
    let end = locate(raw, text, at.end).max(start);
    node.at.start + start..node.at.start + end
}

/// Walks text and source side by side: quotes, escapes and line folding stand in the source only.
fn locate(raw: &str, text: &str, offset: usize) -> usize {
    if raw == text {
        return offset;
    }
    let same = |a: char, b: char| a == b || (a.is_whitespace() && b.is_whitespace());
    let mut place = usize::from(raw.starts_with(['"', '\'']));
    for c in text.get(..offset).unwrap_or(text).chars() {
        let step = raw[place..].char_indices().find(|(_, r)| same(c, *r));
        place = step.map_or(raw.len(), |(i, r)| place + i + r.len_utf8());
    }
    let folded = text.get(offset..).is_some_and(|rest| rest.starts_with(|c: char| !c.is_whitespace()));
    let blanks = raw[place..].len() - raw[place..].trim_start().len();
    if folded { place + blanks } else { place }
}

/// A list or mapping is pointed at by its first line.
pub(super) fn first_line(node: &Node, faults: &Faults<'_>) -> Range<usize> {
    let line = faults.source(node.at.clone()).lines().next().map_or(0, str::len);
    node.at.start..node.at.start + line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_survive_quotes_and_escapes() {
        assert_eq!(locate("a b", "a b", 2), 2);
        assert_eq!(locate("\"a b\"", "a b", 2), 3);
        assert_eq!(locate("'it''s b'", "it's b", 5), 7);
        assert_eq!(locate(r#""a\"b c""#, "a\"b c", 4), 6);
        assert_eq!(locate("a\n    b", "a b", 2), 6);
        assert_eq!(locate("\"\\x41b\"", "Ab", 2), 7, "an escape by number: the end, never a panic");
    }

    #[test]
    fn durations_use_the_largest_unit() {
        assert_eq!([30, 90, 2700, 7200, 86_400, 604_800].map(duration), ["30s", "90s", "45m", "2h", "24h", "7d"]);
    }
}

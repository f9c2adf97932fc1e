//! Where a phrase went wrong: from the furthest place that no rule could pass to a sentence and a suggestion.
//!
//! The rules themselves are in [`super::phrase`].

use std::ops::Range;

use winnow::error::ParserError;
use winnow::stream::{Location, Stream};
use winnow::{LocatingSlice, Parser};

use super::nearest::nearest;

/// Longer phrases and deeper brackets are refused: the parser recurses.
const MAX_PHRASE: usize = 1000;
const MAX_NESTING: usize = 32;

/// Where a phrase went wrong and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// Bytes of the phrase.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// What the rules read: text that knows its place.
pub(super) type In<'a> = LocatingSlice<&'a str>;

/// The furthest place that no rule could pass, and what the rule there expected.
#[derive(Debug, Default)]
pub(super) struct Stuck {
    at: usize,
    expected: &'static str,
    /// No other rule can save it: the first sign of this one was there.
    cut: bool,
}

impl ParserError<In<'_>> for Stuck {
    type Inner = Stuck;

    fn from_input(input: &In<'_>) -> Stuck {
        Stuck { at: input.current_token_start(), expected: "", cut: false }
    }

    fn or(self, other: Stuck) -> Stuck {
        if other.at >= self.at { other } else { self }
    }

    fn is_backtrack(&self) -> bool {
        !self.cut
    }

    fn into_inner(self) -> Result<Stuck, Stuck> {
        Ok(self)
    }
}

/// Runs `rule` on the whole text; `words` may stand where the rule has ended.
pub(super) fn whole<'a, O>(
    text: &'a str,
    mut rule: impl Parser<In<'a>, O, Stuck>,
    words: &'static [&'static str],
) -> Result<O, Miss> {
    bounded(text)?;
    let mut input = LocatingSlice::new(text);
    let stuck = match rule.parse_next(&mut input) {
        Ok(out) if input.trim_end().is_empty() => return Ok(out),
        Ok(_) => {
            let rest: &str = &input;
            let blanks = rest.len() - rest.trim_start().len();
            Stuck { at: input.current_token_start() + blanks, expected: "", cut: false }
        }
        Err(stuck) => stuck,
    };
    Err(miss(text, &stuck, words))
}

fn bounded(text: &str) -> Result<(), Miss> {
    let words = text.split(|c: char| !c.is_ascii_alphabetic());
    let nots = words.filter(|w| w.eq_ignore_ascii_case("not")).count();
    if text.len() <= MAX_PHRASE && text.matches('(').count() + nots <= MAX_NESTING {
        return Ok(());
    }
    Err(Miss {
        at: 0..text.len(),
        message: "the phrase is too long or nested too deeply".to_owned(),
        help: format!("at most {MAX_PHRASE} characters and {MAX_NESTING} brackets"),
    })
}

fn miss(text: &str, stuck: &Stuck, words: &[&str]) -> Miss {
    let at = text.len().min(stuck.at);
    let found = found_at(text[at..].trim_start());
    let expected = match (stuck.expected, words) {
        ("", []) => "the end".to_owned(),
        ("", _) => format!("{} or the end", words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")),
        (expected, _) => expected.to_owned(),
    };
    let shown = if found.is_empty() { "nothing more".to_owned() } else { format!("`{found}`") };
    Miss {
        at: at..(at + found.len()).min(text.len()),
        message: format!("expected {expected}, found {shown}"),
        help: hint(found, &expected, words),
    }
}

fn hint(found: &str, expected: &str, words: &[&str]) -> String {
    let first = found.chars().next().unwrap_or(' ');
    let typographic = "\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}".contains(first);
    if typographic {
        return "use the straight quotation mark `\"`".to_owned();
    }
    if let Some(near) = nearest(found, words).filter(|near| *near != found) {
        return format!("did you mean `{near}`?");
    }
    match (found, words) {
        ("&" | "&&", ["AND", ..]) => "write `AND`".to_owned(),
        ("|" | "||", ["AND", ..]) => "write `OR`".to_owned(),
        (_, ["AND", ..]) if expected == "the name of a gate" => "write the name of a gate here".to_owned(),
        (_, ["+", ..]) if expected.contains("text in quotes") => "put it in quotes".to_owned(),
        (_, ["+", ..]) if expected == "`)`" && !found.is_empty() => {
            "write `)` here; for a quotation mark inside of a quoted text, write `\\\"`".to_owned()
        }
        (_, ["AND", ..]) if !found.is_empty() => "put `AND` or `OR` between two gates".to_owned(),
        (_, ["+", ..]) if !found.is_empty() => "put `+` between two names".to_owned(),
        _ if expected == "the end" => format!("remove `{found}`"),
        _ => format!("write {expected} here"),
    }
}

/// What stands there, as a person would quote it: a word, or one run of the same sign.
fn found_at(rest: &str) -> &str {
    let Some(first) = rest.chars().next() else {
        return "";
    };
    if first == '$' {
        return rest.split([' ', '\t', '/']).next().unwrap_or(rest);
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let same = |c: char| {
        if is_word(first) { is_word(c) } else { c == first }
    };
    let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
    &rest[..end]
}

/// The rule, with a name for what it wants; a rule inside that got further keeps its own.
pub(super) fn expect<'a, O>(
    what: &'static str,
    mut rule: impl Parser<In<'a>, O, Stuck>,
) -> impl Parser<In<'a>, O, Stuck> {
    move |input: &mut In<'a>| {
        let start = input.checkpoint();
        let at = input.current_token_start();
        rule.parse_next(input).map_err(|stuck| {
            input.reset(&start);
            if stuck.expected.is_empty() || stuck.at == at {
                Stuck { at, expected: what, cut: stuck.cut }
            } else {
                stuck
            }
        })
    }
}

/// The rule, without which nothing else can be meant here.
pub(super) fn must<'a, O>(mut rule: impl Parser<In<'a>, O, Stuck>) -> impl Parser<In<'a>, O, Stuck> {
    move |input: &mut In<'a>| rule.parse_next(input).map_err(|stuck| Stuck { cut: true, ..stuck })
}

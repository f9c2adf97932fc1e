//! The grammar inside of a loop's scalars: calls, sums, conditions, amounts, durations.
//!
//! Each function reads one whole phrase; a [`Miss`] says where in the phrase it went wrong and what was expected there.
//! Which names mean something is *not* decided here.

use std::ops::Range;

use winnow::LocatingSlice;
use winnow::Parser;
use winnow::combinator::{
    Infix, Prefix, alt, delimited, dispatch, expression, fail, opt, preceded, separated, terminated,
};
use winnow::error::ParserError;
use winnow::stream::{Location, Stream};
use winnow::token::{one_of, take_till, take_while};

use super::nearest;
use crate::gate::Expression;
use crate::money::Micros;

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

/// A name and where it stands in its phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The name.
    pub text: String,
    /// Bytes of the phrase.
    pub at: Range<usize>,
}

/// `name` or `name(argument, …)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// What is called.
    pub name: Word,
    /// What stands in the brackets; none = no brackets.
    pub arguments: Option<Vec<Word>>,
}

/// Reads `a + b(c) + d`.
pub fn sum(text: &str) -> Result<Vec<Call>, Miss> {
    whole(text, separated(1.., call_, token('+', "`+`")), &["+"])
}

/// Reads `name(argument, …)`; arguments are words, numbers or quoted text (without its quotes).
pub fn call(text: &str) -> Result<Call, Miss> {
    whole(text, call_, &[])
}

/// Reads gates with `AND`, `OR`, `NOT` (or in small letters) and brackets; also where each gate stands.
pub fn gates(text: &str) -> Result<(Expression, Vec<Word>), Miss> {
    let tree = whole(text, gates_, &["AND", "OR"])?;
    let mut words = Vec::new();
    Ok((tree.plain(&mut words), words))
}

/// Reads `finding in state/triage.md`: the name and the path.
pub fn each(text: &str) -> Result<(Word, Word), Miss> {
    let keyword = expect("`in`", padded(word.verify(|w: &Word| w.text == "in")));
    whole(text, (padded(word), preceded(keyword, padded(path))), &[])
}

/// Reads `$5/run`: the amount and what it is for.
pub fn rate(text: &str) -> Result<(Micros, Word), Miss> {
    whole(text, (money, preceded(expect("`/run`", '/'), padded(word))), &[])
}

/// Reads `$0` or `$0.50/attempt`.
pub fn price(text: &str) -> Result<(Micros, Option<Word>), Miss> {
    whole(text, (padded(money), opt(preceded('/', padded(word)))), &[])
}

/// Reads `30s`, `45m`, `4h` as seconds.
pub fn duration(text: &str) -> Result<u64, Miss> {
    let unit = dispatch! {winnow::token::any;
        's' => winnow::combinator::empty.value(1_u64),
        'm' => winnow::combinator::empty.value(60),
        'h' => winnow::combinator::empty.value(3600),
        _ => fail,
    };
    let unit = expect("a unit: `s`, `m` or `h`, as in `45m`", unit);
    whole(text, padded((number, unit)).map(|(n, unit)| n.saturating_mul(unit)), &[])
}

/// Reads `12`, `500k`, `2M`.
pub fn count(text: &str) -> Result<u64, Miss> {
    let unit = opt(alt(('k'.value(1_000_u64), 'M'.value(1_000_000))));
    let read = (number, unit).map(|(n, unit)| n.saturating_mul(unit.unwrap_or(1)));
    whole(text, padded(read), &[])
}

type In<'a> = LocatingSlice<&'a str>;

/// The furthest place that no rule could pass, and what the rule there expected.
#[derive(Debug, Default)]
struct Stuck {
    at: usize,
    expected: &'static str,
}

impl ParserError<In<'_>> for Stuck {
    type Inner = Stuck;

    fn from_input(input: &In<'_>) -> Stuck {
        Stuck { at: input.current_token_start(), expected: "" }
    }

    fn or(self, other: Stuck) -> Stuck {
        if other.at >= self.at { other } else { self }
    }

    fn into_inner(self) -> Result<Stuck, Stuck> {
        Ok(self)
    }
}

/// Runs `rule` on the whole text; `words` may stand where the rule has ended.
fn whole<'a, O>(
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
            Stuck { at: input.current_token_start() + blanks, expected: "" }
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
    let found = found_at(&text[at..]);
    let expected = match (stuck.expected, words) {
        ("", []) => "the end".to_owned(),
        ("", _) => format!("{} or the end", words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")),
        (expected, _) => expected.to_owned(),
    };
    let shown = if found.is_empty() { "nothing more".to_owned() } else { format!("`{found}`") };
    Miss {
        at: at..at + found.len(),
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
    if let Some(near) = nearest::nearest(found, words) {
        return format!("did you mean `{near}`?");
    }
    match (found, words) {
        ("&" | "&&", ["AND", ..]) => "write `AND`".to_owned(),
        ("|" | "||", ["AND", ..]) => "write `OR`".to_owned(),
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
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let same = |c: char| {
        if is_word(first) { is_word(c) } else { c == first }
    };
    let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
    &rest[..end]
}

/// The rule, with a name for what it wants; a rule inside that got further keeps its own.
fn expect<'a, O>(what: &'static str, mut rule: impl Parser<In<'a>, O, Stuck>) -> impl Parser<In<'a>, O, Stuck> {
    move |input: &mut In<'a>| {
        let start = input.checkpoint();
        let at = input.current_token_start();
        rule.parse_next(input).map_err(|stuck| {
            input.reset(&start);
            if stuck.expected.is_empty() || stuck.at == at { Stuck { at, expected: what } } else { stuck }
        })
    }
}

fn blanks(input: &mut In<'_>) -> Result<(), Stuck> {
    take_while(0.., (' ', '\t')).void().parse_next(input)
}

/// The rule between blanks.
fn padded<'a, O>(rule: impl Parser<In<'a>, O, Stuck>) -> impl Parser<In<'a>, O, Stuck> {
    delimited(blanks, rule, blanks)
}

fn token<'a>(sign: char, what: &'static str) -> impl Parser<In<'a>, char, Stuck> {
    padded(expect(what, one_of(sign)))
}

fn word(input: &mut In<'_>) -> Result<Word, Stuck> {
    let letters = (
        one_of(|c: char| c.is_ascii_alphabetic() || c == '_'),
        take_while(0.., |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
    );
    expect("a name", letters.take().with_span()).map(placed).parse_next(input)
}

fn placed((text, at): (&str, Range<usize>)) -> Word {
    Word { text: text.to_owned(), at }
}

fn number(input: &mut In<'_>) -> Result<u64, Stuck> {
    let digits = take_while(1..=18, |c: char| c.is_ascii_digit()).parse_to();
    expect("a number", digits).parse_next(input)
}

fn path(input: &mut In<'_>) -> Result<Word, Stuck> {
    let signs = take_while(1.., |c: char| !c.is_whitespace());
    expect("a path such as `state/triage.md`", signs.with_span()).map(placed).parse_next(input)
}

fn money(input: &mut In<'_>) -> Result<Micros, Stuck> {
    let signs = ('$', take_while(1.., |c: char| c.is_ascii_digit() || c == '.')).take();
    expect("an amount such as `$5`", signs.parse_to()).parse_next(input)
}

fn call_(input: &mut In<'_>) -> Result<Call, Stuck> {
    let close = token(')', "`)`");
    let inside = terminated(separated(0.., padded(argument), token(',', "`,`")), close);
    let mut read = (padded(word), opt(token('(', "`(`")));
    let (name, open) = read.parse_next(input)?;
    let mut inside = inside;
    let arguments = open.map(|_| inside.parse_next(input)).transpose()?;
    Ok(Call { name, arguments })
}

fn argument(input: &mut In<'_>) -> Result<Word, Stuck> {
    let digits = take_while(1.., |c: char| c.is_ascii_digit()).with_span().map(placed);
    let read = alt((quoted('"'), quoted('\''), digits, word));
    expect("a name, a number or text in quotes", read).parse_next(input)
}

fn quoted<'a>(mark: char) -> impl Parser<In<'a>, Word, Stuck> {
    let inside = take_till(0.., move |c| c == mark).with_span().map(placed);
    let what = if mark == '"' { "a closing `\"`" } else { "a closing `'`" };
    delimited(one_of(mark), inside, expect(what, one_of(mark)))
}

/// [`Expression`] with the places of its gates.
enum Placed {
    Gate(Word),
    And(Box<Placed>, Box<Placed>),
    Or(Box<Placed>, Box<Placed>),
    Not(Box<Placed>),
}

impl Placed {
    fn plain(self, words: &mut Vec<Word>) -> Expression {
        let mut boxed = |p: Box<Placed>| Box::new(p.plain(words));
        match self {
            Placed::And(a, b) => Expression::And(boxed(a), boxed(b)),
            Placed::Or(a, b) => Expression::Or(boxed(a), boxed(b)),
            Placed::Not(a) => Expression::Not(boxed(a)),
            Placed::Gate(word) => {
                let name = word.text.clone();
                words.push(word);
                Expression::Gate(name)
            }
        }
    }
}

fn gates_(input: &mut In<'_>) -> Result<Placed, Stuck> {
    let gate = word.verify(|w: &Word| !is_keyword(&w.text)).map(Placed::Gate);
    let brackets = delimited(token('(', "`(`"), gates_, token(')', "`AND`, `OR` or `)`"));
    let operand = padded(expect("the name of a gate", alt((brackets, gate))));
    expression(operand)
        .prefix(keyword("NOT").value(Prefix(3, |_: &mut _, a| Ok(Placed::Not(Box::new(a))))))
        .infix(alt((
            keyword("AND").value(Infix::Left(2, |_: &mut _, a, b| Ok(Placed::And(Box::new(a), Box::new(b))))),
            keyword("OR").value(Infix::Left(1, |_: &mut _, a, b| Ok(Placed::Or(Box::new(a), Box::new(b))))),
        )))
        .parse_next(input)
}

/// One keyword in capital or in small letters.
fn keyword<'a>(name: &'static str) -> impl Parser<In<'a>, Word, Stuck> {
    let lower = name.to_lowercase();
    padded(word.verify(move |w: &Word| w.text == name || w.text == lower))
}

fn is_keyword(text: &str) -> bool {
    matches!(text, "AND" | "OR" | "NOT" | "and" | "or" | "not")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_phrase_of_the_seed() {
        assert_eq!(call("cron(\"0 9 * * MON-FRI\")").expect("call").arguments.expect("one")[0].text, "0 9 * * MON-FRI");
        let names = |text| sum(text).expect("sum").into_iter().map(|c| c.name.text).collect::<Vec<_>>();
        assert_eq!(
            names("scan_ci_failures + open_issues+recent_commits"),
            ["scan_ci_failures", "open_issues", "recent_commits"]
        );
        let (what, path) = each("finding in state/triage.md").expect("each");
        assert_eq!((what.text.as_str(), path.text.as_str()), ("finding", "state/triage.md"));
        let (tree, words) = gates("tests_pass AND lint_clean AND diff_reasonable").expect("gates");
        assert_eq!(tree.to_string(), "tests_pass AND lint_clean AND diff_reasonable");
        assert_eq!(words[1].at, 15..25);
        let (amount, per) = rate("$5/run").expect("rate");
        assert_eq!((amount, per.text.as_str()), (Micros(5_000_000), "run"));
        assert_eq!(call("no_progress(2)").expect("call").arguments.expect("one")[0].text, "2");
    }

    #[test]
    fn not_binds_before_and_before_or() {
        for (text, shown) in [
            ("a or b and not c", "a OR b AND NOT c"),
            ("(a OR b) AND c", "(a OR b) AND c"),
            ("NOT (a AND b)", "NOT (a AND b)"),
            ("NOT NOT a", "NOT NOT a"),
        ] {
            assert_eq!(gates(text).expect(text).0.to_string(), shown);
        }
    }

    #[test]
    fn durations_and_counts() {
        assert_eq!((duration("45m"), duration("30s"), duration("4h")), (Ok(2700), Ok(30), Ok(14_400)));
        assert_eq!((count("2M"), count("500k"), count("60")), (Ok(2_000_000), Ok(500_000), Ok(60)));
    }

    #[test]
    fn a_miss_stands_at_its_column_and_says_what_was_expected() {
        let at = |r: Result<(), Miss>| {
            let miss = r.expect_err("a miss");
            (miss.at.start, miss.message, miss.help)
        };
        let cases = [
            (
                at(gates("a b").map(drop)),
                2,
                "expected `AND`, `OR` or the end, found `b`",
                "put `AND` or `OR` between two gates",
            ),
            (at(gates("a ADN b").map(drop)), 2, "expected `AND`, `OR` or the end, found `ADN`", "did you mean `AND`?"),
            (at(gates("a && b").map(drop)), 2, "expected `AND`, `OR` or the end, found `&&`", "write `AND`"),
            (
                at(gates("a AND").map(drop)),
                5,
                "expected the name of a gate, found nothing more",
                "write the name of a gate here",
            ),
            (
                at(gates("(a OR b").map(drop)),
                7,
                "expected `AND`, `OR` or `)`, found nothing more",
                "write `AND`, `OR` or `)` here",
            ),
            (at(sum("a, b").map(drop)), 1, "expected `+` or the end, found `,`", "put `+` between two names"),
            (
                at(call("cron(\u{201c}x\u{201d})").map(drop)),
                5,
                "expected a name, a number or text in quotes, found `\u{201c}`",
                "use the straight quotation mark `\"`",
            ),
            (
                at(call("cron(\"x").map(drop)),
                7,
                "expected a closing `\"`, found nothing more",
                "write a closing `\"` here",
            ),
            (at(call("f(2").map(drop)), 3, "expected `)`, found nothing more", "write `)` here"),
            (
                at(rate("5/run").map(drop)),
                0,
                "expected an amount such as `$5`, found `5`",
                "write an amount such as `$5` here",
            ),
            (at(rate("$5").map(drop)), 2, "expected `/run`, found nothing more", "write `/run` here"),
            (
                at(duration("45").map(drop)),
                2,
                "expected a unit: `s`, `m` or `h`, as in `45m`, found nothing more",
                "write a unit: `s`, `m` or `h`, as in `45m` here",
            ),
        ];
        for ((start, message, help), at, wanted, advice) in cases {
            assert_eq!((start, message.as_str(), help.as_str()), (at, wanted, advice));
        }
    }

    #[test]
    fn hostile_phrases_end() {
        for text in ["(".repeat(900), "NOT ".repeat(240), "(".repeat(1_000_000), "a AND ".repeat(160) + "a"] {
            let _ = gates(&text);
        }
        assert!(gates(&("(".repeat(33) + "a" + &")".repeat(33))).is_err());
    }
}

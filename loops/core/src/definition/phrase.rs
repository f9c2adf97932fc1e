//! The grammar inside of a loop's scalars: calls, sums, conditions, amounts, durations.
//!
//! Each function reads one whole phrase; a [`Miss`] says where in the phrase it went wrong and what was expected there.
//! Which names mean something is *not* decided here.

use std::ops::Range;

use winnow::Parser;
use winnow::combinator::{
    Infix, Prefix, alt, delimited, dispatch, expression, fail, opt, preceded, repeat, separated, terminated,
};
use winnow::token::{none_of, one_of, take_while};

use super::miss::{In, Stuck, expect, must, whole};
use crate::gate::Expression;
use crate::money::Micros;

pub use super::miss::Miss;

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
    whole(text, separated(1.., must(call_), token('+', "`+`")), &["+"])
}

/// Reads `name(argument, …)`; arguments are words, numbers or quoted text (without its quotes); between
/// double quotes, `\"` is a quote and `\\` a backslash.
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
    whole(text, (money, preceded(expect("`/run` or `/day`", '/'), padded(word))), &[])
}

/// Reads `$0` or `$0.50/attempt`.
pub fn price(text: &str) -> Result<(Micros, Option<Word>), Miss> {
    whole(text, (padded(money), opt(preceded('/', must(padded(word))))), &[])
}

/// Reads `30s`, `45m`, `4h`, `2d` as seconds.
pub fn duration(text: &str) -> Result<u64, Miss> {
    let unit = dispatch! {winnow::token::any;
        's' => winnow::combinator::empty.value(1_u64),
        'm' => winnow::combinator::empty.value(60),
        'h' => winnow::combinator::empty.value(3600),
        'd' => winnow::combinator::empty.value(86_400),
        _ => fail,
    };
    let unit = expect("a unit: `s`, `m`, `h` or `d`", unit);
    whole(text, padded((number, unit)).map(|(n, unit)| n.saturating_mul(unit)), &[])
}

/// Reads `12`, `500k`, `2M`.
pub fn count(text: &str) -> Result<u64, Miss> {
    let unit = opt(alt(('k'.value(1_000_u64), 'M'.value(1_000_000))));
    let read = (number, unit).map(|(n, unit)| n.saturating_mul(unit.unwrap_or(1)));
    whole(text, padded(read), &[])
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
    // More digits than fit are more than any number here may be.
    let digits = take_while(1.., |c: char| c.is_ascii_digit()).map(|digits: &str| digits.parse().unwrap_or(u64::MAX));
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
    let close = || token(')', "`)`");
    let some = separated(1.., must(padded(argument)), token(',', "`,`"));
    let arguments = alt((close().value(Vec::new()), terminated(some, close())));
    (padded(word), opt(preceded(token('(', "`(`"), must(arguments))))
        .map(|(name, arguments)| Call { name, arguments })
        .parse_next(input)
}

fn argument(input: &mut In<'_>) -> Result<Word, Stuck> {
    // A number with its unit, as in `every(5m)`, or a name such as `2-daily`; what it means is for the caller.
    let digit = one_of(|c: char| c.is_ascii_digit());
    let number = (digit, take_while(0.., |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-'))
        .take()
        .with_span()
        .map(placed);
    let read = alt((quoted('"'), quoted('\''), number, word));
    expect("a name, a number or text in quotes", read).parse_next(input)
}

fn quoted<'a>(mark: char) -> impl Parser<In<'a>, Word, Stuck> {
    let escaped = ('\\', one_of(['"', '\\'])).verify(move |_| mark == '"').void();
    let signs = repeat::<_, _, (), _, _>(0.., alt((escaped, none_of(mark).void())));
    let inside = signs.take().with_span().map(move |(text, at)| match mark {
        '"' => Word { text: unescaped(text), at },
        _ => placed((text, at)),
    });
    let what = if mark == '"' { "a closing `\"`" } else { "a closing `'`" };
    delimited(one_of(mark), inside, must(expect(what, one_of(mark))))
}

/// Text as [`call`] reads it back from between double quotes, with them.
pub fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// `\"` and `\\` stand for their second sign; before any other sign a backslash is itself.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let escaped = if sign == '\\' { signs.next_if(|next| matches!(next, '"' | '\\')) } else { None };
        plain.push(escaped.unwrap_or(sign));
    }
    plain
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
    let brackets = delimited(token('(', "`(`"), must(gates_), must(token(')', "`AND`, `OR` or `)`")));
    let not = expect("the name of a gate", keyword("NOT"));
    expression(padded(alt((brackets, gate))))
        .prefix(not.value(Prefix(3, |_: &mut _, a| Ok(Placed::Not(Box::new(a))))))
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
        assert_eq!(duration("2d"), Ok(172_800));
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
            (
                at(rate("$5").map(drop)),
                2,
                "expected `/run` or `/day`, found nothing more",
                "write `/run` or `/day` here",
            ),
            (
                at(duration("45").map(drop)),
                2,
                "expected a unit: `s`, `m`, `h` or `d`, found nothing more",
                "write a unit: `s`, `m`, `h` or `d` here",
            ),
        ];
        for ((start, message, help), at, wanted, advice) in cases {
            assert_eq!((start, message.as_str(), help.as_str()), (at, wanted, advice));
        }
    }

    #[test]
    fn quotes_inside_of_quotes() {
        let text = |phrase: &str| call(phrase).map(|c| c.arguments.expect("one").remove(0).text);
        for (phrase, wanted) in [
            (r#"f("grep -n \"a b\" x")"#, r#"grep -n "a b" x"#),
            (r#"f("a\\")"#, r"a\"),
            (r#"f("\w \\\" \n")"#, r#"\w \" \n"#),
            (r"f('a\ \\ b')", r"a\ \\ b"),
            (r#"f('say "x"')"#, r#"say "x""#),
        ] {
            assert_eq!(text(phrase).as_deref(), Ok(wanted), "{phrase}");
            assert_eq!(text(&format!("f({})", quote(wanted))).as_deref(), Ok(wanted), "printed back");
        }
        let miss = sum(r#"command("grep -n "a b" x")"#).expect_err("the control: a quote ends the text");
        assert!(miss.help.contains(r#"write `\"`"#), "{miss:?}");
        assert!(text(r#"f("a\")"#).is_err(), "nothing closes it");
    }

    #[test]
    fn hostile_phrases_end() {
        for text in ["(".repeat(900), "NOT ".repeat(240), "(".repeat(1_000_000), "a AND ".repeat(160) + "a"] {
            let _ = gates(&text);
        }
        assert!(gates(&("(".repeat(33) + "a" + &")".repeat(33))).is_err());
    }
}

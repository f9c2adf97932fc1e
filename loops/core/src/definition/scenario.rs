//! Scenario files: what happens around loops on a virtual clock, read with every fault at its place.

use std::ops::RangeInclusive;

use chrono::{NaiveDateTime, NaiveTime, Weekday};

use super::faults::Faults;
use super::fields::Fields;
use super::nearest::suggestion;
use super::phrase;
use super::values::{first_line, inside, number, phrase as read_phrase, seconds, small, text};
use super::yaml::{self, Node, Value};
use crate::diagnostic::Diagnostic;
use crate::scenario::{Halted, Jump, Kill, Makes, Scenario, Script, Span};

const KEYS: [&str; 7] = ["sleeps", "off", "battery", "clock", "halts", "kills", "runs"];
const SPAN: [&str; 4] = ["from", "to", "daily", "every"];
const RUNS: [&str; 8] = ["loop", "takes", "findings", "makes", "round_takes", "costs", "fails_every", "failing_steps"];
const A_SPAN: &str = "- {from: \"2026-12-02 22:00\", to: \"2026-12-03 10:30\"}";
const A_DAY_S: u64 = 86_400;

/// Reads a scenario. Never panics, whatever the text; an empty file says that nothing happens.
///
/// # Errors
/// All that is wrong, in the order of the file.
pub fn read(bytes: &[u8]) -> Result<Scenario, Vec<Diagnostic>> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(super::read_bytes(bytes).diagnostics);
    };
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Scenario::default());
    }
    let mut faults = Faults::new(text);
    let scenario = yaml::tree(text, &mut faults).and_then(|root| whole(&root, &mut faults));
    match scenario {
        Some(scenario) if faults.errors() == 0 => Ok(scenario),
        _ => Err(faults.sorted()),
    }
}

fn whole(root: &Node, faults: &mut Faults<'_>) -> Option<Scenario> {
    let Value::Map(entries) = &root.value else {
        let message = format!("a scenario is a mapping, and this is {}", root.kind());
        let help = format!("write `sleeps:` and below it `{A_SPAN}`");
        faults.error("wrong-type", first_line(root, faults), message, help);
        return None;
    };
    let top = Fields::over(entries, "a scenario", 0..0, &KEYS, faults);
    let sleeps = list(&top, "sleeps", faults, span);
    let off = list(&top, "off", faults, span);
    let battery = list(&top, "battery", faults, span);
    let clock = list(&top, "clock", faults, jump);
    let halts = list(&top, "halts", faults, halted);
    let kills = list(&top, "kills", faults, kill);
    let runs = list(&top, "runs", faults, script);
    Some(Scenario {
        sleeps: sleeps?,
        off: off?,
        battery: battery?,
        clock: clock?,
        halts: halts?,
        kills: kills?,
        runs: runs?,
    })
}

/// A list, or one thing alone.
fn list<T>(
    top: &Fields<'_>,
    key: &str,
    faults: &mut Faults<'_>,
    read: impl Fn(&Node, &mut Faults<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let Some(node) = top.get(key) else { return Some(Vec::new()) };
    match &node.value {
        Value::List(items) => {
            let read: Vec<Option<T>> = items.iter().map(|item| read(item, faults)).collect();
            read.into_iter().collect()
        }
        Value::Empty => Some(Vec::new()),
        _ => Some(vec![read(node, faults)?]),
    }
}

fn span(node: &Node, faults: &mut Faults<'_>) -> Option<Span> {
    let fields = Fields::of(node, "a time", node.at.clone(), &SPAN, faults)?;
    match (fields.get("daily"), fields.get("every")) {
        (None, None) => {
            let from = moment(fields.required("from", A_SPAN, faults)?, faults)?;
            let end = fields.required("to", A_SPAN, faults)?;
            let to = moment(end, faults)?;
            if to <= from {
                let help = "write a later time behind `to`";
                faults.error("wrong-value", end.at.clone(), "it ends before it begins", help);
                return None;
            }
            Some(Span::Once { from, to })
        }
        (Some(node), None) => {
            let (from, to) = pair(node, "daily: \"23:00-07:00\"", "a time of the day", faults, clock_time)?;
            Some(Span::Daily { from, to })
        }
        (None, Some(node)) => {
            let (from, to) = pair(node, "every: SAT-SUN", "a weekday", faults, weekday)?;
            Some(Span::Weekly { from, to })
        }
        (Some(_), Some(node)) => {
            faults.error("wrong-value", node.at.clone(), "`daily` and `every` in one", "make two items of it");
            None
        }
    }
}

/// `a-b`, or `a` alone for both.
fn pair<T: Copy>(
    node: &Node,
    example: &str,
    what: &str,
    faults: &mut Faults<'_>,
    read: impl Fn(&str) -> Option<T>,
) -> Option<(T, T)> {
    let whole = text(node, example, faults)?;
    let (first, last) = whole.split_once('-').unwrap_or((whole, whole));
    let found = read(first.trim()).zip(read(last.trim()));
    if found.is_none() {
        let wrong = if read(first.trim()).is_none() { first } else { last };
        let message = format!("`{}` is not {what}", wrong.trim());
        faults.error("wrong-value", node.at.clone(), message, format!("write it as in `{example}`"));
    }
    found
}

fn clock_time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

fn weekday(text: &str) -> Option<Weekday> {
    text.parse().ok()
}

/// `2026-12-02 22:00`, with seconds if wanted, or a day: its midnight.
fn moment(node: &Node, faults: &mut Faults<'_>) -> Option<NaiveDateTime> {
    let written = text(node, "\"2026-12-02 22:00\"", faults)?;
    let found = parse_moment(written);
    if found.is_none() {
        let help = "write day and time, as in `\"2026-12-02 22:00\"`";
        faults.error("wrong-value", node.at.clone(), format!("`{written}` is no time"), help);
    }
    found
}

/// A day with its time, or its midnight.
pub fn parse_moment(text: &str) -> Option<NaiveDateTime> {
    let with_time = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"];
    let at = with_time.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    at.or_else(|| Some(text.parse::<chrono::NaiveDate>().ok()?.and_time(NaiveTime::MIN)))
}

fn jump(node: &Node, faults: &mut Faults<'_>) -> Option<Jump> {
    let example = "- {at: \"2026-12-04 12:00\", by: -1h}";
    let fields = Fields::of(node, "clock", node.at.clone(), &["at", "by"], faults)?;
    let at = moment(fields.required("at", example, faults)?, faults);
    let by = fields.required("by", example, faults)?;
    let by_s = read_phrase(by, example, faults, |text| {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        phrase::duration(rest).map(|s| sign * i64::try_from(s).unwrap_or(i64::MAX).min(MOST_S))
    });
    Some(Jump { at: at?, by_s: by_s? })
}

/// A clock is set by a hundred years at most.
const MOST_S: i64 = 100 * 366 * 86_400;

fn halted(node: &Node, faults: &mut Faults<'_>) -> Option<Halted> {
    let fields = Fields::of(node, "halts", node.at.clone(), &["from", "to", "loop"], faults)?;
    let example = "- {from: \"2026-12-02 12:00\", to: \"2026-12-03 09:00\"}";
    let from = moment(fields.required("from", example, faults)?, faults);
    let to = fields.get("to").map_or(Some(None), |node| moment(node, faults).map(Some));
    Some(Halted { from: from?, to: to?, of: loop_name(&fields, faults)? })
}

fn loop_name(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Option<String>> {
    let name = |node| text(node, "loop: daily-triage", faults).map(|name| Some(name.to_owned()));
    fields.get("loop").map_or(Some(None), name)
}

fn kill(node: &Node, faults: &mut Faults<'_>) -> Option<Kill> {
    if matches!(node.value, Value::Scalar(_)) {
        return moment(node, faults).map(Kill::At);
    }
    let example = "kills: {times: 10, seed: 1}";
    let fields = Fields::of(node, "kills", node.at.clone(), &["at", "times", "seed"], faults)?;
    if let Some(node) = fields.get("at") {
        return moment(node, faults).map(Kill::At);
    }
    let times = small(fields.required("times", example, faults)?, 1..=10_000, example, faults);
    let seed = fields.get("seed").map_or(Some(1), |node| number(node, 0..=u64::MAX, example, faults));
    Some(Kill::Random { seed: seed?, times: times? })
}

fn script(node: &Node, faults: &mut Faults<'_>) -> Option<Script> {
    let fields = Fields::of(node, "runs", node.at.clone(), &RUNS, faults)?;
    let usual = Script::default();
    let of = loop_name(&fields, faults);
    let mut long = |key: &str, usual: u64| {
        let example = format!("{key}: 20m");
        fields.get(key).map_or(Some(usual), |node| seconds(node, 0..=30 * A_DAY_S, &example, faults))
    };
    let (takes_s, round_s) = (long("takes", usual.takes_s), long("round_takes", usual.round_s));
    let mut count = |key: &str, allowed: RangeInclusive<u32>| {
        let example = format!("{key}: 2");
        fields.get(key).map_or(Some(0), |node| small(node, allowed, &example, faults))
    };
    let (findings, fails_every) = (count("findings", 0..=1000), count("fails_every", 1..=10_000));
    let makes = fields.get("makes").map_or(Some(usual.makes), |node| outcomes(node, faults));
    let cost = |node| read_phrase(node, "costs: $0.40", faults, phrase::price).map(|(amount, _)| Some(amount));
    let costs = fields.get("costs").map_or(Some(None), cost);
    let failing = fields.get("failing_steps").map_or(Some(Vec::new()), |node| names(node, faults));
    Some(Script {
        of: of?,
        takes_s: takes_s?,
        findings: findings?,
        makes: makes?,
        round_s: round_s?,
        costs: costs?,
        fails_every: fails_every?,
        failing: failing?,
    })
}

fn names(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<String>> {
    let example = "failing_steps: [login]";
    let read = |node, faults: &mut Faults<'_>| text(node, example, faults).map(str::to_owned);
    match &node.value {
        Value::List(items) => items.iter().map(|item| read(item, faults)).collect(),
        _ => Some(vec![read(node, faults)?]),
    }
}

/// What makers make of findings, in turn; at least one.
fn outcomes(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<Makes>> {
    let Value::List(items) = &node.value else {
        return Some(vec![outcome(node, faults)?]);
    };
    if items.is_empty() {
        faults.error("missing-value", node.at.clone(), "the list has no outcome", "write `makes: [fix(1), declines]`");
        return None;
    }
    let read: Vec<Option<Makes>> = items.iter().map(|item| outcome(item, faults)).collect();
    read.into_iter().collect()
}

fn outcome(node: &Node, faults: &mut Faults<'_>) -> Option<Makes> {
    let example = "makes: [fix(2), declines, nothing]";
    let call = read_phrase(node, example, faults, phrase::call)?;
    match (call.name.text.as_str(), call.arguments.as_deref()) {
        ("fix", None) => Some(Makes::Fix(1)),
        ("fix", Some([round])) if round.text.parse::<u32>().is_ok_and(|n| n >= 1) => {
            round.text.parse().ok().map(Makes::Fix)
        }
        ("declines", None) => Some(Makes::Declines),
        ("nothing", None) => Some(Makes::Nothing),
        (word, _) => {
            let at = inside(node, &call.name.at, faults);
            let message = match word {
                "fix" => "`fix` takes the round that is verified".to_owned(),
                "declines" | "nothing" => format!("`{word}` takes nothing in brackets"),
                _ => format!("`{word}` is nothing that a maker makes"),
            };
            let known = suggestion(word, &["fix", "declines", "nothing"]);
            faults.error("unknown-word", at, message, format!("{known}; as in `{example}`"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Micros;

    const WHOLE: &str = r#"
sleeps:
  - {from: "2026-12-02 22:00", to: "2026-12-03 10:30"}
  - every: SAT-SUN
off:
  daily: "23:00-07:00"
battery: [{from: 2026-12-02, to: 2026-12-03}]
clock:
  - {at: "2026-12-04 12:00", by: -1h}
halts:
  - {from: "2026-12-05 12:00", to: "2026-12-05 13:00", loop: tidy}
  - {from: "2026-12-09 12:00"}
kills:
  - {times: 10, seed: 1}
  - "2026-12-06 09:00:01"
runs:
  - takes: 20m
  - {loop: tidy, findings: 2, makes: [fix(2), declines, nothing], round_takes: 10m, costs: $0.40, fails_every: 3,
     failing_steps: [login]}
"#;

    fn told(text: &str) -> Vec<(usize, usize, String)> {
        let faults = read(text.as_bytes()).expect_err("refused");
        assert!(faults.iter().all(|f| f.help.is_some()), "{faults:?}");
        faults.into_iter().map(|d| (d.span.line, d.span.column, d.message)).collect()
    }

    #[test]
    fn all_that_may_stand_in_it_is_read() {
        let read = read(WHOLE.as_bytes()).expect("valid");
        assert_eq!(read.sleeps.len(), 2);
        assert_eq!(read.sleeps[1], Span::Weekly { from: Weekday::Sat, to: Weekday::Sun });
        assert!(matches!(read.off[..], [Span::Daily { .. }]));
        assert!(matches!(read.battery[..], [Span::Once { .. }]));
        assert_eq!(read.clock[0].by_s, -3600);
        assert_eq!(read.halts[0].of.as_deref(), Some("tidy"));
        assert_eq!(read.halts[1].to, None);
        assert_eq!(read.kills[0], Kill::Random { seed: 1, times: 10 });
        assert!(matches!(read.kills[1], Kill::At(_)));
        let tidy = read.script("tidy");
        assert_eq!(tidy.makes, [Makes::Fix(2), Makes::Declines, Makes::Nothing]);
        assert_eq!((tidy.round_s, tidy.costs, tidy.fails_every), (600, Some(Micros(400_000)), 3));
        assert_eq!(read.script("another").takes_s, 1200);
    }

    #[test]
    fn the_scenario_of_the_manual_is_valid_and_has_every_key() {
        let manual = include_str!("../../../README.md");
        let (_, rest) = manual.split_once("## What would it do?").expect("the chapter");
        let text = rest.split("```").nth(1).and_then(|block| block.strip_prefix("yaml")).expect("the scenario");
        let scenario = read(text.as_bytes()).expect("valid");
        assert_eq!((scenario.sleeps.len(), scenario.runs.len(), scenario.kills.len()), (3, 1, 1));
        for key in KEYS.iter().chain(&SPAN).chain(&RUNS) {
            assert!(text.contains(&format!("{key}:")), "{key}");
        }
    }

    #[test]
    fn nothing_at_all_is_a_scenario() {
        assert_eq!(read(b"# nothing\n"), Ok(Scenario::default()));
        assert_eq!(read(b"sleeps: []\nruns:\n"), Ok(Scenario::default()));
    }

    #[test]
    fn faults_have_their_place() {
        for (text, line, column, message) in [
            ("sleep: []\n", 1, 1, "`a scenario` has no key `sleep`"),
            ("- a\n", 1, 1, "a scenario is a mapping, and this is a list"),
            ("sleeps: [{from: 2026-12-02}]\n", 1, 10, "`to` is missing in `a time`"),
            ("sleeps: [{from: 2026-12-02, to: 2026-12-01}]\n", 1, 33, "it ends before it begins"),
            ("sleeps: [{from: 2026-02-30, to: 2026-12-01}]\n", 1, 17, "`2026-02-30` is no time"),
            ("off:\n  - every: SAT-FUN\n", 2, 12, "`FUN` is not a weekday"),
            ("off:\n  - daily: 25:00-07:00\n", 2, 12, "`25:00` is not a time of the day"),
            ("clock: [{at: 2026-12-01, by: 1x}]\n", 1, 31, "expected a unit: `s`, `m`, `h` or `d`, found `x`"),
            ("kills: {times: 0}\n", 1, 16, "0 is outside of what is allowed here"),
            ("runs: [{fails_every: 0}]\n", 1, 22, "0 is outside of what is allowed here"),
            ("runs: [{makes: miracles}]\n", 1, 16, "`miracles` is nothing that a maker makes"),
            ("runs: [{makes: fix(0)}]\n", 1, 16, "`fix` takes the round that is verified"),
            ("runs: [{makes: []}]\n", 1, 16, "the list has no outcome"),
        ] {
            assert_eq!(told(text), [(line, column, message.to_owned())], "{text}");
        }
        assert_eq!(read(b"sleeps: \xff").expect_err("refused")[0].code, "not-text");
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "((sleeps|off|clock|kills|runs|halts|by|at|makes|every|daily): ?)?[-0-9a-z:\\[{}\\]\", \n]{0,60}") {
            let _ = read(text.as_bytes());
        }
    }
}

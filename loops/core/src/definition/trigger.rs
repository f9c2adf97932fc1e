//! `trigger:`: what starts a loop, one phrase or a list of them. The keys beside it are in [`super::timing`].

use std::ops::Range;

use super::faults::Faults;
use super::fields::Fields;
use super::nearest::suggestion;
use super::phrase::{self, Call, Word};
use super::values::{first_line, inside, phrase as read_phrase, text};
use super::yaml::{Node, Value};
use super::{clock, files};
use crate::definition::duration;
use crate::schedule;
use crate::timing::{After, Trigger};

const EXAMPLE: &str = "trigger: cron(\"0 9 * * MON-FRI\")";
/// All that there is.
const KNOWN: [&str; 6] = ["cron", "every", "at", "after", "file", "manual"];
/// Triggers of later versions.
const LATER: [&str; 2] = ["webhook", "on_red_build"];
const NOW: &str = "what works now: `cron(\"0 9 * * MON-FRI\")`, `every(15m)`, `at(\"2026-12-01 08:25\")`, \
                   `after(other-loop)`, `file(\"incoming/*.csv\")` and `manual`";
/// More than this is no timetable that anybody reads.
const MOST: usize = 10;
/// The shortest and the longest time of `every`, in seconds.
const EVERY: std::ops::RangeInclusive<u64> = 60..=7 * 24 * 3600;
/// A date further ahead than this is taken for a slip.
const YEARS: u32 = 10;

/// What starts the loop called `own`.
pub(super) fn read(top: &Fields<'_>, own: Option<&str>, faults: &mut Faults<'_>) -> Option<Vec<Trigger>> {
    let help = format!("add `{EXAMPLE}` or `trigger: manual`");
    let node = top.required("trigger", &help, faults)?;
    let Value::List(items) = &node.value else {
        return one(node, own, faults).map(|trigger| vec![trigger]);
    };
    if items.is_empty() || items.len() > MOST {
        let message = match items.len() {
            0 => "the list has no trigger".to_owned(),
            count => format!("{count} triggers; a loop has at most {MOST}"),
        };
        let help =
            if items.is_empty() { "write `trigger: manual` if only you start it" } else { "make two loops of it" };
        faults.error("wrong-value", first_line(node, faults), message, help);
        return None;
    }
    if let Some(cut) = cut_by_a_comma(items) {
        let message = "a comma inside of `[…]` begins the next trigger";
        let help = "write one trigger a line, each behind `- `, or put it in single quotes";
        faults.error("phrase", cut.at.clone(), message, help);
        return None;
    }
    let read: Vec<Option<Trigger>> = items.iter().map(|item| one(item, own, faults)).collect();
    for (i, trigger) in read.iter().enumerate().filter(|(_, trigger)| trigger.is_some()) {
        if read[..i].contains(trigger) {
            let shown = trigger.as_ref().map(ToString::to_string).unwrap_or_default();
            let message = format!("`{shown}` is given twice");
            faults.error("wrong-value", items[i].at.clone(), message, "keep one of the two");
        }
    }
    read.into_iter().collect()
}

/// How a trigger that begins with this word is written.
fn example(first: &str) -> &'static str {
    match first {
        "every" => "every(15m)",
        "at" => "at(\"2026-12-01 08:25\")",
        "after" => "after(other-loop)",
        "file" => "file(\"incoming/*.csv\")",
        _ => EXAMPLE,
    }
}

/// The first item that a comma of a schedule cut in two, as in `[cron("0 9,17 * * *")]`.
fn cut_by_a_comma(items: &[Node]) -> Option<&Node> {
    let text = |node: &Node| match &node.value {
        Value::Scalar(text) => text.clone(),
        _ => String::new(),
    };
    let cut = |pair: &&[Node]| {
        let (this, next) = (text(&pair[0]), text(&pair[1]));
        this.contains('(') && !this.contains(')') && next.ends_with(')')
    };
    items.windows(2).find(cut).map(|pair| &pair[0])
}

fn one(node: &Node, own: Option<&str>, faults: &mut Faults<'_>) -> Option<Trigger> {
    let text = text(node, EXAMPLE, faults)?;
    if let Some(expression) = bare(text) {
        let help = format!("write `cron(\"{expression}\")`");
        faults.error("phrase", node.at.clone(), "a schedule stands in `cron(\"…\")`", help);
        return None;
    }
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    if LATER.contains(&first) {
        faults.error("not-yet", node.at.clone(), format!("`{first}` is not built yet"), NOW);
        return None;
    }
    if phrase::sum(text).is_ok_and(|calls| calls.len() > 1) {
        let help = "write one trigger a line, each behind `- `";
        faults.error("phrase", node.at.clone(), "several triggers are a list", help);
        return None;
    }
    let call = read_phrase(node, example(first), faults, phrase::call)?;
    match call.name.text.as_str() {
        "cron" => cron(node, &call, faults),
        "every" => every(node, &call, faults),
        "at" => at(node, &call, faults),
        "after" => after(node, &call, own, faults),
        "file" => file(node, &call, faults),
        "manual" if call.arguments.is_none() => Some(Trigger::Manual),
        "manual" => {
            faults.error("phrase", node.at.clone(), "`manual` takes nothing in brackets", "write `trigger: manual`");
            None
        }
        other => {
            let at = inside(node, &call.name.at, faults);
            faults.error("unknown-word", at, format!("`{other}` is no trigger"), suggestion(other, &KNOWN));
            None
        }
    }
}

/// The schedule in `cron 0 9 * * *`, `cron(0 9 * * *)`, `0 9 * * *` or `@daily`: right in all but its dress.
fn bare(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("cron").unwrap_or(text).trim();
    let inner = inner.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(inner).trim();
    let fields = inner.split_whitespace().count() >= 4
        && inner.chars().all(|c| c.is_ascii_alphanumeric() || " \t*/,-?#+".contains(c))
        && inner.starts_with(|c: char| c.is_ascii_digit() || c == '*');
    (fields || schedule::is_nickname(inner)).then_some(inner)
}

/// The one text in the brackets of a call; tells what it takes instead.
fn only<'c>(node: &Node, call: &'c Call, takes: &str, example: &str, faults: &mut Faults<'_>) -> Option<&'c Word> {
    let [word] = call.arguments.as_deref().unwrap_or_default() else {
        let message = format!("`{}` takes {takes}", call.name.text);
        faults.error("phrase", node.at.clone(), message, format!("write `{example}`"));
        return None;
    };
    Some(word)
}

/// Bytes of a quoted text as bytes of its phrase.
fn shifted(word: &Word, inner: &Range<usize>) -> Range<usize> {
    word.at.start + inner.start..word.at.start + inner.end
}

fn cron(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<Trigger> {
    let word = only(node, call, "one schedule in quotes", EXAMPLE, faults)?;
    match schedule::check(&word.text) {
        Err(fault) => {
            let place = inside(node, &shifted(word, &fault.at), faults);
            faults.error("cron", place, fault.message, fault.help);
            None
        }
        Ok(()) => {
            if schedule::means_or(&word.text) {
                let message = "both a day of the month and a weekday: it runs when either of them holds";
                let help = "write `*` for one of the two if you mean only the other";
                faults.note("cron-or", inside(node, &word.at, faults), message, help);
            }
            Some(Trigger::Cron(word.text.clone()))
        }
    }
}

fn every(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<Trigger> {
    let word = only(node, call, "a time", "every(15m)", faults)?;
    match phrase::duration(&word.text) {
        Ok(seconds) if EVERY.contains(&seconds) => Some(Trigger::Every(seconds)),
        Ok(_) => {
            let message = format!("{} is outside of what is allowed here", word.text);
            let help = format!("write {} to {}", duration(*EVERY.start()), duration(*EVERY.end()));
            faults.error("out-of-range", inside(node, &word.at, faults), message, help);
            None
        }
        Err(miss) => {
            let at = inside(node, &shifted(word, &miss.at), faults);
            faults.error("phrase", at, miss.message, format!("{}, as in `every(15m)`", miss.help));
            None
        }
    }
}

fn at(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<Trigger> {
    let example = "at(\"2026-12-01 08:25\")";
    let word = only(node, call, "a date and a time in quotes", example, faults)?;
    let time = match clock::moment(&word.text) {
        Ok(time) => time,
        Err(miss) => {
            let at = inside(node, &shifted(word, &miss.at), faults);
            faults.error("date", at, miss.message, miss.help);
            return None;
        }
    };
    let last = faults.today().and_then(|today| today.checked_add_months(chrono::Months::new(12 * YEARS)));
    if last.is_some_and(|last| time.date() > last) {
        let message = format!("{} is more than {YEARS} years away", time.date());
        faults.error("date", inside(node, &word.at, faults), message, "write a nearer date; a slip in the year?");
        return None;
    }
    Some(Trigger::At(time))
}

fn after(node: &Node, call: &Call, own: Option<&str>, faults: &mut Faults<'_>) -> Option<Trigger> {
    let (name, outcome) = match call.arguments.as_deref().unwrap_or_default() {
        [name] => (name, After::Finished),
        [name, word] => match word.text.as_str() {
            "finished" => (name, After::Finished),
            "failed" => (name, After::Failed),
            "ended" => (name, After::Ended),
            other => {
                let at = inside(node, &word.at, faults);
                let help = suggestion(other, &["finished", "failed", "ended"]);
                faults.error("unknown-word", at, format!("`{other}` is no way for a run to end"), help);
                return None;
            }
        },
        _ => {
            let message = "`after` takes the name of a loop, and how its run must have ended";
            faults.error(
                "phrase",
                node.at.clone(),
                message,
                "write `after(other-loop)` or `after(other-loop, failed)`",
            );
            return None;
        }
    };
    let place = inside(node, &name.at, faults);
    if !super::read::is_name(&name.text) {
        let message = format!("`{}` is no name of a loop", name.text);
        faults.error("wrong-value", place, message, "names have at most 64 small letters, digits and hyphens");
        return None;
    }
    if own == Some(name.text.as_str()) {
        let help = "name another loop; to go on all the time, write `every(15m)`";
        faults.error("wrong-value", place, "a loop can't come after itself", help);
        return None;
    }
    Some(Trigger::After { name: name.text.clone(), outcome })
}

fn file(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<Trigger> {
    let word = only(node, call, "one pattern in quotes", "file(\"incoming/*.csv\")", faults)?;
    match files::pattern(&word.text) {
        Ok(()) => Some(Trigger::File(word.text.clone())),
        Err(miss) => {
            let at = inside(node, &shifted(word, &miss.at), faults);
            faults.error("path", at, miss.message, miss.help);
            None
        }
    }
}

//! What an agent reports: usage, and a checker's verdict. Reports are claims; only gates are facts.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check::{Ended, text};

use crate::gate::{GateResult, Level};
use crate::money::Micros;

/// What an agent says of its attempt. Everything is optional, nothing is believed beyond its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentResult {
    /// What it did, in its own words (untrusted).
    pub summary: Option<String>,
    /// What it cost.
    pub cost: Option<Micros>,
    /// Tokens used.
    pub tokens: Option<u64>,
    /// Turns taken.
    pub turns: Option<u32>,
    /// The model that answered.
    pub model: Option<String>,
    /// Why it did not try.
    pub declined: Option<String>,
    /// A checker's answer.
    pub verdict: Option<CheckerVerdict>,
}

/// A checker's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct CheckerVerdict {
    /// Whether it accepts the change.
    pub accepted: bool,
    /// Why, one line each (untrusted).
    #[serde(default)]
    pub reasons: Vec<String>,
    /// What it objects to.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What it did not look at.
    #[serde(default)]
    pub not_checked: Vec<String>,
}

/// One objection. File and rule count as progress when they are new; the message never does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Fault {
    /// Path relative to the root.
    pub file: String,
    /// A short name of what is wrong.
    pub rule: String,
    /// In its own words (untrusted).
    #[serde(default)]
    pub message: String,
}

/// The outcome of verifying one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Expression at least needs-a-person, and the checker, if there is one, accepts.
    pub verified: bool,
    /// The level of the gates' expression.
    pub level: Level,
    /// Each gate.
    pub gates: Vec<GateResult>,
    /// The checker's answer; none = gates alone, or it gave none (see `reasons`).
    pub checker: Option<CheckerVerdict>,
    /// Who checked: an agent's name, or none for gates alone.
    pub checked_by: Option<String>,
    /// Why maker and checker are not independent; none = they are, or gates alone check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_independent: Option<String>,
    /// Why it is not verified, for the next attempt and the person.
    pub reasons: Vec<String>,
    /// The cases that fail with this attempt, of all gates.
    pub failing: std::collections::BTreeSet<crate::check::CaseId>,
    /// Of the cases that failed on the base or in an earlier round, those that are known to be gone; none = not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<std::collections::BTreeSet<crate::check::CaseId>>,
}

/// What was understood of an agent's last line, and what was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// The fields that were of their kind.
    pub result: AgentResult,
    /// What was not: one line each.
    pub problems: Vec<String>,
}

/// Longest text that is taken from a report, in characters.
const MAX_TEXT: usize = 2000;

/// Most entries that are taken of a list.
const MAX_ENTRIES: usize = 50;

impl Reported {
    /// Reads the last line that is not empty, if it is the object `{"loopwright": {…}}`; anything else reports nothing.
    /// A field of the wrong kind is left out and named.
    pub fn read(stdout: &[u8]) -> Reported {
        let text = text::clean(stdout);
        let last = text.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("");
        let Ok(Value::Object(mut whole)) = serde_json::from_str::<Value>(last) else {
            return Reported::default();
        };
        match whole.remove("loopwright") {
            None => Reported::default(),
            Some(Value::Object(fields)) => Reported::of(&fields),
            Some(_) => Reported { problems: vec!["`loopwright` is not an object".to_owned()], ..Reported::default() },
        }
    }

    fn of(fields: &Map<String, Value>) -> Reported {
        let mut read = Fields { fields, problems: Vec::new() };
        let result = AgentResult {
            summary: read.text("summary"),
            cost: read.take("cost", "an amount such as \"$0.12\"", |v| v.as_str()?.parse().ok()),
            tokens: read.take("tokens", "a whole number", Value::as_u64),
            turns: read.take("turns", "a whole number", |v| v.as_u64()?.try_into().ok()),
            model: read.text("model"),
            declined: read.text("declined"),
            verdict: read.take("verdict", "an object with `accepted`", verdict),
        };
        Reported { result, problems: read.problems }
    }

    /// The verdict of a checker that ended like this; what is missing, invalid or from a failed process rejects.
    pub fn verdict(&self, ended: Ended) -> CheckerVerdict {
        let why = match (&self.result.verdict, self.problems.first()) {
            (Some(verdict), None) if ended.well() => return verdict.clone(),
            (_, Some(problem)) => format!("the checker's report is invalid: {problem}"),
            (None, None) => "the checker gave no verdict".to_owned(),
            (Some(_), None) => "the checker did not end well".to_owned(),
        };
        let given = self.result.verdict.clone();
        let (faults, not_checked) = given.map(|v| (v.faults, v.not_checked)).unwrap_or_default();
        CheckerVerdict { accepted: false, reasons: vec![why], faults, not_checked }
    }
}

struct Fields<'a> {
    fields: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl Fields<'_> {
    /// Takes a field of a kind; null is the same as nothing.
    fn take<T>(&mut self, name: &str, kind: &str, of: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.fields.get(name).filter(|v| !v.is_null())?;
        let taken = of(value);
        if taken.is_none() {
            self.problems.push(format!("`{name}` is not {kind}"));
        }
        taken
    }

    fn text(&mut self, name: &str) -> Option<String> {
        self.take(name, "a text", |v| v.as_str().map(|t| text::bounded(t, MAX_TEXT)))
    }
}

fn verdict(value: &Value) -> Option<CheckerVerdict> {
    let mut verdict: CheckerVerdict = serde_json::from_value(value.clone()).ok()?;
    verdict.reasons.truncate(MAX_ENTRIES);
    verdict.faults.truncate(MAX_ENTRIES);
    verdict.not_checked.truncate(MAX_ENTRIES);
    let texts = verdict.reasons.iter_mut().chain(&mut verdict.not_checked);
    let faults = verdict.faults.iter_mut().flat_map(|f| [&mut f.file, &mut f.rule, &mut f.message]);
    texts.chain(faults).for_each(|t| *t = text::line(t));
    Some(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_report() {
        let out =
            b"working\n{\"loopwright\": {\"summary\": \"done\", \"cost\": \"$0.12\", \"tokens\": 5, \"turns\": 2}}\n\n";
        let read = Reported::read(out);
        assert_eq!(read.problems, Vec::<String>::new());
        assert_eq!(read.result.cost, Some(Micros(120_000)));
        assert_eq!((read.result.tokens, read.result.turns), (Some(5), Some(2)));
        for nothing in [&b""[..], b"hello", b"{\"loopwright\": {}}\nand more", b"[1]", b"{\"x\": 1}", b"\xff{"] {
            assert_eq!(Reported::read(nothing), Reported::default());
        }
    }

    #[test]
    fn wrong_kinds_are_named_and_left_out() {
        for (field, value) in [
            ("summary", "1"),
            ("cost", "0.12"),
            ("cost", "\"12\""),
            ("tokens", "-5"),
            ("turns", "99999999999"),
            ("model", "{}"),
            ("verdict", "true"),
            ("verdict", "{\"accepted\": \"yes\"}"),
            ("verdict", "{\"reasons\": []}"),
        ] {
            let line = format!("{{\"loopwright\": {{\"{field}\": {value}}}}}");
            let read = Reported::read(line.as_bytes());
            assert_eq!(read.problems.len(), 1, "{line}");
            assert!(read.problems[0].contains(field), "{line}");
            assert_eq!(read.result, AgentResult::default(), "{line}");
        }
        assert_eq!(Reported::read(b"{\"loopwright\": 3}").problems.len(), 1);
    }

    #[test]
    fn only_a_whole_verdict_of_a_process_that_ended_well_accepts() {
        let yes = Reported::read(b"{\"loopwright\": {\"verdict\": {\"accepted\": true}}}");
        assert!(yes.verdict(Ended::Exited(0)).accepted);
        assert!(!yes.verdict(Ended::Exited(1)).accepted);
        assert!(!yes.verdict(Ended::TimedOut).accepted);
        assert!(!Reported::default().verdict(Ended::Exited(0)).accepted);
        let mixed = b"{\"loopwright\": {\"cost\": 1, \"verdict\": {\"accepted\": true}}}";
        assert!(!Reported::read(mixed).verdict(Ended::Exited(0)).accepted);
    }
}

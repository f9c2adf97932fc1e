//! Keys that a loop works with and that can't be read: which loop needs which, since when, and the words for it.
//!
//! An agent names its vendor, and a person stores a key for a vendor. Nothing says whether an agent signs in by itself, so
//! a key is missed only where one of that name was stored. The local forge needs none.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};

use crate::definition::Definition;

/// A keychain that stays closed for so long is no race at login any more.
const SURE: Duration = Duration::seconds(45);

/// Why a key can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Another program removed it.
    Gone,
    /// There is no keychain.
    Absent,
    /// The keychain is locked.
    Locked,
    /// It does not answer.
    Slow,
    /// It refuses.
    Denied,
    /// It fails in another way.
    Failed,
}

/// A key that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// Why.
    pub why: Why,
    /// When that was first seen.
    pub since: DateTime<Utc>,
    /// Whether it is told: a keychain may come a moment after whoever asks for it.
    pub sure: bool,
}

/// Keys that can't be read, by name.
pub type Lacking = BTreeMap<String, Lack>;

/// The names under which the keys of a loop's agents would be stored.
pub fn needed(definition: &Definition) -> BTreeSet<String> {
    let Some(work) = &definition.work else { return BTreeSet::new() };
    let names = [Some(&work.act.maker), work.verify.checker.as_ref()];
    let agents = names.into_iter().flatten().filter_map(|name| definition.agents.get(name));
    agents.filter_map(|agent| agent.vendor.as_ref()).map(|vendor| vendor.trim().to_ascii_lowercase()).collect()
}

/// What is lacking after the keychain was asked once more.
pub fn noted(before: &Lacking, found: &BTreeMap<String, Why>, now: DateTime<Utc>) -> Lacking {
    let lack = |name: &String, why: Why| {
        let same = before.get(name).filter(|lack| lack.why == why && lack.since <= now);
        let since = same.map_or(now, |lack| lack.since);
        let sure = why == Why::Gone || same.is_some_and(|lack| lack.sure) || now - since >= SURE;
        Lack { why, since, sure }
    };
    found.iter().map(|(name, why)| (name.clone(), lack(name, *why))).collect()
}

impl Why {
    /// What is wrong, in a line of the tray's menu, and the verb behind it.
    pub fn repair(self, provider: &str) -> (String, &'static str) {
        match self {
            Why::Gone => (format!("No key for {provider}"), "Add it…"),
            Why::Absent => ("No keychain on this desktop".to_owned(), "Show why"),
            Why::Locked => ("The keychain is locked".to_owned(), "Unlock it…"),
            Why::Slow => ("The keychain does not answer".to_owned(), "Show why"),
            Why::Denied => ("The keychain refuses".to_owned(), "Show why"),
            Why::Failed => ("The keychain fails".to_owned(), "Show why"),
        }
    }

    /// What is wrong and what to do, in two sentences.
    pub fn told(self) -> &'static str {
        match self {
            Why::Gone => "It is no longer in the keychain. Add it again.",
            Why::Absent => "There is no keychain here. Log in again, or install one.",
            Why::Locked => "The keychain is locked. Unlock it or add the key.",
            Why::Slow => "The keychain does not answer. Look whether it asks you.",
            Why::Denied => "The keychain refuses. Allow it when it asks.",
            Why::Failed => "The keychain fails. Settings shows how.",
        }
    }

    /// What is wrong with a loop, and what to type about it.
    pub fn trouble(self, provider: &str) -> (String, String) {
        let why = match self {
            Why::Gone => format!("there is no key for {provider}: it is no longer in the keychain"),
            Why::Absent => format!("its key for {provider} can't be read: there is no keychain on this desktop"),
            Why::Locked => format!("its key for {provider} can't be read: the keychain is locked"),
            Why::Slow => format!("its key for {provider} can't be read: the keychain does not answer"),
            Why::Denied => format!("its key for {provider} can't be read: the keychain refuses"),
            Why::Failed => format!("its key for {provider} can't be read: the keychain fails"),
        };
        (why, format!("loopwright login {provider}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::read_bytes;

    fn at(second: u32) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::seconds(i64::from(second))
    }

    fn found(why: Why) -> BTreeMap<String, Why> {
        BTreeMap::from([("openai".to_owned(), why)])
    }

    #[test]
    fn a_key_that_is_gone_is_told_at_once_and_a_closed_keychain_when_it_stays_so() {
        let sure = |lacking: &Lacking| lacking["openai"].sure;
        assert!(sure(&noted(&Lacking::new(), &found(Why::Gone), at(0))));
        let first = noted(&Lacking::new(), &found(Why::Absent), at(0));
        assert!(!sure(&first), "it may come in a moment");
        assert!(!sure(&noted(&first, &found(Why::Absent), at(44))));
        let stays = noted(&first, &found(Why::Absent), at(60));
        assert!(sure(&stays));
        assert_eq!(stays["openai"].since, at(0));
        assert!(!sure(&noted(&first, &found(Why::Locked), at(60))), "that is another fault, and a new one");
        assert_eq!(noted(&stays, &BTreeMap::new(), at(61)), Lacking::new());
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_sure() {
        let before = noted(&Lacking::new(), &found(Why::Locked), at(1000));
        assert_eq!(
            noted(&before, &found(Why::Locked), at(10))["openai"],
            Lack { why: Why::Locked, since: at(10), sure: false }
        );
    }

    #[test]
    fn a_loop_needs_the_keys_of_its_own_agents() {
        let text = "name: work
trigger: manual
steps:
  - discover: {run: open_issues, write_to: state/triage.md}
  - act: {for_each: finding in state/triage.md, spawn: maker(finding)}
  - verify: {agent: checker, check: tests_pass}
  - ship: {if: verified, run: open_pr}
agents:
  maker: {command: [./m.sh], price: $0, model: a, vendor: OpenAI}
  checker: {command: [./c.sh], price: $0, model: b, vendor: anthropic}
  other: {command: [./o.sh], price: $0, model: c, vendor: google}
guardrails: {max_iterations: 1, budget: $5/run, halt_on: no_progress(2)}
";
        let reading = read_bytes(text.as_bytes());
        let definition = reading.definition.unwrap_or_else(|| panic!("{:?}", reading.diagnostics));
        assert_eq!(needed(&definition).into_iter().collect::<Vec<_>>(), ["anthropic", "openai"]);
    }

    #[test]
    fn what_is_said_fits() {
        for why in [Why::Gone, Why::Absent, Why::Locked, Why::Slow, Why::Denied, Why::Failed] {
            let (problem, verb) = why.repair("anthropic");
            assert!(format!("{problem}. {verb}").chars().count() <= crate::desk::LONGEST_LINE, "{problem}. {verb}");
            assert!(why.told().len() <= 60, "{}", why.told());
            assert!(why.trouble("x").1 == "loopwright login x");
        }
    }
}

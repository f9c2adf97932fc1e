//! `guardrails:` and `review:`: when a loop stops, and how much it may ask of a person.

use super::faults::Faults;
use super::fields::Fields;
use super::values::{inside, number, phrase, seconds, small};
use super::yaml::Node;
use super::{Merge, Rails, ReviewRule, budget};
use crate::money::Micros;

pub(super) const KEYS: [&str; 7] =
    ["max_iterations", "budget", "halt_on", "max_duration", "max_tokens", "max_turns", "max_findings"];
const ALL_THREE: &str = "add `guardrails:` with `max_iterations: 3`, `budget: $5/run` and `halt_on: no_progress(2)`";
const HOUR: u64 = 3600;

/// The rails; each of the three required ones that is missing is a fault of its own. A loop of chores
/// alone needs none: it has no rounds to count, and no agent that spends money.
pub(super) fn read(top: &Fields<'_>, finds: bool, faults: &mut Faults<'_>) -> Option<Rails> {
    let fields = match top.entry("guardrails") {
        Some(entry) => Fields::of(&entry.value, "guardrails", entry.key_at.clone(), &KEYS, faults)?,
        None if finds => {
            top.required("guardrails", ALL_THREE, faults)?;
            return None;
        }
        None => Fields::over(&[], "guardrails", 0..0, &KEYS, faults),
    };
    let given = |key: &str| finds || fields.get(key).is_some();
    let iterations = if given("max_iterations") { iterations(&fields, faults) } else { Some(1) };
    let budget =
        if given("budget") { budget::of_loop(&fields, finds, faults) } else { Some((Micros::ZERO, Vec::new())) };
    let no_progress = if given("halt_on") { no_progress(&fields, faults) } else { Some(1) };
    let duration = fields
        .get("max_duration")
        .map_or(Some(2 * HOUR), |node| seconds(node, 1..=24 * HOUR, "max_duration: 45m", faults));
    let tokens = fields.get("max_tokens").map(|node| number(node, 1..=1_000_000_000, "max_tokens: 2M", faults));
    let turns = fields.get("max_turns").map(|node| small(node, 1..=1000, "max_turns: 60", faults));
    let findings = fields.get("max_findings").map_or(Some(5), |node| small(node, 1..=50, "max_findings: 5", faults));
    let (budget, ceilings) = budget?;
    Some(Rails {
        max_iterations: iterations?,
        budget,
        ceilings,
        no_progress: no_progress?,
        max_duration_s: duration?,
        max_tokens: tokens.map_or(Some(None), |t| t.map(Some))?,
        max_turns: turns.map_or(Some(None), |t| t.map(Some))?,
        max_findings: findings?,
    })
}

/// How much the loop may ask of the person; everything has a default.
pub(super) fn review(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<ReviewRule> {
    let default = ReviewRule { max_open: 3, merge: Merge::Squash };
    let Some(entry) = top.entry("review") else {
        return Some(default);
    };
    let fields = Fields::of(&entry.value, "review", entry.key_at.clone(), &["max_open", "merge"], faults)?;
    let max_open = fields.get("max_open").map_or(Some(3), |node| small(node, 1..=50, "max_open: 3", faults));
    let words = [("squash", Merge::Squash), ("merge", Merge::Merge), ("fast_forward", Merge::FastForward)];
    let merge = fields
        .get("merge")
        .map_or(Some(Merge::Squash), |node| super::values::choice(node, &words, "merge: squash", faults));
    Some(ReviewRule { max_open: max_open?, merge: merge? })
}

fn iterations(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<u32> {
    let help = "add `max_iterations: 3`: rounds of maker and checker per finding";
    let node = fields.required("max_iterations", help, faults)?;
    small(node, 1..=20, "max_iterations: 3", faults)
}

fn no_progress(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<u32> {
    let example = "halt_on: no_progress(2)";
    let help = "add `halt_on: no_progress(2)`: rounds without progress that stop a finding";
    let node = fields.required("halt_on", help, faults)?;
    let call = phrase(node, example, faults, super::phrase::call)?;
    if call.name.text != "no_progress" {
        let message = format!("`{}` is nothing to halt on", call.name.text);
        let help = super::nearest::suggestion(&call.name.text, &["no_progress"]);
        faults.error("unknown-word", inside(node, &call.name.at, faults), message, help);
        return None;
    }
    rounds(node, call.arguments.as_deref(), faults)
}

/// The one number in the brackets of `no_progress(2)`.
fn rounds(node: &Node, arguments: Option<&[super::phrase::Word]>, faults: &mut Faults<'_>) -> Option<u32> {
    let [word] = arguments.unwrap_or_default() else {
        let message = "`no_progress` takes one number";
        faults.error("phrase", node.at.clone(), message, "write `halt_on: no_progress(2)`");
        return None;
    };
    if !word.text.starts_with(|c: char| c.is_ascii_digit()) {
        let message = format!("`{}` is no number", word.text);
        faults.error("phrase", inside(node, &word.at, faults), message, "write 1 to 10, as in `no_progress(2)`");
        return None;
    }
    let rounds = word.text.parse().ok().filter(|n| (1..=10).contains(n));
    if rounds.is_none() {
        let message = format!("{} is outside of what is allowed here", word.text);
        faults.error("out-of-range", inside(node, &word.at, faults), message, "write 1 to 10, as in `no_progress(2)`");
    }
    rounds
}

//! How much a pull request asks of whoever decides on it: the order of the queue.

use serde::Serialize;

use crate::diff::DiffStat;
use crate::gate::Level;
use crate::verdict::Verdict;

/// More changed lines than these are not decided in passing.
const SMALL: u32 = 60;

/// What a decision asks for, the quickest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Small, each gate passed, and another model accepted it.
    Quick,
    /// To be read.
    Ordinary,
    /// A gate asks for a person, or gates and checker disagree.
    Risky,
}

/// What a verified change asks for, and why if it is not quick.
pub fn risk(verdict: &Verdict, stat: DiffStat) -> (Risk, Option<String>) {
    let asks = verdict.gates.iter().find(|gate| gate.level != Level::Pass);
    if let Some(gate) = asks {
        let why = gate.reasons.first().cloned().unwrap_or_else(|| format!("{} asks for a person", gate.gate));
        return (Risk::Risky, Some(why));
    }
    match &verdict.checker {
        Some(checker) if !checker.accepted => return (Risk::Risky, Some("gates and checker disagree".to_owned())),
        None => return (Risk::Ordinary, Some("gates alone checked it".to_owned())),
        Some(_) => {}
    }
    if verdict.not_independent.is_some() {
        return (Risk::Ordinary, Some("maker and checker are not independent".to_owned()));
    }
    if verdict.level != Level::Pass {
        return (Risk::Risky, Some("a gate gave no answer".to_owned()));
    }
    if stat.added.saturating_add(stat.removed) > SMALL {
        return (Risk::Ordinary, None);
    }
    (Risk::Quick, None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::gate::GateResult;
    use crate::verdict::CheckerVerdict;

    fn verdict(level: Level, accepted: Option<bool>) -> Verdict {
        let reasons = if level == Level::Pass { vec![] } else { vec!["changes build.rs (build script)".to_owned()] };
        let gate = GateResult { gate: "diff".to_owned(), level, summary: String::new(), reasons, evidence: None };
        let answer = |accepted| CheckerVerdict { accepted, reasons: vec![], faults: vec![], not_checked: vec![] };
        Verdict {
            verified: true,
            level,
            gates: vec![gate],
            checker: accepted.map(answer),
            checked_by: None,
            not_independent: None,
            reasons: vec![],
            failing: BTreeSet::new(),
            cleared: None,
        }
    }

    #[test]
    fn only_what_is_small_and_undoubted_is_quick() {
        let small = DiffStat { files: 1, added: 38, removed: 22 };
        let large = DiffStat { added: 39, ..small };
        assert_eq!(risk(&verdict(Level::Pass, Some(true)), small), (Risk::Quick, None));
        assert_eq!(risk(&verdict(Level::Pass, Some(true)), large).0, Risk::Ordinary);
        assert_eq!(risk(&verdict(Level::Pass, None), small).0, Risk::Ordinary);
        assert_eq!(risk(&verdict(Level::Pass, Some(false)), small).0, Risk::Risky);
        let (asks, why) = risk(&verdict(Level::NeedsPerson, Some(true)), small);
        assert_eq!((asks, why.as_deref()), (Risk::Risky, Some("changes build.rs (build script)")));
        let one_vendor = Verdict { not_independent: Some("one vendor".to_owned()), ..verdict(Level::Pass, Some(true)) };
        assert_eq!(risk(&one_vendor, small).0, Risk::Ordinary);
    }
}

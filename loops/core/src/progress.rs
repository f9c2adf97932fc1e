//! Whether rounds on a finding get anywhere. Words never count, only what fails, what is objected to, and what changed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::check::CaseId;
use crate::diff::{ChangeKind, DiffFacts};
use crate::verdict::Verdict;

/// What is kept of one round to tell whether the next is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Hash of the change without white space; empty = nothing changed.
    pub substance: String,
    /// Whether only white space and blank lines changed.
    pub only_whitespace: bool,
    /// What failed afterwards, of all gates; none = not judged.
    pub failing: Option<BTreeSet<CaseId>>,
    /// What failed before and is known to be gone; none = not told, then all that no longer fails in a round that builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<BTreeSet<CaseId>>,
    /// File and rule of each objection of the checker.
    pub objections: BTreeSet<(String, String)>,
}

impl Round {
    /// A round that changed something and is not judged yet.
    pub fn change(substance: String, only_whitespace: bool) -> Round {
        Round { substance, only_whitespace, failing: None, cleared: None, objections: BTreeSet::new() }
    }

    /// A round that changed nothing, or nothing usable.
    pub fn empty() -> Round {
        Round::change(String::new(), false)
    }

    /// Adds what gates and checker said.
    pub fn judged(&mut self, verdict: &Verdict) {
        self.failing = Some(verdict.failing.clone());
        self.cleared = verdict.cleared.clone();
        let faults = verdict.checker.iter().flat_map(|c| &c.faults);
        self.objections = faults.map(|f| (f.file.clone(), f.rule.clone())).collect();
    }
}

/// Rounds without progress at the end of `rounds`.
///
/// `failing` is what the finding is (empty for issues), `base` all that fails on the base commit.
pub fn stale(failing: &BTreeSet<CaseId>, base: &BTreeSet<CaseId>, rounds: &[Round]) -> u32 {
    let mut past = Past { open: base.clone(), ..Past::default() };
    rounds.iter().fold(0, |stale: u32, round| {
        let moved = past.moved_by(round, failing, base);
        past.take(round, base);
        if moved { 0 } else { stale.saturating_add(1) }
    })
}

/// What all rounds so far came to.
#[derive(Default)]
struct Past<'r> {
    substances: BTreeSet<&'r str>,
    objections: BTreeSet<&'r (String, String)>,
    /// What failed at some time and was not removed since.
    open: BTreeSet<CaseId>,
    /// What was removed at some time.
    removed: BTreeSet<CaseId>,
    /// The fewest that failed after any round that got as far as to tell.
    fewest: Option<usize>,
}

impl<'r> Past<'r> {
    /// Whether `round` moved, after all of these.
    fn moved_by(&self, round: &Round, failing: &BTreeSet<CaseId>, base: &BTreeSet<CaseId>) -> bool {
        if round.substance.is_empty() {
            return false;
        }
        let new_substance = !round.only_whitespace && !self.substances.contains(round.substance.as_str());
        self.loses_something_new(round, base)
            || round.objections.iter().any(|objection| !self.objections.contains(objection))
            || (failing.is_empty() && new_substance)
    }

    fn loses_something_new(&self, round: &Round, base: &BTreeSet<CaseId>) -> bool {
        let gone = removed(&self.open, round);
        let mut new = gone.difference(&self.removed).peekable();
        // What only a round of its own has broken counts when less is broken than ever: else a maker that breaks another
        // one each time, and repairs the last one, would move for ever.
        let fewer = || round.failing.as_ref().zip(self.fewest).is_some_and(|(now, fewest)| now.len() < fewest);
        new.peek().is_some() && (new.any(|case| base.contains(case)) || fewer())
    }

    fn take(&mut self, round: &'r Round, base: &BTreeSet<CaseId>) {
        self.substances.insert(&round.substance);
        self.objections.extend(&round.objections);
        let Some(failing) = &round.failing else { return };
        let gone = removed(&self.open, round);
        // What did not run still waits to be removed.
        self.open.retain(|case| !gone.contains(case));
        self.open.extend(failing.iter().cloned());
        self.removed.extend(gone);
        if failing.iter().all(|case| !is_build(case) || base.contains(case)) {
            self.fewest = Some(self.fewest.map_or(failing.len(), |fewest| fewest.min(failing.len())));
        }
    }
}

/// What failed `before` and is gone after a round.
fn removed(before: &BTreeSet<CaseId>, round: &Round) -> BTreeSet<CaseId> {
    let Some(now) = &round.failing else { return BTreeSet::new() };
    let broken = now.iter().any(is_build);
    let known = |case: &&CaseId| round.cleared.as_ref().map_or(!broken, |cleared| cleared.contains(*case));
    before.difference(now).filter(known).cloned().collect()
}

fn is_build(case: &CaseId) -> bool {
    case.0.starts_with("build @ ")
}

/// A hash of what changed, blind to white space, line breaks and line numbers; empty if nothing is left.
pub fn substance(diff: &DiffFacts) -> String {
    use sha2::{Digest, Sha256};
    let squeezed = |line: &str| line.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let mut hash = Sha256::new();
    let mut anything = false;
    for file in &diff.files {
        anything = true;
        hash.update(file.path.as_bytes());
        hash.update([0, change_byte(file.kind)]);
        hash.update(file.new_mode.to_le_bytes());
        hash.update(if file.binary { file.size.to_le_bytes() } else { [0; 8] });
        for (sign, lines) in [(b'-', &file.removed), (b'+', &file.added)] {
            // A line break is white space too: the same words on more lines are the same change.
            hash.update([sign]);
            lines.iter().for_each(|(_, line)| hash.update(squeezed(line).as_bytes()));
            hash.update([b'\n']);
        }
    }
    if anything { crate::hex(&hash.finalize()) } else { String::new() }
}

fn change_byte(kind: ChangeKind) -> u8 {
    match kind {
        ChangeKind::Added => b'a',
        ChangeKind::Deleted => b'd',
        ChangeKind::Modified => b'm',
        ChangeKind::Renamed => b'r',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cases(ids: &[&str]) -> BTreeSet<CaseId> {
        ids.iter().map(|i| CaseId((*i).to_owned())).collect()
    }

    fn round(substance: &str, failing: &[&str]) -> Round {
        Round { failing: Some(cases(failing)), ..Round::change(substance.to_owned(), false) }
    }

    #[test]
    fn removing_a_different_failure_each_time_is_progress() {
        let base = cases(&["a", "b", "c"]);
        let rounds = [round("1", &["b", "c"]), round("2", &["a", "c"]), round("3", &["a", "b"])];
        assert_eq!(stale(&base, &base, &rounds), 0);
    }

    #[test]
    fn removing_the_same_failure_again_is_none() {
        let base = cases(&["a", "b"]);
        let rounds = [round("1", &["b"]), round("2", &["a", "b"]), round("3", &["b"])];
        assert_eq!(stale(&base, &base, &rounds), 2);
    }

    #[test]
    fn breaking_the_build_anew_each_round_is_none() {
        let base = cases(&["a"]);
        let broken = ["1", "2", "3"].map(|n| round(n, &[&format!("build @ {n}.rs")]));
        assert_eq!(stale(&base, &base, &broken), 3, "where nobody tells what ran");
        let told = broken.clone().map(|r| Round { cleared: Some(BTreeSet::new()), ..r });
        assert_eq!(stale(&base, &base, &told), 3);
        let fixed = Round { cleared: Some(base.clone()), ..round("4", &[]) };
        assert_eq!(stale(&base, &base, &[&told[..], &[fixed]].concat()), 0, "what did not run can still be removed");
        // The control: with everything that no longer fails taken for removed, the first break is a step forward.
        let blind = broken.clone().map(|r| Round { cleared: Some(cases(&["a", "build @ 1.rs", "build @ 2.rs"])), ..r });
        assert_eq!(stale(&base, &base, &blind), 2);
    }

    #[test]
    fn what_the_rounds_broke_themselves_counts_only_downwards() {
        let base = cases(&["own"]);
        let moving = [round("1", &["own", "a"]), round("2", &["own", "b"]), round("3", &["own", "c"])];
        assert_eq!(stale(&base, &base, &moving), 3, "another one is broken each time");
        let down = [round("1", &["own", "a", "b", "c"]), round("2", &["own", "b", "c"]), round("3", &["own", "c"])];
        assert_eq!(stale(&base, &base, &down), 0);
        // A round that did not build tells nothing of how many fail.
        let between = [down[0].clone(), round("2", &["build @ a.rs"]), down[1].clone()];
        assert_eq!(stale(&base, &base, &between), 0);
    }

    #[test]
    fn ping_pong_with_new_words_is_none() {
        let base = cases(&["a"]);
        let rounds: Vec<Round> = (0..5).map(|n| round(&format!("words {n}"), &["a"])).collect();
        assert_eq!(stale(&base, &base, &rounds), 5);
    }

    #[test]
    fn an_issue_moves_with_its_tree_and_not_with_its_white_space() {
        let none = BTreeSet::new();
        assert_eq!(stale(&none, &none, &[round("1", &[]), round("2", &[])]), 0);
        assert_eq!(stale(&none, &none, &[round("1", &[]), round("2", &[]), round("1", &[])]), 1);
        let churn = Round { only_whitespace: true, ..round("3", &[]) };
        assert_eq!(stale(&none, &none, &[round("1", &[]), churn]), 1);
        assert_eq!(stale(&none, &none, &[Round::empty(), Round::empty()]), 2);
    }

    #[test]
    fn a_new_objection_is_progress_once() {
        let base = cases(&["a"]);
        let objecting = |file: &str| Round {
            objections: [(file.to_owned(), "unchecked".to_owned())].into(),
            ..round(file, &["a"])
        };
        assert_eq!(stale(&base, &base, &[objecting("x"), objecting("y")]), 0);
        assert_eq!(stale(&base, &base, &[objecting("x"), objecting("x")]), 1);
    }
}

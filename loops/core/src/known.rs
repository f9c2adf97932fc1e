//! What a loop knows of its findings, and how that changes when it looks again or when a person edited the list.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, SecondsFormat, Utc};

use crate::finding::{Finding, FindingSource, FindingState, Fingerprint};
use crate::progress::Round;
use crate::run::HandOver;
use crate::triage::{Edit, Line};

/// A finding as it is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// As it was seen last.
    pub finding: Finding,
    /// Where it stands.
    pub state: FindingState,
    /// Rounds since it was last handed to or by a person.
    pub rounds: Vec<Round>,
    /// Why it was handed over last.
    pub hand_over: Option<HandOver>,
}

/// What looking again came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Every known and every seen finding as it stands now.
    pub known: Vec<Known>,
    /// Never seen before.
    pub new: u32,
    /// No longer seen.
    pub gone: u32,
}

/// Brings what is known up to date with what is `seen` on the base at `now`.
pub fn look(known: Vec<Known>, seen: &[Finding], now: DateTime<Utc>) -> Look {
    let mut look = Look::default();
    let mut left: BTreeMap<&Fingerprint, &Finding> = seen.iter().map(|f| (&f.fingerprint, f)).collect();
    for mut entry in known {
        match left.remove(&entry.finding.fingerprint) {
            Some(finding) => seen_again(&mut entry, finding, now),
            None => look.gone += u32::from(lost(&mut entry)),
        }
        look.known.push(entry);
    }
    for finding in seen.iter().filter(|f| left.contains_key(&f.fingerprint)) {
        look.new += 1;
        look.known.push(Known::new(finding.clone()));
    }
    look
}

impl Known {
    /// A finding that was never seen before.
    pub fn new(finding: Finding) -> Known {
        Known { finding, state: FindingState::Open, rounds: Vec::new(), hand_over: None }
    }

    /// A person asks for this one by name: whatever was decided before, it is acted on, unless its pull request is open.
    pub fn asked_for(&mut self) {
        if !matches!(self.state, FindingState::Open | FindingState::InReview | FindingState::Gone) {
            self.reopen();
        }
    }

    /// Its line in the triage list; none for what needs no line.
    pub fn line(&self) -> Option<Line> {
        let listed =
            !matches!(self.state, FindingState::Done { .. } | FindingState::Dismissed { .. } | FindingState::Gone);
        listed.then(|| Line {
            finding: self.finding.fingerprint.clone(),
            title: self.finding.title.clone(),
            state: self.state.clone(),
        })
    }

    /// Makes it open again, with all its rounds: a person said so, or it changed.
    pub fn reopen(&mut self) {
        self.state = FindingState::Open;
        self.rounds.clear();
        self.hand_over = None;
    }
}

fn seen_again(entry: &mut Known, finding: &Finding, now: DateTime<Utc>) {
    let changed = entry.finding.failing != finding.failing;
    match &entry.state {
        FindingState::Gone => entry.reopen(),
        // Its pull request stands for it as long as it is open: one finding, one pull request.
        FindingState::InReview => {}
        // The base has the change that was to be the end of it. An issue is closed by its row, whatever its file says.
        FindingState::Done { landed: true } if finding.source != FindingSource::Issue => entry.reopen(),
        FindingState::Done { .. } | FindingState::NeedsYou { .. } | FindingState::Dismissed { .. } if changed => {
            entry.reopen();
        }
        FindingState::Snoozed { until } if over(until, now) => entry.reopen(),
        FindingState::Acting => entry.state = FindingState::Open,
        _ => {}
    }
    entry.finding = finding.clone();
}

/// Whether it was there and no longer is.
fn lost(entry: &mut Known) -> bool {
    match entry.state {
        FindingState::Gone | FindingState::InReview | FindingState::Dismissed { .. } => false,
        _ => {
            entry.state = FindingState::Gone;
            true
        }
    }
}

fn over(until: &str, now: DateTime<Utc>) -> bool {
    DateTime::parse_from_rfc3339(until).is_ok_and(|u| u <= now)
}

/// Applies what a person did to the triage list; returns how many findings that moved.
pub fn edited(known: &mut [Known], edits: &BTreeMap<Fingerprint, Edit>, now: DateTime<Utc>) -> u32 {
    let mut moved = 0;
    for entry in known {
        let Some(edit) = edits.get(&entry.finding.fingerprint) else {
            continue;
        };
        let state = match edit {
            Edit::Done => FindingState::Done { landed: false },
            Edit::Dismissed => FindingState::Dismissed { by: "triage.md".to_owned() },
            Edit::Snooze { days } => FindingState::Snoozed {
                until: (now + Duration::days(i64::from(*days))).to_rfc3339_opts(SecondsFormat::Secs, true),
            },
        };
        // What is in review is decided in the review.
        if entry.state != state && entry.state != FindingState::InReview {
            entry.state = state;
            moved += 1;
        }
    }
    moved
}

/// The findings to act on, in order.
pub fn queue(known: &[Known]) -> Vec<&Known> {
    in_order(known).into_iter().filter(|k| k.state == FindingState::Open).collect()
}

/// All findings, as they are listed and acted on: faults first, then issues, then lints and
/// formatting, then comments.
pub fn in_order(known: &[Known]) -> Vec<&Known> {
    let mut all: Vec<&Known> = known.iter().collect();
    all.sort_by_key(|k| (rank(&k.finding), natural(&k.finding.key)));
    all
}

fn rank(finding: &Finding) -> u8 {
    match (finding.source, finding.fault) {
        (FindingSource::Check, true) => 0,
        (FindingSource::Issue | FindingSource::Command, _) => 1,
        (FindingSource::Check, false) if finding.key != FORMAT => 2,
        (FindingSource::Check, false) => 3,
        (FindingSource::Todo, _) => 4,
    }
}

/// The key of the one formatting finding of a repository.
pub const FORMAT: &str = "format";

/// Numbers in numeric order, everything else as text.
fn natural(key: &str) -> (u64, String) {
    (key.parse().unwrap_or(u64::MAX), key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::CaseId;

    fn finding(key: &str, failing: &[&str]) -> Finding {
        Finding {
            fingerprint: Fingerprint::of(FindingSource::Check, key),
            source: FindingSource::Check,
            key: key.to_owned(),
            title: key.to_owned(),
            detail: String::new(),
            should: String::new(),
            gate: Some("tests_pass".to_owned()),
            failing: failing.iter().map(|c| CaseId((*c).to_owned())).collect(),
            places: Vec::new(),
            suspects: Vec::new(),
            fault: true,
        }
    }

    fn known(state: FindingState) -> Known {
        Known { state, rounds: vec![Round::empty()], ..Known::new(finding("a", &["a"])) }
    }

    fn after(state: FindingState, seen: &[Finding]) -> Known {
        look(vec![known(state)], seen, now()).known.remove(0)
    }

    fn now() -> DateTime<Utc> {
        "2026-11-22T09:00:00Z".parse().expect("a time")
    }

    fn needs_you() -> FindingState {
        FindingState::NeedsYou { why: "x".to_owned() }
    }

    #[test]
    fn a_person_is_not_passed_over_until_the_failing_set_changes() {
        for state in [needs_you(), FindingState::Dismissed { by: "triage.md".to_owned() }] {
            assert_eq!(after(state.clone(), &[finding("a", &["a"])]).state, state);
            let again = after(state, &[finding("a", &["a", "b"])]);
            assert_eq!((again.state, again.rounds.len()), (FindingState::Open, 0));
        }
    }

    #[test]
    fn one_finding_has_one_pull_request() {
        assert_eq!(after(FindingState::InReview, &[finding("a", &["b"])]).state, FindingState::InReview);
        assert_eq!(after(FindingState::InReview, &[]).state, FindingState::InReview);
    }

    #[test]
    fn done_stays_done_while_seen_and_comes_back_after_it_was_gone() {
        let (ticked, landed) = (FindingState::Done { landed: false }, FindingState::Done { landed: true });
        assert_eq!(after(ticked.clone(), &[finding("a", &["a"])]).state, ticked);
        assert_eq!(after(ticked.clone(), &[finding("a", &["b"])]).state, FindingState::Open);
        assert_eq!(after(landed.clone(), &[finding("a", &["a"])]).state, FindingState::Open);
        let issue = Finding { source: FindingSource::Issue, ..finding("a", &[]) };
        let known = Known { state: landed.clone(), ..Known::new(issue.clone()) };
        assert_eq!(look(vec![known], &[issue], now()).known[0].state, landed);
        assert_eq!(after(ticked, &[]).state, FindingState::Gone);
        assert_eq!(after(FindingState::Gone, &[finding("a", &["a"])]).state, FindingState::Open);
    }

    #[test]
    fn a_snooze_ends() {
        let until = |t: &str| FindingState::Snoozed { until: t.to_owned() };
        let seen = [finding("a", &["a"])];
        assert_eq!(after(until("2026-11-22T09:00:00Z"), &seen).state, FindingState::Open);
        let later = until("2026-11-22T09:00:01Z");
        assert_eq!(after(later.clone(), &seen).state, later);
    }

    #[test]
    fn open_rounds_survive_the_night() {
        let again = after(FindingState::Open, &[finding("a", &["a"])]);
        assert_eq!((again.state, again.rounds.len()), (FindingState::Open, 1));
    }

    #[test]
    fn new_and_gone_are_counted_and_faults_come_first() {
        let mut lint = finding("clippy::x", &["x"]);
        lint.fault = false;
        let mut format = finding(FORMAT, &["f"]);
        format.fault = false;
        let seen = [format, lint, finding("b", &["b"])];
        let look = look(vec![known(FindingState::Open)], &seen, now());
        assert_eq!((look.new, look.gone), (3, 1));
        let keys: Vec<&str> = queue(&look.known).iter().map(|k| k.finding.key.as_str()).collect();
        assert_eq!(keys, ["b", "clippy::x", "format"]);
    }
}

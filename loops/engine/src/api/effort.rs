//! How long making and checking a change took, from the journals of the runs that worked on it. Its money: `store::runs`.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::PullRequestId;
use loopwright_core::run::{Entry, RunEvent, Step};

use crate::store::{Store, projection, pull_requests, runs};

/// The seconds that the rounds of a pull request took: the maker's, the gates' and the checker's, without waiting between
/// them and without other findings of the same runs.
///
/// # Errors
/// A journal can't be read.
pub(super) fn worked_s(store: &Store, id: PullRequestId) -> Result<u32> {
    let linked: Vec<Fingerprint> =
        pull_requests::findings(store.read(), id)?.into_iter().map(|linked| linked.finding).collect();
    let mut seconds = 0u64;
    for run in runs::behind(store.read(), id)? {
        let entries: Vec<Entry> =
            projection::entries(store.read(), run, 0)?.into_iter().map(|(_, entry)| entry).collect();
        seconds += seconds_on(&entries, &linked);
    }
    Ok(u32::try_from(seconds).unwrap_or(u32::MAX))
}

fn seconds_on(entries: &[Entry], findings: &[Fingerprint]) -> u64 {
    let (mut open, mut seconds) = (BTreeMap::new(), 0);
    for entry in entries {
        let at = entry.at.parse::<DateTime<Utc>>().ok();
        match &entry.event {
            RunEvent::StepStarted { step: Step::Build { finding, .. } | Step::Verify { finding, .. }, id }
                if findings.contains(finding) =>
            {
                open.insert(*id, at);
            }
            RunEvent::StepFinished { id, .. } | RunEvent::StepFailed { id, .. } => {
                let began = open.remove(id).flatten();
                let took = began.zip(at).map_or(0, |(began, ended)| (ended - began).num_seconds());
                seconds += u64::try_from(took).unwrap_or(0);
            }
            _ => {}
        }
    }
    seconds
}

#[cfg(test)]
mod tests {
    use super::{Entry, Fingerprint, seconds_on};

    #[test]
    fn the_rounds_of_its_own_finding_count_and_no_others() {
        let event = |at: &str, rest: &str| -> Entry {
            let text = format!(r#"{{"v": 1, "at": "2026-11-22T09:{at}Z", {rest}}}"#);
            serde_json::from_str(&text).expect("an entry")
        };
        let began = |at: &str, id: u8, finding: &str| {
            let id = format!("00000000-0000-7000-8000-0000000000{id:02}");
            let step = format!(r#""step": "verify", "finding": "{finding}", "reserve": 0"#);
            event(at, &format!(r#""type": "step_started", "step": {{{step}}}, "id": "{id}""#))
        };
        let failed = |at: &str, id: u8| {
            let id = format!("00000000-0000-7000-8000-0000000000{id:02}");
            event(at, &format!(r#""type": "step_failed", "id": "{id}", "charged": 0, "error": "x""#))
        };
        let entries = [
            began("00:00", 1, "ab"),
            failed("02:00", 1),
            began("10:00", 2, "cd"),
            failed("20:00", 2),
            began("30:00", 3, "ab"),
            failed("30:05", 3),
            began("40:00", 4, "ab"),
        ];
        assert_eq!(seconds_on(&entries, &[Fingerprint("ab".to_owned())]), 125);
        assert_eq!(seconds_on(&entries, &[]), 0);
    }
}

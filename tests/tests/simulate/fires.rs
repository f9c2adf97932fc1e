//! What a scheduler did, however it is built, and what may be wrong with it: the same tests judge ours and the unsafe ones.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use loopwright_engine::api::{Line, What};

use crate::support::Row;

/// A start, or that the clock was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// A run began for a due time of a loop.
    Fired { of: String, due: DateTime<Utc>, at: DateTime<Utc> },
    /// The clock was set.
    Set,
}

/// What a journal tells of starts and clocks, in its order.
pub(crate) fn deeds(lines: &[Line]) -> Vec<Deed> {
    let deed = |line: &Line| match line.what {
        What::Started => Some(Deed::Fired {
            of: line.loop_name.clone().expect("a loop"),
            due: line.due_at.expect("a due time"),
            at: line.at,
        }),
        What::ClockSet => Some(Deed::Set),
        _ => None,
    };
    lines.iter().filter_map(deed).collect()
}

/// Due times for which more than one run began.
pub(crate) fn doubled(deeds: &[Deed]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let again = |deed: &&Deed| matches!(deed, Deed::Fired { of, due, .. } if !seen.insert((of.clone(), *due)));
    deeds.iter().filter(again).map(|deed| format!("again: {deed:?}")).collect()
}

/// Loops that caught up more than one time after the clock was set once.
pub(crate) fn storms(deeds: &[Deed]) -> Vec<String> {
    let (mut caught, mut faults) = (BTreeMap::new(), Vec::new());
    for deed in deeds {
        match deed {
            Deed::Set => caught.clear(),
            Deed::Fired { of, due, at } if *at - *due > Duration::seconds(60) => {
                let n = caught.entry(of.clone()).or_insert(0);
                *n += 1;
                if *n > 1 {
                    faults.push(format!("{of} caught up {n} times"));
                }
            }
            Deed::Fired { .. } => {}
        }
    }
    faults
}

/// Due times that lie in no absence and for which nothing began.
pub(crate) fn lost(
    due: &[(String, DateTime<Utc>)],
    deeds: &[Deed],
    away: impl Fn(DateTime<Utc>) -> bool,
) -> Vec<String> {
    let fired: BTreeSet<_> = deeds
        .iter()
        .filter_map(|deed| match deed {
            Deed::Fired { of, due, .. } => Some((of.clone(), *due)),
            Deed::Set => None,
        })
        .collect();
    let lost = due.iter().filter(|one| !away(one.1) && !fired.contains(*one));
    lost.map(|(of, at)| format!("{of} was due at {at} and nothing began")).collect()
}

/// A run of a loop: when it began, and when it ended.
type Ran = (String, DateTime<Utc>, Option<DateTime<Utc>>);

/// Runs of one loop that lived at the same time.
pub(crate) fn overlaps(rows: &[Row]) -> Vec<String> {
    let mut runs: Vec<Ran> = rows.iter().filter_map(|r| Some((r.loop_name.clone(), r.began?, r.ended))).collect();
    runs.sort();
    let beside = |pair: &&[Ran]| pair[0].0 == pair[1].0 && pair[0].2.is_none_or(|ended| ended > pair[1].1);
    runs.windows(2).filter(beside).map(|pair| format!("{} at {} beside {}", pair[0].0, pair[0].1, pair[1].1)).collect()
}

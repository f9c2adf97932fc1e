//! How often a person is asked, and when not at all.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Duration, NaiveTime, Utc};

use super::plan::{Candidate, Desk, Told};
use super::{Notice, settings};
use crate::schedule::local;

/// Between two that ask for a person.
pub(super) const BETWEEN: Duration = Duration::minutes(10);
/// The most that ask in a day, per loop.
pub(super) const A_DAY: usize = 6;

/// When something may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// Now.
    Now,
    /// Not before this.
    Until(DateTime<Utc>),
    /// Until something else happens.
    ForNews,
    /// The person has it before their eyes.
    Seen,
}

/// When something that asks for a person may be shown.
pub(super) fn wait_for(desk: &Desk<'_>, candidate: &Candidate) -> Wait {
    let now = desk.facts.now;
    if desk.facts.review_has_focus && candidate.notice.kind.of_waiting() {
        return Wait::Seen;
    }
    match wait_in_quiet(desk, &candidate.notice) {
        Wait::Now => {}
        wait => return wait,
    }
    let asked = || desk.told.iter().filter(|told| told.counted && told.kind.needs_you());
    let free = asked().map(|told| told.at + BETWEEN).max().filter(|free| *free > now);
    if let Some(free) = free {
        return Wait::Until(free);
    }
    let enough = |name: &String| today(desk, name, asked()) >= A_DAY;
    if !candidate.loops.is_empty() && candidate.loops.iter().all(enough) {
        return tomorrow(desk).map_or(Wait::ForNews, Wait::Until);
    }
    Wait::Now
}

/// When something may be shown that the rate does not concern.
pub(super) fn wait_in_quiet(desk: &Desk<'_>, notice: &Notice) -> Wait {
    let facts = desk.facts;
    if !facts.opened || facts.review_has_focus {
        return Wait::ForNews;
    }
    let quiet = settings::quiet_until(desk.set, facts.now, facts.zone);
    quiet.filter(|_| !settings::breaks_through(desk.set, notice)).map_or(Wait::Now, Wait::Until)
}

/// How many asked for a loop today, on the clock of the computer's zone.
fn today<'t>(desk: &Desk<'_>, name: &String, asked: impl Iterator<Item = &'t Told>) -> usize {
    let day = |at: DateTime<Utc>| at.with_timezone(&desk.facts.zone).date_naive();
    let mut days: BTreeMap<_, usize> = BTreeMap::new();
    asked.filter(|told| told.loops.contains(name)).for_each(|told| *days.entry(day(told.at)).or_default() += 1);
    days.get(&day(desk.facts.now)).copied().unwrap_or_default()
}

fn tomorrow(desk: &Desk<'_>) -> Option<DateTime<Utc>> {
    let day = desk.facts.now.with_timezone(&desk.facts.zone).date_naive().checked_add_days(Days::new(1))?;
    local(day.and_time(NaiveTime::MIN), desk.facts.zone)
}

//! What happens around the loops, in the order of a right clock.

use std::ops::Range;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::scenario::{Scenario, Span, kills, times};
use loopwright_core::schedule::local;

/// Something that happens to the computer, to its scheduler, or by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It falls asleep, or wakes up.
    Asleep(bool),
    /// It is switched off, or on.
    Off(bool),
    /// It is taken off the mains, or back to it.
    OnBattery(bool),
    /// Its clock is put forward by so many seconds.
    Clock(i64),
    /// A person halts everything or a loop.
    Halt(Option<String>),
    /// A person resumes.
    Resume(Option<String>),
    /// The scheduler is killed, once it has made so many commits more.
    Kill(u32),
}

/// What happens at the begin (true) and the end of a span.
type Between = fn(bool) -> Change;

/// All changes within a time, the earliest first.
pub(super) fn changes(scenario: &Scenario, within: &Range<DateTime<Utc>>, zone: Tz) -> Vec<(DateTime<Utc>, Change)> {
    let mut all = Vec::new();
    let spans: [(&[Span], Between); 3] =
        [(&scenario.sleeps, Change::Asleep), (&scenario.off, Change::Off), (&scenario.battery, Change::OnBattery)];
    for (spans, change) in spans {
        for time in times(spans, within, zone) {
            all.extend([(time.start, change(true)), (time.end, change(false))]);
        }
    }
    let moment = |at| local(at, zone).filter(|at| within.contains(at));
    all.extend(scenario.clock.iter().filter_map(|jump| Some((moment(jump.at)?, Change::Clock(jump.by_s)))));
    for halt in &scenario.halts {
        all.extend(moment(halt.from).map(|at| (at, Change::Halt(halt.of.clone()))));
        all.extend(halt.to.and_then(moment).map(|at| (at, Change::Resume(halt.of.clone()))));
    }
    all.extend(kills(&scenario.kills, within, zone).into_iter().map(|(at, commits)| (at, Change::Kill(commits))));
    all.sort_by_key(|(at, _)| *at);
    all
}

//! What becomes of each due time, and which occurrence that waits starts now: pure decisions over what the ledger holds.
//!
//! A time that comes gets its row at once ([`arrivals`]): it waits for its start, or has its end with the reason. What waits
//! is looked at in each pass ([`choose`]). Which times there are is in [`crate::schedule`].

mod choose;
mod give_way;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Duration, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::schedule::{due_times, last_due, local};
use crate::timing::{Battery, CatchUpHow, Overlap, Timing};

pub use choose::{Choice, Hold, Live, Pass, Subject, Waiting, choose, over, seconds};

/// How long after its time a start still is on time.
pub const ON_TIME: Duration = Duration::seconds(60);
/// How far apart the starts are that were missed and are caught up in one pass.
pub const STAGGER: Duration = Duration::seconds(10);
/// So many missed times get rows of their own; more of them become one row.
pub const OWN_ROWS: usize = 500;
/// So many missed times are counted; of more it is known only that they are at least as many.
pub const COUNTED: usize = 100_000;

/// A time in which nobody looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Until this one.
    pub to: DateTime<Utc>,
    /// Why.
    pub why: Absent,
}

/// Why nobody looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The computer was asleep.
    Asleep,
    /// It was off.
    Off,
    /// No scheduler ran.
    NotRunning,
    /// The clock was set.
    ClockSet,
}

/// A loop whose times have come.
#[derive(Clone, Copy, Debug)]
pub struct Arriving<'a> {
    /// When it starts.
    pub timing: &'a Timing,
    /// The zone of its times.
    pub zone: Tz,
    /// Every due time up to here has its row.
    pub since: DateTime<Utc>,
    /// The time of the pass.
    pub now: DateTime<Utc>,
    /// Why nothing starts it: paused, or halted.
    pub stopped: Option<&'a str>,
    /// Whether the computer runs on its battery.
    pub on_battery: bool,
    /// How its live run is called, and whether that is parked.
    pub live: Option<(&'a str, bool)>,
    /// When that run was claimed.
    pub live_since: Option<DateTime<Utc>>,
    /// How many of its occurrences wait already.
    pub waiting: usize,
    /// When nobody looked.
    pub absences: &'a [Absence],
    /// What is caught up starts no earlier than this.
    pub caught_up_from: DateTime<Utc>,
}

/// A due time, or many with one fate, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The due time; the first one of many.
    pub due_at: DateTime<Utc>,
    /// The last one of many.
    pub until: Option<DateTime<Utc>>,
    /// How many they are.
    pub times: usize,
    /// The word of its trigger.
    pub trigger: &'static str,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a due time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits for its start.
    Waits {
        /// Not before this.
        not_before: DateTime<Utc>,
        /// What kept it from being looked at in time.
        held: Option<String>,
    },
    /// Nobody was there.
    Missed(String),
    /// It was not to start.
    Skipped(String),
}

/// What becomes of all due times after `since` up to `now`, the earliest first.
pub fn arrivals(loop_: &Arriving<'_>, jitter: impl Fn(DateTime<Utc>) -> Duration) -> Vec<Arrival> {
    let recent = recent(loop_);
    let mut rows = missed_long_ago(loop_, recent);
    let times: Vec<_> = due_times(loop_.timing, loop_.zone, recent).take_while(|(at, _)| *at <= loop_.now).collect();
    let late = times.iter().filter(|(at, _)| loop_.now - *at > ON_TIME).count();
    let spared = late.saturating_sub(caught_up(loop_, times.len() - late));
    let (mut waiting, mut caught) = (loop_.waiting, 0);
    let (mut starts, mut left) = (Vec::new(), None);
    for (i, (at, trigger)) in times.iter().enumerate().skip(spared) {
        let earliest = if i < late {
            caught += 1;
            loop_.caught_up_from + STAGGER * (caught - 1)
        } else {
            *at + jitter(*at)
        };
        let kept = (i < late).then(|| absent(loop_.absences, loop_.zone, *at)).flatten();
        let fate = fate(loop_, *at, waiting, Fate::Waits { not_before: earliest, held: kept.clone() });
        if let Fate::Skipped(why) = &fate {
            left.get_or_insert_with(|| why.clone());
        }
        let fate = match fate {
            Fate::Skipped(why) if i < late && loop_.live_since.is_none_or(|since| since > *at) => {
                Fate::Missed(format!("{}{}", kept.as_deref().unwrap_or(NOBODY), left_out(&why)))
            }
            fate => fate,
        };
        waiting += usize::from(matches!(fate, Fate::Waits { .. }));
        starts.push(Arrival { due_at: *at, until: None, times: 1, trigger: trigger.word(), fate });
    }
    rows.extend(missed(loop_, &times[..spared], stand_in(&starts, left).as_ref()));
    rows.extend(starts);
    rows
}

/// What stands for the times that were missed: the first that starts after them, or why none does.
fn stand_in(starts: &[Arrival], left: Option<String>) -> Option<Result<DateTime<Utc>, String>> {
    let waits = starts.iter().find(|one| matches!(one.fate, Fate::Waits { .. })).map(|one| Ok(one.due_at));
    waits.or(left.map(Err))
}

/// What came later than this may still be caught up.
fn recent(loop_: &Arriving<'_>) -> DateTime<Utc> {
    let within = seconds(loop_.timing.catch_up.within_s).max(ON_TIME);
    // A time exactly as old as that is not too old.
    (loop_.now - within - Duration::seconds(1)).max(loop_.since)
}

/// How many of the late times may still start, beside those that are on time.
fn caught_up(loop_: &Arriving<'_>, on_time: usize) -> usize {
    match loop_.timing.catch_up.how {
        _ if loop_.stopped.is_some() => 0,
        CatchUpHow::Skip => 0,
        CatchUpHow::Once => usize::from(on_time == 0),
        CatchUpHow::All(most) => (most as usize).saturating_sub(on_time),
    }
}

/// The times that are too old to be caught up.
fn missed_long_ago(loop_: &Arriving<'_>, recent: DateTime<Utc>) -> Vec<Arrival> {
    let old = due_times(loop_.timing, loop_.zone, loop_.since).take_while(|(at, _)| *at <= recent);
    let old: Vec<_> = old.take(COUNTED).collect();
    missed(loop_, &old, None)
}

/// Rows for times that are missed; `instead` is the one that starts in their place.
fn missed(
    loop_: &Arriving<'_>,
    times: &[(DateTime<Utc>, &crate::timing::Trigger)],
    instead: Option<&Result<DateTime<Utc>, String>>,
) -> Vec<Arrival> {
    let fate = |at: DateTime<Utc>| match (loop_.stopped, absent(loop_.absences, loop_.zone, at)) {
        // Nothing is known but what it is now.
        (Some(why), None) => Fate::Skipped(why.to_owned()),
        (_, why) => Fate::Missed(format!("{}{}", why.as_deref().unwrap_or(NOBODY), in_place(loop_, instead))),
    };
    if let (true, [(first, trigger), .., (last, _)]) = (times.len() > OWN_ROWS, times) {
        // More than are counted came later.
        let more = (times.len() >= COUNTED).then(|| last_due(loop_.timing, loop_.zone, *last, recent(loop_))).flatten();
        let last = more.as_ref().unwrap_or(last);
        let (until, trigger, fate) = (Some(*last), trigger.word(), fate(*first));
        return vec![Arrival { due_at: *first, until, times: times.len(), trigger, fate }];
    }
    let row = |(at, trigger): &(DateTime<Utc>, &crate::timing::Trigger)| Arrival {
        due_at: *at,
        until: None,
        times: 1,
        trigger: trigger.word(),
        fate: fate(*at),
    };
    times.iter().map(row).collect()
}

fn left_out(why: &str) -> String {
    format!("; not caught up: {why}")
}

fn in_place(loop_: &Arriving<'_>, instead: Option<&Result<DateTime<Utc>, String>>) -> String {
    if let Some(why) = loop_.stopped {
        return left_out(why);
    }
    match (loop_.timing.catch_up.how, instead) {
        (_, Some(Err(why))) => left_out(why),
        (_, Some(Ok(at))) => format!("; the start of {} stands for it", shown(*at, loop_.zone)),
        (CatchUpHow::Skip, None) => "; missed starts are not caught up (catch_up: skip)".to_owned(),
        (_, None) => {
            let within = crate::definition::duration(loop_.timing.catch_up.within_s);
            format!("; too long ago to be caught up (within {within})")
        }
    }
}

/// Why one is left out while another one waits.
const EARLIER: &str = "an earlier start still waited";

/// Why one was missed of which no more is known.
const NOBODY: &str = "nobody looked at that time";

const NOT_RUNNING: &str = "no scheduler ran";

/// Whether a time was missed because no scheduler ran, by the reason that its row has.
pub fn was_not_running(reason: &str) -> bool {
    reason.contains(NOT_RUNNING)
}

/// Why nobody was there at a time, where that is known.
fn absent(absences: &[Absence], zone: Tz, at: DateTime<Utc>) -> Option<String> {
    let absence = absences.iter().find(|a| a.from <= at && at <= a.to)?;
    let (from, to) = (shown(absence.from, zone), shown(absence.to, zone));
    Some(match absence.why {
        Absent::Asleep => format!("the computer was asleep from {from} to {to}"),
        Absent::Off => format!("the computer was off from {from} to {to}"),
        Absent::NotRunning => format!("{NOT_RUNNING} from {from} to {to}"),
        Absent::ClockSet => format!("the clock was set from {from} to {to}"),
    })
}

/// What becomes of a time that may start; it waits unless something forbids it.
fn fate(loop_: &Arriving<'_>, at: DateTime<Utc>, waiting: usize, waits: Fate) -> Fate {
    let timing = loop_.timing;
    if let Some(why) = loop_.stopped {
        return Fate::Skipped(why.to_owned());
    }
    if loop_.on_battery && timing.battery == Battery::Skip {
        return Fate::Skipped("the computer ran on its battery (battery: skip)".to_owned());
    }
    match (loop_.live, timing.overlap) {
        (Some((run, true)), _) => return Fate::Skipped(format!("its run {run} was parked")),
        (Some((run, false)), Overlap::Skip) => {
            return Fate::Skipped(format!("its run {run} still went on (overlap: skip)"));
        }
        _ => {}
    }
    // Without a run of its own [`choose`] decides which of those that wait stands for the others.
    if waiting > 0 && loop_.live.is_some() {
        return Fate::Skipped(EARLIER.to_owned());
    }
    let quiet = timing.quiet_hours.filter(|quiet| quiet.hold(at.with_timezone(&loop_.zone).time()));
    match quiet {
        Some(quiet) if timing.catch_up.how == CatchUpHow::Skip => {
            let (from, to) = (quiet.from.format("%H:%M"), quiet.to.format("%H:%M"));
            Fate::Skipped(format!("it was within quiet hours ({from} to {to})"))
        }
        _ => waits,
    }
}

/// When the next day begins on the clock of a zone; where that hour does not exist, what comes first after it.
pub fn tomorrow(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let day = now.with_timezone(&zone).date_naive().succ_opt();
    let begins = day.and_then(|day| local(day.and_time(NaiveTime::MIN), zone));
    begins.unwrap_or(now + Duration::days(1))
}

/// A moment on the clock of the zone.
pub fn shown(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

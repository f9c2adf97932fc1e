//! Which of the occurrences that wait starts now, and what the others wait for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Duration, NaiveTime, Utc};
use chrono_tz::Tz;

use super::{EARLIER, ON_TIME, shown};
use crate::ids::{LoopId, OccurrenceId, RunId};
use crate::schedule::local;
use crate::timing::{Battery, CatchUpHow, Overlap, Timing};

/// How long a start waits for its turn where missed ones are not caught up.
const TURN: Duration = Duration::minutes(15);

/// What a pass knows.
#[derive(Clone, Copy, Debug)]
pub struct Pass<'a> {
    /// Its time.
    pub now: DateTime<Utc>,
    /// How many runs may go on at once.
    pub slots: usize,
    /// Whether the computer runs on its battery.
    pub on_battery: bool,
    /// The loops with something that waits.
    pub loops: &'a BTreeMap<LoopId, Subject>,
    /// The live runs of all loops.
    pub live: &'a [Live],
}

/// A loop with something that waits.
#[derive(Clone, Debug)]
pub struct Subject {
    /// When it starts.
    pub timing: Timing,
    /// The zone of its times.
    pub zone: Tz,
    /// Why nothing starts it: paused, or halted.
    pub stopped: Option<String>,
    /// When its last run began.
    pub last_began: Option<DateTime<Utc>>,
}

/// A run that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Whose.
    pub loop_id: LoopId,
    /// Which.
    pub run: RunId,
    /// Whether it is parked, and holds no slot.
    pub parked: bool,
    /// When it was claimed.
    pub began: DateTime<Utc>,
}

/// An occurrence that waits for its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub id: OccurrenceId,
    /// Of which loop.
    pub loop_id: LoopId,
    /// The word of its trigger.
    pub trigger: String,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// It starts no earlier than this.
    pub not_before: Option<DateTime<Utc>>,
}

/// What becomes of one that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It starts.
    Start,
    /// It starts once this run has been halted.
    Cancel(RunId),
    /// It goes on waiting.
    Hold(Hold),
    /// Its time is over.
    Missed(String),
    /// It is not to start.
    Skipped(String),
}

/// What one that waits waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// In words: `quiet hours until 07:00`.
    pub why: String,
    /// When that is over, where a time is known.
    pub until: Option<DateTime<Utc>>,
}

/// Decides on all that wait. Whose loop has not run for longest comes first.
pub fn choose(waiting: &[Waiting], pass: &Pass<'_>) -> Vec<(OccurrenceId, Choice)> {
    let began = |one: &Waiting| pass.loops.get(&one.loop_id).and_then(|l| l.last_began);
    let mut order: Vec<&Waiting> = waiting.iter().collect();
    order.sort_by_key(|one| (began(one), one.due_at, one.loop_id, one.id));
    let mut live = pass.live.to_vec();
    let (mut chosen, mut kept, mut events) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    let yielded = yielded(waiting, pass);
    for one in order {
        if let Some(choice) = yielded.get(&one.id) {
            chosen.push((one.id, choice.clone()));
            continue;
        }
        let choice = match pass.loops.get(&one.loop_id) {
            // What happens again and again is as little as one start that waits, and so is a due time beside it.
            Some(_) if one.happened() && kept.contains(&one.loop_id) || events.contains(&one.loop_id) => {
                Choice::Skipped(EARLIER.to_owned())
            }
            Some(subject) => decide(one, subject, &live, pass),
            None => Choice::Skipped("its loop is no longer registered".to_owned()),
        };
        if choice == Choice::Start {
            // The slot is taken; which run it will be is not known here.
            live.push(Live { loop_id: one.loop_id, run: RunId(one.id.0), parked: false, began: pass.now });
        }
        if matches!(choice, Choice::Start | Choice::Cancel(_) | Choice::Hold(_)) {
            kept.insert(one.loop_id);
            if one.happened() {
                events.insert(one.loop_id);
            }
        }
        chosen.push((one.id, choice));
    }
    chosen
}

/// Those that give way: of the due times of a loop that wait for the same (quiet hours, battery, a slot), the newest stand
/// for the older ones, as many as are caught up. One whose own moment is yet to come keeps its place.
fn yielded(waiting: &[Waiting], pass: &Pass<'_>) -> BTreeMap<OccurrenceId, Choice> {
    let mut of: BTreeMap<LoopId, Vec<&Waiting>> = BTreeMap::new();
    for one in waiting.iter().filter(|one| !one.happened()) {
        of.entry(one.loop_id).or_default().push(one);
    }
    let mut out = BTreeMap::new();
    for (loop_id, mut times) in of {
        let Some(subject) = pass.loops.get(&loop_id).filter(|subject| subject.stopped.is_none()) else { continue };
        if pass.live.iter().any(|live| live.loop_id == loop_id) {
            continue;
        }
        times.sort_by_key(|one| (one.due_at, one.id));
        out.extend(give_way(&times, subject, pass));
    }
    out
}

fn give_way(times: &[&Waiting], subject: &Subject, pass: &Pass<'_>) -> Vec<(OccurrenceId, Choice)> {
    let most = match subject.timing.catch_up.how {
        CatchUpHow::All(most) => (most as usize).max(1),
        _ => 1,
    };
    let (mut kept, mut out): (Vec<&Waiting>, Vec<_>) = (Vec::new(), Vec::new());
    for one in times {
        let older = kept.iter().position(|kept| gives_way(kept, one, subject, pass));
        match older {
            _ if kept.len() < most => {}
            Some(older) => {
                let older = kept.remove(older);
                let (why, at) = (kept_from(older, subject, pass), shown(one.due_at, subject.zone));
                out.push((older.id, Choice::Missed(format!("{why}; the start of {at} stands for it"))));
            }
            None => {
                out.push((one.id, Choice::Skipped(EARLIER.to_owned())));
                continue;
            }
        }
        kept.push(one);
    }
    out
}

/// Whether a newer time stands for an older one: not while the older one's moment is yet to come; and where that may start now,
/// neither for one that was queued, nor before the newer one's own moment: with passes far apart nothing would ever start.
fn gives_way(older: &Waiting, newer: &Waiting, subject: &Subject, pass: &Pass<'_>) -> bool {
    let timing = &subject.timing;
    let to_come = |one: &Waiting| one.not_before.is_some_and(|at| at > pass.now);
    let may_start = || pass.now <= over(older, timing) && hold(older, subject, pass.live, pass).is_none();
    let keeps = timing.overlap == Overlap::Queue || to_come(newer);
    !(to_come(older) || keeps && may_start())
}

/// What kept one from starting until now.
fn kept_from(one: &Waiting, subject: &Subject, pass: &Pass<'_>) -> String {
    let quiet = |one: &Waiting| {
        let due = one.due_at.with_timezone(&subject.zone);
        let quiet = subject.timing.quiet_hours.filter(|quiet| quiet.hold(due.time()))?;
        Some(format!("quiet hours until {}", quiet.to.format("%H:%M")))
    };
    // What held it may have ended just now.
    let held = hold(one, subject, pass.live, pass).map(|held| held.why);
    held.or_else(|| quiet(one)).unwrap_or_else(|| "it could start only later".to_owned())
}

fn decide(one: &Waiting, subject: &Subject, live: &[Live], pass: &Pass<'_>) -> Choice {
    if let Some(why) = &subject.stopped {
        return Choice::Skipped(why.clone());
    }
    let timing = &subject.timing;
    if let Some(why) = one.happened().then(|| policy(one, timing, live, pass)).flatten() {
        return Choice::Skipped(why);
    }
    let held = hold(one, subject, live, pass);
    if pass.now > over(one, timing) {
        let within = crate::definition::duration(within(timing).num_seconds().unsigned_abs());
        let why = held.map_or_else(|| kept_from(one, subject, pass), |held| held.why);
        return Choice::Missed(format!("it waited too long (within {within}): {why}"));
    }
    match (held, live.iter().find(|l| l.loop_id == one.loop_id)) {
        (Some(held), _) => Choice::Hold(held),
        (None, Some(own)) => Choice::Cancel(own.run),
        (None, None) => Choice::Start,
    }
}

/// How long one may wait.
fn within(timing: &Timing) -> Duration {
    let within = seconds(timing.catch_up.within_s);
    match timing.catch_up.how {
        // What is not caught up may still wait a little for its turn.
        CatchUpHow::Skip => within.min(TURN).max(ON_TIME),
        _ => within.max(ON_TIME),
    }
}

/// The last moment at which one may start.
pub fn over(one: &Waiting, timing: &Timing) -> DateTime<Utc> {
    one.not_before.unwrap_or(one.due_at).max(one.due_at) + within(timing)
}

/// Why something that happened is to start nothing: what due times are told when they come.
fn policy(one: &Waiting, timing: &Timing, live: &[Live], pass: &Pass<'_>) -> Option<String> {
    if pass.on_battery && timing.battery == Battery::Skip {
        return Some("the computer ran on its battery (battery: skip)".to_owned());
    }
    let own = live.iter().find(|l| l.loop_id == one.loop_id)?;
    match (own.parked, timing.overlap) {
        (true, _) => Some(format!("its run {} was parked", own.run.short())),
        (false, Overlap::Skip) => Some(format!("its run {} still went on (overlap: skip)", own.run.short())),
        _ => None,
    }
}

impl Waiting {
    /// Whether it is no due time but something that happened.
    fn happened(&self) -> bool {
        matches!(self.trigger.as_str(), "after" | "file")
    }
}

/// What keeps it from starting; nothing where it would start once its own run has been cancelled.
fn hold(one: &Waiting, subject: &Subject, live: &[Live], pass: &Pass<'_>) -> Option<Hold> {
    let (timing, now) = (&subject.timing, pass.now);
    if let Some(at) = one.not_before.filter(|at| *at > now) {
        let why = format!("it starts at {}", shown_exactly(at, subject.zone));
        return Some(Hold { why, until: Some(at) });
    }
    let clock = now.with_timezone(&subject.zone);
    if let Some(quiet) = timing.quiet_hours.filter(|quiet| quiet.hold(clock.time())) {
        let until = next_local(now, subject.zone, quiet.to);
        return Some(Hold { why: format!("quiet hours until {}", quiet.to.format("%H:%M")), until });
    }
    if pass.on_battery && timing.battery == Battery::Wait {
        return Some(Hold { why: "the computer runs on its battery (battery: wait)".to_owned(), until: None });
    }
    let own = live.iter().find(|l| l.loop_id == one.loop_id);
    if let Some(own) = own {
        // One that is late itself takes nothing that began after its time from anybody.
        if timing.overlap == Overlap::CancelPrevious && !own.parked && one.due_at > own.began {
            return None;
        }
        let how = if own.parked { "is parked" } else { "goes on" };
        return Some(Hold { why: format!("its run {} {how}", own.run.short()), until: None });
    }
    let busy = live.iter().filter(|l| !l.parked).count();
    (busy >= pass.slots)
        .then(|| Hold { why: format!("{busy} runs go on, and {} may at once", pass.slots), until: None })
}

/// The first such time of the day after a moment.
pub(super) fn next_local(after: DateTime<Utc>, zone: Tz, time: NaiveTime) -> Option<DateTime<Utc>> {
    let today = after.with_timezone(&zone).date_naive();
    let days = (0..3).filter_map(|n| today.checked_add_days(Days::new(n)));
    days.filter_map(|day| local(day.and_time(time), zone)).find(|at| *at > after)
}

fn shown_exactly(at: DateTime<Utc>, zone: Tz) -> String {
    let seconds = at.with_timezone(&zone).format(":%S").to_string();
    format!("{}{seconds}", shown(at, zone))
}

/// A number of seconds as a duration.
pub fn seconds(n: u64) -> Duration {
    Duration::seconds(i64::try_from(n).unwrap_or(i64::MAX / 1000))
}

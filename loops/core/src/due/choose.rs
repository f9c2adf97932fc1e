//! Which of the occurrences that wait starts now, and what the others wait for.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use super::give_way::{kept_from, yielded};
use super::{Absence, EARLIER, ON_TIME, shown};
use crate::ids::{LoopId, OccurrenceId, RunId};
use crate::schedule::next_on_clock;
use crate::timing::{Battery, CatchUpHow, Overlap, Timing};

/// How what is held by a run of its own loop begins.
pub(super) const OWN_RUN: &str = "its run";

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
    /// When nobody looked since the last pass.
    pub absences: &'a [Absence],
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
    /// What held it when a pass last looked at it, in words.
    pub held: Option<String>,
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
    /// Whether only other runs are in its way.
    pub for_slot: bool,
}

/// Decides on all that wait. Whose loop has not run for longest comes first.
pub fn choose(waiting: &[Waiting], pass: &Pass<'_>) -> Vec<(OccurrenceId, Choice)> {
    let began = |one: &Waiting| pass.loops.get(&one.loop_id).and_then(|l| l.last_began);
    let mut order: Vec<&Waiting> = waiting.iter().collect();
    order.sort_by_key(|one| (began(one), one.due_at, one.loop_id, one.id));
    let mut live = pass.live.to_vec();
    let (mut chosen, mut kept) = (Vec::new(), Kept::default());
    let mut yielded = yielded(waiting, pass);
    // So many wait for a slot already, and will have the next ones.
    let mut ahead = 0;
    for one in order {
        let now = yielded.at_once.contains(&one.id).then(|| one.at_once(pass.now));
        let one = now.as_ref().unwrap_or(one);
        let choice = match pass.loops.get(&one.loop_id) {
            None => Choice::Skipped("its loop is no longer registered".to_owned()),
            Some(subject) => match yielded.gone.remove(&one.id) {
                Some(choice) => choice,
                None if kept.one_before(one, subject) => Choice::Skipped(EARLIER.to_owned()),
                None => decide(one, subject, &live, (pass, ahead)),
            },
        };
        ahead += usize::from(matches!(&choice, Choice::Hold(hold) if hold.for_slot));
        if choice == Choice::Start {
            // The slot is taken; which run it will be is not known here.
            live.push(Live { loop_id: one.loop_id, run: RunId(one.id.0), parked: false, began: pass.now });
        }
        kept.note(one, &choice);
        chosen.push((one.id, choice));
    }
    chosen
}

/// The loops that a pass has found something to start for.
#[derive(Default)]
struct Kept {
    /// Something starts.
    starts: BTreeSet<LoopId>,
    /// Something waits.
    waits: BTreeSet<LoopId>,
    /// Some of it is no due time.
    happened: BTreeSet<LoopId>,
}

impl Kept {
    /// Whether one is left out because there is one before it: what happens again and again is as little as one start that
    /// waits, and so is a due time beside it. Under `queue(1)` one waits behind one that starts.
    fn one_before(&self, one: &Waiting, subject: &Subject) -> bool {
        let id = &one.loop_id;
        let starts = self.starts.contains(id) && subject.timing.overlap != Overlap::Queue;
        (one.happened() || self.happened.contains(id)) && (starts || self.waits.contains(id))
    }

    fn note(&mut self, one: &Waiting, choice: &Choice) {
        let of = match choice {
            Choice::Start => &mut self.starts,
            Choice::Cancel(_) | Choice::Hold(_) => &mut self.waits,
            Choice::Missed(_) | Choice::Skipped(_) => return,
        };
        of.insert(one.loop_id);
        if one.happened() {
            self.happened.insert(one.loop_id);
        }
    }
}

fn decide(one: &Waiting, subject: &Subject, live: &[Live], (pass, ahead): (&Pass<'_>, usize)) -> Choice {
    if let Some(why) = &subject.stopped {
        return Choice::Skipped(why.clone());
    }
    let timing = &subject.timing;
    if let Some(why) = one.happened().then(|| policy(one, timing, live, pass)).flatten() {
        return Choice::Skipped(why);
    }
    if pass.now > over(one, timing) {
        let within = crate::definition::duration(within(timing).num_seconds().unsigned_abs());
        return Choice::Missed(format!("it waited too long (within {within}): {}", kept_from(one, subject, pass)));
    }
    match (hold(one, subject, live, pass), live.iter().find(|l| l.loop_id == one.loop_id)) {
        (Some(held), _) => Choice::Hold(held),
        // Nothing is cancelled for a start that others would take the slot of.
        (None, Some(_)) if slots_taken(live) + ahead > pass.slots => Choice::Hold(no_slot(live, pass)),
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
    pub(super) fn happened(&self) -> bool {
        matches!(self.trigger.as_str(), "after" | "file")
    }

    /// The same, with its own moment come.
    fn at_once(&self, now: DateTime<Utc>) -> Waiting {
        Waiting { not_before: self.not_before.map(|at| at.min(now)), ..self.clone() }
    }
}

/// What keeps it from starting; nothing where it would start once its own run has been cancelled.
pub(super) fn hold(one: &Waiting, subject: &Subject, live: &[Live], pass: &Pass<'_>) -> Option<Hold> {
    let (timing, now) = (&subject.timing, pass.now);
    if let Some(at) = one.not_before.filter(|at| *at > now) {
        let why = format!("it starts at {}", shown_exactly(at, subject.zone));
        return Some(Hold { why, until: Some(at), for_slot: false });
    }
    let clock = now.with_timezone(&subject.zone);
    if let Some(quiet) = timing.quiet_hours.filter(|quiet| quiet.hold(clock.time())) {
        let until = next_on_clock(now, subject.zone, quiet.to);
        return Some(Hold { why: format!("quiet hours until {}", quiet.to.format("%H:%M")), until, for_slot: false });
    }
    if pass.on_battery && timing.battery == Battery::Wait {
        let why = "the computer runs on its battery (battery: wait)".to_owned();
        return Some(Hold { why, until: None, for_slot: false });
    }
    let own = live.iter().find(|l| l.loop_id == one.loop_id);
    if let Some(own) = own {
        // One that is late itself takes nothing that began after its time from anybody.
        if timing.overlap == Overlap::CancelPrevious && !own.parked && one.due_at > own.began {
            return None;
        }
        let how = if own.parked { "is parked" } else { "goes on" };
        // What starts in this pass has no run yet that could be named.
        let run = if own.began == now { String::new() } else { format!(" {}", own.run.short()) };
        return Some(Hold { why: format!("{OWN_RUN}{run} {how}"), until: None, for_slot: false });
    }
    (slots_taken(live) >= pass.slots).then(|| no_slot(live, pass))
}

fn slots_taken(live: &[Live]) -> usize {
    live.iter().filter(|l| !l.parked).count()
}

fn no_slot(live: &[Live], pass: &Pass<'_>) -> Hold {
    let runs = match slots_taken(live) {
        1 => "1 run goes on".to_owned(),
        n => format!("{n} runs go on"),
    };
    Hold { why: format!("{runs}, and {} may at once", pass.slots), until: None, for_slot: true }
}

fn shown_exactly(at: DateTime<Utc>, zone: Tz) -> String {
    let seconds = at.with_timezone(&zone).format(":%S").to_string();
    format!("{}{seconds}", shown(at, zone))
}

/// A number of seconds as a duration.
pub fn seconds(n: u64) -> Duration {
    Duration::seconds(i64::try_from(n).unwrap_or(i64::MAX / 1000))
}

//! Which of the due times of a loop that wait together give way, and what kept one from starting.
//!
//! What holds a start back for hours (quiet hours, the battery, other loops' runs) lets several due times of a loop wait. They
//! are as little as one start as those are that were slept through (or n under `all(n)`): the newest stand for the others, so
//! that what is caught up is never older than it has to be, and nothing new is lost because something old waits.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::choose::{Choice, OWN_RUN, Pass, Subject, Waiting, hold, over};
use super::{EARLIER, NOBODY, absent, shown};
use crate::ids::{LoopId, OccurrenceId};
use crate::timing::CatchUpHow;

/// What becomes of those of which only some may start.
#[derive(Debug, Default)]
pub(super) struct Yielded {
    /// Those that give way to another one of their loop, or are too many.
    pub(super) gone: BTreeMap<OccurrenceId, Choice>,
    /// Those that stand for one that could start now, and need not wait for their own moment: with passes as far apart as the
    /// due times, always the next one would have to be waited for, and nothing would ever start.
    pub(super) at_once: BTreeSet<OccurrenceId>,
}

/// Those that give way, and those that take their place. Nothing gives way while its loop runs: then the overlap policy decides.
pub(super) fn yielded(waiting: &[Waiting], pass: &Pass<'_>) -> Yielded {
    let mut of: BTreeMap<LoopId, Vec<&Waiting>> = BTreeMap::new();
    for one in waiting.iter().filter(|one| !one.happened()) {
        of.entry(one.loop_id).or_default().push(one);
    }
    let mut out = Yielded::default();
    for (loop_id, mut times) in of {
        let Some(subject) = pass.loops.get(&loop_id).filter(|subject| subject.stopped.is_none()) else { continue };
        if pass.live.iter().any(|live| live.loop_id == loop_id) {
            continue;
        }
        times.sort_by_key(|one| (one.due_at, one.id));
        out.of_loop(times, subject, pass);
    }
    out
}

impl Yielded {
    /// Decides on those of one loop, the oldest first.
    fn of_loop(&mut self, times: Vec<&Waiting>, subject: &Subject, pass: &Pass<'_>) {
        let most = match subject.timing.catch_up.how {
            CatchUpHow::All(most) => (most as usize).max(1),
            _ => 1,
        };
        let may_start = |one: &Waiting| may_start(one, subject, pass);
        let mut kept: Vec<&Waiting> = Vec::new();
        for one in times {
            let older = kept.iter().position(|older| gives_way(older, pass, may_start));
            match older {
                _ if kept.len() < most => kept.push(one),
                Some(older) => {
                    let older = kept.remove(older);
                    let (why, at) = (kept_from(older, subject, pass), shown(one.due_at, subject.zone));
                    self.gone.insert(older.id, Choice::Missed(format!("{why}; the start of {at} stands for it")));
                    if may_start(older) || self.at_once.contains(&older.id) {
                        self.at_once.insert(one.id);
                    }
                    kept.push(one);
                }
                // What starts now waits no longer, and leaves its place to the next.
                None if kept.iter().filter(|kept| !may_start(kept)).count() < most => kept.push(one),
                None => {
                    self.gone.insert(one.id, Choice::Skipped(EARLIER.to_owned()));
                }
            }
        }
    }
}

/// Whether one gives way to a newer one: not while its own moment is yet to come, nor if it was queued behind a run and may start
/// now, when it is the next.
fn gives_way(older: &Waiting, pass: &Pass<'_>, may_start: impl Fn(&Waiting) -> bool) -> bool {
    let to_come = older.not_before.is_some_and(|at| at > pass.now);
    let queued = older.held.as_ref().is_some_and(|held| held.starts_with(OWN_RUN));
    !(to_come || queued && may_start(older))
}

fn may_start(one: &Waiting, subject: &Subject, pass: &Pass<'_>) -> bool {
    pass.now <= over(one, &subject.timing) && hold(one, subject, pass.live, pass).is_none()
}

/// What kept one from starting until now, also where that ended just now.
pub(super) fn kept_from(one: &Waiting, subject: &Subject, pass: &Pass<'_>) -> String {
    let moment = one.not_before.unwrap_or(one.due_at).max(one.due_at);
    let over = over(one, &subject.timing);
    // What it was at its last moment, whatever holds it now.
    let away = |at| absent(pass.absences, subject.zone, at);
    let quiet_then = || quiet(over, subject);
    let last = (pass.now > over).then(|| quiet_then().or_else(|| away(over))).flatten();
    last.or_else(|| hold(one, subject, pass.live, pass).map(|hold| hold.why))
        .or_else(|| one.held.clone())
        .or_else(|| away(moment))
        .or_else(|| quiet(one.due_at, subject))
        .unwrap_or_else(|| NOBODY.to_owned())
}

/// The quiet hours that a moment falls in.
fn quiet(at: DateTime<Utc>, subject: &Subject) -> Option<String> {
    let clock = at.with_timezone(&subject.zone).time();
    let quiet = subject.timing.quiet_hours.filter(|quiet| quiet.hold(clock))?;
    Some(format!("quiet hours until {}", quiet.to.format("%H:%M")))
}

//! What a simulation tells: a line for whatever happens, on the computer's clock or the loop's own, and the sums at the end.

use std::collections::BTreeMap;

use anyhow::Result;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::due::{ON_TIME, shown};
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::run::End;
use loopwright_core::story::StoryLine;
use serde::Serialize;

use crate::store::simulated::{self, Seen};
use crate::store::{Store, runs};

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// By the computer's clock.
    pub at: DateTime<Utc>,
    /// The loop; none = the computer, a person, or the scheduler.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loop_name: Option<String>,
    /// The loop's own zone, in which it tells its times; none = the computer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What happened.
    pub what: What,
    /// The due time that it is about; the first one of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// More about it, for people; may be empty.
    pub text: String,
    /// The run that began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What it did, step by step, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub story: Vec<StoryLine>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A run began.
    Started,
    /// A run lost its processes and goes on.
    TakenUp,
    /// A run did what it could.
    Finished,
    /// A run was halted.
    Halted,
    /// A run failed.
    Failed,
    /// Nobody was there at a due time.
    Missed,
    /// A due time was not to start.
    Skipped,
    /// The computer fell asleep.
    Asleep,
    /// It woke up.
    Awake,
    /// It was switched off.
    Off,
    /// It was switched on.
    On,
    /// From now on it runs on its battery.
    OnBattery,
    /// From now on it runs on the mains.
    OnMains,
    /// Its clock was set.
    ClockSet,
    /// A person halted everything, or a loop.
    Halt,
    /// A person resumed.
    Resume,
    /// The scheduler was killed, and started again.
    Killed,
    /// Something could not be done.
    Trouble,
}

/// The lines so far.
pub(super) struct Told {
    zone: Tz,
    /// Their names, and the zones that they have of their own.
    loops: BTreeMap<LoopId, (String, Option<Tz>)>,
    lines: Vec<Line>,
    last: Option<OccurrenceId>,
    /// Occurrences that had no end when they were seen.
    open: BTreeMap<OccurrenceId, Seen>,
}

impl Told {
    pub(super) fn new(zone: Tz, loops: BTreeMap<LoopId, (String, Option<Tz>)>) -> Told {
        Told { zone, loops, lines: Vec::new(), last: None, open: BTreeMap::new() }
    }

    pub(super) fn lines(self) -> Vec<Line> {
        self.lines
    }

    /// Tells what happened to no loop, or to one.
    pub(super) fn tell(&mut self, at: DateTime<Utc>, of: Option<LoopId>, what: What, text: impl Into<String>) {
        let line = self.line(at, of, what, text.into());
        self.lines.push(line);
    }

    /// Tells what became of a due time.
    fn tell_of(&mut self, at: DateTime<Utc>, seen: &Seen, what: What, text: String) {
        let line = self.line(at, Some(seen.loop_id), what, text);
        self.lines.push(Line {
            due_at: seen.due_at.parse().ok(),
            run: seen.run.filter(|_| what == What::Started),
            ..line
        });
    }

    fn line(&self, at: DateTime<Utc>, of: Option<LoopId>, what: What, text: String) -> Line {
        let zone = of.and_then(|id| self.own_zone(id)).map(|zone| zone.name().to_owned());
        Line { at, loop_name: of.map(|id| self.name(id)), zone, what, due_at: None, text, run: None, story: Vec::new() }
    }

    /// Tells which due times have their end since the last look.
    pub(super) fn look(&mut self, at: DateTime<Utc>, store: &Store) -> Result<()> {
        for seen in simulated::after(store.read(), self.last)? {
            self.last = Some(seen.id);
            self.open.insert(seen.id, seen);
        }
        let waiting: Vec<OccurrenceId> = self.open.keys().copied().collect();
        for id in waiting {
            let Some(now) = simulated::one(store.read(), id)? else {
                self.open.remove(&id);
                continue;
            };
            let what = match now.state.as_str() {
                "missed" => What::Missed,
                "skipped" => What::Skipped,
                "failed" if now.run.is_none() => What::Failed,
                "due" | "claimed" | "running" | "parked" => continue,
                _ => {
                    self.open.remove(&id);
                    continue;
                }
            };
            let text = format!("{}: {}", self.due(&now), now.reason.clone().unwrap_or_default());
            self.tell_of(at, &now, what, text);
            self.open.remove(&id);
        }
        Ok(())
    }

    /// Tells that the run of an occurrence began, and how late.
    pub(super) fn began(&mut self, at: DateTime<Utc>, run: RunId, seen: &Seen) {
        let due: DateTime<Utc> = seen.due_at.parse().unwrap_or(at);
        let late = if at - due > ON_TIME { format!(", {} late", late(at - due)) } else { String::new() };
        let text = format!("run {} for {} ({}){late}", run.short(), self.clock(seen.loop_id, due), seen.trigger);
        self.tell_of(at, seen, What::Started, text);
    }

    /// Tells how a run ended.
    pub(super) fn ended(
        &mut self,
        at: DateTime<Utc>,
        loop_id: LoopId,
        run: RunId,
        end: &End,
        store: &Store,
    ) -> Result<()> {
        let (what, why) = match end {
            End::Finished => (What::Finished, None),
            End::Halted { detail, .. } => (What::Halted, Some(detail.clone())),
            End::Failed { why } => (What::Failed, Some(why.clone())),
        };
        let mut text = format!("run {}", run.short());
        if let Some(record) = runs::by_id(store.read(), run)? {
            for (count, one, more) in [
                (record.pull_requests, "pull request", "pull requests"),
                (record.handed_over, "finding handed over", "findings handed over"),
            ] {
                if count > 0 {
                    text += &format!(", {count} {}", if count == 1 { one } else { more });
                }
            }
            if record.spent.0 > 0 {
                text += &format!(", {}", record.spent);
            }
        }
        self.tell(at, Some(loop_id), what, why.map_or(text.clone(), |why| format!("{text}: {why}")));
        Ok(())
    }

    fn name(&self, id: LoopId) -> String {
        self.loops.get(&id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    fn own_zone(&self, id: LoopId) -> Option<Tz> {
        self.loops.get(&id).and_then(|(_, zone)| *zone)
    }

    fn due(&self, seen: &Seen) -> String {
        let clock = |text: &str| text.parse().map_or_else(|_| text.to_owned(), |at| self.clock(seen.loop_id, at));
        match (&seen.until_at, seen.times) {
            (Some(until), times) => format!("{times} times from {} to {}", clock(&seen.due_at), clock(until)),
            (None, _) => clock(&seen.due_at),
        }
    }

    /// On the clock that the loop goes by.
    fn clock(&self, of: LoopId, at: DateTime<Utc>) -> String {
        shown(at, self.own_zone(of).unwrap_or(self.zone))
    }
}

/// `1 h 30 min`.
fn late(long: chrono::Duration) -> String {
    match (long.num_hours(), long.num_minutes() % 60) {
        (0, 0) => format!("{} s", long.num_seconds()),
        (0, m) => format!("{m} min"),
        (h, 0) => format!("{h} h"),
        (h, m) => format!("{h} h {m} min"),
    }
}

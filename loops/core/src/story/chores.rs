//! The lines of a story that are about chores: steps that run, waits, and a run that is parked.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset};

use super::words::{counted_as, duration};
use super::{Mark, Told as Line, Uuid};
use crate::definition::{Chore, RunStep, Until};
use crate::run::{Chores, Ran, RanHow, Step};
use crate::triage::plain;

/// What must be remembered of chores between events.
#[derive(Default)]
pub(super) struct Told {
    /// The steps of the run.
    pub(super) steps: Chores,
    /// When a step first began, and how many tries of it have ended.
    tries: BTreeMap<String, (DateTime<FixedOffset>, u32)>,
    now: DateTime<FixedOffset>,
    /// How the steps after the end failed, by name.
    last_failed: BTreeMap<String, String>,
    parked: bool,
}

impl Told {
    /// Takes the time of the event that follows.
    pub(super) fn at(&mut self, at: &str) {
        self.now = DateTime::parse_from_rfc3339(at).unwrap_or(self.now);
    }

    pub(super) fn begun(&mut self, step: &Step) -> Vec<Line> {
        let (Step::Run { name } | Step::Finally { name }) = step else { return Vec::new() };
        let first = !self.tries.contains_key(name);
        self.tries.entry(name.clone()).or_insert((self.now, 0));
        let service = self.step(name).is_some_and(|step| step.service);
        let line = (service && first).then(|| (Mark::Running, 0, format!("{}: begins.", plain(name, 64))));
        line.into_iter().collect()
    }

    /// Takes how a try of a step after the end ended: well without `how`.
    pub(super) fn last_step(&mut self, step: &Step, how: Option<String>) {
        let Step::Finally { name } = step else { return };
        match how {
            Some(how) => self.last_failed.insert(name.clone(), how),
            None => self.last_failed.remove(name),
        };
    }

    /// What did not end well of the steps after the end, told once they are over.
    pub(super) fn last_failed(&self) -> Option<Line> {
        let failed: Vec<String> =
            self.last_failed.iter().map(|(name, how)| format!("{} ({how})", plain(name, 64))).collect();
        (!failed.is_empty()).then(|| (Mark::Failed, 0, format!("Its last steps failed: {}.", failed.join(", "))))
    }

    pub(super) fn ran(&mut self, name: &str, ran: &Ran) -> Line {
        let tries = self.tried(name);
        let called = plain(name, 64);
        let took = duration(ran.seconds);
        match (ran.how, self.step(name).and_then(|step| step.until.as_ref())) {
            (RanHow::Itself, _) if ran.well() => {
                let after = if tries > 1 { format!(" after {}", counted_tries(tries)) } else { String::new() };
                (Mark::Passed, 0, format!("{called}: ok{after}, {}.", duration(self.since_first(name, ran.seconds))))
            }
            (RanHow::Until, Some(until)) if ran.log.is_empty() => {
                (Mark::Skipped, 0, format!("{called}: not begun, its end was there before: {}.", cause(until)))
            }
            (RanHow::Until, Some(until)) => {
                (Mark::Passed, 0, format!("{called}: ended after {took}: {}.", cause(until)))
            }
            (RanHow::Until | RanHow::LastStep, _) => {
                (Mark::Passed, 0, format!("{called}: ended after {took}, with the last step."))
            }
            (RanHow::CutOff, _) => (Mark::Skipped, 0, format!("{called}: cut off after {took}.")),
            _ => (Mark::Failed, 0, self.tried_again(name, tries, &ran.failure())),
        }
    }

    /// A try that could not be made.
    pub(super) fn failed(&mut self, name: &str, error: &str) -> Line {
        let tries = self.tried(name);
        (Mark::Failed, 0, self.tried_again(name, tries, &format!("failed: {error}")))
    }

    pub(super) fn waited(&self, until: &Until) -> Line {
        (Mark::Passed, 0, format!("Waited {}.", awaited(until)))
    }

    pub(super) fn parked(&mut self, why: &str) -> Vec<Line> {
        self.parked = true;
        vec![(Mark::Skipped, 0, format!("Parked {}; nothing of it runs until then.", plain(why, 200)))]
    }

    /// Whether what begins now was parked.
    pub(super) fn goes_on(&mut self) -> bool {
        std::mem::take(&mut self.parked)
    }

    fn tried(&mut self, name: &str) -> u32 {
        let now = self.now;
        let (_, tries) = self.tries.entry(name.to_owned()).or_insert((now, 0));
        *tries += 1;
        *tries
    }

    fn tried_again(&self, name: &str, tries: u32, how: &str) -> String {
        let called = plain(name, 64);
        let retry = self.step(name).map(|step| step.retry).unwrap_or_default();
        let next = match tries <= retry.times {
            true => format!("; tried again in {}", duration(retry.every_s)),
            false => String::new(),
        };
        format!("{called}: {}{next}.", plain(how, 400))
    }

    /// Seconds since its first try began; the try's own where the times say less.
    fn since_first(&self, name: &str, own: u64) -> u64 {
        let first = self.tries.get(name).map_or(self.now, |(first, _)| *first);
        u64::try_from((self.now - first).num_seconds()).unwrap_or(0).max(own)
    }

    fn step(&self, name: &str) -> Option<&RunStep> {
        let chores = self.steps.steps.iter().filter_map(|chore| match chore {
            Chore::Run(step) => Some(&**step),
            Chore::Wait(_) => None,
        });
        chores.chain(&self.steps.finally.steps).find(|step| step.name == name)
    }
}

/// What a run is going to do beside findings, in one line; none if nothing.
pub(super) fn plan(chores: &Chores) -> Option<Line> {
    let step = |chore: &Chore| match chore {
        Chore::Run(step) => plain(&step.name, 64),
        Chore::Wait(until) => format!("wait {}", awaited(until)),
    };
    let steps: Vec<String> = chores.steps.iter().map(step).collect();
    let last: Vec<String> = chores.finally.steps.iter().map(|step| plain(&step.name, 64)).collect();
    let finally = format!("after any end: {}", last.join(", "));
    let text = match (steps.is_empty(), last.is_empty()) {
        (true, true) => return None,
        (false, true) => format!("Steps: {}.", steps.join(", ")),
        (true, false) => format!("Steps {finally}."),
        (false, false) => format!("Steps: {}; {finally}.", steps.join(", ")),
    };
    Some((Mark::Note, 0, text))
}

/// What the open chores are about now.
pub(super) fn doing(open: &[(Uuid, Step)]) -> String {
    let waiting = open.iter().find_map(|(_, step)| match step {
        Step::Wait { until, .. } => Some(format!("Waiting {}", awaited(until))),
        _ => None,
    });
    let names: Vec<String> = open.iter().map(|(_, step)| plain(step.called(), 64)).collect();
    waiting.unwrap_or_else(|| format!("Running {}", names.join(", ")))
}

/// Why something was ended, as a clause.
fn cause(until: &Until) -> String {
    match until {
        Until::Time(time) => format!("it was {}", time.format("%H:%M")),
        Until::File(path) => format!("state/{} was there", plain(path, 100)),
        Until::Exit(name) => format!("{} had ended", plain(name, 64)),
    }
}

/// What is or was waited for, as the rest of a sentence.
pub(super) fn awaited(until: &Until) -> String {
    match until {
        Until::Time(time) => format!("until {}", time.format("%H:%M")),
        Until::File(path) => format!("for state/{}", plain(path, 100)),
        Until::Exit(name) => format!("for {} to end", plain(name, 64)),
    }
}

fn counted_tries(n: u32) -> String {
    match n {
        1 => counted_as(1, "try"),
        n => format!("{n} tries"),
    }
}

#[cfg(test)]
mod tests;

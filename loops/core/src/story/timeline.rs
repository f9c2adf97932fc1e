//! A run's journal as a timeline: a row for each step with its mark, what came of it and how long it took.
//!
//! The same words as in the story; what a row looks like is the shells'.

use chrono::DateTime;

use super::{Mark, Titles, Told, built, capital, chores, failed, quoted, sentence, short, verified, words};
use crate::finding::Fingerprint;
use crate::run::{Discovered, End, Entry, Mode, Outcome, Ran, RunEvent, RunStart, Step};
use crate::triage::plain;
use serde::Serialize;
use uuid::Uuid;

/// One step of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct TimelineStep {
    /// Its state as a shape; `note` for one that is still ahead.
    pub mark: Mark,
    /// Its name: `Discover`, `Build`, that of a `run:` step.
    pub name: String,
    /// What came of it, or what it does; plain text.
    pub detail: String,
    /// Why, a line each; plain text.
    pub reasons: Vec<String>,
    /// The finding that it is about, as people read it.
    pub finding: Option<String>,
    /// When it began, RFC 3339 UTC; none = it is still ahead.
    pub began: Option<String>,
    /// When it ended, RFC 3339 UTC; none = it goes on, or is ahead.
    pub ended: Option<String>,
    /// How long it took, in seconds; none until it ended.
    pub seconds: Option<u64>,
}

/// The steps of a journal, the oldest first, and those that follow while it lives.
///
/// Titles that `titles` lacks are taken from what the run discovered.
pub fn timeline(entries: &[Entry], titles: &Titles) -> Vec<TimelineStep> {
    let mut drawn =
        Drawn { titles: titles.clone(), start: None, steps: Vec::new(), open: Vec::new(), queue: Vec::new() };
    for entry in entries {
        drawn.take(entry);
    }
    let ahead = drawn.ahead(entries.last().map(|entry| &entry.event));
    drawn.steps.into_iter().chain(ahead).collect()
}

struct Drawn {
    titles: Titles,
    start: Option<RunStart>,
    steps: Vec<TimelineStep>,
    /// Open steps with their places.
    open: Vec<(Uuid, Step, usize)>,
    /// The findings to act on, in order.
    queue: Vec<Fingerprint>,
}

impl Drawn {
    fn take(&mut self, entry: &Entry) {
        match &entry.event {
            RunEvent::RunStarted(start) => {
                self.cut_off(&entry.at, Mark::Skipped, "interrupted; begun again");
                self.start = Some((**start).clone());
            }
            RunEvent::StepStarted { step, id } => self.begin(step, *id, &entry.at),
            RunEvent::StepFinished { id, outcome } => self.finish(*id, outcome, &entry.at),
            RunEvent::StepFailed { id, error, .. } => {
                if let Some((step, at)) = self.close(*id, &entry.at) {
                    let (mark, _, text) = failed(&step, error);
                    let row = &mut self.steps[at];
                    (row.mark, row.detail) = (mark, text);
                }
            }
            RunEvent::Ending { end } | RunEvent::RunEnded { end } => {
                let mark = if matches!(end, End::Failed { .. }) { Mark::Failed } else { Mark::Halted };
                self.cut_off(&entry.at, mark, "cut off");
            }
            RunEvent::Noted { .. } | RunEvent::Parked { .. } => {}
        }
    }

    fn begin(&mut self, step: &Step, id: Uuid, at: &str) {
        let name = match step {
            Step::Run { name } | Step::Finally { name } => plain(name, 64),
            other => capital(other.name()),
        };
        self.open.push((id, step.clone(), self.steps.len()));
        self.steps.push(TimelineStep {
            mark: Mark::Running,
            name,
            detail: self.doing(step),
            reasons: Vec::new(),
            finding: step.finding().map(|finding| self.called(finding)),
            began: Some(at.to_owned()),
            ended: None,
            seconds: None,
        });
    }

    /// What an open step does.
    fn doing(&self, step: &Step) -> String {
        match step {
            Step::Build { finding, iteration, .. } => {
                let cap = self.start.as_ref().map_or(0, |start| start.rails.max_iterations).max(*iteration);
                let of = self.queue.iter().position(|queued| queued == finding);
                let of = of.map(|at| format!("finding {} of {}, ", at + 1, self.queue.len()));
                format!("{}iteration {iteration} of {cap}", of.unwrap_or_default())
            }
            Step::Wait { until, .. } => format!("waits {}", chores::awaited(until)),
            Step::HandOver { why, .. } => plain(&why.text(), 200),
            Step::HoldBack { why } => words::held_back(why),
            _ => String::new(),
        }
    }

    fn finish(&mut self, id: Uuid, outcome: &Outcome, at: &str) {
        let Some((step, place)) = self.close(id, at) else { return };
        let told = self.outcome(&step, outcome);
        let row = &mut self.steps[place];
        let mut told = told.into_iter();
        match told.next() {
            Some((mark, _, text)) => (row.mark, row.detail) = (mark, text),
            None => row.mark = Mark::Passed,
        }
        row.reasons = told.map(|(_, _, text)| text).collect();
    }

    fn outcome(&mut self, step: &Step, outcome: &Outcome) -> Vec<Told> {
        match (step, outcome) {
            (_, Outcome::Prepared { branch, commit }) => {
                vec![(Mark::Passed, 0, format!("base {} {}", plain(branch, 60), short(commit)))]
            }
            (_, Outcome::Discovered(found)) => self.discovered(found),
            (_, Outcome::Built(done)) => vec![built(done)],
            (_, Outcome::Verified { verdict, .. }) => verified(verdict),
            (_, Outcome::Shipped(shipped)) => {
                let skipped = shipped.skipped.iter().map(|why| (Mark::Skipped, 1, sentence(why)));
                std::iter::once((Mark::NeedsYou, 1, plain(&shipped.title, 100))).chain(skipped).collect()
            }
            (_, Outcome::Withdrawn { why }) => vec![(Mark::Skipped, 1, plain(why, 200))],
            (_, Outcome::Ran(ran)) => vec![self::ran(ran)],
            (Step::HandOver { why, .. }, _) => vec![(Mark::NeedsYou, 0, plain(&why.text(), 200))],
            (Step::HoldBack { why }, _) => vec![(Mark::Skipped, 0, words::held_back(why))],
            (_, Outcome::Noted | Outcome::Waited) => Vec::new(),
        }
    }

    fn discovered(&mut self, found: &Discovered) -> Vec<Told> {
        self.queue = found.queue.iter().map(|queued| queued.finding.clone()).collect();
        for queued in &found.queue {
            self.titles.entry(queued.finding.short().to_owned()).or_insert_with(|| queued.title.clone());
        }
        let asked = self.start.as_ref().is_some_and(|start| start.only.is_some());
        let mark = if found.seen == 0 { Mark::Nothing } else { Mark::Passed };
        let checks = found.checks.iter().map(|check| (Mark::Note, 1, plain(check, 120)));
        std::iter::once((mark, 0, words::found(found, asked))).chain(checks).collect()
    }

    /// Ends the row of a step.
    fn close(&mut self, id: Uuid, at: &str) -> Option<(Step, usize)> {
        let open = self.open.iter().position(|(open, ..)| *open == id)?;
        let (_, step, place) = self.open.remove(open);
        self.end(place, at);
        Some((step, place))
    }

    fn end(&mut self, place: usize, at: &str) {
        let row = &mut self.steps[place];
        row.ended = Some(at.to_owned());
        row.seconds = row.began.as_deref().and_then(|began| between(began, at));
    }

    fn cut_off(&mut self, at: &str, mark: Mark, detail: &str) {
        for (_, _, place) in std::mem::take(&mut self.open) {
            self.end(place, at);
            (self.steps[place].mark, self.steps[place].detail) = (mark, detail.to_owned());
        }
    }

    fn called(&self, finding: &Fingerprint) -> String {
        quoted(&self.titles, finding)
    }

    /// The steps that follow on the open one, as far as that is certain unless something goes wrong.
    fn ahead(&self, last: Option<&RunEvent>) -> Vec<TimelineStep> {
        let over = matches!(last, None | Some(RunEvent::RunEnded { .. } | RunEvent::Ending { .. }));
        let ships = self.start.as_ref().is_some_and(|start| start.mode == Mode::Ship && !start.chores.alone);
        let follow: &[&str] = match self.open.last().map(|(_, step, _)| step) {
            _ if over => &[],
            Some(Step::Prepare) if ships => &["Discover", "Build", "Verify", "Ship"],
            Some(Step::Prepare) => &["Discover"],
            Some(Step::Discover) if ships => &["Build", "Verify", "Ship"],
            Some(Step::Build { .. }) => &["Verify", "Ship"],
            Some(Step::Verify { .. }) => &["Ship"],
            _ => &[],
        };
        let row = |name: &&str| TimelineStep {
            mark: Mark::Note,
            name: (*name).to_owned(),
            detail: String::new(),
            reasons: Vec::new(),
            finding: None,
            began: None,
            ended: None,
            seconds: None,
        };
        follow.iter().map(row).collect()
    }
}

fn ran(ran: &Ran) -> Told {
    let mark = if ran.well() { Mark::Passed } else { Mark::Failed };
    let last = ran.last.as_ref().map_or_else(String::new, |last| format!(": {}", plain(last, 120)));
    (mark, 0, format!("{}{last}", ran.ended()))
}

/// Whole seconds from one RFC 3339 time to another.
fn between(from: &str, to: &str) -> Option<u64> {
    let parse = |text: &str| DateTime::parse_from_rfc3339(text).ok();
    u64::try_from((parse(to)? - parse(from)?).num_seconds()).ok()
}

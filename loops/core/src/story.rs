//! A run's journal as prose that a person reads: what was looked at, taken, verified, shipped, handed over.
//!
//! Lines are only ever added: the story of the first events of a journal is the beginning of its whole story, so that it
//! can be printed while the run lives. Colours, columns and commands to type are *not* here: shells add them.

use std::collections::BTreeMap;

use chrono::FixedOffset;
use serde::Serialize;
use uuid::Uuid;

use crate::definition::Rails;
use crate::finding::Fingerprint;
use crate::gate::{GateResult, Level};
use crate::ids::PullRequestId;
use crate::run::{
    AgentLine, BuildResult, Built, Discovered, End, Entry, Mode, Outcome, Revise, RunEvent, RunStart, Shipped, Step,
};
use crate::triage::plain;
use crate::verdict::Verdict;

mod chores;
mod pulse;
mod timeline;
mod words;

pub use pulse::pulse;
pub use timeline::{TimelineStep, timeline};
use words::{capital, clause, clock, counted_as, sentence, short};
pub use words::{duration, ending, found, handed_over, held_back, phase, reported};

/// Titles of findings by short fingerprint.
pub type Titles = BTreeMap<String, String>;

/// Reasons that are told of one rejection.
const MAX_REASONS: usize = 5;

/// One line of the story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoryLine {
    /// When, as `HH:MM:SS` in the offset that was asked for.
    pub at: String,
    /// Its state as a shape.
    pub mark: Mark,
    /// 0 = of the run, 1 = of the finding above, 2 = a reason of the line above.
    pub depth: u8,
    /// The sentence; plain text without control characters.
    pub text: String,
}

/// The shape of a state, the same in every shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It goes on.
    Running,
    /// It is done, or passed.
    Passed,
    /// It waits for a person.
    NeedsYou,
    /// It was stopped.
    Halted,
    /// It failed.
    Failed,
    /// There was nothing to do.
    Nothing,
    /// It was skipped, or waits for another run.
    Skipped,
    /// A remark.
    Note,
}

impl Mark {
    /// The character that stands for it.
    pub fn shape(self) -> char {
        match self {
            Mark::Running => '●',
            Mark::Passed => '✓',
            Mark::NeedsYou => '◆',
            Mark::Halted => '■',
            Mark::Failed => '✕',
            Mark::Nothing => '○',
            Mark::Skipped => '–',
            Mark::Note => '·',
        }
    }
}

impl From<Level> for Mark {
    fn from(level: Level) -> Mark {
        match level {
            Level::Fail => Mark::Failed,
            Level::NeedsPerson => Mark::NeedsYou,
            Level::Pass => Mark::Passed,
        }
    }
}

/// Tells the story of a journal, with times at `offset`.
///
/// Titles that `titles` lacks are taken from what the run discovered.
pub fn tell(entries: &[Entry], titles: &Titles, offset: FixedOffset) -> Vec<StoryLine> {
    let mut teller = Teller::new(titles);
    for entry in entries {
        let at = clock(&entry.at, offset);
        let told = teller.hear(entry);
        teller.lines.extend(told.into_iter().map(|(mark, depth, text)| StoryLine {
            at: at.clone(),
            mark,
            depth,
            text,
        }));
    }
    teller.lines
}

/// What the run does now, in words; none between two steps and after the end.
pub fn doing(entries: &[Entry], titles: &Titles) -> Option<String> {
    let mut teller = Teller::new(titles);
    for entry in entries {
        teller.hear(entry);
    }
    let (_, step) = teller.open.last()?;
    let title = |f: &Fingerprint| quoted(&teller.titles, f);
    Some(match step {
        Step::Run { .. } | Step::Wait { .. } | Step::Finally { .. } => chores::doing(&teller.open),
        Step::Prepare => "Preparing the base commit".to_owned(),
        Step::Discover => "Looking for work".to_owned(),
        Step::Build { finding, .. } => format!("Building {}", title(finding)),
        Step::Verify { finding, .. } => format!("Verifying {}", title(finding)),
        Step::Ship { finding } => format!("Opening the pull request for {}", title(finding)),
        Step::HandOver { finding, .. } => format!("Handing over {}", title(finding)),
        Step::HoldBack { .. } => "Holding back the rest".to_owned(),
    })
}

/// The mark of an end.
pub fn end_mark(end: &End) -> Mark {
    match end {
        End::Finished => Mark::Passed,
        End::Halted { .. } => Mark::Halted,
        End::Failed { .. } => Mark::Failed,
    }
}

/// A line without its time.
type Told = (Mark, u8, String);

/// What must be remembered between events.
struct Teller {
    lines: Vec<StoryLine>,
    titles: Titles,
    start: Option<RunStart>,
    base: String,
    open: Vec<(Uuid, Step)>,
    chores: chores::Told,
    /// The finding that was spoken of last.
    told: Option<Fingerprint>,
    left: usize,
    /// Why it ends was told before its last steps.
    last_steps: bool,
}

impl Teller {
    fn new(titles: &Titles) -> Teller {
        Teller {
            lines: Vec::new(),
            titles: titles.clone(),
            start: None,
            base: String::new(),
            open: Vec::new(),
            chores: chores::Told::default(),
            told: None,
            left: 0,
            last_steps: false,
        }
    }

    fn hear(&mut self, entry: &Entry) -> Vec<Told> {
        self.chores.at(&entry.at);
        self.take(&entry.event)
    }

    fn take(&mut self, event: &RunEvent) -> Vec<Told> {
        match event {
            RunEvent::RunStarted(start) => self.started(start),
            RunEvent::StepStarted { step, id } => {
                self.open.push((*id, step.clone()));
                self.begun(step)
            }
            RunEvent::StepFinished { id, outcome } => match self.close(*id) {
                Some(step) => {
                    if let Outcome::Ran(ran) = outcome {
                        self.chores.last_step(&step, (!ran.well()).then(|| ran.brief()));
                    }
                    let told = self.finished(&step, *id, outcome);
                    self.headed(&step, told)
                }
                None => Vec::new(),
            },
            RunEvent::StepFailed { id, error, .. } => match self.close(*id) {
                Some(step @ (Step::Run { .. } | Step::Finally { .. })) => {
                    self.chores.last_step(&step, Some("it could not be done".to_owned()));
                    vec![self.chores.failed(step.called(), error)]
                }
                Some(step) => self.headed(&step, vec![failed(&step, error)]),
                None => Vec::new(),
            },
            RunEvent::Noted { text, .. } => vec![(Mark::Note, 0, sentence(text))],
            RunEvent::Parked { why, .. } => self.chores.parked(why),
            RunEvent::Ending { end } => {
                self.open.clear();
                let follow = (Mark::Running, 0, "Its last steps follow.".to_owned());
                // That it finished is told where it did.
                self.last_steps = *end != End::Finished;
                let why = self.last_steps.then(|| (end_mark(end), 0, ending(end)));
                why.into_iter().chain([follow]).collect()
            }
            RunEvent::RunEnded { end } => {
                self.open.clear();
                let failed = self.chores.last_failed();
                let told = match (self.last_steps, failed.is_some()) {
                    (true, true) => None,
                    (true, false) => Some("Its last steps are done.".to_owned()),
                    (false, _) => Some(self.ended(end)),
                };
                told.map(|told| (end_mark(end), 0, told)).into_iter().chain(failed).collect()
            }
        }
    }

    fn close(&mut self, id: Uuid) -> Option<Step> {
        let at = self.open.iter().position(|(open, _)| *open == id)?;
        Some(self.open.remove(at).1)
    }

    /// Lines that belong under a finding, below its name where another one was spoken of in between.
    fn headed(&mut self, step: &Step, told: Vec<Told>) -> Vec<Told> {
        let below = told.first().is_some_and(|(_, depth, _)| *depth > 0);
        match step.finding() {
            Some(finding) if below && self.told.as_ref() != Some(finding) => {
                self.told = Some(finding.clone());
                let head = (Mark::Running, 0, format!("On {}:", quoted(&self.titles, finding)));
                std::iter::once(head).chain(told).collect()
            }
            _ => told,
        }
    }

    fn ended(&self, end: &End) -> String {
        let reports = self.start.as_ref().is_some_and(|s| s.mode == Mode::Report);
        match end {
            End::Finished if reports && self.left > 0 => reported(self.left),
            End::Finished if self.chores.steps.alone => "Ended: all its steps are done.".to_owned(),
            end => ending(end),
        }
    }

    fn started(&mut self, start: &RunStart) -> Vec<Told> {
        let again = self.start.replace(start.clone()).is_some() || start.epoch > 1;
        let interrupted = std::mem::take(&mut self.open);
        self.chores.steps = start.chores.clone();
        if self.chores.goes_on() {
            return vec![(Mark::Running, 0, "Goes on.".to_owned())];
        }
        if !again {
            let makers = (!start.chores.alone).then(|| (Mark::Note, 0, makers(start)));
            let opening = (Mark::Running, 0, opening(start));
            return [Some(opening), makers, chores::plan(&start.chores)].into_iter().flatten().collect();
        }
        let names: Vec<&str> = interrupted.iter().map(|(_, step)| step.called()).collect();
        let text = match names.as_slice() {
            [] => "Taken up again after an interruption.".to_owned(),
            [one] => format!("Taken up again; {one} was interrupted."),
            more => format!("Taken up again; {} steps were interrupted.", more.len()),
        };
        vec![(Mark::Running, 0, text)]
    }

    fn begun(&mut self, step: &Step) -> Vec<Told> {
        let Step::Build { finding, iteration, .. } = step else {
            return self.chores.begun(step);
        };
        self.told = Some(finding.clone());
        let title = quoted(&self.titles, finding);
        let (cap, revises) = self.start.as_ref().map_or((0, None), |s| (s.rails.max_iterations, s.revises.as_ref()));
        let text = match revises.map(|r| &r.why) {
            Some(Revise::Moved) => format!("Carrying {title} onto the branch as it is now."),
            // What a person asks for may go beyond the cap.
            Some(Revise::SentBack { .. }) => {
                format!("Took {title} again (round {iteration} of {}).", cap.max(*iteration))
            }
            None => format!("Took {title} (round {iteration} of {cap})."),
        };
        vec![(Mark::Running, 0, text)]
    }

    fn finished(&mut self, step: &Step, id: Uuid, outcome: &Outcome) -> Vec<Told> {
        match (step, outcome) {
            (Step::Run { name } | Step::Finally { name }, Outcome::Ran(ran)) => vec![self.chores.ran(name, ran)],
            (Step::Wait { until, .. }, Outcome::Waited) => vec![self.chores.waited(until)],
            (_, Outcome::Prepared { branch, commit }) => {
                self.base = format!("{} {}", plain(branch, 60), short(commit));
                Vec::new()
            }
            (_, Outcome::Discovered(found)) => self.looked(found),
            (_, Outcome::Built(done)) => vec![built(done)],
            (_, Outcome::Verified { verdict, .. }) => verified(verdict),
            (_, Outcome::Shipped(shipped)) => {
                let again = self.start.as_ref().is_some_and(|s| s.revises.is_some());
                opened(shipped.id(id), shipped, again)
            }
            (_, Outcome::Withdrawn { why }) => vec![(Mark::Skipped, 1, format!("Not shipped: {}.", clause(why)))],
            (Step::HandOver { finding, why }, Outcome::Noted) => {
                let title = quoted(&self.titles, finding);
                let text = format!("Handed to you: {title}: {}", clause(&why.text()));
                vec![(Mark::NeedsYou, 0, text)]
            }
            (Step::HoldBack { why }, Outcome::Noted) => {
                let text = format!("Held back the rest: {}.", held_back(why));
                vec![(Mark::Skipped, 0, text)]
            }
            _ => Vec::new(),
        }
    }

    fn looked(&mut self, found: &Discovered) -> Vec<Told> {
        self.left = found.queue.len();
        for queued in &found.queue {
            self.titles.entry(queued.finding.short().to_owned()).or_insert_with(|| queued.title.clone());
        }
        let checks: Vec<String> = found.checks.iter().map(|c| plain(c, 120)).collect();
        let looked = match checks.is_empty() {
            true => format!("Looked at {}.", self.base),
            false => format!("Looked at {}: {}.", self.base, checks.join("; ")),
        };
        let asked = self.start.as_ref().is_some_and(|s| s.only.is_some());
        let mark = match found.seen {
            0 => Mark::Nothing,
            _ => Mark::Passed,
        };
        vec![(Mark::Passed, 0, looked), (mark, 0, words::found(found, asked))]
    }
}

fn built(built: &Built) -> Told {
    let (mark, what) = match &built.result {
        BuildResult::Change { stat, .. } => (Mark::Passed, format!("the maker changed {stat}")),
        BuildResult::Empty => (Mark::Failed, "the maker changed nothing".to_owned()),
        BuildResult::Declined { why } => {
            let text = format!("the maker did not try: {}", plain(why, 200));
            (Mark::NeedsYou, text)
        }
        BuildResult::Unusable { why } => {
            let text = format!("what the maker left can't be used: {}", plain(why, 200));
            (Mark::Failed, text)
        }
    };
    let cost = match built.charged.0 {
        0 => String::new(),
        _ => format!("; charged {}", built.charged),
    };
    (mark, 1, sentence(&format!("{what}{cost}")))
}

fn opening(start: &RunStart) -> String {
    let by = match start.cause.as_str() {
        "manual" => "by hand".to_owned(),
        "cron" | "every" | "at" => "on schedule".to_owned(),
        "after" => "as a run of another loop had ended".to_owned(),
        "file" => "as files had changed".to_owned(),
        "moved" => "as the target branch moved".to_owned(),
        "review" => "as you sent a pull request back".to_owned(),
        other => format!("by {}", plain(other, 40)),
    };
    let mode = match start.mode {
        Mode::Report => "to report",
        Mode::Ship => "to ship",
    };
    let rails = &start.rails;
    if start.chores.alone {
        return format!("Started {by}. Stops after {}.", duration(rails.max_duration_s));
    }
    format!(
        "Started {by}, {mode}. Stops after {} a finding, {}, {}.",
        counted_as(rails.max_iterations, "iteration"),
        budgets(rails),
        duration(rails.max_duration_s)
    )
}

/// `$5`, or `$5 a run, $20 a day`.
fn budgets(rails: &Rails) -> String {
    if rails.ceilings.is_empty() {
        return rails.budget.to_string();
    }
    let wider: String = rails.ceilings.iter().map(|c| format!(", {} a {}", c.amount, c.per.word())).collect();
    format!("{} a run{wider}", rails.budget)
}

fn makers(start: &RunStart) -> String {
    let maker = agent(&start.maker);
    match &start.checker {
        Some(checker) => format!("Made by {maker}; checked by gates and {}.", agent(checker)),
        None => format!("Made by {maker}; checked by gates alone."),
    }
}

fn agent(line: &AgentLine) -> String {
    let (name, kind) = (plain(&line.name, 40), plain(&line.kind, 80));
    let named = match kind.starts_with(&name) {
        true => kind,
        false => format!("{name}: {kind}"),
    };
    match &line.model {
        Some(model) => format!("{named}, {}", plain(model, 60)),
        None => named,
    }
}

fn verified(verdict: &Verdict) -> Vec<Told> {
    let mut parts: Vec<String> = verdict.gates.iter().map(gate).collect();
    parts.push(checked(verdict));
    let (mark, word) = match (verdict.verified, verdict.level) {
        (false, _) => (Mark::Failed, "Not verified"),
        (true, Level::NeedsPerson) => (Mark::NeedsYou, "Verified, but a person must look"),
        (true, _) => (Mark::Passed, "Verified"),
    };
    let mut told = vec![(mark, 1, format!("{word}: {}.", parts.join("; ")))];
    if !verdict.verified {
        told.extend(reasons(&verdict.reasons));
    }
    told
}

fn gate(result: &GateResult) -> String {
    let name = plain(&result.gate, 40);
    let shape = Mark::from(result.level).shape();
    match plain(&result.summary, 100) {
        summary if summary.is_empty() => format!("{name} {shape}"),
        summary => format!("{name} {shape} {summary}"),
    }
}

fn checked(verdict: &Verdict) -> String {
    let Some(by) = &verdict.checked_by else {
        return "gates alone".to_owned();
    };
    let by = plain(by, 40);
    match &verdict.checker {
        Some(answer) if answer.accepted => format!("{by} accepts"),
        Some(_) => format!("{by} rejects"),
        None => format!("{by} gave no verdict"),
    }
}

fn reasons(reasons: &[String]) -> impl Iterator<Item = Told> {
    let more = reasons.len().saturating_sub(MAX_REASONS);
    let rest = (more > 0).then(|| (Mark::Note, 2, format!("and {more} more")));
    let told = reasons.iter().take(MAX_REASONS);
    told.map(|r| (Mark::Note, 2, plain(r, 200))).chain(rest)
}

fn opened(id: PullRequestId, shipped: &Shipped, again: bool) -> Vec<Told> {
    let title = plain(&shipped.title, 100);
    let did = if again { "Updated" } else { "Opened" };
    let text = format!("{did} pull request {}: {title}.", id.short());
    let skipped = shipped.skipped.iter();
    std::iter::once((Mark::NeedsYou, 1, text)).chain(skipped.map(|s| (Mark::Skipped, 1, sentence(s)))).collect()
}

fn failed(step: &Step, error: &str) -> Told {
    let depth = match step {
        Step::Build { .. } | Step::Verify { .. } | Step::Ship { .. } | Step::HandOver { .. } => 1,
        _ => 0,
    };
    let text = format!("{} failed: {}", capital(step.name()), clause(error));
    (Mark::Failed, depth, text)
}

/// The title of a finding in quotes; its short fingerprint if nothing is known of it.
fn quoted(titles: &Titles, finding: &Fingerprint) -> String {
    match titles.get(finding.short()) {
        Some(title) => format!("“{}”", plain(title, 80)),
        None => format!("finding {}", finding.short()),
    }
}

#[cfg(test)]
mod tests;

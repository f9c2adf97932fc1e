//! A row of the history in a few words: every due time and every event of a loop has one, whatever became of it.
//!
//! Shells share the words and the marks; finding the rows is the engine's, the whole answer is [`crate::why`]'s.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::exit;
use crate::run::{End, HaltWhy};
use crate::story::Mark;
use crate::triage::plain;

/// What became of a due time, as people look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Came {
    /// It has not started yet.
    Waiting,
    /// Its run goes on.
    Running,
    /// Its run waits without processes.
    Parked,
    /// It opened pull requests.
    Opened,
    /// It handed findings to a person.
    HandedOver,
    /// It did something else than pull requests, or reported.
    Done,
    /// There was nothing to do.
    Nothing,
    /// Nobody was there at its time.
    Missed,
    /// It was not to start.
    Skipped,
    /// It was stopped.
    Halted,
    /// It failed, or its run did not begin.
    Failed,
}

impl Came {
    /// The states of the ledger that such a row may have.
    pub fn states(self) -> &'static [&'static str] {
        match self {
            Came::Waiting => &["due"],
            Came::Running => &["claimed", "running"],
            Came::Parked => &["parked"],
            Came::Opened | Came::HandedOver => &["finished", "halted", "failed"],
            Came::Done | Came::Nothing => &["finished"],
            Came::Missed => &["missed"],
            Came::Skipped => &["skipped"],
            Came::Halted => &["halted"],
            Came::Failed => &["failed", "finished"],
        }
    }
}

/// What is known of a run, for its words.
#[derive(Clone, Copy, Debug)]
pub struct RunFacts<'a> {
    /// How it ended; none while it lives.
    pub end: Option<&'a End>,
    /// The exit code that stands for it; none while it lives.
    pub code: Option<u8>,
    /// Pull requests it opened.
    pub pull_requests: u32,
    /// Findings it handed over.
    pub handed_over: u32,
    /// Findings it acted on.
    pub acted: u32,
    /// Steps that are not about findings, and are done.
    pub chores: u32,
    /// What it waits for while it is parked: `until 15:30`.
    pub parked: Option<&'a str>,
    /// Which of its steps after the end did not end well.
    pub last_steps: Option<&'a str>,
}

/// What is known of a row.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The word of the ledger.
    pub state: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
    /// How many times it stands for.
    pub times: u64,
    /// Its run, once that began.
    pub run: Option<RunFacts<'a>>,
}

/// A row in a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// What became of it.
    pub came: Came,
    /// The shape that stands before it.
    pub mark: Mark,
    /// `2 pull requests`, `missed: asleep`; plain text.
    pub words: String,
}

/// The words of a row; `doing` is what its run does now, where that is known.
pub fn brief(row: &Facts<'_>, doing: Option<&str>) -> Brief {
    let of = |came, mark, words: String| Brief { came, mark, words };
    let because = |word: &str| row.reason.map_or_else(|| word.to_owned(), |why| format!("{word}: {}", short(why)));
    let told = match (row.state, row.run) {
        ("missed", _) => of(Came::Missed, Mark::Skipped, because("missed")),
        ("skipped", _) => of(Came::Skipped, Mark::Skipped, because("skipped")),
        ("due", _) => of(Came::Waiting, Mark::Skipped, "waits for its start".to_owned()),
        ("claimed", _) | ("running", None) => of(Came::Running, Mark::Running, "starting".to_owned()),
        (_, Some(run)) if run.end.is_none() && run.parked.is_none() => {
            of(Came::Running, Mark::Running, doing.unwrap_or("running").to_owned())
        }
        (_, Some(run)) => of(came(&run), mark(&run), result(&run)),
        ("halted", None) => of(Came::Halted, Mark::Halted, because("halted")),
        (_, None) => of(Came::Failed, Mark::Failed, because("did not begin")),
    };
    match row.times {
        0 | 1 => told,
        times => Brief { words: format!("{} ({times} times)", told.words), ..told },
    }
}

/// What became of a run.
pub fn came(run: &RunFacts<'_>) -> Came {
    match (run.end, run.code) {
        (None, _) if run.parked.is_some() => Came::Parked,
        (None, _) => Came::Running,
        _ if run.pull_requests > 0 => Came::Opened,
        _ if run.handed_over > 0 => Came::HandedOver,
        (Some(End::Halted { .. }), _) => Came::Halted,
        (Some(End::Failed { .. }), _) | (_, Some(exit::FAILED)) => Came::Failed,
        (_, Some(exit::NOTHING)) => Came::Nothing,
        _ => Came::Done,
    }
}

/// The mark of a run.
pub fn mark(run: &RunFacts<'_>) -> Mark {
    match run.code {
        None if run.parked.is_some() => Mark::Skipped,
        None => Mark::Running,
        Some(exit::DONE) => Mark::Passed,
        Some(exit::NOTHING) => Mark::Nothing,
        Some(exit::WAITS | exit::NO_PROGRESS | exit::ITERATION_CAP) => Mark::NeedsYou,
        Some(exit::HALTED | exit::BUDGET | exit::TIME) => Mark::Halted,
        Some(_) => Mark::Failed,
    }
}

/// What came of a run, in a few words.
pub fn result(run: &RunFacts<'_>) -> String {
    let said = by_end(run);
    match (run.last_steps, run.end) {
        (None, _) => said,
        (Some(failed), Some(End::Finished)) => format!("{said}, but its last steps failed: {}", plain(failed, 200)),
        (Some(failed), _) => format!("{said}; its last steps failed: {}", plain(failed, 200)),
    }
}

/// Whether it found something to act on and was to report only.
pub fn reported(run: &RunFacts<'_>) -> bool {
    run.acted == 0 && run.chores == 0 && run.code == Some(exit::DONE)
}

fn by_end(run: &RunFacts<'_>) -> String {
    let made = made(run);
    let said = match run.end {
        None => run.parked.map_or_else(|| "running".to_owned(), |until| format!("parked {}", plain(until, 80))),
        Some(End::Finished) if !made.is_empty() => return made,
        Some(End::Finished) if reported(run) => return "reported only".to_owned(),
        Some(End::Finished) if run.acted == 0 && run.chores == 0 => return "nothing to do".to_owned(),
        Some(End::Finished) => return "done".to_owned(),
        Some(End::Halted { why, .. }) => match why {
            HaltWhy::Halt => "halted".to_owned(),
            HaltWhy::Budget => "budget reached".to_owned(),
            HaltWhy::Time => "time over".to_owned(),
        },
        Some(End::Failed { why }) => format!("failed: {}", plain(why, 80)),
    };
    match made.is_empty() {
        true => said,
        false => format!("{said}; {made}"),
    }
}

fn made(run: &RunFacts<'_>) -> String {
    let opened = match run.pull_requests {
        0 => None,
        1 => Some("1 pull request".to_owned()),
        n => Some(format!("{n} pull requests")),
    };
    let handed = (run.handed_over > 0).then(|| format!("{} handed to you", run.handed_over));
    [opened, handed].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What the ledger says in whole sentences, and the few words that a list has room for.
const KNOWN: [(&str, &str); 15] = [
    ("the computer was asleep", "asleep"),
    ("the computer was off", "computer off"),
    ("no scheduler ran", "no scheduler ran"),
    ("the clock was set", "the clock was set"),
    ("nobody looked", "nobody looked"),
    ("it waited too long", "waited too long"),
    ("the computer ran on its battery", "on battery"),
    ("the computer runs on its battery", "on battery"),
    ("it was within quiet hours", "quiet hours"),
    ("quiet hours until", "quiet hours"),
    ("an earlier start still waited", "an earlier start waited"),
    ("its loop is no longer registered", "loop no longer registered"),
    ("it is paused", "paused"),
    ("paused", "paused"),
    ("halted", "halted"),
];

/// A reason of the ledger in five words at most; the whole of it is for [`crate::why`].
fn short(reason: &str) -> String {
    let reason = plain(reason, 300);
    if reason.starts_with("its run ") {
        let parked = reason.contains(" was parked");
        return if parked { "its last run is parked" } else { "its last run still ran" }.to_owned();
    }
    if let Some((_, words)) = KNOWN.iter().find(|(whole, _)| reason.starts_with(whole)) {
        return (*words).to_owned();
    }
    let clause = reason.split([':', ';', '(', ',']).next().unwrap_or_default().trim();
    let words: Vec<&str> = clause.split(' ').collect();
    match words.len() {
        0..=5 => clause.to_owned(),
        _ => format!("{}…", words[..5].join(" ")),
    }
}

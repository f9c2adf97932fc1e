//! What became of a due time, or will become of it, in one sentence.
//!
//! Finding the row and the facts is the engine's; what a person means by a time is [`when`]'s.

pub mod when;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use crate::due::shown;

/// Whose time it is, and who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The loop's name.
    pub loop_name: &'a str,
    /// The zone of its times.
    pub zone: Tz,
    /// The time now.
    pub now: DateTime<Utc>,
}

/// A due time that has its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The due time; the first of many.
    pub due_at: DateTime<Utc>,
    /// The last of many with one fate.
    pub until: Option<DateTime<Utc>>,
    /// How many they are.
    pub times: u64,
    /// What has become of it: the word of the ledger.
    pub state: String,
    /// Why.
    pub reason: Option<String>,
    /// Its run, as people name it.
    pub run: Option<String>,
    /// When its run began, or was to.
    pub began: Option<DateTime<Utc>>,
    /// When it got its end.
    pub ended: Option<DateTime<Utc>>,
    /// What it waits for.
    pub waits: Option<String>,
}

/// A due time without a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlook {
    /// The due time.
    pub at: DateTime<Utc>,
    /// What makes it one, as the loop file has it.
    pub trigger: String,
    /// What keeps it from starting, as things stand.
    pub hindrance: Option<Hindrance>,
    /// When it may start, where quiet hours hold it.
    pub quiet_until: Option<DateTime<Utc>>,
    /// Whether quiet hours skip it instead (`catch_up: skip`).
    pub quiet_skips: bool,
    /// It starts up to so many seconds later.
    pub jitter_s: u64,
    /// When the loop was registered.
    pub added: DateTime<Utc>,
    /// Every due time up to here has its row, as long as its schedule stays the same.
    pub reach: DateTime<Utc>,
    /// Whether one that is over now would be caught up.
    pub caught_up: bool,
}

/// What keeps a time from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Nothing starts it by itself since then.
    Paused {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// HALT, in the words of the kill switch.
    Halted {
        /// Why.
        why: String,
        /// Whether for this loop alone.
        alone: bool,
    },
    /// Its file is another one than was confirmed, or gone.
    Changed {
        /// The file.
        path: String,
        /// Whether it is gone.
        gone: bool,
    },
    /// `settings.yaml` can't be read.
    Settings {
        /// What is wrong with it.
        why: String,
    },
    /// No scheduler runs.
    NoScheduler,
    /// It makes no passes.
    StuckScheduler {
        /// Its process.
        pid: i32,
        /// Why, where it says so.
        fault: Option<String>,
    },
}

/// A sentence, and what to type next where that helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// For people.
    pub sentence: String,
    /// A command.
    pub command: Option<String>,
}

/// What has become of a due time.
pub fn told(asked: &Asked<'_>, row: &Told) -> Answer {
    let (zone, run) = (asked.zone, row.run.as_deref());
    let reason = row.reason.as_deref().unwrap_or("no reason was written down");
    let by = |at: Option<DateTime<Utc>>| at.map(|at| format!(" at {}", near(at, row.due_at, zone))).unwrap_or_default();
    let said = match (row.state.as_str(), run) {
        ("finished", Some(run)) => format!("run {run} finished{}", by(row.ended)),
        ("halted", Some(run)) => format!("run {run} was halted{}: {reason}", by(row.ended)),
        ("failed", Some(run)) => format!("run {run} failed{}: {reason}", by(row.ended)),
        ("failed", None) => format!("no run began: {reason}"),
        ("missed", _) => format!("missed: {reason}"),
        ("skipped", _) => format!("skipped: {reason}"),
        ("claimed", _) => "its run is being started".to_owned(),
        ("running", Some(run)) => format!("run {run} goes on{}", since(row.began, row.due_at, zone)),
        ("parked", Some(run)) => {
            format!("run {run} is parked{}", colon(row.waits.as_deref().or(row.reason.as_deref())))
        }
        ("due", _) => format!("it waits{}", colon(row.waits.as_deref().or(Some("the next pass starts it")))),
        (state, Some(run)) => format!("run {run} is {state}"),
        (state, None) => format!("{state}{}", colon(row.reason.as_deref())),
    };
    let command = match (row.state.as_str(), run) {
        ("finished" | "halted" | "failed" | "running" | "parked", Some(run)) => Some(format!("loopwright show {run}")),
        _ => None,
    };
    Answer { sentence: format!("{}: {said}.", times(row, zone)), command }
}

/// What will become of a due time as things stand, or why it has no row.
pub fn outlook(asked: &Asked<'_>, time: &Outlook) -> Answer {
    let at = shown(time.at, asked.zone);
    if time.at <= time.reach.min(asked.now) {
        if time.at < time.added {
            return unregistered(asked, &at, time.added);
        }
        let sentence = format!("{at}: nothing is known of it: its schedule was another one then.");
        return Answer { sentence, command: None };
    }
    let over = time.at <= asked.now;
    let when = if over { "it was due and no pass has looked since".to_owned() } else { until(time.at - asked.now) };
    match &time.hindrance {
        Some(Hindrance::Paused { since }) if over && *since <= time.at => {
            let sentence = format!("{at}: skipped: it is paused since {}.", shown(*since, asked.zone));
            Answer { sentence, command: Some(format!("loopwright enable {}", asked.loop_name)) }
        }
        Some(hindrance) => {
            let (why, command) = hindered(asked, hindrance);
            let late = if over && time.caught_up { "; it will be caught up then" } else { "" };
            Answer {
                sentence: format!("{at}: {when}, and will not start as things stand: {why}{late}."),
                command: Some(command),
            }
        }
        None => Answer { sentence: format!("{at}: {when}; {}.", will(asked, time)), command: None },
    }
}

/// That the loop was not there yet.
pub fn unregistered(asked: &Asked<'_>, text: &str, added: DateTime<Utc>) -> Answer {
    let sentence = format!("{text}: {} was registered on {}, after that.", asked.loop_name, shown(added, asked.zone));
    Answer { sentence, command: None }
}

/// That no due time is to come; `how`: how it starts all the same.
pub fn no_more(asked: &Asked<'_>, how: &str) -> String {
    let name = asked.loop_name;
    match how {
        "its time is over" => format!("{name} has no due time to come: {how}."),
        how => format!("{name} has no due times: it starts {how}."),
    }
}

/// That nothing was due, and what was due before and after.
pub fn nothing(asked: &Asked<'_>, text: &str, before: Option<DateTime<Utc>>, after: Option<DateTime<Utc>>) -> Answer {
    let at = |at: DateTime<Utc>| shown(at, asked.zone);
    let near = match (before, after) {
        (Some(before), Some(after)) => {
            format!("the due time before it is {}, the one after it {}", at(before), at(after))
        }
        (Some(before), None) => format!("the last due time is {}", at(before)),
        (None, Some(after)) => format!("the next due time is {}", at(after)),
        (None, None) => "it has no due times".to_owned(),
    };
    Answer { sentence: format!("{text}: {} was not due; {near}.", asked.loop_name), command: None }
}

/// How a start that nothing hinders will go.
fn will(asked: &Asked<'_>, time: &Outlook) -> String {
    match time.quiet_until {
        Some(until) if time.quiet_skips => {
            let until = near(until, time.at, asked.zone);
            format!("it will be skipped: its quiet hours end at {until} (catch_up: skip)")
        }
        Some(until) => {
            format!("it will wait until {}, when its quiet hours end", near(until, time.at, asked.zone))
        }
        None if time.jitter_s > 0 => {
            let most = crate::definition::duration(time.jitter_s);
            format!("it will start by {}, up to {most} later", time.trigger)
        }
        None => format!("it will start by {}", time.trigger),
    }
}

/// Why it will not start, and what to do.
pub fn hindered(asked: &Asked<'_>, hindrance: &Hindrance) -> (String, String) {
    let name = asked.loop_name;
    match hindrance {
        Hindrance::Paused { since } => {
            (format!("it is paused since {}", shown(*since, asked.zone)), format!("loopwright enable {name}"))
        }
        Hindrance::Halted { why, alone } => {
            let level = if *alone { format!(" --loop {name}") } else { String::new() };
            (format!("it is halted ({why})"), format!("loopwright resume{level} --reason '…'"))
        }
        Hindrance::Changed { path, gone } => {
            // What is not there can't be confirmed.
            if *gone {
                let why = format!("its file {path} can't be read: put it back, or pause the loop");
                return (why, format!("loopwright disable {name}"));
            }
            (format!("its file {path} changed since it was confirmed"), format!("loopwright add {path}"))
        }
        Hindrance::Settings { why } => (why.clone(), "loopwright doctor".to_owned()),
        Hindrance::NoScheduler => ("no scheduler runs".to_owned(), "loopwright serve".to_owned()),
        Hindrance::StuckScheduler { pid, fault } => {
            let fault = colon(fault.as_deref());
            (format!("the scheduler (process {pid}) makes no passes{fault}"), "loopwright status".to_owned())
        }
    }
}

/// `2026-11-21 09:00`, or `2026-11-21 09:00 to 2026-11-22 08:45, 96 times`.
fn times(row: &Told, zone: Tz) -> String {
    match row.until {
        Some(until) => format!("{} to {}, {} times", shown(row.due_at, zone), shown(until, zone), row.times),
        None => shown(row.due_at, zone),
    }
}

/// The time alone where it is the same day.
fn near(at: DateTime<Utc>, of: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    match local.date_naive() == of.with_timezone(&zone).date_naive() {
        true => local.format("%H:%M").to_string(),
        false => shown(at, zone),
    }
}

fn since(at: Option<DateTime<Utc>>, of: DateTime<Utc>, zone: Tz) -> String {
    at.map(|at| format!(" since {}", near(at, of, zone))).unwrap_or_default()
}

fn colon(text: Option<&str>) -> String {
    text.map(|text| format!(": {text}")).unwrap_or_default()
}

/// `due in 3 h 5 min`.
fn until(span: Duration) -> String {
    let (days, hours, minutes) = (span.num_days(), span.num_hours() % 24, span.num_minutes() % 60);
    let words = match (days, hours, minutes) {
        (0, 0, 0) => format!("{} s", span.num_seconds()),
        (0, 0, m) => format!("{m} min"),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (1, 0, _) => "1 day".to_owned(),
        (d, 0, _) => format!("{d} days"),
        (1, h, _) => format!("1 day {h} h"),
        (d, h, _) => format!("{d} days {h} h"),
    };
    format!("due in {words}")
}

#[cfg(test)]
mod tests;

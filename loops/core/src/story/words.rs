//! The words that a story is made of: durations, ends, sentences of untrusted text.

use chrono::{DateTime, FixedOffset};

use crate::run::{Discovered, End, HaltWhy, HandOver, HoldBack, Step};
use crate::triage::plain;

/// Seconds in the two largest units: `45 s`, `2 min`, `1 h 30 min`.
pub fn duration(seconds: u64) -> String {
    let pair = |big: u64, unit: &str, small: u64, rest: &str| match small {
        0 => format!("{big} {unit}"),
        _ => format!("{big} {unit} {small} {rest}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        _ => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
    }
}

/// What an open step is called in one word: `building`, `checking`.
pub fn phase(step: &Step) -> &str {
    match step {
        Step::Run { .. } | Step::Finally { .. } => step.called(),
        Step::Wait { .. } => "waiting",
        Step::Prepare => "preparing",
        Step::Discover => "looking for work",
        Step::Build { .. } => "building",
        Step::Verify { .. } => "checking",
        Step::Ship { .. } => "opening a pull request",
        Step::HandOver { .. } => "handing over",
        Step::HoldBack { .. } => "holding back",
    }
}

/// Why findings are held back, as one clause.
pub fn held_back(why: &HoldBack) -> String {
    match why {
        HoldBack::MaxFindings { max } => {
            format!("a run acts on at most {} (max_findings)", counted_as(*max, "finding"))
        }
        HoldBack::ReviewFull { max } => {
            let many = counted_as(*max, "pull request");
            format!("at most {many} may wait for you (review.max_open)")
        }
    }
}

/// Why a finding was handed over, with the first of the `reasons` of its last rejection, as one clause of plain text.
pub fn handed_over(why: &HandOver, reasons: &[String]) -> String {
    let judged = matches!(why, HandOver::IterationCap { .. } | HandOver::NoProgress { .. });
    let (text, more) = (plain(&why.text(), 200), reasons.len().saturating_sub(1));
    match reasons.first().filter(|_| judged) {
        None => text,
        Some(first) if more == 0 => format!("{text}; last: {}", plain(first, 200)),
        Some(first) => format!("{text}; last: {} (and {more} more)", plain(first, 200)),
    }
}

/// What a look came to, in numbers that add up: `Found 5 (1 new): 2 to act on, 3 already decided, waiting or put off.`
/// `asked` says that a person asked for one finding alone.
pub fn found(found: &Discovered, asked: bool) -> String {
    let queued = u32::try_from(found.queue.len()).unwrap_or(u32::MAX);
    let rest = found.seen.saturating_sub(queued);
    let parts = match asked {
        true => [(queued, "asked for"), (rest, "left alone")],
        false => [(queued, "to act on"), (rest, "already decided, waiting or put off")],
    };
    let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let mut text = match (found.seen, parts.is_empty()) {
        (0, true) => "Found nothing.".to_owned(),
        (seen, _) => format!("Found {seen} ({} new): {}.", found.new, parts.join(", ")),
    };
    if found.gone > 0 {
        text += &format!(" {} from before no longer seen.", found.gone);
    }
    text
}

/// How a run ended that found `left` to act on and was to report only, as one sentence.
pub fn reported(left: usize) -> String {
    let left = u32::try_from(left).unwrap_or(u32::MAX);
    format!("Ended: reported only, with {} to act on.", counted_as(left, "finding"))
}

/// How a run ended, as one sentence.
pub fn ending(end: &End) -> String {
    match end {
        End::Finished => "Ended: nothing is left to do.".to_owned(),
        End::Halted { why, detail } => {
            let by = match why {
                HaltWhy::Halt => "Halted",
                HaltWhy::Budget => "Stopped by its budget",
                HaltWhy::Time => "Stopped by its time",
            };
            format!("{by}: {}", clause(detail))
        }
        End::Failed { why } => format!("Failed: {}", clause(why)),
    }
}

/// Untrusted text as one plain sentence: a capital first, a full stop last.
pub(super) fn sentence(text: &str) -> String {
    capital(&clause(text))
}

/// Untrusted text as the plain rest of a sentence: a full stop last.
pub(super) fn clause(text: &str) -> String {
    let mut text = plain(text, 300);
    if !text.ends_with(['.', '!', '?', '…']) {
        text.push('.');
    }
    text
}

pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // Names such as `tests_pass` and paths keep their case.
        Some(first) if !text.split(' ').next().is_some_and(is_name) => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

fn is_name(word: &str) -> bool {
    word.contains(['_', '/', '.', ':', '`', '-'])
}

pub(super) fn counted_as(n: u32, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {word}{s}")
}

/// The first seven digits of a commit.
pub(super) fn short(commit: &str) -> String {
    plain(commit, 64).chars().take(7).collect()
}

/// The time of day of an RFC 3339 time; what can't be read is shown as such.
pub(super) fn clock(at: &str, offset: FixedOffset) -> String {
    match DateTime::parse_from_rfc3339(at) {
        Ok(time) => time.with_timezone(&offset).format("%H:%M:%S").to_string(),
        Err(_) => "??:??:??".to_owned(),
    }
}

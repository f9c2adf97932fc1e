//! The one notification that tells of pull requests: a new one is told, and what is shown stays true.

use chrono::{DateTime, Utc};

use super::plan::{Candidate, Desk, Step, Told};
use super::rate::{Wait, wait_in_quiet};
use super::{Notice, Waiting, words};

/// The notification for pull requests that nobody was told of, with all that wait.
pub(super) fn candidate(desk: &Desk<'_>) -> Option<Candidate> {
    let untold = || desk.facts.waiting.iter().filter(|p| !desk.was_told(&p.topic(), p.again));
    let since: DateTime<Utc> = untold().map(|p| p.again.unwrap_or(p.opened)).min()?;
    let mut loops: Vec<String> = untold().map(|p| p.loop_name.clone()).collect();
    loops.dedup();
    let replaces = live(desk).next().map(|told| told.id);
    Some(Candidate { notice: all(desk)?, replaces, loops, since })
}

/// Withdraws or replaces what is shown and no longer true; `news`: something else is to be told of and has to wait.
pub(super) fn keep_true(desk: &Desk<'_>, news: bool) -> Vec<Step> {
    let mut shown = live(desk);
    let first = shown.next();
    let mut steps: Vec<Step> = shown.map(|told| Step::Withdraw(told.id)).collect();
    let Some(first) = first.filter(|first| !is_true(desk, first)) else { return steps };
    let now = all(desk).filter(|now| !news && wait_in_quiet(desk, now) == Wait::Now);
    steps.push(match now {
        // Not asked again: it only says what is so.
        Some(now) => Step::Show { notice: Box::new(now), replaces: Some(first.id), counts: None },
        None => Step::Withdraw(first.id),
    });
    steps
}

/// Whether all that it tells of waits as it says, and each of its buttons would do what stands on it. More may wait.
fn is_true(desk: &Desk<'_>, shown: &Told) -> bool {
    let these: Vec<&Waiting> = desk.facts.waiting.iter().filter(|p| shown.topics.contains(&p.topic())).collect();
    let now = words::waiting(desk.facts, &these);
    now.is_some_and(|now| now.topics.len() == shown.topics.len() && now.buttons == shown.buttons)
}

fn all(desk: &Desk<'_>) -> Option<Notice> {
    words::waiting(desk.facts, &desk.facts.waiting.iter().collect::<Vec<_>>())
}

/// Those that are shown, the newest first.
fn live<'d>(desk: &Desk<'d>) -> impl Iterator<Item = &'d Told> + use<'d> {
    let mut live: Vec<&Told> = desk.told.iter().filter(|told| told.live && told.kind.of_waiting()).collect();
    live.sort_by_key(|told| std::cmp::Reverse(told.at));
    live.into_iter()
}

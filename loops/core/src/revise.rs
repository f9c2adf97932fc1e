//! Working on a pull request again: how many rounds that may take, what the maker is told, and when it is over.
//!
//! A person who sends a change back is told whether a round was granted; the move of a base is nobody's fault and no round.

use crate::check::text;
use crate::progress;
use crate::review::State;
use crate::run::{End, HandOver, Item, Revise, Run, Stage};

/// Most characters of a person's note.
pub const NOTE_LIMIT: usize = 4000;

/// The most rounds that a finding may have in a run: the rail, but one more than it had where a person asks for one.
pub fn cap(run: &Run, item: &Item) -> u32 {
    let before = u32::try_from(item.queued.rounds.len()).unwrap_or(u32::MAX);
    let rail = run.start.rails.max_iterations;
    match run.start.revises.as_ref().map(|r| &r.why) {
        None => rail,
        Some(Revise::SentBack { .. }) => rail.max(before.saturating_add(1)),
        // The same change again, once.
        Some(Revise::Moved) => before.saturating_add(1),
    }
}

/// Whether sending back grants a round, where a finding had `rounds` and the rail allows `max_iterations`.
pub fn grants_one(rounds: usize, max_iterations: u32) -> bool {
    u32::try_from(rounds).unwrap_or(u32::MAX) >= max_iterations
}

/// Rounds in a row without progress. A person's word begins a new count: what was before it was good enough to be shown.
pub fn stale(run: &Run, item: &Item) -> u32 {
    let before = if run.start.revises.is_some() { item.queued.rounds.len() } else { 0 };
    let stale = progress::stale(&item.queued.failing, &item.queued.base_failing, &item.rounds);
    let own = u32::try_from(item.rounds.len().saturating_sub(before)).unwrap_or(u32::MAX);
    stale.min(own)
}

impl Revise {
    /// Whether a pull request that stands like this still waits for such a run.
    pub fn is_awaited_by(&self, state: &State) -> bool {
        match self {
            // An approval that was undone meanwhile has an open pull request, which is welcome on the new base too.
            Revise::Moved => matches!(state, State::Approved { .. } | State::Open { .. }),
            Revise::SentBack { .. } => matches!(state, State::SentBack { .. }),
        }
    }

    /// Whether a pull request that stands like this goes back to the person when such a run came to nothing.
    pub fn fails_to(&self, state: &State) -> bool {
        match self {
            Revise::Moved => matches!(state, State::Approved { .. }),
            Revise::SentBack { .. } => matches!(state, State::SentBack { .. }),
        }
    }

    /// What the run that came to nothing tells the person.
    pub fn failed(&self, why: &str) -> String {
        match self {
            Revise::Moved => format!("the branch moved, and the change is not verified on it: {why}"),
            Revise::SentBack { .. } => format!("the attempt after your note came to nothing: {why}"),
        }
    }
}

/// Why a run that was to work on a pull request again came to nothing, for the person.
pub fn came_to_nothing(run: &Run, end: &End) -> String {
    match end {
        End::Finished => {}
        End::Halted { detail: why, .. } | End::Failed { why } => return why.clone(),
    }
    let item = run.items.first();
    match item.map(|i| &i.stage) {
        Some(Stage::HandedOver(HandOver::Declined { why } | HandOver::StepFailed { why })) => why.clone(),
        Some(Stage::HandedOver(why)) => match item.map(|i| i.reasons.as_slice()) {
            Some(reasons) if !reasons.is_empty() => reasons.iter().take(3).cloned().collect::<Vec<_>>().join("; "),
            _ => why.text(),
        },
        _ => "nothing was done".to_owned(),
    }
}

/// A person's note as it is kept: without anything hidden and not endless; none when it says nothing.
pub fn note(said: &str) -> Option<String> {
    let whole: String = text::clean(said.as_bytes()).trim().chars().take(NOTE_LIMIT).collect();
    (!whole.is_empty()).then_some(whole)
}

//! Registered loops: what they work on, and when they are due.

use chrono::{DateTime, Utc};
use loopwright_core::run::Mode;
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_engine::api::LoopView;

use super::{mark, runs};
use crate::page::{Page, Tint};
use crate::zone::{Zone, due};

/// Adds one loop with its next times.
pub(crate) fn one(page: &mut Page, view: &LoopView, zone: Zone, now: DateTime<Utc>) {
    let state = view.last.as_ref().map_or(Mark::Nothing, runs::mark_of);
    mark(page, state).add(Tint::Strong, &plain(&view.name, 64)).say("  ");
    page.line(&plain(&view.schedule, 120));
    let mode = match view.mode {
        Mode::Report => "only reports; `run --ship` lets it open pull requests",
        Mode::Ship => "opens pull requests",
    };
    field(page, "works on", &view.repo);
    field(page, "mode", mode);
    match view.next.is_empty() {
        true => field(page, "next", "only by hand"),
        false => field(page, "next", &next(view, now)),
    }
    if let Some(last) = &view.last {
        let when = zone.day_time(&last.started, now);
        field(page, "last", &format!("{when}: {}", runs::result(last)));
    }
}

/// The next times in one line.
fn next(view: &LoopView, now: DateTime<Utc>) -> String {
    let times: Vec<String> = view.next.iter().map(|at| due(at, now)).collect();
    times.join(" · ")
}

fn field(page: &mut Page, name: &str, text: &str) {
    page.say("  ").cell(Tint::Muted, name, 10).line(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use crate::zone::tests::{BERLIN, now};

    #[test]
    fn a_loop_on_schedule_and_one_by_hand() {
        let mut page = Page::new(false);
        let mut by_hand = samples::a_loop();
        by_hand.next.clear();
        by_hand.last = None;
        by_hand.schedule = "by hand".to_owned();
        by_hand.mode = Mode::Report;
        one(&mut page, &samples::a_loop(), BERLIN, now());
        one(&mut page, &by_hand, BERLIN, now());
        insta::assert_snapshot!(page.text());
    }
}

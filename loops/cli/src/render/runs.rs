//! Runs in a list, and the head of one.

use chrono::{DateTime, Utc};
use loopwright_core::exit;
use loopwright_core::run::{End, HaltWhy};
use loopwright_core::story::{Mark, duration};
use loopwright_core::triage::plain;
use loopwright_engine::api::RunRow;

use super::{aligned, count, money, tint};
use crate::page::{Page, Tint};
use crate::zone::{Zone, seconds};

/// Adds a list of runs.
pub(crate) fn rows(page: &mut Page, indent: usize, rows: &[RunRow], zone: Zone, now: DateTime<Utc>) {
    let cells = |r: &RunRow| {
        let mark = mark_of(r);
        vec![
            (tint(mark), format!("{} {}", mark.shape(), r.short)),
            (Tint::Strong, plain(&r.loop_name, 64)),
            (Tint::Plain, zone.day_time(&r.started, now)),
            (Tint::Plain, took(r, now)),
            (Tint::Plain, money(r.spent)),
            (Tint::Plain, result(r, zone, now)),
        ]
    };
    aligned(page, indent, &rows.iter().map(cells).collect::<Vec<_>>());
}

/// Adds the head of one run: which, when, how long, for how much.
pub(crate) fn head(page: &mut Page, row: &RunRow, zone: Zone, now: DateTime<Utc>) {
    super::mark(page, mark_of(row)).add(Tint::Strong, &plain(&row.loop_name, 64));
    let text = format!(
        "  run {} · {} · {} · {} of {} · {}",
        row.short,
        zone.day_time(&row.started, now),
        took(row, now),
        money(row.spent),
        money(row.budget),
        result(row, zone, now)
    );
    page.line(&text);
}

/// The mark of a run.
pub(crate) fn mark_of(row: &RunRow) -> Mark {
    match row.code {
        None if row.parked.is_some() => Mark::Skipped,
        None => Mark::Running,
        Some(exit::DONE) => Mark::Passed,
        Some(exit::NOTHING) => Mark::Nothing,
        Some(exit::WAITS | exit::NO_PROGRESS | exit::ITERATION_CAP) => Mark::NeedsYou,
        Some(exit::HALTED | exit::BUDGET | exit::TIME) => Mark::Halted,
        Some(_) => Mark::Failed,
    }
}

/// What came of it, in a few words.
pub(crate) fn result(row: &RunRow, zone: Zone, now: DateTime<Utc>) -> String {
    let made = made(row);
    let said = match &row.end {
        None => parked(row, zone, now).map_or_else(|| "running".to_owned(), |until| format!("parked {until}")),
        Some(End::Finished) if !made.is_empty() => return made,
        Some(End::Finished) if reported(row) => return "reported only".to_owned(),
        Some(End::Finished) if row.acted == 0 && row.chores == 0 => return "nothing to do".to_owned(),
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

/// What it waits for: `until 16:08`, with the day where that is another one.
fn parked(row: &RunRow, zone: Zone, now: DateTime<Utc>) -> Option<String> {
    let why = row.parked.as_ref()?;
    let at = row.parked_until.as_ref().map(|at| zone.day_time(at, now));
    Some(at.map_or_else(|| plain(why, 80), |at| format!("until {}", at.strip_prefix("today ").unwrap_or(&at))))
}

/// Whether it found something to act on and was to report only.
pub(crate) fn reported(row: &RunRow) -> bool {
    row.acted == 0 && row.chores == 0 && row.code == Some(exit::DONE)
}

fn made(row: &RunRow) -> String {
    let part = |n: u32, word: &str| (n > 0).then(|| count(n as usize, word));
    let parts = [
        part(row.pull_requests, "pull request"),
        (row.handed_over > 0).then(|| format!("{} handed to you", row.handed_over)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn took(row: &RunRow, now: DateTime<Utc>) -> String {
    seconds(&row.started, row.ended.as_deref(), now).map_or_else(|| "–".to_owned(), duration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples;
    use crate::zone::tests::{BERLIN, now};

    #[test]
    fn a_list_of_every_kind() {
        let halted = End::Halted { why: HaltWhy::Halt, detail: "by hand".to_owned() };
        let failed = End::Failed { why: "cargo is not\nfound".to_owned() };
        let mut waits = samples::run(Some(End::Finished), Some(exit::WAITS));
        (waits.pull_requests, waits.handed_over, waits.acted) = (2, 1, 3);
        let list = [
            samples::run(None, None),
            waits,
            samples::run(Some(End::Finished), Some(exit::NOTHING)),
            samples::run(Some(End::Finished), Some(exit::DONE)),
            samples::run(Some(halted), Some(exit::HALTED)),
            samples::run(Some(failed), Some(exit::FAILED)),
        ];
        let mut page = Page::new(false);
        rows(&mut page, 0, &list, BERLIN, now());
        page.gap();
        head(&mut page, &list[1], BERLIN, now());
        insta::assert_snapshot!(page.text());
    }
}

//! Runs in a list, and the head of one.

use chrono::{DateTime, Utc};
use loopwright_core::history;
use loopwright_core::story::{Mark, duration};
use loopwright_core::triage::plain;
use loopwright_engine::api::{RunRow, run_facts};

use super::{aligned, money, tint};
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
            (Tint::Plain, spent(r).unwrap_or_default()),
            (Tint::Plain, result(r, zone, now)),
        ]
    };
    aligned(page, indent, &rows.iter().map(cells).collect::<Vec<_>>());
}

/// Adds the head of one run: which, when, how long, for how much.
pub(crate) fn head(page: &mut Page, row: &RunRow, zone: Zone, now: DateTime<Utc>) {
    super::mark(page, mark_of(row)).add(Tint::Strong, &plain(&row.loop_name, 64));
    let of = spent(row).map(|spent| format!("{spent} of {}", money(row.budget)));
    let parts = [format!("run {}", row.short), zone.day_time(&row.started, now), took(row, now)];
    let parts: Vec<String> = parts.into_iter().chain(of).chain([result(row, zone, now)]).collect();
    page.line(&format!("  {}", parts.join(" · ")));
}

/// What it cost; none where nothing in it can cost anything.
fn spent(row: &RunRow) -> Option<String> {
    (row.budget.0 > 0 || row.spent.0 > 0).then(|| money(row.spent))
}

/// The mark of a run.
pub(crate) fn mark_of(row: &RunRow) -> Mark {
    history::mark(&run_facts(row, row.parked.as_deref()))
}

/// What came of it, in a few words.
pub(crate) fn result(row: &RunRow, zone: Zone, now: DateTime<Utc>) -> String {
    history::result(&run_facts(row, parked(row, zone, now).as_deref()))
}

/// What it waits for: `until 16:08`, with the day where that is another one.
fn parked(row: &RunRow, zone: Zone, now: DateTime<Utc>) -> Option<String> {
    let why = row.parked.as_ref()?;
    let at = row.parked_until.as_ref().map(|at| zone.day_time(at, now));
    Some(at.map_or_else(|| plain(why, 80), |at| format!("until {}", at.strip_prefix("today ").unwrap_or(&at))))
}

/// Whether it found something to act on and was to report only.
pub(crate) fn reported(row: &RunRow) -> bool {
    history::reported(&run_facts(row, None))
}

fn took(row: &RunRow, now: DateTime<Utc>) -> String {
    seconds(&row.started, row.ended.as_deref(), now).map_or_else(|| "–".to_owned(), duration)
}

#[cfg(test)]
mod tests {
    use loopwright_core::exit;
    use loopwright_core::run::{End, HaltWhy};

    use super::*;
    use crate::render::samples;
    use crate::zone::tests::{BERLIN, now};

    #[test]
    fn last_steps_that_failed_are_told() {
        let mut row = samples::run(Some(End::Finished), Some(exit::FAILED));
        row.chores = 1;
        assert_eq!(result(&row, BERLIN, now()), "done", "the control");
        row.last_steps = Some("report (exit code 9)".to_owned());
        assert_eq!(result(&row, BERLIN, now()), "done, but its last steps failed: report (exit code 9)");
    }

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

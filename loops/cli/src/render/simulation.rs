//! A simulated story: what each rail alone made of it.

use loopwright_core::story::{Mark, duration};
use loopwright_engine::api::Simulation;

use super::{aligned, money, tint};
use crate::page::{Page, Tint};

/// Adds the story and its table.
pub(crate) fn table(page: &mut Page, view: &Simulation) {
    page.line(view.about);
    page.gap();
    let head = ["rail", "after", "rounds", "cost", "stopped by"].map(|word| (Tint::Plain, word.to_owned()));
    let rows = view.lines.iter().map(|line| {
        let stopped = line.stopped_by.clone().unwrap_or_else(|| "nothing".to_owned());
        let mark = if line.stopped_by.is_some() { Mark::Passed } else { Mark::Failed };
        vec![
            (Tint::Strong, line.rail.clone()),
            (Tint::Plain, days(line.after_s)),
            (Tint::Plain, line.rounds.to_string()),
            (tint(mark), money(line.spent)),
            (Tint::Plain, stopped),
        ]
    });
    let rows: Vec<_> = std::iter::once(head.to_vec()).chain(rows).collect();
    aligned(page, 0, &rows);
    page.gap();
    page.line(
        "Only here can a loop have a single rail: a loop file must have at least three, and HALT is always there.",
    );
}

/// `101 s`, `45 min`, `10 days 23 h`.
fn days(seconds: u64) -> String {
    match seconds / 86_400 {
        0 if seconds < 600 => format!("{seconds} s"),
        0 => duration(seconds),
        days => format!("{days} days {} h", seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runaway_pair() {
        let view = loopwright_engine::api::simulate("runaway").expect("a story");
        let mut page = Page::new(false);
        table(&mut page, &view);
        insta::assert_snapshot!(page.text());
    }
}

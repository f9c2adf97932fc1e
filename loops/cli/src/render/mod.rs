//! Views as pages: what the engine answers, laid out for a person. Nothing here asks, decides or prints.

use loopwright_core::money::Micros;
use loopwright_core::story::Mark;

use crate::page::{Page, Tint};

pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod init;
pub(crate) mod loops;
pub(crate) mod played;
pub(crate) mod review;
pub(crate) mod runs;
pub(crate) mod simulation;
pub(crate) mod spend;
pub(crate) mod status;
pub(crate) mod story;
pub(crate) mod summary;

/// Money with at least two digits behind the dot: `$5.00`, `$0.0125`.
pub(crate) fn money(amount: Micros) -> String {
    let shown = amount.to_string();
    match shown.contains('.') {
        true => shown,
        false => shown + ".00",
    }
}

/// `1 pull request`, `2 pull requests`.
pub(crate) fn count(n: usize, word: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {word}{s}")
}

/// The colour of a mark; its shape says the same without colour.
pub(crate) fn tint(mark: Mark) -> Tint {
    match mark {
        Mark::Running => Tint::Accent,
        Mark::Passed => Tint::Ok,
        Mark::NeedsYou => Tint::Attention,
        Mark::Halted | Mark::Failed => Tint::Stop,
        Mark::Nothing | Mark::Skipped | Mark::Note => Tint::Muted,
    }
}

/// Adds a mark and a space.
pub(crate) fn mark(page: &mut Page, mark: Mark) -> &mut Page {
    page.add(tint(mark), &mark.shape().to_string()).say(" ")
}

/// Adds a whole line: indent, mark, text.
pub(crate) fn marked(page: &mut Page, indent: usize, with: Mark, text: &str) {
    page.say(&" ".repeat(indent));
    mark(page, with).say(text).end();
}

/// Wider cells push the rest of their own row aside and no other row's.
const WIDEST: usize = 60;

/// Adds rows whose columns line up.
pub(crate) fn aligned(page: &mut Page, indent: usize, rows: &[Vec<(Tint, String)>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|r| r.get(column));
        let lengths = cells.map(|(_, text)| text.chars().count());
        lengths.filter(|n| *n <= WIDEST).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        page.say(&" ".repeat(indent));
        for ((tint, text), width) in row.iter().zip(&widths) {
            page.cell(*tint, text, *width).say("  ");
        }
        page.end();
    }
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_has_two_digits_or_more() {
        assert_eq!(money(Micros(5_000_000)), "$5.00");
        assert_eq!(money(Micros(410_000)), "$0.41");
        assert_eq!(money(Micros(12_500)), "$0.0125");
    }
}

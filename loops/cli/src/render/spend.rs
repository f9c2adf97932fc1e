//! What was spent: three figures, when they begin anew, and a row per loop.

use loopwright_core::money::Micros;
use loopwright_core::spend::SpendRange;
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_engine::api::{ModelShare, SpendRow, SpendView};

use super::{aligned, count, marked, money};
use crate::page::{Page, Tint};

/// Adds the whole answer.
pub(crate) fn spend(page: &mut Page, view: &SpendView) {
    if let Some(fault) = &view.settings {
        marked(page, 0, Mark::Failed, &plain(fault, 300));
        page.line("  No run starts until it is corrected; the ceilings over all loops are not shown");
        page.gap();
    }
    let of = match (&view.ceiling, view.ceilings.as_slice()) {
        (Some(ceiling), _) => format!(" of {} ({})", money(ceiling.amount), ceiling.words),
        (None, []) => "; no ceiling over all loops is set".to_owned(),
        (None, set) => format!("; ceilings over all loops: {}", set.join(", ")),
    };
    page.tinted(Tint::Strong, &format!("{} {}{of}", money(view.spent), word(view.range)));
    let mut parts = vec![format!("begins anew {}", view.resets)];
    parts.extend(view.pace.filter(|pace| *pace > Micros::ZERO).map(|pace| format!("at this pace {}", dollars(pace))));
    page.line(&parts.join(" · "));
    let each = view.per_merged.map(|each| format!("{} per merged pull request · ", dollars(each)));
    page.line(&format!("{}{} merged, {} reverted", each.unwrap_or_default(), view.merged, view.reverted));
    page.gap();
    rows(page, view);
    let reserved = format!("Reserved now {} (worst case of calls on the way)", money(view.reserved));
    page.line(&reserved);
    for price in &view.unknown_prices {
        let (name, why) = (plain(&price.loop_name, 64), plain(&price.why, 200));
        marked(page, 0, Mark::Failed, &format!("{name}: {why}; its runs are refused"));
        page.line(&format!("  {}", plain(price.help.as_deref().unwrap_or_default(), 200)));
    }
}

fn rows(page: &mut Page, view: &SpendView) {
    if view.loops.is_empty() {
        marked(page, 0, Mark::Nothing, "No loops yet.");
        page.gap();
        return;
    }
    if view.spent == Micros::ZERO && view.reserved == Micros::ZERO {
        marked(page, 0, Mark::Nothing, &format!("Nothing spent {}.", word(view.range)));
    }
    let head = ["Loop", "today", range(view.range), "ceiling/day", "per merged", "by model"];
    let head = head.into_iter().map(|title| (Tint::Muted, title.to_owned())).collect();
    let lines: Vec<_> = std::iter::once(head).chain(view.loops.iter().map(cells)).collect();
    aligned(page, 0, &lines);
    page.gap();
}

fn cells(row: &SpendRow) -> Vec<(Tint, String)> {
    let or_none = |amount: Option<Micros>| amount.map_or_else(|| "–".to_owned(), dollars);
    vec![
        (Tint::Strong, plain(&row.loop_name, 64)),
        (Tint::Plain, dollars(row.today)),
        (Tint::Plain, dollars(row.spent)),
        (Tint::Plain, or_none(row.day)),
        (Tint::Plain, or_none(row.per_merged)),
        (Tint::Plain, shares(&row.models)),
    ]
}

/// `claude-x $2.10, claude-y $0.40 and 2 models more`.
fn shares(models: &[ModelShare]) -> String {
    let one = |share: &ModelShare| {
        let name = share.model.as_deref().map_or_else(|| "not named".to_owned(), |model| plain(model, 40));
        format!("{name} {}", dollars(share.charged))
    };
    let told: Vec<String> = models.iter().take(3).map(one).collect();
    let more = models.len().saturating_sub(3);
    let more = if more > 0 { format!(" and {} more", count(more, "model")) } else { String::new() };
    format!("{}{more}", told.join(", "))
}

/// To the cent, rounded up: a part of a cent is not nothing.
fn dollars(amount: Micros) -> String {
    money(Micros(amount.0.div_ceil(10_000) * 10_000))
}

fn word(range: SpendRange) -> &'static str {
    match range {
        SpendRange::Today => "today",
        SpendRange::Week => "this week",
        SpendRange::Month => "this month",
    }
}

fn range(range: SpendRange) -> &'static str {
    match range {
        // The column before says it already, on the clock of each loop.
        SpendRange::Today => "charged",
        SpendRange::Week => "week",
        SpendRange::Month => "month",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, spent: u64, models: &[(Option<&str>, u64)]) -> SpendRow {
        let share = |(model, charged): &(Option<&str>, u64)| ModelShare {
            model: model.map(str::to_owned),
            charged: Micros(*charged),
        };
        SpendRow {
            loop_name: name.to_owned(),
            today: Micros(410_000),
            spent: Micros(spent),
            day: Some(Micros(5_000_000)),
            run: None,
            month: None,
            merged: 5,
            reverted: 1,
            per_merged: Some(Micros(spent / 5)),
            models: models.iter().map(share).collect(),
        }
    }

    fn view(loops: Vec<SpendRow>) -> SpendView {
        SpendView {
            range: SpendRange::Week,
            from: "2026-11-16".to_owned(),
            to: "2026-11-22".to_owned(),
            zone: "Europe/Berlin".to_owned(),
            resets: "Mon 23 Nov 00:00 (Europe/Berlin)".to_owned(),
            ends: "2026-11-22T23:00:00Z".to_owned(),
            spent: loops.iter().map(|row| row.spent).sum(),
            reserved: Micros(350_000),
            ceiling: None,
            pace: Some(Micros(11_000_001)),
            merged: 8,
            reverted: 2,
            per_merged: Some(Micros(802_500)),
            ceilings: Vec::new(),
            loops,
            models: Vec::new(),
            unknown_prices: Vec::new(),
            settings: None,
        }
    }

    fn text(view: &SpendView) -> String {
        let mut page = Page::new(false);
        spend(&mut page, view);
        page.text().to_owned()
    }

    #[test]
    fn a_week_with_everything() {
        let models = [(Some("m\u{1b}[31m1"), 2_600_000), (None, 400_000), (Some("m3"), 99_999), (Some("m4"), 1)];
        let mut full = view(vec![row("daily-triage", 3_100_000, &models), row("deps", 1_020_000, &[])]);
        full.ceiling =
            Some(loopwright_core::spend::RangeCeiling { amount: Micros(25_000_000), words: "7 × $3/day".to_owned() });
        full.unknown_prices.push(loopwright_engine::api::UnknownPrice {
            loop_name: "web".to_owned(),
            why: "`maker` names no price".to_owned(),
            help: Some("add `price: $0` if it costs nothing".to_owned()),
        });
        insta::assert_snapshot!(text(&full));
    }

    #[test]
    fn nothing_spent_and_no_loops() {
        let mut none = view(Vec::new());
        (none.reserved, none.pace, none.per_merged, none.merged, none.reverted) = (Micros::ZERO, None, None, 0, 0);
        insta::assert_snapshot!(text(&none));
    }
}

//! Loops on a virtual clock: a line for whatever happens, and what became of all due times.

use chrono_tz::Tz;
use loopwright_core::triage::plain;
use loopwright_engine::api::{Line, SimulationView, Tally, What};

use super::{aligned, count, money, story};
use crate::page::{Page, Tint};

/// Adds the journal and its sums.
pub(crate) fn journal(page: &mut Page, view: &SimulationView) {
    happened(page, view);
    page.gap();
    let zone: Tz = view.zone.parse().unwrap_or(Tz::UTC);
    let day = |at: &chrono::DateTime<chrono::Utc>| at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    page.line(&format!("From {} to {}, {}.", day(&view.from), day(&view.to), view.zone));
    if view.shown_in != view.zone {
        page.line(&format!("The times above are those of {}.", view.shown_in));
    }
    let head = ["loop", "starts", "missed", "skipped", "halted", "failed", "pull requests", "handed over", "cost"];
    let head = head.map(|word| (Tint::Plain, word.to_owned())).to_vec();
    let sums: Vec<_> = std::iter::once(head).chain(view.loops.iter().map(sum)).collect();
    aligned(page, 0, &sums);
    page.gap();
    let runs = usize::try_from(view.loops.iter().map(|of| of.started).sum::<u64>()).unwrap_or(usize::MAX);
    page.line(&format!("{} on a virtual clock: agents, repositories and commands were made up.", count(runs, "run")));
}

/// The lines, and below the start of a run what it did.
fn happened(page: &mut Page, view: &SimulationView) {
    let clock: Tz = view.shown_in.parse().unwrap_or(Tz::UTC);
    if view.journal.is_empty() {
        page.line("Nothing happens.");
    }
    if view.journal.iter().all(|line| line.story.is_empty()) {
        let rows: Vec<_> = view.journal.iter().map(|line| row(line, clock)).collect();
        return aligned(page, 0, &rows);
    }
    for line in &view.journal {
        aligned(page, 0, &[row(line, clock)]);
        for told in &line.story {
            page.say("    ");
            story::lines(page, std::slice::from_ref(told));
        }
    }
}

fn row(line: &Line, clock: Tz) -> Vec<(Tint, String)> {
    let own = line.zone.as_ref().and_then(|name| name.parse::<Tz>().ok()).filter(|own| *own != clock);
    let mut at = line.at.with_timezone(&own.unwrap_or(clock)).format("%a %Y-%m-%d %H:%M").to_string();
    if let Some(own) = own {
        at += &format!(" {own}");
    }
    let (tint, word) = word(line.what);
    vec![
        (Tint::Muted, at),
        match &line.loop_name {
            Some(name) => (Tint::Strong, plain(name, 64)),
            None => (Tint::Muted, who(line.what).to_owned()),
        },
        (tint, word.to_owned()),
        (Tint::Plain, plain(&line.text, 300)),
    ]
}

/// Who does what no loop does.
fn who(what: What) -> &'static str {
    match what {
        What::Killed | What::Trouble => "(scheduler)",
        What::Halt | What::Resume => "(you)",
        _ => "(computer)",
    }
}

fn word(what: What) -> (Tint, &'static str) {
    match what {
        What::Started => (Tint::Accent, "started"),
        What::TakenUp => (Tint::Accent, "taken up"),
        What::Finished => (Tint::Ok, "finished"),
        What::Halted => (Tint::Stop, "halted"),
        What::Failed => (Tint::Stop, "failed"),
        What::Missed => (Tint::Attention, "missed"),
        What::Skipped => (Tint::Muted, "skipped"),
        What::Asleep => (Tint::Muted, "falls asleep"),
        What::Awake => (Tint::Muted, "wakes up"),
        What::Off => (Tint::Muted, "is switched off"),
        What::On => (Tint::Muted, "is switched on"),
        What::OnBattery => (Tint::Muted, "runs on battery"),
        What::OnMains => (Tint::Muted, "runs on the mains"),
        What::ClockSet => (Tint::Attention, "its clock was set"),
        What::Halt => (Tint::Stop, "halt"),
        What::Resume => (Tint::Ok, "resume"),
        What::Killed => (Tint::Attention, "was killed and restarted"),
        What::Trouble => (Tint::Stop, "could not do"),
    }
}

fn sum(of: &Tally) -> Vec<(Tint, String)> {
    let numbers = [of.started, of.missed, of.skipped, of.halted, of.failed, of.pull_requests, of.handed_over];
    let mut cells = vec![(Tint::Strong, of.loop_name.clone())];
    cells.extend(numbers.map(|n| (Tint::Plain, n.to_string())));
    cells.push((Tint::Plain, money(of.spent)));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_with_its_sums() {
        let line = |at: &str, of: Option<&str>, what, text: &str| Line {
            at: at.parse().expect("a time"),
            loop_name: of.map(str::to_owned),
            zone: None,
            what,
            due_at: None,
            text: text.to_owned(),
            run: None,
            story: Vec::new(),
        };
        let mine = Some("daily-triage");
        let journal = vec![
            line("2026-12-01T08:00:00Z", mine, What::Started, "run 0badcafe for 2026-12-01 09:00 (cron)"),
            line("2026-12-01T08:20:00Z", mine, What::Finished, "run 0badcafe, 1 pull request, $0.40"),
            line("2026-12-01T21:00:00Z", None, What::Asleep, ""),
            line("2026-12-03T09:30:00Z", None, What::Awake, ""),
            line("2026-12-03T09:30:00Z", mine, What::Missed, "2026-12-02 09:00: the computer was asleep"),
        ];
        let sums = Tally {
            loop_name: "daily-triage".to_owned(),
            started: 1,
            missed: 1,
            pull_requests: 1,
            spent: loopwright_core::money::Micros(400_000),
            ..Tally::default()
        };
        let view = SimulationView {
            from: "2026-11-30T23:00:00Z".parse().expect("a time"),
            to: "2026-12-14T23:00:00Z".parse().expect("a time"),
            zone: "Europe/Berlin".to_owned(),
            shown_in: "Europe/Berlin".to_owned(),
            journal,
            loops: vec![sums],
        };
        let mut page = Page::new(false);
        super::journal(&mut page, &view);
        insta::assert_snapshot!(page.text());
    }
}

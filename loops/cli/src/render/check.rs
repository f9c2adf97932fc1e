//! A loop file that was read: its faults at their lines, or the loop as it was understood.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use chrono::{DateTime, Utc};
use loopwright_core::definition::explain::{Explanation, Mount, Row, Timetable};
use loopwright_core::diagnostic::{Diagnostic, Severity};
use loopwright_core::story::Mark;
use loopwright_core::triage::plain;
use loopwright_engine::api::CheckView;

use super::{aligned, count, mark, marked};
use crate::page::{Page, Tint, masked, visible};
use crate::zone::due;

/// Whether the file can't be used.
pub(crate) fn invalid(view: &CheckView) -> bool {
    let error = |d: &Diagnostic| d.severity == Severity::Error;
    view.explanation.is_none() || view.diagnostics.iter().any(error)
}

/// Adds all faults and notes, each at its line, and how many there are.
pub(crate) fn diagnostics(page: &mut Page, view: &CheckView) {
    let source = masked(&view.text);
    let path = visible(&view.path);
    for diagnostic in &view.diagnostics {
        let text = render(diagnostic, &source, &path, page.colour());
        page.rendered(&text);
        page.gap();
    }
    let errors = view.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    match errors.count() {
        0 => {}
        n => page.tinted(Tint::Stop, &format!("{path}: {}", count(n, "error"))),
    }
}

/// Adds all diagnostics and, if the file is valid, the loop as it was understood.
pub(crate) fn explained(page: &mut Page, view: &CheckView, now: DateTime<Utc>) {
    diagnostics(page, view);
    if let Some(known) = view.explanation.as_ref().filter(|_| !invalid(view)) {
        understood(page, view, known, now);
    }
}

/// Adds all diagnostics and what the loop comes to, without its keys one by one: for whoever sees the file beside it.
pub(crate) fn brief(page: &mut Page, view: &CheckView, now: DateTime<Utc>) {
    diagnostics(page, view);
    let Some(known) = view.explanation.as_ref().filter(|_| !invalid(view)) else {
        return;
    };
    schedule(page, known.schedule.as_ref(), now);
    field(page, "Cost", &known.cost.words);
    grants(page, &known.grants);
    let hosts: Vec<&str> = known.mounts.iter().map(|m| m.host.as_str()).filter(|h| h.starts_with('/')).collect();
    let own: Vec<&str> = known.mounts.iter().map(|m| m.host.as_str()).filter(|h| h.starts_with("(its")).collect();
    let own = own.join(", ").replace(['(', ')'], "");
    let sees = [own, format!("to read: {}", hosts.join(", "))].into_iter().filter(|part| !part.is_empty());
    field(page, "Sees", &sees.collect::<Vec<_>>().join(", and "));
    for note in &known.notes {
        marked(page, 0, Mark::Note, &plain(note, 1000));
    }
}

fn understood(page: &mut Page, view: &CheckView, known: &Explanation, now: DateTime<Utc>) {
    mark(page, Mark::Passed).add(Tint::Strong, &plain(&known.name, 64)).say("  ");
    page.tinted(Tint::Muted, &view.path);
    page.gap();
    let row = |r: &Row| {
        vec![(Tint::Plain, r.key.clone()), (Tint::Strong, r.value.clone()), (Tint::Muted, r.origin.to_string())]
    };
    aligned(page, 2, &known.rows.iter().map(row).collect::<Vec<_>>());
    page.gap();
    schedule(page, known.schedule.as_ref(), now);
    field(page, "Cost", &known.cost.words);
    grants(page, &known.grants);
    mounts(page, known);
    for note in &known.notes {
        marked(page, 0, Mark::Note, &plain(note, 1000));
    }
}

fn schedule(page: &mut Page, timetable: Option<&Timetable>, now: DateTime<Utc>) {
    let Some(table) = timetable else {
        return field(page, "When", "only by hand");
    };
    field(page, "When", &plain(&format!("{} ({})", table.words, table.zone), 1000));
    let times: Vec<String> = table.next.iter().map(|at| due(at, now)).collect();
    if !times.is_empty() {
        field(page, "Next", &times.join(" · "));
    }
}

fn grants(page: &mut Page, grants: &[String]) {
    if grants.is_empty() {
        field(page, "Grants", "none: no network, no secrets, no folder of yours");
    }
    for (at, grant) in grants.iter().enumerate() {
        field(page, if at == 0 { "Grants" } else { "" }, &plain(grant, 1000));
    }
}

fn mounts(page: &mut Page, known: &Explanation) {
    let row = |m: &Mount| {
        vec![(Tint::Plain, m.host.clone()), (Tint::Plain, m.inside.clone()), (Tint::Muted, m.access.clone())]
    };
    if !known.mounts.is_empty() {
        page.gap();
        page.tinted(Tint::Muted, "The sandbox sees");
        aligned(page, 2, &known.mounts.iter().map(row).collect::<Vec<_>>());
    }
    if !known.notes.is_empty() {
        page.gap();
    }
}

fn field(page: &mut Page, name: &str, text: &str) {
    page.cell(Tint::Muted, name, 8).line(text);
}

fn render(diagnostic: &Diagnostic, source: &str, path: &str, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let span = diagnostic.span.start..diagnostic.span.end;
    let snippet = Snippet::source(source).path(path).annotation(AnnotationKind::Primary.span(span));
    let message = visible(&diagnostic.message);
    let mut group: Group<'_> = level.primary_title(message).id(diagnostic.code).element(snippet);
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    let renderer = match colour {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    renderer.render(&[group])
}

#[cfg(test)]
mod tests {
    use loopwright_core::definition::explain::{Cost, Origin};
    use loopwright_core::diagnostic::Span;
    use loopwright_core::money::Micros;

    use super::*;
    use crate::zone::tests::now;

    const TEXT: &str = "name: x\ntriggr: manual\nbudget: 5\u{1b}[31m\u{202e}\n";

    fn view(text: &str) -> CheckView {
        let at = |what: &str| {
            let start = text.find(what).expect(what);
            Span::of(text, start, start + what.len())
        };
        CheckView {
            path: "loop.yaml".to_owned(),
            text: text.to_owned(),
            diagnostics: vec![
                Diagnostic::error("unknown-key", at("triggr"), "there is no key `triggr`")
                    .help("did you mean `trigger`?"),
                Diagnostic::error("budget", at("5"), "an amount starts with `$`").help("write `$5/run`"),
                Diagnostic::error("missing-key", Span::of(text, 999, 999), "`guardrails` is missing"),
            ],
            explanation: None,
        }
    }

    #[test]
    fn all_faults_stand_at_their_lines() {
        let mut page = Page::new(false);
        diagnostics(&mut page, &view(TEXT));
        insta::assert_snapshot!(page.text());
    }

    #[test]
    fn a_file_brings_no_escapes() {
        let mut page = Page::new(false);
        diagnostics(&mut page, &view(TEXT));
        assert!(!page.text().contains(['\u{1b}', '\u{202e}']), "{:?}", page.text());
        assert!(TEXT.contains('\u{1b}'), "the control would pass too");
    }

    #[test]
    fn an_empty_file_has_a_place_too() {
        let mut page = Page::new(false);
        let mut empty = view(TEXT);
        empty.text.clear();
        empty.diagnostics.drain(..2);
        empty.diagnostics[0].span = Span::of("", 0, 0);
        diagnostics(&mut page, &empty);
        assert!(page.text().contains("`guardrails` is missing"));
    }

    #[test]
    fn a_valid_knownis_told_whole() {
        let row = |key: &str, value: &str, origin| Row { key: key.to_owned(), value: value.to_owned(), origin };
        let by = "Cargo.toml".to_owned();
        let mut valid = view(TEXT);
        valid.diagnostics.clear();
        valid.explanation = Some(Explanation {
            name: "daily-triage".to_owned(),
            rows: vec![
                row("trigger", "cron(\"0 9 * * *\")", Origin::File { line: 2 }),
                row("guardrails.max_findings", "5", Origin::Default),
                row("checks.tests_pass", "cargo test", Origin::Detected { by }),
            ],
            schedule: Some(Timetable {
                words: "every day at 09:00".to_owned(),
                zone: "Europe/Berlin".to_owned(),
                next: vec!["2026-11-23T09:00:00+01:00".to_owned(), "2026-11-24T09:00:00+01:00".to_owned()],
                runs_per_week: 7,
                runs_per_day: 1,
            }),
            cost: Cost {
                per_run: Micros(5_000_000),
                per_day: Some(Micros(5_000_000)),
                per_week: Some(Micros(35_000_000)),
                words: "at most $5 a run and $5 a day; 7 scheduled runs a week: $35".to_owned(),
            },
            grants: Vec::new(),
            mounts: vec![Mount { host: "/usr".to_owned(), inside: "/usr".to_owned(), access: "read-only".to_owned() }],
            notes: vec!["reviewer: not defined: gates alone".to_owned()],
        });
        let mut page = Page::new(false);
        explained(&mut page, &valid, now());
        insta::assert_snapshot!(page.text());
    }
}

//! A loop file that was read: its faults at their lines, or the loop as it was understood.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use loopwright_core::diagnostic::{Diagnostic, Severity};
use loopwright_engine::api::CheckView;

use super::count;
use crate::page::{Page, Tint, masked, visible};

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
    let errors = view
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error);
    match errors.count() {
        0 => {}
        n => page.tinted(Tint::Stop, &format!("{path}: {}", count(n, "error"))),
    }
}

/// Adds all diagnostics and, if the file is valid, the loop as it was understood.
pub(crate) fn explained(page: &mut Page, view: &CheckView) {
    diagnostics(page, view);
    for note in view.explanation.iter().flat_map(|e| &e.notes) {
        page.line(note);
    }
}

fn render(diagnostic: &Diagnostic, source: &str, path: &str, colour: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let span = diagnostic.span.start..diagnostic.span.end;
    let snippet = Snippet::source(source)
        .path(path)
        .annotation(AnnotationKind::Primary.span(span));
    let message = visible(&diagnostic.message);
    let mut group: Group<'_> = level
        .primary_title(message)
        .id(diagnostic.code)
        .element(snippet);
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
    use loopwright_core::diagnostic::Span;

    use super::*;

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
                Diagnostic::error("budget", at("5"), "an amount starts with `$`")
                    .help("write `$5/run`"),
                Diagnostic::error(
                    "missing-key",
                    Span::of(text, 999, 999),
                    "`guardrails` is missing",
                ),
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
        assert!(
            !page.text().contains(['\u{1b}', '\u{202e}']),
            "{:?}",
            page.text()
        );
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
}

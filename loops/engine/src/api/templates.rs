//! The loops that ship with the program.

use super::TemplateView;

/// Name and text of each.
const SHIPPED: [(&str, &str); 3] = [
    ("daily-triage", include_str!("../../../templates/daily-triage/loop.yaml")),
    ("report", include_str!("../../../templates/report/loop.yaml")),
    ("tidy", include_str!("../../../templates/tidy/loop.yaml")),
];

/// All shipped loops; the first comment line of each says what it is for.
pub fn templates() -> Vec<TemplateView> {
    let view = |(name, text): &(&str, &str)| TemplateView {
        name: (*name).to_owned(),
        summary: text.lines().next().unwrap_or_default().trim_start_matches('#').trim().to_owned(),
        text: (*text).to_owned(),
    };
    SHIPPED.iter().map(view).collect()
}

/// One shipped loop's text.
pub(super) fn text(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

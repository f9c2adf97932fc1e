//! The loops that ship with the program.

use super::TemplateView;

/// Name and text of each.
const SHIPPED: [(&str, &str); 4] = [
    ("daily-triage", include_str!("../../../templates/daily-triage/loop.yaml")),
    ("report", include_str!("../../../templates/report/loop.yaml")),
    ("todo-sweep", include_str!("../../../templates/todo-sweep/loop.yaml")),
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

#[cfg(test)]
mod tests {
    use super::*;
    use loopwright_core::definition::read;

    #[test]
    fn all_are_valid_and_say_what_they_are_for() {
        for template in templates() {
            let reading = read(&template.text);
            assert!(reading.diagnostics.is_empty(), "{}: {:?}", template.name, reading.diagnostics);
            assert_eq!(reading.definition.expect("a loop").name, template.name);
            assert!(template.summary.ends_with('.'), "{}", template.summary);
        }
    }

    #[test]
    fn what_todo_sweep_has_in_comments_is_valid_too() {
        let text = text("todo-sweep").expect("the template");
        assert!(read(text).definition.expect("a loop").work.is_none(), "it reports first");
        let code = |l: &str| {
            ["- ", "agents:", "    ", "  implementer:", "  reviewer:"].iter().any(|start| l.starts_with(start))
        };
        let uncommented: String = text
            .lines()
            .map(|line| match line.split_once("# ") {
                Some((before, rest)) if before.trim().is_empty() && code(rest) => format!("{before}{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let reading = read(&uncommented);
        let work = reading.definition.unwrap_or_else(|| panic!("{:?}\n{uncommented}", reading.diagnostics)).work;
        assert_eq!(work.expect("all steps").act.maker, "implementer");
    }
}

//! From text to [`Definition`]: the top level of a loop file, with all its faults at once.
//!
//! Steps, rails, trigger, agents and commands are in files of their own; YAML itself is in `yaml`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::faults::Faults;
use super::fields::Fields;
use super::steps::Names;
use super::values::{choice, text};
use super::yaml::{Node, Value};
use super::{Definition, Isolation, agents, commands, rails, steps, trigger, yaml};
use crate::diagnostic::{Diagnostic, Span};

const KEYS: [&str; 14] = [
    "version",
    "name",
    "trigger",
    "zone",
    "repo",
    "isolation",
    "steps",
    "guardrails",
    "review",
    "independence",
    "agents",
    "checks",
    "setup",
    "env",
];

/// What a file says, as far as it could be understood.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The loop; none if there is any error.
    pub definition: Option<Definition>,
    /// Everything that is wrong or remarkable, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// Where each value stands.
    pub origins: Origins,
}

/// Where each value that the file gives stands, by its key: `guardrails.budget`, `discover.run`, `agents.fixer.price`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Span>);

impl Origins {
    /// The place of a key's value; none if the file doesn't give it.
    pub fn span(&self, key: &str) -> Option<Span> {
        self.0.get(key).copied()
    }
}

/// Reads a loop file. Never panics, whatever the text.
pub fn read(text: &str) -> Reading {
    let mut faults = Faults::new(text);
    let mut origins = Origins::default();
    let mut definition = None;
    if let Some(root) = yaml::tree(text, &mut faults) {
        collect(&root, "", &faults, &mut origins);
        definition = whole(&root, &mut faults);
    }
    if faults.errors() > 0 {
        definition = None;
    }
    Reading { definition, diagnostics: faults.sorted(), origins }
}

/// Reads a loop file that may not even be text.
pub fn read_bytes(bytes: &[u8]) -> Reading {
    match std::str::from_utf8(bytes) {
        Ok(text) => read(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let mut faults = Faults::new(&valid);
            let at = valid.len()..valid.len();
            faults.error("not-text", at, "the file is not UTF-8 text from here on", "save it as plain UTF-8 text");
            Reading { definition: None, diagnostics: faults.sorted(), origins: Origins::default() }
        }
    }
}

/// Notes the place of every value; steps go by their own names.
fn collect(node: &Node, path: &str, faults: &Faults<'_>, origins: &mut Origins) {
    let below = |key: &str| {
        if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
    };
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                let key = below(&entry.key);
                origins.0.entry(key.clone()).or_insert_with(|| faults.span(entry.value.at.clone()));
                collect(&entry.value, &key, faults, origins);
            }
        }
        Value::List(items) if path == "steps" => {
            items.iter().for_each(|item| collect(item, "", faults, origins));
        }
        _ => {}
    }
}

fn whole(root: &Node, faults: &mut Faults<'_>) -> Option<Definition> {
    let Value::Map(entries) = &root.value else {
        let message = format!("a loop file is a mapping, and this is {}", root.kind());
        let help = "start with `name: my-loop` on a line of its own";
        let at = super::values::first_line(root, faults);
        faults.error("wrong-type", at, message, help);
        return None;
    };
    let first = entries.first().map_or(0..0, |e| e.key_at.clone());
    let top = Fields::over(entries, "", first, &KEYS, faults);
    version(&top, faults);
    let name = name(&top, faults);
    let trigger = trigger::read(&top, faults);
    let zone = trigger::zone(&top, faults);
    let isolation = isolation(top.get("isolation"), faults);
    let mut names = Names::default();
    let steps = steps::read(&top, &mut names, faults);
    let rails = rails::read(&top, faults);
    let review = rails::review(&top, faults);
    let agents = agents::read(&top, faults);
    let independence = agents::independence(&top, faults);
    let checks = commands::checks(&top, faults);
    let setup = commands::setup(&top, faults);
    let env = commands::env(&top, faults);
    let repo = top.get("repo").map(|node| text(node, "repo: ~/src/project", faults).map(str::to_owned));
    steps::gates_exist(&names, &top, faults);
    agents::independent(&names, agents.as_ref(), independence, &top, faults);
    let steps = steps?;
    Some(Definition {
        name: name?,
        trigger: trigger?,
        zone: zone?,
        repo: repo.map_or(Some(None), |r| r.map(Some))?,
        isolation: isolation?,
        discover: steps.discover,
        work: steps.work,
        rails: rails?,
        review: review?,
        independence: independence?,
        agents: agents?,
        checks: checks?,
        setup: setup?,
        env: env?,
    })
}

fn version(top: &Fields<'_>, faults: &mut Faults<'_>) {
    if let Some(node) = top.get("version") {
        choice(node, &[("1", ())], "version: 1", faults);
    }
}

fn name(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let example = "name: daily-triage";
    let node = top.required("name", "add `name: daily-triage` as the first line", faults)?;
    let name = text(node, example, faults)?;
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.len() <= 64 && name.chars().all(fits) {
        return Some(name.to_owned());
    }
    let better: String = name.to_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).take(64).collect();
    let message = "a name has at most 64 small letters, digits and hyphens";
    faults.error("wrong-value", node.at.clone(), message, format!("write `name: {}`", better.trim_matches('-')));
    None
}

/// The isolation that a key asks for; without one, a worktree.
pub(super) fn isolation(node: Option<&Node>, faults: &mut Faults<'_>) -> Option<Isolation> {
    let Some(node) = node else {
        return Some(Isolation::Worktree);
    };
    let example = "isolation: worktree";
    let at: Range<usize> = node.at.clone();
    let help = "write `isolation: worktree`";
    match text(node, example, faults)? {
        "container" => faults.error("not-yet", at, "`container` is not built yet", help),
        "none" | "off" | "false" => {
            faults.error("isolation", at, "isolation can't be switched off", help);
        }
        _ => return choice(node, &[("worktree", Isolation::Worktree)], example, faults),
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Merge, ShipAction, Source, Trigger};
    use crate::money::Micros;

    const SEED: &str = include_str!("../../../../tests/samples/seed/loop.yaml");

    #[test]
    fn the_seed_is_read_as_it_stands() {
        let reading = read(SEED);
        assert_eq!(reading.diagnostics, []);
        let loop_ = reading.definition.expect("a definition");
        assert_eq!(loop_.name, "daily-triage");
        assert_eq!(loop_.trigger, Trigger::Cron("0 9 * * MON-FRI".to_owned()));
        assert_eq!(loop_.discover.write_to, "triage.md");
        assert_eq!(loop_.discover.sources, [Source::ScanCiFailures(vec![]), Source::OpenIssues, Source::RecentCommits]);
        let work = loop_.work.expect("work");
        assert_eq!(work.act.maker, "implementer");
        assert_eq!(work.verify.checker.as_deref(), Some("reviewer"));
        assert_eq!(work.verify.check.to_string(), "tests_pass AND lint_clean AND diff_reasonable");
        assert_eq!(work.ship.actions, [ShipAction::OpenPr, ShipAction::LinkIssue, ShipAction::NotifySlack]);
        assert_eq!(loop_.rails.budget, Micros(5_000_000));
        assert_eq!((loop_.rails.max_iterations, loop_.rails.no_progress), (3, 2));
        assert_eq!((loop_.rails.max_duration_s, loop_.rails.max_findings), (7200, 5));
        assert_eq!((loop_.review.max_open, loop_.review.merge), (3, Merge::Squash));
        assert_eq!(reading.origins.span("guardrails.budget").map(|s| s.line), Some(25));
        assert_eq!(reading.origins.span("discover.run").map(|s| s.line), Some(7));
    }

    #[test]
    fn no_prefix_of_the_seed_panics_and_every_refusal_has_a_place_and_a_help() {
        for end in (0..SEED.len()).filter(|end| SEED.is_char_boundary(*end)) {
            let text = &SEED[..end];
            let reading = read(text);
            assert!(reading.definition.is_some() || !reading.diagnostics.is_empty(), "{text}");
            for d in reading.diagnostics {
                assert!(d.span.line >= 1 && d.span.column >= 1 && d.span.end <= text.len(), "{d:?}");
                assert!(d.help.is_some_and(|h| !h.is_empty()), "{text}");
            }
        }
    }
}

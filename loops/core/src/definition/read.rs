//! From text to [`Definition`]: the top level of a loop file, with all its faults at once.
//!
//! Steps, rails, triggers, agents and commands are in files of their own; YAML itself is in `yaml`.

use chrono::NaiveDate;

use super::faults::Faults;
use super::fields::Fields;
use super::origins::Origins;
use super::steps::Names;
use super::values::{first_line, text};
use super::yaml::{Node, Value};
use super::{Definition, Isolation, agents, commands, rails, steps, timing, yaml};
use crate::diagnostic::Diagnostic;

pub(super) const KEYS: [&str; 21] = [
    "version",
    "name",
    "trigger",
    "timezone",
    "zone",
    "wake",
    "catch_up",
    "overlap",
    "jitter",
    "quiet_hours",
    "battery",
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

/// Reads a loop file. Never panics, whatever the text.
pub fn read(text: &str) -> Reading {
    whole_file(text, None)
}

fn whole_file(text: &str, today: Option<NaiveDate>) -> Reading {
    let mut faults = Faults::new(text).on(today);
    let mut origins = Origins::default();
    let mut definition = None;
    if let Some(root) = yaml::tree(text, &mut faults) {
        origins = Origins::of(text, &root);
        definition = whole(&root, &mut faults);
    }
    if faults.errors() > 0 {
        definition = None;
    }
    Reading { definition, diagnostics: faults.sorted(), origins }
}

/// Reads a loop file that may not even be text.
pub fn read_bytes(bytes: &[u8]) -> Reading {
    any_file(bytes, None)
}

/// The same for a file that a person is about to use: dates too far from `today` are refused as slips.
pub fn read_bytes_on(bytes: &[u8], today: NaiveDate) -> Reading {
    any_file(bytes, Some(today))
}

fn any_file(bytes: &[u8], today: Option<NaiveDate>) -> Reading {
    match std::str::from_utf8(bytes) {
        Ok(text) => whole_file(text, today),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let mut faults = Faults::new(&valid);
            let at = valid.len()..valid.len();
            faults.error("not-text", at, "the file is not UTF-8 text from here on", "save it as plain UTF-8 text");
            Reading { definition: None, diagnostics: faults.sorted(), origins: Origins::default() }
        }
    }
}

fn whole(root: &Node, faults: &mut Faults<'_>) -> Option<Definition> {
    let Value::Map(entries) = &root.value else {
        let message = format!("a loop file is a mapping, and this is {}", root.kind());
        let help = "start with `name: my-loop` on a line of its own";
        let at = first_line(root, faults);
        faults.error("wrong-type", at, message, help);
        return None;
    };
    let first = entries.first().map_or(0..0, |e| e.key_at.clone());
    let top = Fields::over(entries, "", first, &KEYS, faults);
    version(&top, faults);
    let name = name(&top, faults);
    let timing = timing::read(&top, name.as_deref(), faults);
    let isolation = isolation(top.get("isolation"), faults);
    let mut names = Names::default();
    let steps = steps::read(&top, &mut names, faults);
    let rails = rails::read(&top, steps::finds(&top), faults);
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
        timing: timing?,
        repo: repo.map_or(Some(None), |r| r.map(Some))?,
        isolation: isolation?,
        chores: steps.chores,
        discover: steps.discover,
        work: steps.work,
        finally: steps.finally,
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
    let Some(node) = top.get("version") else {
        return;
    };
    if text(node, "version: 1", faults).is_some_and(|version| version != "1") {
        let message = "this version of the format is not known";
        faults.error("wrong-value", node.at.clone(), message, "write `version: 1`, or leave it out");
    }
}

fn name(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let example = "name: daily-triage";
    let node = top.required("name", "add `name: daily-triage` as the first line", faults)?;
    let name = text(node, example, faults)?;
    if is_name(name) {
        return Some(name.to_owned());
    }
    let fits = |c: char| is_name(c.encode_utf8(&mut [0; 4]));
    let better: String = name.to_lowercase().chars().map(|c| if fits(c) { c } else { '-' }).take(64).collect();
    let better = Some(better.trim_matches('-')).filter(|b| !b.is_empty()).unwrap_or("my-loop");
    let message = "a name has at most 64 small letters, digits and hyphens";
    faults.error("wrong-value", node.at.clone(), message, format!("write `name: {better}`"));
    None
}

/// Whether a loop can be called so.
pub(super) fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=64).contains(&name.len()) && name.chars().all(fits)
}

/// The isolation that a key asks for; without one, a worktree.
pub(super) fn isolation(node: Option<&Node>, faults: &mut Faults<'_>) -> Option<Isolation> {
    let Some(node) = node else {
        return Some(Isolation::Worktree);
    };
    let help = "write `isolation: worktree`; `container` comes later";
    let (code, message) = match text(node, "isolation: worktree", faults)? {
        "worktree" => return Some(Isolation::Worktree),
        "container" => ("not-yet", "`container` is not built yet".to_owned()),
        "none" | "off" | "false" => ("isolation", "isolation can't be switched off".to_owned()),
        other => ("wrong-value", format!("`{other}` is no way to keep workspaces apart")),
    };
    faults.error(code, node.at.clone(), message, help);
    None
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod times;

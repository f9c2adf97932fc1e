//! `steps:`: run and wait, then discover, act, verify and ship, each once, and finally at the end.
//!
//! Discover without the three after it only reports; a loop may also have nothing but run steps. What stands in each step is
//! read elsewhere.

use std::ops::Range;

use super::faults::Faults;
use super::fields::{Fields, entries};
use super::nearest::{listed, suggestion};
use super::phrase::Call;
use super::values::{first_line, inside, seconds, small};
use super::yaml::{Entry, Node, Value};
use super::{Chore, Discover, Finally, Retry, Work, chores, discover, work};

const ORDER: [&str; 4] = ["discover", "act", "verify", "ship"];
/// All steps, by their place.
pub(super) const KNOWN: [&str; 7] = ["run", "wait", "discover", "act", "verify", "ship", "finally"];
const ORDER_HELP: &str =
    "the order is run and wait, then discover, act, verify, ship, each once (or discover alone), then finally";
/// Gates that exist without being defined.
const BUILT_IN: [&str; 3] = ["tests_pass", "lint_clean", "diff_reasonable"];

/// The steps as they were understood.
pub(super) struct Steps {
    pub(super) chores: Vec<Chore>,
    pub(super) discover: Option<Discover>,
    pub(super) work: Option<Work>,
    pub(super) finally: Finally,
}

/// Names in the steps that must exist elsewhere, and where they stand; also from steps that can't be used.
#[derive(Default)]
pub(super) struct Names {
    /// Gates in `check:`.
    pub(super) gates: Vec<(String, Range<usize>)>,
    /// Checks in `scan_ci_failures(…)`.
    pub(super) checks: Vec<(String, Range<usize>)>,
    /// The agent in `spawn:`.
    pub(super) maker: Option<String>,
    /// The agent in `agent:`.
    pub(super) checker: Option<String>,
    /// Where `agent:` stands, or the step where there is none.
    pub(super) checker_at: Range<usize>,
}

/// One step as it stands in the file.
pub(super) struct Step<'n> {
    pub(super) name: &'n str,
    pub(super) at: Range<usize>,
    pub(super) entries: &'n [Entry],
    /// What stands behind the name; none where its keys are not indented.
    pub(super) value: Option<&'n Node>,
}

/// Reads all steps; the names in them that must exist elsewhere go to `names`.
pub(super) fn read(top: &Fields<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Steps> {
    let help = "add `steps:` with `- discover:`, `- act:`, `- verify:` and `- ship:`, or with `- run:`";
    let node = top.required("steps", help, faults)?;
    let key_at = top.entry("steps").map_or(0..0, |e| e.key_at.clone());
    let before = faults.errors();
    let steps = split(node, faults)?;
    in_order(&steps, faults);
    // A step that was refused for its name or shape is not missing as well.
    if faults.errors() == before {
        missing(&steps, key_at, faults);
    }
    let (chores, finally) = chores::read(&steps, faults);
    let find = |name: &str| steps.iter().find(|s| s.name == name);
    let discover = find("discover").map(|s| discover::read(s, names, faults));
    let written = discover.as_ref().and_then(|d| d.write_to.as_deref());
    let act = find("act").map(|s| work::act(s, written, names, faults));
    let verify = find("verify").map(|s| work::verify(s, names, faults));
    let ship = find("ship").map(|s| work::ship(s, faults));
    let work = match (act, verify, ship) {
        (None, None, None) => None,
        (act, verify, ship) => Some(Work { act: act??, verify: verify??, ship: ship?? }),
    };
    let discover = discover.map_or(Some(None), |seen| seen.whole.map(Some))?;
    Some(Steps { chores: chores?, discover, work, finally: finally? })
}

/// Whether it works on findings, so that their rails are required; also where the steps can't be read.
pub(super) fn finds(top: &Fields<'_>) -> bool {
    let Some(Value::List(items)) = top.get("steps").map(|node| &node.value) else {
        return true;
    };
    let named = |item: &Node, names: &[&str]| match &item.value {
        Value::Map(entries) => entries.first().is_some_and(|entry| names.contains(&entry.key.as_str())),
        _ => false,
    };
    let any = |names: &[&str]| items.iter().any(|item| named(item, names));
    any(&ORDER) || !any(&KNOWN)
}

/// Refuses gates that are neither built in nor defined under `checks`.
pub(super) fn gates_exist(names: &Names, top: &Fields<'_>, faults: &mut Faults<'_>) {
    let defined: Vec<&str> = match top.get("checks").map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|e| e.key.as_str()).collect(),
        _ => Vec::new(),
    };
    let gates = with(&BUILT_IN, &defined);
    for (name, at) in &names.gates {
        if !gates.contains(&name.as_str()) {
            let help = format!("{}; or define it under `checks:`", suggestion(name, &gates));
            faults.error("unknown-word", at.clone(), format!("`{name}` is no gate"), help);
        }
    }
    let checks = with(&BUILT_IN[..2], &defined);
    for (name, at) in &names.checks {
        if !checks.contains(&name.as_str()) {
            let help = format!("{}; or define it under `checks:`", suggestion(name, &checks));
            faults.error("unknown-word", at.clone(), format!("`{name}` is no check to scan"), help);
        }
    }
}

/// What is built in and what is defined, each once.
fn with<'a>(built_in: &[&'a str], defined: &[&'a str]) -> Vec<&'a str> {
    let more = defined.iter().filter(|name| !built_in.contains(name));
    built_in.iter().chain(more).copied().collect()
}

/// The steps one by one, whatever shape the list has.
fn split<'n>(node: &'n Node, faults: &mut Faults<'_>) -> Option<Vec<Step<'n>>> {
    match &node.value {
        Value::List(items) => Some(items.iter().filter_map(|item| one(item, faults)).collect()),
        Value::Map(entries) => {
            let help = "put `- ` in front of each step, as in `- discover:`";
            faults.error("wrong-type", first_line(node, faults), "`steps` is a list", help);
            Some(entries.iter().filter_map(|e| step(e, faults)).collect())
        }
        Value::Scalar(_) | Value::Empty => {
            let help = "add `- discover:`, `- act:`, `- verify:` and `- ship:`, or `- run:`";
            faults.error("wrong-type", node.at.clone(), "`steps` is a list of steps", help);
            None
        }
    }
}

/// One item of the list: a mapping with the step's name as its only key.
fn one<'n>(item: &'n Node, faults: &mut Faults<'_>) -> Option<Step<'n>> {
    let Value::Map(entries) = &item.value else {
        let help = "write `- discover:` with the step's keys below it, indented";
        let message = format!("a step is a mapping, not {}", item.kind());
        faults.error("wrong-type", first_line(item, faults), message, help);
        return None;
    };
    let Some((first, rest)) = entries.split_first() else {
        faults.error("missing-value", item.at.clone(), "a step without a name", ORDER_HELP);
        return None;
    };
    let Some(second) = rest.first() else {
        return step(first, faults);
    };
    let at = second.key_at.clone();
    // `run` is also a key of discover and of ship.
    let step_of_its_own = KNOWN.contains(&second.key.as_str()) && (second.key != "run" || first.key == "run");
    if step_of_its_own {
        let help = format!("put `- ` in front of it: `- {}:`", second.key);
        faults.error("indentation", at, format!("`{}` is a step of its own", second.key), help);
    } else {
        let message = format!("`{}` is not indented under `{}`", second.key, first.key);
        faults.error("indentation", at, message, "indent the step's keys by four more spaces");
        if matches!(first.value.value, Value::Empty) && KNOWN.contains(&first.key.as_str()) {
            return Some(Step { name: &first.key, at: first.key_at.clone(), entries: rest, value: None });
        }
    }
    step(first, faults)
}

fn step<'n>(entry: &'n Entry, faults: &mut Faults<'_>) -> Option<Step<'n>> {
    let name = entry.key.as_str();
    let at = entry.key_at.clone();
    if KNOWN.contains(&name) {
        // These three are read from more than a mapping, and tell themselves what is wrong.
        let open = matches!(name, "run" | "wait" | "finally") && !matches!(entry.value.value, Value::Map(_));
        let entries = if open { &[] } else { entries(&entry.value, name, faults)? };
        return Some(Step { name, at, entries, value: Some(&entry.value) });
    }
    if name == "notify" {
        faults.error("not-yet", at, format!("`{name}` steps are not built yet"), ORDER_HELP);
    } else if !name.is_empty() {
        faults.error("unknown-key", at, format!("there is no step `{name}`"), suggestion(name, &KNOWN));
    }
    None
}

/// Tells which steps are given twice or stand at the wrong place.
fn in_order(steps: &[Step<'_>], faults: &mut Faults<'_>) {
    let mut last: Option<(usize, &str)> = None;
    for (i, step) in steps.iter().enumerate() {
        // Any number of the first two, in any order.
        let rank = KNOWN.iter().position(|name| *name == step.name).unwrap_or(0).max(1);
        if rank > 1 && steps[..i].iter().any(|s| s.name == step.name) {
            let message = format!("`{}` is given twice", step.name);
            faults.error("step-order", step.at.clone(), message, "keep one of the two");
        } else if let Some((_, name)) = last.filter(|(top, _)| rank < *top) {
            let message = format!("`{}` must stand before `{name}`", step.name);
            faults.error("step-order", step.at.clone(), message, ORDER_HELP);
        }
        last = last.max(Some((rank, step.name)));
    }
}

fn missing(steps: &[Step<'_>], key_at: Range<usize>, faults: &mut Faults<'_>) {
    let there = |name: &&&str| steps.iter().any(|s| s.name == **name);
    let absent: Vec<&str> = ORDER.iter().filter(|name| !there(name)).copied().collect();
    let runs = steps.iter().any(|step| step.name == "run");
    if absent.is_empty() || absent == ORDER[1..] || (absent == ORDER && runs) {
        return;
    }
    if absent == ORDER && !steps.is_empty() {
        let help = "add `- run:` with a `command:`, or `- discover:`";
        faults.error("missing-key", key_at, "nothing is done in `steps`", help);
        return;
    }
    let are = if absent.len() == 1 { "is" } else { "are" };
    let message = format!("{} {are} missing in `steps`", listed(&absent));
    faults.error("missing-key", key_at, message, ORDER_HELP);
}

/// Whether a name stands without brackets; tells if not.
pub(super) fn plain(node: &Node, call: &Call, faults: &mut Faults<'_>) -> bool {
    if call.arguments.is_some() {
        let name = &call.name.text;
        let at = inside(node, &call.name.at, faults);
        faults.error("phrase", at, format!("`{name}` takes nothing in brackets"), format!("write `{name}`"));
    }
    call.arguments.is_none()
}

/// Tells names that are given twice.
pub(super) fn twice(node: &Node, calls: &[Call], faults: &mut Faults<'_>) {
    for (i, call) in calls.iter().enumerate() {
        if calls[..i].iter().any(|c| c.name.text == call.name.text) {
            let at = inside(node, &call.name.at, faults);
            faults.error("wrong-value", at, format!("`{}` is given twice", call.name.text), "keep one of the two");
        }
    }
}

/// Repeats of a failed step; without the key, none.
pub(super) fn retry(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Retry> {
    let Some(entry) = fields.entry("retry") else {
        return Some(Retry::default());
    };
    let at = entry.key_at.clone();
    let fields = Fields::of(&entry.value, "retry", at, &["times", "every"], faults)?;
    let times = fields.required("times", "write `retry: {times: 3, every: 30s}`", faults);
    let times = times.and_then(|node| small(node, 1..=10, "times: 3", faults));
    let every = fields.get("every").map_or(Some(30), |node| seconds(node, 1..=3600, "every: 30s", faults));
    Some(Retry { times: times?, every_s: every? })
}

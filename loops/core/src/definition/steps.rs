//! `steps:`: discover, act, verify and ship, in this order, each once; or discover alone, which only reports.

use std::ops::Range;

use super::faults::Faults;
use super::fields::{Fields, entries};
use super::nearest::{listed, suggestion};
use super::phrase::{self, Call, Word};
use super::values::{first_line, inside, phrase as read_phrase, seconds, small, text};
use super::yaml::{Entry, Node, Value};
use super::{Act, Discover, Retry, Ship, ShipAction, Source, Verify, Work};

const ORDER: [&str; 4] = ["discover", "act", "verify", "ship"];
const ORDER_HELP: &str = "the order is discover, act, verify, ship, each once; or discover alone";
const WRITE_TO: &str = "write_to: state/triage.md";
const FOR_EACH: &str = "for_each: finding in state/triage.md";
/// Gates that exist without being defined.
const BUILT_IN: [&str; 3] = ["tests_pass", "lint_clean", "diff_reasonable"];

/// The steps as they were understood.
pub(super) struct Steps {
    pub(super) discover: Discover,
    pub(super) work: Option<Work>,
}

/// Names in the steps that must exist elsewhere, and where they stand; also from steps that can't be used.
#[derive(Default)]
pub(super) struct Names {
    /// Gates in `check:`.
    gates: Vec<(String, Range<usize>)>,
    /// Checks in `scan_ci_failures(…)`.
    checks: Vec<(String, Range<usize>)>,
    /// The agent in `spawn:`.
    pub(super) maker: Option<String>,
    /// The agent in `agent:`.
    pub(super) checker: Option<String>,
    /// Where `agent:` stands, or the step where there is none.
    pub(super) checker_at: Range<usize>,
}

/// One step as it stands in the file.
struct Step<'n> {
    name: &'n str,
    at: Range<usize>,
    entries: &'n [Entry],
}

/// Reads all steps; the names in them that must exist elsewhere go to `names`.
pub(super) fn read(top: &Fields<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Steps> {
    let help = "add `steps:` with `- discover:`, `- act:`, `- verify:` and `- ship:`";
    let node = top.required("steps", help, faults)?;
    let key_at = top.entry("steps").map_or(0..0, |e| e.key_at.clone());
    let before = faults.errors();
    let steps = split(node, faults)?;
    in_order(&steps, faults);
    // A step that was refused for its name or shape is not missing as well.
    if faults.errors() == before {
        missing(&steps, key_at, faults);
    }
    let find = |name: &str| steps.iter().find(|s| s.name == name);
    let discover = find("discover").map(|s| discover(s, names, faults));
    let written = discover.as_ref().and_then(Option::as_ref).map(|d| d.write_to.clone());
    let act = find("act").map(|s| act(s, written.as_deref(), names, faults));
    let verify = find("verify").map(|s| verify(s, names, faults));
    let ship = find("ship").map(|s| ship(s, faults));
    let work = match (act, verify, ship) {
        (None, None, None) => None,
        (act, verify, ship) => Some(Work { act: act??, verify: verify??, ship: ship?? }),
    };
    Some(Steps { discover: discover??, work })
}

/// Refuses gates that are neither built in nor defined under `checks`.
pub(super) fn gates_exist(names: &Names, top: &Fields<'_>, faults: &mut Faults<'_>) {
    let defined: Vec<&str> = match top.get("checks").map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.iter().map(|e| e.key.as_str()).collect(),
        _ => Vec::new(),
    };
    let gates: Vec<&str> = BUILT_IN.into_iter().chain(defined.iter().copied()).collect();
    for (name, at) in &names.gates {
        if !gates.contains(&name.as_str()) {
            let help = format!("{}; or define it under `checks:`", suggestion(name, &gates));
            faults.error("unknown-word", at.clone(), format!("`{name}` is no gate"), help);
        }
    }
    let checks: Vec<&str> = BUILT_IN[..2].iter().copied().chain(defined).collect();
    for (name, at) in &names.checks {
        if !checks.contains(&name.as_str()) {
            let help = format!("{}; or define it under `checks:`", suggestion(name, &checks));
            faults.error("unknown-word", at.clone(), format!("`{name}` is no check to scan"), help);
        }
    }
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
            let help = "add `- discover:`, `- act:`, `- verify:` and `- ship:`";
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
    let (first, rest) = entries.split_first()?;
    let Some(second) = rest.first() else {
        return step(first, faults);
    };
    let at = second.key_at.clone();
    if ORDER.contains(&second.key.as_str()) {
        let help = format!("put `- ` in front of it: `- {}:`", second.key);
        faults.error("indentation", at, format!("`{}` is a step of its own", second.key), help);
    } else {
        let message = format!("`{}` is not indented under `{}`", second.key, first.key);
        faults.error("indentation", at, message, "indent the step's keys by four more spaces");
        if matches!(first.value.value, Value::Empty) && ORDER.contains(&first.key.as_str()) {
            return Some(Step { name: &first.key, at: first.key_at.clone(), entries: rest });
        }
    }
    step(first, faults)
}

fn step<'n>(entry: &'n Entry, faults: &mut Faults<'_>) -> Option<Step<'n>> {
    let name = entry.key.as_str();
    let at = entry.key_at.clone();
    if ORDER.contains(&name) {
        let entries = entries(&entry.value, name, faults)?;
        return Some(Step { name, at, entries });
    }
    if matches!(name, "run" | "finally" | "notify") {
        faults.error("not-yet", at, format!("`{name}` steps are not built yet"), ORDER_HELP);
    } else if !name.is_empty() {
        faults.error("unknown-key", at, format!("there is no step `{name}`"), suggestion(name, &ORDER));
    }
    None
}

/// Tells which steps are given twice or stand at the wrong place.
fn in_order(steps: &[Step<'_>], faults: &mut Faults<'_>) {
    let mut last: Option<(usize, &str)> = None;
    for (i, step) in steps.iter().enumerate() {
        let rank = ORDER.iter().position(|name| *name == step.name).unwrap_or(0);
        if steps[..i].iter().any(|s| s.name == step.name) {
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
    if absent.is_empty() || absent == ORDER[1..] {
        return;
    }
    let are = if absent.len() == 1 { "is" } else { "are" };
    let message = format!("{} {are} missing in `steps`", listed(&absent));
    faults.error("missing-key", key_at, message, ORDER_HELP);
}

fn discover(step: &Step<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Discover> {
    let keys = ["run", "write_to", "retry"];
    let fields = Fields::over(step.entries, "discover", step.at.clone(), &keys, faults);
    let sources = sources(&fields, names, faults);
    let write_to = write_to(&fields, faults);
    let retry = retry(&fields, faults);
    Some(Discover { sources: sources?, write_to: write_to?, retry: retry? })
}

fn sources(fields: &Fields<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Vec<Source>> {
    let example = "run: scan_ci_failures + open_issues + recent_commits";
    let node = fields.required("run", &format!("add `{example}`"), faults)?;
    let calls = read_phrase(node, example, faults, phrase::sum)?;
    let before = faults.errors();
    let known = ["scan_ci_failures", "open_issues", "recent_commits"];
    twice(node, &calls, faults);
    let sources: Vec<Source> = calls
        .iter()
        .filter_map(|call| match call.name.text.as_str() {
            "scan_ci_failures" => Some(Source::ScanCiFailures(scanned(node, call, names, faults))),
            "open_issues" => plain(node, call, faults).then_some(Source::OpenIssues),
            "recent_commits" => plain(node, call, faults).then_some(Source::RecentCommits),
            other => {
                let at = inside(node, &call.name.at, faults);
                faults.error(
                    "unknown-word",
                    at,
                    format!("`{other}` is no source of findings"),
                    suggestion(other, &known),
                );
                None
            }
        })
        .collect();
    if sources == [Source::RecentCommits] && calls.len() == 1 {
        let message = "`recent_commits` alone finds nothing: it only tells the others where to look";
        faults.error("wrong-value", node.at.clone(), message, "write `run: scan_ci_failures + recent_commits`");
    }
    (faults.errors() == before).then_some(sources)
}

/// The checks in `scan_ci_failures(…)`.
fn scanned(node: &Node, call: &Call, names: &mut Names, faults: &Faults<'_>) -> Vec<String> {
    let words = call.arguments.as_deref().unwrap_or_default();
    for Word { text, at } in words {
        names.checks.push((text.clone(), inside(node, at, faults)));
    }
    words.iter().map(|w| w.text.clone()).collect()
}

/// Whether a name stands without brackets; tells if not.
fn plain(node: &Node, call: &Call, faults: &mut Faults<'_>) -> bool {
    if call.arguments.is_some() {
        let name = &call.name.text;
        let at = inside(node, &call.name.at, faults);
        faults.error("phrase", at, format!("`{name}` takes nothing in brackets"), format!("write `{name}`"));
    }
    call.arguments.is_none()
}

fn twice(node: &Node, calls: &[Call], faults: &mut Faults<'_>) {
    for (i, call) in calls.iter().enumerate() {
        if calls[..i].iter().any(|c| c.name.text == call.name.text) {
            let at = inside(node, &call.name.at, faults);
            faults.error("wrong-value", at, format!("`{}` is given twice", call.name.text), "keep one of the two");
        }
    }
}

/// The list's path without its `state/`.
fn write_to(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let node = fields.required("write_to", &format!("add `{WRITE_TO}`"), faults)?;
    let path = text(node, WRITE_TO, faults)?;
    if let Some(inner) = state_path(path) {
        return Some(inner.to_owned());
    }
    let message = "findings are written below the loop's own `state/` folder";
    faults.error("wrong-value", node.at.clone(), message, format!("write `{WRITE_TO}`"));
    None
}

/// What stands behind `state/`, if it is an ordinary relative path without white space.
fn state_path(path: &str) -> Option<&str> {
    let inner = path.strip_prefix("state/")?;
    let ordinary = |part: &str| !matches!(part, "" | "." | "..");
    let signs = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\' && c != ':';
    (inner.split('/').all(ordinary) && inner.chars().all(signs) && inner.len() <= 200).then_some(inner)
}

fn act(step: &Step<'_>, written: Option<&str>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Act> {
    let keys = ["for_each", "spawn", "isolation", "retry"];
    let fields = Fields::over(step.entries, "act", step.at.clone(), &keys, faults);
    let each = for_each(&fields, written, faults);
    let maker = spawn(&fields, faults);
    names.maker.clone_from(&maker);
    let isolation = super::read::isolation(fields.get("isolation"), faults);
    let retry = retry(&fields, faults);
    (each?, isolation?);
    Some(Act { maker: maker?, retry: retry? })
}

fn for_each(fields: &Fields<'_>, written: Option<&str>, faults: &mut Faults<'_>) -> Option<()> {
    let node = fields.required("for_each", &format!("add `{FOR_EACH}`"), faults)?;
    let (what, path) = read_phrase(node, FOR_EACH, faults, phrase::each)?;
    if what.text != "finding" {
        let at = inside(node, &what.at, faults);
        faults.error(
            "wrong-value",
            at,
            format!("`{}` can't be gone through", what.text),
            format!("write `{FOR_EACH}`"),
        );
        return None;
    }
    // Without a readable `write_to` there is nothing to compare with, and that has been told.
    let written = written.map_or(path.text.clone(), |inner| format!("state/{inner}"));
    if path.text != written {
        let message = format!("`{}` is not what discover writes", path.text);
        let help = format!("write `for_each: finding in {written}`, the same as `write_to`");
        faults.error("wrong-value", inside(node, &path.at, faults), message, help);
        return None;
    }
    Some(())
}

fn spawn(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<String> {
    let example = "spawn: implementer(finding)";
    let node = fields.required("spawn", &format!("add `{example}`"), faults)?;
    let call = read_phrase(node, example, faults, phrase::call)?;
    let arguments: Vec<&str> = call.arguments.iter().flatten().map(|w| w.text.as_str()).collect();
    if arguments == ["finding"] {
        return Some(call.name.text);
    }
    let message = format!("`{}` is given the finding, in brackets", call.name.text);
    faults.error("phrase", node.at.clone(), message, format!("write `spawn: {}(finding)`", call.name.text));
    None
}

fn verify(step: &Step<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<Verify> {
    let fields = Fields::over(step.entries, "verify", step.at.clone(), &["agent", "check", "retry"], faults);
    let checker = fields.get("agent").map(|node| {
        let call = read_phrase(node, "agent: reviewer", faults, phrase::call)?;
        plain(node, &call, faults).then_some(call.name.text)
    });
    names.checker = checker.clone().flatten();
    names.checker_at = fields.get("agent").map_or(step.at.clone(), |node| node.at.clone());
    let check = check(&fields, names, faults);
    let retry = retry(&fields, faults);
    Some(Verify { checker: checker.map_or(Some(None), |c| c.map(Some))?, check: check?, retry: retry? })
}

fn check(fields: &Fields<'_>, names: &mut Names, faults: &mut Faults<'_>) -> Option<crate::gate::Expression> {
    let example = "check: tests_pass AND lint_clean AND diff_reasonable";
    let node = fields.required("check", &format!("add `{example}`"), faults)?;
    let (tree, words) = read_phrase(node, example, faults, phrase::gates)?;
    for Word { text, at } in words {
        names.gates.push((text, inside(node, &at, faults)));
    }
    Some(tree)
}

fn ship(step: &Step<'_>, faults: &mut Faults<'_>) -> Option<Ship> {
    let fields = Fields::over(step.entries, "ship", step.at.clone(), &["if", "run", "retry"], faults);
    let condition = condition(&fields, faults);
    let actions = actions(&fields, faults);
    let retry = retry(&fields, faults);
    condition?;
    Some(Ship { actions: actions?, retry: retry? })
}

fn condition(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<()> {
    let help = "add `if: verified`: nothing else is shipped";
    let node = fields.required("if", help, faults)?;
    let condition = text(node, "if: verified", faults)?;
    if condition == "verified" {
        return Some(());
    }
    let message = format!("`{condition}` is no condition to ship under");
    faults.error("wrong-value", node.at.clone(), message, "write `if: verified`, the only one there is");
    None
}

fn actions(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Vec<ShipAction>> {
    let example = "run: open_pr + link_issue + notify_slack";
    let node = fields.required("run", &format!("add `{example}`"), faults)?;
    let calls = read_phrase(node, example, faults, phrase::sum)?;
    let before = faults.errors();
    twice(node, &calls, faults);
    let actions: Vec<ShipAction> = calls.iter().filter_map(|call| action(node, call, faults)).collect();
    if faults.errors() == before && actions.first() != Some(&ShipAction::OpenPr) {
        let at = inside(node, &calls[0].name.at, faults);
        let message = "`open_pr` comes first: the others need its pull request";
        faults.error("wrong-value", at, message, format!("write `{example}`"));
    }
    (faults.errors() == before).then_some(actions)
}

fn action(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<ShipAction> {
    let known = ["open_pr", "link_issue", "notify_slack"];
    let action = match call.name.text.as_str() {
        "open_pr" => ShipAction::OpenPr,
        "link_issue" => ShipAction::LinkIssue,
        "notify_slack" => ShipAction::NotifySlack,
        other => {
            let at = inside(node, &call.name.at, faults);
            faults.error("unknown-word", at, format!("`{other}` is nothing to ship with"), suggestion(other, &known));
            return None;
        }
    };
    plain(node, call, faults).then_some(action)
}

fn retry(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Retry> {
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

//! `- run:`, `- wait:` and `- finally:`: steps that are not about findings. What they were granted is in [`super::grants`].

use std::ops::Range;

use super::commands::command;
use super::discover::state_path;
use super::faults::Faults;
use super::fields::{Fields, entries};
use super::nearest::{listed, suggestion};
use super::phrase;
use super::steps::{Step, retry};
use super::timing::truth;
use super::values::{first_line, inside, phrase as read_phrase, seconds, text};
use super::yaml::{Entry, Node, Value};
use super::{Chore, Command, Finally, Retry, RunStep, Until, clock, grants};

/// Keys of `- run:`; `idempotent` belongs to `finally` alone, and some others don't.
pub(super) const RUN_KEYS: [&str; 10] =
    ["name", "command", "service", "until", "retry", "max", "network", "read", "write", "idempotent"];
/// Keys of `- finally:` as a mapping.
pub(super) const FINALLY_KEYS: [&str; 2] = ["steps", "max"];
const COMMAND: &str = "command: [./backup.sh]";
const UNTIL: &str = "until: \"15:30\"";
const DAY: u64 = 24 * 3600;
/// The name of a step is at most so long: it is part of paths.
const LONGEST_NAME: usize = 40;

/// The name in `exit(…)`, and where it stands.
type Exit = (String, Range<usize>);

/// What is known of a step by itself, for those that wait for its end.
struct Seen {
    name: Option<String>,
    service: bool,
    /// The step whose end it waits for, and where it says so.
    exit: Option<Exit>,
}

/// Names that are taken, and how many steps had none.
#[derive(Default)]
struct Taken {
    names: Vec<String>,
    unnamed: usize,
}

/// All chores and what is done at the end; none where something is wrong with them.
pub(super) fn read(steps: &[Step<'_>], faults: &mut Faults<'_>) -> (Option<Vec<Chore>>, Option<Finally>) {
    let (mut taken, mut seen) = (Taken::default(), Vec::new());
    let mut chores = Vec::new();
    for step in steps.iter().filter(|step| matches!(step.name, "run" | "wait")) {
        chores.push(match step.name {
            "run" => run(step, false, &mut taken, &mut seen, faults).map(|run| Chore::Run(Box::new(run))),
            _ => wait(step, &mut seen, faults).map(Chore::Wait),
        });
    }
    exits(&seen, faults);
    let finally = match steps.iter().find(|step| step.name == "finally") {
        Some(step) => finally(step, &mut taken, faults),
        None => Some(Finally::default()),
    };
    (chores.into_iter().collect(), finally)
}

fn run(
    step: &Step<'_>,
    last: bool,
    taken: &mut Taken,
    seen: &mut Vec<Seen>,
    faults: &mut Faults<'_>,
) -> Option<RunStep> {
    if let Some(node) = step.value.filter(|node| matches!(node.value, Value::Scalar(_) | Value::List(_))) {
        let name = taken.unnamed();
        seen.push(Seen { name: Some(name.clone()), service: false, exit: None });
        return command(node, "run: [./backup.sh]", faults).map(|command| plain(name, command));
    }
    let fields = Fields::over(step.entries, step.name, step.at.clone(), &RUN_KEYS, faults);
    misplaced(&fields, last, faults);
    let name = name(&fields, taken, faults);
    let run = fields.required("command", &format!("add `{COMMAND}`"), faults);
    let run = run.and_then(|node| command(node, COMMAND, faults));
    let flag = |key: &str, faults: &mut Faults<'_>| {
        fields.get(key).map_or(Some(false), |node| truth(node, &format!("{key}: true"), faults))
    };
    let (service, idempotent) = (flag("service", faults), flag("idempotent", faults));
    let until = fields.get("until").map(|node| until(node, faults));
    let retry = retry(&fields, faults);
    let max = fields.get("max").map(|node| seconds(node, 1..=DAY, "max: 10m", faults));
    let grants = grants::read(&fields, faults);
    let exit = until.as_ref().and_then(Option::as_ref).and_then(|(_, exit)| exit.clone());
    seen.push(Seen { name: name.clone(), service: service == Some(true), exit });
    Some(RunStep {
        name: name?,
        command: run?,
        service: service?,
        until: until.map_or(Some(None), |until| until.map(|(until, _)| Some(until)))?,
        retry: retry?,
        max_s: max.map_or(Some(None), |max| max.map(Some))?,
        idempotent: idempotent?,
        grants: grants?,
    })
}

/// A step of nothing but a command.
fn plain(name: String, command: Command) -> RunStep {
    RunStep {
        name,
        command,
        service: false,
        until: None,
        retry: Retry::default(),
        max_s: None,
        idempotent: false,
        grants: super::Grants::default(),
    }
}

/// Tells keys that mean nothing where the step stands.
fn misplaced(fields: &Fields<'_>, last: bool, faults: &mut Faults<'_>) {
    let keys: &[&str] = if last { &["service", "until", "retry"] } else { &["idempotent"] };
    for entry in keys.iter().filter_map(|key| fields.entry(key)) {
        let (message, help) = match last {
            true => (
                format!("a step of `finally` has no `{}`", entry.key),
                "it runs once, to its end: remove the key; `idempotent: true` lets it be repeated after a crash",
            ),
            false => (format!("only a step of `finally` has `{}`", entry.key), "remove it; see `retry`"),
        };
        faults.error("wrong-value", entry.key_at.clone(), message, help);
    }
}

impl Taken {
    /// The name of a step that has none: `run-1`, `run-2`, …
    fn unnamed(&mut self) -> String {
        self.unnamed += 1;
        let name = format!("run-{}", self.unnamed);
        self.names.push(name.clone());
        name
    }
}

fn name(fields: &Fields<'_>, taken: &mut Taken, faults: &mut Faults<'_>) -> Option<String> {
    let Some(node) = fields.get("name") else {
        return Some(taken.unnamed());
    };
    let name = text(node, "name: engine", faults)?;
    let sign = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fits =
        name.len() <= LONGEST_NAME && name.starts_with(sign) && name.chars().all(|c| sign(c) || c == '-' || c == '_');
    if !fits {
        let message = format!("a step's name has at most {LONGEST_NAME} small letters, digits, `-` and `_`");
        faults.error("wrong-value", node.at.clone(), message, "write it as in `name: square-off`");
        return None;
    }
    if taken.names.iter().any(|other| other == name) {
        let message = format!("two steps are called `{name}`");
        faults.error("wrong-value", node.at.clone(), message, "give each step a name of its own");
        return None;
    }
    taken.names.push(name.to_owned());
    Some(name.to_owned())
}

fn wait(step: &Step<'_>, seen: &mut Vec<Seen>, faults: &mut Faults<'_>) -> Option<Until> {
    let known = ["until"];
    if let Some(node) = step.value.filter(|node| matches!(node.value, Value::Scalar(_) | Value::List(_))) {
        let help = format!("write `- wait: {{{UNTIL}}}`");
        faults.error("wrong-type", first_line(node, faults), "`wait` says until when", help);
        return None;
    }
    let fields = Fields::over(step.entries, "wait", step.at.clone(), &known, faults);
    let node = fields.required("until", &format!("add `{UNTIL}`"), faults)?;
    let (until, exit) = until(node, faults)?;
    seen.push(Seen { name: None, service: false, exit });
    Some(until)
}

/// What is waited for; for an `exit(…)` also the name and its place.
fn until(node: &Node, faults: &mut Faults<'_>) -> Option<(Until, Option<Exit>)> {
    if text(node, UNTIL, faults)?.trim_start().starts_with(|c: char| c.is_ascii_digit()) {
        return read_phrase(node, UNTIL, faults, clock::time).map(|time| (Until::Time(time), None));
    }
    let call = read_phrase(node, UNTIL, faults, phrase::call)?;
    let name_at = inside(node, &call.name.at, faults);
    let word = match call.arguments.as_deref() {
        Some([word]) => Some(word),
        _ => None,
    };
    match (call.name.text.as_str(), word) {
        ("file", Some(word)) => match state_path(&word.text) {
            Some(inner) => Some((Until::File(inner.to_owned()), None)),
            None => {
                let message = "a file to wait for lies below the loop's own `state/` folder";
                faults.error("path", inside(node, &word.at, faults), message, "write `until: file(\"state/stop\")`");
                None
            }
        },
        ("exit", Some(word)) => {
            let at = inside(node, &word.at, faults);
            Some((Until::Exit(word.text.clone()), Some((word.text.clone(), at))))
        }
        ("file" | "exit", None) => {
            let example = if call.name.text == "file" { "file(\"state/stop\")" } else { "exit(engine)" };
            let message = format!("`{}` takes one name in brackets", call.name.text);
            faults.error("phrase", name_at, message, format!("write `until: {example}`"));
            None
        }
        (other, _) => {
            let help = match suggestion(other, &["file", "exit"]) {
                near if near.starts_with("did") => near,
                _ => "write a time, `file(\"state/stop\")` or `exit(engine)`".to_owned(),
            };
            faults.error("unknown-word", name_at, format!("`{other}` is nothing to wait for"), help);
            None
        }
    }
}

/// Refuses waits for an end that can't come: of no service, of one that begins only later, or in a circle.
fn exits(seen: &[Seen], faults: &mut Faults<'_>) {
    for (i, step) in seen.iter().enumerate() {
        let Some((name, at)) = &step.exit else { continue };
        if let Some((message, help)) = exit_fault(seen, i, name) {
            faults.error("wrong-value", at.clone(), message, help);
        }
    }
}

fn exit_fault(seen: &[Seen], i: usize, name: &str) -> Option<(String, String)> {
    let called = |name: &str| seen.iter().position(|step| step.name.as_deref() == Some(name));
    let services: Vec<&str> =
        seen.iter().filter(|s| s.service).filter_map(|s| s.name.as_deref()).filter(|n| *n != name).collect();
    let Some(of) = called(name) else {
        let help = match services[..] {
            [] => "write `service: true` and `name:` at the step that is meant".to_owned(),
            _ => suggestion(name, &services),
        };
        return Some((format!("there is no step `{name}`"), help));
    };
    if of == i {
        return Some((format!("`{name}` would wait for its own end"), "name another service, or a time".to_owned()));
    }
    if !seen[of].service {
        let message = format!("`{name}` is no service: the next step begins when it has ended");
        return Some((message, format!("write `service: true` at `{name}`, or remove this")));
    }
    // Services that stand together begin together.
    if of > i && !seen[i..=of].iter().all(|step| step.service) {
        return Some((format!("`{name}` begins only after this"), format!("put `{name}` in front of it")));
    }
    let next = |at: usize| seen[at].exit.as_ref().and_then(|(name, _)| called(name));
    let circle: Vec<usize> = std::iter::successors(Some(i), |at| next(*at)).skip(1).take(seen.len()).collect();
    let closed = circle.iter().position(|at| *at == i)?;
    // Each circle is told once, at its first step.
    if circle[..closed].iter().any(|at| *at < i) {
        return None;
    }
    let names: Vec<&str> = circle[..=closed].iter().filter_map(|at| seen[*at].name.as_deref()).collect();
    let message = format!("{} wait for each other", listed(&names));
    Some((message, "give one of them a time: `until: \"15:30\"`".to_owned()))
}

/// `- finally:`: a list of run steps, or a mapping that also says how long they may take.
fn finally(step: &Step<'_>, taken: &mut Taken, faults: &mut Faults<'_>) -> Option<Finally> {
    let help = "write `- finally:` with `- run:` steps below it, indented";
    let (list, max) = match step.value.map(|node| (&node.value, node)) {
        Some((Value::List(_), node)) => (node, Some(Finally::default().max_s)),
        Some((Value::Scalar(_), node)) => {
            faults.error("wrong-type", node.at.clone(), "`finally` is a list of run steps", help);
            return None;
        }
        _ => {
            let fields = Fields::over(step.entries, "finally", step.at.clone(), &FINALLY_KEYS, faults);
            let max = fields.get("max");
            let max = max.map_or(Some(Finally::default().max_s), |node| seconds(node, 1..=600, "max: 60s", faults));
            (fields.required("steps", help, faults)?, max)
        }
    };
    let Value::List(items) = &list.value else {
        faults.error("wrong-type", first_line(list, faults), "`finally` is a list of run steps", help);
        return None;
    };
    if items.is_empty() {
        faults.error("missing-value", list.at.clone(), "`finally` has no step", help);
    }
    let read: Vec<Option<RunStep>> = items.iter().map(|item| last(item, taken, faults)).collect();
    Some(Finally { steps: read.into_iter().collect::<Option<_>>()?, max_s: max? })
}

/// One step of `finally`: nothing but `- run:`.
fn last(item: &Node, taken: &mut Taken, faults: &mut Faults<'_>) -> Option<RunStep> {
    let help = "only `- run:` steps stand in `finally`: no agent, no waiting, nothing that ships";
    let Some([first, rest @ ..]) = entries_of(item) else {
        faults.error(
            "wrong-type",
            first_line(item, faults),
            format!("a run step is missing, this is {}", item.kind()),
            help,
        );
        return None;
    };
    if first.key != "run" {
        faults.error("wrong-value", first.key_at.clone(), format!("`{}` can't stand in `finally`", first.key), help);
        return None;
    }
    if let Some(second) = rest.first() {
        let message = format!("`{}` is not indented under `run`", second.key);
        faults.error("indentation", second.key_at.clone(), message, "indent the step's keys by four more spaces");
        return None;
    }
    let below = match &first.value.value {
        Value::Map(_) | Value::Empty => entries(&first.value, "run", faults)?,
        _ => &[],
    };
    let step = Step { name: "run", at: first.key_at.clone(), entries: below, value: Some(&first.value) };
    run(&step, true, taken, &mut Vec::new(), faults)
}

fn entries_of(node: &Node) -> Option<&[Entry]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        _ => None,
    }
}

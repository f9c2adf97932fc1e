//! Steps that are not about findings: their rows, what they were granted, and what they come to in words.

use super::Mount;
use super::rows::{Rows, tries};
use crate::definition::{Chore, Definition, RunStep, Until, duration};

/// The rows of run and wait steps.
pub(super) fn rows(definition: &Definition, rows: &mut Rows<'_>) {
    for (i, chore) in definition.chores.iter().enumerate() {
        match chore {
            Chore::Run(step) => run(step, &format!("run.{}", step.name), &format!("chores.{i}"), rows),
            Chore::Wait(until) => {
                rows.add_from(&format!("wait.{}.until", i + 1), &[&format!("chores.{i}.until")], until)
            }
        }
    }
}

/// The rows of what is done at the end.
pub(super) fn finally(definition: &Definition, rows: &mut Rows<'_>) {
    for (i, step) in definition.finally.steps.iter().enumerate() {
        run(step, &format!("finally.{}", step.name), &format!("finally.{i}"), rows);
    }
    if !definition.finally.steps.is_empty() {
        rows.add("finally.max", duration(definition.finally.max_s));
    }
}

fn run(step: &RunStep, key: &str, place: &str, rows: &mut Rows<'_>) {
    // A step that is nothing but its command stands there without the key.
    rows.add_from(&format!("{key}.command"), &[&format!("{place}.command"), place], &step.command);
    let mut add = |field: &str, value: Option<String>| {
        if let Some(value) = value {
            rows.add_from(&format!("{key}.{field}"), &[&format!("{place}.{field}")], value);
        }
    };
    let list = |words: &[String]| (!words.is_empty()).then(|| words.join(", "));
    add("service", step.service.then(|| "true".to_owned()));
    add("until", step.until.as_ref().map(ToString::to_string));
    add("retry", tries(step.retry));
    add("max", step.max_s.map(duration));
    add("idempotent", step.idempotent.then(|| "true".to_owned()));
    add("network", list(&step.grants.network));
    add("read", list(&step.grants.read));
    add("write", list(&step.grants.write));
}

/// What the steps may reach and see, a line each.
pub(super) fn grants(definition: &Definition) -> Vec<String> {
    all(definition).flat_map(granted).collect()
}

/// What the loop and its steps see of their own: the workspace, the state folder, and granted paths.
pub(super) fn mounts(definition: &Definition) -> Vec<Mount> {
    let mount = |host: &str, inside: &str, access: &str| Mount {
        host: host.to_owned(),
        inside: inside.to_owned(),
        access: access.to_owned(),
    };
    let mut mounts = Vec::new();
    if definition.discover.is_some() {
        mounts.push(mount("(its workspace)", "/workspace", "writable"));
    }
    if all(definition).next().is_some() {
        mounts.push(mount("(its state)", "/state", "writable"));
    }
    for step in all(definition) {
        let read = step.grants.read.iter().map(|path| (path, "read-only"));
        let write = step.grants.write.iter().map(|path| (path, "writable"));
        mounts
            .extend(read.chain(write).map(|(path, access)| mount(path, path, &format!("{access}, in {}", step.name))));
    }
    mounts
}

/// All run steps, those of the end last.
fn all(definition: &Definition) -> impl Iterator<Item = &RunStep> {
    let chores = definition.chores.iter().filter_map(|chore| match chore {
        Chore::Run(step) => Some(step.as_ref()),
        Chore::Wait(_) => None,
    });
    chores.chain(&definition.finally.steps)
}

fn granted(step: &RunStep) -> Vec<String> {
    let (name, grants) = (&step.name, &step.grants);
    let network = grants.network.iter().map(|host| match host.split_once(':') {
        Some(("localhost" | "127.0.0.1", port)) => format!("{name}: network, port {port} of this computer itself"),
        _ => format!("{name}: network, {host}"),
    });
    let read = grants.read.iter().map(|path| format!("{name}: reads {path}"));
    let write = grants.write.iter().map(|path| format!("{name}: reads and writes {path}"));
    network.chain(read).chain(write).collect()
}

/// What the chores do, a line each.
pub(super) fn plan(definition: &Definition) -> Vec<String> {
    definition.chores.iter().map(line).collect()
}

fn line(chore: &Chore) -> String {
    match chore {
        Chore::Wait(until) => format!("waits until {}", end(until)),
        Chore::Run(step) => {
            let until = step.until.as_ref().map(|until| format!(", until {} at the latest", end(until)));
            let beside = if step.service { ", beside the steps after it" } else { "" };
            format!("runs {} in the sandbox: {}{beside}{}", step.name, step.command, until.unwrap_or_default())
        }
    }
}

/// What is done at the end, a line each.
pub(super) fn last(definition: &Definition) -> Vec<String> {
    let most = duration(definition.finally.max_s);
    let line = |step: &RunStep| format!("after any end, HALT too, within {most}: runs {}: {}", step.name, step.command);
    definition.finally.steps.iter().map(line).collect()
}

fn end(until: &Until) -> String {
    match until {
        Until::Time(_) => until.to_string(),
        Until::File(path) => format!("there is a file state/{path}"),
        Until::Exit(name) => format!("{name} has ended"),
    }
}

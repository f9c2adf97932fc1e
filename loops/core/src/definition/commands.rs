//! `checks:`, `setup:` and `env:`: what is run, and with which variables.

use std::collections::BTreeMap;

use super::Command;
use super::faults::Faults;
use super::fields::{Fields, entries};
use super::nearest::suggestion;
use super::values::{first_line, text};
use super::yaml::{Entry, Node, Value};

/// Longest word of a command, shell line or value of a variable, in bytes: Linux takes no string over 128 KiB when it starts
/// a program.
const LONGEST: usize = 100_000;

/// The checks that the file defines, by the gate's name.
pub(super) fn checks(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<BTreeMap<String, Vec<Command>>> {
    let Some(node) = top.get("checks") else {
        return Some(BTreeMap::new());
    };
    let entries = entries(node, "checks", faults)?;
    let read: Vec<_> = entries.iter().map(|e| check(e, faults)).collect();
    read.into_iter().collect()
}

/// What prepares a checkout.
pub(super) fn setup(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Option<Command>> {
    let Some(node) = top.get("setup") else {
        return Some(None);
    };
    let Value::Map(entries) = &node.value else {
        return command(node, "setup: [cargo, fetch, --offline]", faults).map(Some);
    };
    for entry in entries {
        let at = entry.key_at.clone();
        match entry.key.as_str() {
            "network" => {
                let help = "fetch dependencies outside first, e.g. `cargo fetch`, and write `setup:` as a command";
                faults.error("not-yet", at, "no step gets a network yet", help);
            }
            "run" => {}
            other => {
                let message = format!("`setup` has no key `{other}`");
                faults.error("unknown-key", at, message, suggestion(other, &["run", "network"]));
            }
        }
    }
    if !entries.iter().any(|e| e.key == "network") {
        let help = "write the command itself, as in `setup: [cargo, build]`";
        faults.error("not-yet", first_line(node, faults), "`setup` with keys is not built yet", help);
    }
    None
}

/// Variables for setup, makers and gates; never secrets.
pub(super) fn env(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<BTreeMap<String, String>> {
    let Some(node) = top.get("env") else {
        return Some(BTreeMap::new());
    };
    let entries = entries(node, "env", faults)?;
    let read: Vec<_> = entries.iter().map(|e| variable(e, faults)).collect();
    read.into_iter().collect()
}

/// One command: a list of words, or a line for the shell.
pub(super) fn command(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<Command> {
    let command = words(node, example, faults)?;
    let fits = command.argv().iter().all(|word| fits(word, node, faults));
    fits.then_some(command)
}

fn fits(text: &str, node: &Node, faults: &mut Faults<'_>) -> bool {
    if text.len() > LONGEST {
        let message = format!("{} bytes are more than a program can be given in one piece ({LONGEST})", text.len());
        faults.error(
            "wrong-value",
            node.at.clone(),
            message,
            "write it into a file beside this one, and run or read that",
        );
    }
    text.len() <= LONGEST
}

fn words(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<Command> {
    let Value::List(items) = &node.value else {
        return text(node, example, faults).map(|line| Command::Shell(line.to_owned()));
    };
    let words: Option<Vec<String>> = items.iter().map(|item| word(item, example, faults)).collect();
    let words = words?;
    let Some(program) = words.first() else {
        faults.error(
            "missing-value",
            node.at.clone(),
            "the command has no words",
            format!("write it as in `{example}`"),
        );
        return None;
    };
    if program.contains(char::is_whitespace) {
        let message = format!("the program's name, `{program}`, holds white space");
        let split = program.split_whitespace().collect::<Vec<_>>().join(", ");
        let help = format!("one word each: `[{split}]`; several commands are a list of lists");
        faults.error("wrong-value", items[0].at.clone(), message, help);
        return None;
    }
    Some(Command::Argv(words))
}

/// A word of a command; an empty one is a word too if it is quoted.
fn word(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<String> {
    match &node.value {
        Value::Scalar(word) => Some(word.clone()),
        _ => text(node, example, faults).map(str::to_owned),
    }
}

fn check(entry: &Entry, faults: &mut Faults<'_>) -> Option<(String, Vec<Command>)> {
    let name = entry.key.as_str();
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let taken = matches!(name, "diff_reasonable" | "and" | "or" | "not");
    if !fits || taken {
        let message = if taken { format!("`{name}` is built in") } else { format!("`{name}` is no name for a gate") };
        let help = "choose another name: small letters, digits and `_`";
        faults.error("wrong-value", entry.key_at.clone(), message, help);
    }
    let commands = several(&entry.value, faults)?;
    (fits && !taken).then(|| (name.to_owned(), commands))
}

/// One command, or a list in which each item is one.
fn several(node: &Node, faults: &mut Faults<'_>) -> Option<Vec<Command>> {
    let example = "tests_pass: [cargo, test]";
    match &node.value {
        Value::List(items) if items.iter().any(|i| matches!(i.value, Value::List(_))) => {
            let read: Vec<_> = items.iter().map(|item| command(item, example, faults)).collect();
            read.into_iter().collect()
        }
        _ => command(node, example, faults).map(|one| vec![one]),
    }
}

fn variable(entry: &Entry, faults: &mut Faults<'_>) -> Option<(String, String)> {
    let name = entry.key.as_str();
    let first = |c: char| c.is_ascii_uppercase() || c == '_';
    let fits = name.starts_with(first) && name.chars().all(|c| first(c) || c.is_ascii_digit());
    if !fits {
        let message = format!("`{name}` is no name for a variable");
        let help = "use capital letters, digits and `_`, as in `RUST_LOG`";
        faults.error("wrong-value", entry.key_at.clone(), message, help);
    }
    let secret = ["TOKEN", "SECRET", "PASSWORD", "KEY"].iter().any(|end| name.to_uppercase().ends_with(end));
    if secret {
        let message = format!("`{name}` looks like a secret");
        faults.error("secret", entry.key_at.clone(), message, "secrets live in the keychain: remove it from the file");
    }
    let value = match &entry.value.value {
        Value::Empty => Some(String::new()),
        Value::Scalar(value) => Some(value.clone()),
        _ => text(&entry.value, "RUST_LOG: debug", faults).map(str::to_owned),
    };
    let value = value.filter(|value| self::fits(value, &entry.value, faults));
    value.filter(|_| fits && !secret).map(|value| (name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use crate::definition::read;

    const REST: &str = "name: a\nrepo: /r\ntrigger: manual\nsteps:\n  - discover: {run: scan_ci_failures, write_to: state/triage.md}\n\
                        guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}\n";

    fn faults(rest: &str) -> Vec<String> {
        read(&format!("{REST}{rest}\n")).diagnostics.into_iter().map(|d| d.message).collect()
    }

    #[test]
    fn what_no_program_can_be_given_is_refused_here() {
        for (before, after) in [
            ("checks: {tests_pass: \"", "\"}"),
            ("checks: {tests_pass: [echo, ", "]}"),
            ("checks: {tests_pass: [[echo, ", "]]}"),
            ("setup: [echo, ", "]"),
            ("env: {A: ", "}"),
        ] {
            let of = |length: usize| faults(&format!("{before}{}{after}", "x".repeat(length)));
            let found = of(135_000);
            assert_eq!(found.len(), 1, "{before}: {} faults", found.len());
            assert!(found[0].starts_with("135000 bytes are more than"), "{before}");
            // The control: what fits is taken.
            assert_eq!(of(99_000), [""; 0], "{before}");
        }
    }
}

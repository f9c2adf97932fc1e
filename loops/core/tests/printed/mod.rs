//! A definition as text again, as far as it says when it starts and what its steps without findings are.

use loopwright_core::definition::{Chore, Command, Definition, Finally, RunStep, duration};
use loopwright_core::timing::Timing;

/// A file that says of its starts, chores and end what `definition` does; it looks for issues where there is no chore.
pub(crate) fn printed(definition: &Definition) -> String {
    let mut text = format!("name: {}\n", quoted(&definition.name));
    timing(&definition.timing, &mut text);
    text += "steps:\n";
    for chore in &definition.chores {
        match chore {
            Chore::Run(step) => text += &format!("  - run: {}\n", run(step, true)),
            Chore::Wait(until) => text += &format!("  - wait: {{until: {}}}\n", quoted(&until.to_string())),
        }
    }
    if !definition.chores.iter().any(|chore| matches!(chore, Chore::Run(_))) {
        text += "  - discover: {run: open_issues, write_to: state/triage.md}\n";
    }
    finally(&definition.finally, &mut text);
    text + "guardrails: {max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}\n"
}

fn timing(timing: &Timing, text: &mut String) {
    let triggers: Vec<String> = timing.triggers.iter().map(|trigger| quoted(&trigger.to_string())).collect();
    *text += &format!("trigger: [{}]\n", triggers.join(", "));
    if let Some(zone) = timing.zone {
        *text += &format!("timezone: {}\n", zone.name());
    }
    let within = duration(timing.catch_up.within_s);
    *text += &format!("wake: {}\ncatch_up: {{how: {}, within: {within}}}\n", timing.wake, timing.catch_up.how);
    *text += &format!("overlap: {}\nbattery: {}\n", timing.overlap, timing.battery);
    if timing.jitter_s > 0 {
        *text += &format!("jitter: {}\n", duration(timing.jitter_s));
    }
    if let Some(quiet) = timing.quiet_hours {
        *text += &format!("quiet_hours: {quiet}\n");
    }
}

fn finally(finally: &Finally, text: &mut String) {
    if finally.steps.is_empty() {
        return;
    }
    *text += &format!("  - finally:\n      max: {}\n      steps:\n", duration(finally.max_s));
    for step in &finally.steps {
        *text += &format!("        - run: {}\n", run(step, false));
    }
}

/// A run step as a mapping in one line; `early` = not in `finally`.
fn run(step: &RunStep, early: bool) -> String {
    let list = |words: &[String]| format!("[{}]", words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(", "));
    let command = match &step.command {
        Command::Argv(words) => list(words),
        Command::Shell(line) => quoted(line),
    };
    let mut keys = vec![format!("name: {}", quoted(&step.name)), format!("command: {command}")];
    if early {
        keys.push(format!("service: {}", step.service));
        if step.retry.times > 0 {
            keys.push(format!("retry: {{times: {}, every: {}}}", step.retry.times, duration(step.retry.every_s)));
        }
    } else {
        keys.push(format!("idempotent: {}", step.idempotent));
    }
    keys.extend(step.until.as_ref().map(|until| format!("until: {}", quoted(&until.to_string()))));
    keys.extend(step.max_s.map(|max| format!("max: {}", duration(max))));
    let grants = [("network", &step.grants.network), ("read", &step.grants.read), ("write", &step.grants.write)];
    let given = grants.iter().filter(|(_, words)| !words.is_empty());
    keys.extend(given.map(|(key, words)| format!("{key}: {}", list(words))));
    format!("{{{}}}", keys.join(", "))
}

/// A text between YAML's double quotes, whatever it holds.
fn quoted(text: &str) -> String {
    let sign = |c: char| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_ascii_graphic() || c == ' ' => c.to_string(),
        c => format!("\\U{:08X}", u32::from(c)),
    };
    format!("\"{}\"", text.chars().map(sign).collect::<String>())
}

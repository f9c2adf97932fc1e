//! What a loop would do, in the order in which it does it.

use super::chores;
use super::rows::sources;
use crate::definition::Definition;
use crate::run::Mode;

/// One line each: what it looks for, what a run does that only reports, what follows where it may ship.
pub fn plan(definition: &Definition, mode: Mode) -> Vec<String> {
    let mut lines = chores::plan(definition);
    let last = chores::last(definition);
    if let Some(discover) = &definition.discover {
        lines.push(format!("looks for work: {}", sources(definition)));
        lines.push(format!("lists what it found in state/{}, which you may edit", discover.write_to));
    }
    let Some(work) = &definition.work else {
        lines.extend(last);
        lines.push(match definition.discover {
            Some(_) => "that is all: it changes nothing".to_owned(),
            None => "that is all: it looks for no findings, and opens no pull request".to_owned(),
        });
        return lines;
    };
    let maker = match definition.agents.contains_key(&work.act.maker) {
        true => work.act.maker.as_str(),
        false => "the built-in fixer",
    };
    let (most, rounds) = (definition.rails.max_findings, definition.rails.max_iterations);
    if mode == Mode::Report {
        lines.push("that is all while it only reports, which is how it begins".to_owned());
    }
    let once = if mode == Mode::Report { "with --ship: " } else { "" };
    lines.push(format!(
        "{once}{maker} works on up to {most} findings a run, up to {rounds} {} each, in the sandbox",
        if rounds == 1 { "round" } else { "rounds" }
    ));
    lines.push(format!("a change that passes {} becomes a pull request and waits for you", work.verify.check));
    lines.extend(last);
    lines
}

//! What a person should know about a valid loop before it runs.

use super::rows::{action, gates};
use super::{Surroundings, timing};
use crate::definition::{Definition, ShipAction, Work};

/// One line each, in the order of the steps.
pub(super) fn notes(definition: &Definition, around: &Surroundings) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(fault) = &around.repo_fault {
        notes.push(format!("repository: {fault}"));
    } else if definition.discover.is_some() && definition.repo.is_none() && around.repo.is_none() {
        notes.push("repository: none here, so checks and mounts can't be resolved".to_owned());
    }
    match &definition.work {
        Some(work) => {
            agents(definition, work, &mut notes);
            actions(work, around, &mut notes);
        }
        None if definition.discover.is_some() => notes.push("only discover: it reports and changes nothing".to_owned()),
        None => {}
    }
    if around.repo.is_some() {
        absent(definition, around, &mut notes);
    }
    timing::notes(definition, around, &mut notes);
    notes
}

fn agents(definition: &Definition, work: &Work, notes: &mut Vec<String>) {
    let maker = &work.act.maker;
    let maker_spec = definition.agents.get(maker);
    if maker_spec.is_none() {
        notes.push(format!("{maker}: not defined here: the fixer (built in, needs no model)"));
    }
    let checker = work.verify.checker.as_ref();
    let checker_spec = checker.and_then(|name| definition.agents.get(name));
    match (checker, checker_spec) {
        (None, _) => notes.push("no checker: gates alone".to_owned()),
        (Some(name), None) => notes.push(format!("{name}: not defined: gates alone")),
        (Some(name), Some(spec)) => {
            let vendor = maker_spec.and_then(|maker| maker.vendor.as_ref());
            let models = spec.model.is_some() && maker_spec.is_some_and(|m| m.model.is_some());
            let other = spec.vendor.is_some() && vendor.is_some() && spec.vendor.as_ref() != vendor;
            if models && !other {
                notes.push(format!("{name}: not known to be of another vendor than {maker}: not independent"));
            }
        }
    }
}

fn actions(work: &Work, around: &Surroundings, notes: &mut Vec<String>) {
    // Pull requests and issues are local where there is no forge; only messages need something of their own.
    for unready in work.ship.actions.iter().filter(|a| **a == ShipAction::NotifySlack) {
        if !around.configured.contains(unready) {
            notes.push(format!("{}: skipped (not configured)", action(*unready)));
        }
    }
}

fn absent(definition: &Definition, around: &Surroundings, notes: &mut Vec<String>) {
    for gate in gates(definition) {
        let found = definition.checks.contains_key(&gate) || around.checks.iter().any(|c| c.gate == gate);
        if !found {
            notes.push(format!("{gate}: no command found here: absent, so a person must look"));
        }
    }
}

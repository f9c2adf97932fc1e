//! `agents:` and `independence:`: who makes and who checks, and that these are not one and the same.

use std::collections::BTreeMap;
use std::ops::Range;

use super::commands::command;
use super::faults::Faults;
use super::fields::{Fields, entries};
use super::steps::Names;
use super::values::{choice, inside, phrase, seconds, text};
use super::yaml::{Entry, Node};
use super::{AgentSpec, Independence};
use crate::money::Micros;

pub(super) const KEYS: [&str; 6] = ["command", "price", "model", "vendor", "idle", "max"];
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// The agents that the file defines.
pub(super) fn read(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<BTreeMap<String, AgentSpec>> {
    let Some(node) = top.get("agents") else {
        return Some(BTreeMap::new());
    };
    let entries = entries(node, "agents", faults)?;
    let read: Vec<Option<(String, AgentSpec)>> = entries.iter().map(|e| one(e, faults)).collect();
    read.into_iter().collect()
}

/// How different maker and checker must be.
pub(super) fn independence(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Independence> {
    let words = [("model", Independence::Model), ("vendor", Independence::Vendor)];
    top.get("independence")
        .map_or(Some(Independence::Model), |node| choice(node, &words, "independence: model", faults))
}

/// Refuses a checker that is no second pair of eyes; `rule` and `agents` as far as they could be read.
pub(super) fn independent(
    names: &Names,
    agents: Option<&BTreeMap<String, AgentSpec>>,
    rule: Option<Independence>,
    top: &Fields<'_>,
    faults: &mut Faults<'_>,
) {
    let (Some(maker_name), Some(agents)) = (&names.maker, agents) else {
        return;
    };
    let at = names.checker_at.clone();
    if names.checker.as_ref() == Some(maker_name) {
        let message = format!("`{maker_name}` would check its own work");
        faults.error("independence", at, message, "name another agent, or leave `agent:` out: gates alone");
        return;
    }
    // A maker that nothing defines is the built-in fixer, which has no model.
    let Some(maker) = agents.get(maker_name) else {
        return;
    };
    let Some(model) = &maker.model else { return };
    let Some((name, checker)) = names.checker.as_ref().and_then(|name| agents.get_key_value(name)) else {
        let message = format!("`{maker_name}` has a model, so its work needs a checker that is defined");
        let help = "define the checker under `agents:` with another model, and name it in `agent:`";
        faults.error("independence", at, message, help);
        return;
    };
    let place = |key: &str| field(top, name, key).map_or(at.clone(), |node| node.at.clone());
    if same(Some(model), checker.model.as_ref()) {
        let message = format!("maker and checker are the same model, `{model}`");
        faults.error("independence", place("model"), message, "give the checker another model");
    } else if rule == Some(Independence::Vendor) && checker.model.is_some() {
        vendors(maker, checker, place("vendor"), faults);
    }
}

fn vendors(maker: &AgentSpec, checker: &AgentSpec, at: Range<usize>, faults: &mut Faults<'_>) {
    let message = match (&maker.vendor, &checker.vendor) {
        (Some(_), Some(vendor)) if same(maker.vendor.as_ref(), checker.vendor.as_ref()) => {
            format!("maker and checker are of the same vendor, `{vendor}`")
        }
        (Some(_), Some(_)) => return,
        _ => "`independence: vendor` needs the vendors of maker and checker".to_owned(),
    };
    let help = "give both agents a `vendor:`, and two different ones";
    faults.error("independence", at, message, help);
}

fn same(a: Option<&String>, b: Option<&String>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.trim().eq_ignore_ascii_case(b.trim()))
}

/// The value of one key of one agent, for its place.
fn field<'n>(top: &Fields<'n>, agent: &str, key: &str) -> Option<&'n Node> {
    let find = |node: &'n Node, key: &str| match &node.value {
        super::yaml::Value::Map(entries) => entries.iter().find(|e| e.key == key).map(|e| &e.value),
        _ => None,
    };
    find(find(top.get("agents")?, agent)?, key)
}

fn one(entry: &Entry, faults: &mut Faults<'_>) -> Option<(String, AgentSpec)> {
    let name = entry.key.as_str();
    let fields = Fields::of(&entry.value, name, entry.key_at.clone(), &KEYS, faults)?;
    let fits = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if !fits {
        let message = format!("`{name}` is no name for an agent");
        faults.error("wrong-value", entry.key_at.clone(), message, "use letters, digits, `_` and `-`");
    }
    let run = fields.required("command", "add `command: [./fix.sh]`; other agents are not built yet", faults);
    let run = run.and_then(|node| command(node, "command: [./fix.sh]", faults));
    let price = price(&fields, name, &entry.key_at, faults);
    let word = |key: &str, faults: &mut Faults<'_>| match fields.get(key) {
        Some(node) => text(node, &format!("{key}: some-name"), faults).map(|t| Some(t.to_owned())),
        None => Some(None),
    };
    let (model, vendor) = (word("model", faults), word("vendor", faults));
    let time = |key: &str, default: u64, faults: &mut Faults<'_>| match fields.get(key) {
        Some(node) => seconds(node, 1..=DAY, &format!("{key}: {}m", default / MINUTE), faults),
        None => Some(default),
    };
    let (idle, max) = (time("idle", 5 * MINUTE, faults), time("max", 30 * MINUTE, faults));
    let spec = AgentSpec { command: run?, price: price?, model: model?, vendor: vendor?, idle_s: idle?, max_s: max? };
    fits.then(|| (name.to_owned(), spec))
}

fn price(fields: &Fields<'_>, name: &str, at: &Range<usize>, faults: &mut Faults<'_>) -> Option<Micros> {
    let example = "price: $0.50/attempt";
    let Some(node) = fields.get("price") else {
        let message = format!("`{name}` names no price");
        let help = "add `price: $0` if it costs nothing, or as in `price: $0.50/attempt`";
        faults.error("price", at.clone(), message, help);
        return None;
    };
    let (amount, per) = phrase(node, example, faults, super::phrase::price)?;
    match per {
        Some(word) if word.text != "attempt" => {
            let at = inside(node, &word.at, faults);
            let message = format!("a price is per attempt, not per `{}`", word.text);
            faults.error("price", at, message, format!("write `{example}`"));
            None
        }
        // An amount without what it is for is clear only where it is nothing.
        None if amount > Micros::ZERO => {
            let message = "the price doesn't say what it is for";
            faults.error("price", node.at.clone(), message, format!("write `price: {amount}/attempt`"));
            None
        }
        _ => Some(amount),
    }
}

//! `trigger:` and `zone:`: what starts a loop.

use std::ops::Range;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::faults::Faults;
use super::fields::Fields;
use super::nearest::{nearest, suggestion};
use super::phrase::{self, Call, Word};
use super::values::{inside, phrase as read_phrase, text};
use super::yaml::Node;
use crate::schedule;
use crate::timing::Trigger;

const EXAMPLE: &str = "trigger: cron(\"0 9 * * MON-FRI\")";
/// Triggers of later versions.
const LATER: [&str; 3] = ["webhook", "every", "on_red_build"];
const NOW: &str = "what works now: `cron(\"0 9 * * MON-FRI\")` or `manual`";

/// What starts the loop.
pub(super) fn read(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Trigger> {
    let help = format!("add `{EXAMPLE}` or `trigger: manual`");
    let node = top.required("trigger", &help, faults)?;
    let text = text(node, EXAMPLE, faults)?;
    if let Some(expression) = bare(text) {
        let help = format!("write `trigger: cron(\"{expression}\")`");
        faults.error("phrase", node.at.clone(), "a schedule stands in `cron(\"…\")`", help);
        return None;
    }
    let first = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    if LATER.contains(&first) {
        faults.error("not-yet", node.at.clone(), format!("`{first}` is not built yet"), NOW);
        return None;
    }
    let call = read_phrase(node, EXAMPLE, faults, phrase::call)?;
    let at = inside(node, &call.name.at, faults);
    match (call.name.text.as_str(), &call.arguments) {
        ("cron", _) => cron(node, &call, faults),
        ("manual", None) => Some(Trigger::Manual),
        ("manual", Some(_)) => {
            faults.error("phrase", node.at.clone(), "`manual` takes nothing in brackets", "write `trigger: manual`");
            None
        }
        (other, _) => {
            let help = suggestion(other, &["cron", "manual"]);
            faults.error("unknown-word", at, format!("`{other}` is no trigger"), help);
            None
        }
    }
}

/// The zone of the schedule; none = the computer's.
pub(super) fn zone(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Option<Tz>> {
    let Some(node) = top.get("zone") else {
        return Some(None);
    };
    let name = text(node, "zone: Europe/Berlin", faults)?;
    if let Ok(zone) = name.parse() {
        return Some(Some(zone));
    }
    let known: Vec<&str> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    let help = match nearest(name, &known) {
        Some(zone) => format!("did you mean `{zone}`?"),
        None => "write a name of the IANA list, as in `zone: Europe/Berlin`".to_owned(),
    };
    faults.error("wrong-value", node.at.clone(), format!("`{name}` is no time zone"), help);
    None
}

/// The schedule in `cron 0 9 * * *`, `cron(0 9 * * *)` or `0 9 * * *`: right in all but its dress.
fn bare(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("cron").unwrap_or(text).trim();
    let inner = inner.strip_prefix('(').and_then(|t| t.strip_suffix(')')).unwrap_or(inner).trim();
    let looks = inner.split_whitespace().count() >= 4
        && inner.chars().all(|c| c.is_ascii_alphanumeric() || " \t*/,-?#+".contains(c))
        && inner.starts_with(|c: char| c.is_ascii_digit() || c == '*');
    looks.then_some(inner)
}

fn cron(node: &Node, call: &Call, faults: &mut Faults<'_>) -> Option<Trigger> {
    let [Word { text, at }] = call.arguments.as_deref().unwrap_or_default() else {
        let message = "`cron` takes one schedule in quotes";
        faults.error("phrase", node.at.clone(), message, format!("write `{EXAMPLE}`"));
        return None;
    };
    let shifted = |inner: &Range<usize>| at.start + inner.start..at.start + inner.end;
    match schedule::check(text) {
        Err(fault) => {
            let place = inside(node, &shifted(&fault.at), faults);
            faults.error("cron", place, fault.message, fault.help);
            None
        }
        Ok(()) => {
            if schedule::means_or(text) {
                let message = "both a day of the month and a weekday: it runs when either of them holds";
                let help = "write `*` for one of the two if you mean only the other";
                faults.note("cron-or", inside(node, at, faults), message, help);
            }
            Some(Trigger::Cron(text.clone()))
        }
    }
}

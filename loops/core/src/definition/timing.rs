//! The keys beside `trigger:`: the zone, and what becomes of a start that can't be.

use std::ops::RangeInclusive;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::clock;
use super::faults::Faults;
use super::fields::Fields;
use super::nearest::{nearest, suggestion};
use super::phrase::{self, Call};
use super::trigger;
use super::values::{choice, inside, phrase as read_phrase, seconds, text};
use super::yaml::{Node, Value};
use crate::timing::{Battery, CatchUp, CatchUpHow, Overlap, QuietHours, Timing, Trigger};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// How long after its time a missed one may start, in seconds.
pub(super) const WITHIN: RangeInclusive<u64> = MINUTE..=7 * DAY;
/// How much later a start may be, in seconds.
pub(super) const JITTER: RangeInclusive<u64> = 1..=HOUR;
/// How many missed times may be caught up.
pub(super) const CAUGHT_UP: RangeInclusive<u32> = 1..=50;
/// Keys of `catch_up:` as a mapping.
pub(super) const CATCH_UP_KEYS: [&str; 2] = ["how", "within"];
/// Keys that say something of due times alone.
const OF_TIMES: [&str; 3] = ["wake", "catch_up", "jitter"];
/// Keys that say something of starts without a person.
const OF_STARTS: [&str; 3] = ["overlap", "quiet_hours", "battery"];

/// When the loop called `own` starts by itself.
pub(super) fn read(top: &Fields<'_>, own: Option<&str>, faults: &mut Faults<'_>) -> Option<Timing> {
    let triggers = trigger::read(top, own, faults);
    let zone = zone(top, faults);
    let wake = top.get("wake").map_or(Some(false), |node| truth(node, "wake: true", faults));
    let catch_up = top.get("catch_up").map_or(Some(CatchUp::default()), |_| catch_up(top, faults));
    let overlap = top.get("overlap").map_or(Some(Overlap::Skip), |node| overlap(node, faults));
    let jitter = top.get("jitter").map_or(Some(0), |node| seconds(node, JITTER, "jitter: 5m", faults));
    let quiet = top.get("quiet_hours").map_or(Some(None), |node| quiet_hours(node, faults).map(Some));
    let battery = top.get("battery").map_or(Some(Battery::Run), |node| battery(node, faults));
    if let Some(triggers) = &triggers {
        without_effect(top, triggers, faults);
    }
    Some(Timing {
        triggers: triggers?,
        zone: zone?,
        wake: wake?,
        catch_up: catch_up?,
        overlap: overlap?,
        jitter_s: jitter?,
        quiet_hours: quiet?,
        battery: battery?,
    })
}

/// `true` or `false`.
pub(super) fn truth(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<bool> {
    choice(node, &[("true", true), ("false", false)], example, faults)
}

/// The zone of all times; none = the computer's. `zone` is what older files call it.
fn zone(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Option<Tz>> {
    if let (Some(_), Some(older)) = (top.entry("timezone"), top.entry("zone")) {
        let message = "`zone` is the older name of `timezone`, which is given too";
        faults.error("duplicate-key", older.key_at.clone(), message, "keep `timezone` alone");
        return None;
    }
    let Some(node) = top.get("timezone").or_else(|| top.get("zone")) else {
        return Some(None);
    };
    let name = text(node, "timezone: Europe/Berlin", faults)?;
    if let Ok(zone) = name.parse() {
        return Some(Some(zone));
    }
    let known: Vec<&str> = TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
    let help = match nearest(name, &known) {
        Some(zone) => format!("did you mean `{zone}`?"),
        None => "write a name of the IANA list, as in `timezone: Europe/Berlin`".to_owned(),
    };
    faults.error("wrong-value", node.at.clone(), format!("`{name}` is no time zone"), help);
    None
}

/// `skip`, `once`, `all(5)`, or a mapping that also says how long.
fn catch_up(top: &Fields<'_>, faults: &mut Faults<'_>) -> Option<CatchUp> {
    let entry = top.entry("catch_up")?;
    let default = CatchUp::default();
    if !matches!(entry.value.value, Value::Map(_)) {
        return how(&entry.value, "catch_up: once", faults).map(|how| CatchUp { how, ..default });
    }
    let fields = Fields::of(&entry.value, "catch_up", entry.key_at.clone(), &CATCH_UP_KEYS, faults)?;
    let example = "catch_up: {how: once, within: 6h}";
    let how = fields.get("how").map_or(Some(default.how), |node| how(node, example, faults));
    let within =
        fields.get("within").map_or(Some(default.within_s), |node| seconds(node, WITHIN, "within: 6h", faults));
    Some(CatchUp { how: how?, within_s: within? })
}

fn how(node: &Node, example: &str, faults: &mut Faults<'_>) -> Option<CatchUpHow> {
    let call = read_phrase(node, example, faults, phrase::call)?;
    match call.name.text.as_str() {
        "skip" => super::steps::plain(node, &call, faults).then_some(CatchUpHow::Skip),
        "once" => super::steps::plain(node, &call, faults).then_some(CatchUpHow::Once),
        "all" => counted(node, &call, CAUGHT_UP, "all(5)", faults).map(CatchUpHow::All),
        other => {
            let at = inside(node, &call.name.at, faults);
            let help = suggestion(other, &["skip", "once", "all(5)"]);
            faults.error("unknown-word", at, format!("`{other}` is no way to catch up"), help);
            None
        }
    }
}

fn overlap(node: &Node, faults: &mut Faults<'_>) -> Option<Overlap> {
    let call = read_phrase(node, "overlap: queue(1)", faults, phrase::call)?;
    match call.name.text.as_str() {
        "skip" => super::steps::plain(node, &call, faults).then_some(Overlap::Skip),
        "cancel_previous" => super::steps::plain(node, &call, faults).then_some(Overlap::CancelPrevious),
        "queue" => counted(node, &call, 1..=1, "queue(1)", faults).map(|_| Overlap::Queue),
        other => {
            let at = inside(node, &call.name.at, faults);
            let help = suggestion(other, &["skip", "queue(1)", "cancel_previous"]);
            faults.error("unknown-word", at, format!("`{other}` says nothing of a loop that still runs"), help);
            None
        }
    }
}

/// The one number in the brackets of a call.
fn counted(
    node: &Node,
    call: &Call,
    range: RangeInclusive<u32>,
    example: &str,
    faults: &mut Faults<'_>,
) -> Option<u32> {
    let (least, most) = (range.start(), range.end());
    let [word] = call.arguments.as_deref().unwrap_or_default() else {
        let message = format!("`{}` takes one number in brackets", call.name.text);
        faults.error("phrase", inside(node, &call.name.at, faults), message, format!("write it as in `{example}`"));
        return None;
    };
    let number = word.text.parse().ok().filter(|number| range.contains(number));
    if number.is_none() {
        let message = format!("`{}` is outside of what is allowed here", word.text);
        let help = match least == most {
            true => format!("write `{example}`: no more than that can wait"),
            false => format!("write {least} to {most}, as in `{example}`"),
        };
        faults.error("out-of-range", inside(node, &word.at, faults), message, help);
    }
    number
}

fn quiet_hours(node: &Node, faults: &mut Faults<'_>) -> Option<QuietHours> {
    let (from, to) = read_phrase(node, "quiet_hours: \"22:00-07:00\"", faults, clock::span)?;
    Some(QuietHours { from, to })
}

fn battery(node: &Node, faults: &mut Faults<'_>) -> Option<Battery> {
    let words = [("run", Battery::Run), ("skip", Battery::Skip), ("wait", Battery::Wait)];
    choice(node, &words, "battery: wait", faults)
}

/// Tells keys that say something of starts which this loop never has.
fn without_effect(top: &Fields<'_>, triggers: &[Trigger], faults: &mut Faults<'_>) {
    let timed = triggers.iter().any(Trigger::is_time);
    let alone = triggers.iter().all(|trigger| *trigger == Trigger::Manual);
    let none = "nothing but a person starts this loop";
    let of = |keys: &'static [&str], why: &'static str| keys.iter().map(move |key| (*key, why));
    let idle = match (timed, alone) {
        (true, _) => Vec::new(),
        (false, true) => of(&OF_TIMES, none).chain(of(&OF_STARTS, none)).collect(),
        (false, false) => of(&OF_TIMES, "no time starts this loop").collect(),
    };
    for (key, why) in idle {
        if let Some(entry) = top.entry(key) {
            let help = "remove it, or add a trigger such as `cron(\"0 9 * * MON-FRI\")`";
            faults.note("no-effect", entry.key_at.clone(), format!("`{key}` has no effect: {why}"), help);
        }
    }
}

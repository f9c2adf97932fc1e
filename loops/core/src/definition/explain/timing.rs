//! What starts a loop, as rows, and what a person should know of it.

use chrono::{DateTime, Duration, Utc};

use super::rows::Rows;
use super::{Origin, Surroundings};
use crate::definition::{Chore, Definition, Until, duration};
use crate::schedule;
use crate::timing::Trigger;

/// The triggers, the zone, and each key beside them that means something for this loop.
pub(super) fn rows(definition: &Definition, around: &Surroundings, rows: &mut Rows<'_>) {
    let timing = &definition.timing;
    match &timing.triggers[..] {
        [only] => rows.add("trigger", only),
        several => {
            for (i, trigger) in several.iter().enumerate() {
                rows.add_from(&format!("trigger.{}", i + 1), &[&format!("trigger.{i}")], trigger);
            }
        }
    }
    match timing.zone {
        Some(zone) => rows.add_from("timezone", &["timezone", "zone"], zone.name()),
        None => rows.put("timezone", around.zone.name(), Origin::Detected { by: "this computer".to_owned() }),
    }
    let timed = timing.triggers.iter().any(Trigger::is_time);
    let started = timing.triggers.iter().any(|trigger| *trigger != Trigger::Manual);
    let catch_up = format!("{}, within {}", timing.catch_up.how, duration(timing.catch_up.within_s));
    let jitter = if timing.jitter_s == 0 { "none".to_owned() } else { duration(timing.jitter_s) };
    let quiet = timing.quiet_hours.map_or("none".to_owned(), |quiet| quiet.to_string());
    for (key, value, means) in [
        ("wake", timing.wake.to_string(), timed),
        ("catch_up", catch_up, timed),
        ("overlap", timing.overlap.to_string(), started),
        ("jitter", jitter, timed),
        ("quiet_hours", quiet, started),
        ("battery", timing.battery.to_string(), started),
    ] {
        if means || rows.given(key) {
            rows.add(key, value);
        }
    }
}

/// What a person should know of its starts.
pub(super) fn notes(definition: &Definition, around: &Surroundings, notes: &mut Vec<String>) {
    let zone = definition.timing.zone.unwrap_or(around.zone);
    for trigger in &definition.timing.triggers {
        match trigger {
            Trigger::At(time) if schedule::local(*time, zone).is_some_and(|moment| moment <= around.now) => {
                notes.push(format!("{trigger}: that is past, so it starts nothing any more"));
            }
            Trigger::After { name, .. } if !around.loops.contains(name) => {
                notes.push(format!(
                    "{trigger}: no loop {name} is registered here; it starts nothing until there is one"
                ));
            }
            _ => {}
        }
    }
    if definition.timing.wake {
        notes.push("wake: nothing wakes this computer yet; where it sleeps, the loop starts late".to_owned());
    }
    if let Some(note) = too_short(definition, around) {
        notes.push(note);
    }
}

/// Where the run is over before what it waits for.
fn too_short(definition: &Definition, around: &Surroundings) -> Option<String> {
    let zone = definition.timing.zone.unwrap_or(around.zone);
    let start = schedule::due_times(&definition.timing, zone, around.now).next()?.0;
    let until = |chore: &Chore| match chore {
        Chore::Run(run) => run.until.clone(),
        Chore::Wait(until) => Some(until.clone()),
    };
    let times = definition.chores.iter().filter_map(until).filter_map(|until| match until {
        Until::Time(time) => Some(time),
        Until::File(_) | Until::Exit(_) => None,
    });
    let most = i64::try_from(definition.rails.max_duration_s).ok().map(Duration::seconds)?;
    let clock = |moment: DateTime<Utc>| moment.with_timezone(&zone).format("%H:%M").to_string();
    let (time, end) = times
        .filter_map(|time| {
            let today = start.with_timezone(&zone).date_naive();
            let days = [today, today.succ_opt()?];
            let end = days.into_iter().filter_map(|day| schedule::local(day.and_time(time), zone));
            Some((time, end.into_iter().find(|end| *end > start)?))
        })
        .max_by_key(|(_, end)| *end)
        .filter(|(_, end)| *end - start > most)?;
    let (start, over, time) = (clock(start), clock(end.min(start + most)), time.format("%H:%M"));
    Some(format!(
        "until {time}: a run that starts at {start} is over at {over}: `max_duration` is {}",
        duration(definition.rails.max_duration_s)
    ))
}

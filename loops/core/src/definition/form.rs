//! A loop's timing as the fields of a form, and back. Only what a person types is read here; how the file is changed is in
//! [`super::edit`].

use std::ops::RangeInclusive;

use chrono::NaiveTime;
use serde::{Deserialize, Serialize};

use super::miss::Miss;
use super::timing::{CAUGHT_UP, JITTER, WITHIN};
use super::{clock, duration, phrase};
use crate::schedule::{self, Preset};
use crate::timing::{Battery, CatchUp, CatchUpHow, Overlap, QuietHours, Timing, Trigger};

/// When a loop starts, as a form has it: each field as a person would type it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct Form {
    /// Its cron triggers.
    pub preset: Preset,
    /// Its other triggers, as the file has them; the form keeps them as they are.
    pub others: Vec<String>,
    /// The zone of its times; empty = the computer's.
    pub timezone: String,
    /// Whether the computer is to be woken.
    pub wake: bool,
    /// `skip`, `once` or `all(5)`.
    pub catch_up: String,
    /// How long after its time a missed one may start: `12h`.
    pub within: String,
    /// `skip`, `queue(1)` or `cancel_previous`.
    pub overlap: String,
    /// It starts up to so much later: `5m`; empty = at once.
    pub jitter: String,
    /// `22:00-07:00`; empty = none.
    pub quiet_hours: String,
    /// `run`, `skip` or `wait`.
    pub battery: String,
}

/// What is wrong in one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct FormFault {
    /// The field.
    pub field: &'static str,
    /// Which of several in this field, from 0.
    pub index: usize,
    /// The column in what was typed, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Form {
    /// The form of a timing.
    pub fn of(timing: &Timing) -> Form {
        let others = timing.triggers.iter().filter(|t| !matches!(t, Trigger::Cron(_) | Trigger::Manual));
        Form {
            preset: Preset::of(&timing.triggers),
            others: others.map(ToString::to_string).collect(),
            timezone: timing.zone.map_or_else(String::new, |zone| zone.name().to_owned()),
            wake: timing.wake,
            catch_up: timing.catch_up.how.to_string(),
            within: duration(timing.catch_up.within_s),
            overlap: timing.overlap.to_string(),
            jitter: Some(timing.jitter_s).filter(|s| *s > 0).map_or_else(String::new, duration),
            quiet_hours: timing.quiet_hours.map_or_else(String::new, |quiet| quiet.to_string()),
            battery: timing.battery.to_string(),
        }
    }

    /// The timing that it says, where `before` stands in the file.
    ///
    /// # Errors
    /// What is wrong in its fields.
    pub fn timing(&self, before: &Timing) -> Result<Timing, Vec<FormFault>> {
        let mut faults = Vec::new();
        let timing = Timing {
            triggers: self.triggers(&before.triggers, &mut faults),
            zone: self.zone(&mut faults),
            wake: self.wake,
            catch_up: CatchUp {
                how: self.how(&mut faults),
                within_s: seconds("within", &self.within, WITHIN, &mut faults),
            },
            overlap: chosen("overlap", &self.overlap, &OVERLAPS, &mut faults).unwrap_or_default(),
            jitter_s: match self.jitter.trim() {
                "" => 0,
                jitter => seconds("jitter", jitter, JITTER, &mut faults),
            },
            quiet_hours: self.quiet(&mut faults),
            battery: chosen("battery", &self.battery, &BATTERIES, &mut faults).unwrap_or_default(),
        };
        if faults.is_empty() { Ok(timing) } else { Err(faults) }
    }

    fn triggers(&self, before: &[Trigger], faults: &mut Vec<FormFault>) -> Vec<Trigger> {
        let preset = &self.preset;
        match preset {
            Preset::Cron { expressions } if expressions.is_empty() => {
                faults.push(fault("cron", 0, 1, "the schedule is empty", CRON));
            }
            Preset::Cron { expressions } => {
                let checked = expressions
                    .iter()
                    .enumerate()
                    .filter_map(|(i, text)| Some((i, text, schedule::check(text).err()?)));
                faults.extend(checked.map(|(index, text, wrong)| FormFault {
                    field: "cron",
                    index,
                    column: column(text, wrong.at.start),
                    message: wrong.message,
                    help: wrong.help,
                }));
            }
            Preset::Hour { minute } if *minute > 59 => {
                faults.push(fault("minute", 0, 1, "there is no such minute", "minutes are 0 to 59"));
            }
            Preset::Week { days, .. } if days.is_empty() => {
                faults.push(fault("days", 0, 1, "no day is chosen", "choose at least one"));
            }
            Preset::Month { day, .. } if !(1..=31).contains(day) => {
                faults.push(fault("day", 0, 1, "no month has this day", "days are 1 to 31"));
            }
            _ => {}
        }
        let times = times(preset, faults);
        if faults.is_empty() { preset.triggers(&times, before) } else { before.to_vec() }
    }

    fn zone(&self, faults: &mut Vec<FormFault>) -> Option<chrono_tz::Tz> {
        let name = self.timezone.trim();
        if name.is_empty() {
            return None;
        }
        let zone = name.parse().ok();
        if zone.is_none() {
            let help = "write a name of the IANA list, as in Europe/Berlin; empty = this computer's";
            faults.push(fault("timezone", 0, 1, &format!("`{name}` is no time zone"), help));
        }
        zone
    }

    fn how(&self, faults: &mut Vec<FormFault>) -> CatchUpHow {
        let text = self.catch_up.trim();
        let count = text.strip_prefix("all(").and_then(|rest| rest.strip_suffix(')')?.trim().parse().ok());
        match (text, count.filter(|count| CAUGHT_UP.contains(count))) {
            ("skip", _) => CatchUpHow::Skip,
            ("once", _) => CatchUpHow::Once,
            (_, Some(count)) => CatchUpHow::All(count),
            _ => {
                let message = format!("`{text}` is no way to catch up");
                faults.push(fault("catch_up", 0, 1, &message, "skip, once, or all(1) to all(50)"));
                CatchUpHow::Once
            }
        }
    }

    fn quiet(&self, faults: &mut Vec<FormFault>) -> Option<QuietHours> {
        let text = self.quiet_hours.trim();
        if text.is_empty() {
            return None;
        }
        let read = clock::span(text).map_err(|miss| faults.push(missed("quiet_hours", 0, text, miss)));
        read.ok().map(|(from, to)| QuietHours { from, to })
    }
}

const CRON: &str = "minute, hour, day, month, weekday, as in 0 9 * * MON-FRI";
const OVERLAPS: [(&str, Overlap); 3] =
    [("skip", Overlap::Skip), ("queue(1)", Overlap::Queue), ("cancel_previous", Overlap::CancelPrevious)];
const BATTERIES: [(&str, Battery); 3] = [("run", Battery::Run), ("skip", Battery::Skip), ("wait", Battery::Wait)];

/// The times of a preset.
fn times(preset: &Preset, faults: &mut Vec<FormFault>) -> Vec<NaiveTime> {
    let (Preset::Day { times } | Preset::Weekday { times } | Preset::Week { times, .. } | Preset::Month { times, .. }) =
        preset
    else {
        return Vec::new();
    };
    if times.is_empty() {
        faults.push(fault("times", 0, 1, "no time is given", "add one, as in 09:00"));
    }
    let read = times.iter().enumerate().filter_map(|(index, text)| match clock::time(text) {
        Ok(time) => Some(time),
        Err(miss) => {
            faults.push(missed("times", index, text, miss));
            None
        }
    });
    read.collect()
}

fn seconds(field: &'static str, text: &str, range: RangeInclusive<u64>, faults: &mut Vec<FormFault>) -> u64 {
    match phrase::duration(text) {
        Ok(seconds) if range.contains(&seconds) => return seconds,
        Ok(_) => {
            let help = format!("write {} to {}", duration(*range.start()), duration(*range.end()));
            faults.push(fault(field, 0, 1, &format!("{} is outside of what is allowed here", text.trim()), &help));
        }
        Err(miss) => faults.push(missed(field, 0, text, miss)),
    }
    0
}

fn chosen<T: Copy>(field: &'static str, text: &str, words: &[(&str, T)], faults: &mut Vec<FormFault>) -> Option<T> {
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        faults.push(fault(field, 0, 1, &format!("`{text}` is not known here"), &known.join(", ")));
    }
    found
}

fn missed(field: &'static str, index: usize, text: &str, miss: Miss) -> FormFault {
    FormFault { field, index, column: column(text, miss.at.start), message: miss.message, help: miss.help }
}

fn fault(field: &'static str, index: usize, column: usize, message: &str, help: &str) -> FormFault {
    FormFault { field, index, column, message: message.to_owned(), help: help.to_owned() }
}

/// The column of a byte, in characters from 1.
fn column(text: &str, at: usize) -> usize {
    text.char_indices().take_while(|(n, _)| *n < at).count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test reads what ships")]
    fn a_form_that_nobody_touched_says_what_stands_there() {
        for template in ["daily-triage", "trading-day", "nightly-backup", "dependency-updates"] {
            let path = format!("{}/../templates/{template}/loop.yaml", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).expect("a template");
            let timing = super::super::read(&text).definition.expect("a loop").timing;
            assert_eq!(Form::of(&timing).timing(&timing), Ok(timing.clone()), "{template}");
        }
    }

    #[test]
    fn what_is_wrong_stands_at_its_field() {
        let timing = Timing::manual();
        let form = Form {
            preset: Preset::Weekday { times: vec!["09:00".to_owned(), "9:7x".to_owned()] },
            timezone: "Europe/Nowhere".to_owned(),
            within: "8d".to_owned(),
            quiet_hours: "22:00-24:00".to_owned(),
            catch_up: "all(99)".to_owned(),
            ..Form::of(&timing)
        };
        let faults = form.timing(&timing).expect_err("nothing of it is right");
        let places: Vec<_> = faults.iter().map(|fault| (fault.field, fault.index, fault.column)).collect();
        let expected =
            [("times", 1, 1), ("timezone", 0, 1), ("catch_up", 0, 1), ("within", 0, 1), ("quiet_hours", 0, 7)];
        assert_eq!(places, expected, "{faults:?}");
        let cron = Form { preset: Preset::Cron { expressions: vec!["0 25 * * *".to_owned()] }, ..Form::of(&timing) };
        let faults = cron.timing(&timing).expect_err("no such hour");
        assert_eq!((faults[0].column, faults[0].message.as_str()), (3, "`25` is no hour"));
    }
}

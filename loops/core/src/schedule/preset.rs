//! Schedules that a form can say, and the cron expressions that they are. What no preset says stays cron, as it was written.

use chrono::{NaiveTime, Timelike as _};
use serde::{Deserialize, Serialize};

use super::cron;
use crate::timing::Trigger;

/// What the cron triggers of a loop come to in a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
#[serde(tag = "every", rename_all = "snake_case")]
pub enum Preset {
    /// There are none.
    Nothing,
    /// Each hour at this minute.
    Hour {
        /// 0 to 59.
        minute: u32,
    },
    /// Each day.
    Day {
        /// `09:00`, the earliest first.
        times: Vec<String>,
    },
    /// Monday to Friday.
    Weekday {
        /// `09:00`, the earliest first.
        times: Vec<String>,
    },
    /// Some days of each week.
    Week {
        /// 1 = Monday to 7 = Sunday.
        days: Vec<u32>,
        /// `09:00`, the earliest first.
        times: Vec<String>,
    },
    /// One day of each month.
    Month {
        /// 1 to 31.
        day: u32,
        /// `09:00`, the earliest first.
        times: Vec<String>,
    },
    /// What no preset says, as it is written.
    Cron {
        /// An expression each.
        expressions: Vec<String>,
    },
}

const WEEK: [&str; 7] = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"];

/// The days on which a preset is due: the last three fields of its expressions.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Days {
    Hourly,
    All,
    Weekdays,
    Some(Vec<u32>),
    Monthly(u32),
}

/// An expression that a preset can say.
struct Part {
    days: Days,
    minute: u32,
    hours: Vec<u32>,
}

impl Preset {
    /// What these triggers come to; triggers that are no cron are left out.
    pub fn of(triggers: &[Trigger]) -> Preset {
        let expressions: Vec<String> = triggers.iter().filter_map(expression).map(str::to_owned).collect();
        let parts: Option<Vec<Part>> = expressions.iter().map(|text| part(text)).collect();
        let Some(parts) = parts else { return Preset::Cron { expressions } };
        let Some(first) = parts.first() else { return Preset::Nothing };
        let days = first.days.clone();
        let alike = parts.iter().all(|part| part.days == days) && (days != Days::Hourly || parts.len() == 1);
        if !alike {
            return Preset::Cron { expressions };
        }
        let mut times: Vec<NaiveTime> = parts.iter().flat_map(Part::times).collect();
        times.sort_unstable();
        let times = times.iter().map(|time| time.format("%H:%M").to_string()).collect();
        match days {
            Days::Hourly => Preset::Hour { minute: first.minute },
            Days::All => Preset::Day { times },
            Days::Weekdays => Preset::Weekday { times },
            Days::Some(days) => Preset::Week { days, times },
            Days::Monthly(day) => Preset::Month { day, times },
        }
    }

    /// The triggers that say this, where `before` stood: what says a part of it already is kept as it is written, and so is
    /// what is no cron. `times` are those of the preset, read.
    pub(crate) fn triggers(&self, times: &[NaiveTime], before: &[Trigger]) -> Vec<Trigger> {
        if *self == Preset::of(before) {
            return before.to_vec();
        }
        let (kept, mut new) = self.parts(times, before);
        let others = before.iter().filter(|trigger| expression(trigger).is_none());
        let by_hand = others.clone().all(|trigger| *trigger == Trigger::Manual);
        let some = !kept.is_empty() || !new.is_empty();
        let (mut triggers, mut behind) = (Vec::new(), 0);
        for trigger in before {
            match expression(trigger) {
                Some(text) if kept.iter().any(|kept| kept == text) => triggers.push(trigger.clone()),
                Some(_) if new.is_empty() => continue,
                Some(_) => triggers.push(Trigger::Cron(new.remove(0))),
                // What only says that there is nothing else.
                None if some && by_hand && before.len() == 1 => continue,
                None => {
                    triggers.push(trigger.clone());
                    continue;
                }
            }
            behind = triggers.len();
        }
        if behind == 0 {
            behind = triggers.len();
        }
        triggers.splice(behind..behind, new.into_iter().map(Trigger::Cron));
        if triggers.is_empty() { vec![Trigger::Manual] } else { triggers }
    }

    /// Expressions of `before` that stay, and those that are new.
    fn parts(&self, times: &[NaiveTime], before: &[Trigger]) -> (Vec<String>, Vec<String>) {
        if let Preset::Cron { expressions } = self {
            let written = |text: &&String| before.iter().filter_map(expression).any(|known| known == text.as_str());
            return expressions.iter().cloned().partition(|text| written(&text));
        }
        let days = match self {
            Preset::Nothing | Preset::Cron { .. } => return (Vec::new(), Vec::new()),
            Preset::Hour { minute } => return (Vec::new(), vec![format!("{minute} * * * *")]),
            Preset::Day { .. } => Days::All,
            Preset::Weekday { .. } => Days::Weekdays,
            Preset::Week { days, .. } => Days::Some(days.clone()),
            Preset::Month { day, .. } => Days::Monthly(*day),
        };
        let mut open: Vec<NaiveTime> = times.to_vec();
        open.sort_unstable();
        open.dedup();
        let mut kept = Vec::new();
        for text in before.iter().filter_map(expression) {
            let fits = part(text).filter(|part| part.days == days && part.times().all(|time| open.contains(&time)));
            if let Some(part) = fits {
                open.retain(|time| !part.times().any(|said| said == *time));
                kept.push(text.to_owned());
            }
        }
        let mut new: Vec<(u32, Vec<String>)> = Vec::new();
        for time in open {
            match new.iter_mut().find(|(minute, _)| *minute == time.minute()) {
                Some((_, hours)) => hours.push(time.hour().to_string()),
                None => new.push((time.minute(), vec![time.hour().to_string()])),
            }
        }
        let written = |(minute, hours): (u32, Vec<String>)| format!("{minute} {} {}", hours.join(","), days.fields());
        (kept, new.into_iter().map(written).collect())
    }
}

impl Part {
    fn times(&self) -> impl Iterator<Item = NaiveTime> + '_ {
        self.hours.iter().filter_map(|hour| NaiveTime::from_hms_opt(*hour, self.minute, 0))
    }
}

impl Days {
    fn fields(&self) -> String {
        match self {
            Days::Hourly | Days::All => "* * *".to_owned(),
            Days::Weekdays => "* * MON-FRI".to_owned(),
            Days::Some(days) => {
                let name = |day: &u32| usize::try_from(*day).ok()?.checked_sub(1).and_then(|i| WEEK.get(i)).copied();
                format!("* * {}", days.iter().filter_map(name).collect::<Vec<_>>().join(","))
            }
            Days::Monthly(day) => format!("{day} * *"),
        }
    }
}

fn expression(trigger: &Trigger) -> Option<&str> {
    if let Trigger::Cron(text) = trigger { Some(text) } else { None }
}

/// What a preset would say of an expression; none if it can't say exactly this.
fn part(expression: &str) -> Option<Part> {
    cron::check(expression).ok()?;
    let fields: Vec<&str> = cron::plain(expression).split_whitespace().collect();
    let [minute, hours, day, "*", weekday] = fields[..] else { return None };
    let minute = number(minute, 59)?;
    if hours == "*" {
        return (day == "*" && weekday == "*").then_some(Part { days: Days::Hourly, minute, hours: Vec::new() });
    }
    let hours: Vec<u32> = hours.split(',').map(|hour| number(hour, 23)).collect::<Option<_>>()?;
    let days = match (day, weekday) {
        ("*", "*") => Days::All,
        ("*", weekday) => week(weekday)?,
        (day, "*") => Days::Monthly(number(day, 31)?),
        _ => return None,
    };
    Some(Part { days, minute, hours })
}

fn week(field: &str) -> Option<Days> {
    if field.eq_ignore_ascii_case("MON-FRI") || field == "1-5" {
        return Some(Days::Weekdays);
    }
    let mut days: Vec<u32> = field.split(',').map(weekday).collect::<Option<_>>()?;
    days.sort_unstable();
    days.dedup();
    Some(match days[..] {
        [1, 2, 3, 4, 5] => Days::Weekdays,
        [1, 2, 3, 4, 5, 6, 7] => Days::All,
        _ => Days::Some(days),
    })
}

fn weekday(word: &str) -> Option<u32> {
    if let Some(at) = WEEK.iter().position(|name| name.eq_ignore_ascii_case(word)) {
        return u32::try_from(at + 1).ok();
    }
    number(word, 7).map(|day| if day == 0 { 7 } else { day })
}

fn number(text: &str, most: u32) -> Option<u32> {
    let digits = text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crons(expressions: &[&str]) -> Vec<Trigger> {
        expressions.iter().map(|text| Trigger::Cron((*text).to_owned())).collect()
    }

    fn times(of: &[&str]) -> Vec<String> {
        of.iter().map(ToString::to_string).collect()
    }

    fn read(of: &Preset) -> Vec<NaiveTime> {
        match of {
            Preset::Day { times }
            | Preset::Weekday { times }
            | Preset::Week { times, .. }
            | Preset::Month { times, .. } => times.iter().map(|time| time.parse().expect("a time")).collect(),
            _ => Vec::new(),
        }
    }

    #[test]
    fn presets_are_the_expressions_that_they_say() {
        for (expressions, preset) in [
            (&["15 * * * *"][..], Preset::Hour { minute: 15 }),
            (&["@hourly"], Preset::Hour { minute: 0 }),
            (&["0 9 * * *"], Preset::Day { times: times(&["09:00"]) }),
            (&["@daily"], Preset::Day { times: times(&["00:00"]) }),
            (&["0 9 * * MON-FRI"], Preset::Weekday { times: times(&["09:00"]) }),
            (&["0 9,17 * * 1-5"], Preset::Weekday { times: times(&["09:00", "17:00"]) }),
            (&["30 17 * * 1-5", "0 9 * * MON-FRI"], Preset::Weekday { times: times(&["09:00", "17:30"]) }),
            (&["0 7 * * 0"], Preset::Week { days: vec![7], times: times(&["07:00"]) }),
            (&["0 7 * * mon,3"], Preset::Week { days: vec![1, 3], times: times(&["07:00"]) }),
            (&["0 7 1 * *"], Preset::Month { day: 1, times: times(&["07:00"]) }),
        ] {
            assert_eq!(Preset::of(&crons(expressions)), preset, "{expressions:?}");
            let written = preset.triggers(&read(&preset), &[Trigger::Manual]);
            assert_eq!(Preset::of(&written), preset, "written anew as {written:?}");
        }
        assert_eq!(Preset::of(&[Trigger::Manual]), Preset::Nothing);
    }

    #[test]
    fn what_no_preset_can_say_stays_cron_and_is_never_rewritten() {
        for expressions in [
            &["*/15 * * * *"][..],
            &["0 9-17 * * *"],
            &["0 9 1 * MON"],
            &["0 9 * 6 *"],
            &["0 9 L * *"],
            &["0 9 * * MON#1"],
            &["0 9 * * +FRI"],
            &["0 9 * * 2-4"],
            &["0 9 * * *", "0 9 1 * *"],
            &["0 * * * *", "30 * * * *"],
            &["0,30 9 * * *"],
            &["@yearly"],
        ] {
            let before = crons(expressions);
            let shown = Preset::of(&before);
            assert!(matches!(shown, Preset::Cron { .. }), "{expressions:?} is {shown:?}");
            assert_eq!(shown.triggers(&[], &before), before);
        }
    }

    #[test]
    fn a_change_keeps_what_says_a_part_of_it_already() {
        let after = |preset: &Preset, before: &[Trigger]| {
            let triggers = preset.triggers(&read(preset), before);
            triggers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let weekday = |of: &[&str]| Preset::Weekday { times: times(of) };
        let one = crons(&["0 9 * * 1-5"]);
        assert_eq!(after(&weekday(&["09:00", "17:30"]), &one), "cron(\"0 9 * * 1-5\") cron(\"30 17 * * MON-FRI\")");
        assert_eq!(after(&weekday(&["10:00", "17:00"]), &crons(&["0 9,17 * * 1-5"])), "cron(\"0 10,17 * * MON-FRI\")");
        assert_eq!(after(&Preset::Day { times: times(&["09:00"]) }, &one), "cron(\"0 9 * * *\")");
        let mut mixed = crons(&["0 9 * * *", "0 17 * * *"]);
        mixed.insert(1, Trigger::After { name: "deps".to_owned(), outcome: crate::timing::After::Finished });
        assert_eq!(after(&Preset::Day { times: times(&["17:00"]) }, &mixed), "after(deps) cron(\"0 17 * * *\")");
        assert_eq!(after(&weekday(&["08:00"]), &mixed), "cron(\"0 8 * * MON-FRI\") after(deps)");
        assert_eq!(after(&weekday(&["08:00"]), &[Trigger::Manual]), "cron(\"0 8 * * MON-FRI\")");
        assert_eq!(after(&Preset::Nothing, &one), "manual");
    }
}

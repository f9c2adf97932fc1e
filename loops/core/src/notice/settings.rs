//! What a person has set for notifications: quiet hours, what breaks them, and what is never told.

use chrono::{DateTime, Days, NaiveTime, Utc};
use chrono_tz::Tz;

use super::{Group, Kind};
use crate::definition::preferences::{BreaksQuiet, Notifications};
use crate::schedule::local;
use crate::timing::QuietHours;

/// What holds for notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeSettings {
    /// When nothing is told, on the clock of the computer's zone; none = there is no such time.
    pub quiet: Option<QuietHours>,
    /// What is told all the same.
    pub through: Vec<Group>,
    /// What is never told.
    pub off: Vec<Group>,
}

/// 20:00 to 08:00.
impl Default for NoticeSettings {
    fn default() -> Self {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default();
        let quiet = QuietHours { from: at(20), to: at(8) };
        NoticeSettings { quiet: Some(quiet), through: Vec::new(), off: Vec::new() }
    }
}

/// What asks for a person, and what broke.
const NEEDS_YOU: [Group; 4] = [Group::Ready, Group::HandedOver, Group::Budget, Group::Credentials];
const BROKEN: [Group; 2] = [Group::Failures, Group::Missed];

impl From<&Notifications> for NoticeSettings {
    fn from(set: &Notifications) -> Self {
        let of = |needs_you: bool, broken: bool| {
            let groups = [(needs_you, NEEDS_YOU.as_slice()), (broken, &BROKEN)];
            groups.into_iter().filter(|(wanted, _)| *wanted).flat_map(|(_, groups)| groups).copied().collect()
        };
        let breaks = |what| set.break_quiet.contains(&what);
        NoticeSettings {
            quiet: set.quiet_hours,
            through: of(breaks(BreaksQuiet::NeedsYou), breaks(BreaksQuiet::Broken)),
            off: of(!set.needs_you, !set.broken),
        }
    }
}

impl NoticeSettings {
    /// When the quiet hours end that hold at `now`; none = it is not quiet.
    pub fn quiet_until(&self, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let clock = now.with_timezone(&zone);
        let quiet = self.quiet.filter(|quiet| quiet.hold(clock.time()))?;
        self.first(quiet.to, now, zone)
    }

    /// When what is gathered is told next after `now`: at the end of the quiet hours, or at 08:00.
    pub fn digest_after(&self, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        self.first(self.digest(), now, zone)
    }

    /// When it was to be told last, up to `now`.
    pub fn digest_before(&self, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let day = now.with_timezone(&zone).date_naive();
        let days = [0, 1, 2].into_iter().filter_map(|n| day.checked_sub_days(Days::new(n)));
        days.filter_map(|day| local(day.and_time(self.digest()), zone)).find(|at| *at <= now)
    }

    /// Whether this may be told at all.
    pub fn tells(&self, kind: Kind) -> bool {
        kind.group().is_none_or(|group| !self.off.contains(&group))
    }

    /// Whether quiet hours do not hold this back.
    pub fn breaks_through(&self, kind: Kind) -> bool {
        kind.group().is_none_or(|group| self.through.contains(&group))
    }

    fn digest(&self) -> NaiveTime {
        self.quiet.map_or_else(|| NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default(), |quiet| quiet.to)
    }

    fn first(&self, time: NaiveTime, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
        let day = now.with_timezone(&zone).date_naive();
        let days = [0, 1, 2].into_iter().filter_map(|n| day.checked_add_days(Days::new(n)));
        days.filter_map(|day| local(day.and_time(time), zone)).find(|at| *at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switches_of_the_settings_are_groups_here() {
        assert_eq!(NoticeSettings::from(&Notifications::default()), NoticeSettings::default());
        let set = Notifications { broken: false, break_quiet: vec![BreaksQuiet::NeedsYou], ..Notifications::default() };
        let settings = NoticeSettings::from(&set);
        assert!(!settings.tells(Kind::Failures) && settings.tells(Kind::Ready));
        assert!(settings.breaks_through(Kind::Ready) && !settings.breaks_through(Kind::Missed));
    }
}

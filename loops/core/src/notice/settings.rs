//! What the person's settings mean for notifications: quiet hours, what breaks them, and what is never told.

use chrono::{DateTime, Days, NaiveTime, Utc};
use chrono_tz::Tz;

use super::{Kind, Notice, Urgency};
use crate::definition::preferences::{BreaksQuiet, Notifications};
use crate::schedule::{local, next_on_clock};

/// When the quiet hours end that hold at `now`; none = it is not quiet.
pub(super) fn quiet_until(set: &Notifications, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let clock = now.with_timezone(&zone);
    let quiet = set.quiet_hours.filter(|quiet| quiet.hold(clock.time()))?;
    next_on_clock(now, zone, quiet.to)
}

/// When what is gathered is told next after `now`: at the end of the quiet hours, or at 08:00.
pub(super) fn digest_after(set: &Notifications, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    next_on_clock(now, zone, digest(set))
}

/// When it was to be told last, up to `now`.
pub(super) fn digest_before(set: &Notifications, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let day = now.with_timezone(&zone).date_naive();
    let days = [0, 1, 2].into_iter().filter_map(|n| day.checked_sub_days(Days::new(n)));
    days.filter_map(|day| local(day.and_time(digest(set)), zone)).find(|at| *at <= now)
}

/// Whether this may be told at all.
pub(super) fn tells(set: &Notifications, notice: &Notice) -> bool {
    match (notice.kind.needs_you(), notice.kind.broken()) {
        (true, _) => set.needs_you,
        (_, true) => set.broken,
        _ => true,
    }
}

/// Whether quiet hours do not hold this back. Of what is broken only the clock that failed twice may come through.
pub(super) fn breaks_through(set: &Notifications, notice: &Notice) -> bool {
    match (notice.kind.needs_you(), notice.kind.broken()) {
        (true, _) => set.break_quiet.contains(&BreaksQuiet::NeedsYou),
        (_, true) => notice.urgency == Urgency::Critical && set.break_quiet.contains(&BreaksQuiet::Broken),
        // An answer to a person comes when they ask.
        _ => notice.kind != Kind::NoTray,
    }
}

fn digest(set: &Notifications) -> NaiveTime {
    set.quiet_hours.map_or_else(|| NaiveTime::from_hms_opt(8, 0, 0).unwrap_or_default(), |quiet| quiet.to)
}

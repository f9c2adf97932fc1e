//! The words of the menu: cut, and said in the reader's time.

use chrono::{DateTime, Duration, Offset as _, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::hidden::is_hidden;
use crate::money::Micros;

/// The most characters of a line.
pub const MOST: usize = 44;

/// The most characters of a title.
const TITLE: usize = 32;

/// What a name keeps in any case; what stands behind it is cut then.
const SHORTEST: usize = 8;

/// Untrusted text as one line of at most `limit` characters, without what can't be seen.
pub(super) fn plain(text: &str, limit: usize) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).filter(|c| !is_hidden(*c)).collect();
    cut(&shown.split_whitespace().collect::<Vec<_>>().join(" "), limit)
}

/// A title of at most 32 characters.
pub(super) fn title(text: &str) -> String {
    match plain(text, TITLE) {
        title if title.is_empty() => "(no title)".to_owned(),
        title => title,
    }
}

/// At most `limit` characters, with `…` at the end of what was cut.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A line out of a name and what stands around it, the name being cut where all of it doesn't fit.
pub(super) fn around(before: &str, name: &str, after: &str) -> String {
    let taken = before.chars().count() + after.chars().count();
    let name = match plain(name, MOST.saturating_sub(taken).max(SHORTEST)) {
        name if name.is_empty() => "?".to_owned(),
        name => name,
    };
    cut(&format!("{before}{name}{after}"), MOST)
}

/// Two digits behind the dot, to the nearest cent.
pub(super) fn money(amount: Micros) -> String {
    let cents = amount.0.saturating_add(5_000) / 10_000;
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// How long ago: `now`, `12 min`, `2 h`, `1 d`.
pub fn age(since: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let span = (now - since).max(Duration::zero());
    match span {
        span if span < Duration::minutes(1) => "now".to_owned(),
        span if span < Duration::hours(1) => format!("{} min", span.num_minutes()),
        span if span < Duration::days(1) => format!("{} h", span.num_hours()),
        span => format!("{} d", span.num_days()),
    }
}

/// A moment in a zone: `14:00`, `tomorrow 09:00`, `yesterday 10:42`, `Mon 07:00`, `3 Dec 07:00`; the zone is named where
/// it shows another time than the computer's.
pub(super) fn moment(at: DateTime<Utc>, now: DateTime<Utc>, zone: Tz, computer: Tz) -> String {
    let (there, today) = (at.with_timezone(&zone), now.with_timezone(&zone).date_naive());
    let days = (there.date_naive() - today).num_days();
    let time = match days {
        0 => there.format("%H:%M").to_string(),
        1 => there.format("tomorrow %H:%M").to_string(),
        -1 => there.format("yesterday %H:%M").to_string(),
        2..7 => there.format("%a %H:%M").to_string(),
        _ => there.format("%-d %b %H:%M").to_string(),
    };
    let offset = |zone: Tz| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    if offset(zone) == offset(computer) {
        return time;
    }
    let city = zone.name().rsplit('/').next().unwrap_or_default().replace('_', " ");
    format!("{time} {city}")
}

/// `1 run`, `2 runs`.
pub(super) fn count(n: usize, thing: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {thing}{s}")
}

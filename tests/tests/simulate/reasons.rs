//! Whether the reasons in a ledger are true: each is held against what happened around the loop, which knows nothing of the
//! scheduler (T7).

use std::ops::RangeInclusive;

use chrono::{DateTime, Duration, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use loopwright_core::scenario::{Scenario, Span};
use loopwright_core::timing::{Battery, CatchUpHow, Overlap, QuietHours};

use crate::support::Row;

/// What a loop's starts go by.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) zone: Tz,
    pub(crate) overlap: Overlap,
    pub(crate) how: CatchUpHow,
    pub(crate) within: Duration,
    pub(crate) quiet: Option<QuietHours>,
    pub(crate) battery: Battery,
}

/// The reasons of one loop's rows that nothing gives cause for; the computer's zone is UTC.
pub(crate) fn untrue(rules: &Rules, scenario: &Scenario, rows: &[Row]) -> Vec<String> {
    let judge = Judge { rules, scenario, rows };
    let ended = rows.iter().filter(|row| row.is_terminal() && row.began.is_none());
    ended.filter(|row| !judge.is_true(row)).map(|row| format!("not so: {row:?} under {rules:?}")).collect()
}

struct Judge<'a> {
    rules: &'a Rules,
    scenario: &'a Scenario,
    rows: &'a [Row],
}

impl Judge<'_> {
    fn is_true(&self, row: &Row) -> bool {
        let (head, tail) = row.reason.split_once("; ").unwrap_or((&row.reason, ""));
        let waited = head.strip_prefix("it waited too long (within ").and_then(|rest| rest.split_once("): "));
        let (head, waited) = waited.map_or((head, false), |(_, head)| (head, true));
        let ended = if head.starts_with("the computer was ") { waited || !tail.is_empty() } else { true };
        ended && self.is_head(row, head) && (tail.is_empty() || self.is_tail(row, tail))
    }

    fn is_head(&self, row: &Row, head: &str) -> bool {
        let (rules, came) = (self.rules, self.came(row));
        let others = || self.rows.iter().filter(|other| other.due_at != row.due_at);
        let at_some = |spans: &[Span], moment: &dyn Fn(Span) -> bool| spans.iter().any(|span| moment(*span));
        let on_battery = || at_some(&self.scenario.battery, &|span| over(span).contains(&came));
        match head {
            _ if head.starts_with("the computer was ") => self.was_away(row, head),
            _ if head.ends_with("still went on (overlap: skip)") => {
                rules.overlap == Overlap::Skip && others().any(|other| lives(other, came..=came))
            }
            _ if head.starts_with("its run ") && head.ends_with(" goes on") => {
                others().any(|other| lives(other, came..=came + rules.within))
            }
            "an earlier start still waited" => {
                others().any(|other| other.due_at < row.due_at && other.began.is_none_or(|began| began >= row.due_at))
            }
            "the computer ran on its battery (battery: skip)" => rules.battery == Battery::Skip && on_battery(),
            "the computer runs on its battery (battery: wait)" => {
                let to_be = |span: Span| (came..=came + rules.within).contains(over(span).start());
                rules.battery == Battery::Wait && (on_battery() || at_some(&self.scenario.battery, &to_be))
            }
            _ => self.is_quiet(row, head),
        }
    }

    /// `quiet hours until 07:00`, `it was within quiet hours (22:00 to 07:00)`.
    fn is_quiet(&self, row: &Row, head: &str) -> bool {
        let Some(quiet) = self.rules.quiet else { return false };
        let clock = |at: DateTime<Utc>| at.with_timezone(&self.rules.zone).time();
        let (from, to) = (quiet.from.format("%H:%M"), quiet.to.format("%H:%M"));
        let skipped =
            self.rules.how == CatchUpHow::Skip && head == format!("it was within quiet hours ({from} to {to})");
        let held = head == format!("quiet hours until {to}");
        // What waited for anything else may have come into quiet hours.
        let came_into = |quiet: QuietHours| {
            (0..=self.rules.within.num_hours()).any(|n| {
                let at = self.came(row) + Duration::hours(n);
                holds(quiet, clock(at))
            })
        };
        skipped && holds(quiet, clock(row.due_at)) || held && came_into(quiet)
    }

    /// `the computer was asleep from 2026-02-03 07:12 to 2026-02-03 09:00`: at that time, or at the last moment at which it could
    /// start.
    fn was_away(&self, row: &Row, head: &str) -> bool {
        let mut words = head["the computer was ".len()..].splitn(3, ' ');
        let spans = match (words.next(), words.next()) {
            (Some("asleep"), Some("from")) => &self.scenario.sleeps,
            (Some("off"), Some("from")) => &self.scenario.off,
            _ => return false,
        };
        let Some((from, to)) = words.next().and_then(|times| times.split_once(" to ")) else { return false };
        let (Some(from), Some(to)) = (self.moment(from), self.moment(to)) else { return false };
        let minute = Duration::minutes(1);
        let told = from - minute..=to + minute;
        let moments = [row.due_at, self.came(row) + self.rules.within];
        let of_that_kind = |at: &DateTime<Utc>| told.contains(at) && spans.iter().any(|span| over(*span).contains(at));
        // The last pass before was up to a minute earlier.
        let whole = (1..(to - from).num_minutes()).all(|n| self.away(from + Duration::minutes(n)).is_some());
        whole && (moments.iter().any(of_that_kind) || spans.iter().any(|span| told.contains(over(*span).start())))
    }

    fn is_tail(&self, row: &Row, tail: &str) -> bool {
        if let Some(why) = tail.strip_prefix("not caught up: ") {
            return self.is_head(row, why);
        }
        let stands = tail.strip_prefix("the start of ").and_then(|rest| rest.strip_suffix(" stands for it"));
        match (tail, stands.and_then(|at| self.moment(at))) {
            (_, Some(at)) => self.rows.iter().any(|other| {
                let minute = other.due_at - Duration::seconds(other.due_at.timestamp() % 60);
                minute == at && other.due_at > row.due_at
            }),
            ("missed starts are not caught up (catch_up: skip)", _) => self.rules.how == CatchUpHow::Skip,
            (_, None) if tail.starts_with("too long ago to be caught up (within ") => {
                self.came(row) - row.due_at > self.rules.within
            }
            _ => false,
        }
    }

    /// When somebody looked at it.
    fn came(&self, row: &Row) -> DateTime<Utc> {
        let mut at = row.due_at;
        while let Some(until) = self.away(at) {
            at = until + Duration::seconds(1);
        }
        at
    }

    /// When the sleep ends, or the time that the computer is off, in which a moment falls.
    fn away(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let all = self.scenario.sleeps.iter().chain(&self.scenario.off);
        all.map(|span| over(*span)).filter(|span| span.contains(&at)).map(|span| *span.end()).max()
    }

    fn moment(&self, text: &str) -> Option<DateTime<Utc>> {
        let naive = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").ok()?;
        naive.and_local_timezone(self.rules.zone).earliest().map(|at| at.to_utc())
    }
}

fn over(span: Span) -> RangeInclusive<DateTime<Utc>> {
    match span {
        Span::Once { from, to } => from.and_utc()..=to.and_utc(),
        Span::Daily { .. } | Span::Weekly { .. } => panic!("no span that comes again is played here"),
    }
}

/// Whether its run lived at some time of these.
fn lives(row: &Row, at: RangeInclusive<DateTime<Utc>>) -> bool {
    let soon = *at.end() + Duration::minutes(1);
    row.began.is_some_and(|began| began <= soon) && row.ended.is_none_or(|ended| ended >= *at.start())
}

fn holds(quiet: QuietHours, at: NaiveTime) -> bool {
    if quiet.from <= quiet.to { (quiet.from..quiet.to).contains(&at) } else { at >= quiet.from || at < quiet.to }
}

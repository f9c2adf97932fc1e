//! Many loops for a long time, with sleeps and kills: every due time has exactly one row with its end, and each
//! that starts nothing a reason that is true (T7).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike as _, Duration, NaiveTime, Timelike as _, Utc};
use chrono_tz::Tz;
use loopwright_core::scenario::{Kill, Scenario, Span};
use loopwright_core::timing::{Battery, CatchUpHow, Overlap, QuietHours, Timing, Trigger};
use loopwright_engine::api::{Setting, Simulated};
use loopwright_tests::dice::Dice;
use loopwright_tests::tell;

use crate::reasons::{Rules, untrue};
use crate::support::{Row, below, catching, full, looped, naive, played, rows, setting, taking, two_fates};

const FROM: &str = "2026-02-01 00:00";
const ZONES: [Tz; 5] = [
    Tz::UTC,
    chrono_tz::Europe::Berlin,
    chrono_tz::America::New_York,
    chrono_tz::Asia::Kolkata,
    chrono_tz::Australia::Lord_Howe,
];

/// When a loop is due, as plain facts: on these weekdays (Monday = 0) at these hours and this minute of its zone, and beside that
/// each so many hours. No hour is one at which clocks change.
struct Facts {
    name: String,
    rules: Rules,
    days: Vec<u32>,
    hours: Vec<u32>,
    minute: u32,
    every_h: Option<u32>,
}

impl Facts {
    fn rolled(n: usize, dice: &mut Dice) -> Facts {
        let some = |all: std::ops::Range<u32>, one_in: usize, dice: &mut Dice| -> Vec<u32> {
            let mut chosen: Vec<u32> = all.clone().filter(|_| dice.below(one_in) == 0).collect();
            if chosen.is_empty() {
                chosen.push(all.start);
            }
            chosen
        };
        Facts {
            name: format!("loop-{n:02}"),
            rules: rolled(dice),
            days: some(0..7, 2, dice),
            hours: some(5..23, 12, dice),
            minute: u32::try_from(dice.below(60)).expect("a minute"),
            every_h: (dice.below(4) == 0).then(|| [12, 24, 48][dice.below(3)]),
        }
    }

    fn simulated(&self) -> Simulated {
        let list = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let weekdays: Vec<u32> = self.days.iter().map(|day| (day + 1) % 7).collect();
        let cron = format!("{} {} * * {}", self.minute, list(&self.hours), list(&weekdays));
        let every = self.every_h.map(|hours| Trigger::Every(u64::from(hours) * 3_600));
        let triggers = std::iter::once(Trigger::Cron(cron)).chain(every).collect();
        let Rules { zone, overlap, how, within, quiet: quiet_hours, battery } = self.rules.clone();
        let timing = Timing { triggers, zone: Some(zone), overlap, quiet_hours, battery, ..Timing::manual() };
        looped(&self.name, catching(how, within.num_seconds().unsigned_abs(), timing))
    }

    /// Whether it is due at this minute: by looking at the clock of its zone, and by counting hours.
    fn due(&self, at: DateTime<Utc>) -> bool {
        let clock = at.with_timezone(&self.rules.zone);
        let by_clock = clock.minute() == self.minute
            && self.hours.contains(&clock.hour())
            && self.days.contains(&clock.weekday().num_days_from_monday());
        by_clock || self.every_h.is_some_and(|hours| at.timestamp() % (i64::from(hours) * 3_600) == 0)
    }
}

fn rolled(dice: &mut Dice) -> Rules {
    let hour = |dice: &mut Dice| NaiveTime::from_hms_opt(u32::try_from(dice.below(24)).expect("an hour"), 30, 0);
    let from = hour(dice).expect("a time");
    let to = hour(dice).filter(|to| *to != from);
    Rules {
        zone: ZONES[dice.below(ZONES.len())],
        overlap: [Overlap::Skip, Overlap::Queue, Overlap::CancelPrevious][dice.below(3)],
        how: [CatchUpHow::Skip, CatchUpHow::Once, CatchUpHow::All(3)][dice.below(3)],
        within: Duration::hours(12),
        quiet: to.filter(|_| dice.below(3) == 0).map(|to| QuietHours { from, to }),
        battery: [Battery::Run, Battery::Wait, Battery::Skip][dice.below(3)],
    }
}

/// All due times, asked minute by minute.
fn due(all: &[Facts], setting: &Setting) -> BTreeMap<String, BTreeSet<DateTime<Utc>>> {
    let minutes = (setting.to - setting.from).num_minutes();
    let times =
        |one: &Facts| (1..minutes).map(|n| setting.from + Duration::minutes(n)).filter(|at| one.due(*at)).collect();
    all.iter().map(|one| (one.name.clone(), times(one))).collect()
}

fn around(days: i64, dice: &mut Dice) -> Scenario {
    let start = naive(FROM);
    let minute = |dice: &mut Dice, days: i64| Duration::minutes(below(dice, days * 1_440));
    let span = |dice: &mut Dice| {
        let from = start + minute(dice, days - 4);
        Span::Once { from, to: from + Duration::minutes(1) + minute(dice, 3) }
    };
    Scenario {
        sleeps: (0..20).map(|_| span(dice)).collect(),
        off: (0..10).map(|_| span(dice)).collect(),
        battery: (0..20).map(|_| span(dice)).collect(),
        kills: vec![Kill::Random { seed: dice.roll(), times: 10 }],
        runs: vec![taking(900)],
        ..Scenario::default()
    }
}

/// When the last absence is over; the computer's zone is UTC.
fn awake(scenario: &Scenario) -> DateTime<Utc> {
    let ends = scenario.sleeps.iter().chain(&scenario.off).filter_map(|span| match span {
        Span::Once { to, .. } => Some(to.and_utc()),
        _ => None,
    });
    ends.max().unwrap_or(DateTime::UNIX_EPOCH)
}

/// What is wrong with a ledger: due times without a row, rows without a due time, rows without an end.
fn wrong(due: &BTreeMap<String, BTreeSet<DateTime<Utc>>>, rows: &[Row]) -> Vec<String> {
    let mut faults: Vec<String> =
        rows.iter().filter(|row| !row.is_terminal()).map(|row| format!("no end: {row:?}")).collect();
    faults.extend(two_fates(rows));
    for (name, times) in due {
        let own: Vec<&Row> = rows.iter().filter(|row| row.loop_name == *name).collect();
        let counted: u64 = own.iter().map(|row| row.times).sum();
        if counted != times.len() as u64 {
            faults.push(format!("{name} was due {} times, and {counted} are in the ledger", times.len()));
        }
        let single: BTreeSet<DateTime<Utc>> = own.iter().filter(|row| row.times == 1).map(|row| row.due_at).collect();
        faults.extend(single.difference(times).map(|at| format!("{name} was not due at {at}")));
    }
    faults
}

struct Case {
    facts: Vec<Facts>,
    scenario: Scenario,
    due: BTreeMap<String, BTreeSet<DateTime<Utc>>>,
    /// Those of `due`.
    rows: Vec<Row>,
    /// Those, and what became due while the last of them ended.
    all: Vec<Row>,
}

fn case(loops: usize, days: i64, dice: &mut Dice) -> Case {
    let facts: Vec<Facts> = (0..loops).map(|n| Facts::rolled(n, dice)).collect();
    let mut setting = setting(FROM, days, Tz::UTC, around(days, dice));
    let simulated: Vec<Simulated> = facts.iter().map(Facts::simulated).collect();
    let last = due(&facts, &setting).values().filter_map(|times| times.last().copied()).max();
    // Whoever is still away at the end has written nothing down yet.
    let until = last.expect("a due time").max(awake(&setting.scenario)) + Duration::minutes(1);
    setting.to = until;
    let due = due(&facts, &setting);
    // Until the last one has its end: nothing holds it any longer than it may wait.
    setting.to += Duration::hours(16);
    let all = rows(played(&setting, &simulated).store());
    let rows = all.iter().filter(|row| row.due_at < until).cloned().collect();
    Case { facts, scenario: setting.scenario, due, rows, all }
}

impl Case {
    /// The reasons that are not true, of the rows as they are, or as somebody made them.
    fn untrue(&self, rows: &[Row]) -> Vec<String> {
        let of = |facts: &Facts| -> Vec<String> {
            let own: Vec<Row> = rows.iter().filter(|row| row.loop_name == facts.name).cloned().collect();
            untrue(&facts.rules, &self.scenario, &own)
        };
        self.facts.iter().flat_map(of).collect()
    }
}

#[test]
fn every_due_time_has_one_row_with_its_end_and_a_true_reason() {
    let mut dice = Dice::seeded("the ledger of due times");
    let (loops, days) = if full() { (20, 400) } else { (5, 60) };
    let case = case(loops, days, &mut dice);
    assert_eq!(wrong(&case.due, &case.rows), Vec::<String>::new());
    assert_eq!(case.untrue(&case.all), Vec::<String>::new());
    let count: usize = case.due.values().map(BTreeSet::len).sum();
    let told = case.rows.iter().filter(|row| row.began.is_none()).count();
    tell(&format!(
        "{loops} loops x {days} days, 30 absences, 20 times on battery, 10 kills: {count} due times, {} rows, {told} reasons",
        case.rows.len()
    ));
}

/// The control: a ledger that lost one row, one that has one too many, and one whose row has no end.
#[test]
fn control_a_row_less_or_more_is_seen() {
    let mut dice = Dice::seeded("the ledger of due times, control");
    let Case { due, rows, .. } = case(2, 20, &mut dice);
    assert_eq!(wrong(&due, &rows), Vec::<String>::new());
    let at = dice.below(rows.len());
    let mut less = rows.clone();
    less.remove(at);
    assert!(!wrong(&due, &less).is_empty());
    let mut other = rows.clone();
    other[at].due_at += Duration::minutes(1);
    assert!(!wrong(&due, &other).is_empty());
    let mut open = rows;
    open[at].state = "due".to_owned();
    assert!(!wrong(&due, &open).is_empty());
}

/// The control: reasons that went to other rows, and one that is the same for all.
#[test]
fn control_a_reason_that_is_not_true_is_seen() {
    let mut dice = Dice::seeded("the ledger of due times, reasons");
    let case = case(5, 60, &mut dice);
    assert_eq!(case.untrue(&case.all), Vec::<String>::new());
    let some = case.all.iter().filter(|row| row.began.is_none() && row.is_terminal()).count();
    for reason in ["nobody looked at that time", "quiet hours until 03:03", ""] {
        let mut rows = case.all.clone();
        for row in rows.iter_mut().filter(|row| row.began.is_none()) {
            reason.clone_into(&mut row.reason);
        }
        assert_eq!(case.untrue(&rows).len(), some, "{reason}");
    }
    let mut rows = case.all.clone();
    let mut reasons: Vec<String> =
        rows.iter().filter(|row| row.began.is_none()).map(|row| row.reason.clone()).collect();
    reasons.rotate_left(some / 2);
    for (row, reason) in rows.iter_mut().filter(|row| row.began.is_none()).zip(reasons) {
        row.reason = reason;
    }
    assert!(!case.untrue(&rows).is_empty());
}

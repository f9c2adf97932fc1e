//! Held back by quiet hours or by the battery, also while the computer sleeps or is off for some of that time: afterwards the
//! newest times start, as many as are caught up, each other one has what held it as its reason, and nothing waits for the next
//! time (T3, T7).

use std::ops::Range;

use chrono::{Duration, NaiveTime};
use chrono_tz::Tz;
use loopwright_core::scenario::{Scenario, Span};
use loopwright_core::timing::{Battery, CatchUpHow, QuietHours, Timing};
use loopwright_tests::dice::Dice;
use loopwright_tests::tell;

use crate::support::{Row, below, catching, cron, full, looped, naive, played, rows, setting, taking};

const FROM: &str = "2026-12-01 00:00";
/// How long a run takes, in seconds.
const RUN_S: i64 = 20;
/// How long a start waits for its turn where nothing is caught up, in seconds.
const TURN_S: i64 = 900;
/// Starts that are caught up begin so many seconds apart, and the first of them may begin that late.
const APART_S: i64 = 30;

/// A loop that is due each hour, and what holds it; times in seconds since [`FROM`].
#[derive(Clone, Debug)]
struct Case {
    how: CatchUpHow,
    within_s: i64,
    held: Range<i64>,
    quiet: bool,
    /// Asleep, or off; nothing where it is empty.
    away: Range<i64>,
    off: bool,
    end: i64,
}

/// Between two due times, by the minute.
fn span(dice: &mut Dice, first_hours: i64) -> Range<i64> {
    let minute = |dice: &mut Dice| 60 * (5 + below(dice, 50));
    let from = 3_600 * (1 + below(dice, first_hours)) + minute(dice);
    let until = from / 3_600 * 3_600 + 3_600 * below(dice, 14) + minute(dice);
    from..until.max(from + 60)
}

impl Case {
    fn rolled(dice: &mut Dice) -> Case {
        let held = span(dice, 8);
        let away = if dice.below(2) == 0 { 0..0 } else { span(dice, 14) };
        let mut case = Case {
            how: [CatchUpHow::Skip, CatchUpHow::Once, CatchUpHow::All(2), CatchUpHow::All(3)][dice.below(4)],
            within_s: [60, 1_200, 2 * 3_600, 5 * 3_600, 12 * 3_600][dice.below(5)],
            end: (held.end.max(away.end) / 3_600 + 3) * 3_600 - 60,
            held,
            quiet: dice.below(2) == 0,
            away,
            off: dice.below(2) == 0,
        };
        // Nothing waits at the end.
        while (0..180).any(|n| case.holds(case.end - 60 * n)) {
            case.end += 3_600;
        }
        case
    }

    fn simulated(&self) -> Vec<Row> {
        let at = |s: i64| naive(FROM) + Duration::seconds(s);
        let clock = |s: i64| NaiveTime::MIN + Duration::seconds(s);
        let mut timing: Timing = catching(self.how, self.within_s.unsigned_abs(), cron("0 * * * *"));
        let mut scenario = Scenario { runs: vec![taking(RUN_S.unsigned_abs())], ..Scenario::default() };
        let span = |range: &Range<i64>| vec![Span::Once { from: at(range.start), to: at(range.end) }];
        if self.quiet {
            timing.quiet_hours = Some(QuietHours { from: clock(self.held.start), to: clock(self.held.end) });
        } else {
            timing.battery = Battery::Wait;
            scenario.battery = span(&self.held);
        }
        if !self.away.is_empty() {
            let spans = if self.off { &mut scenario.off } else { &mut scenario.sleeps };
            *spans = span(&self.away);
        }
        let mut setting = setting(FROM, 0, Tz::UTC, scenario);
        setting.to = setting.from + Duration::seconds(self.end);
        rows(played(&setting, &[looped("held", timing)]).store())
    }

    /// Quiet hours come again each day.
    fn holds(&self, at: i64) -> bool {
        self.held.contains(&at) || self.quiet && self.held.contains(&(at - 86_400))
    }

    fn due(&self) -> Vec<i64> {
        (1..).map(|n| n * 3_600).take_while(|at| *at < self.end).collect()
    }

    /// When one comes to wait, and when nothing holds it any more, minute by minute.
    fn free(&self, due: i64) -> (i64, i64) {
        let comes = if self.away.contains(&due) { self.away.end } else { due };
        let free = (0..).map(|n| comes + 60 * n).find(|at| !self.away.contains(at) && !self.holds(*at));
        (comes, free.expect("some time"))
    }

    /// The last moment at which one may start; nothing if it does not even wait.
    fn over(&self, due: i64) -> Option<i64> {
        let (comes, _) = self.free(due);
        let within = self.within_s.max(60);
        match self.how {
            // Neither what was slept through is caught up, nor are quiet hours a turn that one waits for.
            CatchUpHow::Skip if comes > due || self.quiet && self.holds(due) => None,
            CatchUpHow::Skip => Some(due + within.min(TURN_S)),
            _ if comes - due > within => None,
            _ => Some(comes + within),
        }
    }

    /// The due times that start, in seconds, by the rules as they are promised; with `newest`, of those that wait for the same.
    fn predicted(&self, newest: bool) -> Vec<i64> {
        let most = if let CatchUpHow::All(n) = self.how { n as usize } else { 1 };
        let mut starts = Vec::new();
        let mut waiting: Vec<i64> = self.due().into_iter().filter(|due| self.over(*due).is_some()).collect();
        if newest {
            waiting.reverse();
        }
        while let Some(first) = waiting.first().copied() {
            let (_, free) = self.free(first);
            let (same, other): (Vec<i64>, Vec<i64>) = waiting.iter().partition(|due| self.free(**due).1 == free);
            let in_time = |due: &i64| *due == free || self.over(*due).is_some_and(|over| free <= over);
            starts.extend(same.into_iter().take(most).filter(in_time));
            waiting = other;
        }
        starts.sort_unstable();
        starts
    }

    /// Whether a reason is one that the case gives cause for.
    fn justifies(&self, due: i64, reason: &str) -> bool {
        let hold = if self.quiet { "quiet hours" } else { "the computer runs on its battery" };
        let away = if self.off { "the computer was off" } else { "the computer was asleep" };
        let away_at = |at: i64| self.away.contains(&at);
        let was_away = away_at(due) || self.over(due).is_some_and(|over| away_at(over) || away_at(over + APART_S));
        let (comes, free) = self.free(due);
        reason.contains(hold) && self.holds(comes) && free > comes || reason.contains(away) && was_away
    }
}

#[test]
fn what_was_held_back_starts_as_a_model_predicts_and_says_what_held_it() {
    let mut dice = Dice::seeded("held back");
    let (cases, mut late, mut slept, mut other) = (if full() { 2_000 } else { 60 }, 0, 0, 0);
    for n in 0..cases {
        let case = Case::rolled(&mut dice);
        let rows = case.simulated();
        let since = |row: &Row| (row.due_at - naive(FROM).and_utc()).num_seconds();
        let started: Vec<i64> = rows.iter().filter(|row| row.began.is_some()).map(since).collect();
        assert_eq!(started, case.predicted(true), "case {n}: {case:?}\n{rows:#?}");
        late += started.iter().filter(|due| case.holds(**due)).count();
        slept += usize::from(case.held.contains(&case.away.start) || case.away.contains(&case.held.start));
        other += usize::from(started != case.predicted(false));
        for row in rows.iter().filter(|row| row.began.is_none()) {
            assert!(row.is_terminal() && case.justifies(since(row), &row.reason), "case {n}: {case:?}: {row:?}");
        }
    }
    assert!(late > cases / 8 && slept > cases / 8, "{late}, {slept} of {cases}");
    // The control: a scheduler that lets the oldest wait is seen.
    assert!(other > cases / 8, "{other} of {cases}");
    tell(&format!(
        "{cases} times held back, {slept} of them also away: what starts is what a model predicts, {late} of them late; \
         keeping the oldest would differ in {other}"
    ));
}

//! Held back by quiet hours or by the battery while the scheduler lives: afterwards the newest times start, as many as are caught
//! up, each other one has what held it as its reason, and nothing waits for the next time (T3, T7).

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

/// A loop that is due each hour, and what holds it; times in seconds since [`FROM`].
#[derive(Clone, Debug)]
struct Case {
    how: CatchUpHow,
    within_s: i64,
    held: std::ops::Range<i64>,
    quiet: bool,
    end: i64,
}

impl Case {
    fn rolled(dice: &mut Dice) -> Case {
        // Between two due times, by the minute.
        let from = 3_600 * (1 + below(dice, 8)) + 60 * (5 + below(dice, 50));
        let until = from / 3_600 * 3_600 + 3_600 * below(dice, 14) + 60 * (5 + below(dice, 50));
        let held = from..until.max(from + 60);
        Case {
            how: [CatchUpHow::Skip, CatchUpHow::Once, CatchUpHow::All(2), CatchUpHow::All(3)][dice.below(4)],
            within_s: [60, 1_200, 2 * 3_600, 5 * 3_600, 12 * 3_600][dice.below(5)],
            end: (held.end / 3_600 + 3) * 3_600 - 60,
            held,
            quiet: dice.below(2) == 0,
        }
    }

    fn simulated(&self) -> Vec<Row> {
        let at = |s: i64| naive(FROM) + Duration::seconds(s);
        let clock = |s: i64| NaiveTime::MIN + Duration::seconds(s);
        let mut timing: Timing = catching(self.how, self.within_s.unsigned_abs(), cron("0 * * * *"));
        let mut scenario = Scenario { runs: vec![taking(RUN_S.unsigned_abs())], ..Scenario::default() };
        if self.quiet {
            timing.quiet_hours = Some(QuietHours { from: clock(self.held.start), to: clock(self.held.end) });
        } else {
            timing.battery = Battery::Wait;
            scenario.battery = vec![Span::Once { from: at(self.held.start), to: at(self.held.end) }];
        }
        let mut setting = setting(FROM, 0, Tz::UTC, scenario);
        setting.to = setting.from + Duration::seconds(self.end);
        rows(played(&setting, &[looped("held", timing)]).store())
    }

    /// The due times that start, in seconds, by the rules as they are promised.
    fn predicted(&self) -> Vec<i64> {
        let due = (1..).map(|n| n * 3_600).take_while(|at| *at < self.end);
        let (held, free): (Vec<i64>, Vec<i64>) = due.partition(|at| self.held.contains(at));
        let (most, within) = match self.how {
            // Quiet hours are no turn that one waits for.
            CatchUpHow::Skip if self.quiet => (0, 0),
            CatchUpHow::Skip => (1, self.within_s.min(TURN_S)),
            CatchUpHow::Once => (1, self.within_s),
            CatchUpHow::All(n) => (n as usize, self.within_s),
        };
        let newest = held.iter().rev().take(most).filter(|at| self.held.end - **at <= within.max(60));
        let mut starts: Vec<i64> = newest.copied().chain(free).collect();
        starts.sort_unstable();
        starts
    }
}

#[test]
fn what_was_held_back_starts_as_a_model_predicts_and_says_what_held_it() {
    let mut dice = Dice::seeded("held back");
    let (cases, mut late) = (if full() { 1_000 } else { 40 }, 0);
    for n in 0..cases {
        let case = Case::rolled(&mut dice);
        let rows = case.simulated();
        let since = |row: &Row| (row.due_at - naive(FROM).and_utc()).num_seconds();
        let started: Vec<i64> = rows.iter().filter(|row| row.began.is_some()).map(since).collect();
        assert_eq!(started, case.predicted(), "case {n}: {case:?}\n{rows:#?}");
        late += started.iter().filter(|due| case.held.contains(due)).count();
        let word = if case.quiet { "quiet hours" } else { "battery" };
        for row in rows.iter().filter(|row| row.began.is_none()) {
            assert!(row.is_terminal() && row.reason.contains(word), "case {n}: {case:?}: {row:?}");
        }
    }
    assert!(late > cases / 8, "{late} of {cases}");
    tell(&format!("{cases} times held back: what starts is what a model predicts, {late} of them late"));
}

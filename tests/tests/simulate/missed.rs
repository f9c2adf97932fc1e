//! Asleep or off for a minute up to sixty days, with one to fifty loops: what starts is what a model predicts that knows nothing
//! of the scheduler, and what does not start has its reason (T3).

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use loopwright_core::scenario::{Scenario, Span};
use loopwright_core::timing::{CatchUpHow, Timing};
use loopwright_engine::api::Simulated;
use loopwright_tests::dice::Dice;
use loopwright_tests::tell;

use crate::support::{Row, below, catching, cron, full, looped, naive, played, rows, setting, taking};

/// How long a run takes, in seconds.
const RUN_S: i64 = 20;
const FROM: &str = "2026-12-01 00:00";
const A_DAY_S: i64 = 86_400;

/// A loop that starts each so many hours at a minute of its own.
#[derive(Clone, Debug)]
struct Timed {
    name: String,
    minute: i64,
    hours: i64,
    how: CatchUpHow,
    within_s: i64,
}

/// One case, its times in seconds since [`FROM`].
#[derive(Clone, Debug)]
struct Case {
    loops: Vec<Timed>,
    away: std::ops::Range<i64>,
    off: bool,
    end: i64,
}

impl Case {
    fn rolled(dice: &mut Dice) -> Case {
        let most = [60, 3_600, A_DAY_S, 60 * A_DAY_S][dice.below(4)];
        let long = 60 + below(dice, most - 59);
        let from = 3_600 + below(dice, 8 * 3_600);
        let away = from..from + long;
        let most = if dice.below(4) == 0 { 50 } else { 5 };
        let many = 1 + dice.below(most);
        let loops = (0..many).map(|n| Timed::rolled(n, dice)).collect();
        // Nothing is due in the last minutes of an hour.
        let end = (away.end / 3_600 + 6) * 3_600 + 3_480;
        Case { loops, away, off: dice.below(2) == 0, end }
    }

    fn simulated(&self) -> Vec<Row> {
        let start = naive(FROM);
        let at = |s: i64| start + Duration::seconds(s);
        let span = vec![Span::Once { from: at(self.away.start), to: at(self.away.end) }];
        let (sleeps, off) = if self.off { (Vec::new(), span) } else { (span, Vec::new()) };
        let runs = vec![taking(RUN_S.unsigned_abs())];
        let mut setting = setting(FROM, 0, Tz::UTC, Scenario { sleeps, off, runs, ..Scenario::default() });
        setting.to = setting.from + Duration::seconds(self.end);
        let loops: Vec<Simulated> = self.loops.iter().map(|l| looped(&l.name, l.timing())).collect();
        rows(played(&setting, &loops).store())
    }
}

impl Timed {
    fn rolled(n: usize, dice: &mut Dice) -> Timed {
        Timed {
            name: format!("loop-{n:02}"),
            minute: i64::try_from(n).expect("a minute"),
            hours: [1, 2, 6, 12, 24][dice.below(5)],
            how: [CatchUpHow::Skip, CatchUpHow::Once, CatchUpHow::All(2), CatchUpHow::All(3)][dice.below(4)],
            within_s: [60, 3_600, 12 * 3_600, 7 * A_DAY_S, 90 * A_DAY_S][dice.below(5)],
        }
    }

    fn timing(&self) -> Timing {
        let hours = if self.hours == 24 { "0".to_owned() } else { format!("*/{}", self.hours) };
        catching(self.how, self.within_s.unsigned_abs(), cron(&format!("{} {hours} * * *", self.minute)))
    }

    /// All that is due up to the end of the case.
    fn due(&self, case: &Case) -> Vec<i64> {
        let all = (0..).map(|n| n * self.hours * 3_600 + self.minute * 60);
        all.skip_while(|at| *at <= 0).take_while(|at| *at < case.end).collect()
    }
}

/// When each loop's due times start, and how many do not.
type Predicted = BTreeMap<String, (Vec<(i64, i64)>, u64)>;

/// What must happen, by the rules as they are promised: of the times that were slept through and may still start, the last one (or
/// the last n) does, ten seconds apart; what was due a minute ago is on time.
fn predicted(case: &Case) -> Predicted {
    let mut late_before = 0;
    let one = |of: &Timed| {
        let mut starts = Vec::new();
        let mut unstarted = 0;
        let mut live_until = i64::MIN;
        let mut waiting: Vec<(i64, i64)> = Vec::new();
        let (gone, back) = (case.away.start, case.away.end);
        let due = of.due(case);
        for due in due.iter().copied().filter(|due| *due < gone) {
            starts.push((due, due));
            live_until = due + RUN_S;
        }
        if live_until >= gone {
            live_until = if case.off { back + RUN_S } else { back + live_until - gone };
        }
        let missed: Vec<i64> = due.iter().copied().filter(|due| (gone..=back).contains(due)).collect();
        // Exactly that long ago is not too long ago.
        let (may, old): (Vec<i64>, Vec<i64>) = missed.iter().partition(|due| back - **due <= of.within_s.max(60));
        let (mut may, on_time): (Vec<i64>, Vec<i64>) = may.iter().partition(|due| back - **due > 60);
        let late = may.len();
        unstarted += old.len() as u64;
        let most = match of.how {
            CatchUpHow::Skip => 0,
            CatchUpHow::Once => usize::from(on_time.is_empty()),
            CatchUpHow::All(n) => (n as usize).saturating_sub(on_time.len()),
        };
        may.drain(..may.len().saturating_sub(most));
        unstarted += (late - may.len()) as u64;
        let at_once = if let CatchUpHow::All(n) = of.how { n as usize } else { 1 };
        for due in may.iter().chain(&on_time).copied() {
            if live_until > back || waiting.len() >= at_once {
                unstarted += 1;
                continue;
            }
            let is_late = back - due > 60;
            waiting.push((due, if is_late { back + 10 * late_before } else { due }));
            late_before += i64::from(is_late);
        }
        let begin = |waiting: &mut Vec<(i64, i64)>, live_until: &mut i64, starts: &mut Vec<(i64, i64)>, until: i64| {
            // The oldest of those that may start when the first of them may.
            while let Some(first) = waiting.iter().map(|(_, not_before)| *not_before).min() {
                let at = first.max(*live_until).max(back);
                let next = waiting.iter().position(|(_, not_before)| *not_before <= at).expect("the first");
                if at >= until {
                    break;
                }
                starts.push((waiting.remove(next).0, at));
                *live_until = at + RUN_S;
            }
        };
        for due in due.iter().copied().filter(|due| *due > back) {
            begin(&mut waiting, &mut live_until, &mut starts, due);
            if live_until > due {
                unstarted += 1;
                continue;
            }
            // One that would start at this very moment gives way.
            let older = waiting.iter().position(|(_, not_before)| *not_before <= due);
            unstarted += u64::from(waiting.len() >= at_once);
            match older {
                _ if waiting.len() < at_once => waiting.push((due, due)),
                Some(older) => waiting[older] = (due, due),
                None => {}
            }
        }
        begin(&mut waiting, &mut live_until, &mut starts, case.end);
        starts.sort_unstable();
        (of.name.clone(), (starts, unstarted))
    };
    case.loops.iter().map(one).collect()
}

/// What happened, in the same shape.
fn happened(case: &Case, rows: &[Row]) -> Predicted {
    let start = naive(FROM).and_utc();
    let since = |at: DateTime<Utc>| (at - start).num_seconds();
    let mut found: Predicted = case.loops.iter().map(|of| (of.name.clone(), (Vec::new(), 0))).collect();
    for row in rows {
        let of = found.get_mut(&row.loop_name).expect("a loop of the case");
        match row.began {
            Some(began) => of.0.push((since(row.due_at), since(began))),
            None => of.1 += row.times,
        }
    }
    found
}

#[test]
fn what_starts_is_what_a_model_predicts() {
    let mut dice = Dice::seeded("asleep and off");
    let (cases, mut starts, mut late) = (if full() { 2_000 } else { 25 }, 0, 0);
    for n in 0..cases {
        let case = Case::rolled(&mut dice);
        let rows = case.simulated();
        let (expected, found) = (predicted(&case), happened(&case, &rows));
        for of in &case.loops {
            assert_eq!(found[&of.name], expected[&of.name], "case {n}: {of:?} away {:?} off {}", case.away, case.off);
        }
        assert!(rows.iter().all(|row| row.is_terminal() && (row.began.is_some() || !row.reason.is_empty())));
        why(&case, &rows);
        starts += rows.iter().filter(|row| row.began.is_some()).count();
        late += rows.iter().filter(|r| r.began.is_some_and(|at| at - r.due_at > Duration::seconds(60))).count();
    }
    assert!(late > 0);
    tell(&format!("{cases} absences: {starts} starts as predicted, {late} of them caught up"));
}

/// By chance it hardly ever happens that a time is exactly as old as one may be.
#[test]
fn exactly_as_long_ago_as_may_be_is_not_too_long_ago() {
    for (off, within_s, how) in [(true, 3_600, 3), (false, 3_600, 3), (true, 60, 1), (false, 60, 1)] {
        let how = if how == 1 { CatchUpHow::Once } else { CatchUpHow::All(how) };
        let of = Timed { name: "loop-15".to_owned(), minute: 15, hours: 1, how, within_s };
        let back = 58_500 + within_s % 3_600;
        let case = Case { loops: vec![of], away: 5_549..back, off, end: 82_680 };
        assert_eq!(happened(&case, &case.simulated()), predicted(&case), "{case:?}");
    }
}

/// Each missed time says why nobody was there.
fn why(case: &Case, rows: &[Row]) {
    let word = if case.off { "the computer was off" } else { "the computer was asleep" };
    for row in rows.iter().filter(|row| row.state == "missed") {
        assert!(row.reason.starts_with(word), "{}", row.reason);
    }
}

/// The control: whoever starts all that was missed, and all at once, is told apart by the same comparison.
#[test]
fn control_a_storm_is_not_what_the_model_predicts() {
    let loops = (0..3)
        .map(|n| Timed { name: format!("loop-{n}"), minute: n, hours: 1, how: CatchUpHow::Once, within_s: 12 * 3_600 })
        .collect();
    let case = Case { loops, away: 3_700..30_000, off: false, end: 31_000 };
    let storm = |of: &Timed| {
        let at = |due: i64| if case.away.contains(&due) { case.away.end } else { due };
        (of.name.clone(), (of.due(&case).into_iter().map(|due| (due, at(due))).collect(), 0))
    };
    let storm: Predicted = case.loops.iter().map(storm).collect();
    assert_ne!(predicted(&case), storm);
    assert_eq!(predicted(&case), happened(&case, &case.simulated()));
}

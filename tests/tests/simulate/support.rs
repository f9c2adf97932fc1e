//! What these tests share: loops, settings, and the rows that a simulation leaves.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use chrono_tz::Tz;
use loopwright_core::definition::read;
use loopwright_core::run::Mode;
use loopwright_core::scenario::{Scenario, Script};
use loopwright_core::schedule::local;
use loopwright_core::timing::{CatchUp, CatchUpHow, Timing, Trigger};
use loopwright_engine::api::{Played, Setting, Simulated, play};
use loopwright_engine::store::Store;
use loopwright_tests::dice::Dice;

/// Whether suites run in their full size, as `make soak` asks for: in a release build alone, as it takes far too long in another one.
pub(crate) fn full() -> bool {
    !cfg!(debug_assertions) && std::env::var("LOOPWRIGHT_FULL").is_ok_and(|full| full == "1")
}

/// A number below `end`.
pub(crate) fn below(dice: &mut Dice, end: i64) -> i64 {
    i64::try_from(dice.below(usize::try_from(end).expect("no negative number"))).expect("a number that fits")
}

/// A loop that only looks.
pub(crate) fn looped(name: &str, timing: Timing) -> Simulated {
    let text = format!(
        "name: {name}\ntrigger: manual\nsteps:\n  - discover: {{run: scan_ci_failures, write_to: state/triage.md}}\n\
         guardrails: {{max_iterations: 3, budget: $5/run, halt_on: no_progress(2), max_duration: 24h}}\n"
    );
    let mut definition = read(&text).definition.expect("a loop");
    definition.timing = timing;
    Simulated { definition, mode: Mode::Report }
}

pub(crate) fn cron(expression: &str) -> Timing {
    Timing { triggers: vec![Trigger::Cron(expression.to_owned())], ..Timing::manual() }
}

pub(crate) fn every(seconds: u64) -> Timing {
    Timing { triggers: vec![Trigger::Every(seconds)], ..Timing::manual() }
}

pub(crate) fn catching(how: CatchUpHow, within_s: u64, timing: Timing) -> Timing {
    Timing { catch_up: CatchUp { how, within_s }, ..timing }
}

/// Runs that find nothing and take so long.
pub(crate) fn taking(takes_s: u64) -> Script {
    Script { takes_s, ..Script::default() }
}

pub(crate) fn naive(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").expect(text)
}

pub(crate) fn setting(from: &str, days: i64, zone: Tz, scenario: Scenario) -> Setting {
    let from = local(naive(from), zone).expect("a moment");
    Setting { from, to: from + Duration::days(days), zone, scenario, settings: "max_runs: 32\n".to_owned() }
}

pub(crate) fn played(setting: &Setting, loops: &[Simulated]) -> Played {
    play(setting, loops).expect("played")
}

/// An occurrence as it was left, with its run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) loop_name: String,
    pub(crate) due_at: DateTime<Utc>,
    /// The last one of many.
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) times: u64,
    pub(crate) state: String,
    pub(crate) reason: String,
    /// When its run began and ended, by the clock of the computer.
    pub(crate) began: Option<DateTime<Utc>>,
    pub(crate) ended: Option<DateTime<Utc>>,
}

impl Row {
    /// Whether its end is written.
    pub(crate) fn is_terminal(&self) -> bool {
        matches!(self.state.as_str(), "finished" | "halted" | "failed" | "missed" | "skipped")
    }
}

/// All occurrences, by their loop and due time.
pub(crate) fn rows(store: &Store) -> Vec<Row> {
    let sql = "SELECT l.name, o.due_at, o.times, o.state, COALESCE(o.reason, ''), r.started_at, r.ended_at, o.until_at \
               FROM occurrences o JOIN loops l ON l.id = o.loop LEFT JOIN runs r ON r.occurrence = o.id \
               ORDER BY l.name, o.due_at, o.id";
    let mut found = store.read().prepare(sql).expect("a statement");
    let time = |text: String| text.parse::<DateTime<Utc>>().expect("a time");
    let rows = found.query_map([], |r| {
        Ok(Row {
            loop_name: r.get(0)?,
            due_at: time(r.get(1)?),
            times: r.get::<_, i64>(2)?.unsigned_abs(),
            state: r.get(3)?,
            reason: r.get(4)?,
            began: r.get::<_, Option<String>>(5)?.map(time),
            ended: r.get::<_, Option<String>>(6)?.map(time),
            until: r.get::<_, Option<String>>(7)?.map(time),
        })
    });
    rows.expect("rows").collect::<Result<_, _>>().expect("rows")
}

/// Due times with more than one fate: rows of many that reach over other rows of their loop.
pub(crate) fn two_fates(rows: &[Row]) -> Vec<String> {
    let over = |many: &Row, at: DateTime<Utc>| many.until.is_some_and(|until| many.due_at <= at && at <= until);
    let beside = |many: &Row, row: &Row| row != many && row.loop_name == many.loop_name && over(many, row.due_at);
    let of = |many: &Row| rows.iter().find(|row| beside(many, row)).map(|row| format!("{row:?} and {many:?}"));
    rows.iter().filter_map(of).collect()
}

/// `Thu 09:00 finished at 10:30`, a line a row.
pub(crate) fn told(rows: &[Row], zone: Tz) -> Vec<String> {
    let clock = |at: DateTime<Utc>, form: &str| at.with_timezone(&zone).format(form).to_string();
    let line = |row: &Row| {
        let began = row.began.map_or(String::new(), |at| format!(" at {}", clock(at, "%H:%M")));
        format!("{} {}{began}", clock(row.due_at, "%a %d %H:%M"), row.state)
    };
    rows.iter().map(line).collect()
}

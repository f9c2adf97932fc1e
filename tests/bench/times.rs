//! Time: a thousand days of ten loops on a virtual clock, the next starts of ten thousand loops, and what is asked of a ledger of a
//! million due times.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::parser::{CronParser, Seconds, Year};
use loopwright_core::definition::read;
use loopwright_core::due::{Arrival, Fate};
use loopwright_core::run::Mode;
use loopwright_core::scenario::Scenario;
use loopwright_core::schedule::due_times;
use loopwright_core::timing::{Timing, Trigger};
use loopwright_engine::api::{Setting, Simulated, play};
use loopwright_engine::store::{Store, schedules};

use crate::figures::{Bound, Series};
use crate::{fleet, history};

/// Loops and days of the simulation, and how long it may take.
const LOOPS: usize = 10;
const DAYS: i64 = 1_000;
const MOST_MS: f64 = 20_000.0;
/// Loops whose next start is asked for.
const MANY: usize = 10_000;
/// Due times of the long ledger, of the short one, and of one transaction that writes them.
const LONG: usize = 1_000_000;
const SHORT: usize = 1_000;
const AT_ONCE: usize = 10_000;

/// Measures a simulation.
///
/// # Errors
/// It fails, or starts less than it should.
pub(crate) fn simulated(samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let loops: Vec<Simulated> = (0..LOOPS).map(a_loop).collect::<Result<_>>()?;
    let from: DateTime<Utc> = history::AT.parse().context("a time")?;
    let to = from + chrono::Duration::days(DAYS);
    let zone = chrono_tz::Europe::Berlin;
    let setting = Setting { from, to, zone, scenario: Scenario::default(), settings: "max_runs: 8\n".to_owned() };
    let mut took = Vec::new();
    for _ in 0..samples {
        let began = Instant::now();
        let played = play(&setting, &loops)?;
        took.push(began.elapsed());
        let runs: i64 = played.store().read().query_row("SELECT count(*) FROM runs", [], |r| r.get(0))?;
        ensure!(runs >= DAYS * 9, "only {runs} runs began");
    }
    let took = Series::new("1,000 days of 10 loops on a virtual clock", &took);
    let bound = Bound::fixed("1,000 days of 10 loops simulated: 20 s", &took, MOST_MS);
    Ok((vec![took], vec![bound]))
}

/// One that looks once a day, at a minute of its own.
fn a_loop(number: usize) -> Result<Simulated> {
    let text = format!(
        "name: loop-{number}\ntrigger: cron(\"{number} 9 * * *\")\n\
         steps:\n  - discover: {{run: scan_ci_failures, write_to: state/triage.md}}\n\
         guardrails: {{max_iterations: 3, budget: $5/run, halt_on: no_progress(2)}}\n"
    );
    let definition = read(&text).definition.context("a loop of the benchmark is invalid")?;
    Ok(Simulated { definition, mode: Mode::Report })
}

/// Measures the next starts of many loops, beside as many bare calls of croner.
///
/// # Errors
/// Both don't say the same.
pub(crate) fn next(samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let zone = chrono_tz::Europe::Berlin;
    let after: DateTime<Utc> = history::AT.parse().context("a time")?;
    let crons: Vec<String> = (0..MANY).map(|n| format!("{} {} * * MON-FRI", n % 60, n / 60 % 24)).collect();
    let cron = |text: &String| Timing { triggers: vec![Trigger::Cron(text.clone())], ..Timing::manual() };
    let timings: Vec<Timing> = crons.iter().map(cron).collect();
    let mut took: [Vec<Duration>; 2] = Default::default();
    for _ in 0..samples {
        let began = Instant::now();
        let ours: Vec<_> = timings.iter().filter_map(|t| due_times(t, zone, after).next().map(|(at, _)| at)).collect();
        took[0].push(began.elapsed());
        let began = Instant::now();
        let peers: Vec<_> = crons.iter().filter_map(|text| bare(text, zone, after)).collect();
        took[1].push(began.elapsed());
        ensure!(ours == peers && ours.len() == MANY, "the next starts are other ones than croner's");
    }
    let [ours, peer] = [("next starts of 10,000 loops", &took[0]), ("  peer: croner alone, 10,000 times", &took[1])]
        .map(|(name, took)| Series::new(name, took));
    let bound = Bound::relative("next starts of 10,000 loops: 1.5 x croner", &ours, &peer, 1.5, 0.0);
    Ok((vec![ours, peer], vec![bound]))
}

/// From the text to the next time, by croner and nothing else.
fn bare(text: &str, zone: Tz, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let cron = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build().parse(text).ok()?;
    let next = cron.find_next_occurrence(&after.with_timezone(&zone), false).ok()?;
    Some(next.with_timezone(&Utc))
}

/// Measures `status` and `why` on both ledgers, turn by turn.
///
/// # Errors
/// The program fails, or a ledger can't be made.
pub(crate) fn ledger(program: &Path, root: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (long, short) = (root.join("long-ledger"), root.join("short-ledger"));
    make(&long, LONG)?;
    make(&short, SHORT)?;
    let (mut series, mut bounds) = (Vec::new(), Vec::new());
    let asked: [(&[&str], [&'static str; 3]); 2] = [
        (
            &["status"],
            [
                "status on a ledger of 1,000,000 due times",
                "  peer: status on a ledger of 1,000",
                "status on a ledger of 1,000,000: 2 x 1,000",
            ],
        ),
        (
            &["why", "loop-0"],
            [
                "why on a ledger of 1,000,000 due times",
                "  peer: why on a ledger of 1,000",
                "why on a ledger of 1,000,000: 2 x 1,000",
            ],
        ),
    ];
    for (verb, [of_long, of_short, promise]) in asked {
        // Once before the first sample, so that both are in memory.
        ask(program, &long, verb)?;
        ask(program, &short, verb)?;
        let mut took: [Vec<Duration>; 2] = Default::default();
        for _ in 0..samples {
            took[0].push(ask(program, &long, verb)?);
            took[1].push(ask(program, &short, verb)?);
        }
        let (long, short) = (Series::new(of_long, &took[0]), Series::new(of_short, &took[1]));
        bounds.push(Bound::relative(promise, &long, &short, 2.0, 0.0));
        series.extend([long, short]);
    }
    Ok((series, bounds))
}

/// A home whose only loop has so many due times behind it, a minute apart, each with its end.
fn make(place: &Path, times: usize) -> Result<()> {
    let daily = Timing { triggers: vec![Trigger::Cron("0 9 * * *".to_owned())], ..Timing::manual() };
    let home = fleet::make(place, &[daily])?;
    let mut store = Store::open(&home)?;
    let loop_id = history::loop_of(&store)?;
    let now = Utc::now();
    let first = now - chrono::Duration::minutes(i64::try_from(times)? + 1);
    let mut done = 0;
    while done < times {
        let until = (done + AT_ONCE).min(times);
        store.write(|tx| {
            (done..until).try_for_each(|n| {
                let due_at = first + chrono::Duration::minutes(i64::try_from(n)?);
                let fate = Fate::Missed("the computer was asleep".to_owned());
                let arrival = Arrival { due_at, until: None, times: 1, trigger: "cron", fate };
                schedules::arrive(tx, loop_id, &arrival, Tz::UTC, now).map(drop)
            })
        })?;
        done = until;
    }
    Ok(())
}

/// How long a verb takes, process start included.
fn ask(program: &Path, place: &Path, verb: &[&str]) -> Result<Duration> {
    let mut command = Command::new(program);
    command.arg("--json").args(verb).env("LOOPWRIGHT_HOME", place).stdin(Stdio::null()).stdout(Stdio::null());
    let began = Instant::now();
    let status = command.status().context("starting loopwright")?;
    ensure!(status.success(), "{} ended with {status}", verb.join(" "));
    Ok(began.elapsed())
}

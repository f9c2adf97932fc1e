//! `serve` with 1,000 loops and nothing to do: its memory, and how often it wakes up.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use loopwright_core::timing::{Timing, Trigger};
use rusqlite::Connection;

use crate::contention::{ready, wait_for_the_start};
use crate::figures::{Bound, Series};
use crate::fleet::{self, Serve};

/// With this argument the benchmark is the peer: a program that has the database open, and waits.
pub(crate) const OPENS: &str = "--opens";

/// Registered loops.
const LOOPS: usize = 1_000;
/// What the first pass does is not idleness.
const SETTLING: Duration = Duration::from_secs(5);
/// How long it is watched for one sample.
const MINUTE: Duration = Duration::from_secs(60);
/// Switches closer together than this belong to one wake-up.
const CLOSE: Duration = Duration::from_millis(200);

/// Measures both; `samples` minutes.
///
/// # Errors
/// One of them can't be started or read.
pub(crate) fn measure(program: &Path, root: &Path, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let place = root.join("idle");
    // Spread over the day, but none in the minutes of this measurement.
    let away = chrono::Utc::now() + chrono::Duration::hours(2);
    let daily = |number: usize| {
        let at = away + chrono::Duration::minutes(i64::try_from(number % 1_200).unwrap_or(0));
        Timing {
            triggers: vec![Trigger::Cron(at.format("%M %H * * *").to_string())],
            zone: Some(chrono_tz::UTC),
            ..Timing::manual()
        }
    };
    let home = fleet::make(&place, &(0..LOOPS).map(daily).collect::<Vec<_>>())?;
    let serve = Serve::start(program, &place)?;
    std::thread::sleep(SETTLING);
    let wakes = (0..samples).map(|_| wake_ups(serve.pid())).collect::<Result<Vec<f64>>>()?;
    let memory = Series::of("serve, idle, 1,000 loops: PSS", "MB", vec![pss(serve.pid())?]);
    let peer = Series::of("  peer: a program with the same database open", "MB", vec![opened(&home.database(), root)?]);
    let wakes = Series::of("serve, idle, 1,000 loops: wake-ups in a minute", "", wakes);
    let bounds = vec![
        Bound::fixed("serve, idle, 1,000 loops: 10 MB", &memory, 10.0).beside(&peer),
        Bound::fixed("serve, idle, 1,000 loops: 2 wake-ups a minute", &wakes, 2.0),
    ];
    Ok((vec![memory, peer, wakes], bounds))
}

/// How often it wakes up in a minute: moments in which one of its threads gave up a processor of its own accord, those of one
/// moment being one.
fn wake_ups(pid: u32) -> Result<f64> {
    let (began, mut count, mut last) = (Instant::now(), 0.0, switches(pid)?);
    while began.elapsed() < MINUTE {
        std::thread::sleep(CLOSE);
        let now = switches(pid)?;
        count += if now > last { 1.0 } else { 0.0 };
        last = now;
    }
    Ok(count)
}

/// Voluntary context switches of all threads so far.
fn switches(pid: u32) -> Result<u64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).context("serve is gone")?;
    let texts = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
    Ok(texts.filter_map(|text| field(&text, "voluntary_ctxt_switches:")).sum())
}

/// What it has in memory, in MB of a million bytes; a page that several share is divided among them.
fn pss(pid: u32) -> Result<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).context("reading its memory")?;
    let kib = field(&text, "Pss:").context("no PSS is told")?;
    Ok(f64::from(u32::try_from(kib)?) * 1024.0 / 1e6)
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The memory of the peer. It is a copy of this program, so that they share no page.
fn opened(database: &Path, root: &Path) -> Result<f64> {
    let program = root.join("opens");
    fs::copy(std::env::current_exe().context("finding this program")?, &program).context("copying this program")?;
    let mut command = Command::new(&program);
    let mut child = command.arg(OPENS).arg(database).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    ready(&mut child)?;
    let used = pss(child.id());
    drop(child.stdin.take());
    child.wait().context("waiting for the peer")?;
    used
}

/// The peer: `--opens DATABASE`.
///
/// # Errors
/// The database can't be read.
pub(crate) fn open(database: &Path) -> Result<()> {
    let connection = Connection::open(database).context("opening the database")?;
    connection.query_row("SELECT count(*) FROM loops", [], |row| row.get::<_, i64>(0)).context("reading it")?;
    wait_for_the_start()
}

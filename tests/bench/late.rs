//! How late a loop starts: from its due time to the process of its run, beside a bare timer that starts `true`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SubsecRound as _, Utc};
use loopwright_core::timing::{Timing, Trigger};
use loopwright_engine::home::Home;
use rusqlite::{Connection, OpenFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::figures::{Bound, Series};
use crate::fleet::{self, Serve, wait_for};

/// Loops that start once each.
const FIRES: i32 = 120;
/// Between two of them.
const APART: chrono::Duration = chrono::Duration::milliseconds(330);
/// What making the home and starting `serve` takes at most.
const BEFORE: chrono::Duration = chrono::Duration::seconds(15);

/// Measures both at the same time: their moments lie between each other's.
///
/// # Errors
/// One of them fails, or a loop does not start.
pub(crate) fn measure(program: &Path, root: &Path) -> Result<(Vec<Series>, Vec<Bound>)> {
    let place = root.join("late");
    let first = (Utc::now() + BEFORE).trunc_subsecs(0);
    let moments: Vec<DateTime<Utc>> = (0..FIRES).map(|n| first + APART * n).collect();
    let timings: Vec<Timing> = moments.iter().map(|at| once(*at)).collect();
    let home = fleet::make(&place, &timings)?;
    let serve = Serve::start(program, &place)?;
    ensure!(Utc::now() < first, "making the home took too long");
    let bare = moments.iter().map(|at| late_bare(*at + APART / 2)).collect::<Result<Vec<Duration>>>()?;
    let ended = || Ok((starts(&home)?.len() == moments.len()).then_some(()));
    wait_for("the last run to begin", ended)?;
    let found = starts(&home)?;
    drop(serve);
    let (claims, spawns): (Vec<Duration>, Vec<Duration>) = found.into_iter().unzip();
    let spawns = Series::new("serve: from the due time to the run's first process", &spawns);
    let claims = Series::new("  of that until the claim was written", &claims);
    let bare = Series::new("  peer: a bare timer, from its time to `true`", &bare);
    let bound = Bound::p99("lateness of a start, p99: 50 ms", &spawns, &bare, 50.0);
    Ok((vec![spawns, claims, bare], vec![bound]))
}

fn once(at: DateTime<Utc>) -> Timing {
    Timing { triggers: vec![Trigger::At(at.naive_utc())], zone: Some(chrono_tz::UTC), ..Timing::manual() }
}

/// Of each loop that has started: how late it was claimed, and how late its watchdog wrote down that it is there.
fn starts(home: &Home) -> Result<Vec<(Duration, Duration)>> {
    let db = Connection::open_with_flags(home.database(), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut rows = db.prepare("SELECT due_at, claimed_at, run FROM occurrences WHERE run IS NOT NULL")?;
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut found = Vec::new();
    for row in rows {
        let (due, claimed, run): (String, String, String) = row?;
        let due: DateTime<Utc> = due.parse().context("a due time")?;
        let claimed: DateTime<Utc> = claimed.parse().context("a claim")?;
        let Ok(watchdog) = home.runs().join(run).join("watchdog").metadata() else { continue };
        found.push((since(due, claimed.into()), since(due, watchdog.modified()?)));
    }
    Ok(found)
}

fn since(due: DateTime<Utc>, at: SystemTime) -> Duration {
    at.duration_since(due.into()).unwrap_or_default()
}

/// Waits for a moment as `serve` does, starts a program and says how late that was.
fn late_bare(at: DateTime<Utc>) -> Result<Duration> {
    let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC).context("making a timer")?;
    let tv_nsec = i64::from(at.timestamp_subsec_nanos());
    let it_value = Timespec { tv_sec: at.timestamp(), tv_nsec };
    let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
    timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME, &Itimerspec { it_interval, it_value }).context("setting it")?;
    rustix::io::read(&timer, &mut [0_u8; 8]).context("waiting for it")?;
    let mut child = Command::new("/bin/true").stdin(Stdio::null()).spawn().context("starting `true`")?;
    let late = since(at, SystemTime::now());
    child.wait().context("waiting for `true`")?;
    Ok(late)
}

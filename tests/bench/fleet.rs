//! A home with many loops, and the scheduler over it, for what `serve` is measured by.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use loopwright_core::ids::LoopId;
use loopwright_core::run::Mode;
use loopwright_core::scheduler::SchedulerBeat;
use loopwright_core::timing::Timing;
use loopwright_engine::home::Home;
use loopwright_engine::store::Store;
use loopwright_engine::store::loops::{self, LoopRow};
use loopwright_engine::store::schedules::{self, Does, Keep};
use rusqlite::Transaction;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::attempt;

/// What stands in each file behind its name.
const TEXT: &str = "trigger: manual\nsteps:\n  - run: {command: [/bin/true]}\nguardrails: {max_duration: 1m}\n";
/// How long anything is waited for.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// A home with these loops, each of which runs `true`; their files say nothing of their times.
///
/// # Errors
/// It can't be made.
pub(crate) fn make(place: &Path, timings: &[Timing]) -> Result<Home> {
    let home = Home::under(place);
    home.create(chrono::Utc::now())?;
    let mut store = Store::open(&home)?;
    store.write(|tx| timings.iter().enumerate().try_for_each(|(number, timing)| add(tx, &home, number, timing)))?;
    Ok(home)
}

fn add(tx: &Transaction<'_>, home: &Home, number: usize, timing: &Timing) -> Result<()> {
    let name = format!("loop-{number}");
    let text = format!("name: {name}\n{TEXT}");
    let folder = home.config.join("loops").join(&name);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let path = folder.join("loop.yaml");
    fs::write(&path, &text).with_context(|| format!("writing {}", path.display()))?;
    let row = LoopRow {
        id: LoopId(Uuid::now_v7()),
        name,
        repo: loops::repo(tx, &folder)?,
        repo_path: folder,
        path,
        mode: Mode::Report,
        hash: loopwright_core::hex(&Sha256::digest(&text)),
        triage_revision: None,
        triage_listed: Vec::new(),
    };
    let now = chrono::Utc::now();
    fs::create_dir_all(home.loop_state(row.id)).context("making a state folder")?;
    loops::register(tx, &row, &now.to_rfc3339())?;
    schedules::keep(
        tx,
        row.id,
        &Keep { timing, max_duration_s: 60, finally_s: 0, does: Does::Finds },
        now,
        chrono_tz::UTC,
    )
}

/// A scheduler that lives as long as this.
pub(crate) struct Serve(Child);

impl Serve {
    /// Starts it, and waits until it has made its first pass.
    ///
    /// # Errors
    /// It ends instead.
    pub(crate) fn start(program: &Path, place: &Path) -> Result<Serve> {
        let mut command = attempt::program(program, place);
        let child = command.arg("serve").stdout(Stdio::null()).spawn().context("starting serve")?;
        let mut serve = Serve(child);
        let (beat, own) = (Home::under(place).state.join("scheduler"), i32::try_from(serve.pid())?);
        wait_for("serve to beat", || {
            if let Some(status) = serve.0.try_wait()? {
                bail!("serve ended with {status}");
            }
            // Of one that was killed a beat is left.
            let beat = fs::read(&beat).ok().and_then(|beat| SchedulerBeat::parse(&beat));
            Ok(beat.is_some_and(|beat| beat.pid == own).then_some(()))
        })?;
        Ok(serve)
    }

    /// Kills it for good.
    ///
    /// # Errors
    /// It can't be killed.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.0.kill().context("killing serve")?;
        self.0.wait().map(drop).context("waiting for serve")
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if self.0.try_wait().is_ok_and(|ended| ended.is_some()) {
            // Its number may be another's by now.
            return;
        }
        let asked = Command::new("kill").arg(self.pid().to_string()).status();
        let ended = || Ok(self.0.try_wait()?.map(drop));
        if asked.is_err() || wait_for("serve to end", ended).is_err() {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Waits until `look` finds something.
///
/// # Errors
/// It found nothing in time, or fails.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let until = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() > until {
            bail!("waited too long for {what}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

//! `run` and `__run`: starting a run under its watchdog, and being one.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use chrono::Utc;
use loopwright_core::definition::Definition;
use loopwright_core::exit;
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::{OccurrenceId, RunId};
use loopwright_core::run::{Mode, Retries, RunStart};
use uuid::Uuid;

use super::{ApiError, Context, only_one, reconcile, repair, runs};
use crate::agent::Agent;
use crate::halt::HaltFiles;
use crate::home::private_dir;
use crate::launch::{LaunchSpec, Launched, launch, watchdog_beside_us};
use crate::lease::{Supervision, require_watchdog};
use crate::resolve::{self, Resolved, line};
use crate::runner;
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::sandbox::probe::{self, LayerState};
use crate::steps::{Work, stamp};
use crate::store::loops::{self, LoopRow};
use crate::store::occurrences::{self, Occurrence};
use crate::store::{Store, findings, runs as stored_runs};

/// How much longer than its own limit a run may take until its watchdog ends it.
const GRACE_S: u64 = 60;

/// How long the first sign of life of a run may take, in seconds.
const BOOT_GRACE_S: u64 = 60;

/// Why a run did not begin, in its directory.
pub(super) const ERROR: &str = "error";

/// What is to be run.
#[derive(Clone, Debug)]
pub struct StartRequest {
    /// The loop's name.
    pub name: String,
    /// From now on it may make pull requests.
    pub ship: bool,
    /// Only this finding (its short id).
    pub finding: Option<String>,
}

/// Starts a run under its watchdog and returns as soon as its process has reported its start.
///
/// # Errors
/// It is halted, the loop is invalid or changed, it runs already, or the sandbox is missing; nothing was started then.
pub fn start(context: &Context, request: StartRequest) -> Result<RunId, ApiError> {
    let mut store = context.landing()?;
    let row = find_loop(&store, &request.name)?;
    refuse_halted(context, &row)?;
    if let Some(live) = stored_runs::live(store.read())?.iter().find(|r| r.loop_id == row.id) {
        let message = format!("{} is running already (run {})", row.name, live.id.short());
        return Err(
            ApiError::new(exit::FAILED, message).hint("`loopwright status` shows it; `loopwright halt` ends it")
        );
    }
    let resolved = resolve::resolve(&context.home, &row)?;
    resolve::refuse_unusable(&resolved)?;
    resolve::refuse_exposing(&context.home, &row, &resolved, context.host.home.as_deref())?;
    refuse_unboxed(context)?;
    if request.ship && row.mode == Mode::Report {
        store.write(|tx| loops::set_mode(tx, row.id, Mode::Ship))?;
    }
    let only = request.finding.map(|short| find_finding(context, &store, &row, &short)).transpose()?;
    Ok(begin(context, &mut store, &row, &resolved.definition, only)?)
}

fn find_loop(store: &Store, name: &str) -> Result<LoopRow, ApiError> {
    loops::by_name(store.read(), name)?.ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("no loop named {name}"))
            .hint("`loopwright status` lists your loops; `loopwright add` registers one")
    })
}

pub(super) fn refuse_halted(context: &Context, row: &LoopRow) -> Result<(), ApiError> {
    let mut files = HaltFiles::of_all(&context.home.state);
    files.halts.push((crate::halt::HaltLevel::Loop, crate::halt::halt_loop(&context.home.state, row.id)));
    match files.look() {
        None => Ok(()),
        Some(cause) => {
            let level = if matches!(cause, crate::halt::HaltCause::Asked(crate::halt::HaltLevel::Loop)) {
                format!(" --loop {}", row.name)
            } else {
                String::new()
            };
            Err(ApiError::new(exit::HALTED, format!("halted: {cause}; nothing starts"))
                .hint(format!("loopwright resume{level} --reason \"…\"")))
        }
    }
}

fn refuse_unboxed(context: &Context) -> Result<(), ApiError> {
    let layers = probe::probe_in(&Bubblewrap::find(&context.host)?);
    if probe::stands(&layers) {
        return Ok(());
    }
    let missing = layers.iter().filter_map(|l| match &l.state {
        LayerState::Missing(repair) => Some((l.name, repair.clone())),
        _ => None,
    });
    let (names, repairs): (Vec<&str>, Vec<String>) = missing.unzip();
    let message = format!("the sandbox lacks: {}; a run without it is refused", names.join(", "));
    Err(ApiError::new(exit::FAILED, message).hint(repairs.join("\n")))
}

fn find_finding(context: &Context, store: &Store, row: &LoopRow, short: &str) -> Result<Fingerprint, ApiError> {
    let known = findings::of_loop(store.read(), row.id)?;
    let triage = context.home.loop_state(row.id).join("triage.md");
    let named: Vec<&Fingerprint> =
        known.iter().map(|k| &k.finding.fingerprint).filter(|f| short.len() >= 4 && f.0.starts_with(short)).collect();
    only_one(&named, "finding", short, &format!("cat {}", triage.display())).cloned()
}

fn begin(
    context: &Context,
    store: &mut Store,
    row: &LoopRow,
    definition: &Definition,
    only: Option<Fingerprint>,
) -> Result<RunId> {
    let (run, occurrence) = (RunId(Uuid::now_v7()), OccurrenceId(Uuid::now_v7()));
    let dir = context.home.run(run);
    private_dir(&dir)?;
    let claimed = Occurrence {
        id: occurrence,
        loop_id: row.id,
        trigger: "manual".to_owned(),
        key: occurrence.to_string(),
        due_at: stamp(context.now),
        claimed_at: stamp(Utc::now()),
        zone: definition.zone.unwrap_or(context.zone).to_string(),
        run,
    };
    if !store.write(|tx| occurrences::claim(tx, &claimed))? {
        std::fs::remove_dir(&dir).with_context(|| format!("removing {}", dir.display()))?;
        bail!("{} is running or being started already", row.name);
    }
    // Beside the database, for when that is lost.
    let about = repair::About {
        loop_id: row.id,
        day: context.now.with_timezone(&definition.zone.unwrap_or(context.zone)).date_naive().to_string(),
    };
    std::fs::write(dir.join(repair::ABOUT), serde_json::to_vec(&about)?).context("writing what the run is about")?;
    let mut arguments = vec!["__run".to_owned(), run.to_string()];
    arguments.extend(only.into_iter().flat_map(|f| ["--finding".to_owned(), f.0]));
    let begun = under_watchdog(context, row, definition, &dir, arguments)
        .and_then(|launched| wait_until_begun(context, store, run, launched));
    if let Err(error) = begun {
        let why = format!("{error:#}");
        store.write(|tx| occurrences::give_up(tx, occurrence, &why))?;
        return Err(error);
    }
    Ok(run)
}

fn under_watchdog(
    context: &Context,
    row: &LoopRow,
    definition: &Definition,
    dir: &Path,
    arguments: Vec<String>,
) -> Result<Launched> {
    let program = std::env::current_exe().context("finding this program")?;
    launch(&LaunchSpec {
        watchdog: watchdog_beside_us()?,
        run_dir: dir.to_owned(),
        halt: HaltFiles::of_run(&context.home.state, row.id, dir),
        max_seconds: definition.rails.max_duration_s + GRACE_S,
        boot_grace: BOOT_GRACE_S,
        runner: std::iter::once(program.into_os_string()).chain(arguments.into_iter().map(OsString::from)).collect(),
    })
}

/// Waits for the first event of a run; what its process said is the error if it ends before.
fn wait_until_begun(context: &Context, store: &Store, run: RunId, mut launched: Launched) -> Result<()> {
    let changes = super::changes(context);
    while stored_runs::by_id(store.read(), run)?.is_none() {
        let ended = launched.watchdog.try_wait().context("asking for the watchdog")?;
        if let (Some(status), None) = (ended, stored_runs::by_id(store.read(), run)?) {
            let why = std::fs::read_to_string(context.home.run(run).join(ERROR));
            bail!(
                "the run did not begin: {}",
                why.unwrap_or_else(|_| format!("its watchdog ended with {status}")).trim_end()
            );
        }
        changes.wait(Duration::from_millis(50));
    }
    Ok(())
}

/// Is the run: under its watchdog, to its end. Returns the exit code.
pub fn run_inner(context: &Context, run: RunId, finding: Option<String>) -> u8 {
    match run_to_its_end(context, run, finding.map(Fingerprint)) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!(run.id = %run, "the run failed: {error:#}");
            // Beside the journal, for whoever asks why there is none.
            let _ = std::fs::write(context.home.run(run).join(ERROR), format!("{error:#}\n"));
            exit::FAILED
        }
    }
}

fn run_to_its_end(context: &Context, run: RunId, only: Option<Fingerprint>) -> Result<u8> {
    require_watchdog()?;
    let store = Store::open(&context.home)?;
    let claimed = occurrences::of_run(store.read(), run)?.context("the run was never claimed")?;
    let row = loops::by_id(store.read(), claimed.loop_id)?;
    let dir = context.home.run(run);
    let supervision = Arc::new(Supervision::take(&dir, HaltFiles::of_run(&context.home.state, row.id, &dir))?);
    let resolved = resolve::resolve(&context.home, &row)?;
    resolve::refuse_exposing(&context.home, &row, &resolved, context.host.home.as_deref())?;
    let (maker, checker) = resolve::agents(&resolved, &row, &dir)?;
    let start = RunStart { only, ..run_start(run, &claimed, &row, &resolved, maker.as_ref(), checker.as_deref()) };
    let time = Duration::from_secs(resolved.definition.rails.max_duration_s);
    let sandbox = sandbox(context, &resolved)?.supervised(Arc::clone(&supervision)).until(Instant::now() + time);
    let work = Work {
        run,
        home: context.home.clone(),
        row,
        resolved,
        maker,
        checker,
        sandbox,
        supervision,
        store,
        prepared: Vec::new(),
        base_reports: Vec::new(),
        now: Utc::now,
    };
    runner::run(work, start)?;
    reconcile::clear_workspaces(context, run);
    Ok(runs::row_of(&Store::open(&context.home)?, run)?.code.unwrap_or(exit::INTERNAL))
}

/// The sandbox with the toolchains that the project wants.
fn sandbox(context: &Context, resolved: &Resolved) -> Result<Bubblewrap> {
    let found = Bubblewrap::find(&context.host)?;
    for file in ["rust-toolchain.toml", "rust-toolchain"] {
        if resolved.repos.exists(resolved.base.commit, file)? {
            return Ok(found.with_the_projects_rust());
        }
    }
    Ok(found)
}

fn run_start(
    run: RunId,
    claimed: &Occurrence,
    row: &LoopRow,
    resolved: &Resolved,
    maker: &dyn Agent,
    checker: Option<&dyn Agent>,
) -> RunStart {
    let d = &resolved.definition;
    let work = d.work.as_ref();
    RunStart {
        run,
        loop_id: row.id,
        loop_name: row.name.clone(),
        occurrence: claimed.id,
        cause: claimed.trigger.clone(),
        // A loop without act, verify and ship has nothing to ship with.
        mode: if work.is_some() { row.mode } else { Mode::Report },
        epoch: 1,
        definition: resolved.hash.clone(),
        rails: d.rails.clone(),
        review: d.review,
        maker: line(&maker.facts()),
        checker: checker.map(|c| line(&c.facts())),
        retries: Retries {
            discover: d.discover.retry,
            act: work.map_or_else(Default::default, |w| w.act.retry),
            verify: work.map_or_else(Default::default, |w| w.verify.retry),
            ship: work.map_or_else(Default::default, |w| w.ship.retry),
        },
        only: None,
        parallel: 1,
        revises: None,
    }
}

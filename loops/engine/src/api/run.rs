//! `run`: starting a run under its watchdog. Being one is in [`super::run_inner`].

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use loopwright_core::definition::Definition;
use loopwright_core::exit;
use loopwright_core::finding::Fingerprint;
use loopwright_core::ids::{LoopId, OccurrenceId, RunId};
use loopwright_core::run::Mode;
use uuid::Uuid;

use super::run_inner::ERROR;
use super::schedule::Starting;
use super::{ApiError, Context, only_one, repair};
use crate::halt::HaltFiles;
use crate::home::private_dir;
use crate::launch::{Finally, LaunchSpec, Launched, launch, runner_program, watchdog_beside_us};
use crate::resolve;
use crate::sandbox::bubblewrap::Bubblewrap;
use crate::sandbox::probe::{self, LayerState};
use crate::steps::stamp;
use crate::store::loops::{self, LoopRow};
use crate::store::occurrences::{self, Occurrence};
use crate::store::{Store, findings, runs as stored_runs, schedules};
use crate::{fail, lease};

/// How much longer than its own limit a run may take until its watchdog ends it.
const GRACE_S: u64 = 60;

/// How long the first sign of life of a run may take, in seconds.
const BOOT_GRACE_S: u64 = 60;

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
        let how = live.parked.as_ref().map_or_else(|| "running".to_owned(), |why| format!("parked {why}"));
        let message = format!("{} is {how} already (run {})", row.name, live.id.short());
        let hint = format!("`loopwright status` shows it; `loopwright halt --run {}` ends it", live.id.short());
        return Err(ApiError::new(exit::FAILED, message).hint(hint));
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

pub(super) fn find_loop(store: &Store, name: &str) -> Result<LoopRow, ApiError> {
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

pub(super) fn refuse_unboxed(context: &Context) -> Result<(), ApiError> {
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
    let claim = new_run_dir(&dir)?;
    let claimed = Occurrence {
        id: occurrence,
        loop_id: row.id,
        trigger: "manual".to_owned(),
        key: occurrence.to_string(),
        due_at: stamp(context.now),
        claimed_at: stamp(crate::clock::now()),
        zone: definition.timing.zone.unwrap_or(context.zone).to_string(),
        run,
    };
    if !store.write(|tx| occurrences::claim(tx, &claimed))? {
        std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
        bail!("{} is running or being started already", row.name);
    }
    fail::point("occurrence-claimed");
    begin_claimed(context, store, definition, (row.id, run, occurrence), (only, claim))?;
    Ok(run)
}

/// Starts the processes of a run for an occurrence that waited, and does not wait for its first event: a pass finds those that
/// never began. `false` if the occurrence does not wait any more, or its loop lives.
///
/// # Errors
/// It can't be started; its occurrence has its end then.
pub(super) fn begin_scheduled(context: &Context, store: &mut Store, starting: Starting) -> Result<bool> {
    let Starting { loop_id, occurrence, run } = starting;
    let dir = context.home.run(run);
    let claim = new_run_dir(&dir)?;
    if !store.write(|tx| schedules::begin(tx, occurrence, run, crate::clock::now()))? {
        std::fs::remove_dir_all(&dir).with_context(|| format!("removing {}", dir.display()))?;
        return Ok(false);
    }
    fail::point("occurrence-claimed");
    let begin = || {
        let (left_s, finally_s) = schedules::limits(store.read(), loop_id)?;
        let left_s = left_s.context("nobody has read how long a run may take")?;
        let finally_s = (finally_s > 0).then_some(finally_s);
        about(context, store, loop_id, &dir)?;
        under_watchdog(context, Begin { run, loop_id, left_s, only: None, finally_s, claim: claim.try_clone()? })
    };
    if let Err(error) = begin() {
        let why = format!("{error:#}");
        store.write(|tx| occurrences::give_up(tx, occurrence, run, &why))?;
        return Err(error);
    }
    Ok(true)
}

/// Writes beside the database what a run is about, for when that is lost.
fn about(context: &Context, store: &Store, loop_id: LoopId, dir: &Path) -> Result<()> {
    let zone = schedules::timing(store.read(), loop_id)?.and_then(|(timing, _)| timing.zone).unwrap_or(context.zone);
    let about = repair::About { loop_id, day: context.now.with_timezone(&zone).date_naive() };
    std::fs::write(dir.join(repair::ABOUT), serde_json::to_vec(&about)?).context("writing what the run is about")
}

/// Makes the directory of a new run, and claims it before anybody can see its occurrence: one that is claimed by nobody has
/// lost whoever was to begin it.
pub(super) fn new_run_dir(dir: &Path) -> Result<File> {
    private_dir(dir)?;
    lease::claim(dir)?.context("a new run was claimed by somebody else")
}

/// Starts the processes of a run that its occurrence is claimed for, and waits until it has begun.
pub(super) fn begin_claimed(
    context: &Context,
    store: &mut Store,
    definition: &Definition,
    (loop_id, run, occurrence): (LoopId, RunId, OccurrenceId),
    (only, claim): (Option<Fingerprint>, File),
) -> Result<()> {
    let dir = context.home.run(run);
    let left_s = definition.rails.max_duration_s;
    let begin = || {
        // Beside the database, for when that is lost.
        let day = context.now.with_timezone(&definition.timing.zone.unwrap_or(context.zone)).date_naive();
        let about = serde_json::to_vec(&repair::About { loop_id, day })?;
        std::fs::write(dir.join(repair::ABOUT), about).context("writing what the run is about")?;
        let finally_s = finally_s(&definition.finally);
        under_watchdog(context, Begin { run, loop_id, left_s, only, finally_s, claim })
    };
    if let Err(error) = begin().and_then(|launched| wait_until_begun(context, store, run, launched)) {
        let why = format!("{error:#}");
        store.write(|tx| occurrences::give_up(tx, occurrence, run, &why))?;
        return Err(error);
    }
    Ok(())
}

/// A run whose processes are to begin.
pub(super) struct Begin {
    /// Which.
    pub(super) run: RunId,
    /// Its loop.
    pub(super) loop_id: LoopId,
    /// How much of its time is left, in seconds.
    pub(super) left_s: u64,
    /// Only this finding.
    pub(super) only: Option<Fingerprint>,
    /// How long what follows on its end may take, in seconds; none = nothing follows.
    pub(super) finally_s: Option<u64>,
    /// The right to begin it.
    pub(super) claim: File,
}

/// How long the `finally:` steps of a run may take, in seconds; none = it has none.
pub(super) fn finally_s(finally: &loopwright_core::definition::Finally) -> Option<u64> {
    (!finally.steps.is_empty()).then_some(finally.max_s)
}

/// Starts the watchdog of a run, which starts the runner; both keep the claim.
pub(super) fn under_watchdog(context: &Context, begin: Begin) -> Result<Launched> {
    let mut runner = own(&["__run"], begin.run)?;
    runner.extend(begin.only.iter().flat_map(|f| [OsString::from("--finding"), f.0.clone().into()]));
    watch(context, begin, runner)
}

/// Starts a watchdog for nothing but the `finally:` steps of a run, whose processes are gone; it keeps the claim.
pub(super) fn finally_under_watchdog(context: &Context, begin: Begin) -> Result<Launched> {
    watch(context, begin, Vec::new())
}

/// The program that is a run, with some words and a run's id.
fn own(words: &[&str], run: RunId) -> Result<Vec<OsString>> {
    let program = runner_program()?.into_os_string();
    let words = words.iter().map(OsString::from);
    Ok([program].into_iter().chain(words).chain([run.to_string().into()]).collect())
}

fn watch(context: &Context, begin: Begin, runner: Vec<OsString>) -> Result<Launched> {
    let dir = context.home.run(begin.run);
    let command = own(&["__finally"], begin.run)?;
    launch(&LaunchSpec {
        watchdog: watchdog_beside_us()?,
        halt: HaltFiles::of_run(&context.home.state, begin.loop_id, &dir),
        run_dir: dir,
        max_seconds: begin.left_s + GRACE_S,
        boot_grace: BOOT_GRACE_S,
        runner,
        finally: begin.finally_s.map(|seconds| Finally { seconds, command }),
        claim: Some(begin.claim),
    })
}

/// Waits for the first event of a run; what its process said is the error if it ends before.
fn wait_until_begun(context: &Context, store: &Store, run: RunId, mut launched: Launched) -> Result<()> {
    let changes = super::changes(context);
    while stored_runs::by_id(store.read(), run)?.is_none() {
        let ended = launched.watchdog.try_wait().context("asking for the watchdog")?;
        if let (Some(status), None) = (ended, stored_runs::by_id(store.read(), run)?) {
            let why = std::fs::read_to_string(context.home.run(run).join(ERROR));
            // On a full disk nobody could write down why.
            if let (Err(_), Some(folder)) = (&why, context.home.full()) {
                let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
                return Err(full).with_context(|| format!("the run did not begin ({})", folder.display()));
            }
            bail!(
                "the run did not begin: {}",
                why.unwrap_or_else(|_| format!("its watchdog ended with {status}")).trim_end()
            );
        }
        changes.wait(Duration::from_millis(50));
    }
    Ok(())
}

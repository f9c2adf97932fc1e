//! `doctor --repair`: a damaged database is put aside for its newest sound copy, which is then compared with what is outside of it.
//!
//! Nothing is deleted, no pull request is opened, and no money becomes free again.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono::{DateTime, NaiveDate, Utc};
use loopwright_core::exit;
use loopwright_core::finding::{Finding, FindingSource, FindingState, Fingerprint};
use loopwright_core::ids::{LoopId, PullRequestId, RepoId, RunId};
use loopwright_core::known::Known;
use loopwright_core::lease::{self, Beat};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::{ApiError, Context, doubted};
use crate::git::{OpenChange, Repos};
use crate::steps::stamp;
use crate::store::adopt::{LostRun, adopt};
use crate::store::loops::{self, LoopRow};
use crate::store::repair::{self, Repaired};
use crate::store::{Damaged, Newer, Store, findings, pull_requests, runs, says_damaged};

/// How long the watchdog of a run that has just ended may take to be gone.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a run is about, in its directory, for when the database has forgotten it.
pub(super) const ABOUT: &str = "about";

/// The content of [`ABOUT`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct About {
    /// Its loop.
    pub(super) loop_id: LoopId,
    /// The day that its money is booked on.
    pub(super) day: NaiveDate,
}

/// What a repair did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RepairView {
    /// Whether the database was damaged.
    pub damaged: bool,
    /// What was done and found, a line each.
    pub lines: Vec<String>,
    /// What only a person can do now, a line each.
    pub left: Vec<String>,
}

/// What is known of a database whose header says that a newer program wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// It is believed.
    Believed,
    /// The person says that no newer program was ever used.
    Damaged,
}

/// Repairs the database, if it is damaged, and compares it with the repositories and the run directories.
///
/// # Errors
/// A run lives, a newer program wrote it, or no sound copy is left; nothing was moved then.
pub fn repair(context: &Context, header: Header) -> Result<RepairView, ApiError> {
    refuse_living(context)?;
    let mut view = RepairView::default();
    let mut doubt = false;
    let mut store = match sound(context) {
        Ok(store) => store,
        Err(error) if is_damaged(&error, header) => {
            let name = context.now.format("%Y-%m-%dT%H%M%SZ").to_string();
            let repaired = repair::repair(&context.home, &name).map_err(no_way_back)?;
            view.damaged = true;
            doubt = repaired.lost != Some(0);
            tell(&mut view, &repaired);
            sound(context)?
        }
        Err(error) => return Err(error.into()),
    };
    pull_requests_without_rows(context, &mut store, &mut view)?;
    runs_without_rows(context, &mut store, &mut view)?;
    doubted::end_runs(context, &mut store, &mut view, doubt)?;
    if doubt {
        doubted::give_back(context, &mut store, &mut view)?;
    }
    if view.damaged {
        store.back_up_now(&context.home)?;
    }
    Ok(view)
}

fn sound(context: &Context) -> Result<Store> {
    let store = Store::open(&context.home)?;
    store.verify()?;
    Ok(store)
}

fn is_damaged(error: &anyhow::Error, header: Header) -> bool {
    let doubted = error.downcast_ref::<Newer>().is_some_and(|newer| !newer.sure && header == Header::Damaged);
    doubted || error.is::<Damaged>() || says_damaged(error)
}

fn no_way_back(error: anyhow::Error) -> ApiError {
    ApiError::new(exit::FAILED, format!("the database can't be repaired: {error:#}"))
        .hint("nothing was moved; put an older copy of the data folder in its place, or use another LOOPWRIGHT_HOME")
}

fn refuse_living(context: &Context) -> Result<(), ApiError> {
    let ids = run_directories(&context.home.runs())?;
    let living = || ids.iter().find(|id| crate::ending::lives(&context.home.run(**id)));
    let until = Instant::now() + GOODBYE;
    while living().is_some() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    match living() {
        None => Ok(()),
        Some(id) => Err(ApiError::new(exit::FAILED, format!("run {} lives; nothing was repaired", id.short())).hint(
            "loopwright halt --reason \"repair\" ends it; then repair, and loopwright resume --reason \"repaired\"",
        )),
    }
}

fn run_directories(root: &Path) -> Result<Vec<RunId>> {
    let entries = fs::read_dir(root).with_context(|| format!("reading {}", root.display()))?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
}

fn tell(view: &mut RepairView, repaired: &Repaired) {
    view.lines.push(format!("the damaged files are in {}", repaired.aside.display()));
    view.lines.push(format!("in their place: {} and {} commits since", repaired.from.display(), repaired.replayed));
    match repaired.lost {
        Some(0) => view.lines.push("nothing is lost".to_owned()),
        None => view.left.push("commits may be lost: look at what was decided and run lately".to_owned()),
        Some(n) => view.left.push(format!("the last {n} commits are lost: look at what was decided and run lately")),
    }
}

/// A pull request that the database does not know is never opened a second time: its finding waits for a person.
fn pull_requests_without_rows(context: &Context, store: &mut Store, view: &mut RepairView) -> Result<()> {
    let registered = loops::all(store.read())?;
    let root = context.home.data.join("repos");
    let entries = fs::read_dir(&root).with_context(|| format!("reading {}", root.display()))?;
    for id in entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<RepoId>().ok()) {
        let repos = Repos::open(&context.home.data, id)?;
        for change in repos.open_changes()? {
            if pull_requests::by_id(store.read(), PullRequestId(change.id))?.is_none() {
                let its = registered.iter().filter(|l| l.repo == id && change.loop_id.is_none_or(|c| c == l.id.0));
                hold_back(context, store, view, &change, its.collect())?;
            }
        }
    }
    Ok(())
}

fn hold_back(
    context: &Context,
    store: &mut Store,
    view: &mut RepairView,
    change: &OpenChange,
    its: Vec<&LoopRow>,
) -> Result<()> {
    let id = PullRequestId(change.id).short();
    let see = format!("git --git-dir '{}' show {}", change.repository.display(), change.name);
    let Some(finding) = change.finding.clone().map(Fingerprint).filter(|_| !its.is_empty()) else {
        view.left.push(format!("the pull request {id} belongs to no loop that is known; it is kept: {see}"));
        return Ok(());
    };
    for row in its {
        let known = findings::one(store.read(), row.id, &finding)?.unwrap_or_else(|| unseen(&finding, &change.title));
        store.write(|tx| put_off(tx, row.id, known, &stamp(context.now)))?;
        view.left.push(format!(
            "the pull request {id} of {} lost its evidence, so it can't be approved; its finding waits. \
             See it: {see}; make it anew: loopwright run {} --finding {}",
            row.name,
            row.name,
            finding.short()
        ));
    }
    Ok(())
}

/// Puts a finding off without an end: only its name opens it again. One that is decided or waits already stays as it is.
pub(super) fn put_off(tx: &Transaction<'_>, loop_id: LoopId, known: Known, at: &str) -> Result<()> {
    if !matches!(known.state, FindingState::Open | FindingState::Acting | FindingState::Gone) {
        return Ok(());
    }
    let state = FindingState::Snoozed { until: "9999-12-31T00:00:00Z".to_owned() };
    findings::put(tx, loop_id, &Known { state, ..known }, at)
}

/// A finding of which only a commit is left; the next look at the base tells the rest.
fn unseen(fingerprint: &Fingerprint, title: &str) -> Known {
    Known::new(Finding {
        fingerprint: fingerprint.clone(),
        source: FindingSource::Check,
        key: fingerprint.0.clone(),
        title: loopwright_core::review::harmless::line(title, 72),
        detail: String::new(),
        should: String::new(),
        gate: None,
        failing: Default::default(),
        places: Vec::new(),
        suspects: Vec::new(),
        fault: false,
    })
}

/// What is written down in the directory of a run about it.
pub(super) fn about(run_dir: &Path) -> Option<About> {
    fs::read(run_dir.join(ABOUT)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok())
}

/// What a run spent that the database does not know is booked from its last sign of life.
fn runs_without_rows(context: &Context, store: &mut Store, view: &mut RepairView) -> Result<()> {
    for id in run_directories(&context.home.runs())? {
        if runs::by_id(store.read(), id)?.is_some() {
            continue;
        }
        let dir = context.home.run(id);
        let Some(beat) = fs::read(dir.join(lease::BEAT)).ok().and_then(|bytes| Beat::parse(&bytes)) else { continue };
        let about = about(&dir);
        let row = about.as_ref().and_then(|a| loops::by_id(store.read(), a.loop_id).ok());
        let (Some(about), Some(row)) = (about, row) else {
            view.left.push(format!(
                "run {} belongs to no loop that is known; its directory: {}",
                id.short(),
                dir.display()
            ));
            continue;
        };
        let spent = beat.spent.checked_add(beat.reserved).unwrap_or(beat.spent);
        let at =
            fs::metadata(dir.join(lease::BEAT)).and_then(|m| m.modified()).map_or(context.now, DateTime::<Utc>::from);
        let lost = LostRun { run: id, loop_id: about.loop_id, day: about.day, spent, at: stamp(at) };
        store.write(|tx| adopt(tx, &lost))?;
        view.lines.push(format!("run {} of {} is booked as failed, {spent} spent", id.short(), row.name));
    }
    Ok(())
}

//! The first run: what is here, a loop for a repository, what it would do, one dry run, and then its schedule.
//!
//! Each step is a verb that the terminal has as well; this only puts them into the order of the Welcome window.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use loopwright_core::independence::of_vendors;
use loopwright_core::run::{Outcome, RunEvent};
use serde::Serialize;

use super::doctor::doctor;
use super::init::agents;
use super::{
    AgentView, ApiError, Confirm, Context, DoctorRow, FoundCheck, InitRequest, LoopView, RunRow, StartRequest, disable,
    init, run, runs,
};
use crate::store::loops;

/// Rows of `doctor` that a first run asks about.
const PARTS: [&str; 5] = ["git", "scheduler", "watchdog", "sandbox: user namespace", "settings"];
/// How many folders deep repositories are looked for, and how many are told.
const DEPTH: usize = 2;
const MOST: usize = 30;

/// What is on this computer.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct WelcomeView {
    /// What a loop needs.
    pub here: Vec<DoctorRow>,
    /// Coding agents, present or not.
    pub agents: Vec<AgentView>,
    /// Whether maker and checker can be independent, in one sentence.
    pub independence: String,
    /// How many loops there are already.
    pub loops: u32,
    /// The person's home folder, where repositories may lie.
    pub home: Option<String>,
}

/// A loop as it would be made.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct FirstDraft {
    /// The repository.
    pub repo: String,
    /// Its branch that is checked out.
    pub branch: Option<String>,
    /// Kinds of project, each with the file that tells.
    pub kinds: Vec<String>,
    /// The checks that it has.
    pub checks: Vec<FoundCheck>,
    /// Gates that nothing was found for.
    pub missing: Vec<String>,
    /// The template.
    pub template: String,
    /// Why that one.
    pub why: String,
    /// What the loop would do, a line each.
    pub plan: Vec<String>,
    /// The file, and its text.
    pub path: String,
    /// Its text.
    pub text: String,
    /// SHA-256 of the text: what is confirmed.
    pub hash: String,
    /// The loop, once it is registered.
    pub registered: Option<LoopView>,
}

/// How far a dry run is.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DryRun {
    /// The run.
    pub row: RunRow,
    /// Findings that it would act on; none until it has looked.
    pub findings: Option<u32>,
    /// Their titles.
    pub titles: Vec<String>,
    /// One line per check.
    pub checks: Vec<String>,
}

/// Whether the person has not been welcomed yet, and has no loop.
///
/// # Errors
/// The store can't be read.
pub fn welcome_needed(context: &Context) -> Result<bool, ApiError> {
    Ok(!welcomed(context).exists() && loops::all(context.store()?.read())?.is_empty())
}

/// Remembers that the person was welcomed: Welcome opens by itself once.
///
/// # Errors
/// That can't be written.
pub fn welcome_done(context: &Context) -> Result<(), ApiError> {
    let file = welcomed(context);
    Ok(fs::write(&file, b"").with_context(|| format!("writing {}", file.display()))?)
}

fn welcomed(context: &Context) -> PathBuf {
    context.home.state.join("welcomed")
}

/// Looks at what is on this computer; no repository is read.
///
/// # Errors
/// The store can't be read.
pub fn welcome(context: &Context) -> Result<WelcomeView, ApiError> {
    let agents = agents(context);
    let present: Vec<&str> = agents.iter().filter(|one| one.path.is_some()).map(|one| one.vendor.as_str()).collect();
    let loops = loops::all(context.store()?.read())?.len();
    Ok(WelcomeView {
        here: doctor(context).into_iter().filter(|row| PARTS.contains(&row.part.as_str())).collect(),
        independence: of_vendors(&present).1.to_owned(),
        agents,
        loops: u32::try_from(loops).unwrap_or(u32::MAX),
        home: context.host.home.as_ref().map(|home| home.display().to_string()),
    })
}

/// Git repositories in a folder that the person chose, by name; nothing in them is read.
///
/// # Errors
/// The folder can't be read.
pub fn repositories(context: &Context, folder: &Path) -> Result<Vec<String>, ApiError> {
    let folder = context.cwd.join(folder);
    fs::read_dir(&folder).with_context(|| format!("reading the folder {}", folder.display()))?;
    let mut found = Vec::new();
    look(&folder, DEPTH, &mut found);
    found.sort();
    found.truncate(MOST);
    Ok(found)
}

fn look(folder: &Path, depth: usize, found: &mut Vec<String>) {
    if folder.join(".git").exists() {
        found.extend(folder.to_str().map(str::to_owned));
        return;
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    // A link may lead anywhere, and round in a circle.
    let below =
        entries.filter(|entry| !hidden(&entry.file_name()) && entry.file_type().is_ok_and(|kind| kind.is_dir()));
    if depth > 0 {
        below.for_each(|entry| look(&entry.path(), depth - 1, found));
    }
}

/// Drafts a loop for a repository; with the hash of that draft, it is registered, only looking and paused.
///
/// # Errors
/// The repository can't be worked with, or the draft is another one by now.
pub fn first_loop(
    context: &Context,
    repo: &Path,
    template: Option<String>,
    hash: Option<String>,
) -> Result<FirstDraft, ApiError> {
    let confirm = hash.map_or(Confirm::None, Confirm::Hash);
    let request = InitRequest { repo: Some(repo.to_owned()), template, name: None, share: false, confirm };
    let view = init(context, &request)?;
    if let Some(made) = view.add.registered.as_ref().filter(|_| !view.existing) {
        disable(context, &made.name)?;
    }
    let survey = view.survey.context("a draft for no repository")?;
    Ok(FirstDraft {
        repo: survey.repo,
        branch: survey.branch,
        kinds: survey.kinds,
        checks: survey.checks,
        missing: view.missing,
        template: view.template,
        why: view.why,
        plan: view.plan,
        path: view.add.check.path,
        text: view.text,
        hash: view.add.hash,
        registered: view.add.registered,
    })
}

/// Starts a run that only looks.
///
/// # Errors
/// It is halted, it runs already, or the sandbox is missing; nothing was started then.
pub fn dry_run(context: &Context, name: &str) -> Result<RunRow, ApiError> {
    let run = run::start(context, StartRequest { name: name.to_owned(), ship: false, finding: None })?;
    runs::run_row(context, run)
}

/// How far a dry run is, and what it found.
///
/// # Errors
/// There is no such run, or its journal can't be read.
pub fn dry_run_so_far(context: &Context, run: &str) -> Result<DryRun, ApiError> {
    let view = runs::show(context, run)?;
    let discovered = view.journal.iter().find_map(|entry| match &entry.event {
        RunEvent::StepFinished { outcome: Outcome::Discovered(found), .. } => Some(found),
        _ => None,
    });
    Ok(DryRun {
        row: view.row,
        findings: discovered.map(|found| u32::try_from(found.queue.len()).unwrap_or(u32::MAX)),
        titles: discovered.map(|found| found.queue.iter().map(|one| one.title.clone()).collect()).unwrap_or_default(),
        checks: discovered.map(|found| found.checks.clone()).unwrap_or_default(),
    })
}

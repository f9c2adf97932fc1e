//! `check`: a loop file read, with every fault, and what it comes to on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use loopwright_core::circle;
use loopwright_core::definition::explain::{self, Surroundings};
use loopwright_core::definition::{Definition, Reading, ShipAction, read_bytes_on, schema as core_schema};
use loopwright_core::diagnostic::{Diagnostic, Span};
use loopwright_core::exit;
use loopwright_core::timing::Trigger;

use super::{ApiError, CheckView, Context, templates};
use crate::checks::DetectedCheck;
use crate::git::{UserRepoError, left_out, user_repository};
use crate::loop_folder::{self, Private};
use crate::resolve::{self, LOOP_FILE};
use crate::sandbox::Access;
use crate::sandbox::grants::{Keeper, granted};
use crate::sandbox::toolchain::Toolchains;
use crate::sandbox::view::{self as sandbox_view, MountRow};
use crate::store::{loops, schedules};

/// Where loops of a repository lie in it.
const SHARED: &str = ".loopwright";

/// No loop file is larger.
const LARGEST: u64 = 16 << 20;

/// Where a loop's text comes from.
pub(super) enum Target {
    /// A file.
    File(PathBuf),
    /// A shipped loop.
    Template(String, &'static str),
}

/// Reads a loop and says what it comes to; `target` is a file, a folder, a registered loop or a template.
///
/// # Errors
/// There is no such thing, or it can't be read. Faults in the text are part of the answer.
pub fn check(context: &Context, target: &str) -> Result<CheckView, ApiError> {
    let target = find(context, target)?;
    let (path, bytes) = load(&target)?;
    let reading = read_bytes_on(&bytes, context.now.date_naive());
    Ok(view(context, &path, bytes, reading, None))
}

/// The JSON Schema of loop.yaml.
pub fn schema() -> String {
    core_schema::TEXT.to_owned()
}

/// What a person means: a file or a folder with a loop.yaml first, then a registered loop, then a template.
pub(super) fn find(context: &Context, target: &str) -> Result<Target, ApiError> {
    let path = context.cwd.join(target);
    let inside = path.join("loop.yaml");
    if inside.exists() {
        return Ok(Target::File(inside));
    }
    // A folder that happens to be called like a loop says nothing.
    let folder = path.is_dir();
    if path.exists() && !folder {
        return Ok(Target::File(path));
    }
    if let Some(row) = loops::by_name(context.store()?.read(), target)? {
        return Ok(Target::File(row.path));
    }
    templates::text(target).map(|text| Target::Template(target.to_owned(), text)).ok_or_else(|| {
        let message = match folder {
            true => format!("the folder {target} has no loop.yaml, and no loop or template is called so"),
            false => format!("{target} is neither a file nor a loop nor a template"),
        };
        ApiError::new(exit::USAGE, message)
            .hint("`loopwright templates` lists the templates, `loopwright status` your loops")
    })
}

pub(super) fn load(target: &Target) -> Result<(String, Vec<u8>), ApiError> {
    match target {
        Target::Template(name, text) => Ok((format!("template {name}"), text.as_bytes().to_vec())),
        Target::File(path) => {
            let size = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?.len();
            if size > LARGEST {
                return Err(ApiError::new(
                    exit::INVALID_LOOP,
                    format!("{} is far too large for a loop", path.display()),
                ));
            }
            let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            Ok((path.display().to_string(), bytes))
        }
    }
}

/// The answer for a text; `repo` overrides where it works.
pub(super) fn view(context: &Context, path: &str, bytes: Vec<u8>, reading: Reading, repo: Option<&Path>) -> CheckView {
    let mut diagnostics = reading.diagnostics;
    let explanation = reading.definition.as_ref().map(|definition| {
        let found = match repo {
            Some(repo) => Ok(Some(repo.to_owned())),
            None => repository(context, path, definition),
        };
        let root = found.as_ref().ok().cloned().flatten();
        let mut surroundings = surroundings(context, definition, found);
        // A template's file is not made yet; it will have a folder of its own.
        let file = Path::new(path).canonicalize().ok();
        if let Some(folder) = file.as_deref().and_then(|f| loop_folder::shown(f, definition, root.as_deref())) {
            surroundings.mounts.push(mounted(MountRow {
                host: Some(folder.to_owned()),
                inside: loop_folder::INSIDE.to_owned(),
                access: Access::ReadOnly,
            }));
            diagnostics.extend(exposing(context, folder, root.as_deref()));
        }
        if let Some(message) = circle(context, definition) {
            let start = Span { line: 1, column: 1, ..Span::default() };
            let help = "`add` refuses it: take the `after` out of one of them";
            diagnostics.push(Diagnostic::note("circle", start, message).help(help));
        }
        diagnostics.extend(root.as_deref().filter(|_| definition.discover.is_some()).into_iter().flat_map(lacking));
        diagnostics.extend(ungranted(context, definition, root.as_deref()));
        explain::explain(definition, &reading.origins, &surroundings)
    });
    let text = String::from_utf8_lossy(&bytes).into_owned();
    CheckView { path: path.to_owned(), text, diagnostics, explanation }
}

fn exposing(context: &Context, folder: &Path, repo: Option<&Path>) -> Option<Diagnostic> {
    let private = Private { home: &context.home, person: context.host.home.as_deref(), repo };
    let start = Span { line: 1, column: 1, ..Span::default() };
    loop_folder::refusal(folder, private).map(|why| Diagnostic::error("loop-folder", start, why))
}

/// What the person's checkout has and a private copy has not: a check that needs it fails, and would be a finding.
fn lacking(repo: &Path) -> Vec<Diagnostic> {
    let start = Span { line: 1, column: 1, ..Span::default() };
    let note = |what| Diagnostic::note("left-out", start, what);
    let help = "a check that needs them fails there; name others under `checks:`";
    left_out(repo).into_iter().map(|what| note(what).help(help)).collect()
}

/// Grants that can't stand on this machine as it is now: the steps that have them would fail.
fn ungranted(context: &Context, definition: &Definition, repo: Option<&Path>) -> Vec<Diagnostic> {
    let keeper = Keeper { home: &context.home, person: context.host.home.as_deref(), repo };
    let refused = definition.run_steps().filter_map(|step| {
        let why = format!("{:#}", granted(&step.grants, &keeper).err()?);
        let start = Span { line: 1, column: 1, ..Span::default() };
        Some(Diagnostic::note("grant", start, format!("the step {} would fail: {why}", step.name)))
    });
    refused.collect()
}

/// The repository that a loop file works on: what it names, or the git root above it; none if there is none above it, or if it
/// has nothing but chores and is not shared there.
///
/// # Errors
/// There is one that can't be worked with, or none where the file names one.
pub(super) fn repository(
    context: &Context,
    path: &str,
    definition: &Definition,
) -> Result<Option<PathBuf>, UserRepoError> {
    let named = named_repository(context, path, definition);
    // A loop of chores has something to do with the repository around it only where it is shared there.
    let apart = |root: &Path| {
        let shared = folder(context, path).starts_with(root.join(SHARED));
        definition.discover.is_none() && named.is_none() && !shared
    };
    match user_repository(named.as_deref().unwrap_or_else(|| folder(context, path))) {
        Ok(user) if apart(&user.root) => Ok(None),
        Ok(user) => Ok(Some(user.root)),
        Err(_) if named.is_none() && definition.discover.is_none() => Ok(None),
        Err(UserRepoError::NotARepository(_)) if named.is_none() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The path that a loop file names as its repository, whatever stands there.
fn named_repository(context: &Context, path: &str, definition: &Definition) -> Option<PathBuf> {
    let repo = definition.repo.as_deref()?;
    Some(match (repo.strip_prefix("~/"), &context.host.home) {
        (Some(below), Some(home)) => home.join(below),
        _ => folder(context, path).join(repo),
    })
}

fn folder<'a>(context: &'a Context, path: &'a str) -> &'a Path {
    Path::new(path).parent().filter(|p| p.is_absolute()).unwrap_or(&context.cwd)
}

fn surroundings(
    context: &Context,
    definition: &Definition,
    found: Result<Option<PathBuf>, UserRepoError>,
) -> Surroundings {
    let (repo, fault) = match found {
        Ok(repo) => (repo, None),
        Err(error) => {
            let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
            (None, Some(format!("{error}{hint}")))
        }
    };
    let look = |path: &str| repo.as_ref().and_then(|root| text_of(&root.join(path)));
    let mounts = sandbox_view::rows(&Toolchains::detect(&context.host));
    Surroundings {
        repo: repo.as_ref().map(|root| root.display().to_string()),
        repo_fault: fault,
        zone: context.zone,
        now: context.now,
        checks: resolve::checks_of(definition, &look).iter().filter(|c| c.origin != LOOP_FILE).map(detected).collect(),
        mounts: mounts.into_iter().map(mounted).collect(),
        configured: BTreeSet::from([ShipAction::OpenPr, ShipAction::LinkIssue]),
        loops: registered(context, definition),
    }
}

/// The names of the loops that are here, where the loop comes after another one; a store that can't be read has none.
fn registered(context: &Context, definition: &Definition) -> BTreeSet<String> {
    if !definition.timing.triggers.iter().any(|trigger| matches!(trigger, Trigger::After { .. })) {
        return BTreeSet::new();
    }
    let rows = context.store().ok().and_then(|store| loops::all(store.read()).ok()).unwrap_or_default();
    rows.into_iter().map(|row| row.name).collect()
}

/// What to say of a loop whose `after` leads back to itself through those that are registered; none if it does not.
pub(super) fn circle(context: &Context, definition: &Definition) -> Option<String> {
    let own = circle::after(&definition.timing);
    if own.is_empty() {
        return None;
    }
    let store = context.store().ok()?;
    let rows = loops::all(store.read()).ok()?;
    let timing = |row: &loops::LoopRow| schedules::timing(store.read(), row.id).ok().flatten();
    let known = rows.iter().filter_map(|row| Some((row.name.clone(), circle::after(&timing(row)?.0))));
    let mut follows: BTreeMap<String, Vec<String>> = known.collect();
    follows.insert(definition.name.clone(), own);
    let names = circle::circle(&definition.name, &follows)?;
    Some(format!("these loops would start one another for ever: {}", names.join(", then ")))
}

/// The text of a file; empty for a folder, and for what is too large to be read.
pub(super) fn text_of(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    if !found.is_file() || found.len() > LARGEST {
        return Some(String::new());
    }
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn detected(check: &DetectedCheck) -> explain::DetectedCheck {
    explain::DetectedCheck {
        gate: check.name.clone(),
        commands: check.commands.iter().map(ToString::to_string).collect(),
        origin: check.origin.trim_start_matches("detected: ").to_owned(),
    }
}

fn mounted(row: MountRow) -> explain::Mount {
    explain::Mount {
        host: row.host.map_or_else(|| "(made for the box)".to_owned(), |h| h.display().to_string()),
        inside: row.inside,
        access: if row.access == Access::Writable { "writable" } else { "read-only" }.to_owned(),
    }
}

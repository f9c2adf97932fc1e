//! Saving and deleting a loop's file: only what a person saw is replaced, and never through a link.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result as AnyResult};
use loopwright_core::definition::{Definition, read_bytes, read_bytes_on};
use loopwright_core::diagnostic::Severity;
use loopwright_core::exit;
use sha2::{Digest as _, Sha256};

use super::add::{AddRequest, Confirm, add, personal};
use super::loop_detail::{is_shared, loop_detail};
use super::{ApiError, Context, LoopDeleted, LoopSaved, check, run};
use crate::ending;
use crate::home::private_dir;
use crate::steps::stamp;
use crate::store::loops::{self, LoopRow};
use crate::store::{pull_requests, runs};

/// Replaces the text of a loop's file, if that is still the one with the hash `base`. A personal loop is confirmed with it;
/// one that lies in its repository is only written to the working tree.
///
/// # Errors
/// There is no such loop, the text is no valid loop, or the file can't be replaced; nothing was written then.
pub fn save_loop(context: &Context, name: &str, text: &str, base: &str) -> Result<LoopSaved, ApiError> {
    let row = run::find_loop(&context.store()?, name)?;
    refuse_link(&row.path)?;
    let there = fs::read(&row.path).with_context(|| format!("reading {}", row.path.display()))?;
    let hash = loopwright_core::hex(&Sha256::digest(&there));
    if hash != base {
        return Ok(LoopSaved::ChangedOnDisk { text: String::from_utf8_lossy(&there).into_owned(), hash });
    }
    let definition = valid(context, text)?;
    refuse_other(context, &row, &there, &definition)?;
    write(&row.path, text.as_bytes())?;
    let left = match is_shared(&row) {
        true => Some(format!(
            "Written to the working tree. It counts once it is committed and confirmed: loopwright add {}",
            row.path.display()
        )),
        false => confirm(context, &row, loopwright_core::hex(&Sha256::digest(text)))?,
    };
    Ok(LoopSaved::Saved {
        detail: Box::new(loop_detail(context, &definition.name).or_else(|_| loop_detail(context, name))?),
        left,
    })
}

/// Confirms the file of a loop as a person saw it, by its hash.
///
/// # Errors
/// There is no such loop, or its file is another one by now.
pub fn confirm_loop(context: &Context, name: &str, hash: &str) -> Result<Option<String>, ApiError> {
    let row = run::find_loop(&context.store()?, name)?;
    confirm(context, &row, hash.to_owned())
}

/// Deletes a loop: nothing starts it any more. Runs, receipts and what it opened stay; a personal loop's folder is moved aside.
///
/// # Errors
/// `typed` is not its name, it runs, pull requests of it wait, or its folder can't be moved; nothing was changed then.
pub fn delete_loop(context: &Context, name: &str, typed: &str) -> Result<LoopDeleted, ApiError> {
    if typed != name {
        let message = format!("nothing was deleted: the name that was typed is not {name}");
        return Err(ApiError::new(exit::USAGE, message).hint(format!("type {name}")));
    }
    let mut store = context.acting()?;
    let row = run::find_loop(&store, name)?;
    let mut live = runs::live(store.read())?.into_iter().filter(|run| run.loop_id == row.id);
    if live.any(|run| run.parked.is_some() || ending::lives(&context.home.run(run.id))) {
        return Err(ApiError::new(exit::FAILED, format!("{name} runs; nothing was deleted")).hint("halt it first"));
    }
    let waiting = pull_requests::list(store.read(), false)?.into_iter().filter(|one| one.loop_id == row.id).count();
    if waiting > 0 {
        let message = format!("{waiting} pull requests of {name} wait for you; nothing was deleted");
        return Err(ApiError::new(exit::FAILED, message).hint("decide on them in Review first"));
    }
    let own = personal(context, &row.name);
    let moved = if row.path == own { move_aside(context, &row)? } else { None };
    let left = moved.is_none().then(|| row.path.display().to_string());
    let at = stamp(context.now);
    store.write(|tx| loops::delete(tx, &row, &at))?;
    Ok(LoopDeleted { name: row.name, moved: moved.map(|path| path.display().to_string()), left })
}

/// The text as a loop that can be used.
pub(super) fn valid(context: &Context, text: &str) -> Result<Definition, ApiError> {
    let reading = read_bytes_on(text.as_bytes(), context.now.date_naive());
    let first = reading.diagnostics.iter().find(|fault| fault.severity == Severity::Error);
    reading.definition.ok_or_else(|| {
        let why = first.map(|fault| format!("line {}: {}", fault.span.line, fault.message)).unwrap_or_default();
        let message = format!("nothing was saved: the text is no valid loop ({why})");
        ApiError::new(exit::INVALID_LOOP, message).hint("correct it in the YAML tab; your text is kept there")
    })
}

/// Refuses a text that would be another loop.
fn refuse_other(context: &Context, row: &LoopRow, there: &[u8], definition: &Definition) -> Result<(), ApiError> {
    let refuse = |message: String, hint: &str| Err(ApiError::new(exit::FAILED, message).hint(hint));
    let repo = read_bytes(there).definition.map(|before| before.repo);
    if repo.is_some_and(|before| before != definition.repo) {
        return refuse("nothing was saved: a loop keeps its repository".to_owned(), "make a new loop for another one");
    }
    if let Some(other) = loops::by_name(context.store()?.read(), &definition.name)?.filter(|other| other.id != row.id) {
        let message = format!("nothing was saved: another loop is called {} already", other.name);
        return refuse(message, "give this one another `name:`");
    }
    match check::circle(context, definition) {
        Some(message) => refuse(format!("nothing was saved: {message}"), "take the `after` out of one of them"),
        None => Ok(()),
    }
}

/// Registers the file as it stands now; says what is left to do where that is refused.
fn confirm(context: &Context, row: &LoopRow, hash: String) -> Result<Option<String>, ApiError> {
    let works_on_code = row.path.parent() != Some(&row.repo_path);
    let request = AddRequest {
        target: row.path.display().to_string(),
        repo: works_on_code.then(|| row.repo_path.clone()),
        name: None,
        ship: false,
        confirm: Confirm::Hash(hash),
    };
    let added = add(context, request)?;
    let first = added.check.diagnostics.iter().find(|fault| fault.severity == Severity::Error);
    Ok(match added.registered {
        Some(_) => None,
        None => Some(format!(
            "Saved, and not confirmed: {}",
            first.map_or("the loop can't be registered", |fault| fault.message.as_str())
        )),
    })
}

/// Refuses a path on which anything is a link: what is written would be somewhere else.
fn refuse_link(path: &Path) -> Result<(), ApiError> {
    let plain = path.symlink_metadata().is_ok_and(|found| found.is_file());
    if plain && path.canonicalize().is_ok_and(|real| real == path) {
        return Ok(());
    }
    let message = format!("nothing was saved: {} is no plain file, or lies behind a link", path.display());
    Err(ApiError::new(exit::FAILED, message).hint("put the file itself there, or edit it where it is"))
}

/// Replaces a file at once and keeps its mode.
fn write(path: &Path, bytes: &[u8]) -> AnyResult<()> {
    let mode = fs::metadata(path).with_context(|| format!("reading {}", path.display()))?.permissions();
    let next = path.with_file_name(format!(".loop.yaml.{}", std::process::id()));
    // Whatever stands there may be a link.
    let _ = fs::remove_file(&next);
    let written = File::create_new(&next).and_then(|mut file| {
        file.set_permissions(mode)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&next, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&next);
    }
    written.with_context(|| format!("replacing {}", path.display()))
}

/// Moves the folder of a personal loop to what was deleted.
fn move_aside(context: &Context, row: &LoopRow) -> Result<Option<PathBuf>, ApiError> {
    let Some(folder) = row.path.parent().filter(|folder| folder.is_dir()) else { return Ok(None) };
    let place = context.home.data.join("deleted");
    private_dir(&place)?;
    let target = place.join(format!("{}-{}", row.name, context.now.format("%Y%m%d-%H%M%S")));
    fs::rename(folder, &target).with_context(|| format!("moving {} to {}", folder.display(), target.display()))?;
    Ok(Some(target))
}

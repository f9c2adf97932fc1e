//! New loops out of templates, or out of a text of one's own: shown first, made by the hash of what was shown.

use std::path::PathBuf;

use loopwright_core::definition::explain::plan;
use loopwright_core::definition::read_bytes_on;
use loopwright_core::exit;
use loopwright_core::run::Mode;
use sha2::{Digest as _, Sha256};

use super::add::{AddRequest, Confirm, add, personal, refuse_name};
use super::init::{InitRequest, init};
use super::loop_detail::loop_detail;
use super::loop_save::valid;
use super::{AddView, ApiError, Context, LoopDetail, NewLoop, NewLoopView, templates};
use crate::home::{private_dir, replace};

/// The loop that a template would become; nothing is written.
///
/// # Errors
/// There is no such template, the repository can't be worked with, or the name is taken.
pub fn new_loop(context: &Context, new: &NewLoop) -> Result<NewLoopView, ApiError> {
    made(context, new, Confirm::None).map(|(view, _)| view)
}

/// Makes it, if it still has this hash.
///
/// # Errors
/// As [`new_loop`], or the text is another one by now.
pub fn create_loop(context: &Context, new: &NewLoop, hash: &str) -> Result<LoopDetail, ApiError> {
    let (view, add) = made(context, new, Confirm::Hash(hash.to_owned()))?;
    match add.registered {
        Some(registered) => loop_detail(context, &registered.name),
        None => Err(refused(&view.name, &add)),
    }
}

/// Makes a personal loop of a text that a person wrote.
///
/// # Errors
/// The text is no valid loop, its name is taken, or a file stands in its place.
pub fn create_written(context: &Context, text: &str) -> Result<LoopDetail, ApiError> {
    let definition = valid(context, text)?;
    refuse_name(&definition.name)?;
    let path = personal(context, &definition.name);
    let Some(folder) = path.parent().filter(|folder| folder.symlink_metadata().is_err()) else {
        let message = format!("nothing was made: {} is there already", path.display());
        return Err(ApiError::new(exit::FAILED, message).hint("give this one another `name:`"));
    };
    private_dir(folder)?;
    let request = AddRequest {
        target: path.display().to_string(),
        repo: None,
        name: None,
        ship: false,
        confirm: Confirm::Hash(loopwright_core::hex(&Sha256::digest(text))),
    };
    let added = replace(&path, text.as_bytes()).map_err(ApiError::from).and_then(|()| add(context, request));
    let outcome = added.and_then(|add| match add.registered {
        Some(_) => loop_detail(context, &definition.name),
        None => Err(refused(&definition.name, &add)),
    });
    if outcome.is_err() {
        // Its own folder, made a moment ago.
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_dir(folder);
    }
    outcome
}

fn made(context: &Context, new: &NewLoop, confirm: Confirm) -> Result<(NewLoopView, AddView), ApiError> {
    let text = templates::text(&new.template).ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("there is no template {}", new.template)).hint("choose one of the gallery")
    })?;
    if !templates::works_on_code(text) {
        let request = AddRequest {
            target: new.template.clone(),
            repo: None,
            name: Some(new.name.clone().unwrap_or_else(|| new.template.clone())),
            ship: false,
            confirm,
        };
        let add = add(context, request)?;
        return Ok((view(context, &add, Vec::new(), false), add));
    }
    let repo = new.repo.as_deref().filter(|repo| !repo.is_empty()).ok_or_else(|| {
        let message = format!("{} works on a repository, and none is given", new.template);
        ApiError::new(exit::USAGE, message).hint("choose the folder of a git repository")
    })?;
    let template = Some(new.template.clone());
    let request =
        InitRequest { repo: Some(PathBuf::from(repo)), template, name: new.name.clone(), share: false, confirm };
    let init = init(context, &request)?;
    Ok((view(context, &init.add, init.missing, init.existing), init.add))
}

fn view(context: &Context, add: &AddView, missing: Vec<String>, existing: bool) -> NewLoopView {
    let text = add.check.text.clone();
    let definition = read_bytes_on(text.as_bytes(), context.now.date_naive()).definition;
    NewLoopView {
        name: definition.as_ref().map(|definition| definition.name.clone()).unwrap_or_default(),
        path: add.check.path.clone(),
        hash: add.hash.clone(),
        plan: definition.as_ref().map(|read| plan(read, Mode::Report)).unwrap_or_default(),
        missing,
        existing,
        text,
    }
}

fn refused(name: &str, add: &AddView) -> ApiError {
    let why = add.check.diagnostics.first().map(|fault| fault.message.clone()).unwrap_or_default();
    ApiError::new(exit::FAILED, format!("{name} was not made: {why}")).hint("nothing of yours was changed")
}

//! `add`: registers a loop after a person has seen what it comes to.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use loopwright_core::definition::{Definition, read_bytes_on};
use loopwright_core::diagnostic::Severity;
use loopwright_core::exit;
use loopwright_core::ids::LoopId;
use loopwright_core::run::Mode;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::check::{self, Target};
use super::{AddView, ApiError, Context, schedule, status, templates};
use crate::git::user_repository;
use crate::home::{private_dir, replace};
use crate::steps::stamp;
use crate::store::Store;
use crate::store::loops::{self, LoopRow};

/// As long as a name may be.
const LONGEST_NAME: usize = 64;

/// What is to be added.
#[derive(Clone, Debug)]
pub struct AddRequest {
    /// A file, a folder or a template.
    pub target: String,
    /// The repository, for a template or a file that names none.
    pub repo: Option<PathBuf>,
    /// The name and folder of the new loop, for a template.
    pub name: Option<String>,
    /// It may make pull requests.
    pub ship: bool,
    /// Who says so.
    pub confirm: Confirm,
}

/// Who confirms what the loop may do.
#[derive(Clone, Debug)]
pub enum Confirm {
    /// A person who saw it.
    Person,
    /// Whoever knows the hash of what was seen.
    Hash(String),
    /// Nobody yet: nothing is registered.
    None,
}

/// Reads a loop, and registers it if that is confirmed.
///
/// # Errors
/// The repository can't be worked with, the name is taken, or the hash is another one.
/// Faults in the text are part of the answer.
pub fn add(context: &Context, request: AddRequest) -> Result<AddView, ApiError> {
    let target = target(context, &request)?;
    let wanted = request.repo.as_ref().map(|repo| context.cwd.join(repo));
    let (path, bytes) = source(context, &target, wanted.as_deref(), request.name.as_deref())?;
    let hash = loopwright_core::hex(&Sha256::digest(&bytes));
    let reading = read_bytes_on(&bytes, context.now.date_naive());
    let Some(definition) = reading.definition.clone() else {
        let check = check::view(context, &path.display().to_string(), bytes, reading, wanted.as_deref());
        return Ok(AddView { check, hash, renames: None, registered: None, deeds: Vec::new() });
    };
    let repo = repository(context, &path, &definition, wanted)?;
    if let Some(message) = check::circle(context, &definition) {
        return Err(ApiError::new(exit::INVALID_LOOP, message).hint("take the `after` out of one of them"));
    }
    let text = New { request: &request, definition: &definition, path: &path, repo: &repo, bytes: &bytes, hash: &hash };
    // Before anybody confirms anything.
    let before = text.before(&context.store()?)?;
    let renames = before.map(|b| b.name).filter(|name| *name != definition.name);
    // Its own folder stands for a repository only where it is registered.
    let works_on = Some(repo.as_path()).filter(|repo| definition.discover.is_some() || Some(*repo) != path.parent());
    let view = check::view(context, &path.display().to_string(), bytes.clone(), reading, works_on);
    let confirmed = match &request.confirm {
        _ if view.diagnostics.iter().any(|d| d.severity == Severity::Error) => false,
        Confirm::None => false,
        Confirm::Person => true,
        Confirm::Hash(asked) if *asked == hash => true,
        Confirm::Hash(asked) => {
            let message = format!("{} has the hash {hash}, not {asked}; look at it again", path.display());
            return Err(ApiError::new(exit::USAGE, message));
        }
    };
    if !confirmed {
        return Ok(AddView { check: view, hash, renames, registered: None, deeds: Vec::new() });
    }
    let row = text.register(context)?;
    let registered = Some(status::loop_view(context, &context.store()?, &row)?);
    // What waited for its confirmation begins.
    Ok(AddView { check: view, hash, renames, registered, deeds: context.then("adding") })
}

/// What is meant; with another name it is always the template, even where a loop is called like it.
fn target(context: &Context, request: &AddRequest) -> Result<Target, ApiError> {
    let Some(name) = &request.name else { return check::find(context, &request.target) };
    let Some(text) = templates::text(&request.target) else {
        let message = format!("{} is no template, and only a template takes --name", request.target);
        return Err(ApiError::new(exit::USAGE, message).hint("write another `name:` into the file"));
    };
    refuse_name(name)?;
    Ok(Target::Template(request.target.clone(), text))
}

/// Refuses what no loop may be called.
pub(super) fn refuse_name(name: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(fits) {
        let message = "a name has at most 64 small letters, digits and hyphens";
        return Err(ApiError::new(exit::USAGE, message).hint("--name my-loop"));
    }
    Ok(())
}

/// The file that is or would be registered, and its text. A template becomes a personal loop that names its repository.
fn source(
    context: &Context,
    target: &Target,
    repo: Option<&Path>,
    name: Option<&str>,
) -> Result<(PathBuf, Vec<u8>), ApiError> {
    match target {
        Target::File(path) => {
            let path = path.canonicalize().with_context(|| format!("finding {}", path.display()))?;
            let (_, bytes) = check::load(&Target::File(path.clone()))?;
            Ok((path, bytes))
        }
        Target::Template(template, text) => {
            let text = placed(context, template, text, repo)?;
            let new = name.unwrap_or(template);
            let text = text.replacen(&format!("\nname: {template}\n"), &format!("\nname: {new}\n"), 1);
            Ok((personal(context, new), text.into_bytes()))
        }
    }
}

/// A template's text with the repository that it is to work on; one of chores alone has one only where that is asked for.
fn placed(context: &Context, template: &str, text: &str, repo: Option<&Path>) -> Result<String, ApiError> {
    if repo.is_none() && !templates::works_on_code(text) {
        return Ok(text.to_owned());
    }
    let user = user_repository(repo.unwrap_or(&context.cwd)).map_err(anyhow::Error::from)?;
    templates::refuse_unfit(template, &user)?;
    let root = serde_json::to_string(user.root.to_str().context("the repository's path is not UTF-8")?)
        .context("writing the repository's path")?;
    Ok(text.replacen("\ntrigger:", &format!("\nrepo: {root}\ntrigger:"), 1))
}

fn repository(
    context: &Context,
    path: &Path,
    definition: &Definition,
    wanted: Option<PathBuf>,
) -> Result<PathBuf, ApiError> {
    if let Some(wanted) = wanted {
        return Ok(user_repository(&wanted).map_err(anyhow::Error::from)?.root);
    }
    let found = check::repository(context, &path.display().to_string(), definition).map_err(anyhow::Error::from)?;
    // What works on no repository is registered with its own folder.
    let own = path.parent().filter(|_| definition.discover.is_none()).map(Path::to_owned);
    found.or(own).ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("{} is in no git repository and names none", path.display()))
            .hint("add `repo: /path/to/it` to the file, or pass --repo")
    })
}

/// The file of a personal loop.
pub(super) fn personal(context: &Context, name: &str) -> PathBuf {
    context.home.config.join("loops").join(name).join("loop.yaml")
}

/// A name for the loop of a template that no loop has yet: with the repository's folder, and a number if need be.
pub(super) fn free_name(store: &Store, template: &str, repo: &Path) -> Result<String, ApiError> {
    let folder = repo.file_name().map(|f| f.to_string_lossy().to_lowercase()).unwrap_or_default();
    let fits = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let wish: String = format!("{template}-{folder}").chars().map(fits).take(LONGEST_NAME - 4).collect();
    let mut name = wish.clone();
    for number in 2..1000 {
        if loops::by_name(store.read(), &name)?.is_none() {
            break;
        }
        name = format!("{wish}-{number}");
    }
    Ok(name)
}

/// A loop that was read and is to be registered.
pub(super) struct New<'a> {
    pub(super) request: &'a AddRequest,
    pub(super) definition: &'a Definition,
    pub(super) path: &'a Path,
    pub(super) repo: &'a Path,
    pub(super) bytes: &'a [u8],
    pub(super) hash: &'a str,
}

impl New<'_> {
    /// The loop that this one is already: the same file, whatever it was called then.
    pub(super) fn before(&self, store: &Store) -> Result<Option<LoopRow>, ApiError> {
        let known = match loops::by_name(store.read(), &self.definition.name)? {
            Some(known) => Some(known),
            None => loops::by_path(store.read(), self.path)?,
        };
        match &known {
            Some(other) if other.path != self.path || other.repo_path != self.repo => Err(self.taken(store, other)?),
            _ => {
                self.unwritten()?;
                Ok(known)
            }
        }
    }

    fn taken(&self, store: &Store, other: &LoopRow) -> Result<ApiError, ApiError> {
        let (name, repo, path) = (&other.name, other.repo_path.display(), other.path.display());
        let hint = match templates::text(&self.request.target) {
            Some(_) => self.under_a_free_name(store)?,
            None if other.path == self.path => {
                "a loop keeps its repository; for another one, copy its folder".to_owned()
            }
            None => "give this one another `name:`".to_owned(),
        };
        let message = format!("a loop named {name} is registered already, for {repo} ({path})");
        Ok(ApiError::new(exit::FAILED, message).hint(hint))
    }

    /// The command that adds the template under a name that nothing has yet.
    fn under_a_free_name(&self, store: &Store) -> Result<String, ApiError> {
        let template = &self.request.target;
        let name = free_name(store, template, self.repo)?;
        let repo = self.repo.display().to_string().replace('\'', r"'\''");
        Ok(format!("loopwright add {template} --repo '{repo}' --name {name}"))
    }

    /// Refuses to register a text that is not the one that stands in the file.
    fn unwritten(&self) -> Result<(), ApiError> {
        if !self.path.exists() {
            let folder = self.path.parent().context("the loop file has no folder")?;
            return templates::refuse_beside(&self.request.target, folder);
        }
        let there = fs::read(self.path).with_context(|| format!("reading {}", self.path.display()))?;
        if there == self.bytes {
            return Ok(());
        }
        let path = self.path.display();
        Err(ApiError::new(exit::FAILED, format!("{path} is there already, with another text"))
            .hint(format!("loopwright add {path}")))
    }

    /// Writes its file if it is not there, and registers it.
    pub(super) fn register(&self, context: &Context) -> Result<LoopRow, ApiError> {
        let mut store = context.acting()?;
        let before = self.before(&store)?;
        if !self.path.exists() {
            let folder = self.path.parent().context("the loop file has no folder")?;
            private_dir(folder)?;
            templates::write_beside(&self.request.target, folder)?;
            replace(self.path, self.bytes)?;
        }
        let mode = match (&before, self.request.ship) {
            (_, true) => Mode::Ship,
            (Some(before), false) => before.mode,
            (None, false) => Mode::Report,
        };
        let id = before.map_or_else(|| LoopId(Uuid::now_v7()), |b| b.id);
        private_dir(&context.home.loop_state(id))?;
        let at = stamp(context.now);
        Ok(store.write(|tx| {
            let row = LoopRow {
                id,
                name: self.definition.name.clone(),
                path: self.path.to_owned(),
                repo: loops::repo(tx, self.repo)?,
                repo_path: self.repo.to_owned(),
                mode,
                hash: self.hash.to_owned(),
                triage_revision: None,
                triage_listed: Vec::new(),
            };
            loops::register(tx, &row, &at)?;
            schedule::keep(tx, context, id, self.definition)?;
            Ok(row)
        })?)
    }
}

#[cfg(test)]
mod tests {
    use loopwright_core::definition::read_bytes;

    use super::*;

    #[test]
    fn templates_have_a_place_for_their_repository() {
        for template in templates() {
            assert!(template.text.contains("\ntrigger:"), "{}", template.name);
            assert!(template.text.contains(&format!("\nname: {}\n", template.name)), "{}", template.name);
            assert!(read_bytes(template.text.as_bytes()).definition.is_some(), "{}", template.name);
        }
    }
}

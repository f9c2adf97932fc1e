//! `add`: registers a loop after a person has seen what it comes to.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use loopwright_core::definition::{Definition, read_bytes};
use loopwright_core::diagnostic::Severity;
use loopwright_core::exit;
use loopwright_core::ids::LoopId;
use loopwright_core::run::Mode;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::check::{self, Target};
use super::{AddView, ApiError, Context, status};
use crate::git::user_repository;
use crate::home::{private_dir, replace};
use crate::steps::stamp;
use crate::store::loops::{self, LoopRow};

/// What is to be added.
#[derive(Clone, Debug)]
pub struct AddRequest {
    /// A file, a folder or a template.
    pub target: String,
    /// The repository, for a template or a file that names none.
    pub repo: Option<PathBuf>,
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
    let target = check::find(context, &request.target)?;
    let wanted = request.repo.as_ref().map(|repo| context.cwd.join(repo));
    let (path, bytes) = source(context, &target, wanted.as_deref())?;
    let hash = loopwright_core::hex(&Sha256::digest(&bytes));
    let reading = read_bytes(&bytes);
    let Some(definition) = reading.definition.clone() else {
        let check = check::view(context, &path.display().to_string(), bytes, reading, wanted.as_deref());
        return Ok(AddView { check, hash, registered: None });
    };
    let repo = repository(context, &path, &definition, wanted)?;
    let view = check::view(context, &path.display().to_string(), bytes.clone(), reading, Some(&repo));
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
        return Ok(AddView { check: view, hash, registered: None });
    }
    let row = register(context, &request, &definition, &path, &repo, &bytes, &hash)?;
    Ok(AddView { check: view, hash, registered: Some(status::loop_view(context, &context.store()?, &row)?) })
}

/// The file that is or would be registered, and its text. A template becomes a personal loop that names its repository.
fn source(context: &Context, target: &Target, repo: Option<&Path>) -> Result<(PathBuf, Vec<u8>), ApiError> {
    match target {
        Target::File(path) => {
            let path = path.canonicalize().with_context(|| format!("finding {}", path.display()))?;
            let (_, bytes) = check::load(&Target::File(path.clone()))?;
            Ok((path, bytes))
        }
        Target::Template(name, text) => {
            let root = user_repository(repo.unwrap_or(&context.cwd)).map_err(anyhow::Error::from)?.root;
            let root = serde_json::to_string(root.to_str().context("the repository's path is not UTF-8")?)
                .context("writing the repository's path")?;
            let named = text.replacen("\ntrigger:", &format!("\nrepo: {root}\ntrigger:"), 1);
            Ok((context.home.config.join("loops").join(name).join("loop.yaml"), named.into_bytes()))
        }
    }
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
    if let Some(named) = check::named_repository(context, &path.display().to_string(), definition) {
        return Ok(user_repository(&named).map_err(anyhow::Error::from)?.root);
    }
    check::repository(context, &path.display().to_string(), definition).ok_or_else(|| {
        ApiError::new(exit::USAGE, format!("{} is in no git repository and names none", path.display()))
            .hint("add `repo: /path/to/it` to the file, or pass --repo")
    })
}

fn register(
    context: &Context,
    request: &AddRequest,
    definition: &Definition,
    path: &Path,
    repo: &Path,
    bytes: &[u8],
    hash: &str,
) -> Result<LoopRow, ApiError> {
    let mut store = context.landing()?;
    let before = loops::by_name(store.read(), &definition.name)?;
    if let Some(other) = before.as_ref().filter(|b| b.path != path || b.repo_path != repo) {
        let message = format!(
            "a loop named {} is registered already, for {} ({})",
            other.name,
            other.repo_path.display(),
            other.path.display()
        );
        return Err(ApiError::new(exit::FAILED, message).hint("give this one another `name:`"));
    }
    if !path.exists() {
        private_dir(path.parent().context("the loop file has no folder")?)?;
        replace(path, bytes)?;
    }
    let mode = match (&before, request.ship) {
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
            name: definition.name.clone(),
            path: path.to_owned(),
            repo: loops::repo(tx, repo)?,
            repo_path: repo.to_owned(),
            mode,
            hash: hash.to_owned(),
            triage_revision: None,
            triage_listed: Vec::new(),
        };
        loops::register(tx, &row, &at)?;
        Ok(row)
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_have_a_place_for_their_repository() {
        for template in super::super::templates() {
            assert!(template.text.contains("\ntrigger:"), "{}", template.name);
            assert!(read_bytes(template.text.as_bytes()).definition.is_some(), "{}", template.name);
        }
    }
}

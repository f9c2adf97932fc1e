//! The user's repository as it is found: where it is, and whether it can be worked with. Nothing here writes.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, Repository, RepositoryOpenFlags};

use super::heads;

/// A repository of the user's that can be worked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRepo {
    /// Its working tree.
    pub root: PathBuf,
    /// The git directory that all its working trees share.
    pub common: PathBuf,
    /// The branch that is checked out at `root`; none while HEAD is detached.
    pub branch: Option<String>,
}

/// Why a path can't be worked with.
#[derive(Debug, thiserror::Error)]
pub enum UserRepoError {
    /// Nothing is there.
    #[error("{} does not exist", .0.display())]
    Vanished(PathBuf),
    /// No repository around it.
    #[error("{} is not inside a git repository", .0.display())]
    NotARepository(PathBuf),
    /// It has no working tree.
    #[error("{} is a bare repository; loops need one with a working tree", .0.display())]
    Bare(PathBuf),
    /// Nothing was ever committed.
    #[error("{} has no commits yet", .0.display())]
    NoCommits(PathBuf),
    /// History is cut off.
    #[error("{} is a shallow clone; `git -C {} fetch --unshallow` completes it", .0.display(), .0.display())]
    Shallow(PathBuf),
    /// Objects are fetched when they are first used.
    #[error("{} is a partial clone: it lacks objects that git would fetch when it needs them", path.display())]
    Partial {
        /// The repository.
        path: PathBuf,
        /// The remote that promises them.
        remote: String,
    },
    /// It belongs to somebody else.
    #[error(
        "{} belongs to another user; `git config --global --add safe.directory {}` says that you trust it",
        .0.display(), .0.display()
    )]
    Owner(PathBuf),
    /// Its path can't be written into a loop or a database.
    #[error("the path {} is not UTF-8", .0.display())]
    NotUtf8(PathBuf),
    /// Its format is not known.
    #[error("{} has a format that is not supported: {message}", path.display())]
    Format {
        /// The repository.
        path: PathBuf,
        /// What is not known.
        message: String,
    },
    /// HEAD names no branch.
    #[error("{} has no branch checked out{}", path.display(), which(choices))]
    Detached {
        /// The repository.
        path: PathBuf,
        /// Its branches, the likeliest first.
        choices: String,
    },
    /// There is no such branch.
    #[error("{} has no branch `{branch}`", path.display())]
    NoBranch {
        /// The repository.
        path: PathBuf,
        /// The branch that was asked for.
        branch: String,
    },
    /// Where HEAD or a branch leads can't be read.
    #[error("where HEAD or a branch of {} leads can't be read", path.display())]
    Head {
        /// The repository.
        path: PathBuf,
        /// What the disk, or the ref, says.
        source: std::io::Error,
    },
    /// Anything else that git says.
    #[error("{} can't be read", path.display())]
    Git {
        /// The repository.
        path: PathBuf,
        /// What git says.
        source: git2::Error,
    },
}

impl UserRepoError {
    /// What to do about it, where the message does not say so itself.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            UserRepoError::Vanished(_) => {
                "name the folder where it is now: `repo:` in the loop file, or --repo".to_owned()
            }
            UserRepoError::NotARepository(_) => "name one with --repo, or begin one here: git init".to_owned(),
            UserRepoError::Bare(path) => {
                format!("work on a clone of it: git clone {} FOLDER", quoted(path))
            }
            UserRepoError::NoCommits(path) => {
                let at = quoted(path);
                format!("commit something first: git -C {at} add --all && git -C {at} commit -m first")
            }
            UserRepoError::Partial { path, remote } => {
                let (at, remote) = (quoted(path), remote.replace('\'', r"'\''"));
                let unset = format!("git -C {at} config --unset");
                format!(
                    "git -C {at} fetch --refetch --no-filter '{remote}' && {unset} 'remote.{remote}.promisor' && \
                     {unset} 'remote.{remote}.partialclonefilter'"
                )
            }
            UserRepoError::NotUtf8(_) => "rename the folder that has the odd name".to_owned(),
            UserRepoError::Format { path, message } if message.contains("refstorage") => {
                format!("work on a clone of it: git clone --ref-format=files {} FOLDER", quoted(path))
            }
            UserRepoError::Format { .. } => {
                "Loopwright reads repositories with SHA-1 objects and refs as files; work on a clone in that format"
                    .to_owned()
            }
            UserRepoError::Detached { path, choices } if choices.is_empty() => {
                format!("it has none; make one of what is checked out: git -C {} switch -c main", quoted(path))
            }
            UserRepoError::NoBranch { .. } => "`git branch` lists the branches that are there".to_owned(),
            UserRepoError::Shallow(_)
            | UserRepoError::Owner(_)
            | UserRepoError::Detached { .. }
            | UserRepoError::Head { .. }
            | UserRepoError::Git { .. } => return None,
        };
        Some(hint)
    }
}

/// What to choose from, if there is anything.
fn which(choices: &str) -> String {
    if choices.is_empty() { String::new() } else { format!("; check out the one to work on: {choices}") }
}

/// A path for a shell.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    if text.chars().all(plain) { text.into_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// Finds the repository around `path` and says whether it can be worked with.
///
/// # Errors
/// Each variant of [`UserRepoError`] but `NoBranch` and `Detached`.
pub fn user_repository(path: &Path) -> Result<UserRepo, UserRepoError> {
    let path = path.canonicalize().map_err(|_| UserRepoError::Vanished(path.to_owned()))?;
    // Not `discover`, which opens the git folder that it finds and so forgets which working tree led there.
    let none: [&str; 0] = [];
    let found = Repository::open_ext(&path, RepositoryOpenFlags::CROSS_FS, none);
    let repo = found.map_err(|e| explain(&path, e))?;
    let root = repo.workdir().ok_or_else(|| UserRepoError::Bare(path.clone()))?.to_owned();
    if repo.is_shallow() {
        return Err(UserRepoError::Shallow(root));
    }
    if let Some(remote) = promisor(&repo) {
        return Err(UserRepoError::Partial { path: root, remote });
    }
    let branch = head_branch(&repo, &root)?;
    let common = repo.commondir().to_owned();
    let (root, common) = (root.canonicalize().unwrap_or(root), common.canonicalize().unwrap_or(common));
    if let Some(odd) = [&root, &common].into_iter().find(|p| p.to_str().is_none()) {
        return Err(UserRepoError::NotUtf8(odd.clone()));
    }
    Ok(UserRepo { root, common, branch })
}

impl UserRepo {
    /// Opens it again.
    ///
    /// # Errors
    /// It vanished, or is no longer a repository that can be read.
    pub fn open(&self) -> Result<Repository, UserRepoError> {
        if !self.root.is_dir() {
            return Err(UserRepoError::Vanished(self.root.clone()));
        }
        Repository::open(&self.root).map_err(|e| explain(&self.root, e))
    }

    /// The branch to work on and its tip: `branch`, or the one that is checked out now.
    ///
    /// # Errors
    /// HEAD is detached and nothing was named, or there is no such branch.
    pub fn target(&self, branch: Option<&str>) -> Result<(String, Oid), UserRepoError> {
        let repo = self.open()?;
        let branch = match branch {
            Some(name) => name.to_owned(),
            None => head_branch(&repo, &self.root)?
                .ok_or_else(|| UserRepoError::Detached { path: self.root.clone(), choices: choices(&repo) })?,
        };
        let missing = || UserRepoError::NoBranch { path: self.root.clone(), branch: branch.clone() };
        let name = format!("refs/heads/{branch}");
        if !git2::Reference::is_valid_name(&name) {
            return Err(missing());
        }
        let reference = repo.find_reference(&finally(&repo, &self.root, &name)?).map_err(|e| match e.code() {
            ErrorCode::NotFound => missing(),
            _ => explain(&self.root, e),
        })?;
        let tip = reference.peel_to_commit().map_err(|e| explain(&self.root, e))?.id();
        Ok((branch, tip))
    }

    /// A file as the branch has it that is checked out now; none where nothing is, or it can't be read.
    pub fn committed(&self, inside: &Path) -> Option<Vec<u8>> {
        let (_, tip) = self.target(None).ok()?;
        let repo = self.open().ok()?;
        let entry = repo.find_commit(tip).ok()?.tree().ok()?.get_path(inside).ok()?;
        Some(repo.find_blob(entry.id()).ok()?.content().to_vec())
    }
}

/// The remote that promises objects which are not here.
fn promisor(repo: &Repository) -> Option<String> {
    let remotes = repo.remotes().ok()?;
    let config = repo.config().ok()?;
    let promises = |name: &&str| config.get_bool(&format!("remote.{name}.promisor")).unwrap_or(false);
    remotes.iter().flatten().flatten().find(promises).map(str::to_owned)
}

fn head_branch(repo: &Repository, root: &Path) -> Result<Option<String>, UserRepoError> {
    match repo.head() {
        // Not by the name that libgit2 tells, which knows no symbolic links.
        Ok(_) => Ok(finally(repo, root, "HEAD")?.strip_prefix("refs/heads/").map(str::to_owned)),
        Err(e) if e.code() == ErrorCode::UnbornBranch => Err(UserRepoError::NoCommits(root.to_owned())),
        Err(e) => Err(explain(root, e)),
    }
}

fn finally(repo: &Repository, root: &Path, name: &str) -> Result<String, UserRepoError> {
    heads::finally(repo.path(), repo.commondir(), name)
        .map_err(|source| UserRepoError::Head { path: root.to_owned(), source })
}

/// All branches, `main` and `master` first.
fn choices(repo: &Repository) -> String {
    let mut names: Vec<String> = repo
        .branches(Some(git2::BranchType::Local))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|(branch, _)| branch.name().ok().flatten().map(str::to_owned))
        .collect();
    names.sort_by_key(|n| (n != "main", n != "master", n.clone()));
    names.truncate(5);
    names.join(", ")
}

fn explain(path: &Path, error: git2::Error) -> UserRepoError {
    let path = path.to_owned();
    let message = error.message().to_owned();
    match error.code() {
        ErrorCode::Owner => UserRepoError::Owner(path),
        ErrorCode::NotFound if error.class() == git2::ErrorClass::Repository => UserRepoError::NotARepository(path),
        _ if message.contains("extension")
            || message.contains("repository version")
            || message.contains("object format") =>
        {
            UserRepoError::Format { path, message }
        }
        _ => UserRepoError::Git { path, source: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_branch_to_choose_the_way_to_one_is_named() {
        let detached = |choices: &str| UserRepoError::Detached { path: "/r".into(), choices: choices.to_owned() };
        assert_eq!(detached("").to_string(), "/r has no branch checked out");
        assert!(detached("").hint().is_some_and(|h| h.ends_with("git -C /r switch -c main")));
        let some = detached("main, dev");
        assert!(some.to_string().ends_with("check out the one to work on: main, dev") && some.hint().is_none());
    }
}

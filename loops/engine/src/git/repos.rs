//! The two bare repositories that the engine keeps for each of the user's: `base.git` (what the user's branches reach, and all
//! that a maker may see) and `results.git` (attempts and pull requests, on top of `base.git`).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use git2::{Config, Oid, Repository};
use loopwright_core::ids::RepoId;

use super::command::git;
use super::user::UserRepo;

/// The engine's repositories of one repository of the user's.
#[derive(Clone, Debug)]
pub struct Repos {
    base: PathBuf,
    results: PathBuf,
}

/// Where work starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    /// The user's branch.
    pub branch: String,
    /// Its tip.
    pub commit: Oid,
    /// The tip's tree.
    pub tree: Oid,
}

/// Longest time for reading the user's whole history once.
const FETCH_LIMIT: Duration = Duration::from_secs(900);

const CONFIG: &str = "[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\thooksPath = /dev/null
\tattributesFile = /dev/null
\tprotectNTFS = true
\tprotectHFS = true
\tlogAllRefUpdates = false
[transfer]
\tfsckObjects = true
\tunpackLimit = 1
[gc]
\tauto = 0
[maintenance]
\tauto = false
";

/// Faults that old, honest histories have; everything else that `git fsck` calls an error refuses a fetch.
const TOLERATED: [&str; 12] = [
    "badDate",
    "badDateOverflow",
    "badEmail",
    "badTimezone",
    "duplicateEntries",
    "missingEmail",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "missingTaggerEntry",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
];

impl Repos {
    /// Opens the repositories of `id` under the data home, and creates what is missing.
    ///
    /// # Errors
    /// A folder or file can't be made.
    pub fn open(data: &Path, id: RepoId) -> Result<Repos> {
        let folder = data.join("repos").join(id.to_string());
        let repos = Repos { base: folder.join("base.git"), results: folder.join("results.git") };
        fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
        create_bare(&repos.base, None)?;
        // Relative, so that it holds inside a sandbox too, where both stand beside each other in another place.
        create_bare(&repos.results, Some("../../base.git/objects\n"))?;
        Ok(repos)
    }

    /// The bare repository that a maker may see.
    pub fn base_path(&self) -> &Path {
        &self.base
    }

    /// The bare repository with attempts and pull requests; no maker sees it.
    pub fn results_path(&self) -> &Path {
        &self.results
    }

    /// Brings the tip of the user's `branch` (none: the one checked out) into `base.git`.
    ///
    /// # Errors
    /// The branch can't be told or does not exist; the repository is damaged, incomplete or belongs to another user.
    pub fn fetch_base(&self, user: &UserRepo, branch: Option<&str>) -> Result<Base> {
        let (branch, commit) = user.target(branch)?;
        let name = format!("refs/loopwright/base/{commit}");
        let base = self.open_base()?;
        if base.find_reference(&name).is_err() {
            self.fetch(user, commit, &name)?;
        }
        let tree = base.find_commit(commit).with_context(|| format!("read base commit {commit}"))?.tree_id();
        Ok(Base { branch, commit, tree })
    }

    /// A base that was fetched before, wherever the user's branch is now.
    ///
    /// # Errors
    /// It isn't there.
    pub fn known_base(&self, branch: &str, commit: Oid) -> Result<Base> {
        let base = self.open_base()?;
        let tree = base.find_commit(commit).with_context(|| format!("read base commit {commit}"))?.tree_id();
        Ok(Base { branch: branch.to_owned(), commit, tree })
    }

    fn fetch(&self, user: &UserRepo, commit: Oid, name: &str) -> Result<()> {
        let tolerated: Vec<String> = TOLERATED.iter().map(|id| format!("fetch.fsck.{id}=ignore")).collect();
        let source = user.common.to_str().context("the repository's path is not UTF-8")?;
        let refspec = format!("{commit}:{name}");
        // Whose the repository is was judged when it was opened, by the user's own settings; this git does not see those.
        let trusted = format!("safe.directory={source}").replace('\'', r"'\''");
        let sender = format!("--upload-pack=git -c '{trusted}' upload-pack");
        let mut args: Vec<&str> = tolerated.iter().flat_map(|t| ["-c", t.as_str()]).collect();
        args.extend(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]);
        args.extend(["--no-recurse-submodules", &sender, "--", source, &refspec]);
        git(&self.base, &args, &[], FETCH_LIMIT)
            .with_context(|| format!("copy {commit} from {}", user.root.display()))?;
        Ok(())
    }

    /// Opens `base.git`.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub(crate) fn open_base(&self) -> Result<Repository> {
        open_own(&self.base)
    }

    /// Opens `results.git`, which sees the objects of both.
    ///
    /// # Errors
    /// It is missing or damaged.
    pub(crate) fn open_results(&self) -> Result<Repository> {
        open_own(&self.results)
    }

    /// The tips of everything that was ever a base.
    pub(crate) fn base_tips(&self) -> Result<Vec<Oid>> {
        let repo = self.open_base()?;
        let references = repo.references_glob("refs/loopwright/base/*").context("list the bases")?;
        Ok(references.flatten().filter_map(|r| r.target()).collect())
    }
}

/// Opens a bare repository of the engine's with its own configuration alone: what the user set for diffs or
/// attributes must not change what is shown and hashed.
fn open_own(path: &Path) -> Result<Repository> {
    let repo = Repository::open_bare(path).with_context(|| format!("open {}", path.display()))?;
    let config = Config::open(&path.join("config")).with_context(|| format!("read config of {}", path.display()))?;
    repo.set_config(&config).with_context(|| format!("set config of {}", path.display()))?;
    Ok(repo)
}

/// Creates a bare repository beside its place and renames it there, so that it is whole or absent.
fn create_bare(path: &Path, alternates: Option<&str>) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let fresh = path.with_extension(format!("new-{}", uuid::Uuid::now_v7().simple()));
    write_bare(&fresh, alternates).with_context(|| format!("create {}", fresh.display()))?;
    match fs::rename(&fresh, path) {
        // Another process was faster, with the same content.
        Err(_) if path.is_dir() => fs::remove_dir_all(&fresh).with_context(|| format!("remove {}", fresh.display())),
        other => other.with_context(|| format!("create {}", path.display())),
    }
}

fn write_bare(path: &Path, alternates: Option<&str>) -> std::io::Result<()> {
    for folder in ["objects/info", "objects/pack", "refs/heads", "refs/loopwright"] {
        fs::create_dir_all(path.join(folder))?;
    }
    fs::write(path.join("HEAD"), "ref: refs/heads/none\n")?;
    fs::write(path.join("config"), CONFIG)?;
    if let Some(line) = alternates {
        fs::write(path.join("objects/info/alternates"), line)?;
    }
    Ok(())
}

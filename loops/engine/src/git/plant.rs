//! A repository of our own making: the sample. Nothing here touches one that exists.

use std::path::Path;

use anyhow::{Context as _, Result};
use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};

use super::AUTHOR;

/// Makes the folder a repository whose branch `main` has one commit, of all files in it.
///
/// # Errors
/// It is one already, or can't be written.
pub(crate) fn plant(root: &Path, subject: &str) -> Result<()> {
    let told = || format!("making a repository of {}", root.display());
    let mut options = RepositoryInitOptions::new();
    // Nothing of the person's own: no templates with hooks, no name of a branch.
    options.no_reinit(true).external_template(false).initial_head("main");
    let repo = Repository::init_opts(root, &options).with_context(told)?;
    let mut index = repo.index().with_context(told)?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None).with_context(told)?;
    index.write().with_context(told)?;
    let tree = repo.find_tree(index.write_tree().with_context(told)?).with_context(told)?;
    let author = Signature::now(AUTHOR.0, AUTHOR.1).with_context(told)?;
    repo.commit(Some("HEAD"), &author, &author, subject, &tree, &[]).with_context(told)?;
    Ok(())
}

//! The pull requests that stand in an engine's repository, as refs and commits tell them; the store is not asked.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use uuid::Uuid;

use super::Repos;

/// Where the refs of pull requests stand.
const REFS: &str = "refs/loopwright/pr/";

/// A pull request as its ref and its commit tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenChange {
    /// Its id.
    pub id: Uuid,
    /// The repository.
    pub repository: PathBuf,
    /// Its ref.
    pub name: String,
    /// First line of its commit's message (untrusted).
    pub title: String,
    /// The whole fingerprint of its finding; none in commits of older versions.
    pub finding: Option<String>,
    /// Its loop; none in commits of older versions.
    pub loop_id: Option<Uuid>,
}

impl Repos {
    /// Every pull request that has a ref.
    ///
    /// # Errors
    /// The repository can't be read.
    pub fn open_changes(&self) -> Result<Vec<OpenChange>> {
        let repo = self.open_results()?;
        let references = repo.references_glob(&format!("{REFS}*")).context("list the pull requests")?;
        let named = references.flatten().filter_map(|r| {
            let name = r.name().ok()?.to_owned();
            let id = name.strip_prefix(REFS)?.parse().ok()?;
            let message = String::from_utf8_lossy(r.peel_to_commit().ok()?.message_bytes()).into_owned();
            let trailer = |key: &str| message.lines().rev().find_map(|l| Some(l.strip_prefix(key)?.trim().to_owned()));
            Some(OpenChange {
                id,
                repository: self.results_path().to_owned(),
                name,
                title: message.lines().next().unwrap_or_default().to_owned(),
                finding: trailer("Loopwright-Finding:").filter(|f| f.len() == 64),
                loop_id: trailer("Loopwright-Loop:").and_then(|l| l.parse().ok()),
            })
        });
        Ok(named.collect())
    }
}

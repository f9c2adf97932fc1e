//! Rescuing what an attempt that was cut off had made, before its workspace goes: it is kept, and used by nobody but a person.

use std::fs;

use anyhow::{Context, Result};
use chrono::{DateTime, Utc};
use git2::Oid;
use loopwright_core::ids::RunId;

use super::{Collected, Workspaces};

/// What a maker works in is named so; everything else is made anew from commits.
const ATTEMPT: &str = "attempt-";

/// One rescued attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// Its workspace's name.
    pub name: String,
    /// The ref of `results.git` that keeps it.
    pub reference: String,
}

impl Workspaces<'_> {
    /// Keeps what every attempt of `run` that was cut off had made as `refs/loopwright/rescue/<run>/<attempt>`.
    /// What can't be collected is told in the log and given up: it was never more than half an attempt.
    ///
    /// # Errors
    /// The folder of workspaces can't be read.
    pub fn rescue(&self, run: RunId, base: Oid, at: DateTime<Utc>) -> Result<Vec<Rescued>> {
        let mut rescued = Vec::new();
        if !self.root.is_dir() {
            return Ok(rescued);
        }
        for entry in fs::read_dir(&self.root).with_context(|| format!("read {}", self.root.display()))? {
            let name = entry.context("read the workspaces")?.file_name();
            let Some(name) = name.to_str().filter(|name| name.starts_with(ATTEMPT)) else { continue };
            let reference = format!("refs/loopwright/rescue/{run}/{name}");
            match self.rescue_one(name, &reference, base, at) {
                Ok(Collected::Commit { .. }) => rescued.push(Rescued { name: name.to_owned(), reference }),
                Ok(Collected::Empty) => {}
                Ok(Collected::Refused { why }) => tracing::warn!(run.id = %run, "{name} is not rescued: {why}"),
                Err(error) => tracing::warn!(run.id = %run, "{name} is not rescued: {error:#}"),
            }
        }
        Ok(rescued)
    }

    fn rescue_one(&self, name: &str, reference: &str, base: Oid, at: DateTime<Utc>) -> Result<Collected> {
        let workspace = self.open(name)?;
        self.collect_as(reference, &workspace, base, "What an attempt that was cut off had made\n", at)
    }
}

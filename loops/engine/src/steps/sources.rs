//! Sources of findings besides checks and issues: comments in the files of the base commit, and programs of the project.
//!
//! Comments are read from the engine's repository by the engine itself; a program runs in a box with a checkout of the base.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use loopwright_core::asked::{self, Asked};
use loopwright_core::check::{Ended, text};
use loopwright_core::definition::{Command, Source};
use loopwright_core::finding::{Finding, FindingSource};
use loopwright_core::known::Known;
use loopwright_core::todo;

use super::Work;
use crate::checks::WORKSPACE;
use crate::resolve::environment;
use crate::sandbox::{Access, BoxSpec, Limits, Mount, Output, Sandbox as _};
use crate::workspace::{Origin, Workspace};

/// Most output of one command.
const MAX_OUTPUT: u64 = 4 << 20;

/// The longest that one command may take.
const MAX_TIME: Duration = Duration::from_secs(600);

/// What these sources said.
#[derive(Debug, Default)]
pub struct Said {
    /// What is to be done.
    pub findings: Vec<Finding>,
    /// What a reader of the run should know: topic and text.
    pub notes: Vec<(String, String)>,
    /// Whether a line of a command could not be used, so that what it named before may still be there.
    pub incomplete: bool,
}

/// Asks the sources that a loop names.
///
/// # Errors
/// The commit can't be read, the sandbox refuses, or a command does not end well: then nothing is known of its findings.
pub fn ask(work: &Work) -> Result<Said> {
    let mut said = Said::default();
    let mut keys = BTreeSet::new();
    for source in work.resolved.definition.sources() {
        match source {
            Source::TodoComments => comments(work, &mut said)?,
            Source::Command(command) => named_by(command, work, &mut keys, &mut said)?,
            Source::ScanCiFailures(_) | Source::OpenIssues | Source::RecentCommits => {}
        }
    }
    Ok(said)
}

/// What a command named before and could not be understood today is kept as it was: it is not gone.
pub fn keep_unsure(said: &Said, before: &[Known], seen: &mut Vec<Finding>) {
    if !said.incomplete {
        return;
    }
    let known = |f: &Finding| seen.iter().any(|s| s.fingerprint == f.fingerprint);
    let unsure: Vec<Finding> = before
        .iter()
        .map(|known| &known.finding)
        .filter(|f| f.source == FindingSource::Command && !known(f))
        .cloned()
        .collect();
    seen.extend(unsure);
}

fn comments(work: &Work, said: &mut Said) -> Result<()> {
    let (repos, commit) = (&work.code()?.repos, work.code()?.base.commit);
    let files = repos.texts(commit, &todo::is_looked_at, todo::MAX_FILE).context("reading the comments of the base")?;
    let found = todo::findings(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    said.findings.extend(found.findings);
    if found.left_out > 0 {
        let text = format!("{} more than the {} that are listed", found.left_out, todo::MAX_FINDINGS);
        said.notes.push(("todo-comments".to_owned(), text));
    }
    Ok(())
}

fn named_by(command: &Command, work: &Work, keys: &mut BTreeSet<String>, said: &mut Said) -> Result<()> {
    let name = format!("source-{}", uuid::Uuid::now_v7().simple());
    let workspace = work.workspaces()?.create(&name, work.code()?.base.commit, Origin::Base)?;
    let output = work.sandbox.run(&spec(command, work, &workspace));
    work.workspaces()?.discard(workspace)?;
    let output = output.with_context(|| format!("running the source `{command}`"))?;
    if !output.ended.well() {
        bail!(not_well(&command.to_string(), output.ended, &output.stderr));
    }
    let Asked { findings, bad } = asked::read(&output.stdout, keys);
    said.findings.extend(findings);
    said.incomplete |= !bad.is_empty();
    let note = |why| ("source-line".to_owned(), format!("`{command}`, {why}"));
    said.notes.extend(bad.into_iter().map(note));
    Ok(())
}

/// How a source ended, its last words if it said any, and what to do.
fn not_well(command: &str, ended: Ended, stderr: &[u8]) -> String {
    let said = text::clean(stderr);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let last = last.map_or_else(String::new, |last| format!(": {}", text::line(last)));
    format!("the source `{command}` {ended}{last}; repair it, or leave it out of `discover`")
}

fn spec(command: &Command, work: &Work, workspace: &Workspace) -> BoxSpec {
    let tree = Mount { source: workspace.path.clone(), target: WORKSPACE.to_owned(), access: Access::Writable };
    let mut mounts = vec![tree];
    mounts.extend_from_slice(&work.prepared);
    BoxSpec {
        label: "source".to_owned(),
        argv: command.argv(),
        env: environment(&work.resolved.definition),
        cwd: WORKSPACE.to_owned(),
        mounts,
        stdin: Vec::new(),
        limits: Limits { wall: work.check_limits().wall.min(MAX_TIME), idle: None, output: MAX_OUTPUT },
        stdout: Output::Memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_said_nothing_leaves_no_gap() {
        let silent = not_well("./noise", Ended::Flooded, b"\n");
        assert_eq!(silent, "the source `./noise` wrote more than it may; repair it, or leave it out of `discover`");
        let loud = not_well("./noise", Ended::Exited(3), b"first\nno key\n\n");
        assert_eq!(loud, "the source `./noise` exited with 3: no key; repair it, or leave it out of `discover`");
    }
}

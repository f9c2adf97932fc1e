//! `scan_ci_failures`: the project's own checks on the base commit, in the sandbox, with their results kept.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use loopwright_core::check::{CheckReport, Ended};
use loopwright_core::definition::{Command, Source};
use sha2::{Digest, Sha256};

use super::checkout::Checkout;
use super::{Work, prepare};
use crate::checks::{self, DetectedCheck as Check};
use crate::fail;
use crate::home::private_dir;
use crate::resolve::environment;
use crate::sandbox::view::MountRow;
use crate::sandbox::{Access, Mount};
use crate::store::base_results;
use crate::workspace::{Origin, Workspace};

/// What each check says of the base commit; from the cache where nothing it depends on changed.
///
/// # Errors
/// The environment is not ready, or the sandbox refuses. What a check says is data.
pub fn base_reports(work: &mut Work) -> Result<Vec<CheckReport>> {
    let commit = work.code()?.base.commit.to_string();
    let mut found: BTreeMap<String, CheckReport> = BTreeMap::new();
    let mut missing: Vec<Check> = Vec::new();
    for check in &work.code()?.checks {
        match base_results::get(work.store.read(), work.row.repo, &commit, &key(work, check)?)? {
            Some(report) => drop(found.insert(check.name.clone(), report)),
            None => missing.push(check.clone()),
        }
    }
    if !missing.is_empty() {
        run_missing(work, &missing, &mut found)?;
    }
    let reports: Vec<CheckReport> = work.code()?.checks.iter().filter_map(|c| found.remove(&c.name)).collect();
    keep_red(work, &reports)?;
    Ok(reports)
}

/// What checks that fail on the base said stands among the logs of each run that starts from it.
fn keep_red(work: &Work, reports: &[CheckReport]) -> Result<()> {
    let folder = work.raw("base");
    for red in reports.iter().filter(|report| report.ended != Ended::Exited(0)) {
        private_dir(&folder)?;
        let path = folder.join(&red.check).with_extension("log");
        fs::write(&path, format!("{}\n", red.tail)).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

fn run_missing(work: &mut Work, missing: &[Check], found: &mut BTreeMap<String, CheckReport>) -> Result<()> {
    let commit = work.code()?.base.commit;
    let name = format!("base-{}", uuid::Uuid::now_v7().simple());
    let workspace = work.workspaces()?.create(&name, commit, Origin::Base)?;
    let ran = run_on(work, missing, workspace)?;
    let at = work.stamp();
    for (check, report) in missing.iter().zip(ran) {
        let (key, repo) = (key(work, check)?, work.row.repo);
        // A check that was cut off says nothing that is worth keeping.
        if matches!(report.ended, Ended::Exited(_)) {
            work.store.write(|tx| base_results::put(tx, repo, &commit.to_string(), &key, &report, &at))?;
            fail::point("base-kept");
        }
        found.insert(check.name.clone(), report);
    }
    Ok(())
}

fn run_on(work: &Work, missing: &[Check], workspace: Workspace) -> Result<Vec<CheckReport>> {
    if let Err(error) = prepare::probe(work, &workspace) {
        return work.workspaces()?.discard(workspace).and(Err(error));
    }
    let mut checkout = Checkout::new(work, workspace, Origin::Base, missing.len())?;
    let ran = missing.iter().map(|check| Ok(checkout.run(check)?.0)).collect();
    checkout.discard()?;
    ran
}

/// Runs one check in a checkout, with build results of its own; answers with its report and its output.
///
/// # Errors
/// The sandbox refuses, or HALT came.
pub fn run(work: &Work, check: &Check, workspace: &Workspace) -> Result<(CheckReport, Vec<u8>)> {
    let target = TargetDir::new(work)?;
    let mut mounts = work.prepared.clone();
    mounts.push(target.mount());
    let env = environment(&work.resolved.definition);
    let order = checks::CheckOrder {
        check: &check.name,
        commands: &check.commands,
        workspace: &workspace.path,
        env: &env,
        mounts: &mounts,
        limits: work.check_limits(),
    };
    let ran = checks::run(&order, &work.sandbox)?;
    anyhow::ensure!(ran.report.ended != Ended::Halted, "halted in {}", check.name);
    Ok((ran.report, ran.output))
}

/// Which of the reports the loop looks for findings in.
pub fn looked_at<'a>(sources: &[Source], reports: &'a [CheckReport]) -> Vec<&'a CheckReport> {
    let names = sources.iter().find_map(|s| match s {
        Source::ScanCiFailures(names) => Some(names),
        _ => None,
    });
    let Some(names) = names else { return Vec::new() };
    reports.iter().filter(|r| names.is_empty() || names.contains(&r.check)).collect()
}

/// Raised when the same output is read as other cases: reports that were kept before can't be compared with new ones.
const READING: u32 = 3;

/// Everything that a report depends on besides the commit.
fn key(work: &Work, check: &Check) -> Result<String> {
    let definition = &work.resolved.definition;
    key_of(check, &environment(definition), definition.setup.as_ref(), &work.sandbox.mounts_table())
}

fn key_of(
    check: &Check,
    env: &BTreeMap<String, String>,
    setup: Option<&Command>,
    mounts: &[MountRow],
) -> Result<String> {
    let toolchains: Vec<String> = mounts.iter().map(|m| format!("{m:?}")).collect();
    // With its name: two checks may run the same command, and each report says whose it is.
    let parts = (&check.name, &check.commands, env, setup, toolchains, env!("CARGO_PKG_VERSION"), READING);
    Ok(loopwright_core::hex(&Sha256::digest(serde_json::to_vec(&parts)?)))
}

/// A folder for the build results of one check, gone afterwards: what the attempt's code leaves there no other check runs.
struct TargetDir(std::path::PathBuf);

impl TargetDir {
    fn new(work: &Work) -> Result<TargetDir> {
        let path = work.home.workspaces_of(work.run).join(format!("target-{}", uuid::Uuid::now_v7().simple()));
        private_dir(&path)?;
        Ok(TargetDir(path))
    }

    fn mount(&self) -> Mount {
        Mount { source: self.0.clone(), target: checks::TARGET_DIR.to_owned(), access: Access::Writable }
    }
}

impl Drop for TargetDir {
    fn drop(&mut self) {
        // Left behind it costs disk and nothing else; the next sweep takes it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_checks_with_the_same_command_are_kept_apart() {
        let key = |name: &str, program: &str| {
            let commands = vec![Command::Argv(vec![program.to_owned()])];
            let (name, origin) = (name.to_owned(), "loop.yaml".to_owned());
            let check = Check { name, commands, origin, probes: Vec::new() };
            key_of(&check, &BTreeMap::new(), None, &[]).expect("a key")
        };
        assert_eq!(key("tests_pass", "true"), key("tests_pass", "true"));
        assert_ne!(key("tests_pass", "true"), key("tests_pass", "false"), "the control: another command");
        assert_ne!(key("tests_pass", "true"), key("lint_clean", "true"));
    }
}

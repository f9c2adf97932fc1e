//! Prepare: `setup` once per lock file, and the readiness probe. Nothing of it is an iteration or costs money.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use loopwright_core::check::text;
use loopwright_core::definition::Command;
use loopwright_core::run::Outcome;
use sha2::{Digest, Sha256};

use super::Work;
use crate::resolve::environment;
use crate::sandbox::{Access, BoxOutput, BoxSpec, Limits, Mount, Output, Sandbox};
use crate::workspace::{Origin, Workspace};

/// Files that say which dependencies a project has.
const LOCK_FILES: [&str; 8] = [
    "Cargo.lock",
    "package-lock.json",
    "pnpm-lock.yaml",
    "yarn.lock",
    "poetry.lock",
    "uv.lock",
    "requirements.txt",
    "go.sum",
];

/// Makes the environment ready on the base commit.
///
/// # Errors
/// `setup` fails, or a program of a check is not in the sandbox (`env_not_ready`).
pub fn prepare(work: &mut Work) -> Result<Outcome> {
    // What processes that died left there costs disk and nothing else; another run may be emptying it too.
    if let Err(error) = work.workspaces()?.empty_trash() {
        tracing::warn!("the trash was not emptied: {error:#}");
    }
    if let Some(setup) = work.resolved.definition.setup.clone() {
        let left = prepared(work, &setup)?;
        work.prepared.extend(left);
    }
    let base = &work.code()?.base;
    Ok(Outcome::Prepared { branch: base.branch.clone(), commit: base.commit.to_string() })
}

/// Asks only whether each check's program is there; what a check says is not asked here.
///
/// # Errors
/// One is not: `env_not_ready`.
pub fn probe(work: &Work, base: &Workspace) -> Result<()> {
    for check in &work.code()?.checks {
        for probe in &check.probes {
            let argv = vec!["sh".to_owned(), "-c".to_owned(), "\"$@\" >/dev/null".to_owned(), "sh".to_owned()];
            let argv = argv.into_iter().chain(probe.argv()).collect();
            let limits = Limits { wall: Duration::from_secs(60), idle: None, output: 1 << 20 };
            let output = work.sandbox.run(&spec(work, base, "probe", argv, limits))?;
            if !output.ended.well() {
                bail!(
                    "env_not_ready: `{}` ({}) does not work in the sandbox, which sees only the system and the toolchains \
                     that `loopwright check {}` lists: {}",
                    asked(probe),
                    check.name,
                    work.row.name,
                    last_words(&output)
                );
            }
        }
    }
    Ok(())
}

/// The last line of what a program said of its failure, or how it ended.
fn last_words(output: &BoxOutput) -> String {
    let said = text::clean(&output.stderr);
    match said.lines().map(str::trim).rfind(|line| !line.is_empty()) {
        Some(line) => loopwright_core::triage::plain(line, 300),
        None => format!("it {}", output.ended),
    }
}

/// The program that a probe asks for.
fn asked(probe: &Command) -> String {
    match probe {
        Command::Argv(words) if words.first().is_some_and(|w| w == "sh") => words.last().cloned().unwrap_or_default(),
        other => other.to_string(),
    }
}

/// What `setup` leaves behind, from the cache or made now.
fn prepared(work: &Work, setup: &Command) -> Result<Vec<Mount>> {
    let layer = work.home.cache.join("prepared").join(key(work, setup)?);
    if !layer.join("done").exists() {
        let name = format!("setup-{}", uuid::Uuid::now_v7().simple());
        let workspaces = work.workspaces()?;
        let workspace = workspaces.create(&name, work.code()?.base.commit, Origin::Base)?;
        let made = make(work, setup, &workspace, &layer);
        workspaces.discard(workspace)?;
        made?;
    }
    let listed = fs::read_to_string(layer.join("done")).context("reading what setup left")?;
    listed.lines().map(|entry| mount(&layer.join("tree"), entry)).collect()
}

fn key(work: &Work, setup: &Command) -> Result<String> {
    let (repos, commit) = (&work.code()?.repos, work.code()?.base.commit);
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(&(setup, environment(&work.resolved.definition), work.row.repo))?);
    let mut locked = false;
    for file in LOCK_FILES {
        if let Some(bytes) = repos.file(commit, file)? {
            hash.update(file.as_bytes());
            hash.update(Sha256::digest(&bytes));
            locked = true;
        }
    }
    if !locked {
        hash.update(work.code()?.base.tree.to_string().as_bytes());
    }
    Ok(loopwright_core::hex(&hash.finalize())[..32].to_owned())
}

fn make(work: &Work, setup: &Command, workspace: &Workspace, layer: &Path) -> Result<()> {
    let limits = Limits { wall: Duration::from_secs(1800), idle: None, output: 16 << 20 };
    let output = work.sandbox.run(&spec(work, workspace, "setup", setup.argv(), limits))?;
    if !output.ended.well() {
        bail!("env_not_ready: `{setup}` (setup) {}: {}", output.ended, last_words(&output));
    }
    let left = left_behind(work, workspace)?;
    let fresh = layer.with_file_name(format!("making-{}", uuid::Uuid::now_v7().simple()));
    let kept = keep(work, workspace, &left, &fresh).and_then(|()| publish(&fresh, layer));
    if kept.is_err() {
        let _ = fs::remove_dir_all(&fresh);
    }
    kept
}

/// Brings what setup left into a layer of its own.
fn keep(work: &Work, workspace: &Workspace, left: &[String], fresh: &Path) -> Result<()> {
    let tree = fresh.join("tree");
    fs::create_dir_all(&tree).with_context(|| format!("making {}", tree.display()))?;
    for entry in left {
        let from = workspace.path.join(entry);
        match fs::rename(&from, tree.join(entry)) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => copy(work, workspace, entry, &tree)?,
            moved => moved.with_context(|| format!("keeping {}", from.display()))?,
        }
    }
    fs::write(fresh.join("done"), left.join("\n")).context("noting that setup is done")
}

/// Copies an entry to another file system, inside a box: setup made it, so nothing of it is followed outside.
fn copy(work: &Work, workspace: &Workspace, entry: &str, tree: &Path) -> Result<()> {
    const KEPT: &str = "/kept";
    let argv = ["cp", "-a", "--", &format!("/workspace/{entry}"), KEPT].map(str::to_owned).into();
    let limits = Limits { wall: Duration::from_secs(1800), idle: None, output: 1 << 20 };
    let mut spec = spec(work, workspace, "setup keep", argv, limits);
    spec.mounts.push(Mount { source: tree.to_owned(), target: KEPT.to_owned(), access: Access::Writable });
    let output = work.sandbox.run(&spec)?;
    if !output.ended.well() {
        bail!("copying {entry}, which setup left: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

/// Puts a whole layer in its place at once; where another run was first, its layer is as good.
fn publish(fresh: &Path, layer: &Path) -> Result<()> {
    match fs::rename(fresh, layer) {
        Err(_) if layer.join("done").exists() => {
            fs::remove_dir_all(fresh).with_context(|| format!("removing {}", fresh.display()))
        }
        moved => moved.with_context(|| format!("putting a layer at {}", layer.display())),
    }
}

/// Top-level entries that are new since the checkout, told by git inside the box.
fn left_behind(work: &Work, workspace: &Workspace) -> Result<Vec<String>> {
    let visible = others(work, workspace, Others::NotIgnored)?;
    if let Some(path) = visible.iter().find(|p| !p.ends_with('/')) {
        // Its place in a maker's workspace would be an empty file, and a part of every attempt.
        bail!("setup left the file {path}, which .gitignore does not name; ignore it, or remove it in setup");
    }
    let mut top: Vec<String> = Vec::new();
    for path in others(work, workspace, Others::All)? {
        match path.split_once('/') {
            Some((entry, below)) if !below.is_empty() => {
                bail!(
                    "setup left {path} inside the tracked folder {entry}; only whole new top-level entries can be kept"
                )
            }
            Some((entry, _)) => top.push(entry.to_owned()),
            None => top.push(path),
        }
    }
    Ok(top)
}

/// Which of the paths that git doesn't track.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    All,
    NotIgnored,
}

/// Paths that git doesn't track; folders end in a slash.
fn others(work: &Work, workspace: &Workspace, which: Others) -> Result<Vec<String>> {
    let all =
        "git --git-dir=/workspace/.git --work-tree=/workspace ls-files -z --others --directory --no-empty-directory";
    let mut argv: Vec<String> = all.split(' ').map(str::to_owned).collect();
    if which == Others::NotIgnored {
        argv.push("--exclude-standard".to_owned());
    }
    let limits = Limits { wall: Duration::from_secs(60), idle: None, output: 16 << 20 };
    let output = work.sandbox.run(&spec(work, workspace, "setup list", argv, limits))?;
    if !output.ended.well() {
        bail!("listing what setup left: {}", String::from_utf8_lossy(&output.stderr));
    }
    let text = String::from_utf8(output.stdout).context("setup left a name that is not UTF-8")?;
    Ok(text.split('\0').filter(|p| !p.is_empty()).map(str::to_owned).collect())
}

/// One kept entry, seen read-only at its place; a link would lead out of the layer and is refused.
fn mount(tree: &Path, entry: &str) -> Result<Mount> {
    let source: PathBuf = tree.join(entry);
    let kind = fs::symlink_metadata(&source).with_context(|| format!("looking at {}", source.display()))?.file_type();
    if !(kind.is_dir() || kind.is_file()) || entry.contains(['/', '\n']) {
        bail!("setup left {entry}, which is neither a plain file nor a folder");
    }
    Ok(Mount { source, target: format!("/workspace/{entry}"), access: Access::ReadOnly })
}

fn spec(work: &Work, workspace: &Workspace, label: &str, argv: Vec<String>, limits: Limits) -> BoxSpec {
    BoxSpec {
        label: label.to_owned(),
        argv,
        env: environment(&work.resolved.definition),
        cwd: "/workspace".to_owned(),
        mounts: vec![workspace.mount(Access::Writable)],
        stdin: Vec::new(),
        limits,
        stdout: Output::Memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_layers_made_at_once_the_first_stays() {
        let cache = tempfile::tempdir().expect("a folder");
        let layer = cache.path().join("key");
        let made = |name: &str| {
            let fresh = cache.path().join(name);
            fs::create_dir_all(fresh.join("tree")).expect("a folder");
            fs::write(fresh.join("done"), name).expect("a file");
            fresh
        };
        let (first, second) = (made("first"), made("second"));
        assert!(fs::rename(&first, &layer).is_ok() && fs::rename(&second, &layer).is_err(), "the control");
        fs::rename(&layer, &first).expect("back");
        publish(&first, &layer).expect("published");
        publish(&second, &layer).expect("the other one is as good");
        assert_eq!(fs::read_to_string(layer.join("done")).expect("a layer"), "first");
        assert!(!first.exists() && !second.exists());
    }
}

//! From a finding to its open pull request: the engine and, turn by turn, a script with plain git.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use serde_json::Value;

use crate::figures::{Bound, Series};
use crate::repository::{self, git};

/// The maker: it edits one file.
const MAKER: &str = "#!/bin/sh\nset -eu\necho 'it says more' >> part00/section0/file0000.txt\n";
/// The command of both gates.
const GATE: &str = "/bin/true";
/// The loop's name.
pub(crate) const LOOP: &str = "bench";

/// Everything that both need.
pub(crate) struct Bench {
    /// The program that is measured.
    pub(crate) program: PathBuf,
    /// `LOOPWRIGHT_HOME`.
    pub(crate) home: PathBuf,
    /// The repository.
    pub(crate) repo: PathBuf,
    root: PathBuf,
    commit: String,
}

/// One run of the engine.
struct Sample {
    attempt: Duration,
    whole: Duration,
}

impl Bench {
    /// Makes the repository, registers the loop, and lets one run fill the caches; room for `samples` more.
    ///
    /// # Errors
    /// Something can't be made, or that run opens no pull request.
    pub(crate) fn new(program: PathBuf, root: &Path, samples: usize) -> Result<Bench> {
        let (home, repo) = (root.join("home"), root.join("repo"));
        let commit = repository::make(&repo, samples + 1)?;
        let bench = Bench { program, home, repo, root: root.to_owned(), commit };
        register(&bench.program, &bench.home, &loop_file(&bench.repo), MAKER)?;
        bench.make_peer()?;
        bench.run().context("the first run, which fills the caches")?;
        bench.plain("first")?;
        Ok(bench)
    }

    /// The program with this home.
    pub(crate) fn loopwright(&self, args: &[&str]) -> Command {
        let mut command = program(&self.program, &self.home);
        command.args(args).current_dir(&self.root);
        command
    }

    /// The two bare repositories of the peer, as the engine keeps them.
    fn make_peer(&self) -> Result<()> {
        let repo = self.repo.to_str().context("the path is not UTF-8")?;
        git(&self.root, &["clone", "--quiet", "--bare", "--no-hardlinks", repo, "base.git"])?;
        git(&self.root, &["init", "--quiet", "--bare", "results.git"])?;
        fs::write(self.root.join("results.git/objects/info/alternates"), "../../base.git/objects\n")?;
        fs::create_dir_all(self.root.join("plain"))?;
        write_program(&self.root.join("edit.sh"), MAKER)
    }

    /// One run that takes one finding to its pull request.
    fn run(&self) -> Result<Sample> {
        let began = Instant::now();
        let output = self.loopwright(&["--json", "run", LOOP]).output().context("starting loopwright")?;
        let whole = began.elapsed();
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(21), "the run ended with {}: {said}", output.status);
        let view: Value = serde_json::from_slice(&output.stdout).context("reading the run")?;
        Ok(Sample { attempt: attempt(&view["journal"])?, whole })
    }

    /// The same by plain git.
    fn plain(&self, name: &str) -> Result<Duration> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/plain.sh");
        let at = |name: &str| self.root.join(name);
        // A session of its own, as a run has: on a busy machine the kernel gives each session its share of the processors.
        let mut command = Command::new("setsid");
        command.args(["--wait", "sh"]).arg(script).args([at("base.git"), at("results.git"), at("plain")]);
        command.args([&self.commit, name]).arg(at("edit.sh")).args([GATE, GATE]);
        let began = Instant::now();
        let status = command.stdin(Stdio::null()).status().context("starting plain.sh")?;
        ensure!(status.success(), "plain.sh ended with {status}");
        Ok(began.elapsed())
    }
}

/// The program with a home.
pub(crate) fn program(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("LOOPWRIGHT_HOME", home).stdin(Stdio::null());
    command
}

/// Writes the loop [`LOOP`] with this text and this `edit.sh`, and registers it.
///
/// # Errors
/// It can't be written, or is refused.
pub(crate) fn register(by: &Path, home: &Path, text: &str, maker: &str) -> Result<()> {
    let folder = home.join("config/loops").join(LOOP);
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    write_program(&folder.join("edit.sh"), maker)?;
    let file = folder.join("loop.yaml");
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
    let path = file.to_str().context("the path is not UTF-8")?;
    let shown: Value = serde_json::from_slice(&program(by, home).args(["--json", "add", path]).output()?.stdout)?;
    let hash = shown["hash"].as_str().context("`add` shows no hash")?;
    let added = program(by, home).args(["--json", "add", path, "--ship", "--confirm", hash]).output()?;
    ensure!(added.status.success(), "adding the loop: {}", String::from_utf8_lossy(&added.stdout));
    Ok(())
}

/// Measures both, turn by turn.
///
/// # Errors
/// One of them fails.
pub(crate) fn measure(bench: &Bench, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let (mut attempts, mut runs, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..samples {
        let sample = bench.run()?;
        attempts.push(sample.attempt);
        runs.push(sample.whole);
        plain.push(bench.plain(&n.to_string())?);
    }
    let attempts = Series::new("finding to pull request, from the journal", &attempts);
    let runs = Series::new("finding to pull request, the whole `loopwright run`", &runs);
    let plain = Series::new("  peer: plain.sh", &plain);
    let bounds =
        vec![Bound::relative("finding to pull request: 1.25 x plain.sh + 300 ms", &attempts, &plain, 1.25, 300.0)];
    Ok((vec![attempts, runs, plain], bounds))
}

/// From the start of `build` to the end of `ship`, by the journal's own times.
fn attempt(journal: &Value) -> Result<Duration> {
    let entries = journal.as_array().context("the run has no journal")?;
    let started = |step: &str| entries.iter().find(|e| e["type"] == "step_started" && e["step"]["step"] == step);
    let (build, ship) =
        (started("build").context("nothing was built")?, started("ship").context("nothing was shipped")?);
    let end = entries
        .iter()
        .find(|e| e["type"] == "step_finished" && e["id"] == ship["id"])
        .context("shipping did not end")?;
    let at = |e: &Value| DateTime::parse_from_rfc3339(e["at"].as_str().unwrap_or_default()).context("a time");
    (at(end)? - at(build)?).to_std().context("time went backwards")
}

/// The loop that is measured.
pub(crate) fn loop_file(repo: &Path) -> String {
    format!(
        "name: {LOOP}
trigger: manual
repo: {}
isolation: worktree
setup: [{GATE}]
checks: {{tests_pass: [{GATE}], lint_clean: [{GATE}]}}
agents: {{implementer: {{command: [./edit.sh], price: $0}}}}
steps:
  - discover: {{run: scan_ci_failures + open_issues + recent_commits, write_to: state/triage.md}}
  - act: {{for_each: finding in state/triage.md, spawn: implementer(finding)}}
  - verify: {{check: tests_pass AND lint_clean AND diff_reasonable}}
  - ship: {{if: verified, run: open_pr + link_issue}}
guardrails: {{max_iterations: 3, budget: $5/run, halt_on: no_progress(2), max_findings: 1}}
review: {{max_open: 50}}
",
        repo.display()
    )
}

fn write_program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("making {} a program", path.display()))
}

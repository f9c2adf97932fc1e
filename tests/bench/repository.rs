//! The repository that is worked on: the same 5,000 files in every run, with a little history and an issue per attempt.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Files besides the issues.
const FILES: usize = 5_000;
/// Commits after the first; each changes 50 files.
const COMMITS: usize = 20;

/// Runs git in a folder and returns what it says.
///
/// # Errors
/// It fails.
pub(crate) fn git(folder: &Path, args: &[&str]) -> Result<String> {
    fed(folder, args, &[])
}

/// Makes the repository at `folder` with `issues` open issues; returns the tip.
///
/// # Errors
/// git fails.
pub(crate) fn make(folder: &Path, issues: usize) -> Result<String> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    git(folder, &["init", "--quiet", "--initial-branch=main"])?;
    fed(folder, &["fast-import", "--quiet"], history(issues)?.as_bytes())?;
    git(folder, &["reset", "--quiet", "--hard", "main"])?;
    Ok(git(folder, &["rev-parse", "main"])?.trim().to_owned())
}

/// The stream for `git fast-import`.
fn history(issues: usize) -> Result<String> {
    let mut stream = String::new();
    commit(&mut stream, 0)?;
    for n in 0..FILES {
        file(&mut stream, &place(n), &text(n, 0))?;
    }
    for at in 1..=COMMITS {
        commit(&mut stream, at)?;
        for n in (at..FILES).step_by(FILES / 50) {
            file(&mut stream, &place(n), &text(n, at))?;
        }
    }
    for n in 1..=issues {
        let issue = format!("---\ntitle: Say more in part {n}\nstate: open\n---\nPart {n} says too little.\n");
        file(&mut stream, &format!(".loopwright/issues/{n}-part.md"), &issue)?;
    }
    Ok(stream)
}

fn commit(stream: &mut String, at: usize) -> Result<()> {
    let message = format!("change {at}");
    let time = 1_700_000_000 + at * 3600;
    write!(stream, "commit refs/heads/main\ncommitter bench <bench@localhost> {time} +0000\n")?;
    Ok(writeln!(stream, "data {}\n{message}", message.len())?)
}

fn file(stream: &mut String, path: &str, text: &str) -> Result<()> {
    Ok(writeln!(stream, "M 100644 inline {path}\ndata {}\n{text}", text.len())?)
}

/// 20 folders of 10 folders of 25 files.
fn place(n: usize) -> String {
    format!("part{:02}/section{}/file{n:04}.txt", n % 20, n / 20 % 10)
}

/// Between 300 and 2,000 bytes of words that compress about as well as source text.
fn text(n: usize, at: usize) -> String {
    let mut state = (n * 31 + at * 17 + 1) as u64;
    let mut text = format!("File {n}, as of change {at}.\n");
    for line in 0..8 + n % 40 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{line:3}: let value_{:04x} = compute({});\n", state >> 48, state >> 40 & 0xfff));
    }
    text
}

fn fed(folder: &Path, args: &[&str], input: &[u8]) -> Result<String> {
    let mut command = Command::new("git");
    command.current_dir(folder).args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    let mut child = command.spawn().context("starting git")?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input).with_context(|| format!("feeding git {}", args.join(" ")))?;
    }
    let output = child.wait_with_output().context("waiting for git")?;
    ensure!(output.status.success(), "git {} ended with {}", args.join(" "), output.status);
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

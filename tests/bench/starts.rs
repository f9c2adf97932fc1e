//! Starting something: `loopwright check`, and boxes; each beside what the same costs without Loopwright.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use loopwright_core::check::Ended;
use loopwright_engine::sandbox::bubblewrap::Bubblewrap;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_engine::sandbox::{BoxSpec, Limits, Output, Sandbox as _};

use crate::attempt::{Bench, LOOP};
use crate::figures::{Bound, Series};

/// With this argument the benchmark itself is the smallest program of the toolchain.
pub(crate) const HELLO: &str = "--hello";

/// Measures `check` of a template and of a registered loop.
///
/// # Errors
/// One of them fails.
pub(crate) fn check(bench: &Bench, samples: usize) -> Result<(Vec<Series>, Vec<Bound>)> {
    let hello = std::env::current_exe().context("finding this program")?;
    let mut took: [Vec<Duration>; 4] = Default::default();
    for _ in 0..samples {
        took[0].push(timed(&mut bench.loopwright(&["check", "daily-triage"]))?);
        took[1].push(timed(&mut bench.loopwright(&["check", LOOP]))?);
        took[2].push(timed(Command::new("git").arg("--version"))?);
        took[3].push(timed(Command::new(&hello).arg(HELLO))?);
    }
    let template = Series::new("check of a template, process start included", &took[0]);
    let registered = Series::new("check of a registered loop and its repository", &took[1]);
    let git = Series::new("  for scale: git --version", &took[2]);
    let hello = Series::new("  for scale: hello world of the same toolchain", &took[3]);
    let bounds = vec![
        Bound::fixed("check of a template: 20 ms", &template, 20.0),
        Bound::fixed("check of a registered loop: 20 ms", &registered, 20.0),
    ];
    Ok((vec![template, registered, git, hello], bounds))
}

/// Measures a box that does nothing.
///
/// # Errors
/// The sandbox is missing.
pub(crate) fn boxes(samples: usize) -> Result<Vec<Series>> {
    let sandbox = Bubblewrap::find(&HostEnvironment::read())?;
    let mut took: [Vec<Duration>; 3] = Default::default();
    for _ in 0..samples {
        took[0].push(boxed(&sandbox)?);
        took[1].push(timed(Command::new("bwrap").args([
            "--new-session",
            "--ro-bind",
            "/",
            "/",
            "--unshare-all",
            "/bin/true",
        ]))?);
        took[2].push(timed(&mut Command::new("/bin/true"))?);
    }
    Ok(vec![
        Series::new("a box that runs `true`", &took[0]),
        Series::new("  for scale: bwrap --unshare-all, nothing else", &took[1]),
        Series::new("  for scale: `true` itself", &took[2]),
    ])
}

fn boxed(sandbox: &Bubblewrap) -> Result<Duration> {
    let spec = BoxSpec {
        label: "bench".to_owned(),
        argv: vec!["/bin/true".to_owned()],
        env: Default::default(),
        cwd: "/".to_owned(),
        mounts: Vec::new(),
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(20), idle: None, output: 1 << 16 },
        stdout: Output::Memory,
    };
    let began = Instant::now();
    let output = sandbox.run(&spec)?;
    let took = began.elapsed();
    ensure!(output.ended == Ended::Exited(0), "the box ended with {:?}", output.ended);
    Ok(took)
}

/// How long a program takes that must end well; what it says is thrown away.
fn timed(command: &mut Command) -> Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    let took = began.elapsed();
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(took)
}

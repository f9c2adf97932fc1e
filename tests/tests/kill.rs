//! HALT ends everything: the agent does what it can to live on, and runner or watchdog are stopped or killed meanwhile.

#![expect(clippy::expect_used, reason = "a test that can't go on says why")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loopwright_core::lease::{self, End, EndCause, InitRecord};
use loopwright_tests::nasty::{NastyRun, eventually, marked, signal, tree};

/// HALT to nothing left; the promise is 250 ms at the 99th percentile, this machine is shared.
const AT_ONCE: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(10);

fn runner() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_box_runner"))
}

/// The watchdog of the same build; made first when cargo runs the tests, since it is another package's program.
fn watchdog() -> PathBuf {
    let path = runner().with_file_name("loopwright-watchdog");
    if let Some(cargo) = std::env::var_os("CARGO") {
        let built = Command::new(cargo).args(["build", "--quiet", "--offline", "-p", "loopwright-watchdog"]).status();
        assert!(built.expect("cargo").success());
    }
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

fn start() -> NastyRun {
    NastyRun::start(&watchdog(), runner(), 600).expect("the run starts")
}

fn end_of(run: &NastyRun) -> Option<End> {
    End::parse(&fs::read(run.run_dir().join(lease::END)).ok()?)
}

fn exit_code(run: &mut NastyRun) -> Option<i32> {
    run.launched.watchdog.wait().expect("it ended").code()
}

#[test]
fn halt_ends_all_and_says_so() {
    let mut run = start();
    let began = Instant::now();
    run.halt().expect("halted");
    assert!(eventually(AT_ONCE, || run.alive().is_empty()), "left: {:?}", run.alive());
    let took = began.elapsed();
    assert_eq!(exit_code(&mut run), Some(10), "after {took:?}");
    assert!(run.everything().is_empty());
    let end = end_of(&run).expect("an end");
    assert_eq!(end.cause, EndCause::Halted);
    let ended = fs::read_to_string(run.run_dir().join("ended")).expect("the runner had time to write its end");
    assert_eq!(ended, "Halted");
}

#[test]
fn halt_ends_all_though_the_runner_is_stopped() {
    let mut run = start();
    signal(run.runner(), "STOP");
    run.halt().expect("halted");
    assert!(eventually(AT_ONCE, || run.alive().is_empty()), "left: {:?}", run.alive());
    assert_eq!(exit_code(&mut run), Some(10));
    assert!(run.everything().is_empty());
}

#[test]
fn disarming_and_a_signal_to_the_watchdog_are_halts() {
    let mut run = start();
    fs::remove_file(run.home.path().join("ARMED")).expect("disarmed");
    assert!(eventually(AT_ONCE, || run.alive().is_empty()), "left: {:?}", run.alive());
    assert_eq!(exit_code(&mut run), Some(10));

    let mut run = start();
    signal(run.watchdog(), "HUP");
    signal(run.watchdog(), "TERM");
    assert!(eventually(AT_ONCE, || run.alive().is_empty()), "left: {:?}", run.alive());
    assert_eq!(exit_code(&mut run), Some(10));
}

#[test]
fn a_killed_watchdog_takes_all_with_it() {
    let run = start();
    signal(run.watchdog(), "KILL");
    assert!(eventually(AT_ONCE, || run.everything().is_empty()), "left: {:?}", run.everything());
}

#[test]
fn a_killed_watchdog_takes_a_stopped_runner_with_it() {
    let run = start();
    signal(run.runner(), "STOP");
    signal(run.watchdog(), "KILL");
    assert!(eventually(AT_ONCE, || run.everything().is_empty()), "left: {:?}", run.everything());
}

#[test]
fn a_killed_runner_takes_all_with_it() {
    let mut run = start();
    signal(run.runner(), "KILL");
    assert!(eventually(AT_ONCE, || run.alive().is_empty()), "left: {:?}", run.alive());
    assert_eq!(exit_code(&mut run), Some(70));
    assert_eq!(end_of(&run).map(|end| end.cause), Some(EndCause::Died));
    assert!(run.everything().is_empty());
}

#[test]
fn time_is_a_limit() {
    let mut run = NastyRun::start(&watchdog(), runner(), 4).expect("the run starts");
    assert_eq!(exit_code(&mut run), Some(14));
    assert!(run.everything().is_empty());
    assert_eq!(end_of(&run).map(|end| end.cause), Some(EndCause::Time));
}

#[test]
fn nothing_starts_under_halt() {
    let run = start();
    run.halt().expect("halted");
    assert!(eventually(SOON, || run.everything().is_empty()));
    let halt = run.home.path().join("HALT");
    let planted = run.home.path().join("planted");
    let mut command = Command::new(watchdog());
    command
        .arg("--run-dir")
        .arg(run.run_dir())
        .arg("--halt")
        .arg(halt)
        .arg("--armed")
        .arg(run.home.path().join("ARMED"));
    command.args(["--max-seconds", "9", "--", "touch"]).arg(&planted);
    assert_eq!(command.status().expect("the watchdog").code(), Some(10));
    assert!(!planted.exists());
    fs::remove_file(run.home.path().join("HALT")).expect("resumed");
    assert_eq!(command.status().expect("the watchdog").code(), Some(0), "the control: without HALT it starts");
    assert!(planted.exists());
}

#[test]
fn control_killing_the_group_leaves_survivors() {
    let marker = format!("nasty-control-{}", std::process::id());
    let mut command = Command::new("setsid");
    command.args(["sh", "-c", &tree(&marker)]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut shell = command.spawn().expect("a tree outside of any box");
    assert!(eventually(SOON, || marked(&marker).len() >= 14));
    let group = format!("-{}", shell.id());
    let _ = Command::new("kill").args(["-s", "KILL", "--", &group]).status();
    shell.wait().expect("collected");
    let left = marked(&marker).len();
    assert!(eventually(SOON, || {
        marked(&marker).into_iter().for_each(|pid| signal(pid, "KILL"));
        marked(&marker).is_empty()
    }));
    assert!(left > 0, "the tree is not nasty enough to prove anything");
}

/// A child that waits until it is told to end.
fn bystander() -> (Child, InitRecord) {
    let child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat");
    let pid = i32::try_from(child.id()).expect("a pid");
    let stat = lease::ProcStat::parse(&fs::read(format!("/proc/{pid}/stat")).expect("stat")).expect("legible");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("boot");
    (child, InitRecord { pid, start: stat.start, boot: boot.trim().to_owned() })
}

#[test]
fn a_stranger_in_the_list_is_never_killed() {
    let run = start();
    let (mut stranger, mut wrong) = bystander();
    let (mut meant, right) = bystander();
    wrong.start += 1;
    let inits = run.run_dir().join(lease::INITS);
    let mut lines = fs::read(&inits).expect("inits");
    lines.extend(
        format!("{}{}{}", wrong.line(), right.line(), InitRecord { boot: "x".into(), ..wrong.clone() }.line()).bytes(),
    );
    fs::write(&inits, lines).expect("written");
    signal(run.runner(), "STOP");
    run.halt().expect("halted");
    assert!(eventually(SOON, || run.everything().is_empty()));
    meant.wait().expect("the control: the one whose record is right was killed");
    assert!(stranger.try_wait().expect("asked").is_none(), "the stranger lives");
    stranger.kill().expect("killed");
    stranger.wait().expect("collected");
}

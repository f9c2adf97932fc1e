//! A run under its real watchdog whose agent does what it can to outlive it, and counting who is left.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use loopwright_core::lease::{HaltNote, moment};
use loopwright_engine::halt::{self, HaltFiles, HaltLevel};
use loopwright_engine::launch::{LaunchSpec, Launched, launch};
use tempfile::TempDir;

/// The shell text of an agent that ignores signals, leaves its group and session, forks twice and goes on forking.
/// Every process of it has `marker` in its command line.
pub fn tree(marker: &str) -> String {
    let deaf = "trap '' TERM INT HUP";
    let leaf = format!("{deaf}; while :; do sleep 5; done # {marker}");
    let hopper = format!("{deaf}; while :; do sh -c 'sleep 0.05 # {marker}'; done # {marker}");
    let twice = format!("({deaf}; setsid sh -c \"$LEAF\" & ) & # {marker}");
    format!(
        "{deaf}; LEAF=\"{leaf}\"; HOPPER=\"{hopper}\"; export LEAF HOPPER\n\
         for i in 1 2 3 4; do setsid sh -c \"$LEAF\" & sh -c \"$HOPPER\" & {twice}\ndone\n\
         while :; do sleep 1; done # {marker}"
    )
}

/// The processes of this machine with `marker` in command line or environment.
pub fn marked(marker: &str) -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let me = i32::try_from(std::process::id()).unwrap_or(0);
    let has = |pid: &i32| {
        ["cmdline", "environ"].iter().any(|file| {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&bytes).contains(marker)
        })
    };
    numbers.filter(|pid| *pid != me && has(pid)).collect()
}

/// The processes of this machine that are about to be gone. Their command line is gone already, so [`marked`] does not see
/// them, while another thread of theirs may still hold files and locks.
pub fn leaving() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(|pid| threads(*pid).iter().any(|(_, flags)| flags & EXITING != 0) && !is_gone(*pid)).collect()
}

/// Whether nothing of a process is left but its end.
pub fn is_gone(pid: i32) -> bool {
    threads(pid).iter().all(|(state, _)| matches!(state, 'Z' | 'X'))
}

/// The flag of the kernel for a thread that is on its way out (`PF_EXITING`).
const EXITING: u32 = 4;

/// State and flags of each thread of a process, by proc(5).
fn threads(pid: i32) -> Vec<(char, u32)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let read = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        // The name before it may hold blanks and brackets.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        Some((fields.next()?.chars().next()?, fields.nth(5)?.parse().ok()?))
    };
    tasks.filter_map(read).collect()
}

/// Waits until `holds`; false after `limit`.
pub fn eventually(limit: Duration, holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + limit;
    while !holds() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::yield_now();
    }
    true
}

/// Sends a signal by name to a process.
pub fn signal(pid: i32, name: &str) {
    let _ = Command::new("kill").args(["-s", name, &pid.to_string()]).status();
}

/// A run of the nasty tree in a box, under its watchdog.
pub struct NastyRun {
    /// State home and run directory; gone with this.
    pub home: TempDir,
    /// What every process of the tree has in its command line.
    pub marker: String,
    /// The watchdog.
    pub launched: Launched,
}

impl NastyRun {
    /// Starts it and waits until the tree has grown.
    ///
    /// # Errors
    /// If it can't be started, or does not grow.
    pub fn start(watchdog: &Path, runner: &Path, max_seconds: u64) -> anyhow::Result<NastyRun> {
        let home = tempfile::tempdir()?;
        let note = HaltNote { at: moment(Duration::ZERO), by: "test".to_owned(), reason: "new".to_owned() };
        halt::arm(home.path(), &note)?;
        let marker = format!("nasty-{}", home.path().file_name().unwrap_or_default().display());
        let run_dir = home.path().join("run");
        let halts = vec![(HaltLevel::All, halt::halt_all(home.path()))];
        let files = HaltFiles { halts, armed: Some(halt::armed(home.path())) };
        let mut words: Vec<OsString> = vec![runner.into(), "run".into(), run_dir.clone().into()];
        words.extend([files.halts[0].1.clone().into(), halt::armed(home.path()).into(), "--".into()]);
        words.extend(["sh".into(), "-c".into(), tree(&marker).into()]);
        let launched = launch(&LaunchSpec {
            watchdog: watchdog.to_owned(),
            run_dir,
            halt: files,
            max_seconds,
            boot_grace: 30,
            runner: words,
            finally: None,
            claim: None,
        })?;
        let run = NastyRun { home, marker, launched };
        anyhow::ensure!(run.grows(), "the tree did not grow: {}", run.said());
        Ok(run)
    }

    fn grows(&self) -> bool {
        eventually(Duration::from_secs(20), || self.alive().len() >= 14)
    }

    fn said(&self) -> String {
        fs::read_to_string(self.run_dir().join("runner.err")).unwrap_or_default()
    }

    /// The run directory.
    pub fn run_dir(&self) -> PathBuf {
        self.home.path().join("run")
    }

    /// The tree's processes that live (the runner and its watchdog, whose command lines name the tree too, not counted).
    pub fn alive(&self) -> Vec<i32> {
        let own = |pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            !line.contains("box_runner") && !line.contains("bwrap")
        };
        marked(&self.marker).into_iter().filter(own).collect()
    }

    /// Everything that belongs to the run: the tree, bubblewrap, the runner, the watchdog.
    pub fn everything(&self) -> Vec<i32> {
        marked(&self.marker)
    }

    /// The watchdog's number.
    pub fn watchdog(&self) -> i32 {
        i32::try_from(self.launched.watchdog.id()).unwrap_or(0)
    }

    /// The runner's number.
    pub fn runner(&self) -> i32 {
        let children = |pid: &i32| {
            let stat = fs::read(format!("/proc/{pid}/stat")).ok();
            stat.and_then(|s| loopwright_core::lease::ProcStat::parse(&s)).is_some_and(|s| s.parent == self.watchdog())
        };
        self.everything().into_iter().find(children).unwrap_or(0)
    }

    /// Writes HALT.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn halt(&self) -> anyhow::Result<()> {
        let note = HaltNote { at: moment(Duration::ZERO), by: "test".to_owned(), reason: "stop".to_owned() };
        halt::write(&halt::halt_all(self.home.path()), &note)
    }
}

impl Drop for NastyRun {
    fn drop(&mut self) {
        for pid in self.everything() {
            signal(pid, "KILL");
        }
        let _ = self.launched.watchdog.wait();
    }
}

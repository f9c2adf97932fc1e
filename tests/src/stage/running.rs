//! A verb that runs beside the test, and the processes of its run.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Child;

use serde_json::Value;

use super::{Answer, Stage, wait_for};
use crate::nasty::{marked, signal};

/// A verb that has not ended yet.
pub struct Running {
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Running {
    /// Sends the verb's own process a signal by name.
    pub fn signal(&self, name: &str) {
        signal(i32::try_from(self.child.id()).expect("a process number"), name);
    }

    /// Waits for its end.
    pub fn end(mut self) -> Answer {
        let status = wait_for("the verb to end", || self.child.try_wait().expect("a child"));
        let text = |path| fs::read_to_string(path).expect("its output");
        Answer { code: status.code().unwrap_or(-1), out: text(&self.out), err: text(&self.err) }
    }
}

impl Stage {
    /// Starts a verb with `--json` and does not wait for it.
    pub fn start(&self, words: &[&str]) -> Running {
        let number = next_number();
        let (out, err) = (self.beside(&format!("out-{number}")), self.beside(&format!("err-{number}")));
        let file = |path| File::create(path).expect("a file for its output");
        let child = self.command(words).arg("--json").stdout(file(&out)).stderr(file(&err)).spawn();
        Running { child: child.expect("the program starts"), out, err }
    }

    /// Waits until a process has `word` in its command line.
    pub fn wait_for_process(&self, word: &str) {
        wait_for(word, || (!self.with(word).is_empty()).then_some(()));
    }

    /// The processes of this stage with `word` in their command line.
    pub fn with(&self, word: &str) -> Vec<i32> {
        let has = |pid: &i32| command_line(*pid).contains(word);
        self.processes().into_iter().filter(has).collect()
    }

    /// All processes of this stage: those of its home, and those in its boxes.
    pub fn processes(&self) -> Vec<i32> {
        marked(&self.mark)
    }

    /// The watchdog of the only run.
    pub fn watchdog(&self) -> i32 {
        wait_for("the watchdog", || self.watchdog_now())
    }

    /// The watchdog of the only run, if it lives.
    pub fn watchdog_now(&self) -> Option<i32> {
        self.processes().into_iter().find(|pid| name(*pid).starts_with("loopwright-watc"))
    }

    /// The runner of the only run.
    pub fn runner(&self) -> i32 {
        wait_for("the runner", || self.runner_now())
    }

    /// The runner of the only run, if it lives. Its words stand in its watchdog's command line too.
    pub fn runner_now(&self) -> Option<i32> {
        self.with("__run").into_iter().find(|pid| name(*pid) == "loopwright")
    }

    /// The only run as it is listed, once it has ended.
    pub fn ended(&self) -> Value {
        wait_for("the run to end", || {
            let rows = self.verb(&["runs"]).exits(0).json();
            let row = rows.get(0)?.clone();
            (!row["end"].is_null()).then_some(row)
        })
    }
}

fn command_line(pid: i32) -> String {
    String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
}

fn name(pid: i32) -> String {
    let stat = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
    String::from_utf8_lossy(&stat).trim().to_owned()
}

/// A number that no other call of this process gets.
fn next_number() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

//! Fail points: places at which a test kills a process for good, to see that nothing is lost and nothing is done twice.
//!
//! In a release build they are nothing at all. What each kill must leave behind is the tests' affair.

/// Every place: those of a migration, then in the order in which one run and its approval pass them.
pub const POINTS: [&str; 41] = [
    "migration-backed-up",
    "migration-step",
    "occurrence-claimed",
    "watchdog-started",
    "lock-taken",
    "run-started",
    "step-intent",
    "workspace-made",
    "box-recorded",
    "box-running",
    "box-ended",
    "base-kept",
    "triage-written",
    "agent-answered",
    "attempt-imported",
    "attempt-ref",
    "workspace-in-trash",
    "ship-ref",
    "ship-update-ref",
    "step-acted",
    "step-result",
    "run-ending",
    "run-ended",
    "finally-begun",
    "finally-intent",
    "finally-acted",
    "finally-result",
    "finally-ending",
    "finally-ended",
    "last-steps",
    "taking-up",
    "taken-up",
    "end-written",
    "due-claimed",
    "approved-written",
    "landing-begun",
    "branch-moved",
    "checkout-written",
    "merged-written",
    "notice-intended",
    "notice-sent",
];

/// Names the place, and the pass at which it strikes: `step-intent` or `step-intent#3`.
pub const AT: &str = "LOOPWRIGHT_FAIL_AT";
/// Names who is killed: `self` (the process that comes by; default), `runner` (the same where it is the process of a run),
/// `watchdog` (its parent) or `agent` (every sandbox of its run). `stop` only stops the process that comes by.
/// Each process counts its own passes; where nobody of that kind lives the place is passed, and the next pass strikes.
pub const KILLS: &str = "LOOPWRIGHT_FAIL_KILLS";
/// Names a file that is created as the place strikes, with the place and a line `KIND PID` for each process that is struck:
/// `watchdog`, `agent`, or the first word of the command line. Where it exists nothing strikes any more.
pub const ONCE: &str = "LOOPWRIGHT_FAIL_ONCE";

/// Passes the place `name`.
#[cfg(all(debug_assertions, target_os = "linux"))]
pub fn point(name: &str) {
    armed::pass(name);
}

/// Passes the place `name`.
#[cfg(not(all(debug_assertions, target_os = "linux")))]
#[inline(always)]
pub fn point(_name: &str) {}

/// Says whose sandboxes `agent` means.
#[cfg(all(debug_assertions, target_os = "linux"))]
pub(crate) fn of_run(dir: &std::path::Path) {
    // A process is one run's alone; a test that takes several means the first.
    let _ = armed::RUN_DIR.set(dir.to_owned());
}

/// Says whose sandboxes `agent` means.
#[cfg(not(all(debug_assertions, target_os = "linux")))]
#[inline(always)]
pub(crate) fn of_run(_dir: &std::path::Path) {}

#[cfg(all(debug_assertions, target_os = "linux"))]
mod armed {
    use std::fs::OpenOptions;
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use rustix::process::{self, Pid, Signal};

    /// The verb that is the process of a run.
    const RUNNER: &str = "__run";

    /// The run that this process is.
    pub(super) static RUN_DIR: OnceLock<PathBuf> = OnceLock::new();
    static PASSES: AtomicU32 = AtomicU32::new(0);

    pub(super) fn pass(name: &str) {
        let Ok(wanted) = std::env::var(super::AT) else { return };
        let (at, pass) = wanted.split_once('#').unwrap_or((&wanted, "1"));
        let counts = |pass: u32| PASSES.fetch_add(1, Ordering::SeqCst) + 1 >= pass;
        if at == name && pass.parse().is_ok_and(counts) {
            strike(name, &std::env::var(super::KILLS).unwrap_or_default());
        }
    }

    /// Whether there is somebody to strike, and this is the first time of all: the file is created by nobody but us.
    fn first(name: &str, kind: &str, victims: &[i32]) -> bool {
        let Some(path) = std::env::var_os(super::ONCE).filter(|_| !victims.is_empty()) else { return false };
        let text = victims.iter().fold(name.to_owned(), |text, pid| format!("{text}\n{kind} {pid}"));
        let file = OpenOptions::new().write(true).create_new(true).open(path);
        file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes())).is_ok()
    }

    fn strike(name: &str, whom: &str) {
        let own = process::getpid();
        let kind = std::env::args().nth(1).unwrap_or_default();
        match whom {
            "agent" => {
                let mut boxes = RUN_DIR.get().map(|dir| crate::ending::sandboxes(dir)).unwrap_or_default();
                boxes.retain(|held| !held.gone());
                let pids: Vec<i32> = boxes.iter().map(|held| held.record.pid).collect();
                if first(name, whom, &pids) {
                    boxes.iter().for_each(crate::os::Held::kill);
                }
            }
            "watchdog" => {
                let parent = process::getppid().filter(is_watchdog);
                if let Some(pid) = parent.filter(|pid| first(name, whom, &[pid.as_raw_pid()])) {
                    kill_for_good(pid);
                }
            }
            "runner" if kind != RUNNER => {}
            _ if !first(name, &kind, &[own.as_raw_pid()]) => {}
            // It goes on where somebody says so.
            "stop" => drop(process::kill_process(own, Signal::STOP)),
            _ => kill_for_good(own),
        }
    }

    /// Nobody else's parent is killed.
    fn is_watchdog(pid: &Pid) -> bool {
        let name = std::fs::read_to_string(format!("/proc/{}/comm", pid.as_raw_pid())).unwrap_or_default();
        // The kernel keeps the first 15 bytes.
        !name.trim().is_empty() && crate::launch::WATCHDOG.starts_with(name.trim())
    }

    /// Kills, and goes on no more: a runner dies with its watchdog.
    fn kill_for_good(pid: Pid) {
        let _ = process::kill_process(pid, Signal::KILL);
        loop {
            std::thread::park();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn read_all(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                read_all(&path, text);
            } else if path.extension().is_some_and(|e| e == "rs") {
                text.push_str(&fs::read_to_string(&path).expect("a source file"));
            }
        }
    }

    #[test]
    fn every_point_stands_in_the_source_and_every_place_is_listed() {
        let mut source = String::new();
        read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut source);
        let call = "fail::point(\"";
        let mut placed: Vec<&str> =
            source.split(call).skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name).collect();
        // The quotation above is no place.
        placed.retain(|name| !name.starts_with(')') && !name.starts_with(';'));
        placed.sort_unstable();
        placed.dedup();
        let mut listed = POINTS.to_vec();
        listed.sort_unstable();
        assert_eq!(placed, listed);
    }
}

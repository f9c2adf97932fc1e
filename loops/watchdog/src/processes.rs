//! Finding and killing processes, never a stranger: each is held by a descriptor before it is looked at and killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use loopwright_core::lease::{self, InitRecord, ProcStat};
use rustix::process::{self, Pid, PidfdFlags, Signal, WaitOptions};

/// Kills every living sandbox that `inits` of this run directory names, and returns how many.
pub(crate) fn kill_sandboxes(run_dir: &Path, boot: &str) -> u32 {
    let text = fs::read(run_dir.join(lease::INITS)).unwrap_or_default();
    let killed = lease::parse_inits(&text).into_iter().filter(|record| kill_recorded(record, boot));
    u32::try_from(killed.count()).unwrap_or(u32::MAX)
}

/// The identity of this boot; empty, which no record is, if that is unknown.
pub(crate) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// The record of this process.
pub(crate) fn own_record(boot: &str) -> Option<InitRecord> {
    let pid = process::getpid().as_raw_pid();
    Some(InitRecord { pid, start: stat(pid)?.start, boot: boot.to_owned() })
}

fn kill_recorded(record: &InitRecord, boot: &str) -> bool {
    record.boot == boot && kill(record.pid, |stat| stat.start == record.start)
}

/// Kills all descendants of this process but `spared`, and returns how many were alive.
pub(crate) fn kill_descendants(spared: Option<Pid>) -> u32 {
    let spared = spared.map(Pid::as_raw_pid);
    let mut killed = 0;
    for (pid, start) in descendants(process::getpid().as_raw_pid()) {
        if Some(pid) != spared && kill(pid, |stat| stat.start == start) {
            killed += 1;
        }
    }
    killed
}

/// Whether any descendant is still there, living or not yet collected.
pub(crate) fn any_descendant() -> bool {
    !descendants(process::getpid().as_raw_pid()).is_empty()
}

/// Collects every child that has ended; `kept` is left for its owner.
pub(crate) fn collect(kept: Option<Pid>) {
    let me = process::getpid().as_raw_pid();
    for (pid, stat) in everybody() {
        let dead_child = stat.parent == me && stat.state == 'Z';
        if let Some(child) = Pid::from_raw(pid).filter(|pid| dead_child && Some(*pid) != kept) {
            let _ = process::waitpid(Some(child), WaitOptions::NOHANG);
        }
    }
}

/// Whether a process runs, and is not stopped or traced.
pub(crate) fn is_running(pid: Pid) -> bool {
    stat(pid.as_raw_pid()).is_some_and(|stat| !matches!(stat.state, 'T' | 't' | 'Z' | 'X'))
}

/// Kills `pid` if, once it is held, it is the one that is meant; true if it was alive.
fn kill(pid: i32, is_meant: impl Fn(&ProcStat) -> bool) -> bool {
    let held = Pid::from_raw(pid).and_then(|pid| process::pidfd_open(pid, PidfdFlags::empty()).ok());
    let Some(held) = held else { return false };
    let meant = stat(pid).is_some_and(|stat| stat.state != 'Z' && is_meant(&stat));
    meant && process::pidfd_send_signal(&held, Signal::KILL).is_ok()
}

fn stat(pid: i32) -> Option<ProcStat> {
    ProcStat::parse(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn everybody() -> BTreeMap<i32, ProcStat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

/// Number and start of everything below `root`. As a subreaper is the parent of all its orphans, nothing gets away from it.
fn descendants(root: i32) -> Vec<(i32, u64)> {
    let all = everybody();
    let mut below = BTreeSet::from([root]);
    let mut found = Vec::new();
    loop {
        let next = all.iter().filter(|(pid, stat)| below.contains(&stat.parent) && !below.contains(pid));
        let next: Vec<(i32, u64)> = next.map(|(pid, stat)| (*pid, stat.start)).collect();
        if next.is_empty() {
            return found;
        }
        below.extend(next.iter().map(|(pid, _)| *pid));
        found.extend(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    fn cat() -> (Child, i32) {
        let child = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat");
        let pid = i32::try_from(child.id()).expect("a pid");
        (child, pid)
    }

    #[test]
    fn a_stranger_with_the_same_number_lives() {
        let (mut child, pid) = cat();
        let start = stat(pid).expect("it lives").start;
        let boot = boot_id();
        let record = |start, boot: &str| InitRecord { pid, start, boot: boot.to_owned() };
        assert!(!kill_recorded(&record(start + 1, &boot), &boot), "another start");
        assert!(!kill_recorded(&record(start, "other"), &boot), "another boot");
        assert!(child.try_wait().expect("asked").is_none(), "it still lives");
        assert!(kill_recorded(&record(start, &boot), &boot), "the very one: the control");
        child.wait().expect("collected");
        assert!(!kill_recorded(&record(start, &boot), &boot), "gone");
    }

    #[test]
    fn descendants_are_children_and_their_children() {
        let (mut child, pid) = cat();
        let start = stat(pid).expect("it lives").start;
        assert!(descendants(process::getpid().as_raw_pid()).contains(&(pid, start)));
        assert!(!descendants(pid).iter().any(|(p, _)| *p == pid));
        child.kill().expect("killed");
        child.wait().expect("collected");
    }
}

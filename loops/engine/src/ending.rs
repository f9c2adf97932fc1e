//! Ending a run from outside, where its watchdog does not: whoever halts needs nobody's help.
//!
//! Each process is held and compared with its record before it is killed, so that a stranger with its number lives.

use std::fs;
use std::path::Path;

use chrono::{DateTime, Utc};
use loopwright_core::lease::{self, End, EndCause, InitRecord};

use crate::lease::{is_free, is_unclaimed, replace};
use crate::os::{self, Held};

/// Whether anything holds the run of this directory: its runner by the lock, its watchdog, which lives longer at both ends,
/// or by the claim whoever is about to start them.
pub fn lives(run_dir: &Path) -> bool {
    // A lock that can't be tried may be held.
    let free = is_free(run_dir).unwrap_or(false) && is_unclaimed(run_dir).unwrap_or(false);
    !free || watched(run_dir)
}

/// Takes hold of everything that lives in the sandboxes that are written down in this directory.
pub(crate) fn in_sandboxes(run_dir: &Path) -> Vec<Held> {
    sandboxes(run_dir).iter().flat_map(os::members).collect()
}

/// Takes hold of the first process of each sandbox that is written down in this directory.
pub(crate) fn sandboxes(run_dir: &Path) -> Vec<Held> {
    records(run_dir, lease::INITS).iter().filter_map(Held::recorded).collect()
}

/// Kills the sandboxes that are written down in this directory.
pub fn end_sandboxes(run_dir: &Path) {
    end_sandboxes_unless(run_dir, || false);
}

/// Kills the sandboxes that are written down in this directory, but not those of `finally:` steps.
pub fn end_sandboxes_of_run(run_dir: &Path) {
    end_sandboxes_unless(run_dir, || finishes(run_dir));
}

/// What is held before `spared` is asked belongs to what there was before: whatever begins meanwhile is not meant.
fn end_sandboxes_unless(run_dir: &Path, spared: impl FnOnce() -> bool) {
    let held = sandboxes(run_dir);
    if !spared() {
        held.iter().for_each(Held::kill);
    }
}

/// Whether the run of this directory has come to its end, and its watchdog now lets its `finally:` steps run.
pub fn finishes(run_dir: &Path) -> bool {
    let marked = records(run_dir, lease::FINALLY);
    watchdog(run_dir).is_some_and(|held| marked.contains(&held.record))
}

/// Kills the sandboxes, the watchdog and its children, one of which is the runner; leaves word that the run was halted.
/// Also where all of them are stopped.
pub fn end_processes(run_dir: &Path, now: DateTime<Utc>) {
    end_sandboxes(run_dir);
    let Some(watchdog) = watchdog(run_dir) else { return };
    let end = End { cause: EndCause::Halted, killed: 0, at: now };
    // On a full disk there is none, and the run ends all the same.
    let _ = serde_json::to_vec(&end).map(|json| replace(run_dir, lease::END, &json));
    let children = os::children_of(&watchdog);
    // First, or it would still see the runner die and write another end over ours.
    watchdog.kill();
    children.iter().for_each(Held::kill);
}

/// Whether the run of this directory has a watchdog that lives.
pub fn watched(run_dir: &Path) -> bool {
    watchdog(run_dir).is_some()
}

/// The watchdog of this directory, if it lives.
pub(crate) fn watchdog(run_dir: &Path) -> Option<Held> {
    let recorded = records(run_dir, lease::WATCHDOG).first().and_then(Held::recorded);
    recorded.filter(|held| !held.gone())
}

fn records(run_dir: &Path, file: &str) -> Vec<InitRecord> {
    lease::parse_inits(&fs::read(run_dir.join(file)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    fn bystander() -> (Child, InitRecord) {
        // A shell with a child of its own; both end with the input.
        let mut command = Command::new("sh");
        let child = command.args(["-c", "cat; true"]).stdin(Stdio::piped()).spawn().expect("sh");
        let pid = i32::try_from(child.id()).expect("a pid");
        let start = os::process_stat(pid).expect("it lives").start;
        (child, InitRecord { pid, start, boot: os::boot_id().expect("a boot") })
    }

    fn written(record: &InitRecord) -> tempfile::TempDir {
        let run = tempfile::tempdir().expect("a folder");
        fs::write(run.path().join(lease::WATCHDOG), record.line()).expect("written");
        run
    }

    #[test]
    fn the_very_watchdog_is_ended_and_halted_is_left_as_the_cause() {
        let (mut child, record) = bystander();
        let run = written(&record);
        assert!(lives(run.path()));
        end_processes(run.path(), DateTime::UNIX_EPOCH);
        assert!(!child.wait().expect("ended").success());
        assert!(!lives(run.path()));
        let end = fs::read(run.path().join(lease::END)).expect("word of its end");
        assert_eq!(End::parse(&end).map(|e| e.cause), Some(EndCause::Halted));
    }

    #[test]
    fn a_stranger_with_the_watchdogs_number_lives() {
        let (mut child, right) = bystander();
        let other = [
            InitRecord { start: right.start + 1, ..right.clone() },
            InitRecord { boot: "another".to_owned(), ..right.clone() },
        ];
        for record in other {
            let run = written(&record);
            assert!(!lives(run.path()));
            end_processes(run.path(), DateTime::UNIX_EPOCH);
            assert!(!run.path().join(lease::END).exists());
            assert!(child.try_wait().expect("asked").is_none(), "it lives");
        }
        drop(child.stdin.take());
        assert!(child.wait().expect("ended").success(), "by itself, and its child too");
    }
}

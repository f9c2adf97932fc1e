//! What chores wait for: the time, and files of the loop's state folder, which steps may write.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use chrono::{DateTime, Utc};
use loopwright_core::chores::{Observed, files};
use loopwright_core::run::Run;

use crate::os;

/// Looks at what the chores of `run` wait for; `state` is the state folder of its loop.
pub fn observed(run: &Run, state: &Path, now: DateTime<Utc>) -> Observed {
    let wanted = files(run);
    let there = match wanted.is_empty() {
        true => BTreeSet::new(),
        false => there(&wanted, state),
    };
    Observed { now, files: there, ending: BTreeSet::new() }
}

/// Those of `wanted` that are in the folder itself: nothing is looked at through a link.
fn there(wanted: &BTreeSet<&str>, state: &Path) -> BTreeSet<String> {
    let Ok(folder) = File::open(state) else { return BTreeSet::new() };
    wanted.iter().filter(|path| os::is_beneath(&folder, state, path)).map(|path| (*path).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_counts_only_where_it_is() {
        let root = tempfile::tempdir().expect("a folder");
        let state = root.path().join("state");
        std::fs::create_dir_all(state.join("sub")).expect("a folder");
        for name in ["secret", "state/stop", "state/sub/go"] {
            std::fs::write(root.path().join(name), "").expect("a file");
        }
        std::os::unix::fs::symlink(root.path().join("secret"), state.join("link")).expect("a link");
        std::os::unix::fs::symlink(root.path(), state.join("up")).expect("a link");
        std::os::unix::fs::symlink("stop", state.join("own")).expect("a link");
        let of = |names: &[&str]| there(&names.iter().copied().collect(), &state).len();
        assert_eq!(of(&["stop", "sub/go"]), 2);
        assert!(state.join("link").exists() && state.join("up/secret").exists(), "the control: links are followed");
        assert_eq!(of(&["link", "up/secret", "own", "../secret", "absent", "/etc/passwd"]), 0);
    }
}

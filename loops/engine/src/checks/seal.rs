//! Telling whether a checkout is still as it was made, so that one check's code can't prepare the tree for the next.
//!
//! Git is not asked: it overlooks ignored files, empty folders and its own folder, and believes an index.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::WORKSPACE;
use crate::sandbox::{Access, BoxSpec, Limits, Mount, Output, Sandbox};

/// One hash over the names, kinds, modes and link targets of everything, and the inode, size and times of all but folders.
/// The time of the last change (`%C@`) is what counts: the kernel sets it at every write, mapped ones too, and nobody in a box
/// can set it back. So no content has to be read. Folders go without times, that a file may come and go; where the order of
/// names changes by that, the tree is made anew for nothing.
const SEAL: &str = r#"set -eu
find . "$@" -printf '%P %y %m %l ' \( -type d -printf '\0' -o -printf '%i %s %T@ %C@\0' \) | sha256sum
"#;

/// The state of a tree at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal(Vec<u8>);

impl Seal {
    /// Reads a tree inside a box; none if that did not end well, as in a tree that a check made unreadable.
    /// What `mounts` lay over the tree is left out: checks see it read-only.
    ///
    /// # Errors
    /// The sandbox refuses.
    pub fn of(tree: &Path, mounts: &[Mount], sandbox: &dyn Sandbox) -> Result<Option<Seal>> {
        let output = sandbox.run(&spec(tree, mounts)).with_context(|| format!("sealing {}", tree.display()))?;
        Ok(output.ended.well().then_some(Seal(output.stdout)))
    }
}

fn spec(tree: &Path, mounts: &[Mount]) -> BoxSpec {
    let mut argv: Vec<String> = ["/bin/sh", "-c", SEAL, "sh"].map(str::to_owned).to_vec();
    for entry in mounts.iter().filter_map(|m| m.target.strip_prefix(WORKSPACE)?.strip_prefix('/')) {
        argv.extend(["-path".to_owned(), format!("./{}", literal(entry)), "-prune".to_owned(), "-o".to_owned()]);
    }
    BoxSpec {
        label: "seal".to_owned(),
        argv,
        env: BTreeMap::new(),
        cwd: WORKSPACE.to_owned(),
        mounts: vec![Mount { source: tree.to_owned(), target: WORKSPACE.to_owned(), access: Access::ReadOnly }],
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(600), idle: None, output: 1 << 20 },
        stdout: Output::Memory,
    }
}

/// A name as `find` takes it for itself.
fn literal(name: &str) -> String {
    let special = |c: char| matches!(c, '*' | '?' | '[' | ']' | '\\');
    name.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::bubblewrap::for_tests;

    fn in_box(tree: &Path, script: &str) {
        let mut spec = spec(tree, &[]);
        spec.argv = ["sh", "-c", script].map(str::to_owned).to_vec();
        spec.mounts[0].access = Access::Writable;
        assert!(for_tests().run(&spec).expect("a box").ended.well(), "{script}");
    }

    /// A tree with an ignored name, a link and an empty folder.
    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        in_box(folder.path(), "mkdir -p .git/objects empty 'pre [x]'; echo one > a; echo b > .gitignore; ln -s a link");
        folder
    }

    fn sealed(folder: &tempfile::TempDir) -> Option<Seal> {
        let over =
            Mount { source: "/nowhere".into(), target: format!("{WORKSPACE}/pre [x]"), access: Access::ReadOnly };
        Seal::of(folder.path(), &[over], &for_tests()).expect("a box")
    }

    #[test]
    fn every_change_breaks_it() {
        for change in [
            "echo two > a",
            "touch -r a /tmp/t; printf 'two\\n' > a; touch -r /tmp/t a",
            "echo x > b",
            "mkdir c",
            "rmdir empty",
            "chmod +x a",
            "chmod 000 a",
            "ln -sf b link",
            "echo '[core]' > .git/config",
            "echo x > .git/objects/x",
            "rm a; mkfifo a",
        ] {
            let folder = tree();
            let before = sealed(&folder);
            assert!(before.is_some());
            in_box(folder.path(), change);
            assert_ne!(sealed(&folder), before, "{change}");
        }
    }

    #[test]
    fn what_leaves_no_trace_does_not() {
        let folder = tree();
        let before = sealed(&folder);
        for nothing in ["true", "cat a", "echo x > new; rm new", "echo x > 'pre [x]/y'"] {
            in_box(folder.path(), nothing);
            assert_eq!(sealed(&folder), before, "{nothing}");
        }
    }
}

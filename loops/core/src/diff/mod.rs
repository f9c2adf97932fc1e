//! What an attempt changed, as facts; and whether that is reasonable.
//!
//! Computing the facts from commits is *not* here: the engine does it.

use serde::{Deserialize, Serialize};

mod existing;
mod paths;
mod programs;
mod reasonable;
mod secrets;
mod signs;

#[cfg(test)]
pub(crate) mod tests;

pub use existing::{Source, judge_inline_tests};
pub use paths::{LOCKED, Purpose, check_configuration_paths, configures_checks, is_expected, is_test, protected};
pub use programs::judge_programs;
pub use reasonable::{DiffLimits, reasonable};

/// Everything that changed between two commits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffFacts {
    /// One entry per file, sorted by path.
    pub files: Vec<FileChange>,
}

/// One changed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Path in the new tree (in the old one for deleted files), relative to the root.
    pub path: String,
    /// Path in the old tree, if it was renamed.
    pub old_path: Option<String>,
    /// What happened.
    pub kind: ChangeKind,
    /// Git mode before (0 if it did not exist): 0o100644, 0o100755, 0o120000 (link), 0o160000 (submodule).
    pub old_mode: u32,
    /// Git mode after (0 if it is gone).
    pub new_mode: u32,
    /// Whether git sees bytes instead of lines.
    pub binary: bool,
    /// Size of the new content in bytes.
    pub size: u64,
    /// New lines with their number in the new file; empty for binaries.
    pub added: Vec<(u32, String)>,
    /// Removed lines with their number in the old file; empty for binaries.
    pub removed: Vec<(u32, String)>,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// Its content or mode changed.
    Modified,
    /// It has another path.
    Renamed,
}

/// The size of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DiffStat {
    /// Files.
    pub files: u32,
    /// New lines.
    pub added: u32,
    /// Removed lines.
    pub removed: u32,
}

impl FileChange {
    /// Whether it is there after the change.
    pub fn remains(&self) -> bool {
        self.kind != ChangeKind::Deleted
    }
}

impl DiffFacts {
    /// Its size.
    pub fn stat(&self) -> DiffStat {
        let lines = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        DiffStat {
            files: lines(self.files.len()),
            added: lines(self.files.iter().map(|f| f.added.len()).sum()),
            removed: lines(self.files.iter().map(|f| f.removed.len()).sum()),
        }
    }

    /// The changed paths that configure checks, old names too: exactly these are set back to the base before gates run.
    pub fn check_configuration(&self) -> Vec<&str> {
        let paths = self.files.iter().flat_map(|f| [Some(f.path.as_str()), f.old_path.as_deref()]);
        let mut found: Vec<&str> = paths.flatten().filter(|path| configures_checks(path)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Whether nothing changed but white space and blank lines.
    pub fn only_whitespace(&self) -> bool {
        let squeezed = |lines: &[(u32, String)]| -> String {
            lines.iter().flat_map(|(_, l)| l.chars()).filter(|c| !c.is_whitespace()).collect()
        };
        self.files.iter().all(|f| {
            f.kind == ChangeKind::Modified
                && !f.binary
                && f.old_mode == f.new_mode
                && squeezed(&f.added) == squeezed(&f.removed)
        })
    }
}

impl std::fmt::Display for DiffStat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let files = if self.files == 1 { "file" } else { "files" };
        write!(f, "+{} −{} in {} {files}", self.added, self.removed, self.files)
    }
}

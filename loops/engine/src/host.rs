//! What the process was started with, read once at the edge and handed down.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The environment of the process.
#[derive(Clone, Debug, Default)]
pub struct HostEnvironment {
    /// All variables that are UTF-8.
    pub vars: BTreeMap<String, String>,
    /// The working directory.
    pub cwd: PathBuf,
}

impl HostEnvironment {
    /// That of this process.
    pub fn of_process() -> HostEnvironment {
        let vars =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        HostEnvironment { vars, cwd: std::env::current_dir().unwrap_or_default() }
    }

    /// A variable.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// The person's home folder.
    pub fn home(&self) -> Option<&Path> {
        self.var("HOME").map(Path::new)
    }

    /// The folders of PATH.
    pub fn path(&self) -> Vec<PathBuf> {
        self.var("PATH").map(|p| std::env::split_paths(p).collect()).unwrap_or_default()
    }

    /// Where a program lies.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        self.path().into_iter().map(|dir| dir.join(program)).find(|p| p.is_file())
    }
}

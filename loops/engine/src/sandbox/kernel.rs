//! What of `/proc` lies outside of every namespace: settings and views of the whole machine, which belong to the host's root.
//!
//! Inside, the files of the host's root are owned by the box's user if the engine runs as root; so they are covered by mounts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;

/// Secrets of the kernel that everybody may read on the host.
const SECRET: &[&str] = &["kallsyms", "key-users", "keys", "latency_stats", "sched_debug", "timer_list", "timer_stats"];

/// How the entries of `/proc` are covered in a box; what is in neither list may only be read anyway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Covers {
    /// Seen as they are, but read-only.
    pub(super) read_only: Vec<String>,
    /// Seen as empty files.
    pub(super) empty: Vec<String>,
}

impl Covers {
    /// By rule rather than by name, so that what a module of the kernel adds is covered too.
    /// Processes have numbers and links lead to them: both are the box's own.
    ///
    /// # Errors
    /// If `proc` can't be listed.
    pub(super) fn of(proc: &Path) -> anyhow::Result<Covers> {
        let mut covers = Covers::default();
        let list = || format!("listing {}", proc.display());
        for entry in fs::read_dir(proc).with_context(list)? {
            let entry = entry.with_context(list)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.bytes().all(|b| b.is_ascii_digit()) {
                continue;
            }
            // What vanished meanwhile needs no cover.
            let Ok(found) = entry.metadata() else { continue };
            let mode = found.permissions().mode();
            let path = format!("/proc/{name}");
            match found.file_type() {
                kind if kind.is_dir() => covers.read_only.push(path),
                kind if !kind.is_file() => {}
                _ if mode & 0o004 == 0 || SECRET.contains(&name.as_str()) => covers.empty.push(path),
                _ if mode & 0o222 != 0 => covers.read_only.push(path),
                _ => {}
            }
        }
        covers.read_only.sort();
        covers.empty.sort();
        Ok(covers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_could_be_written_or_is_secret_is_covered() {
        let proc = tempfile::tempdir().expect("a folder");
        let make = |name: &str, mode| {
            let path = proc.path().join(name);
            fs::write(&path, "x").expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
        };
        for (name, mode) in
            [("cpuinfo", 0o444), ("mtrr", 0o644), ("sysrq-trigger", 0o200), ("kcore", 0o400), ("keys", 0o444)]
        {
            make(name, mode);
        }
        for name in ["sys", "irq", "1", "4711"] {
            fs::create_dir(proc.path().join(name)).expect("a folder");
        }
        std::os::unix::fs::symlink("4711", proc.path().join("self")).expect("a link");
        let covers = Covers::of(proc.path()).expect("listed");
        assert_eq!(covers.read_only, ["/proc/irq", "/proc/mtrr", "/proc/sys"]);
        assert_eq!(covers.empty, ["/proc/kcore", "/proc/keys", "/proc/sysrq-trigger"]);
    }
}

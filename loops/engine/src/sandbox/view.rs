//! What a box sees: the rows of its mounts, its environment, and bubblewrap's arguments that make them.
//!
//! By allow-list: nothing of the host is visible that is not named here, in the toolchains or in the box's own spec.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::kernel::Covers;
use super::toolchain::{HOME, Toolchains};
use super::{Access, BoxSpec, Mount};

/// One row of what a box sees of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountRow {
    /// Path on the host; none for what is made for the box alone.
    pub host: Option<PathBuf>,
    /// Path inside.
    pub inside: String,
    /// Whether it may be written.
    pub access: Access,
}

/// Small files that are made for the box: path inside and content.
pub(super) const MADE_FILES: &[(&str, &str)] = &[
    ("/etc/passwd", "agent:x:1000:1000:agent:/home/agent:/bin/sh\n"),
    ("/etc/group", "agent:x:1000:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
];

/// Files and folders of the system besides `/usr` and what is beside it for old programs.
const SYSTEM: &[&str] = &["/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/ssl/openssl.cnf"];
/// On most systems links into `/usr`, on old ones folders.
const BESIDE_USR: &[&str] = &["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
/// Folders that are made for the box and may be written.
const SCRATCH: &[&str] = &["/tmp", HOME];
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// All rows of a box that mounts nothing of its own, in the order in which they are made.
pub fn rows(toolchains: &Toolchains) -> Vec<MountRow> {
    let row = |host: Option<&str>, inside: &str, access| MountRow {
        host: host.map(PathBuf::from),
        inside: inside.to_owned(),
        access,
    };
    let mut rows = vec![row(Some("/usr"), "/usr", Access::ReadOnly)];
    let folders = BESIDE_USR.iter().filter(|path| !Path::new(path).is_symlink());
    for path in folders.chain(SYSTEM).filter(|path| Path::new(path).exists()) {
        rows.push(row(Some(path), path, Access::ReadOnly));
    }
    rows.extend(MADE_FILES.iter().map(|(path, _)| row(None, path, Access::ReadOnly)));
    rows.extend(SCRATCH.iter().map(|path| row(None, path, Access::Writable)));
    rows.extend(toolchains.mounts.iter().map(|mount| MountRow {
        host: Some(mount.source.clone()),
        inside: mount.target.clone(),
        access: mount.access,
    }));
    rows
}

/// Numbers of the descriptors that hold the content of made files; bubblewrap reads each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Contents {
    /// A descriptor for each of [`MADE_FILES`].
    pub(super) made: Vec<i32>,
    /// An empty one for each of [`Covers::empty`].
    pub(super) empty: Vec<i32>,
    /// Folders that are open already, by their places inside.
    pub(super) open: BTreeMap<String, i32>,
}

/// Bubblewrap's arguments for what a box sees.
///
/// # Errors
/// If a mount of the spec can't be made, or something contains a NUL byte.
pub(super) fn arguments(
    spec: &BoxSpec,
    toolchains: &Toolchains,
    covers: &Covers,
    contents: &Contents,
) -> anyhow::Result<Vec<u8>> {
    let mut args = Arguments(Vec::new());
    system(&mut args, &contents.made)?;
    cover(&mut args, covers, &contents.empty)?;
    mounts(&mut args, spec, toolchains, &contents.open)?;
    args.add(["--remount-ro", "/"])?;
    for (name, value) in environment(spec, toolchains) {
        ensure!(!name.is_empty() && !name.contains('='), "`{name}` is not a variable's name");
        args.add(["--setenv", &name, &value])?;
    }
    args.add(["--chdir", &spec.cwd])?;
    Ok(args.0)
}

fn system(args: &mut Arguments, made: &[i32]) -> anyhow::Result<()> {
    for path in BESIDE_USR {
        if let Ok(target) = fs::read_link(path) {
            args.add([OsString::from("--symlink"), target.into(), path.into()])?;
        }
    }
    args.add(["--proc", "/proc", "--dev", "/dev"])?;
    args.add(["--perms", "1777", "--tmpfs", "/tmp", "--dir", "/home", "--perms", "0700", "--tmpfs", HOME])?;
    for ((path, _), fd) in MADE_FILES.iter().zip(made) {
        args.add(["--perms", "0444", "--file", &fd.to_string(), path])?;
    }
    Ok(())
}

/// Bubblewrap itself leaves a folder open that has no write permission, and so every setting below `/proc/sys`.
/// The binds are of the host's `/proc`, whose entries show each process its own namespaces all the same.
fn cover(args: &mut Arguments, covers: &Covers, empty: &[i32]) -> anyhow::Result<()> {
    for path in &covers.read_only {
        args.add(["--ro-bind", path, path])?;
    }
    for (path, fd) in covers.empty.iter().zip(empty) {
        args.add(["--perms", "0444", "--ro-bind-data", &fd.to_string(), path])?;
    }
    Ok(())
}

fn mounts(
    args: &mut Arguments,
    spec: &BoxSpec,
    toolchains: &Toolchains,
    open: &BTreeMap<String, i32>,
) -> anyhow::Result<()> {
    let host = rows(toolchains)
        .into_iter()
        .filter_map(|row| Some(Mount { source: row.host?, target: row.inside, access: row.access }));
    let mut own = spec.mounts.clone();
    own.sort_by(|a, b| a.target.cmp(&b.target));
    for mount in &own {
        check(mount)?;
    }
    for mount in host.chain(own) {
        let how = if mount.access == Access::Writable { "--bind" } else { "--ro-bind" };
        let (how, what) = match open.get(&mount.target) {
            Some(fd) => (format!("{how}-fd"), fd.to_string().into()),
            None => (how.to_owned(), OsString::from(mount.source)),
        };
        args.add([how.into(), what, mount.target.into()])?;
    }
    for (place, target) in &toolchains.links {
        args.add(["--symlink", target, place])?;
    }
    Ok(())
}

/// Refuses what is neither a folder nor a plain file (a socket would lead out), and targets that are not plain paths.
fn check(mount: &Mount) -> anyhow::Result<()> {
    let source = mount.source.display();
    ensure!(mount.source.is_absolute(), "the mount of {source} is not an absolute path");
    let kind = fs::metadata(&mount.source).with_context(|| format!("the mount of {source}"))?.file_type();
    ensure!(kind.is_dir() || kind.is_file(), "{source} is neither a folder nor a file");
    let target = Path::new(&mount.target);
    let plain = target.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
    if !target.is_absolute() || !plain || target.parent().is_none() {
        bail!("{source} can't be mounted at `{}`", mount.target);
    }
    Ok(())
}

/// The whole environment inside: what the toolchains need, over it the spec's, over it the sandbox's own variables.
/// A loop may so lead its tools to downloads of its own (`CARGO_HOME: /state/cargo`); it can reach no more by it.
fn environment(spec: &BoxSpec, toolchains: &Toolchains) -> BTreeMap<String, String> {
    let mut env = toolchains.env.clone();
    env.extend(spec.env.clone());
    let mut path = toolchains.path.clone();
    path.push(PATH.to_owned());
    for (name, value) in [("HOME", HOME), ("TMPDIR", "/tmp"), ("PATH", &path.join(":"))] {
        env.insert(name.to_owned(), value.to_owned());
    }
    env
}

/// Arguments as bubblewrap reads them from a descriptor: each ends in a NUL byte.
struct Arguments(Vec<u8>);

impl Arguments {
    fn add<T: Into<OsString>, const N: usize>(&mut self, words: [T; N]) -> anyhow::Result<()> {
        for word in words {
            let bytes = word.into().into_encoded_bytes();
            ensure!(!bytes.contains(&0), "a path or variable contains a NUL byte");
            self.0.extend(bytes);
            self.0.push(0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Limits, Output};
    use std::time::Duration;

    fn spec(mounts: Vec<Mount>) -> BoxSpec {
        BoxSpec {
            label: "test".to_owned(),
            argv: vec!["true".to_owned()],
            env: [("HOME".to_owned(), "/root".to_owned()), ("A".to_owned(), "b".to_owned())].into(),
            cwd: "/tmp".to_owned(),
            mounts,
            stdin: Vec::new(),
            limits: Limits { wall: Duration::from_secs(1), idle: None, output: 1 },
            stdout: Output::Memory,
        }
    }

    fn words(spec: &BoxSpec) -> Vec<String> {
        let contents =
            Contents { made: vec![7, 8, 9, 10], empty: Vec::new(), open: BTreeMap::from([("/open".to_owned(), 11)]) };
        let bytes = arguments(spec, &Toolchains::default(), &Covers::default(), &contents).expect("arguments");
        String::from_utf8(bytes).expect("text").split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn neither_homes_nor_run_nor_private_keys() {
        let rows = rows(&Toolchains::default());
        for row in rows.iter().filter_map(|r| r.host.as_deref()) {
            for hidden in ["/home", "/root", "/run", "/var", "/etc/ssl/private", "/sys", "/opt", "/srv", "/mnt"] {
                assert!(!Path::new(hidden).starts_with(row) && !row.starts_with(hidden), "{}", row.display());
            }
        }
        let writable: Vec<_> = rows.iter().filter(|r| r.access == Access::Writable).collect();
        assert!(writable.iter().all(|r| r.host.is_none()), "nothing of the host is writable");
    }

    #[test]
    fn what_is_open_is_bound_by_its_descriptor() {
        let mount = |target: &str| Mount { source: "/usr".into(), target: target.to_owned(), access: Access::Writable };
        let words = words(&spec(vec![mount("/open"), mount("/path")])).join(" ");
        assert!(words.contains("--bind-fd 11 /open --bind /usr /path"), "{words}");
    }

    #[test]
    fn the_sandbox_decides_home_and_path() {
        let words = words(&spec(Vec::new()));
        let set = |name: &str| {
            let at = words.iter().position(|w| w == name).expect("the variable");
            words[at + 1].clone()
        };
        assert_eq!(set("HOME"), HOME);
        assert_eq!(set("A"), "b");
        assert_eq!(set("TMPDIR"), "/tmp");
    }

    #[test]
    fn strange_mounts_are_refused() {
        let mount = |source: &str, target: &str| Mount {
            source: PathBuf::from(source),
            target: target.to_owned(),
            access: Access::ReadOnly,
        };
        let (covers, contents) = (Covers::default(), Contents::default());
        let refused = |m| arguments(&spec(vec![m]), &Toolchains::default(), &covers, &contents).is_err();
        assert!(!refused(mount("/usr", "/workspace")));
        for target in ["/", "", "workspace", "/a/../b", "/a\0b"] {
            assert!(refused(mount("/usr", target)), "{target:?}");
        }
        assert!(refused(mount("usr", "/workspace")));
        assert!(refused(mount("/nowhere", "/workspace")));
        assert!(refused(mount("/dev/null", "/workspace")), "a device");
    }
}

//! Turns what a `run:` step is granted into what the sandbox takes: mounts and hosts. The only place that does.
//!
//! What is granted is what the confirmed loop file says; here is what no grant can open: secrets, what Loopwright keeps, the
//! system, and the repository for writing.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use loopwright_core::definition::Grants;
use loopwright_core::definition::places::{OBEYED, SECRET};
use loopwright_core::gateway::HostPort;

use super::{Access, Mount};
use crate::home::Home;
use crate::os::{self, Kept};

/// What one step is granted.
#[derive(Clone, Debug, Default)]
pub struct Granted {
    /// Its paths, at the same place inside.
    pub mounts: Vec<Mount>,
    /// The same, open as they were judged, by their places: nothing can take a place before it is bound.
    pub open: Vec<(String, Arc<Kept>)>,
    /// Its hosts; none = no network at all.
    pub network: Vec<HostPort>,
}

/// Whose places no grant opens.
#[derive(Clone, Copy, Debug)]
pub struct Keeper<'a> {
    /// Loopwright's own places.
    pub home: &'a Home,
    /// The person's home folder.
    pub person: Option<&'a Path>,
    /// The root of the repository that the loop works on; an approval alone writes it.
    pub repo: Option<&'a Path>,
}

/// Places of the system, and those that a box has for itself.
const SYSTEM: &[&str] = &[
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/tmp/.ICE-unix",
    "/tmp/.X11-unix",
    "/var/lib",
    "/var/run",
    "/var/spool",
    "/loop",
    "/loopwright",
    "/state",
    "/toolchain",
    "/workspace",
];

/// What a step is granted, or why a grant can't stand.
///
/// # Errors
/// A path that is not there, leads elsewhere by a link, or may not be granted; a host that is not one.
pub fn granted(grants: &Grants, keeper: &Keeper<'_>) -> Result<Granted> {
    let mut granted = Granted::default();
    for (paths, access) in [(&grants.read, Access::ReadOnly), (&grants.write, Access::Writable)] {
        for path in paths {
            let (mount, fd) = mount(path, access, keeper).with_context(|| format!("the grant of `{path}`"))?;
            granted.open.push((mount.target.clone(), Arc::new(fd)));
            granted.mounts.push(mount);
        }
    }
    // What is both read and written is mounted once.
    let writable: Vec<String> = targets(&granted.mounts, Access::Writable);
    granted.mounts.retain(|mount| mount.access == Access::Writable || !writable.contains(&mount.target));
    for host in &grants.network {
        granted.network.push(HostPort::parse(host).context("the grant of a host")?);
    }
    Ok(granted)
}

fn targets(mounts: &[Mount], access: Access) -> Vec<String> {
    mounts.iter().filter(|mount| mount.access == access).map(|mount| mount.target.clone()).collect()
}

fn mount(text: &str, access: Access, keeper: &Keeper<'_>) -> Result<(Mount, Kept)> {
    let path = written(text, keeper.person)?;
    let real =
        path.canonicalize().with_context(|| format!("{} can't be found; make it, or correct it", path.display()))?;
    ensure!(real == path, "it leads to {} by a link; grant that place itself, if it is meant", real.display());
    let (fd, kind) = os::open_place(&real)?;
    ensure!(kind.is_dir() || kind.is_file(), "it is neither a folder nor a file");
    if let Some(why) = refusal(&real, access, keeper) {
        bail!("{why}; grant a narrower place");
    }
    let target = real.to_str().context("its name is not text")?.to_owned();
    Ok((Mount { source: real, target, access }, fd))
}

/// The path as it is written, `~` being the person's home folder; without anything that leads elsewhere.
fn written(text: &str, person: Option<&Path>) -> Result<PathBuf> {
    let path = match (text.strip_prefix("~/"), text) {
        (Some(rest), _) => person.context("there is no home folder")?.join(rest),
        (None, "~") => person.context("there is no home folder")?.to_owned(),
        (None, _) => PathBuf::from(text),
    };
    let plain = path.components().skip(1).all(|part| matches!(part, Component::Normal(_)));
    ensure!(path.is_absolute() && plain, "write it as `/…` or `~/…`, without `..`");
    // Without a slash at its end.
    Ok(path.components().collect())
}

fn refusal(path: &Path, access: Access, keeper: &Keeper<'_>) -> Option<String> {
    let touches = |place: &Path| {
        let place = place.canonicalize().unwrap_or_else(|_| place.to_owned());
        path.starts_with(&place) || place.starts_with(path)
    };
    let below = |names: &[&str]| {
        let found =
            keeper.person.and_then(|home| names.iter().map(|name| home.join(name)).find(|place| touches(place)));
        found.map(|place| place.display().to_string())
    };
    let Home { config, data, cache, state, .. } = keeper.home;
    if let Some(place) = [config, data, cache, state].into_iter().find(|place| touches(place)) {
        return Some(format!("it would open {}, which Loopwright keeps", place.display()));
    }
    if let Some(place) = SYSTEM.iter().find(|place| path.starts_with(place) || Path::new(place).starts_with(path)) {
        return Some(format!("it would open {place}, a place of the system or of the box itself"));
    }
    if keeper.person.is_some_and(|home| touches(home) && !(path.starts_with(home) && path != home)) {
        return Some("it would open your home folder".to_owned());
    }
    if let Some(place) = below(SECRET) {
        return Some(format!("it would open {place}, where keys or sessions lie"));
    }
    if access == Access::ReadOnly {
        return None;
    }
    if let Some(place) = below(OBEYED) {
        return Some(format!("it could write {place}, which your programs obey"));
    }
    let repo = keeper.repo.filter(|repo| touches(repo));
    repo.map(|repo| format!("it could write {}, the repository, which an approval alone does", repo.display()))
}

#[cfg(test)]
#[path = "grants/tests.rs"]
mod tests;

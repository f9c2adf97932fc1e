//! The toolchains of this machine that a box may read: Rust by rustup; Node, Python and Go outside of `/usr`; and what cargo,
//! npm and Go have downloaded.
//!
//! Only folders that hold a toolchain or downloads and nothing private are named; credentials and configuration never.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Access, Mount};

/// HOME in every box.
pub const HOME: &str = "/home/agent";

/// What of the caller's environment leads to its toolchains; read once, at the edge.
#[derive(Clone, Debug, Default)]
pub struct HostEnvironment {
    /// `PATH`.
    pub path: OsString,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `CARGO_HOME`.
    pub cargo_home: Option<PathBuf>,
    /// `RUSTUP_HOME`.
    pub rustup_home: Option<PathBuf>,
    /// `RUSTUP_TOOLCHAIN`.
    pub rustup_toolchain: Option<String>,
    /// `PYENV_ROOT`.
    pub pyenv_root: Option<PathBuf>,
    /// `PYENV_VERSION`.
    pub pyenv_version: Option<String>,
    /// `GOPATH`.
    pub gopath: Option<PathBuf>,
    /// `GOMODCACHE`.
    pub gomodcache: Option<PathBuf>,
}

/// What a box gets of the machine's toolchains.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Toolchains {
    /// Read-only folders.
    pub mounts: Vec<Mount>,
    /// Folders inside that come first in `PATH`.
    pub path: Vec<String>,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Links inside: where, and what they lead to.
    pub links: Vec<(String, String)>,
}

impl HostEnvironment {
    /// Reads this process's own environment.
    pub fn read() -> HostEnvironment {
        let path = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let text = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        HostEnvironment {
            path: std::env::var_os("PATH").unwrap_or_default(),
            home: path("HOME"),
            cargo_home: path("CARGO_HOME"),
            rustup_home: path("RUSTUP_HOME"),
            rustup_toolchain: text("RUSTUP_TOOLCHAIN"),
            pyenv_root: path("PYENV_ROOT"),
            pyenv_version: text("PYENV_VERSION"),
            gopath: path("GOPATH"),
            gomodcache: path("GOMODCACHE"),
        }
    }

    /// The first file of this name in `PATH`.
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path).map(|folder| folder.join(program)).find(|file| file.is_file())
    }

    fn below_home(&self, name: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(name))
    }

    /// Whether a folder holds more than a toolchain: the home, anything above it, or `~/.local`.
    fn is_private(&self, folder: &Path) -> bool {
        self.home.as_ref().is_some_and(|home| home.starts_with(folder) || folder == home.join(".local"))
    }
}

impl Toolchains {
    /// Looks for the machine's toolchains.
    pub fn detect(host: &HostEnvironment) -> Toolchains {
        let mut found = Toolchains::default();
        rust(host, &mut found);
        node(host, &mut found);
        python(host, &mut found);
        go(host, &mut found);
        found
    }

    /// The same for a box that was granted hosts: programs may fetch, and into folders of the box's own.
    pub fn online(mut self) -> Toolchains {
        self.mounts.retain(|mount| !mount.target.starts_with(HOME));
        for offline in ["CARGO_NET_OFFLINE", "npm_config_offline", "GOPROXY"] {
            self.env.remove(offline);
        }
        self
    }

    fn show(&mut self, source: PathBuf, target: &str) {
        self.mounts.push(Mount { source, target: target.to_owned(), access: Access::ReadOnly });
    }

    fn link(&mut self, place: &Path, target: &str) {
        if let Some(place) = place.to_str() {
            self.links.push((place.to_owned(), target.to_owned()));
        }
    }

    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.env.insert(name.to_owned(), value.into());
    }
}

fn rust(host: &HostEnvironment, found: &mut Toolchains) {
    let cargo_home = host.cargo_home.clone().or_else(|| host.below_home(".cargo"));
    let rustup_home = host.rustup_home.clone().or_else(|| host.below_home(".rustup"));
    if let Some(rustup) = rustup_home.filter(|folder| folder.join("toolchains").is_dir()) {
        if let Some(name) = host.rustup_toolchain.clone().or_else(|| default_toolchain(&rustup)) {
            // Named, so that a box without a network never tries to download what the project's file asks for.
            found.set("RUSTUP_TOOLCHAIN", name);
        }
        found.set("RUSTUP_HOME", "/toolchain/rustup");
        found.set("RUSTUP_AUTO_INSTALL", "0");
        // Linked toolchains name their place on the host.
        found.link(&rustup, "/toolchain/rustup");
        found.show(rustup, "/toolchain/rustup");
    }
    let Some(cargo_home) = cargo_home else { return };
    if cargo_home.join("bin").is_dir() {
        found.path.push("/toolchain/cargo/bin".to_owned());
        found.show(cargo_home.join("bin"), "/toolchain/cargo/bin");
    }
    if found.mounts.is_empty() && host.find("cargo").is_none() {
        return;
    }
    found.set("CARGO_HOME", format!("{HOME}/.cargo"));
    found.set("CARGO_NET_OFFLINE", "true");
    // Downloads alone: what lies beside them may hold tokens.
    for cache in ["registry", "git"] {
        if cargo_home.join(cache).is_dir() {
            found.show(cargo_home.join(cache), &format!("{HOME}/.cargo/{cache}"));
        }
    }
}

/// The line `default_toolchain = "…"` of rustup's settings.
fn default_toolchain(rustup: &Path) -> Option<String> {
    let text = fs::read_to_string(rustup.join("settings.toml")).ok()?;
    let value = text.lines().find_map(|line| line.trim().strip_prefix("default_toolchain"))?;
    let name = value.trim_start().strip_prefix('=')?.trim().trim_matches(['"', '\'']);
    (!name.is_empty()).then(|| name.to_owned())
}

fn node(host: &HostEnvironment, found: &mut Toolchains) {
    let Some(program) = host.find("node") else { return };
    // Downloads alone, as cargo's: settings, and with them tokens, lie elsewhere.
    if let Some(cache) = host.below_home(".npm/_cacache").filter(|folder| folder.is_dir()) {
        found.show(cache, &format!("{HOME}/.npm/_cacache"));
    }
    for (name, value) in [("offline", "true"), ("audit", "false"), ("fund", "false"), ("update_notifier", "false")] {
        found.set(&format!("npm_config_{name}"), value);
    }
    let Some(prefix) = prefix_of(&program) else { return };
    if prefix.starts_with("/usr") || host.is_private(&prefix) {
        return;
    }
    found.path.push("/toolchain/node/bin".to_owned());
    found.show(prefix, "/toolchain/node");
}

fn python(host: &HostEnvironment, found: &mut Toolchains) {
    let Some(prefix) = pyenv_version(host).or_else(|| prefix_of(&host.find("python3")?)) else {
        return;
    };
    if prefix.starts_with("/usr") || host.is_private(&prefix) || !prefix.join("bin/python3").exists() {
        return;
    }
    found.path.push("/toolchain/python/bin".to_owned());
    // Its scripts and libraries name the place where they were installed.
    found.link(&prefix, "/toolchain/python");
    found.show(prefix, "/toolchain/python");
}

fn go(host: &HostEnvironment, found: &mut Toolchains) {
    let Some(prefix) = host.find("go").and_then(|file| prefix_of(&file)) else {
        return;
    };
    if prefix.starts_with("/usr") {
        // As Go's own archive is unpacked: visible, but in no folder where programs are looked for.
        found.path.push(prefix.join("bin").display().to_string());
    } else if host.is_private(&prefix) {
        return;
    } else {
        found.path.push("/toolchain/go/bin".to_owned());
        found.show(prefix, "/toolchain/go");
    }
    found.set("GOPROXY", "off");
    // Never download what the project's file asks for.
    found.set("GOTOOLCHAIN", "local");
    let gopath = host.gopath.clone().or_else(|| host.below_home("go"));
    let downloads = host.gomodcache.clone().or_else(|| Some(gopath?.join("pkg/mod")));
    if let Some(downloads) = downloads.filter(|folder| folder.is_dir()) {
        found.set("GOMODCACHE", format!("{HOME}/go/pkg/mod"));
        found.show(downloads, &format!("{HOME}/go/pkg/mod"));
    }
}

/// The folder of the pyenv version that `python3` stands for; its own file in `PATH` is only a script.
fn pyenv_version(host: &HostEnvironment) -> Option<PathBuf> {
    let root = host.pyenv_root.clone().or_else(|| host.below_home(".pyenv"))?;
    let named = || Some(fs::read_to_string(root.join("version")).ok()?.lines().next()?.to_owned());
    let version = host.pyenv_version.clone().or_else(named)?;
    let version = version.split(':').next()?.trim();
    let folder = root.join("versions").join(version);
    (!version.is_empty() && !version.contains('/') && version != ".." && folder.is_dir()).then_some(folder)
}

/// `/opt/x` for `/opt/x/bin/program`, links followed; none for a script that stands elsewhere.
fn prefix_of(program: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(program).ok()?;
    let bin = real.parent().filter(|folder| folder.ends_with("bin"))?;
    bin.parent().filter(|prefix| prefix.parent().is_some()).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(files: &[&str]) -> (tempfile::TempDir, HostEnvironment) {
        let folder = tempfile::tempdir().expect("a folder");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, "default_toolchain = \"stable-x\"\n").expect("a file");
        }
        let host = HostEnvironment { home: Some(folder.path().to_owned()), ..HostEnvironment::default() };
        (folder, host)
    }

    fn targets(found: &Toolchains) -> Vec<&str> {
        found.mounts.iter().map(|m| m.target.as_str()).collect()
    }

    #[test]
    fn rustup_and_the_download_caches_but_no_credentials() {
        let files = [
            ".rustup/settings.toml",
            ".rustup/toolchains/stable-x/bin/cargo",
            ".cargo/bin/cargo",
            ".cargo/registry/cache/a",
            ".cargo/credentials.toml",
            ".cargo/config.toml",
        ];
        let (_folder, host) = home(&files);
        let found = Toolchains::detect(&host);
        assert_eq!(targets(&found), ["/toolchain/rustup", "/toolchain/cargo/bin", "/home/agent/.cargo/registry"]);
        assert_eq!(found.env["RUSTUP_TOOLCHAIN"], "stable-x");
        assert_eq!(found.env["CARGO_NET_OFFLINE"], "true");
        assert!(found.mounts.iter().all(|m| m.access == Access::ReadOnly));
    }

    #[test]
    fn node_by_its_prefix_unless_that_is_private() {
        let (folder, mut host) = home(&["opt/node/bin/node", ".local/bin/node", "bin/node"]);
        for (bin, shown) in [("opt/node/bin", true), (".local/bin", false), ("bin", false)] {
            host.path = folder.path().join(bin).into();
            assert_eq!(targets(&Toolchains::detect(&host)).contains(&"/toolchain/node"), shown, "{bin}");
        }
    }

    #[test]
    fn python_of_pyenv() {
        let (folder, mut host) = home(&[".pyenv/versions/3.11.7/bin/python3"]);
        assert!(Toolchains::detect(&host).mounts.is_empty(), "no version is chosen");
        fs::write(folder.path().join(".pyenv/version"), "3.11.7\n").expect("a choice");
        assert_eq!(targets(&Toolchains::detect(&host)), ["/toolchain/python"]);
        host.pyenv_version = Some("../..".to_owned());
        assert!(Toolchains::detect(&host).mounts.is_empty());
    }

    #[test]
    fn go_where_it_is_and_its_downloads() {
        let files = ["sdk/go/bin/go", "go/pkg/mod/cache/download/a", "go/bin/tool", ".config/go/env", ".netrc"];
        let (folder, mut host) = home(&files);
        host.path = folder.path().join("sdk/go/bin").into();
        let found = Toolchains::detect(&host);
        assert_eq!(targets(&found), ["/toolchain/go", "/home/agent/go/pkg/mod"]);
        assert_eq!((found.env["GOPROXY"].as_str(), found.env["GOTOOLCHAIN"].as_str()), ("off", "local"));
        host.gomodcache = Some(folder.path().join("nowhere"));
        assert_eq!(targets(&Toolchains::detect(&host)), ["/toolchain/go"]);
    }

    #[test]
    fn what_npm_downloaded_but_not_its_settings() {
        let (folder, mut host) = home(&["opt/node/bin/node", ".npm/_cacache/index-v5/a", ".npm/_logs/a", ".npmrc"]);
        assert!(Toolchains::detect(&host).mounts.is_empty(), "without node there is nobody to use it");
        host.path = folder.path().join("opt/node/bin").into();
        let found = Toolchains::detect(&host);
        assert_eq!(targets(&found), ["/home/agent/.npm/_cacache", "/toolchain/node"]);
        assert_eq!(found.env["npm_config_offline"], "true");
        assert!(found.mounts.iter().all(|m| m.access == Access::ReadOnly));
    }

    #[test]
    fn nothing_where_nothing_is() {
        assert_eq!(Toolchains::detect(&HostEnvironment::default()), Toolchains::default());
    }
}

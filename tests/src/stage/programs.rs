//! The programs under test, built once by whoever comes first.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Where they are.
#[derive(Debug)]
pub struct Programs {
    /// `loopwright`.
    pub loopwright: PathBuf,
    /// `loopwright-watchdog`.
    pub watchdog: PathBuf,
}

/// The programs of the same build as this test.
///
/// # Panics
/// They can't be built.
pub fn programs() -> &'static Programs {
    static BUILT: OnceLock<Programs> = OnceLock::new();
    BUILT.get_or_init(build)
}

/// Whether whoever runs the tests built the programs just before (`make test`): in one go with everything else, their
/// dependencies are not built twice.
pub fn are_built() -> bool {
    std::env::var_os("LOOPWRIGHT_PROGRAMS").is_some_and(|how| how == "built")
}

/// They belong to other packages, so cargo does not build them for these tests by itself; its own lock orders us.
fn build() -> Programs {
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("target/<profile>/deps");
    if let Some(cargo) = std::env::var_os("CARGO").filter(|_| !are_built()) {
        let mut command = Command::new(cargo);
        command.args([
            "build",
            "--quiet",
            "--offline",
            "-p",
            "loopwright",
            "-p",
            "loopwright-watchdog",
            "-p",
            "loopwright-box",
        ]);
        if folder.ends_with("release") {
            command.arg("--release");
        }
        assert!(command.status().expect("cargo starts").success(), "the programs don't build");
    }
    let programs = Programs { loopwright: folder.join("loopwright"), watchdog: folder.join("loopwright-watchdog") };
    for path in [&programs.loopwright, &programs.watchdog] {
        assert!(path.is_file(), "{} is missing; build it with `cargo build`", path.display());
    }
    programs
}

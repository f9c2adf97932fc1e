//! The program under test, built once by whoever comes first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// `loopwright-tray` of the same build as this test; the other programs are `loopwright_tests::stage::programs`.
///
/// # Panics
/// It can't be built.
pub fn tray_program() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build)
}

/// It belongs to another package, so cargo does not build it for these tests by itself; its own lock orders us.
fn build() -> PathBuf {
    loopwright_tests::stage::programs();
    let test = std::env::current_exe().expect("the test's own path");
    let folder = test.parent().and_then(Path::parent).expect("target/<profile>/deps");
    if let Some(cargo) = std::env::var_os("CARGO").filter(|_| !loopwright_tests::stage::are_built()) {
        let mut command = Command::new(cargo);
        command.args(["build", "--quiet", "--offline", "-p", "loopwright-tray"]);
        if folder.ends_with("release") {
            command.args(["--release", "--features", "custom-protocol"]);
        }
        assert!(command.status().expect("cargo starts").success(), "the tray does not build");
    }
    let program = folder.join("loopwright-tray");
    assert!(program.is_file(), "{} is missing; build it with `cargo build -p loopwright-tray`", program.display());
    program
}

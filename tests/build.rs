//! Builds the library that lets the disk fail, which the tests preload into our programs.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=faults/shim.c");
    let to = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default()).join("faults.so");
    let mut compiler = cc::Build::new().opt_level(1).pic(true).get_compiler().to_command();
    let built = compiler.args(["-shared", "-o"]).arg(&to).args(["faults/shim.c", "-ldl"]).status();
    assert!(built.is_ok_and(|status| status.success()), "faults/shim.c does not build");
    println!("cargo:rustc-env=FAULTS_LIBRARY={}", to.display());
}

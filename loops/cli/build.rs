//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // The zones' tables hold many pointers, whose relocations an idle `serve` would keep in memory: packed, they take a tenth.
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

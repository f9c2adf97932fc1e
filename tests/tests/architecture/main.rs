//! The architecture, held by a test: who may depend on whom, who may print, how large a file may be, where `unsafe` may stand.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use loopwright_core::definition::read_bytes;
use loopwright_tests::stage::sample;

mod desktop;

/// Most lines of a source file.
const LONGEST: usize = 500;

/// Where our own Rust stands.
const SOURCES: [&str; 6] = ["loops", "src-tauri", "tests/bench", "tests/desktop", "tests/src", "tests/tests"];

/// What each package may never depend on, of ours and of others.
const FORBIDDEN: [(&str, &[&str]); 8] = [
    (
        "loops/core",
        &[
            "loopwright-",
            "tokio",
            "rusqlite",
            "git2",
            "rustix",
            "libc",
            "tempfile",
            "rand",
            "clap",
            "notify",
            "tracing",
        ],
    ),
    ("loops/engine", &["loopwright", "loopwright-watchdog", "loopwright-tray", "tauri", "clap", "indicatif"]),
    ("loops/sandbox", &["loopwright", "loopwright-engine", "libc", "tokio", "rusqlite", "git2", "clap"]),
    ("loops/watchdog", &["loopwright", "loopwright-engine", "tokio", "rusqlite", "git2", "clap"]),
    ("loops/cli", &["loopwright-watchdog", "loopwright-tray", "rusqlite", "git2", "tauri"]),
    ("src-tauri", &["loopwright", "loopwright-watchdog", "rusqlite", "git2", "clap"]),
    ("tests", &["loopwright-tray", "tauri"]),
    ("tests/desktop", &["loopwright-tray", "tauri"]),
];

/// What each package may depend on of ours.
const ALLOWED: [(&str, &[&str]); 8] = [
    ("loops/core", &[]),
    ("loops/engine", &["loopwright-core"]),
    ("loops/sandbox", &["loopwright-core"]),
    ("loops/watchdog", &["loopwright-core"]),
    ("loops/cli", &["loopwright-core", "loopwright-engine"]),
    ("src-tauri", &["loopwright-core", "loopwright-engine"]),
    ("tests", &["loopwright-core", "loopwright-engine"]),
    ("tests/desktop", &["loopwright-core", "loopwright-engine", "loopwright-tests"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// The names of all packages that this one's product is built with.
fn dependencies(package: &str) -> BTreeSet<String> {
    let path = root().join(package).join("Cargo.toml");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let manifest: toml::Table = text.parse().expect("a manifest");
    let tables = manifest.get("target").and_then(|t| t.as_table()).into_iter().flat_map(toml::Table::values);
    let tables = tables.filter_map(toml::Value::as_table).chain([&manifest]);
    let named = tables.flat_map(|table| ["dependencies", "build-dependencies"].map(|kind| table.get(kind)));
    named.flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys).cloned().collect()
}

/// All Rust files below a folder of the workspace.
fn sources(folder: &str) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                found.push((name, fs::read_to_string(&path).expect("a source")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// The Rust files below a folder that are part of a program; tests in files of their own are not.
fn product_sources(folder: &str) -> Vec<(String, String)> {
    let product = |(name, _): &(String, String)| !name.ends_with("/tests.rs") && !name.contains("/tests/");
    sources(folder).into_iter().filter(product).map(|(name, text)| (name, product_text(&text))).collect()
}

/// The text without what is only compiled for tests, comments and doc comments.
fn product_text(text: &str) -> String {
    let before = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    before.lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect()
}

#[test]
fn every_member_is_judged() {
    let manifest: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).expect("a manifest").parse().expect("TOML");
    let members = manifest["workspace"]["members"].as_array().expect("members");
    let members: BTreeSet<&str> = members.iter().filter_map(toml::Value::as_str).collect();
    let judged: BTreeSet<&str> = FORBIDDEN.iter().map(|(package, _)| *package).collect();
    assert_eq!(members, judged);
    assert_eq!(judged, ALLOWED.iter().map(|(package, _)| *package).collect());
}

#[test]
fn packages_depend_in_one_direction() {
    for (package, forbidden) in FORBIDDEN {
        let found = dependencies(package);
        let bad =
            |name: &&String| forbidden.iter().any(|f| name.as_str() == *f || (f.ends_with('-') && name.starts_with(f)));
        let bad: Vec<&String> = found.iter().filter(bad).collect();
        assert!(bad.is_empty(), "{package} depends on {bad:?}");
    }
    for (package, allowed) in ALLOWED {
        let ours: Vec<String> =
            dependencies(package).into_iter().filter(|name| name.starts_with("loopwright")).collect();
        assert!(ours.iter().all(|name| allowed.contains(&name.as_str())), "{package} depends on {ours:?}");
    }
}

/// Without this the test above would pass on manifests that it can't read.
#[test]
fn the_known_dependencies_are_found() {
    assert!(dependencies("loops/engine").contains("rusqlite"));
    assert!(dependencies("loops/cli").contains("loopwright-engine"));
    assert!(dependencies("loops/core").contains("serde"));
}

#[test]
fn only_the_terminal_prints() {
    for folder in ["loops/core/src", "loops/engine/src"] {
        for (name, text) in product_sources(folder) {
            for macro_ in ["println!(", "print!(", "eprintln!(", "eprint!(", "dbg!("] {
                assert!(!text.contains(macro_), "{name} uses {macro_})");
            }
        }
    }
    let watchdog = product_sources("loops/watchdog/src").into_iter();
    let printing: Vec<String> = watchdog.filter(|(_, t)| t.contains("print")).map(|(n, _)| n).collect();
    assert!(printing.iter().all(|n| n.ends_with("main.rs")), "{printing:?}");
    for (name, text) in product_sources("src-tauri/src") {
        let prints = ["stdout()", "stderr()", "println!(", "eprintln!("].iter().any(|word| text.contains(word));
        assert!(!prints || name.ends_with("/arguments.rs"), "{name} prints");
    }
}

#[test]
fn the_core_asks_nobody() {
    let io =
        ["std::fs", "std::env", "std::process", "std::net", "std::thread", "SystemTime", "Instant::now", "Utc::now"];
    for (name, text) in product_sources("loops/core/src") {
        for what in io {
            assert!(!text.contains(what), "{name} uses {what}");
        }
    }
}

#[test]
fn no_file_is_too_long() {
    for folder in SOURCES {
        for (name, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= LONGEST, "{name} has {lines} lines");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in SOURCES {
        for (name, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{name} begins without a module comment");
        }
    }
}

#[test]
fn unsafe_stands_only_where_it_is_expected() {
    let may = |name: &str| {
        ["loops/engine/src/os/", "loops/sandbox/", "loops/watchdog/", "tests/"].iter().any(|f| name.starts_with(f))
    };
    for folder in ["loops", "src-tauri", "tests"] {
        for (name, text) in sources(folder) {
            let text: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
            let word = ["unsafe", " "].concat();
            let uses = text.contains(&format!("{word}{{")) || text.contains(&format!("{word}fn"));
            assert!(!uses || may(&name), "{name} is not a place for unsafe code");
        }
    }
}

#[test]
fn nothing_is_allowed_without_a_reason() {
    for folder in ["loops", "src-tauri", "tests"] {
        for (name, text) in sources(folder) {
            let allows = |line: &str| ["#[allow(", "#![allow("].iter().any(|a| line.trim_start().starts_with(a));
            assert!(!text.lines().any(allows), "{name}: use `expect` with a reason");
        }
    }
}

#[test]
fn templates_and_samples_are_readable() {
    for entry in fs::read_dir(root().join("loops/templates")).expect("templates").flatten() {
        if entry.path().is_dir() {
            assert_valid(&entry.path().join("loop.yaml"));
        }
    }
    assert_valid(&sample("seed/loop.yaml"));
}

fn assert_valid(path: &Path) {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let reading = read_bytes(&bytes);
    assert!(reading.definition.is_some(), "{}: {:?}", path.display(), reading.diagnostics);
}

//! The architecture of the desktop: what a bare `cargo test` builds, what the tray may know of the engine, one list of
//! commands in its four places, and the size of components.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{product_sources, root};

/// Most lines of a component.
const LONGEST_COMPONENT: usize = 150;

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below a folder whose names end so, with what is in them.
fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
                found.push((name, fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no {ending}");
    found
}

/// The names of the packages that a bare `cargo` builds, whatever they depend on.
fn built_by_default() -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let members: toml::Table = text("Cargo.toml").parse().expect("TOML");
    let members = members["workspace"]["default-members"].as_array().expect("default members").iter();
    let packages = members.filter_map(toml::Value::as_str).flat_map(|folder| {
        let manifest: toml::Table = text(&format!("{folder}/Cargo.toml")).parse().expect("TOML");
        ["--package".to_owned(), manifest["package"]["name"].as_str().expect("a name").to_owned()]
    });
    let mut command = std::process::Command::new(cargo);
    command.current_dir(root()).args(["tree", "--offline", "--locked", "--edges", "all", "--prefix", "none"]);
    let tree = command.args(["--format", "{p}"]).args(packages).output().expect("cargo tree");
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    tree.lines().filter_map(|line| line.split(' ').next()).map(ToOwned::to_owned).collect()
}

#[test]
fn a_bare_cargo_builds_no_webkit() {
    let built = built_by_default();
    assert!(built.contains("rusqlite") && built.contains("insta"), "the tree is not what it was: {built:?}");
    let desktop = ["tauri", "tauri-build", "wry", "tao", "gtk", "webkit2gtk", "loopwright-tray"];
    let found: Vec<&str> = desktop.into_iter().filter(|name| built.contains(*name)).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// What the tray knows of the engine: the verbs, where the files lie that it watches, the clock, and what holds a key.
const KNOWN: [&str; 5] = ["api", "home", "halt", "clock", "secrets"];

#[test]
fn the_tray_knows_the_engine_by_its_api() {
    for (name, text) in product_sources("src-tauri/src") {
        for used in text.split("loopwright_engine::").skip(1) {
            let module: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(KNOWN.contains(&&*module), "{name} uses loopwright_engine::{module}");
        }
    }
}

#[test]
fn the_windows_reach_tauri_by_one_file() {
    for (name, text) in files("ui/src", ".ts").into_iter().chain(files("ui/src", ".svelte")) {
        assert!(!text.contains("@tauri-apps") || name.ends_with("backend/tauri.ts"), "{name} imports @tauri-apps");
        assert!(!text.contains("{@html"), "{name} writes markup that nobody wrote");
    }
}

#[test]
fn no_component_is_too_long() {
    for (name, text) in files("ui/src", ".svelte") {
        let lines = text.lines().count();
        assert!(lines <= LONGEST_COMPONENT, "{name} has {lines} lines");
    }
}

/// What stands between two marks, comments left out; panics if there is no such part.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let rest = text.split_once(begin).unwrap_or_else(|| panic!("{begin} is missing")).1;
    rest.split_once(end).unwrap_or_else(|| panic!("{end} is missing")).0
}

/// The functions that windows may call, by the attribute above each.
fn written() -> BTreeSet<String> {
    let sources = product_sources("src-tauri/src");
    let commands = sources.iter().flat_map(|(_, text)| text.split("#[tauri::command").skip(1));
    commands.map(|text| name(between(text, "fn ", "("))).collect()
}

/// A function's name without its generics.
fn name(text: &str) -> String {
    text.split('<').next().unwrap_or(text).trim().to_owned()
}

/// The functions that the windows' process takes calls for.
fn registered() -> BTreeSet<String> {
    let sources = product_sources("src-tauri/src");
    let lists = sources.iter().filter(|(_, text)| text.contains("generate_handler!["));
    let lists = lists.flat_map(|(_, text)| between(text, "generate_handler![", "]").split(','));
    lists
        .map(str::trim)
        .filter(|path| !path.is_empty())
        .map(|path| name(path.rsplit("::").next().unwrap_or(path)))
        .collect()
}

/// The commands that need a permission.
fn declared() -> BTreeSet<String> {
    let build = text("src-tauri/build.rs");
    between(&build, "const COMMANDS: &[&str] = &[", "];").split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

/// The commands that a capability gives to some window.
fn permitted() -> BTreeSet<String> {
    let mut permitted = BTreeSet::new();
    for (path, text) in files("src-tauri/capabilities", ".json") {
        let capability: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(capability.get("remote").is_none(), "{path} lets pages of others in");
        let given = capability["permissions"].as_array().expect("permissions").iter();
        let given = given.map(|one| one.as_str().unwrap_or_else(|| panic!("{path}: a permission with a scope: {one}")));
        for one in given.filter(|one| !one.starts_with("core:event:allow-")) {
            let command = one.strip_prefix("allow-").unwrap_or_else(|| panic!("{path} permits {one}"));
            permitted.insert(command.replace('-', "_"));
        }
    }
    permitted
}

/// The commands that the windows' code knows, with their arguments and answers.
fn typed() -> BTreeSet<String> {
    let maps = files("ui/src/lib/backend", ".ts").into_iter();
    let maps = maps.filter(|(_, text)| text.contains("Commands {")).map(|(_, text)| text);
    let keys = maps.flat_map(|text| {
        let bodies: Vec<&str> =
            text.split("Commands {").skip(1).map(|rest| rest.split("\n}").next().unwrap_or(rest)).collect();
        bodies.iter().flat_map(|body| body.lines()).filter_map(command).collect::<Vec<_>>()
    });
    keys.collect()
}

/// The key of a line that begins a command; its arguments stand further in.
fn command(line: &str) -> Option<String> {
    let (key, _) = line.strip_prefix("    ")?.split_once(": {")?;
    let plain = key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    plain.then(|| key.to_owned())
}

#[test]
fn a_command_has_the_same_name_in_all_its_places() {
    let written = written();
    assert!(written.contains("status") && written.contains("halt"), "{written:?}");
    assert_eq!(registered(), written, "generate_handler! and #[tauri::command]");
    assert_eq!(declared(), written, "COMMANDS of build.rs and #[tauri::command]");
    assert_eq!(permitted(), written, "capabilities and #[tauri::command]");
    assert_eq!(typed(), written, "the maps of ui/src/lib/backend and #[tauri::command]");
}

/// A file of the generated permissions for each command, and none for one that is gone: a build makes them.
#[test]
fn the_generated_permissions_are_those_of_the_commands() {
    let generated = files("src-tauri/permissions/autogenerated", ".toml").into_iter();
    let stem =
        |(path, _): (String, String)| Path::new(&path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let generated: BTreeSet<String> = generated.filter_map(stem).collect();
    assert_eq!(generated, declared());
}

//! `doctor`: what is there, what is missing with its repair, and what is not built yet.

use super::{Context, DoctorRow};
use crate::halt::HaltFiles;
use crate::launch;
use crate::sandbox::probe::{self, Layer, LayerState};
use crate::sandbox::toolchain::Toolchains;
use crate::settings;
use crate::store::{Damaged, Newer, Store, ledger, says_damaged};

/// Looks at everything that a run needs.
pub fn doctor(context: &Context) -> Vec<DoctorRow> {
    let mut rows =
        vec![user(), git(context), database(context), ledger(context), settings(context), watchdog(), armed(context)];
    rows.extend(probe::probe(&context.host).into_iter().map(layer));
    rows.extend(toolchains(context));
    rows
}

/// What checks of each kind of project would find in the sandbox.
fn toolchains(context: &Context) -> Vec<DoctorRow> {
    let mounts = Toolchains::detect(&context.host).mounts;
    let kinds =
        [("Rust", "cargo", "rustup"), ("Node", "node", "node"), ("Python", "python3", "python"), ("Go", "go", "go")];
    let row = |(kind, program, folder): (&str, &str, &str)| {
        let part = format!("toolchain: {kind}");
        let inside = format!("/toolchain/{folder}");
        let shown = mounts.iter().find(|m| m.target == inside);
        let of_system = || context.host.find(program)?.canonicalize().ok().filter(|p| p.starts_with("/usr"));
        match (shown, of_system()) {
            (Some(mount), _) => ok(&part, format!("{} as {inside}, read-only", mount.source.display())),
            (None, Some(path)) => ok(&part, path.display().to_string()),
            (None, None) => DoctorRow {
                part,
                state: "not seen".to_owned(),
                detail: format!("no {program} that the sandbox may show; needed for projects of this kind alone"),
                repair: None,
            },
        }
    };
    kinds.into_iter().map(row).collect()
}

fn layer(layer: Layer) -> DoctorRow {
    let part = format!("sandbox: {}", layer.name);
    match layer.state {
        LayerState::On => ok(&part, "tried, and holds".to_owned()),
        LayerState::NotBuilt => DoctorRow {
            part,
            state: "not built yet".to_owned(),
            detail: "comes with a later version".to_owned(),
            repair: None,
        },
        LayerState::Missing(repair) => missing(&part, "runs are refused without it".to_owned(), &repair),
    }
}

fn ok(part: &str, detail: String) -> DoctorRow {
    DoctorRow { part: part.to_owned(), state: "ok".to_owned(), detail, repair: None }
}

fn missing(part: &str, detail: String, repair: &str) -> DoctorRow {
    wrong(part, "missing", detail, repair)
}

/// What is there, and not as it must be.
fn wrong(part: &str, state: &str, detail: String, repair: &str) -> DoctorRow {
    DoctorRow { part: part.to_owned(), state: state.to_owned(), detail, repair: Some(repair.to_owned()) }
}

fn user() -> DoctorRow {
    if !rustix::process::geteuid().is_root() {
        return ok("user", "not root".to_owned());
    }
    DoctorRow {
        part: "user".to_owned(),
        state: "not advised".to_owned(),
        detail: "root: to the kernel, a box's user is root too; run Loopwright as yourself".to_owned(),
        repair: None,
    }
}

fn git(context: &Context) -> DoctorRow {
    match context.host.find("git") {
        Some(path) => ok("git", path.display().to_string()),
        None => missing("git", "not found in PATH".to_owned(), "install git with your system's package manager"),
    }
}

fn database(context: &Context) -> DoctorRow {
    let error = match Store::open(&context.home).and_then(|store| store.verify()) {
        Ok(()) => {
            let path = context.home.database();
            return ok("database", format!("{} (SQLite {})", path.display(), rusqlite::version()));
        }
        Err(error) => error,
    };
    let (state, repair) = match error.downcast_ref::<Newer>() {
        Some(newer) => ("newer", newer.hint().unwrap_or_else(|| "update Loopwright".to_owned())),
        None if error.is::<Damaged>() || says_damaged(&error) => ("damaged", "loopwright doctor --repair".to_owned()),
        None => ("unreadable", "keep the file, and say what it says".to_owned()),
    };
    wrong("database", state, format!("{error:#}"), &repair)
}

/// Whether the sums that ceilings go by are what their rows add up to.
fn ledger(context: &Context) -> DoctorRow {
    let repair = "keep the database, and say what this says";
    let Ok(store) = Store::open(&context.home) else {
        return DoctorRow {
            part: "ledger".to_owned(),
            state: "not seen".to_owned(),
            detail: "it is in the database, which comes first".to_owned(),
            repair: None,
        };
    };
    match ledger::verify(store.read()) {
        Ok(differ) if differ.is_empty() => ok("ledger", "its sums are what its rows add up to".to_owned()),
        Ok(differ) => {
            let shown: Vec<String> = differ.iter().take(3).map(ToString::to_string).collect();
            let detail = format!("{} sums differ from their rows: {}", differ.len(), shown.join("; "));
            wrong("ledger", "damaged", detail, repair)
        }
        Err(error) => wrong("ledger", "unreadable", format!("{error:#}"), repair),
    }
}

fn settings(context: &Context) -> DoctorRow {
    let path = settings::path(&context.home).display().to_string();
    match settings::read(&context.home) {
        Ok(_) => ok("settings", path),
        Err(error) => {
            wrong("settings", "invalid", format!("{error:#}"), "correct the file; no run starts until it can be read")
        }
    }
}

fn watchdog() -> DoctorRow {
    match launch::watchdog_beside_us() {
        Ok(path) => ok("watchdog", path.display().to_string()),
        Err(error) => {
            missing("watchdog", format!("{error:#}"), "install Loopwright again: its programs belong in one folder")
        }
    }
}

fn armed(context: &Context) -> DoctorRow {
    match HaltFiles::of_all(&context.home.state).look() {
        None => ok("kill switch", "armed, not halted".to_owned()),
        Some(cause) => wrong("kill switch", "halted", cause.to_string(), "loopwright resume --reason \"…\""),
    }
}

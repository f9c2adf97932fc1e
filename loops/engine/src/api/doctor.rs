//! `doctor`: what is there, what is missing with its repair, and what is not built yet.

use super::{Context, DoctorRow};
use crate::halt::HaltFiles;
use crate::launch;
use crate::sandbox::probe::{self, LayerState};
use crate::store::Store;

/// Looks at everything that a run needs.
pub fn doctor(context: &Context) -> Vec<DoctorRow> {
    let mut rows = vec![git(context), database(context), watchdog(), armed(context)];
    rows.extend(probe::probe(&context.host).into_iter().map(|layer| DoctorRow {
        repair: layer.repair(),
        state: match layer.state {
            LayerState::On => "ok",
            LayerState::NotBuilt => "not built yet",
            LayerState::Missing { .. } => "missing",
        }
        .to_owned(),
        detail: layer.detail(),
        part: format!("sandbox: {}", layer.name),
    }));
    rows
}

fn ok(part: &str, detail: String) -> DoctorRow {
    DoctorRow { part: part.to_owned(), state: "ok".to_owned(), detail, repair: None }
}

fn missing(part: &str, detail: String, repair: &str) -> DoctorRow {
    DoctorRow { part: part.to_owned(), state: "missing".to_owned(), detail, repair: Some(repair.to_owned()) }
}

fn git(context: &Context) -> DoctorRow {
    match context.host.find("git") {
        Some(path) => ok("git", path.display().to_string()),
        None => missing("git", "not found in PATH".to_owned(), "install git with your system's package manager"),
    }
}

fn database(context: &Context) -> DoctorRow {
    match Store::open(&context.home) {
        Ok(_) => ok("database", format!("{} (SQLite {})", context.home.database().display(), rusqlite::version())),
        Err(error) => missing("database", format!("{error:#}"), "keep the file, and say what it says"),
    }
}

fn watchdog() -> DoctorRow {
    match launch::watchdog_program() {
        Ok(path) => ok("watchdog", path.display().to_string()),
        Err(error) => missing("watchdog", format!("{error:#}"), "install Loopwright again: its programs belong in one folder"),
    }
}

fn armed(context: &Context) -> DoctorRow {
    match HaltFiles::of_all(&context.home.state).look() {
        None => ok("kill switch", "armed, not halted".to_owned()),
        Some(cause) => missing("kill switch", format!("halted: {cause}"), "loopwright resume --reason \"…\""),
    }
}

//! `doctor`: what is there, what is missing with its repair, and what is not built yet.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use loopwright_core::scheduler::Health;

use super::drill::last_drill;
use super::{Context, DoctorRow, scheduler};
use crate::halt::HaltFiles;
use crate::launch;
use crate::os;
use crate::sandbox::probe::{self, Layer, LayerState};
use crate::sandbox::toolchain::Toolchains;
use crate::store::{Damaged, Newer, Store, ledger, says_damaged, schedules};
use crate::{settings, zone_files};

/// Looks at everything that a run needs.
pub fn doctor(context: &Context) -> Vec<DoctorRow> {
    let mut rows = vec![user(), git(context), database(context), ledger(context), settings(context)];
    rows.extend([watchdog(), armed(context), drilled(context), scheduler_row(context), computer_zone()]);
    rows.extend(zones(context));
    rows.extend(probe::probe(&context.host).into_iter().map(layer));
    rows.extend(super::doctor_desktop::rows(context));
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
    if !os::is_root() {
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

/// Whether loops start by themselves.
fn scheduler_row(context: &Context) -> DoctorRow {
    let view = scheduler(context);
    let pid = view.pid.map(|pid| format!("process {pid}")).unwrap_or_default();
    match (view.health, view.fault) {
        (Health::Alive, None) => ok("scheduler", pid),
        (Health::Gone, _) => DoctorRow {
            part: "scheduler".to_owned(),
            state: "not seen".to_owned(),
            detail: "loops start only by hand".to_owned(),
            repair: Some("loopwright serve".to_owned()),
        },
        (_, fault) => {
            let why = fault.map(|fault| format!(": {fault}")).unwrap_or_default();
            wrong("scheduler", "stuck", format!("{pid} makes no passes{why}"), "end it, then: loopwright serve")
        }
    }
}

/// Whether the computer's own zone is one that is known here.
fn computer_zone() -> DoctorRow {
    let repair =
        "set it with your system's settings (timedatectl set-timezone); until then its times are taken for UTC";
    match iana_time_zone::get_timezone() {
        Ok(name) if name.parse::<Tz>().is_ok() => ok("zone", name),
        Ok(name) => wrong("zone", "unknown", format!("the computer is in `{name}`, which is no known zone"), repair),
        Err(error) => wrong("zone", "unknown", format!("the computer does not say its zone: {error}"), repair),
    }
}

/// The zones in use, compared with the system's own data.
fn zones(context: &Context) -> Vec<DoctorRow> {
    let mut used: BTreeSet<&str> = BTreeSet::from([context.zone.name()]);
    if let Ok(store) = Store::open(&context.home)
        && let Ok(named) = schedules::zones(store.read())
    {
        used.extend(named.into_iter().map(|zone| zone.name()));
    }
    let differing = used.iter().filter_map(|name| {
        let difference = zone_files::difference(name, context.now)?;
        let detail = format!("{name}: {difference}");
        let repair = "update the package tzdata, and Loopwright; loops go by Loopwright's own data until then";
        Some(wrong("zone data", "differs", detail, repair))
    });
    let rows: Vec<DoctorRow> = differing.collect();
    match rows.is_empty() {
        true => vec![ok("zone data", format!("agrees with the system's for two years: {}", names(&used)))],
        false => rows,
    }
}

fn names(used: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = used.iter().copied().take(5).collect();
    let more = if used.len() > names.len() { ", …" } else { "" };
    format!("{}{more}", names.join(", "))
}

fn armed(context: &Context) -> DoctorRow {
    match HaltFiles::of_all(&context.home.state).look() {
        None => ok("kill switch", "armed, not halted".to_owned()),
        Some(cause) => wrong("kill switch", "halted", cause.to_string(), "loopwright resume --reason \"…\""),
    }
}

/// What the last drill of the kill switch came to.
fn drilled(context: &Context) -> DoctorRow {
    let (part, repair) = ("drill", "loopwright drill");
    let last = Store::open(&context.home).and_then(|store| last_drill(context, &store));
    match last {
        Ok(Some(last)) if last.passed => ok(part, last.words),
        Ok(Some(last)) => wrong(part, "failed", last.words, repair),
        Ok(None) => DoctorRow {
            part: part.to_owned(),
            state: "not seen".to_owned(),
            detail: format!("the kill switch was never tried on this computer: `{repair}`"),
            repair: None,
        },
        Err(error) => wrong(part, "unreadable", format!("{error:#}"), "loopwright doctor"),
    }
}

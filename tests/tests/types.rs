//! The TypeScript types of the windows say what `engine::api` answers: they are generated, and none was forgotten.
//!
//! `LOOPWRIGHT_WRITE=1 cargo test -p loopwright-tests --test types` writes them.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use loopwright_engine::api;
use ts_rs::{Config, TS};

/// Exports what the windows are told; whatever these types hold follows by itself.
macro_rules! export {
    ($config:expr, $($kind:ty),+ $(,)?) => {$(<$kind as TS>::export_all($config).expect(stringify!($kind));)+};
}

fn generate(folder: &Path) -> BTreeMap<String, String> {
    let config = Config::new().with_out_dir(folder).with_large_int("number");
    export!(&config, api::ApiError, api::Level, api::HaltView, api::ResumeView, api::StatusView);
    export!(&config, api::ReviewView, api::ApproveView, api::SendBackView, api::RejectView, api::LaterView);
    export!(&config, api::QueueView, api::DiffView, api::LinePage, api::Found, api::EvidencePage, api::DraftView);
    export!(&config, api::UndoView, api::DoctorRow, api::TemplateView, api::WrittenTemplate);
    export!(&config, api::notices::NoticesView);
    export!(&config, api::Preferences, api::SettingsView, api::ChangedSetting, api::AgentTest);
    export!(&config, api::WelcomeView, api::FirstDraft, api::DryRun, api::CredentialsView);
    export!(&config, api::WakeView, api::LoginItemView, api::DrillView);
    export!(&config, api::HistoryFilter, api::HistoryPage, api::HistoryRow, api::TimelineView, api::LiveRun);
    export!(&config, api::LogPage, api::LogPlace, api::LogFound, api::WhyView, api::SpendView, api::CeilingSet);
    export!(&config, api::NextRow, loopwright_core::ledger::Period);
    export!(
        &config,
        api::LoopListRow,
        api::LoopDetail,
        api::DraftRequest,
        api::LoopDraft,
        api::LoopSaved,
        api::LoopDeleted
    );
    export!(&config, api::NewLoop, api::NewLoopView, api::SimulatedDraft, api::EnableView);
    export!(&config, api::CredentialsView, api::WakeView, api::LoginItemView, api::ServeUnitView);
    let mut files = read(folder);
    let names = files.keys().map(|name| name.trim_end_matches(".ts"));
    let index = names.map(|name| format!("export type * from \"./{name}\";\n")).collect();
    files.insert("index.ts".to_owned(), index);
    files
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).expect("a folder of types").flatten();
    entries
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).expect("a file of types");
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect()
}

fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src/lib/types")
}

#[test]
fn the_types_of_the_windows_are_those_of_the_api() {
    let fresh = tempfile::tempdir().expect("a folder");
    let generated = generate(fresh.path());
    if std::env::var("LOOPWRIGHT_WRITE").is_ok_and(|write| write == "1") {
        let _ = fs::remove_dir_all(kept());
        fs::create_dir_all(kept()).expect("the folder of the types");
        generated.iter().for_each(|(name, text)| fs::write(kept().join(name), text).expect("a file of types"));
    }
    let kept = read(&kept());
    let differ = |name: &&String| generated.get(*name) != kept.get(*name);
    let stale: Vec<&String> = generated.keys().chain(kept.keys()).filter(differ).collect();
    assert!(
        stale.is_empty(),
        "{stale:?}: write them with LOOPWRIGHT_WRITE=1 cargo test -p loopwright-tests --test types"
    );
}

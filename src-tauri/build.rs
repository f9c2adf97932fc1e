//! Declares the commands of the windows, so that each needs a permission (`capabilities/`), and packs `ui/dist` and the
//! icons of the tray.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Every command that a window may ask for, if its capability names it.
const COMMANDS: &[&str] = &[
    "status",
    "halt",
    "resume",
    "open_window",
    "close_window",
    "preferences",
    "first_target",
    // Loops.
    "loop_list",
    "loop_detail",
    "draft_loop",
    "simulate_draft",
    "save_loop",
    "confirm_loop",
    "pause_loop",
    "enable_loop",
    "run_loop",
    "delete_loop",
    "loop_templates",
    "new_loop",
    "create_loop",
    "create_written",
    "loop_schema",
    // Review.
    "review_queue",
    "review_head",
    "review_diff",
    "diff_lines",
    "diff_line",
    "diff_find",
    "mark_viewed",
    "drafts",
    "put_draft",
    "drop_draft",
    "send_drafts",
    "approve",
    "approval_landed",
    "reject",
    "put_off",
    "undo_decision",
    "evidence",
    // Runs.
    "history",
    "timeline",
    "live_runs",
    "why_row",
    "log_page",
    "log_find",
    // Spend.
    "spend",
    "set_ceiling",
    // Settings, Welcome, Quit.
    "settings_view",
    "change_setting",
    "test_agent",
    "doctor",
    "drill",
    "credentials",
    "login",
    "logout",
    "unlock_keychain",
    "wake",
    "login_item",
    "set_login_item",
    "test_notice",
    "welcome",
    "welcome_done",
    "repositories",
    "first_loop",
    "dry_run",
    "dry_run_so_far",
    "try_sample",
    "turn_on",
    "quit",
];

/// `icons/tray/NAME.png` as `png("NAME")`.
fn icons() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=../icons/tray");
    let mut arms = String::new();
    let folder = Path::new("../icons/tray").canonicalize()?;
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().display().to_string();
        let _ = writeln!(arms, "        {name:?} => include_bytes!({path:?}),");
    }
    let text = format!(
        "/// An icon by its name.\nfn png(name: &str) -> Option<&'static [u8]> {{\n    Some(match name {{\n{arms}        \
         _ => return None,\n    }})\n}}\n"
    );
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    std::fs::write(out.join("icons.rs"), text)
}

fn main() {
    if let Err(error) = icons() {
        panic!("../icons/tray: {error}");
    }
    println!("cargo:rerun-if-changed=../ui/dist");
    assert!(Path::new("../ui/dist/index.html").is_file(), "the windows are not built yet: run `make ui`");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        panic!("{error:#}");
    }
}

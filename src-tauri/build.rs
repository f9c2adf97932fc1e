//! Declares the commands of the windows, so that each needs a permission (`capabilities/`), and packs `ui/dist`.

use std::path::Path;

/// Every command that a window may ask for, if its capability names it.
const COMMANDS: &[&str] = &[
    "status",
    "halt",
    "resume",
    "open_window",
    "close_window",
    "preferences",
    "first_target",
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
];

fn main() {
    println!("cargo:rerun-if-changed=../ui/dist");
    assert!(Path::new("../ui/dist/index.html").is_file(), "the windows are not built yet: run `make ui`");
    let manifest = tauri_build::AppManifest::new().commands(COMMANDS);
    if let Err(error) = tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest)) {
        panic!("{error:#}");
    }
}

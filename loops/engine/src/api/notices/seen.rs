//! What the person has before their eyes: whether the desktop program was ever opened, and whether Review has the focus.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use loopwright_core::lease::{InitRecord, parse_inits};

use super::super::{ApiError, Context};
use crate::home::replace;
use crate::os;

/// Written when the desktop program is opened for the first time; before, nothing is told.
fn opened_path(context: &Context) -> PathBuf {
    context.home.state.join("opened")
}

/// The process whose Review window has the focus.
fn focus_path(context: &Context) -> PathBuf {
    context.home.state.join("review-focus")
}

/// The tray's process, while nothing draws its icon.
fn no_tray_path(context: &Context) -> PathBuf {
    context.home.state.join("no-tray")
}

/// Says that the person opened the desktop program: the tray, or a window.
///
/// # Errors
/// The file can't be written.
pub fn opened(context: &Context) -> Result<(), ApiError> {
    let path = opened_path(context);
    if path.exists() {
        return Ok(());
    }
    let at = context.now.to_rfc3339();
    Ok(replace(&path, at.as_bytes()).with_context(|| format!("writing {}", path.display()))?)
}

/// Says that the Review window of this process got the focus, or lost it.
///
/// # Errors
/// The file can't be written.
pub fn review_focus(context: &Context, focused: bool) -> Result<(), ApiError> {
    say(&focus_path(context), focused)
}

/// Says that nothing draws the icon of this process, the tray.
///
/// # Errors
/// The file can't be written.
pub fn without_icon(context: &Context) -> Result<(), ApiError> {
    say(&no_tray_path(context), true)
}

/// Writes that something is so of this process, or no longer.
fn say(path: &Path, so: bool) -> Result<(), ApiError> {
    let pid = i32::try_from(std::process::id()).context("our own process number")?;
    if !so {
        if holder(path).is_some_and(|record| record.pid == pid) {
            let _ = fs::remove_file(path);
        }
        return Ok(());
    }
    let start = os::process_stat(pid).map(|stat| stat.start).unwrap_or_default();
    let record = InitRecord { pid, start, boot: os::boot_id()? };
    Ok(replace(path, record.line().as_bytes()).with_context(|| format!("writing {}", path.display()))?)
}

pub(super) fn was_opened(context: &Context) -> bool {
    opened_path(context).exists()
}

/// One that ended with the focus has it no longer.
pub(super) fn review_has_focus(context: &Context) -> bool {
    held(&focus_path(context))
}

/// Whether a tray lives whose icon nothing draws.
pub(super) fn runs_without_icon(context: &Context) -> bool {
    held(&no_tray_path(context))
}

/// Whether the process lives of which this was written.
fn held(path: &Path) -> bool {
    holder(path).is_some_and(|record| os::process_stat(record.pid).is_some_and(|stat| stat.start == record.start))
}

fn holder(path: &Path) -> Option<InitRecord> {
    parse_inits(&fs::read(path).ok()?).into_iter().next()
}

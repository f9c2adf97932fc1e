//! Loops as a window lists them, and one of them with its file.

use chrono::Duration;
use loopwright_core::definition::explain::plan;
use loopwright_core::definition::read_bytes_on;
use loopwright_core::diagnostic::Severity;
use loopwright_core::why::{self, Asked};
use sha2::{Digest as _, Sha256};

use super::check::{Target, load};
use super::{ApiError, Context, LoopDetail, LoopListRow, LoopState, hinders, keys, run, status};
use crate::steps::stamp;
use crate::store::Store;
use crate::store::loops::{self, LoopRow};

/// All registered loops with how each of them is.
///
/// # Errors
/// The store can't be read.
pub fn loop_list(context: &Context) -> Result<Vec<LoopListRow>, ApiError> {
    let store = context.store()?;
    let rows = loops::all(store.read())?;
    rows.iter().map(|row| list_row(context, &store, row, &File::of(context, row))).collect()
}

/// One loop with the text of its file.
///
/// # Errors
/// There is no such loop, or the store can't be read. A file that can't be read is part of the answer.
pub fn loop_detail(context: &Context, name: &str) -> Result<LoopDetail, ApiError> {
    let store = context.store()?;
    let row = run::find_loop(&store, name)?;
    let file = File::of(context, &row);
    let confirmed = file.hash.as_deref() == Some(row.hash.as_str());
    let row = list_row(context, &store, &row, &file)?;
    Ok(LoopDetail { row, text: file.text, hash: file.hash, confirmed, plan: file.plan })
}

/// What stands in the file of a loop.
struct File {
    text: Option<String>,
    hash: Option<String>,
    plan: Vec<String>,
    /// What is wrong with it.
    fault: Option<String>,
}

impl File {
    fn of(context: &Context, row: &LoopRow) -> File {
        let bytes = match load(&Target::File(row.path.clone())) {
            Ok((_, bytes)) => bytes,
            Err(error) => {
                return File { text: None, hash: None, plan: Vec::new(), fault: Some(error.message) };
            }
        };
        let reading = read_bytes_on(&bytes, context.now.date_naive());
        let first = reading.diagnostics.iter().find(|fault| fault.severity == Severity::Error);
        let fault = first.map(|fault| format!("line {}: {}", fault.span.line, fault.message));
        let hash = loopwright_core::hex(&Sha256::digest(&bytes));
        let plan = reading.definition.as_ref().map(|read| plan(read, row.mode)).unwrap_or_default();
        File { text: String::from_utf8(bytes).ok(), hash: Some(hash), plan, fault }
    }
}

fn list_row(context: &Context, store: &Store, row: &LoopRow, file: &File) -> Result<LoopListRow, ApiError> {
    let view = status::loop_view(context, store, row)?;
    let asked = Asked { loop_name: &row.name, zone: context.zone, now: context.now };
    let hindered = hinders::of_its_own(context, row).map(|hindrance| why::hindered(&asked, &hindrance).0);
    let lacked = || keys::lacked_by(context, row).first().map(|lacked| lacked.lack.why.trouble(&lacked.provider).0);
    let (state, why) = match (&file.fault, hindered) {
        (Some(fault), _) => (LoopState::Unreadable, Some(fault.clone())),
        (None, Some(why)) => (LoopState::CantRun, Some(why)),
        (None, None) if view.paused_until.is_some() => (LoopState::Paused, None),
        (None, None) if view.paused_at.is_some() => (LoopState::Off, None),
        (None, None) => match lacked() {
            Some(why) => (LoopState::Degraded, Some(why)),
            None if view.by_itself => (LoopState::On, None),
            None => (LoopState::ByHand, None),
        },
    };
    let (pull_requests, spent) = loops::since(store.read(), row.id, &stamp(context.now - Duration::days(7)))?;
    Ok(LoopListRow { view, state, why, shared: is_shared(row), pull_requests, spent })
}

/// Whether the file of a loop lies in the repository that it works on.
pub(super) fn is_shared(row: &LoopRow) -> bool {
    row.path.starts_with(&row.repo_path) && row.path.parent() != Some(&row.repo_path)
}

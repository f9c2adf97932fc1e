//! What the Review window asks for. The change it shows is read once and kept, so that a page of it costs little.

use std::sync::{Arc, Mutex, PoisonError};

use loopwright_core::patch::Row;
use loopwright_core::review::Via;
use loopwright_engine::api::{
    self, Against, ApiError, Approval, ApproveView, Context, DiffView, DraftView, EvidencePage, Found, LaterView,
    LinePage, OpenedDiff, QueueView, RejectView, ReviewView, SendBackView, UndoView,
};
use tauri::State;

use super::ask;

/// The change that was read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened(Arc<Mutex<Option<Arc<OpenedDiff>>>>);

impl Opened {
    /// Reads it anew.
    fn open(&self, context: &Context, id: &str, against: Against) -> Result<Arc<OpenedDiff>, ApiError> {
        let opened = Arc::new(OpenedDiff::open(context, id, against)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The one that is kept, if it is what is asked for.
    fn kept(&self, context: &Context, at: &Place) -> Result<Arc<OpenedDiff>, ApiError> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept.filter(|kept| kept.is(&at.id, at.against, &at.commit)) {
            Some(kept) => Ok(kept),
            None => self.open(context, &at.id, at.against),
        }
    }
}

/// Which change is meant.
#[derive(Clone, Debug, serde::Deserialize)]
pub(crate) struct Place {
    /// The pull request.
    id: String,
    /// What it is compared with.
    against: Against,
    /// The commit that is shown.
    commit: String,
}

/// The queue.
#[tauri::command]
pub(crate) async fn review_queue() -> Result<QueueView, ApiError> {
    ask(api::review_queue).await
}

/// One pull request, without the lines of its change.
#[tauri::command]
pub(crate) async fn review_head(id: String) -> Result<ReviewView, ApiError> {
    ask(move |context| api::review_head(context, &id)).await
}

/// The files of a change.
#[tauri::command]
pub(crate) async fn review_diff(opened: State<'_, Opened>, id: String, against: Against) -> Result<DiffView, ApiError> {
    let opened = Opened::clone(&opened);
    ask(move |context| opened.open(context, &id, against)?.view(context)).await
}

/// A page of its lines.
#[tauri::command]
pub(crate) async fn diff_lines(
    opened: State<'_, Opened>,
    place: Place,
    from: u32,
    count: u32,
) -> Result<LinePage, ApiError> {
    let opened = Opened::clone(&opened);
    ask(move |context| Ok(opened.kept(context, &place)?.page(from, count))).await
}

/// One line of it, whole.
#[tauri::command]
pub(crate) async fn diff_line(opened: State<'_, Opened>, place: Place, at: u32) -> Result<Row, ApiError> {
    let opened = Opened::clone(&opened);
    ask(move |context| opened.kept(context, &place)?.whole(at)).await
}

/// Where a text stands in it.
#[tauri::command]
pub(crate) async fn diff_find(opened: State<'_, Opened>, place: Place, text: String) -> Result<Found, ApiError> {
    let opened = Opened::clone(&opened);
    ask(move |context| Ok(opened.kept(context, &place)?.find(&text))).await
}

/// Marks a file as viewed, or takes that back.
#[tauri::command]
pub(crate) async fn mark_viewed(id: String, path: String, content: String, viewed: bool) -> Result<(), ApiError> {
    ask(move |context| api::mark_viewed(context, &id, &path, &content, viewed)).await
}

/// The comments that wait to be sent.
#[tauri::command]
pub(crate) async fn drafts(id: String) -> Result<Vec<DraftView>, ApiError> {
    ask(move |context| api::drafts(context, &id)).await
}

/// Keeps a comment.
#[tauri::command]
pub(crate) async fn put_draft(id: String, draft: DraftView) -> Result<(), ApiError> {
    ask(move |context| api::put_draft(context, &id, draft)).await
}

/// Throws a comment away.
#[tauri::command]
pub(crate) async fn drop_draft(id: String, draft: String) -> Result<(), ApiError> {
    ask(move |context| api::drop_draft(context, &id, &draft)).await
}

/// Sends back with all comments.
#[tauri::command]
pub(crate) async fn send_drafts(id: String) -> Result<SendBackView, ApiError> {
    ask(move |context| api::send_drafts(context, &id)).await
}

/// Approves the tree that was shown; it can be undone for a moment.
#[tauri::command]
pub(crate) async fn approve(id: String, tree: String) -> Result<ApproveView, ApiError> {
    let approval = Approval { tree, via: Via::Window, after_s: None };
    ask(move |context| api::approve(context, &id, &approval)).await
}

/// What became of an approval whose moment is over.
#[tauri::command]
pub(crate) async fn approval_landed(id: String) -> Result<ApproveView, ApiError> {
    ask(move |context| api::landed(context, &id)).await
}

/// Rejects with a reason.
#[tauri::command]
pub(crate) async fn reject(id: String, reason: String) -> Result<RejectView, ApiError> {
    ask(move |context| api::reject(context, &id, &reason, Via::Window)).await
}

/// Puts off until what `when` means: `1h`, `evening`, `tomorrow`.
#[tauri::command]
pub(crate) async fn put_off(id: String, when: String) -> Result<LaterView, ApiError> {
    ask(move |context| api::later(context, &id, &when, Via::Window)).await
}

/// Takes the last decision back.
#[tauri::command]
pub(crate) async fn undo_decision(id: String) -> Result<UndoView, ApiError> {
    ask(move |context| api::undo_decision(context, &id)).await
}

/// A page of what a gate wrote.
#[tauri::command]
pub(crate) async fn evidence(id: String, sha256: String, from: u64) -> Result<EvidencePage, ApiError> {
    ask(move |context| api::evidence(context, &id, &sha256, from)).await
}

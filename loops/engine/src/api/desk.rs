//! What a person does while reading: files marked as viewed, comments that wait to be sent, sending them, taking back.

use loopwright_core::exit;
use loopwright_core::review::Via;
use loopwright_core::review::comments::{Comment, compose};
use loopwright_core::revise::NOTE_LIMIT;
use serde::{Deserialize, Serialize};

use super::{ApiError, Context, SendBackView, UndoView, reviews, send_back, undo};
use crate::steps::stamp;
use crate::store::desk::{self, Draft};

/// Longest id of a comment, in bytes.
const ID_LIMIT: usize = 64;

/// Longest code that is kept with a comment, in characters.
const CODE_LIMIT: usize = 8000;

/// A comment that waits to be sent; without a path it is about the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct DraftView {
    /// Its id, which the window chooses.
    pub id: String,
    /// The file.
    pub path: Option<String>,
    /// Whether the lines are those of the old file.
    pub old: bool,
    /// First line.
    pub from: u32,
    /// Last line.
    pub to: u32,
    /// The lines as they were shown (untrusted).
    pub code: String,
    /// What the person wrote.
    pub text: String,
}

/// Marks a file as viewed with the content that was shown, or takes the mark away.
///
/// # Errors
/// There is no such pull request, or nothing can be stored.
pub fn mark_viewed(context: &Context, typed: &str, path: &str, content: &str, viewed: bool) -> Result<(), ApiError> {
    let mut store = context.store()?;
    let id = reviews::find(&store, typed)?.id;
    let at = stamp(context.now);
    Ok(store.write(|tx| if viewed { desk::mark(tx, id, path, content, &at) } else { desk::unmark(tx, id, path) })?)
}

/// The comments that wait to be sent.
///
/// # Errors
/// There is no such pull request.
pub fn drafts(context: &Context, typed: &str) -> Result<Vec<DraftView>, ApiError> {
    let store = context.store()?;
    let id = reviews::find(&store, typed)?.id;
    let shown = |draft: Draft| {
        let Draft { id, path, old, from, to, code, text } = draft;
        DraftView { id, path, old, from, to, code, text }
    };
    Ok(desk::drafts(store.read(), id)?.into_iter().map(shown).collect())
}

/// Keeps a comment as it is being written.
///
/// # Errors
/// There is no such pull request, it is too long, or nothing can be stored.
pub fn put_draft(context: &Context, typed: &str, draft: DraftView) -> Result<(), ApiError> {
    if draft.id.is_empty() || draft.id.len() > ID_LIMIT {
        return Err(ApiError::new(exit::USAGE, "a comment needs a short id"));
    }
    if draft.text.chars().count() > NOTE_LIMIT {
        return Err(ApiError::new(exit::USAGE, format!("a comment has at most {NOTE_LIMIT} characters"))
            .hint("what was written so far is kept; say the rest in another comment"));
    }
    let mut store = context.store()?;
    let id = reviews::find(&store, typed)?.id;
    let DraftView { id: own, path, old, from, to, code, text } = draft;
    let code = code.chars().take(CODE_LIMIT).collect();
    let draft = Draft { id: own, path, old, from, to, code, text };
    Ok(store.write(|tx| desk::put(tx, id, &draft, &stamp(context.now)))?)
}

/// Throws a comment away.
///
/// # Errors
/// There is no such pull request, or nothing can be stored.
pub fn drop_draft(context: &Context, typed: &str, draft: &str) -> Result<(), ApiError> {
    let mut store = context.store()?;
    let id = reviews::find(&store, typed)?.id;
    Ok(store.write(|tx| desk::throw_away(tx, id, draft))?)
}

/// Sends a pull request back with all comments that wait.
///
/// # Errors
/// Nothing is said, what is said is too long for one note, or it is decided already; nothing was sent then.
pub fn send_drafts(context: &Context, typed: &str) -> Result<SendBackView, ApiError> {
    let mut store = context.store()?;
    let id = reviews::find(&store, typed)?.id;
    let (whole, lines): (Vec<Draft>, Vec<Draft>) =
        desk::drafts(store.read(), id)?.into_iter().partition(|draft| draft.path.is_none());
    let whole: Vec<String> = whole.into_iter().map(|draft| draft.text).collect();
    let comments: Vec<Comment> = lines.into_iter().filter_map(comment).collect();
    let note = compose(&whole.join("\n\n"), &comments);
    if note.chars().count() > NOTE_LIMIT {
        let much = format!("the comments have {} characters with their code, {NOTE_LIMIT} fit", note.chars().count());
        return Err(ApiError::new(exit::USAGE, much).hint("nothing was sent; shorten them, or drop one"));
    }
    let view = send_back(context, typed, &note, Via::Window)?;
    store.write(|tx| desk::sent(tx, id, &stamp(context.now)))?;
    Ok(view)
}

fn comment(draft: Draft) -> Option<Comment> {
    let Draft { path, old, from, to, code, text, .. } = draft;
    Some(Comment { path: path?, old, from, to, code, text })
}

/// Takes the last decision back; comments that were sent with it are drafts again.
///
/// # Errors
/// There is nothing to take back, or something followed from it.
pub fn undo_decision(context: &Context, typed: &str) -> Result<UndoView, ApiError> {
    let view = undo(context, typed, Via::Window)?;
    if view.what == "sending back" {
        context.store()?.write(|tx| desk::taken_back(tx, view.id))?;
    }
    Ok(view)
}

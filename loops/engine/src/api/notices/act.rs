//! What a click does. Only clicks act: a notification that goes by itself decides nothing.

use std::time::Instant;

use loopwright_core::exit;
use loopwright_core::ids::PullRequestId;
use loopwright_core::notice::{About, Button, Notice, halted, merging, not_done};
use loopwright_core::review::Via;
use loopwright_core::review::later::DEFAULT;

use super::super::{
    ApiError, Approval, ApproveView, Context, Level, StartRequest, approve, disable, halt, later, start, undo,
};
use super::facts;
use crate::store::notices::Live;
use crate::store::{Store, loops, pull_requests};

/// A window to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opens {
    /// Its name.
    pub view: &'static str,
    /// What it shows first.
    pub target: Option<String>,
}

/// What a click came to.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) opens: Option<Opens>,
    pub(super) answer: Option<Notice>,
}

/// Does it; what fails is told as an answer, and opens where a person can go on.
pub(super) fn act(context: &Context, store: &Store, button: Button, live: &Live) -> Done {
    let about = &live.about;
    let done = match button {
        Button::Review => Ok(opens(place(live))),
        Button::ShowRun | Button::ShowRuns => Ok(opens(window("runs", about.run.clone()))),
        Button::ShowSpend => Ok(opens(window("spend", about.loops.first().cloned()))),
        Button::OpenSettings => Ok(opens(keys())),
        Button::Repair => Ok(opens(window("settings", None))),
        Button::Resume => Ok(opens(window("review", None))),
        Button::Approve => approved(context, store, about),
        Button::Later => put_off(context, about),
        Button::HaltLoop => halted_loop(context, about),
        Button::PauseLoop => each_loop(about, |name| disable(context, name).map(drop)),
        Button::RunNow => each_loop(about, |name| begin(context, name)),
        Button::Undo => each(about, |id| undo(context, &id.to_string(), Via::Notification).map(drop)),
    };
    done.unwrap_or_else(|error| {
        tracing::warn!(button = button.key(), hint = error.hint, "a click could not be done: {}", error.message);
        Done { answer: Some(not_done(button, &error.message, about.clone())), opens: None }
    })
}

fn opens(opens: Opens) -> Done {
    Done { opens: Some(opens), answer: None }
}

fn window(view: &'static str, target: Option<String>) -> Opens {
    Opens { view, target }
}

/// Where keys are added.
fn keys() -> Opens {
    window("settings", Some("credentials".to_owned()))
}

/// Where a click on the notification itself leads: to what it tells of, or to the place of the repair.
fn place(live: &Live) -> Opens {
    let place = live.buttons.iter().find_map(|button| match button {
        Button::ShowSpend => Some(window("spend", live.about.loops.first().cloned())),
        Button::ShowRuns => Some(window("runs", None)),
        Button::OpenSettings => Some(keys()),
        Button::Repair => Some(window("settings", None)),
        _ => None,
    });
    place.unwrap_or_else(|| review(&live.about))
}

/// The window of what a notification tells of.
fn review(about: &About) -> Opens {
    match (about.pull_requests.as_slice(), &about.run) {
        ([(id, _)], _) => window("review", Some(id.to_string())),
        ([], Some(run)) => window("runs", Some(run.clone())),
        ([], None) if !about.loops.is_empty() => window("loops", about.loops.first().cloned()),
        _ => window("review", None),
    }
}

/// Approves the tree that was announced, and nothing else; it lands after a while in which it can be undone.
fn approved(context: &Context, store: &Store, about: &About) -> Result<Done, ApiError> {
    let [(id, tree)] = about.pull_requests.as_slice() else { return Ok(opens(review(about))) };
    let record = pull_requests::by_id(store.read(), *id)?;
    let record = record.ok_or_else(|| ApiError::new(exit::FAILED, "the pull request is gone"))?;
    if let Some(why) = facts::card(store, &record)?.must_open {
        return Err(ApiError::new(exit::FAILED, format!("it must be opened: {why}")));
    }
    let approval = Approval { tree: tree.clone(), via: Via::Notification, after_s: None };
    let answer = match approve(context, &id.to_string(), &approval)? {
        ApproveView::Scheduled { branch, .. } => {
            let repo = loops::by_id(store.read(), record.loop_id)?.repo_path.display().to_string();
            let seconds = i64::from(Via::Notification.grace_s());
            merging(*id, &record.title, &branch, &repo, seconds)
        }
        ApproveView::Merged { .. } => return Ok(Done::default()),
        ApproveView::Waiting { why, .. } | ApproveView::Checking { why, .. } | ApproveView::Moved { why, .. } => {
            return Err(ApiError::new(exit::FAILED, why));
        }
    };
    Ok(Done { answer: Some(answer), opens: None })
}

fn put_off(context: &Context, about: &About) -> Result<Done, ApiError> {
    each(about, |id| later(context, &id.to_string(), DEFAULT, Via::Notification).map(drop))
}

fn halted_loop(context: &Context, about: &About) -> Result<Done, ApiError> {
    let [name] = about.loops.as_slice() else { return Ok(opens(window("loops", None))) };
    let began = Instant::now();
    let reason = Some("halted from a notification".to_owned());
    let view = halt(context, Level::Loop(name.clone()), false, reason)?;
    let answer = halted(Some(name), view.stopped, began.elapsed().as_secs_f64());
    Ok(Done { answer: Some(answer), opens: None })
}

fn begin(context: &Context, name: &str) -> Result<(), ApiError> {
    start(context, StartRequest { name: name.to_owned(), ship: false, finding: None }).map(drop)
}

/// All of them; the first that fails is told after the others were done.
fn each(about: &About, act: impl Fn(PullRequestId) -> Result<(), ApiError>) -> Result<Done, ApiError> {
    let failed: Vec<ApiError> = about.pull_requests.iter().filter_map(|(id, _)| act(*id).err()).collect();
    failed.into_iter().next().map_or_else(|| Ok(Done::default()), Err)
}

fn each_loop(about: &About, act: impl Fn(&str) -> Result<(), ApiError>) -> Result<Done, ApiError> {
    let failed: Vec<ApiError> = about.loops.iter().filter_map(|name| act(name).err()).collect();
    failed.into_iter().next().map_or_else(|| Ok(Done::default()), Err)
}

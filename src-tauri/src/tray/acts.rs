//! What a click does: one verb of the api each, on a thread of its own.

use std::sync::mpsc::Sender;
use std::time::Instant;

use loopwright_core::desk::{Act, Halted, Said, View};
use loopwright_core::notice::{halted, halted_but};
use loopwright_core::review::Via;
use loopwright_engine::api::{self, ApiError, Approval, Context, Level, StartRequest};

use super::collect;
use super::follow::Word;
use crate::{notices, window};

/// Does it; a failure stands in the menu afterwards, and in the log.
pub(super) fn perform(act: Act, words: Sender<Word>) {
    std::thread::spawn(move || {
        let word = match done(&act, &words) {
            Ok(()) => Word::Done(None),
            Err(error) => failed(&act, &error),
        };
        // Nobody listens any more once the tray quits.
        let _ = words.send(word);
    });
}

/// What is told of an act that failed.
pub(super) fn failed(act: &Act, error: &ApiError) -> Word {
    tracing::warn!(?act, hint = error.hint, "a click failed: {}", error.message);
    let open = |view, target: Option<&String>| Act::Open { view, target: target.cloned() };
    let (what, place) = match act {
        Act::Open { view, target } => (format!("{} didn't open", view.word()), open(*view, target.as_ref())),
        Act::Approve { id, .. } => ("Nothing was approved".to_owned(), open(View::Review, Some(id))),
        Act::Undo { id } => ("Nothing was undone".to_owned(), open(View::Review, Some(id))),
        Act::Later { id, .. } => ("Nothing was put off".to_owned(), open(View::Review, Some(id))),
        Act::HaltRun { id } => ("The run was not halted".to_owned(), open(View::Runs, Some(id))),
        Act::HaltAll => {
            let far = Context::look().map_or(Halted::Unknown, |context| api::how_far_halted(&context));
            (far.words().to_owned(), far.place())
        }
        Act::Run { name } => (format!("{name} didn't start"), open(View::Loops, Some(name))),
        Act::Pause { name, .. } => (format!("{name} was not paused"), open(View::Loops, Some(name))),
        Act::Enable { name } => (format!("{name} was not resumed"), open(View::Loops, Some(name))),
        Act::Serve => ("The scheduler didn't start".to_owned(), open(View::Settings, None)),
        Act::AtLogin { .. } => ("Start at login was not changed".to_owned(), open(View::Settings, None)),
        Act::Quit => ("It didn't quit".to_owned(), open(View::Settings, None)),
    };
    Word::Done(Some(Said { what, act: place }))
}

fn done(act: &Act, words: &Sender<Word>) -> Result<(), ApiError> {
    let context = Context::open()?.by("tray");
    let halt = |level| api::halt(&context, level, false, Some("halted in the tray".to_owned()));
    let began = Instant::now();
    match act {
        Act::Open { view, target } => window::open(view.word(), target.as_deref()),
        Act::Approve { id, tree } => {
            let approval = Approval { tree: tree.clone(), via: Via::Tray, after_s: None };
            api::approve(&context, id, &approval).map(drop)
        }
        Act::Undo { id } => api::undo(&context, id, Via::Tray).map(drop),
        Act::Later { id, when } => api::later(&context, id, when, Via::Tray).map(drop),
        Act::HaltRun { id } => halt(Level::Run(id.clone())).map(drop),
        Act::HaltAll => {
            let done = halt(Level::All);
            notices::say(match &done {
                Ok(view) => halted(None, view.stopped, began.elapsed().as_secs_f64()),
                Err(error) => halted_but(api::how_far_halted(&context), &error.message),
            });
            done.map(drop)
        }
        Act::Run { name } => {
            let request = StartRequest { name: name.clone(), ship: false, finding: None };
            api::start(&context, request).map(drop)
        }
        Act::Pause { name, until_tomorrow } => api::pause(&context, name, *until_tomorrow).map(drop),
        Act::Enable { name } => api::enable(&context, name).map(drop),
        Act::Serve => {
            if let Some(child) = api::serve_in_background(&context)? {
                collect(child, words.clone());
            }
            Ok(())
        }
        Act::AtLogin { on } => api::set_login_item(&context, *on).map(drop),
        Act::Quit => Ok(()),
    }
}

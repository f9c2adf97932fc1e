//! One window, which is a process of its own: its end gives back the memory that a webview takes.

use std::process::{Command, Stdio};

use anyhow::Result;
use loopwright_core::definition::preferences::Appearance;
use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, Context};
use tauri::{Theme, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use crate::arguments::{AskedWindow, VIEWS};
use crate::commands::{review, shared};

/// What the window of this process was opened for.
pub(crate) struct Shown {
    /// The id of what it shows first.
    pub(crate) target: Option<String>,
}

/// Shows the window until it is closed.
pub(crate) fn run(asked: AskedWindow) -> Result<()> {
    let AskedWindow { view, target } = asked;
    let app = tauri::Builder::default()
        .manage(Shown { target })
        .manage(review::Opened::default())
        .invoke_handler(tauri::generate_handler![
            shared::status,
            shared::halt,
            shared::resume,
            shared::open_window,
            shared::close_window,
            shared::preferences,
            shared::first_target,
            review::review_queue,
            review::review_head,
            review::review_diff,
            review::diff_lines,
            review::diff_line,
            review::diff_find,
            review::mark_viewed,
            review::drafts,
            review::put_draft,
            review::drop_draft,
            review::send_drafts,
            review::approve,
            review::approval_landed,
            review::reject,
            review::put_off,
            review::undo_decision,
            review::evidence
        ])
        .setup(move |app| {
            let scheme = scheme();
            let address = format!("index.html?view={view}&scheme={}", scheme.map_or("system", word));
            let (width, height) = size(view);
            let window = WebviewWindowBuilder::new(app, view, WebviewUrl::App(address.into()))
                .title(title(view))
                .inner_size(width, height)
                .theme(scheme)
                .build()?;
            if view == "review" {
                window.on_window_event(tell_focus);
            }
            Ok(())
        })
        .build(tauri::generate_context!())?;
    app.run(|_, _| ());
    Ok(())
}

/// While Review has the focus, no notification tells of what stands in it.
fn tell_focus(event: &WindowEvent) {
    let focused = match event {
        WindowEvent::Focused(focused) => *focused,
        WindowEvent::Destroyed => false,
        _ => return,
    };
    if let Some(context) = Context::look() {
        // It only costs a notification.
        let _ = api::notices::review_focus(&context, focused);
    }
}

/// Opens a window in a process of its own.
pub(crate) fn open(view: &str, target: Option<&str>) -> Result<(), ApiError> {
    if !VIEWS.contains(&view) {
        return Err(ApiError::new(exit::USAGE, format!("there is no window {view:?}")));
    }
    let mut command = Command::new(std::env::current_exe().map_err(|error| ApiError::new(exit::FAILED, error))?);
    command.args(["--window", view]).stdin(Stdio::null());
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    command.spawn().map(drop).map_err(|error| ApiError::new(exit::FAILED, format!("can't open {view}: {error}")))
}

/// Width and height in logical pixels.
fn size(view: &str) -> (f64, f64) {
    match view {
        "review" => (1180.0, 760.0),
        "spend" => (900.0, 640.0),
        "settings" | "welcome" => (760.0, 640.0),
        "quit" => (460.0, 200.0),
        _ => (1080.0, 720.0),
    }
}

/// Light or dark, as set; none = as the desktop is. It is known before anything is drawn, so that nothing flashes.
fn scheme() -> Option<Theme> {
    let context = Context::look()?;
    match api::preferences(&context).ok()?.appearance {
        Appearance::System => None,
        Appearance::Light => Some(Theme::Light),
        Appearance::Dark => Some(Theme::Dark),
    }
}

fn word(theme: Theme) -> &'static str {
    if theme == Theme::Dark { "dark" } else { "light" }
}

fn title(view: &str) -> String {
    let (first, rest) = view.split_at(1);
    format!("{}{rest} · Loopwright", first.to_uppercase())
}

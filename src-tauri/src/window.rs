//! One window, which is a process of its own: its end gives back the memory that a webview takes.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use loopwright_core::definition::preferences::Appearance;
use loopwright_core::exit;
use loopwright_engine::api::{self, ApiError, Context};
use serde::Deserialize;
use tauri::{AppHandle, Emitter as _, Manager as _, Theme, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use crate::arguments::{AskedWindow, VIEWS};
use crate::commands::{loops, review, runs, settings, shared, spend, welcome};
use crate::desktop::needs_display;
use crate::instance::{self, Instance};
use crate::news::{self, News};

/// How long changes are gathered before a page is told.
const CALM: Duration = Duration::from_millis(150);

/// What the window of this process is asked to show. Its page fetches that when it listens and whenever it is told to: what
/// is asked before there is a page is not lost, and nothing is shown twice.
pub(crate) struct Shown(Mutex<Option<String>>);

impl Shown {
    /// What is to be shown and was not fetched yet.
    pub(crate) fn fetch(&self) -> Option<String> {
        self.target().take()
    }

    fn put(&self, target: String) {
        *self.target() = Some(target);
    }

    fn target(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows the window until it is closed.
pub(crate) fn run(asked: AskedWindow) -> Result<()> {
    let AskedWindow { view, target } = asked;
    needs_display()?;
    let context = Context::open()?.by("window");
    let Some(instance) = Instance::take(&context.home, view)? else {
        // The one that is there comes to the front, and shows that.
        return instance::ask(&context.home, view, &target.unwrap_or_default());
    };
    let app = tauri::Builder::default()
        .manage(Shown(Mutex::new(target)))
        .manage(review::Opened::default())
        .invoke_handler(tauri::generate_handler![
            shared::status,
            shared::halt,
            shared::resume,
            shared::open_window,
            shared::close_window,
            shared::preferences,
            shared::first_target,
            loops::loop_list,
            loops::loop_detail,
            loops::draft_loop,
            loops::simulate_draft,
            loops::save_loop,
            loops::confirm_loop,
            loops::pause_loop,
            loops::enable_loop,
            loops::run_loop,
            loops::delete_loop,
            loops::loop_templates,
            loops::new_loop,
            loops::create_loop,
            loops::create_written,
            loops::loop_schema,
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
            review::evidence,
            runs::history,
            runs::timeline,
            runs::live_runs,
            runs::why_row,
            runs::log_page,
            runs::log_find,
            spend::spend,
            spend::set_ceiling,
            settings::settings_view,
            settings::change_setting,
            settings::test_agent,
            settings::doctor,
            settings::drill,
            settings::credentials,
            settings::login,
            settings::logout,
            settings::unlock_keychain,
            settings::wake,
            settings::login_item,
            settings::set_login_item,
            settings::test_notice,
            welcome::welcome,
            welcome::welcome_done,
            welcome::repositories,
            welcome::first_loop,
            welcome::dry_run,
            welcome::dry_run_so_far,
            welcome::try_sample,
            welcome::turn_on,
            welcome::quit
        ])
        .setup(move |app| {
            let scheme = scheme();
            let address = format!("index.html?view={view}&scheme={}", scheme.map_or("system", word));
            let Size { opens, least } = size(view)?;
            let window = WebviewWindowBuilder::new(app, view, WebviewUrl::App(address.into()))
                .title(title(view))
                .inner_size(opens.0, opens.1)
                .min_inner_size(least.0, least.1)
                .theme(scheme)
                .build()?;
            match view {
                "review" => window.on_window_event(tell_focus),
                "welcome" => window.on_window_event(remember_welcome),
                _ => {}
            }
            Ok(())
        })
        .build(tauri::generate_context!())?;
    let (tell, heard) = mpsc::channel();
    let _listening = news::listen(&context.home, instance.ask_path().to_owned(), tell)?;
    let handle = app.handle().clone();
    thread::spawn(move || pass_on(&handle, view, &instance, &heard));
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

/// Welcome opens by itself until a person has closed it once, however they do that.
fn remember_welcome(event: &WindowEvent) {
    if let (WindowEvent::CloseRequested { .. }, Some(context)) = (event, Context::look()) {
        // Where that can't be written, it opens once more.
        let _ = api::welcome_done(&context);
    }
}

/// Tells the page what changed, and shows what the window is asked for.
fn pass_on(app: &AppHandle, view: &str, instance: &Instance, heard: &Receiver<News>) {
    // What was asked before anybody listened.
    obey(app, view, instance);
    while let Ok(first) = heard.recv() {
        // What a commit touches is touched more than once.
        let (mut changed, mut asked) = (first != News::Asked, first == News::Asked);
        while let Ok(news) = heard.recv_timeout(CALM) {
            changed |= news != News::Asked;
            asked |= news == News::Asked;
        }
        if asked {
            obey(app, view, instance);
        }
        if changed && let Err(error) = app.emit("changed", ()) {
            tracing::warn!("the window can't be told: {error}");
        }
    }
}

/// Does what it is asked for, once.
fn obey(app: &AppHandle, view: &str, instance: &Instance) {
    if let Some(target) = instance.asked()
        && let Err(error) = front(app, view, target)
    {
        tracing::warn!("the window can't be shown: {error}");
    }
}

fn front(app: &AppHandle, view: &str, target: String) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(view) {
        window.unminimize()?;
        window.show()?;
        window.set_focus()?;
    }
    if target.is_empty() {
        return Ok(());
    }
    app.state::<Shown>().put(target);
    app.emit("show", ())
}

/// Opens a window in a process of its own.
pub(crate) fn open(view: &str, target: Option<&str>) -> Result<(), ApiError> {
    if !VIEWS.contains(&view) {
        return Err(ApiError::new(exit::USAGE, format!("there is no window {view:?}")));
    }
    let mut command = Command::new(api::own_program()?);
    command.args(["--window", view]).stdin(Stdio::null());
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    let child = command.spawn();
    let mut child = child.map_err(|error| ApiError::new(exit::FAILED, format!("can't open {view}: {error}")))?;
    // Collected once it is closed.
    thread::spawn(move || child.wait());
    Ok(())
}

/// Width and height in logical pixels, as the tests in Chromium take them too.
#[derive(Deserialize)]
struct Size {
    opens: (f64, f64),
    least: (f64, f64),
}

fn size(view: &str) -> Result<Size> {
    let mut all: HashMap<String, Size> = serde_json::from_str(include_str!("../../ui/src/lib/sizes.json"))?;
    all.remove(view).with_context(|| format!("{view} has no size"))
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

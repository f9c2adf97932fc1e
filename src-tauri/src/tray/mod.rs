//! The tray: an icon and a menu, and no webview. What they look like is decided in `core::desk`.

mod acts;
mod draw;
mod follow;

use std::panic::{self, AssertUnwindSafe};
use std::process::Child;
use std::sync::mpsc::Sender;
use std::time::Duration;

use anyhow::Result;
use loopwright_core::desk::Act;
use loopwright_engine::api::{self, Context};
use tauri::tray::TrayIconBuilder;
use tauri::{App, RunEvent};

use crate::arguments::{AskedWindow, tell};
use crate::desktop::{self, Missing};
use crate::instance::{self, Instance};
use crate::window;
use crate::{news, notices};
use follow::Word;

/// How much later than we a panel may begin.
const LATER: Duration = Duration::from_secs(5);

/// The icon's id.
const ICON: &str = "main";

/// Shows the tray until a person quits it. Where it is there already, or can't be shown, a window opens instead.
pub(crate) fn run(at_login: bool) -> Result<()> {
    let context = Context::open()?.by("tray");
    let Some(instance) = Instance::take(&context.home, "tray")? else { return window::run(first_window(&context)) };
    desktop::needs_display()?;
    let (words, heard) = follow::words();
    if let Err(error) = api::repair_login_item(&context) {
        tracing::warn!("the login item can't be repaired: {error}");
    }
    begin_scheduler(&context, words.clone());
    if !desktop::has_bus() {
        return without(Missing::Bus, &context, at_login);
    }
    let ink = draw::ink(&context);
    let (tell_news, hear_news) = std::sync::mpsc::channel();
    let _listening = news::listen(&context.home, instance.ask_path().to_owned(), tell_news)?;
    follow::pass_on(hear_news, words.clone(), instance);
    let (clicks, schemes) = (words.clone(), words.clone());
    let folder = instance::folder(&context.home);
    let app = tauri::Builder::default()
        .on_menu_event(move |app, event| match serde_json::from_str::<Act>(event.id().as_ref()) {
            Ok(Act::Quit) => app.exit(0),
            Ok(act) => acts::perform(act, clicks.clone()),
            Err(_) => tracing::warn!("an entry of the menu without a meaning was clicked"),
        })
        .build(tauri::generate_context!())?;
    // The library that draws it ends the program where it is missing.
    let icon = TrayIconBuilder::with_id(ICON).temp_dir_path(folder);
    if !quietly(|| icon.build(&app).is_ok()) {
        return elsewhere(Missing::Library, &context, at_login);
    }
    follow::begin(app.handle().clone(), ink, words, heard);
    notices::begin(&context);
    welcome(&context, at_login);
    look_for_a_tray(context, at_login);
    desktop::follow_scheme({
        let words = schemes;
        move || words.send(Word::Scheme).is_ok()
    });
    stay(app);
    Ok(())
}

/// Stays although no window is open.
fn stay(app: App) {
    app.run(|_, event| {
        if let RunEvent::ExitRequested { code: None, api, .. } = event {
            api.prevent_exit();
        }
    });
}

/// Asks the tray that runs to quit; the loops go on.
///
/// # Errors
/// It can't be asked.
pub(crate) fn ask_to_quit(context: &Context) -> Result<()> {
    instance::ask(&context.home, "tray", follow::QUIT)
}

/// What a person sees who starts it: pull requests, or how to begin.
fn first_window(context: &Context) -> AskedWindow {
    let view = if api::welcome_needed(context).unwrap_or_default() { "welcome" } else { "review" };
    AskedWindow { view, target: None }
}

/// At the very first start a person sees how to begin, not an icon alone; at login nobody asked for a window.
fn welcome(context: &Context, at_login: bool) {
    let needed = !at_login && api::welcome_needed(context).unwrap_or_default();
    if needed && let Err(error) = window::open("welcome", None) {
        tell(&error);
    }
}

/// Says what is missing, and shows a window in its place; at login, where nobody asked for one, it only says so.
fn without(missing: Missing, context: &Context, at_login: bool) -> Result<()> {
    if at_login {
        return Err(missing.error().into());
    }
    tell(&missing.error());
    window::run(first_window(context))
}

/// The same in another process, because this one has begun to draw.
fn elsewhere(missing: Missing, context: &Context, at_login: bool) -> Result<()> {
    if at_login {
        return Err(missing.error().into());
    }
    tell(&missing.error());
    Ok(window::open(first_window(context).view, None)?)
}

/// A panel may come later than we do; the icon appears then by itself. Only where none has come for a while is that said.
fn look_for_a_tray(context: Context, at_login: bool) {
    std::thread::spawn(move || {
        if desktop::has_tray(LATER) {
            return;
        }
        tell(&Missing::Tray.error());
        if let Err(error) = api::notices::without_icon(&context) {
            tell(&error);
        }
        if !at_login && let Err(error) = window::open(first_window(&context).view, None) {
            tell(&error);
        }
    });
}

/// Starts the scheduler where none lives, and says so where it can't.
fn begin_scheduler(context: &Context, words: Sender<Word>) {
    match api::serve_in_background(context) {
        Ok(None) => {}
        Ok(Some(child)) => collect(child, words),
        Err(error) => {
            tell(&error);
            let _ = words.send(acts::failed(&Act::Serve, &error));
        }
    }
}

/// Waits for a child's end, so that it is gone then, and looks again.
fn collect(mut child: Child, words: Sender<Word>) {
    std::thread::spawn(move || {
        let _ = child.wait();
        let _ = words.send(Word::Look);
    });
}

/// Whether it succeeds; a panic of a library is a no, and not told as a defect.
fn quietly(act: impl FnOnce() -> bool) -> bool {
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let done = panic::catch_unwind(AssertUnwindSafe(act)).unwrap_or(false);
    panic::set_hook(told);
    done
}

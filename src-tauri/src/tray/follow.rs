//! Following what is so: looks whenever something changed, and once a minute for ages, and has drawn what differs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use loopwright_core::definition::preferences::TrayIcon;
use loopwright_core::desk::{Desk, Ink, Said, Sign};
use loopwright_engine::api::{self, Context, DeskLook, Shell};
use tauri::AppHandle;

use super::draw;
use crate::instance::Instance;
use crate::news::News;

/// What the tray is asked by the window that quits it.
pub(super) const QUIT: &str = "quit";

/// The shortest time between two looks, HALT apart.
const CALM: Duration = Duration::from_millis(300);

/// After this long without news it gives back the memory that it needs only to look and draw.
const SETTLED: Duration = Duration::from_secs(1);

/// Ages are told in minutes.
const MINUTE: Duration = Duration::from_secs(60);

/// How long the menu says that a click failed.
const SAID: Duration = Duration::from_secs(120);

/// What makes it look.
#[derive(Clone, Debug)]
pub(super) enum Word {
    /// Something changed.
    Look,
    /// At once.
    Now,
    /// The desktop has another colour scheme.
    Scheme,
    /// A click was done, or failed.
    Done(Option<Said>),
    /// A person quits the icon.
    Quit,
}

/// Where words are said, and heard.
pub(super) fn words() -> (Sender<Word>, Receiver<Word>) {
    mpsc::channel()
}

/// Passes on what the files tell, for as long as they do.
pub(super) fn pass_on(news: Receiver<News>, words: Sender<Word>, instance: Instance) {
    std::thread::spawn(move || {
        // What it was asked before anybody listened.
        for heard in std::iter::once(News::Asked).chain(news) {
            let word = match heard {
                News::Changed => Word::Look,
                News::Halt => Word::Now,
                News::Asked if instance.asked().as_deref() == Some(QUIT) => Word::Quit,
                News::Asked => continue,
            };
            if words.send(word).is_err() {
                return;
            }
        }
    });
}

/// Begins to follow, on a thread of its own.
pub(super) fn begin(app: AppHandle, ink: Ink, words: Sender<Word>, heard: Receiver<Word>) {
    let follower = Follower {
        app,
        ink,
        look: DeskLook::default(),
        shown: None,
        since: Instant::now(),
        said: None,
        keys: Keys::default(),
        drawing: None,
        scheme: false,
    };
    // Held open: without news it waits, it does not end.
    std::thread::spawn(move || follower.work(&heard, words));
}

/// Whether it starts at login: the item is there, and so is what it starts.
fn at_login(context: &Context) -> bool {
    api::login_item(context).is_ok_and(|item| item.on && item.fault.is_none())
}

struct Follower {
    app: AppHandle,
    ink: Ink,
    look: DeskLook,
    /// What was drawn last, and since when its icon stands.
    shown: Option<Desk>,
    since: Instant,
    said: Option<(Said, Instant)>,
    keys: Keys,
    /// Which drawing of the icon the settings asked for when it looked last.
    drawing: Option<TrayIcon>,
    /// The colour scheme is another one since then.
    scheme: bool,
}

/// When the keychain was last asked for the keys that loops need, and whether it still thinks.
#[derive(Default)]
struct Keys {
    asked: Option<Instant>,
    thinks: Arc<AtomicBool>,
}

impl Keys {
    /// Asks at most once a minute, on a thread of its own: what is to be shown meanwhile waits for no keychain. What it says
    /// is in a file, and its news wake whoever shows it.
    fn ask(&mut self, context: &Context) {
        let lately = self.asked.is_some_and(|at| at.elapsed() + CALM < MINUTE);
        if lately || self.thinks.swap(true, Ordering::AcqRel) {
            return;
        }
        self.asked = Some(Instant::now());
        let (context, thinks) = (context.clone(), self.thinks.clone());
        std::thread::spawn(move || {
            if let Err(error) = api::look_at_keys(&context) {
                tracing::warn!("the keychain can't be asked: {error}");
            }
            thinks.store(false, Ordering::Release);
        });
    }
}

impl Follower {
    fn work(mut self, heard: &Receiver<Word>, _words: Sender<Word>) {
        loop {
            let looked = Instant::now();
            let again = self.look();
            let mut until = looked + again.unwrap_or(MINUTE);
            let mut rests = Some(looked + SETTLED);
            loop {
                let next = rests.map_or(until, |at| at.min(until));
                match heard.recv_timeout(next.saturating_duration_since(Instant::now())) {
                    Err(RecvTimeoutError::Timeout) if rests.take().is_some_and(|at| at < until) => self.look.rest(),
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Ok(Word::Quit) => return self.app.exit(0),
                    Ok(Word::Now) => break,
                    Ok(Word::Scheme) => {
                        self.scheme = true;
                        break;
                    }
                    Ok(Word::Look) => until = until.min(looked + CALM),
                    Ok(Word::Done(said)) => {
                        self.said = said.map(|said| (said, Instant::now()));
                        // A tick that a click has set by itself is drawn as it truly is.
                        self.shown = None;
                        break;
                    }
                }
            }
        }
    }

    /// Looks, and has drawn what differs; says when to look again, if before the next minute.
    fn look(&mut self) -> Option<Duration> {
        let context = match Context::open() {
            Ok(context) => context.by("tray"),
            Err(error) => {
                tracing::warn!("the tray can't look: {error}");
                return None;
            }
        };
        self.said.take_if(|(_, at)| at.elapsed() > SAID);
        let said = self.said.as_ref().map(|(said, _)| said.clone());
        self.keys.ask(&context);
        self.choose_ink(&context);
        let mut desk = self.look.look(&context, Shell { said, at_login: at_login(&context) });
        let left = self.waits(desk.sign);
        if left.is_some() {
            // The menu is true at once; only the icon stays a moment longer.
            desk.sign = Sign::Running;
        }
        self.draw(desk);
        left
    }

    /// Draws with another ink where the settings or the desktop's colour scheme ask for it.
    fn choose_ink(&mut self, context: &Context) {
        let drawing = api::tray_icon(context);
        let asked = self.drawing.replace(drawing).is_some_and(|before| before != drawing);
        if !std::mem::take(&mut self.scheme) && !asked {
            return;
        }
        let before = std::mem::replace(&mut self.ink, draw::ink(context));
        if before != self.ink {
            self.shown = None;
        }
    }

    /// How long the icon that is shown stays.
    fn waits(&self, next: Sign) -> Option<Duration> {
        let shown = self.shown.as_ref()?.sign;
        let for_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        next.waits(shown, for_ms).map(Duration::from_millis)
    }

    fn draw(&mut self, desk: Desk) {
        if self.shown.as_ref() == Some(&desk) {
            return;
        }
        let before = self.shown.replace(desk.clone());
        let icon = before.as_ref().is_none_or(|before| before.sign != desk.sign);
        let menu = before.as_ref().is_none_or(|before| before.menu != desk.menu);
        if icon {
            self.since = Instant::now();
        }
        let (app, ink) = (self.app.clone(), self.ink);
        let drawn = self.app.run_on_main_thread(move || {
            let icon = icon.then_some(ink);
            if let Err(error) = draw::draw(&app, &desk, icon, menu) {
                tracing::warn!("the tray can't be drawn: {error:#}");
            }
        });
        if let Err(error) = drawn {
            tracing::warn!("the tray can't be drawn: {error}");
        }
    }
}

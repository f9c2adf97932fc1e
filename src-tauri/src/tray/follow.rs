//! Following what is so: looks whenever something changed, and once a minute for ages, and has drawn what differs.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

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
        for heard in news {
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
    let follower = Follower { app, ink, look: DeskLook::default(), shown: None, since: Instant::now(), said: None };
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
}

impl Follower {
    fn work(mut self, heard: &Receiver<Word>, _words: Sender<Word>) {
        loop {
            let looked = Instant::now();
            let again = self.look();
            let mut until = looked + again.unwrap_or(MINUTE);
            loop {
                match heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
                    Err(RecvTimeoutError::Timeout) => break,
                    Err(RecvTimeoutError::Disconnected) => return,
                    Ok(Word::Quit) => return self.app.exit(0),
                    Ok(Word::Now) => break,
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
        let mut desk = self.look.look(&context, Shell { said, at_login: at_login(&context), ..Shell::default() });
        let left = self.waits(desk.sign);
        if left.is_some() {
            // The menu is true at once; only the icon stays a moment longer.
            desk.sign = Sign::Running;
        }
        self.draw(desk);
        left
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

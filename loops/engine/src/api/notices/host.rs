//! Telling for as long as a process lives: the tray's thread, and what `serve` does where no tray lives.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use chrono::{DateTime, Utc};
use loopwright_core::notice::Notice;
use notify::event::{AccessKind, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::super::{ApiError, Context};
use super::act::Opens;
use super::seen;
use super::teller::{self, Teller};
use crate::clock;
use crate::notify::{Desktop, Heard, Notifier, Place, Server, ShowError};
use crate::secrets::lacking;
use crate::store::Store;

/// The shortest time between two looks: a run writes in bursts.
const CALM: Duration = Duration::from_millis(200);
/// The longest: clocks are set, and computers sleep.
const LONGEST: Duration = Duration::from_secs(600);
/// How often it is asked whether another process still tells.
const SEAT: Duration = Duration::from_secs(1);
/// Where no tray lives, `serve` waits so long before it tells.
const WITHOUT_TRAY: chrono::Duration = chrono::Duration::seconds(60);

/// What wakes whoever tells.
#[derive(Debug)]
pub enum News {
    /// Something changed that it goes by.
    Changed,
    /// The server told something.
    Heard(Heard),
    /// A person did something elsewhere, and this answers it.
    Say(Box<Notice>),
    /// It is to end.
    Stop,
}

/// Tells until this is dropped.
#[derive(Debug)]
pub struct Host {
    tell: Sender<News>,
    _watchers: Vec<RecommendedWatcher>,
}

impl Host {
    /// Begins to tell on a thread of its own; `open` opens windows.
    ///
    /// # Errors
    /// There is no session bus, or no thread: nothing is told, and what waits is in the tray and the windows.
    pub fn begin(context: &Context, open: impl FnMut(&Opens) + Send + 'static) -> Result<Host, ApiError> {
        let (tell, told) = mpsc::channel();
        let hears = tell.clone();
        let desktop = Desktop::begin(move |heard| drop(hears.send(News::Heard(heard))))?;
        let watchers = listen(context, &tell);
        let context = context.clone().by("notification");
        let thread = std::thread::Builder::new().name("teller".to_owned());
        thread.spawn(move || work(&context, desktop, &told, open)).context("starting a thread that tells")?;
        Ok(Host { tell, _watchers: watchers })
    }

    /// Answers what a person did elsewhere: everything is halted.
    pub fn say(&self, notice: Notice) {
        // After its end nothing is said.
        let _ = self.tell.send(News::Say(Box::new(notice)));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.tell.send(News::Stop);
    }
}

/// Watches the files that it goes by. Where that fails, it looks all the same, only later.
fn listen(context: &Context, tell: &Sender<News>) -> Vec<RecommendedWatcher> {
    let home = &context.home;
    let places: [(PathBuf, &[&str]); 4] = [
        (home.data.clone(), &["changed"]),
        (home.state.clone(), &["HALT", "ARMED", "opened", "review-focus", "no-tray", lacking::FILE]),
        (home.state.join("halt"), &[]),
        (home.config.clone(), &["settings.yaml"]),
    ];
    places.into_iter().filter_map(|(folder, names)| watch(&folder, names, tell.clone()).ok()).collect()
}

fn watch(folder: &std::path::Path, names: &'static [&str], tell: Sender<News>) -> notify::Result<RecommendedWatcher> {
    let concerns = |path: &PathBuf| {
        names.is_empty() || path.file_name().and_then(OsStr::to_str).is_some_and(|name| names.contains(&name))
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let opened = |event: &notify::Event| matches!(event.kind, EventKind::Access(AccessKind::Open(_)));
        if event.is_ok_and(|event| !opened(&event) && event.paths.iter().any(concerns)) {
            let _ = tell.send(News::Changed);
        }
    })?;
    watcher.watch(folder, RecursiveMode::NonRecursive)?;
    Ok(watcher)
}

fn work(context: &Context, desktop: Desktop, told: &Receiver<News>, mut open: impl FnMut(&Opens)) {
    let Some(mut teller) = take_seat(context, desktop, told) else { return };
    let mut due = Instant::now();
    loop {
        let news = told.recv_timeout(due.saturating_duration_since(Instant::now()));
        let done = match news {
            Ok(News::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(News::Changed) | Ok(News::Heard(Heard::Server)) => {
                due = due.min(Instant::now() + CALM);
                continue;
            }
            Ok(News::Heard(heard)) => teller.hear(&heard).map(|opens| {
                opens.iter().for_each(&mut open);
                due = Instant::now();
            }),
            Ok(News::Say(notice)) => teller.answer(&notice),
            Err(RecvTimeoutError::Timeout) => teller.look().map(|next| due = Instant::now() + until(next)),
        };
        if let Err(error) = done {
            tracing::error!("telling what waits: {error:#}");
            due = Instant::now() + LONGEST;
        }
    }
}

fn until(next: Option<DateTime<Utc>>) -> Duration {
    let wait = next.map(|next| (next - clock::now()).to_std().unwrap_or_default() + CALM);
    wait.map_or(LONGEST, |wait| wait.min(LONGEST))
}

/// Waits until no other process tells; none if this is to end before.
fn take_seat(context: &Context, desktop: Desktop, told: &Receiver<News>) -> Option<Teller<Desktop>> {
    loop {
        match teller::seat(context) {
            Ok(Some(seat)) => {
                let teller = Teller::on(context, desktop, seat);
                return teller.map_err(|error| tracing::error!("beginning to tell what waits: {error:#}")).ok();
            }
            Ok(None) => {}
            Err(error) => tracing::error!("taking the seat of whoever tells: {error:#}"),
        }
        if matches!(told.recv_timeout(SEAT), Ok(News::Stop) | Err(RecvTimeoutError::Disconnected)) {
            return None;
        }
    }
}

/// What `serve` keeps to tell where no tray lives: without buttons, as nobody would hear a click.
#[derive(Default)]
pub(in super::super) struct WithoutTray {
    since: Option<DateTime<Utc>>,
    // Some servers take notifications away with the connection that showed them.
    desktop: Option<Desktop>,
}

impl WithoutTray {
    /// Tells what waits once no tray has lived for a minute, in a session that has a server of notifications.
    ///
    /// # Errors
    /// The store can't be read or written.
    pub(in super::super) fn look(&mut self, context: &Context, store: &Store) -> Result<()> {
        let seat = if seen::was_opened(context) { teller::seat(context)? } else { None };
        let Some(seat) = seat else {
            *self = WithoutTray::default();
            return Ok(());
        };
        let since = *self.since.get_or_insert(context.now);
        if context.now - since < WITHOUT_TRAY || !teller::would_tell(context, store)? {
            return Ok(());
        }
        let desktop = match self.desktop.take() {
            Some(desktop) => desktop,
            // No session, or none with a bus: it is told when there is one.
            None => match Desktop::begin(|_| ()) {
                Ok(desktop) => desktop,
                Err(_) => return Ok(()),
            },
        };
        let mut teller = Teller::on(context, Deaf(desktop), seat)?;
        let looked = teller.look();
        self.desktop = Some(teller.into_notifier().0);
        looked.map(drop)
    }
}

/// Shows without buttons.
struct Deaf(Desktop);

impl Notifier for Deaf {
    fn server(&mut self) -> Option<Server> {
        self.0.server().map(|server| Server { buttons: false, ..server })
    }

    fn show(&mut self, notice: &Notice, replaces: Option<u32>) -> Result<Place, ShowError> {
        let mute = Notice { buttons: Vec::new(), ..notice.clone() };
        self.0.show(&mute, replaces)
    }

    fn close(&mut self, place: &Place) {
        self.0.close(place);
    }
}

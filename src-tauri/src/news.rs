//! Hearing that something changed, whoever did it: the store, HALT, or a question to this process. A word and nothing more:
//! whoever is woken looks for itself.

use std::path::PathBuf;
use std::sync::mpsc::Sender;

use anyhow::{Context as _, Result};
use loopwright_engine::clock;
use loopwright_engine::halt;
use loopwright_engine::home::{Home, private_dir};
use loopwright_engine::secrets::lacking;
use notify::event::{AccessKind, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use crate::instance;

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// The store, what the keychain said, or the clock of a test.
    Changed,
    /// HALT came or went.
    Halt,
    /// Somebody asks this process for something.
    Asked,
}

/// The files that are listened to.
struct Files {
    changed: Vec<PathBuf>,
    halts: Vec<PathBuf>,
    ask: PathBuf,
}

/// Listens for as long as what it returns lives.
///
/// # Errors
/// The system can't watch the folders.
pub(crate) fn listen(home: &Home, ask: PathBuf, tell: Sender<News>) -> Result<RecommendedWatcher> {
    let state = &home.state;
    let changed = [home.changed(), lacking::path(home)].into_iter().chain(clock::file()).collect();
    let files = Files { changed, halts: vec![halt::halt_all(state), halt::armed(state)], ask };
    private_dir(&instance::folder(home))?;
    let folders = [home.data.clone(), state.clone(), instance::folder(home)];
    let beside = clock::file().and_then(|file| file.parent().map(PathBuf::from));
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if let Some(news) = event.ok().and_then(|event| files.news(&event)) {
            // Nobody listens any more once the process ends.
            let _ = tell.send(news);
        }
    })
    .context("listening to files")?;
    for folder in folders.into_iter().chain(beside) {
        let watched = watcher.watch(&folder, RecursiveMode::NonRecursive);
        watched.with_context(|| format!("listening to {}", folder.display()))?;
    }
    Ok(watcher)
}

impl Files {
    /// Reading is no news, or looking would wake who looks.
    fn news(&self, event: &Event) -> Option<News> {
        if matches!(event.kind, EventKind::Access(AccessKind::Open(_) | AccessKind::Read)) {
            return None;
        }
        let of = |files: &[PathBuf]| event.paths.iter().any(|path| files.contains(path));
        match () {
            () if of(&self.halts) => Some(News::Halt),
            () if of(std::slice::from_ref(&self.ask)) => Some(News::Asked),
            () if of(&self.changed) => Some(News::Changed),
            () => None,
        }
    }
}

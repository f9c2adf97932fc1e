//! Hearing that the store changed: a wake-up and nothing more, whoever is woken looks for itself.

use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use notify::event::{AccessKind, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Context;

/// Hears every change of the store from the moment it is made: make it, look, then wait, and no news falls in between.
pub struct Changes {
    told: Receiver<()>,
    // Kept so that waiting without a watch lasts as long as it may, rather than no time at all.
    _tell: Sender<()>,
    _watcher: notify::Result<RecommendedWatcher>,
}

/// Begins to listen.
pub fn changes(context: &Context) -> Changes {
    let (tell, told) = mpsc::channel();
    let (changed, telling) = (context.home.changed(), tell.clone());
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let opened = |e: &notify::Event| matches!(e.kind, EventKind::Access(AccessKind::Open(_)));
        if event.is_ok_and(|e| !opened(&e) && e.paths.contains(&changed)) {
            // Nobody listens any more once the wait is over.
            let _ = telling.send(());
        }
    });
    let _watcher = watcher.and_then(|mut w| w.watch(&context.home.data, RecursiveMode::NonRecursive).map(|()| w));
    Changes { told, _tell: tell, _watcher }
}

impl Changes {
    /// Waits until the store changed since this was made or waited last, at most for `timeout`; `true` if it did.
    pub fn wait(&self, timeout: Duration) -> bool {
        let heard = self.told.recv_timeout(timeout).is_ok();
        while self.told.try_recv().is_ok() {}
        heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;
    use crate::sandbox::toolchain::HostEnvironment;

    #[test]
    fn a_change_before_the_wait_is_heard() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = Home::under(folder.path());
        let now = chrono::DateTime::UNIX_EPOCH;
        home.create(now).expect("a home");
        let cwd = folder.path().to_owned();
        let host = HostEnvironment::default();
        let context = Context { home, chosen: true, host, cwd, zone: chrono_tz::Tz::UTC, now, by: "terminal" };
        let changes = changes(&context);
        std::fs::write(context.home.data.join("other"), b"").expect("written");
        assert!(!changes.wait(Duration::from_millis(20)), "another file says nothing: the control");
        std::fs::write(context.home.changed(), b"").expect("written");
        assert!(changes.wait(Duration::from_secs(20)));
    }
}

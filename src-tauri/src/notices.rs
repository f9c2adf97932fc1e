//! The tray's part in notifications: it hosts whoever tells, and opens the windows that clicks ask for.

use std::sync::OnceLock;

use loopwright_core::notice::Notice;
use loopwright_engine::api::Context;
use loopwright_engine::api::notices::{self, Host, Opens};

use crate::window;

/// Whoever tells, once it has begun: as long as this process lives.
static TELLING: OnceLock<Host> = OnceLock::new();

/// Begins to tell; without a session bus nothing is told. Opening the tray is opening Loopwright: from now on a person may be
/// told something.
pub(crate) fn begin(context: &Context) {
    match notices::opened(context).and_then(|()| Host::begin(context, open)) {
        Ok(host) => drop(TELLING.set(host)),
        Err(error) => tracing::warn!("no notifications: {}", error.message),
    }
}

/// Answers what a person did in the tray.
pub(crate) fn say(notice: Notice) {
    if let Some(host) = TELLING.get() {
        host.say(notice);
    }
}

fn open(opens: &Opens) {
    if let Err(error) = window::open(opens.view, opens.target.as_deref()) {
        tracing::error!(view = opens.view, "a window that a notification asked for: {}", error.message);
    }
}

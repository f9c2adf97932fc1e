//! The tray's part in notifications: it hosts whoever tells, and opens the windows that clicks ask for.

use loopwright_engine::api::Context;
use loopwright_engine::api::notices::{self, Host, Opens};

use crate::window;

/// Tells as long as what it returns lives; none without a session bus. Opening the tray is opening Loopwright: from now on a
/// person may be told something.
pub(crate) fn begin() -> Option<Host> {
    let begun = Context::open().and_then(|context| {
        notices::opened(&context)?;
        Host::begin(&context, open)
    });
    begun.map_err(|error| tracing::warn!("no notifications: {}", error.message)).ok()
}

fn open(opens: &Opens) {
    if let Err(error) = window::open(opens.view, opens.target.as_deref()) {
        tracing::error!(view = opens.view, "a window that a notification asked for: {}", error.message);
    }
}

//! Notifications: what is told now, and what a click does. One process tells at a time: the tray, and `serve` where none lives.
//!
//! What is told is `core::notice`'s, how it is shown [`crate::notify`]'s. Each has its row before it is sent; what nobody knows
//! the outcome of is never sent again.

mod act;
mod facts;
mod host;
mod seen;
mod teller;

use serde::Serialize;

use super::{ApiError, Context};
use crate::notify::Notifier;
use loopwright_core::exit;
use loopwright_core::notice::sample;

pub use act::Opens;
pub use host::{Host, News};
pub use seen::{opened, review_focus, without_icon};
pub use teller::Teller;

pub(super) use host::WithoutTray;

/// Whether notifications get through in this session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "types", derive(ts_rs::TS))]
pub struct NoticesView {
    /// Whether a server of notifications is there.
    pub server: bool,
    /// Whether it draws buttons; without them, approving and halting are in the tray and the windows.
    pub buttons: bool,
}

/// Whether this session shows notifications. What is set for them is among the preferences.
pub fn notices(_context: &Context) -> NoticesView {
    let server = desktop().ok().and_then(|mut desktop| desktop.server());
    NoticesView { server: server.is_some(), buttons: server.is_some_and(|server| server.buttons) }
}

/// Shows a notification that means nothing, for a person who asks whether they get through; nothing holds it back.
///
/// # Errors
/// There is no session bus or no server of notifications, or it says no.
pub fn test_notice(_context: &Context) -> Result<(), ApiError> {
    let hint = "pull requests that wait are in the tray and in `loopwright reviews` all the same";
    let failed = |error: &dyn std::fmt::Display| {
        ApiError::new(exit::FAILED, format!("no notification was shown: {error}")).hint(hint)
    };
    let mut desktop = desktop().map_err(|error| failed(&format!("{error:#}")))?;
    desktop.show(&sample(), None).map(drop).map_err(|error| failed(&error))
}

/// The notifications of this session, for whoever does not listen.
fn desktop() -> anyhow::Result<crate::notify::Desktop> {
    crate::notify::Desktop::begin(|_| ())
}

#[cfg(test)]
mod tests;

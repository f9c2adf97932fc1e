//! Showing notifications, and hearing what becomes of them. When and what is told is `core::notice`'s.
//!
//! Only a click that comes from the very server that shows a notification counts, for a number that it gave us and a button
//! that was drawn: see `linux`.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(not(target_os = "linux"), test))]
mod other;

use loopwright_core::notice::Notice;

pub use crate::store::notices::Place;

#[cfg(target_os = "linux")]
pub use linux::{Desktop, accept};
#[cfg(not(target_os = "linux"))]
pub use other::Desktop;

/// Where notifications are shown.
pub trait Notifier: Send {
    /// The server, as far as one is there.
    fn server(&mut self) -> Option<Server>;

    /// Shows one, in the place of the one with that number.
    ///
    /// # Errors
    /// It is not shown, or nobody knows.
    fn show(&mut self, notice: &Notice, replaces: Option<u32>) -> Result<Place, ShowError>;

    /// Takes one from the screen; whether it was there is all the same.
    fn close(&mut self, place: &Place);
}

/// A server of notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The bus and the server's own name on it.
    pub name: String,
    /// Whether it draws buttons.
    pub buttons: bool,
    /// Whether it interprets markup in the text.
    pub markup: bool,
}

/// Why one is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShowError {
    /// It certainly is not: it may be sent again.
    #[error("the notification was not sent: {0}")]
    NotSent(String),
    /// Nobody knows: it must not be sent again.
    #[error("nobody knows whether the notification was shown: {0}")]
    Unknown(String),
}

/// What a server told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A button was clicked; which one is the server's word.
    Clicked {
        /// Of which.
        place: Place,
        /// The button's key.
        key: String,
    },
    /// One is gone from the screen, which decides nothing.
    Closed {
        /// Which.
        place: Place,
        /// Whether its time was over; otherwise somebody took it away.
        expired: bool,
    },
    /// Another server is there, or none.
    Server,
}

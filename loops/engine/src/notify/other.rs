//! Notifications of macOS and Windows, through notify-rust.
//!
//! Unproven: none of this was ever run on either system, only type-checked, and the mapping tested. What is known from their
//! documentation: neither takes one from the screen again; macOS shows our labels in a drop-down and has no click on the
//! notification itself; on Windows that click comes as `default`. A click counts only while this process lives.

use loopwright_core::notice::{Button, Notice, Urgency};

/// What one says on these systems. Texts are plain there: nothing is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) body: String,
    /// Key and label, without the click on the notification itself, which needs no button.
    pub(super) buttons: Vec<(&'static str, &'static str)>,
    pub(super) stays: bool,
}

/// What is shown of a notification.
pub(super) fn text(notice: &Notice) -> Text {
    let buttons = notice.buttons.iter().filter(|button| **button != Button::Review);
    Text {
        title: notice.title.clone(),
        body: notice.body.clone(),
        buttons: buttons.map(|button| (button.key(), button.label())).collect(),
        stays: notice.urgency == Urgency::Critical,
    }
}

/// The key of what came back: these systems tell a click on the notification itself in words of their own.
pub(super) fn key(came: &str) -> Option<&'static str> {
    match came {
        "__closed" | "" => None,
        "default" | "__clicked" => Some(Button::Review.key()),
        other => Button::of_key(other).map(Button::key),
    }
}

#[cfg(not(target_os = "linux"))]
pub use shown::Desktop;

#[cfg(not(target_os = "linux"))]
mod shown {
    use std::sync::Arc;

    use anyhow::Result;
    use loopwright_core::notice::Notice;
    use notify_rust::{Notification, Timeout};

    use super::super::{Heard, Notifier, Place, Server, ShowError};
    use super::{key, text};

    type Tell = Arc<dyn Fn(Heard) + Send + Sync>;

    /// The notifications of this session.
    pub struct Desktop {
        tell: Tell,
        /// Tells this process from others: what another one showed is not heard of.
        server: String,
        last: u32,
    }

    impl Desktop {
        /// Begins; `tell` is called on threads of its own.
        ///
        /// # Errors
        /// None on these systems.
        pub fn begin(tell: impl Fn(Heard) + Send + Sync + 'static) -> Result<Desktop> {
            Ok(Desktop { tell: Arc::new(tell), server: format!("process {}", std::process::id()), last: 0 })
        }
    }

    impl Notifier for Desktop {
        fn server(&mut self) -> Option<Server> {
            Some(Server { name: self.server.clone(), buttons: true, markup: false })
        }

        fn show(&mut self, notice: &Notice, _replaces: Option<u32>) -> Result<Place, ShowError> {
            let text = text(notice);
            let mut shown = Notification::new();
            shown.summary(&text.title).body(&text.body);
            if text.stays {
                shown.timeout(Timeout::Never);
            }
            for (key, label) in text.buttons {
                shown.action(key, label);
            }
            let handle = shown.show().map_err(|error| ShowError::NotSent(error.to_string()))?;
            self.last += 1;
            let place = Place { server: self.server.clone(), number: self.last };
            let (at, tell) = (place.clone(), Arc::clone(&self.tell));
            std::thread::spawn(move || {
                handle.wait_for_action(|came| {
                    tell(match key(came) {
                        Some(key) => Heard::Clicked { place: at, key: key.to_owned() },
                        None => Heard::Closed { place: at, expired: false },
                    });
                });
            });
            Ok(place)
        }

        fn close(&mut self, _place: &Place) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_keep_their_order_and_the_notification_itself_needs_none() {
        let mut notice = loopwright_core::notice::sample();
        notice.buttons = vec![Button::Review, Button::Approve, Button::Later, Button::HaltLoop];
        let text = text(&notice);
        assert_eq!(text.buttons, [("approve", "Approve"), ("later", "Later"), ("halt-loop", "Halt loop")]);
        assert!(!text.stays);
        notice.urgency = Urgency::Critical;
        assert!(super::text(&notice).stays);
        assert_eq!((text.title, text.body), (notice.title, notice.body));
    }

    #[test]
    fn only_known_words_come_back() {
        assert_eq!(key("approve"), Some("approve"));
        assert_eq!(key("default"), Some("default"));
        for unknown in ["__closed", "", "merge-everything"] {
            assert_eq!(key(unknown), None, "{unknown}");
        }
    }
}

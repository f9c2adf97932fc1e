//! Notifications of macOS and Windows, through notify-rust.
//!
//! Unproven: none of this was ever run on either system, only type-checked, and the texts tested. What is known from their
//! sources: neither takes one from the screen again. macOS sends it only as it is waited for, so that a failure is not told,
//! wants the main thread's loop to run (as the tray's does), and shows our labels in a drop-down. Windows shows it as one of
//! PowerShell's, because we are not registered there. A click counts only while this process lives.

use loopwright_core::notice::{Button, Notice, Urgency};

/// What one says on these systems. Texts are plain there: nothing is escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) title: String,
    pub(super) body: String,
    /// Key and label.
    pub(super) buttons: Vec<(&'static str, &'static str)>,
    pub(super) stays: bool,
}

/// What is shown of a notification; `drop_down` where a click on the drop-down's own title counts as one on its first label.
/// That must never approve anything: the label that only opens a window comes first there. Elsewhere a click on the
/// notification itself does that, and needs no button.
pub(super) fn text(notice: &Notice, drop_down: bool) -> Text {
    let beside = notice.buttons.iter().filter(|button| **button != Button::Review);
    let first = (drop_down && beside.clone().next().is_some()).then_some(&Button::Review);
    Text {
        title: notice.title.clone(),
        body: notice.body.clone(),
        buttons: first.into_iter().chain(beside).map(|button| (button.key(), button.label())).collect(),
        stays: notice.urgency == Urgency::Critical,
    }
}

#[cfg(not(target_os = "linux"))]
pub use shown::Desktop;

#[cfg(not(target_os = "linux"))]
mod shown {
    use std::sync::Arc;

    use anyhow::Result;
    use loopwright_core::notice::{Button, Notice};
    use notify_rust::{CloseReason, Notification, NotificationResponse, Timeout};

    use super::super::{Heard, Notifier, Place, Server, ShowError};
    use super::text;

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
            let text = text(notice, cfg!(target_os = "macos"));
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
                let mut came = None;
                // What can't be waited for is told as gone, which decides nothing.
                let _ = handle.wait_for_response(|response: &NotificationResponse| came = Some(response.clone()));
                tell(heard(at, came));
            });
            Ok(place)
        }

        fn close(&mut self, _place: &Place) {}
    }

    /// What a response means; whether its button was drawn is asked by whoever hears it.
    fn heard(place: Place, response: Option<NotificationResponse>) -> Heard {
        match response {
            Some(NotificationResponse::Default) => Heard::Clicked { place, key: Button::Review.key().to_owned() },
            Some(NotificationResponse::Action(key)) => Heard::Clicked { place, key },
            Some(NotificationResponse::Closed(why)) => Heard::Closed { place, expired: why == CloseReason::Expired },
            Some(NotificationResponse::Reply(_)) | None => Heard::Closed { place, expired: false },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_keep_their_order_and_the_notification_itself_needs_none() {
        let mut notice = loopwright_core::notice::sample();
        notice.buttons = vec![Button::Review, Button::Approve, Button::Later, Button::HaltLoop];
        let said = text(&notice, false);
        assert_eq!(said.buttons, [("approve", "Approve"), ("later", "Later"), ("halt-loop", "Halt loop")]);
        assert!(!said.stays);
        notice.urgency = Urgency::Critical;
        assert!(text(&notice, false).stays);
        assert_eq!((said.title, said.body), (notice.title, notice.body));
    }

    #[test]
    fn a_click_on_the_title_of_a_drop_down_approves_nothing() {
        let mut notice = loopwright_core::notice::sample();
        notice.buttons = vec![Button::Review, Button::Approve];
        assert_eq!(text(&notice, true).buttons, [("default", "Review"), ("approve", "Approve")]);
        assert_eq!(text(&notice, false).buttons, [("approve", "Approve")], "it would be the first: the control");
        notice.buttons = vec![Button::Review];
        assert!(text(&notice, true).buttons.is_empty(), "there is nothing to choose from");
    }
}

//! A server of notifications for tests: what it was asked to show, and clicks that come when the test says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use loopwright_tests::stage::wait_for;
use tokio::runtime::Handle;
use zbus::Connection;
use zbus::message::Header;
use zbus::zvariant::OwnedValue;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// How the server behaves.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether it draws buttons.
    pub buttons: bool,
    /// Whether it interprets markup.
    pub markup: bool,
    /// This button is clicked on each notification that has it, before anybody is told its number.
    pub at_once: Option<&'static str>,
}

impl Default for Manner {
    fn default() -> Manner {
        Manner { buttons: true, markup: true, at_once: None }
    }
}

/// A notification as it came.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its number.
    pub number: u32,
    /// The number that it was to replace; 0 = none.
    pub replaces: u32,
    /// Its title.
    pub title: String,
    /// Its text, as a server gets it.
    pub body: String,
    /// Keys and labels of its buttons.
    pub buttons: Vec<(String, String)>,
    /// The words and numbers of its hints.
    pub hints: HashMap<String, String>,
    /// Whether it is still shown.
    pub open: bool,
}

impl Shown {
    /// The keys of its buttons.
    pub fn keys(&self) -> Vec<&str> {
        self.buttons.iter().map(|(key, _)| key.as_str()).collect()
    }
}

/// A server that owns the name as long as it lives.
pub struct Notifications {
    connection: Connection,
    handle: Handle,
    shown: Arc<Mutex<Vec<Shown>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

struct Served {
    shown: Arc<Mutex<Vec<Shown>>>,
    asked: Arc<Mutex<Vec<String>>>,
    manner: Manner,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Served {
    #[expect(clippy::too_many_arguments, reason = "the interface has so many")]
    async fn notify(
        &self,
        _app: &str,
        replaces: u32,
        _icon: &str,
        title: String,
        body: String,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        _timeout: i32,
        #[zbus(connection)] connection: &Connection,
    ) -> u32 {
        let buttons: Vec<(String, String)> =
            actions.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let hints = hints.into_iter().map(|(key, value)| (key, word(&value))).collect();
        let number = {
            let mut shown = lock(&self.shown);
            let number = match replaces {
                0 => 1 + shown.iter().map(|s| s.number).max().unwrap_or_default(),
                number => number,
            };
            shown.iter_mut().filter(|s| s.number == number).for_each(|s| s.open = false);
            shown.push(Shown { number, replaces, title, body, buttons: buttons.clone(), hints, open: true });
            number
        };
        if let Some(key) = self.manner.at_once.filter(|key| buttons.iter().any(|(known, _)| known == key)) {
            invoke(connection, number, key).await;
        }
        number
    }

    async fn close_notification(&self, number: u32, #[zbus(connection)] connection: &Connection) {
        let was = lock(&self.shown).iter_mut().filter(|s| s.number == number && s.open).map(|s| s.open = false).count();
        if was > 0 {
            emit(connection, "NotificationClosed", &(number, 3u32)).await;
        }
    }

    fn get_capabilities(&self, #[zbus(header)] header: Header<'_>) -> Vec<&str> {
        lock(&self.asked).push(header.sender().map(ToString::to_string).unwrap_or_default());
        let can = [("actions", self.manner.buttons), ("body-markup", self.manner.markup), ("body", true)];
        can.iter().filter(|(_, can)| *can).map(|(what, _)| *what).collect()
    }

    fn get_server_information(&self) -> (&str, &str, &str, &str) {
        ("test", "loopwright", "1", "1.2")
    }
}

impl Notifications {
    /// Owns the name on this connection.
    ///
    /// # Panics
    /// Another server is there.
    pub fn begin(connection: Connection, handle: Handle, manner: Manner) -> Notifications {
        let shown = Arc::<Mutex<Vec<Shown>>>::default();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let (bus, served) = (connection.clone(), Served { shown: shown.clone(), asked: asked.clone(), manner });
        handle.block_on(async move {
            bus.object_server().at(PATH, served).await.expect("a place");
            bus.request_name(NAME).await.expect("nobody else shows notifications on this bus");
        });
        Notifications { connection, handle, shown, asked }
    }

    /// Everything that was shown so far, the oldest first.
    pub fn all(&self) -> Vec<Shown> {
        lock(&self.shown).clone()
    }

    /// The connections that asked what it can do, the first first: whoever asked listens already.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }

    /// Waits for one that is open and whose title begins so.
    pub fn wait_for(&self, title: &str) -> Shown {
        wait_for(title, || self.all().into_iter().rev().find(|s| s.open && s.title.starts_with(title)))
    }

    /// Waits until this one is no longer shown.
    pub fn wait_until_closed(&self, number: u32) {
        wait_for("a notification to be withdrawn", || {
            self.all().iter().rev().find(|s| s.number == number).is_some_and(|s| !s.open).then_some(())
        });
    }

    /// Clicks on a button.
    pub fn click(&self, number: u32, key: &str) {
        self.handle.block_on(invoke(&self.connection, number, key));
    }

    /// Takes one away, as a person does who does not care.
    pub fn dismiss(&self, number: u32) {
        lock(&self.shown).iter_mut().filter(|s| s.number == number).for_each(|s| s.open = false);
        self.handle.block_on(emit(&self.connection, "NotificationClosed", &(number, 2u32)));
    }

    /// The server's own name on the bus.
    pub fn unique_name(&self) -> String {
        self.connection.unique_name().map(ToString::to_string).unwrap_or_default()
    }

    /// Gives the name up, as a server that ends.
    pub fn end(self) {
        self.handle.block_on(async { self.connection.release_name(NAME).await.expect("it was ours") });
    }
}

/// Sends what looks like a click from any connection: to everybody, or to one alone.
pub fn forge(connection: &Connection, handle: &Handle, to: Option<&str>, number: u32, key: &str) {
    handle.block_on(async {
        connection.emit_signal(to, PATH, NAME, "ActionInvoked", &(number, key)).await.expect("it is sent");
        // The bus has passed it on once it answers what came after it.
        let bus = zbus::fdo::DBusProxy::new(connection).await.expect("the bus");
        bus.get_id().await.expect("its answer");
    });
}

async fn invoke(connection: &Connection, number: u32, key: &str) {
    emit(connection, "ActionInvoked", &(number, key)).await;
}

async fn emit<B: serde::Serialize + zbus::zvariant::DynamicType>(connection: &Connection, signal: &str, body: &B) {
    connection.emit_signal(None::<&str>, PATH, NAME, signal, body).await.expect("it is sent");
}

fn word(value: &OwnedValue) -> String {
    match (value.downcast_ref::<&str>(), value.downcast_ref::<u8>(), value.downcast_ref::<bool>()) {
        (Ok(text), ..) => text.to_owned(),
        (_, Ok(number), _) => number.to_string(),
        (.., Ok(flag)) => flag.to_string(),
        _ => String::new(),
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

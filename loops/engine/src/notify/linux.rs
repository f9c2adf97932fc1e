//! The notifications of freedesktop.org, over one connection to the session's bus.
//!
//! Any process of the session can send a signal that looks like a click. Signals count only from the unique name that owns
//! `org.freedesktop.Notifications` at that moment: the bus writes the sender, so nobody can forge it. They are subscribed to
//! before anything is shown, so that no click comes too early.

use std::collections::HashMap;
use std::sync::mpsc::{self as answers, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures_lite::StreamExt as _;
use loopwright_core::notice::{Button, Kind, Notice, Urgency, escaped};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::fdo::DBusProxy;
use zbus::message::{Message, Type};
use zbus::zvariant::Value;
use zbus::{Connection, MatchRule, MessageStream};

use super::{Heard, Notifier, Place, Server, ShowError};

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
const BUS: &str = "org.freedesktop.DBus";

/// Our desktop entry, and the name of our icon in it (`package/`).
const ENTRY: &str = "dev.loopwright.tray";
const ICON: &str = "loopwright";

/// A server that does not answer in this time is as good as none.
const PATIENCE: Duration = Duration::from_secs(5);

/// The notifications of this session. Its thread ends with it.
#[derive(Debug)]
pub struct Desktop {
    ask: UnboundedSender<Ask>,
}

/// What the thread is asked for.
enum Ask {
    Server(Sender<Option<Server>>),
    Show { notice: Box<Notice>, replaces: Option<u32>, answer: Sender<Result<Place, ShowError>> },
    Close(Place),
}

impl Desktop {
    /// Connects to the session's bus and begins to listen; `tell` is called on a thread of its own.
    ///
    /// # Errors
    /// There is no session bus, or it can't be reached.
    pub fn begin(tell: impl Fn(Heard) + Send + Sync + 'static) -> Result<Desktop> {
        let (ask, asked) = unbounded_channel();
        let (ready, begun) = answers::channel();
        let thread = std::thread::Builder::new().name("notices".to_owned());
        thread.spawn(move || serve(asked, Arc::new(tell), &ready)).context("starting a thread for notifications")?;
        begun.recv().context("the thread for notifications ended")??;
        Ok(Desktop { ask })
    }
}

impl Notifier for Desktop {
    fn server(&mut self) -> Option<Server> {
        let (answer, answered) = answers::channel();
        self.ask.send(Ask::Server(answer)).ok()?;
        answered.recv().ok().flatten()
    }

    fn show(&mut self, notice: &Notice, replaces: Option<u32>) -> Result<Place, ShowError> {
        let (answer, answered) = answers::channel();
        let gone = || "the connection to the session's bus is gone".to_owned();
        let ask = Ask::Show { notice: Box::new(notice.clone()), replaces, answer };
        self.ask.send(ask).map_err(|_| ShowError::NotSent(gone()))?;
        answered.recv().unwrap_or_else(|_| Err(ShowError::Unknown(gone())))
    }

    fn close(&mut self, place: &Place) {
        // Where nobody listens any more, nothing is shown either.
        let _ = self.ask.send(Ask::Close(place.clone()));
    }
}

type Tell = Arc<dyn Fn(Heard) + Send + Sync>;
/// The unique name that owns the server's name, as far as the bus has told.
type Owner = Arc<Mutex<Option<String>>>;

fn serve(asked: UnboundedReceiver<Ask>, tell: Tell, ready: &Sender<Result<()>>) {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match built.context("making a runtime for notifications") {
        Ok(runtime) => runtime,
        Err(error) => return drop(ready.send(Err(error))),
    };
    runtime.block_on(async {
        match Line::open(tell).await {
            Ok(line) => {
                let _ = ready.send(Ok(()));
                line.work(asked).await;
            }
            Err(error) => drop(ready.send(Err(error))),
        }
    });
}

/// The connection, and what is known of its other end.
struct Line {
    connection: Connection,
    bus: DBusProxy<'static>,
    /// Tells this bus from all others: unique names are given anew on each.
    guid: String,
    owner: Owner,
    /// The owner whose signals are subscribed to, and what it can do.
    known: Option<(String, Server)>,
    /// Whether the bus was asked to start a server: it is asked once.
    started: bool,
}

impl Line {
    async fn open(tell: Tell) -> Result<Line> {
        let opening = tokio::time::timeout(PATIENCE, Connection::session()).await;
        let connection = opening.context("the session's bus does not answer")?.context("reaching the session's bus")?;
        let bus = DBusProxy::new(&connection).await.context("asking the session's bus")?;
        let guid = bus.get_id().await.context("asking the session's bus who it is")?.to_string();
        let owner = Owner::default();
        let stream = MessageStream::from(&connection);
        tokio::spawn(listen(stream, guid.clone(), Arc::clone(&owner), tell));
        let rule = MatchRule::builder().msg_type(Type::Signal).sender(BUS)?.interface(BUS)?;
        let rule = rule.member("NameOwnerChanged")?.arg(0, NAME)?.build();
        bus.add_match_rule(rule).await.context("listening to the session's bus")?;
        Ok(Line { connection, bus, guid, owner, known: None, started: false })
    }

    async fn work(mut self, mut asked: UnboundedReceiver<Ask>) {
        while let Some(ask) = asked.recv().await {
            match ask {
                Ask::Server(answer) => {
                    let server = tokio::time::timeout(PATIENCE, self.server()).await.ok().flatten();
                    let _ = answer.send(server);
                }
                Ask::Show { notice, replaces, answer } => drop(answer.send(self.show(&notice, replaces).await)),
                Ask::Close(place) => {
                    let _ = tokio::time::timeout(PATIENCE, self.close(&place)).await;
                }
            }
        }
    }

    /// The server that is there now, with its signals subscribed to; one that can be started is.
    async fn server(&mut self) -> Option<Server> {
        let owner = match self.owner().await {
            Some(owner) => owner,
            None if !self.started => {
                self.started = true;
                let name = NAME.try_into().ok()?;
                self.bus.start_service_by_name(name, 0).await.ok()?;
                self.owner().await?
            }
            None => return None,
        };
        if let Some((_, server)) = self.known.as_ref().filter(|(known, _)| *known == owner) {
            return Some(server.clone());
        }
        self.subscribe(&owner).await.ok()?;
        let server = self.capabilities(&owner).await.ok()?;
        self.known = Some((owner, server.clone()));
        Some(server)
    }

    async fn owner(&self) -> Option<String> {
        Some(self.bus.get_name_owner(NAME.try_into().ok()?).await.ok()?.to_string())
    }

    async fn subscribe(&mut self, owner: &str) -> zbus::Result<()> {
        if let Some((before, _)) = self.known.take() {
            let _ = self.bus.remove_match_rule(signals_of(&before)?).await;
        }
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = Some(owner.to_owned());
        Ok(self.bus.add_match_rule(signals_of(owner)?).await?)
    }

    async fn capabilities(&self, owner: &str) -> zbus::Result<Server> {
        let answer = self.connection.call_method(Some(owner), PATH, Some(NAME), "GetCapabilities", &()).await?;
        let can: Vec<String> = answer.body().deserialize()?;
        let has = |what: &str| can.iter().any(|can| can == what);
        Ok(Server { name: self.place_of(owner), buttons: has("actions"), markup: has("body-markup") })
    }

    fn place_of(&self, owner: &str) -> String {
        format!("{} {owner}", self.guid)
    }

    async fn show(&mut self, notice: &Notice, replaces: Option<u32>) -> Result<Place, ShowError> {
        let not_sent = |why: &str| ShowError::NotSent(why.to_owned());
        let server = tokio::time::timeout(PATIENCE, self.server()).await.ok().flatten();
        let server = server.ok_or_else(|| not_sent("no server of notifications is there"))?;
        let Some((owner, _)) = self.known.clone() else { return Err(not_sent("no server is known")) };
        let call = Call::of(notice, &server);
        let body = call.arguments(replaces.unwrap_or_default());
        // To the very server that was subscribed to: another one is not to get it.
        let sent = self.connection.call_method(Some(owner.as_str()), PATH, Some(NAME), "Notify", &body);
        let answer = match tokio::time::timeout(PATIENCE, sent).await {
            Err(_) => return Err(ShowError::Unknown("the server did not answer".to_owned())),
            Ok(Err(zbus::Error::MethodError(name, said, _))) => return Err(refused(name.as_str(), said)),
            Ok(Err(error)) => return Err(ShowError::Unknown(error.to_string())),
            Ok(Ok(answer)) => answer,
        };
        let number = answer.body().deserialize().map_err(|error| ShowError::Unknown(error.to_string()))?;
        Ok(Place { server: server.name, number })
    }

    async fn close(&mut self, place: &Place) {
        let Some((owner, server)) = &self.known else { return };
        if server.name == place.server {
            let body = &(place.number,);
            let _ =
                self.connection.call_method(Some(owner.as_str()), PATH, Some(NAME), "CloseNotification", body).await;
        }
    }
}

fn signals_of(owner: &str) -> zbus::Result<MatchRule<'_>> {
    Ok(MatchRule::builder().msg_type(Type::Signal).sender(owner)?.path(PATH)?.interface(NAME)?.build())
}

/// A server that went away in the middle may have shown it; one that was not there has not, nor one that says no.
fn refused(name: &str, said: Option<String>) -> ShowError {
    let why = said.unwrap_or_else(|| name.to_owned());
    match name {
        "org.freedesktop.DBus.Error.NoReply" | "org.freedesktop.DBus.Error.Disconnected" => ShowError::Unknown(why),
        _ => ShowError::NotSent(why),
    }
}

/// Tells what the server tells, in the order in which it comes. It asks nobody, so that no flood of signals can stop it.
async fn listen(mut stream: MessageStream, guid: String, owner: Owner, tell: Tell) {
    while let Some(message) = stream.next().await {
        let Ok(message) = message else { continue };
        if let Some(now) = new_owner(&message) {
            *owner.lock().unwrap_or_else(PoisonError::into_inner) = now;
            tell(Heard::Server);
            continue;
        }
        let owner = owner.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(heard) = owner.and_then(|owner| accept(&message, &guid, &owner)) {
            tell(heard);
        }
    }
    tell(Heard::Server);
}

/// The new owner of the server's name, if that is what the bus itself tells.
fn new_owner(message: &Message) -> Option<Option<String>> {
    let header = message.header();
    let is = |found: Option<&str>, wanted: &str| found == Some(wanted);
    if message.message_type() != Type::Signal
        || !is(header.sender().map(|name| name.as_str()), BUS)
        || !is(header.member().map(|name| name.as_str()), "NameOwnerChanged")
    {
        return None;
    }
    let (name, _, now): (String, String, String) = message.body().deserialize().ok()?;
    (name == NAME).then(|| Some(now).filter(|now| !now.is_empty()))
}

/// What a message means if it comes from `owner`, the server itself; nothing that anybody else sends means anything.
pub fn accept(message: &Message, guid: &str, owner: &str) -> Option<Heard> {
    let header = message.header();
    if message.message_type() != Type::Signal || header.sender()?.as_str() != owner || header.path()?.as_str() != PATH {
        return None;
    }
    if header.interface()?.as_str() != NAME {
        return None;
    }
    let place = |number| Place { server: format!("{guid} {owner}"), number };
    match header.member()?.as_str() {
        "ActionInvoked" => {
            let (number, key): (u32, String) = message.body().deserialize().ok()?;
            Some(Heard::Clicked { place: place(number), key })
        }
        "NotificationClosed" => {
            let (number, why): (u32, u32) = message.body().deserialize().ok()?;
            Some(Heard::Closed { place: place(number), expired: why == 1 })
        }
        _ => None,
    }
}

/// One notification in the words of this interface.
struct Call<'n> {
    title: &'n str,
    body: String,
    actions: Vec<&'static str>,
    hints: HashMap<&'static str, Value<'static>>,
    timeout: i32,
}

/// What `Notify` takes.
type Arguments<'c> = (
    &'static str,
    u32,
    &'static str,
    &'c str,
    &'c str,
    &'c [&'static str],
    &'c HashMap<&'static str, Value<'static>>,
    i32,
);

impl Call<'_> {
    fn of<'n>(notice: &'n Notice, server: &Server) -> Call<'n> {
        let drawn = notice.buttons.iter().filter(|_| server.buttons);
        let urgency: u8 = match notice.urgency {
            Urgency::Low => 0,
            Urgency::Normal => 1,
            Urgency::Critical => 2,
        };
        let hints = HashMap::from([
            ("desktop-entry", Value::from(ENTRY)),
            ("category", Value::from(category(notice.kind))),
            ("urgency", Value::from(urgency)),
            ("transient", Value::from(notice.transient)),
        ]);
        Call {
            title: &notice.title,
            body: escaped(&notice.body, server.markup),
            actions: drawn.flat_map(|button| [button.key(), label(*button, notice)]).collect(),
            hints,
            timeout: if notice.urgency == Urgency::Critical { 0 } else { -1 },
        }
    }

    fn arguments(&self, replaces: u32) -> Arguments<'_> {
        ("Loopwright", replaces, ICON, self.title, &self.body, &self.actions, &self.hints, self.timeout)
    }
}

/// Servers that draw a button for a click on the notification itself are to say where it leads.
fn label(button: Button, notice: &Notice) -> &'static str {
    let opens = button == Button::Review && notice.about.pull_requests.is_empty();
    if opens { "Open" } else { button.label() }
}

fn category(kind: Kind) -> &'static str {
    match (kind.needs_you(), kind.broken()) {
        (true, _) => "x-loopwright.needs-you",
        (_, true) => "x-loopwright.broken",
        _ => "x-loopwright.answer",
    }
}

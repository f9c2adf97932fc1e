//! The `org.kde.StatusNotifierWatcher` of a test: it reads the tray's icon and menu as a panel does, and clicks.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, MatchRule, MessageStream, Proxy};

use crate::LIMIT;
use crate::menu::{Layout, Menu};

const NAME: &str = "org.kde.StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// An icon that registered: its connection and its path.
type Item = (String, String);

/// A watcher; reading waits for states and is woken by the tray's own signals.
pub struct Watcher {
    connection: Connection,
    handle: Handle,
    items: Arc<Mutex<Vec<Item>>>,
    news: Arc<Notify>,
}

/// What the tray talks to.
struct Served {
    items: Arc<Mutex<Vec<Item>>>,
    news: Arc<Notify>,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Served {
    #[zbus(name = "RegisterStatusNotifierItem")]
    async fn register_item(
        &self,
        service: &str,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        let item = match service.starts_with('/') {
            true => (sender, service.to_owned()),
            false => (service.to_owned(), "/StatusNotifierItem".to_owned()),
        };
        let name = format!("{}{}", item.0, item.1);
        lock(&self.items).push(item);
        self.news.notify_waiters();
        Ok(Self::item_registered(&emitter, &name).await?)
    }

    #[zbus(name = "RegisterStatusNotifierHost")]
    fn register_host(&self, _service: &str) {}

    #[zbus(property, name = "RegisteredStatusNotifierItems")]
    fn registered(&self) -> Vec<String> {
        lock(&self.items).iter().map(|(name, path)| format!("{name}{path}")).collect()
    }

    /// True, or the tray falls back to an icon that no panel shows any more.
    #[zbus(property, name = "IsStatusNotifierHostRegistered")]
    fn has_host(&self) -> bool {
        true
    }

    #[zbus(property, name = "ProtocolVersion")]
    fn version(&self) -> i32 {
        0
    }

    #[zbus(signal, name = "StatusNotifierItemRegistered")]
    async fn item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;
}

impl Watcher {
    /// Owns the name and listens; icons may register from now on.
    pub(crate) fn begin(connection: Connection, handle: Handle) -> Watcher {
        let (items, news) = (Arc::<Mutex<Vec<Item>>>::default(), Arc::new(Notify::new()));
        let served = Served { items: items.clone(), news: news.clone() };
        let (bus, told) = (connection.clone(), news.clone());
        handle.block_on(async move {
            bus.object_server().at("/StatusNotifierWatcher", served).await.expect("a place");
            listen(&bus, MENU, told.clone()).await;
            listen(&bus, ITEM, told.clone()).await;
            listen(&bus, "org.freedesktop.DBus", told).await;
            bus.request_name(NAME).await.expect("nobody else watches on this bus");
        });
        Watcher { connection, handle, items, news }
    }

    /// Waits until an icon is there.
    pub fn wait_for_icon(&self) {
        self.wait("an icon", || self.item().map(drop));
    }

    /// How many icons registered so far, also those that are gone.
    pub fn registered(&self) -> usize {
        lock(&self.items).len()
    }

    /// A text of the icon: `Title`, `IconName`, `Id`, `Status`, `XAyatanaLabel`.
    ///
    /// # Panics
    /// There is no icon, or it has no such text.
    pub fn text(&self, property: &str) -> String {
        let (name, path) = self.item().expect("an icon");
        self.handle.block_on(property_of(&self.connection, name, path, property.to_owned())).expect("a text")
    }

    /// The menu as it is.
    ///
    /// # Panics
    /// There is no icon.
    pub fn menu(&self) -> Menu {
        self.wait("a menu", || self.look())
    }

    /// Waits until `look` finds something in the menu.
    ///
    /// # Panics
    /// It found nothing within [`LIMIT`]; the message shows the menu.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&Menu) -> Option<T>) -> T {
        let mut last = None;
        let found = self.wait_or(LIMIT, || {
            last = self.look();
            last.as_ref().and_then(&mut look)
        });
        found.unwrap_or_else(|| panic!("waited too long for {what}; the menu is\n{}", last.unwrap_or_default()))
    }

    /// Waits until the top of the menu has an entry with this label.
    ///
    /// # Panics
    /// It does not come within [`LIMIT`].
    pub fn until_has(&self, label: &str) -> Menu {
        self.until(label, |menu| menu.has(label).then(|| menu.clone()))
    }

    /// Clicks the entry to which these labels lead, one below the other, as it is now.
    ///
    /// # Panics
    /// There is none, or it can't be clicked.
    pub fn click(&self, labels: &[&str]) {
        let menu = self.menu();
        let row = menu.find(labels).unwrap_or_else(|| panic!("no {labels:?} in\n{menu}"));
        assert!(row.enabled, "{labels:?} can't be clicked in\n{menu}");
        self.click_id(row.id);
    }

    /// Clicks what the panel calls by this number, whatever it has become meanwhile.
    pub fn click_id(&self, id: i32) {
        let (name, path) = self.item().expect("an icon");
        let connection = self.connection.clone();
        self.handle.block_on(async move {
            let menu = menu_of(&connection, name, path).await.expect("a menu");
            menu.call_noreply("Event", &(id, "clicked", Value::from(0_i32), 0_u32)).await.expect("a click");
        });
    }

    fn look(&self) -> Option<Menu> {
        let (name, path) = self.item()?;
        let connection = self.connection.clone();
        let read = async move {
            let menu = menu_of(&connection, name, path).await?;
            menu.call::<_, _, bool>("AboutToShow", &(0_i32,)).await?;
            menu.call::<_, _, (u32, Layout)>("GetLayout", &(0_i32, -1_i32, Vec::<String>::new())).await
        };
        self.handle.block_on(read).ok().map(|(_, root)| Menu::of(root))
    }

    /// The newest icon whose process lives.
    fn item(&self) -> Option<Item> {
        let items = lock(&self.items).clone();
        let connection = self.connection.clone();
        self.handle.block_on(async move {
            let bus = zbus::fdo::DBusProxy::new(&connection).await.ok()?;
            for item in items.into_iter().rev() {
                let name = item.0.as_str().try_into().ok()?;
                if bus.name_has_owner(name).await.unwrap_or(false) {
                    return Some(item);
                }
            }
            None
        })
    }

    fn wait<T>(&self, what: &str, look: impl FnMut() -> Option<T>) -> T {
        self.wait_or(LIMIT, look).unwrap_or_else(|| panic!("waited too long for {what}"))
    }

    /// Looks at once, and again after each of the tray's signals.
    pub(crate) fn wait_or<T>(&self, limit: std::time::Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let until = Instant::now() + limit;
        loop {
            // From before the look, so that no signal falls in between.
            let mut told = std::pin::pin!(self.news.notified());
            told.as_mut().enable();
            if let Some(found) = look() {
                return Some(found);
            }
            if Instant::now() >= until {
                return None;
            }
            // What is looked at may also be a file, which sends no signal.
            let again = std::time::Duration::from_millis(100);
            let _ = self.handle.block_on(async { tokio::time::timeout(again, told).await });
        }
    }
}

/// Wakes whoever waits at every signal of this interface.
async fn listen(connection: &Connection, interface: &'static str, news: Arc<Notify>) {
    let rule = MatchRule::builder().msg_type(zbus::message::Type::Signal).interface(interface).expect("a name").build();
    let mut signals = MessageStream::for_match_rule(rule, connection, Some(64)).await.expect("a subscription");
    tokio::spawn(async move {
        while std::future::poll_fn(|cx| {
            zbus::export::futures_core::Stream::poll_next(std::pin::Pin::new(&mut signals), cx)
        })
        .await
        .is_some()
        {
            news.notify_waiters();
        }
    });
}

async fn property_of(connection: &Connection, name: String, path: String, property: String) -> zbus::Result<String> {
    let item = Proxy::new(connection, name, path, ITEM).await?;
    let value: OwnedValue = item.get_property(&property).await?;
    Ok(String::try_from(value)?)
}

async fn menu_of(connection: &Connection, name: String, path: String) -> zbus::Result<Proxy<'static>> {
    let item = zbus::proxy::Builder::<Proxy<'_>>::new(connection).destination(name.clone())?.path(path)?;
    let item = item.interface(ITEM)?.cache_properties(zbus::proxy::CacheProperties::No).build().await?;
    let menu: OwnedObjectPath = item.get_property("Menu").await?;
    Proxy::new_owned(connection.clone(), name, menu, MENU).await
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

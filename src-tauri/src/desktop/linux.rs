//! Linux: a socket of X11 or Wayland, D-Bus, a StatusNotifierWatcher.

use std::env;
use std::future::Future;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use zbus::Connection;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::names::BusName;
use zbus::zvariant::OwnedValue;

/// How long the bus may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the portal keeps whether the person prefers dark.
const SCHEME: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");

/// The name that whoever draws icons owns.
const WATCHER: &str = "org.kde.StatusNotifierWatcher";

/// Whether a display answers.
pub(crate) fn has_display() -> bool {
    let named = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let wayland = named("WAYLAND_DISPLAY").is_some_and(|name| {
        let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).unwrap_or_default();
        UnixStream::connect(runtime.join(name)).is_ok()
    });
    wayland || named("DISPLAY").is_some_and(|display| x11(&display))
}

/// Whether an X server answers: `:0`, `unix:0.0`, `host:10.0`.
fn x11(display: &str) -> bool {
    let Some((host, number)) = display.rsplit_once(':') else { return false };
    let number: Option<u16> = number.split('.').next().and_then(|number| number.parse().ok());
    match (host, number) {
        (_, None) => false,
        ("" | "unix", Some(number)) => {
            let path = format!("/tmp/.X11-unix/X{number}");
            let hidden = SocketAddr::from_abstract_name(&path).and_then(|name| UnixStream::connect_addr(&name));
            UnixStream::connect(Path::new(&path)).is_ok() || hidden.is_ok()
        }
        (host, Some(number)) => {
            let mut found = (host, 6000_u16.saturating_add(number)).to_socket_addrs().into_iter().flatten();
            found.any(|address| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
        }
    }
}

/// Whether a session bus answers.
pub(crate) fn has_bus() -> bool {
    ask(PATIENCE, |_| async { Ok(()) }).is_some()
}

/// Whether something draws icons, or comes to within a while: a panel may begin later than we do.
pub(crate) fn has_tray(within: Duration) -> bool {
    let owned = ask(within + PATIENCE, |connection| async move {
        let bus = zbus::fdo::DBusProxy::new(&connection).await?;
        // Before the look, so that nobody comes in between.
        let mut changes = bus.receive_name_owner_changed_with_args(&[(0, WATCHER)]).await?;
        if bus.name_has_owner(BusName::try_from(WATCHER)?).await? {
            return Ok(true);
        }
        Ok(tokio::time::timeout(within, changes.next()).await.is_ok_and(|change| change.is_some()))
    });
    owned == Some(true)
}

/// Whether the person prefers dark, as the desktop's portal says; none where it says nothing.
pub(crate) fn prefers_dark() -> Option<bool> {
    ask(PATIENCE, |connection| async move {
        let value: OwnedValue = portal(&connection).await?.call("ReadOne", &SCHEME).await?;
        // 0 = no preference.
        Ok(u32::try_from(value).ok().filter(|scheme| *scheme > 0).map(|scheme| scheme == 1))
    })
    .flatten()
}

/// Calls `tell` after each change of the colour scheme, on a thread of its own, until that says that nobody listens.
pub(crate) fn follow_scheme(mut tell: impl FnMut() -> bool + Send + 'static) {
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        let followed = runtime.block_on(async {
            let connection = Connection::session().await?;
            let mut changes = portal(&connection).await?.receive_signal("SettingChanged").await?;
            while let Some(change) = changes.next().await {
                let of_scheme = change
                    .body()
                    .deserialize::<(String, String, OwnedValue)>()
                    .is_ok_and(|(namespace, key, _)| (namespace.as_str(), key.as_str()) == SCHEME);
                if of_scheme && !tell() {
                    break;
                }
            }
            zbus::Result::Ok(())
        });
        if let Err(error) = followed {
            tracing::info!("the icon does not follow the colour scheme: {error}");
        }
    });
}

/// What knows how the desktop is set.
async fn portal(connection: &Connection) -> zbus::Result<zbus::Proxy<'static>> {
    let (name, path) = ("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop");
    zbus::Proxy::new(connection, name, path, "org.freedesktop.portal.Settings").await
}

/// Asks the session bus; none where it, or the answer, is missing.
fn ask<T, F: Future<Output = zbus::Result<T>>>(within: Duration, question: impl FnOnce(Connection) -> F) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let asked = async { question(Connection::session().await?).await };
    runtime.block_on(async { tokio::time::timeout(within, asked).await.ok() })?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_that_nobody_serves_is_none() {
        assert!(!x11(":65000"));
        assert!(!x11("unix:65000.0"));
        assert!(!x11("nonsense"));
        assert!(!x11("127.0.0.1:59000"));
    }
}

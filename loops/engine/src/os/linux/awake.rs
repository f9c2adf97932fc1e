//! Keeping the computer awake while a run works: an inhibitor of logind, held by the run's own process and gone with it.
//!
//! It blocks `idle` alone: the computer does not fall asleep by itself, and a person who sends it to sleep or closes its lid is
//! obeyed. The bus is spoken to once; what is kept is a descriptor, which costs neither memory nor wake-ups.

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::io::{FdFlags, fcntl_setfd};

/// How long logind may take to answer.
const LIMIT: Duration = Duration::from_secs(5);
/// Where it is, twice: its name and its interface begin alike.
const LOGIND: &str = "org.freedesktop.login1";

/// As long as this is held, the computer does not fall asleep by itself.
#[derive(Debug)]
pub struct Awake(#[expect(dead_code, reason = "it is held, and closed with this")] OwnedFd);

/// Keeps the computer from falling asleep by itself; `why` is what logind shows to whoever asks.
///
/// # Errors
/// There is no system bus or no logind, or it refuses.
pub fn stay_awake(why: &str) -> Result<Awake> {
    // Gone when this returns, with its threads: a run is no place for an event loop.
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().context("a runtime")?;
    let asked = async { tokio::time::timeout(LIMIT, inhibit(why)).await };
    let held = runtime.block_on(asked).context("logind does not answer")?.context("asking logind")?;
    // No box and no watchdog may hold the computer awake after us.
    fcntl_setfd(&held, FdFlags::CLOEXEC).context("closing it in what we start")?;
    Ok(Awake(held))
}

async fn inhibit(why: &str) -> zbus::Result<OwnedFd> {
    let bus = zbus::Connection::system().await?;
    let words = ("idle", "Loopwright", why, "block");
    let path = "/org/freedesktop/login1";
    let answer = bus.call_method(Some(LOGIND), path, Some("org.freedesktop.login1.Manager"), "Inhibit", &words).await?;
    let held: zbus::zvariant::OwnedFd = answer.body().deserialize()?;
    Ok(held.into())
}

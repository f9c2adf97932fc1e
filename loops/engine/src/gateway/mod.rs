//! The way out of a box that was granted hosts: a listener that stands inside of it, and threads that serve it out here.
//!
//! What may be asked and where it may lead is `core::gateway`'s; one connection is `connection`'s, moving bytes `relay`'s.
//! There is no other way out: the box keeps a network namespace of its own, without any route.

mod connection;
mod relay;

use std::collections::BTreeMap;
use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context as _, Result};
use loopwright_core::gateway::{Host, HostPort};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::pipe::{PipeFlags, pipe_with};

pub use crate::traffic::Traffic;

/// Most connections at once; what is more waits in the kernel's queue.
const MOST_AT_ONCE: usize = 64;
/// Most refused hosts that are told apart.
const MOST_REFUSED: usize = 50;

/// Where a host is.
pub type Resolve = fn(&HostPort) -> io::Result<Vec<SocketAddr>>;

/// A way out that is open until this is dropped.
#[derive(Debug)]
pub struct Gateway {
    /// Nothing is ever written; its end ends everybody.
    stop: Option<OwnedFd>,
    serving: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// What all connections of one box share.
#[derive(Debug)]
struct Shared {
    hosts: Arc<Vec<HostPort>>,
    resolve: Resolve,
    /// At its end when the gateway is closed.
    stopped: OwnedFd,
    open: AtomicUsize,
    up: AtomicU64,
    down: AtomicU64,
    refused: Mutex<BTreeMap<String, u32>>,
}

impl Gateway {
    /// Opens a way to `hosts` for whoever passes a listener out through `door`.
    ///
    /// # Errors
    /// There is no thread or no pipe to be had.
    pub fn open(door: OwnedFd, hosts: Arc<Vec<HostPort>>, resolve: Resolve) -> Result<Gateway> {
        let (stopped, stop) = pipe_with(PipeFlags::CLOEXEC).context("making a pipe")?;
        let shared = Arc::new(Shared {
            hosts,
            resolve,
            stopped,
            open: AtomicUsize::new(0),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            refused: Mutex::default(),
        });
        let own = Arc::clone(&shared);
        let serving = move || {
            if let Err(error) = serve(&door, &own) {
                tracing::warn!("the way out of a box is closed: {error}");
            }
        };
        let thread = std::thread::Builder::new().name("gateway".to_owned()).spawn(serving);
        Ok(Gateway { stop: Some(stop), serving: Some(thread.context("starting a thread for a gateway")?), shared })
    }

    /// What went through so far.
    pub fn traffic(&self) -> Traffic {
        Traffic {
            up: self.shared.up.load(Ordering::Relaxed),
            down: self.shared.down.load(Ordering::Relaxed),
            refused: self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

/// Asks the system where a host is.
///
/// # Errors
/// It does not know.
pub fn by_the_system(host: &HostPort) -> io::Result<Vec<SocketAddr>> {
    match &host.host {
        Host::Address(address) => Ok(vec![SocketAddr::new(*address, host.port)]),
        Host::Name(name) => Ok((name.as_str(), host.port).to_socket_addrs()?.collect()),
    }
}

impl Shared {
    fn refuse(&self, what: String) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = refused.get_mut(&what) {
            *times = times.saturating_add(1);
        } else if refused.len() < MOST_REFUSED {
            refused.insert(what, 1);
        }
    }
}

/// Waits for the listener, then for connections, until the gateway is closed.
fn serve(door: &OwnedFd, shared: &Arc<Shared>) -> io::Result<()> {
    if !ready(door, shared)? {
        return Ok(());
    }
    // None: the box was gone before it could pass it.
    let Some(listener) = received(door)? else { return Ok(()) };
    listener.set_nonblocking(true)?;
    while ready(&listener, shared)? {
        if shared.open.load(Ordering::Acquire) >= MOST_AT_ONCE {
            // One of them ends, or all do.
            std::thread::park_timeout(std::time::Duration::from_millis(10));
            continue;
        }
        let Ok((stream, _)) = listener.accept() else { continue };
        let own = Arc::clone(shared);
        shared.open.fetch_add(1, Ordering::AcqRel);
        let serving = move || {
            connection::serve(stream, &own);
            own.open.fetch_sub(1, Ordering::AcqRel);
        };
        if std::thread::Builder::new().name("gateway".to_owned()).spawn(serving).is_err() {
            shared.open.fetch_sub(1, Ordering::AcqRel);
        }
    }
    Ok(())
}

/// Waits until a descriptor is readable; false if the gateway is closed.
fn ready(fd: &impl AsFd, shared: &Shared) -> io::Result<bool> {
    loop {
        let mut fds = [PollFd::new(fd, PollFlags::IN), PollFd::new(&shared.stopped, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Ok(fds[1].revents().is_empty()),
        }
    }
}

fn received(door: &OwnedFd) -> io::Result<Option<TcpListener>> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = RecvAncillaryBuffer::new(&mut space);
    recvmsg(door, &mut [io::IoSliceMut::new(&mut byte)], &mut rights, RecvFlags::CMSG_CLOEXEC)?;
    let fd = rights.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    Ok(fd.map(TcpListener::from))
}

#[cfg(test)]
mod tests;

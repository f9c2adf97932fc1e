//! Moves bytes both ways between two connections until both ways are at their end, nothing moves any more, or all is closed.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};

use super::Shared;
use crate::os;

/// A connection on which nothing moved for this long is closed.
const IDLE: Duration = Duration::from_secs(300);
/// Bytes on their way at most, each way.
const ROOM: usize = 64 << 10;

/// One way.
struct Way<'a> {
    from: &'a TcpStream,
    to: &'a TcpStream,
    bytes: Vec<u8>,
    count: &'a AtomicU64,
    /// Nothing more comes.
    ended: bool,
    /// The other side knows.
    told: bool,
}

/// Relays until the end.
pub(super) fn both_ways(inside: &TcpStream, outside: &TcpStream, shared: &Shared) -> io::Result<()> {
    for stream in [inside, outside] {
        stream.set_nonblocking(true)?;
    }
    let way = |from, to, count| Way { from, to, bytes: Vec::new(), count, ended: false, told: false };
    let mut ways = [way(inside, outside, &shared.up), way(outside, inside, &shared.down)];
    let mut moved = Instant::now();
    while !ways.iter().all(|way| way.told) {
        if !wait(&ways, shared, moved + IDLE)? {
            return Ok(());
        }
        for way in &mut ways {
            if way.turn()? {
                moved = Instant::now();
            }
        }
    }
    Ok(())
}

/// Waits until something can move; false if nothing did for too long, or all is closed.
fn wait(ways: &[Way<'_>; 2], shared: &Shared, until: Instant) -> io::Result<bool> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Ok(false);
    }
    let mut fds = vec![PollFd::new(&shared.stopped, PollFlags::IN)];
    for way in ways {
        if way.wants() {
            fds.push(PollFd::new(way.from, PollFlags::IN));
        }
        if !way.bytes.is_empty() {
            fds.push(PollFd::new(way.to, PollFlags::OUT));
        }
    }
    match poll(&mut fds, Some(&os::timespec(left))) {
        Ok(_) => Ok(fds[0].revents().is_empty()),
        Err(rustix::io::Errno::INTR) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

impl Way<'_> {
    fn wants(&self) -> bool {
        !self.ended && self.bytes.len() < ROOM
    }

    /// Moves what can be moved; whether that was anything.
    fn turn(&mut self) -> io::Result<bool> {
        let moved = self.take()? | self.give()?;
        if self.ended && self.bytes.is_empty() && !self.told {
            // The other way may go on.
            let _ = self.to.shutdown(Shutdown::Write);
            self.told = true;
        }
        Ok(moved)
    }

    fn take(&mut self) -> io::Result<bool> {
        if !self.wants() {
            return Ok(false);
        }
        let mut part = [0; ROOM / 4];
        match self.from.read(&mut part) {
            Ok(0) => self.ended = true,
            Ok(count) => self.bytes.extend_from_slice(&part[..count]),
            Err(error) if is_pause(&error) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    fn give(&mut self) -> io::Result<bool> {
        if self.bytes.is_empty() {
            return Ok(false);
        }
        match self.to.write(&self.bytes) {
            Ok(count) => {
                self.bytes.drain(..count);
                self.count.fetch_add(count as u64, Ordering::Relaxed);
                Ok(count > 0)
            }
            Err(error) if is_pause(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

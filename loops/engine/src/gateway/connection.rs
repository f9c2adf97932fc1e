//! One connection out of a box: its request is read, judged, and either refused in words or passed on.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use loopwright_core::gateway::HostPort;
use loopwright_core::gateway::address::may_lead_to;
use loopwright_core::gateway::head::{self, Asked};

use super::{Shared, relay};

/// How long a request may take to be told.
const TELLING: Duration = Duration::from_secs(30);
/// How long a host may take to answer.
const CONNECTING: Duration = Duration::from_secs(15);

/// How long whoever was refused may go on talking.
const HEARING_OUT: Duration = Duration::from_secs(1);

/// A request that does not go on: what its sender is told.
struct Refusal {
    status: &'static str,
    text: String,
}

/// Serves one connection to its end; whatever goes wrong is its own affair.
pub(super) fn serve(mut inside: TcpStream, shared: &Shared) {
    let _ = inside.set_nodelay(true);
    // A listener that does not wait hands on connections that do not wait either, on some systems.
    let _ = inside.set_nonblocking(false);
    let Ok(Some((head, rest))) = told(&mut inside) else { return };
    match lead(&head, shared) {
        Ok((asked, outside)) => {
            // That either side is gone is no news.
            let _ = pass(inside, outside, &asked, &rest, shared);
        }
        Err(refusal) => answer(&mut inside, &refusal),
    }
}

/// Reads until the head is whole: the head, and what came after it. None if it never is.
fn told(inside: &mut TcpStream) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let (until, mut bytes, mut part) = (Instant::now() + TELLING, Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = head::end(&bytes) {
            let rest = bytes.split_off(end);
            return Ok(Some((bytes, rest)));
        }
        let left = until.saturating_duration_since(Instant::now());
        if bytes.len() > head::LONGEST || left.is_zero() {
            return Ok(None);
        }
        inside.set_read_timeout(Some(left))?;
        match inside.read(&mut part)? {
            0 => return Ok(None),
            count => bytes.extend_from_slice(&part[..count]),
        }
    }
}

/// Decides on a request and connects to where it may go.
fn lead(head: &[u8], shared: &Shared) -> Result<(Asked, TcpStream), Refusal> {
    let refuse = |status, text| Err(Refusal { status, text });
    let asked = match head::read(head) {
        Ok(asked) => asked,
        Err(problem) => {
            shared.refuse(format!("something that is no plain request ({problem})"));
            return refuse("400 Bad Request", format!("not understood: {problem}"));
        }
    };
    let to = asked.to().clone();
    if !shared.hosts.contains(&to) {
        shared.refuse(to.to_string());
        return refuse("403 Forbidden", format!("{to} is not among the hosts that this step was granted (`network:`)"));
    }
    let addresses = match (shared.resolve)(&to) {
        Ok(addresses) => addresses,
        Err(error) => return refuse("502 Bad Gateway", format!("{to} is not known here: {error}")),
    };
    let may: Vec<SocketAddr> = addresses.iter().copied().filter(|address| may_lead_to(&to, address.ip())).collect();
    if let (Some(address), true) = (addresses.first(), may.is_empty()) {
        shared.refuse(format!("{to}, whose name leads to {}", address.ip()));
        let text = format!("{to} leads to {}, a place that is granted only by its own number", address.ip());
        return refuse("403 Forbidden", text);
    }
    match connected(&may) {
        Ok(outside) => Ok((asked, outside)),
        Err(error) => refuse("502 Bad Gateway", unreached(&to, &error)),
    }
}

fn unreached(to: &HostPort, error: &io::Error) -> String {
    format!("{to} was not reached: {error}")
}

/// Connects to the very addresses that were looked at.
fn connected(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect_timeout(address, CONNECTING) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn pass(mut inside: TcpStream, mut outside: TcpStream, asked: &Asked, rest: &[u8], shared: &Shared) -> io::Result<()> {
    outside.set_nodelay(true)?;
    match asked {
        Asked::Tunnel(_) => inside.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
        Asked::Request { head, .. } => {
            outside.write_all(head)?;
            shared.up.fetch_add(head.len() as u64, Ordering::Relaxed);
        }
    }
    outside.write_all(rest)?;
    shared.up.fetch_add(rest.len() as u64, Ordering::Relaxed);
    relay::both_ways(&inside, &outside, shared)
}

fn answer(inside: &mut TcpStream, refusal: &Refusal) {
    let Refusal { status, text } = refusal;
    let body = format!("loopwright: {text}\n");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = inside.set_write_timeout(Some(TELLING));
    let said = inside.write_all(format!("{head}{body}").as_bytes());
    if said.is_ok() && inside.shutdown(Shutdown::Write).is_ok() {
        hear_out(inside);
    }
}

/// Takes what was still on its way: closed over unread bytes, a connection loses the answer too.
fn hear_out(inside: &mut TcpStream) {
    let (until, mut left, mut part) = (Instant::now() + HEARING_OUT, 1 << 20, [0; 4096]);
    while left > 0 && Instant::now() < until && inside.set_read_timeout(Some(HEARING_OUT)).is_ok() {
        match inside.read(&mut part) {
            Ok(count) if count > 0 => left -= count.min(left),
            _ => return,
        }
    }
}

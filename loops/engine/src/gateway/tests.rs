//! The gateway by itself: a listener of the test's own stands for the box's.

use std::io::{IoSlice, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::*;

/// A gateway, and where it listens.
struct Opened {
    gateway: Gateway,
    at: SocketAddr,
}

impl Opened {
    fn to(hosts: &[&str], resolve: Resolve) -> Opened {
        let hosts = hosts.iter().map(|host| HostPort::parse(host).expect("a host")).collect();
        let (ours, door) = UnixStream::pair().expect("sockets");
        let gateway = Gateway::open(ours.into(), Arc::new(hosts), resolve).expect("a gateway");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
        let at = listener.local_addr().expect("its address");
        let fds = [listener.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        assert!(rights.push(SendAncillaryMessage::ScmRights(&fds)));
        sendmsg(&door, &[IoSlice::new(b"l")], &mut rights, SendFlags::empty()).expect("sent");
        Opened { gateway, at }
    }

    /// What is answered to these bytes, until the end.
    fn ask(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.at).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
        stream.write_all(bytes).expect("asked");
        stream.shutdown(std::net::Shutdown::Write).expect("asked");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("answered");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn connect(&self, target: &str) -> String {
        self.ask(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\nping").as_bytes())
    }
}

/// A host on the loopback that answers each connection with `pong ` and what it was sent.
fn host() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut said = Vec::new();
            let _ = stream.read_to_end(&mut said);
            let _ = stream.write_all(b"pong ").and_then(|()| stream.write_all(&said));
        }
    });
    port
}

#[test]
fn what_was_granted_is_reached_and_counted() {
    let port = host();
    let opened = Opened::to(&[&format!("localhost:{port}")], by_the_system);
    assert_eq!(opened.connect(&format!("LOCALHOST:{port}")), "HTTP/1.1 200 Connection established\r\n\r\npong ping");
    let request = format!("GET http://localhost:{port}/a HTTP/1.1\r\nHost: localhost:{port}\r\nX: y\r\n\r\n");
    let passed = format!("pong GET /a HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\nX: y\r\n\r\n");
    assert_eq!(opened.ask(request.as_bytes()), passed);
    let traffic = opened.gateway.traffic();
    assert_eq!((traffic.up, traffic.down), (4 + passed.len() as u64 - 5, 9 + passed.len() as u64));
    assert_eq!(traffic.refused.len(), 0);
    assert_eq!(traffic.notes("fetch")[0].1, format!("fetch sent {} and received {} bytes", traffic.up, traffic.down));
}

#[test]
fn anything_else_is_refused_in_words_and_told() {
    let (port, other) = (host(), host());
    let opened = Opened::to(&[&format!("localhost:{port}")], by_the_system);
    for target in [format!("localhost:{other}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let answer = opened.connect(&target);
        assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("not among the hosts"), "{target}: {answer}");
        assert!(opened.gateway.traffic().refused.contains_key(&target), "{target}");
    }
    for target in [format!("localhost.:{port}"), format!("me@localhost:{port}"), format!("127.1:{port}")] {
        let answer = opened.connect(&target);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{target}: {answer}");
    }
    let mixed = format!("GET http://localhost:{port}/ HTTP/1.1\r\nHost: localhost:{other}\r\n\r\n");
    assert!(opened.ask(mixed.as_bytes()).starts_with("HTTP/1.1 400 "));
    assert_eq!(opened.gateway.traffic().down, 0, "nothing came from any host");
    let notes = opened.gateway.traffic().notes("fetch");
    let told = format!("fetch asked for localhost:{other}, and was refused");
    assert!(notes.contains(&("network-refused".to_owned(), told)), "{notes:?}");
}

fn to_the_loopback(host: &HostPort) -> io::Result<Vec<SocketAddr>> {
    Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, host.port))])
}

/// A name that was granted, and whose owner lets it lead to the person's own machine (rebinding).
#[test]
fn a_name_that_leads_home_is_refused() {
    let port = host();
    let name = format!("rebinding.example:{port}");
    let opened = Opened::to(&[&name, &format!("127.0.0.1:{port}")], to_the_loopback);
    let answer = opened.connect(&name);
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("leads to 127.0.0.1"), "{answer}");
    assert!(opened.gateway.traffic().refused.contains_key(&format!("{name}, whose name leads to 127.0.0.1")));
    let by_number = opened.connect(&format!("127.0.0.1:{port}"));
    assert!(
        by_number.ends_with("pong ping"),
        "the control: the same place by its number, which was granted: {by_number}"
    );
}

#[test]
fn a_head_that_never_ends_and_one_that_is_too_long_are_left() {
    let opened = Opened::to(&["localhost:1"], by_the_system);
    assert_eq!(opened.ask(b"CONNECT localhost:1 HTTP/1.1\r\n"), "");
    let long = format!("CONNECT localhost:1 HTTP/1.1\r\nX: {}", "x".repeat(40_000));
    let mut stream = TcpStream::connect(opened.at).expect("it listens");
    // The other side may close in the middle.
    let _ = stream.write_all(long.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert_eq!(answer, b"");
}

#[test]
fn a_gateway_that_is_closed_ends_what_is_open() {
    let port = host();
    let opened = Opened::to(&[&format!("localhost:{port}")], by_the_system);
    let mut stream = TcpStream::connect(opened.at).expect("it listens");
    write!(stream, "CONNECT localhost:{port} HTTP/1.1\r\n\r\n").expect("asked");
    let mut answer = [0; 39];
    stream.read_exact(&mut answer).expect("answered");
    drop(opened);
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit");
    // Closed, or reset.
    assert!(matches!(stream.read(&mut answer), Ok(0)) || stream.read(&mut answer).is_err());
}

#[test]
fn a_box_that_never_passes_a_listener_holds_nothing_up() {
    let (ours, door) = UnixStream::pair().expect("sockets");
    let gateway = Gateway::open(ours.into(), Arc::default(), by_the_system).expect("a gateway");
    drop(door);
    drop(gateway);
    let (ours, _door) = UnixStream::pair().expect("sockets");
    drop(Gateway::open(ours.into(), Arc::default(), by_the_system).expect("a gateway"));
}

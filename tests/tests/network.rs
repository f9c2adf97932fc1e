//! What a box reaches that was granted a host: that host, and nothing else. Each way around fails inside; in a box that shares the
//! host's network, the control, it gets through.
#![expect(clippy::expect_used, reason = "helpers of tests say what they expected")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use loopwright_core::check::Ended;
use loopwright_core::gateway::HostPort;
use loopwright_engine::sandbox::bubblewrap::Bubblewrap;
use loopwright_engine::sandbox::toolchain::HostEnvironment;
use loopwright_engine::sandbox::{BoxOutput, BoxSpec, Limits, Output, Sandbox};
use loopwright_tests::stage::programs;

fn stage() -> PathBuf {
    programs().loopwright.with_file_name("loopwright-box")
}

fn spec(script: &str) -> BoxSpec {
    BoxSpec {
        label: "fetch".to_owned(),
        argv: ["bash", "-c", script].map(str::to_owned).to_vec(),
        env: Default::default(),
        cwd: "/tmp".to_owned(),
        mounts: Vec::new(),
        stdin: Vec::new(),
        limits: Limits { wall: Duration::from_secs(30), idle: None, output: 1 << 20 },
        stdout: Output::Memory,
    }
}

fn sandbox(granted: &[String]) -> Bubblewrap {
    let hosts = granted.iter().map(|host| HostPort::parse(host).expect("a host")).collect();
    Bubblewrap::find(&HostEnvironment::read()).expect("bubblewrap").opened_by(stage()).reaching(hosts)
}

fn boxed(granted: &[String], script: &str) -> BoxOutput {
    sandbox(granted).run(&spec(script)).expect("a box")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The control: a box with the host's network, and without a proxy.
fn with_the_hosts_network(script: &str) -> bool {
    let mut bare = Command::new("bwrap");
    bare.args(["--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]);
    bare.args(["--", "bash", "-c", script]).env_clear().env("PATH", "/usr/bin:/bin");
    bare.output().expect("bwrap").status.success()
}

/// A web server that answers every request with `answer`, or sends it elsewhere from `/away`.
fn web(answer: &'static str, away: Option<u16>) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    // Where there is IPv6, the same on its loopback.
    if let Ok(other) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        thread::spawn(move || other.incoming().flatten().for_each(|stream| drop(serve(stream, answer, away))));
    }
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(serve(stream, answer, away))));
    port
}

fn serve(mut stream: TcpStream, answer: &str, away: Option<u16>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let head = match away.filter(|_| first.contains("/away")) {
        Some(port) => format!("HTTP/1.1 302 Found\r\nLocation: http://localhost:{port}/\r\n"),
        None => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    write!(stream, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{answer}", answer.len())
}

/// Answers every datagram.
fn echo() -> u16 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let port = socket.local_addr().expect("its address").port();
    thread::spawn(move || {
        let mut bytes = [0; 64];
        while let Ok((count, from)) = socket.recv_from(&mut bytes) {
            let _ = socket.send_to(&bytes[..count], from);
        }
    });
    port
}

/// The name of this machine, if it leads to itself.
fn own_name() -> Option<String> {
    let said = Command::new("hostname").output().ok()?;
    let name = text(&said.stdout).trim().to_lowercase();
    let known = name != "localhost" && HostPort::parse(&format!("{name}:1")).is_ok();
    let asked = Command::new("getent").args(["ahostsv4", &name]).output().ok()?;
    (known && text(&asked.stdout).starts_with("127.")).then_some(name)
}

#[test]
fn a_granted_host_is_reached_by_request_and_by_tunnel() {
    let port = web("hello", None);
    let granted = [format!("localhost:{port}")];
    let script = format!("curl -sSf http://localhost:{port}/a && curl -sSfp http://LocalHost:{port}/b");
    let output = boxed(&granted, &script);
    assert_eq!((output.ended, text(&output.stdout)), (Ended::Exited(0), "hellohello".to_owned()), "{output:?}");
    assert!(output.traffic.up > 0 && output.traffic.down > 10 && output.traffic.refused.is_empty(), "{output:?}");
    let python = format!("import urllib.request as u; print(u.urlopen('http://localhost:{port}/').read())");
    let output = boxed(&granted, &format!("/usr/bin/python3 -c \"{python}\""));
    assert_eq!(text(&output.stdout), "b'hello'\n", "{output:?}");
}

/// Ways to what was not granted, with what stands in them: the host that was granted, one that was not, a socket for datagrams.
fn ways_around(granted: u16, other: u16, datagrams: u16) -> Vec<String> {
    let python = |text: String| format!("/usr/bin/python3 -c \"import socket as s; {text}\"");
    let mut ways = vec![
        // Plain TCP: no way at all, to whatever address and port.
        format!("exec 3<>/dev/tcp/127.0.0.1/{granted}"),
        format!("exec 3<>/dev/tcp/127.0.0.1/{other}"),
        python(format!("s.create_connection(('127.0.0.1', {other}), 3)")),
        format!("curl -sSf -m 5 --noproxy '*' http://localhost:{granted}/"),
        // UDP, and so QUIC and name servers.
        python(format!(
            "u = s.socket(s.AF_INET, s.SOCK_DGRAM); u.settimeout(3); u.sendto(b'x', ('127.0.0.1', {datagrams})); u.recv(9)"
        )),
        // The proxy: another port, by request and by tunnel.
        format!("curl -sSf -m 5 http://localhost:{other}/"),
        format!("curl -sSfp -m 5 http://localhost:{other}/"),
        // The same place by its number.
        format!("curl -sSf -m 5 http://127.0.0.1:{granted}/"),
        format!("curl -sSfp -m 5 http://127.0.0.1:{granted}/"),
        format!("curl -sSf -m 5 http://2130706433:{granted}/"),
        format!("curl -sSf -m 5 http://127.1:{granted}/"),
        // User names, a dot at the end, another host in the header.
        format!("curl -sSf -m 5 http://localhost:{granted}@localhost:{other}/"),
        format!("curl -sSf -m 5 -H 'Host: other.example' http://localhost:{granted}/"),
        // Sent elsewhere by the host that was granted.
        format!("curl -sSfL -m 5 http://localhost:{granted}/away"),
    ];
    if TcpStream::connect((Ipv6Addr::LOCALHOST, other)).is_ok() {
        ways.push(python(format!("s.create_connection(('::1', {other}), 3)")));
        ways.push(format!("curl -sSf -g -m 5 http://[::1]:{granted}/"));
    }
    ways
}

#[test]
fn every_way_around_is_closed() {
    let (other, datagrams) = (web("secret", None), echo());
    let granted = web("hello", Some(other));
    let ways = ways_around(granted, other, datagrams);
    for way in &ways {
        assert!(with_the_hosts_network(way), "the control fails: {way}");
        let output = boxed(&[format!("localhost:{granted}")], way);
        assert!(!output.ended.well() && !text(&output.stdout).contains("secret"), "{way}: {output:?}");
    }
    loopwright_tests::tell(&format!("{} ways around, each with its control", ways.len()));
}

#[test]
fn raw_bytes_to_the_proxy_get_nothing_else() {
    let other = web("secret", None);
    let granted = web("hello", None);
    let tricks = [
        format!("CONNECT localhost:{granted}\\0.example:{other} HTTP/1.1\\r\\n\\r\\n"),
        format!("CONNECT localhost:{other} HTTP/1.1\\nHost: localhost:{granted}\\r\\n\\r\\n"),
        format!("CONNECT localhost:{granted}%00@localhost:{other} HTTP/1.1\\r\\n\\r\\n"),
        format!("CONNECT localh%6fst:{other} HTTP/1.1\\r\\n\\r\\n"),
        format!("CONNECT localhost.:{granted} HTTP/1.1\\r\\n\\r\\n"),
        format!("CONNECT xn--localhost-:{other} HTTP/1.1\\r\\n\\r\\n"),
        "CONNECT 169.254.169.254:80 HTTP/1.1\\r\\n\\r\\n".to_owned(),
        format!("GET http://localhost:{granted}/\\r\\nHost:localhost:{other} HTTP/1.1\\r\\n\\r\\n"),
        format!("GET http://localhost:{granted}@localhost:{other}/ HTTP/1.1\\r\\nHost: localhost:{other}\\r\\n\\r\\n"),
        format!("GET / HTTP/1.1\\r\\nHost: localhost:{other}\\r\\n\\r\\n"),
    ];
    for trick in &tricks {
        let raw = format!(
            "exec 3<>/dev/tcp/127.0.0.1/${{http_proxy##*:}}; printf '%b' '{trick}GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&3; cat <&3"
        );
        let output = boxed(&[format!("localhost:{granted}")], &raw);
        let answer = text(&output.stdout);
        assert!(answer.starts_with("HTTP/1.1 40"), "{trick}: {output:?}");
        assert!(!answer.contains("secret") && !answer.contains("hello"), "{trick}: {answer}");
        assert_eq!(output.traffic.refused.len(), 1, "{trick}: {output:?}");
    }
    // The control: asked for plainly, the same bytes get an answer.
    let plain = format!(
        "exec 3<>/dev/tcp/127.0.0.1/${{http_proxy##*:}}; printf 'CONNECT localhost:{granted} HTTP/1.1\\r\\n\\r\\nGET / HTTP/1.1\\r\\n\\r\\n' >&3; cat <&3"
    );
    assert!(text(&boxed(&[format!("localhost:{granted}")], &plain).stdout).ends_with("hello"));
}

/// A granted name whose owner lets it lead to the person's own machine.
#[test]
fn a_name_that_leads_home_is_refused() {
    // Where this machine has no name of its own, the gateway's own tests show the same with a name that is made up.
    let Some(name) = own_name() else { return };
    let port = web("secret", None);
    let way = format!("curl -sSf -m 5 http://{name}:{port}/");
    assert!(with_the_hosts_network(&way), "the control");
    let output = boxed(&[format!("{name}:{port}")], &way);
    assert!(!output.ended.well() && !text(&output.stdout).contains("secret"), "{output:?}");
    let refused = output.traffic.refused.keys().next().cloned().unwrap_or_default();
    assert!(refused.starts_with(&format!("{name}:{port}, whose name leads to 127.")), "{refused}");
}

#[test]
fn no_grant_no_proxy() {
    let port = web("secret", None);
    let output = boxed(&[], &format!("env; curl -sSf -m 5 http://localhost:{port}/"));
    assert!(!output.ended.well(), "{output:?}");
    assert!(!text(&output.stdout).to_lowercase().contains("proxy=http"), "{output:?}");
    assert_eq!(output.traffic, Default::default());
}

#[test]
fn what_was_refused_is_told_to_whoever_reads_the_run() {
    let output = boxed(&["localhost:1".to_owned()], "for i in 1 2 3; do curl -s http://evil.example/; done");
    let notes = output.traffic.notes("fetch");
    let told = ("network-refused".to_owned(), "fetch asked for evil.example:80, and was refused, 3 times".to_owned());
    assert_eq!(notes, [told]);
    assert!(text(&output.stdout).contains("not among the hosts that this step was granted"), "{output:?}");
}

/// Nothing of how the way out was made is left to the program: no socket out, no listener.
#[test]
fn the_program_has_no_descriptor_of_the_way_out() {
    let list = text(&boxed(&["localhost:1".to_owned()], "ls -l /proc/[0-9]*/fd").stdout);
    assert!(list.contains("pipe:") && !list.contains("socket:"), "{list}");
}

/// The same walls as any box, and the same answers about programs that are not there.
#[test]
fn the_last_stage_grants_nothing_else_and_answers_as_a_shell() {
    let granted = ["localhost:1".to_owned()];
    let output = boxed(&granted, "unshare -Ur true || echo no; cat /proc/self/status | grep CapEff");
    assert!(text(&output.stdout).contains("no\n") && text(&output.stdout).contains("0000000000000000"), "{output:?}");
    for (program, code) in [("/no/such/program", 127), ("/etc/passwd", 126)] {
        let spec = BoxSpec { argv: vec![program.to_owned()], ..spec("") };
        let output = sandbox(&granted).run(&spec).expect("a box");
        assert_eq!(output.ended, Ended::Exited(code), "{output:?}");
    }
    let missing = sandbox(&granted).opened_by(Path::new("/no/such/stage").to_owned());
    assert!(missing.run(&spec("true")).is_err(), "without the last stage nothing runs");
}

#[test]
fn many_connections_and_much_data_go_through() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let port = listener.local_addr().expect("its address").port();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut head = [0; 4096];
                let _ = stream.read(&mut head);
                let body = vec![b'x'; 1 << 20];
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
                let _ = stream.write_all(&body);
            });
        }
    });
    let script = format!("for i in $(seq 100); do curl -sSf http://localhost:{port}/ | wc -c & done; wait");
    let output = boxed(&[format!("localhost:{port}")], &script);
    let whole = text(&output.stdout).lines().filter(|line| *line == "1048576").count();
    assert_eq!(whole, 100, "{output:?}");
}

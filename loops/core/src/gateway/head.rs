//! The head of a request to the gateway: which host is asked for, and what goes on to it. Read strictly, total on any bytes.

use super::{Host, HostPort};

/// Longest head, in bytes.
pub const LONGEST: usize = 16 << 10;
/// Most header lines.
const MOST_LINES: usize = 100;

/// What a program in a box asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `CONNECT host:port`: bytes both ways.
    Tunnel(HostPort),
    /// `GET http://host/path`: one request.
    Request {
        /// Where it goes.
        to: HostPort,
        /// The head as it goes on: without the host in its first line, and for one request alone.
        head: Vec<u8>,
    },
}

/// What is not understood, and so not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The first line.
    #[error("the first line is no request to a proxy")]
    Line,
    /// The host in it.
    #[error("the host asked for is not a plain name with a port")]
    Target,
    /// A header line.
    #[error("a header line is not well-formed")]
    Header,
    /// The `Host` header.
    #[error("the Host header is missing, doubled, or names another host")]
    Host,
    /// How long the body is.
    #[error("the length of the body is told in two ways")]
    Length,
}

impl Asked {
    /// Where it goes.
    pub fn to(&self) -> &HostPort {
        match self {
            Asked::Tunnel(to) | Asked::Request { to, .. } => to,
        }
    }
}

/// Where a head ends in what came so far, after its empty line.
pub fn end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4)
}

/// Reads a whole head, its empty line included.
///
/// # Errors
/// Anything that two readers could take for two things.
pub fn read(head: &[u8]) -> Result<Asked, Malformed> {
    let text = head.strip_suffix(b"\r\n\r\n").and_then(|bytes| str::from_utf8(bytes).ok()).ok_or(Malformed::Line)?;
    let mut lines = text.split("\r\n");
    let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, "HTTP/1.1" | "HTTP/1.0"] = words[..] else { return Err(Malformed::Line) };
    if !is_token(method) || !target.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Malformed::Line);
    }
    let headers = headers(lines)?;
    if method == "CONNECT" {
        let to = HostPort::parse(target).map_err(|_| Malformed::Target)?;
        same_host(&headers, &to, None)?;
        return Ok(Asked::Tunnel(to));
    }
    let (to, path) = absolute(target)?;
    same_host(&headers, &to, Some(80))?;
    one_length(&headers)?;
    Ok(Asked::Request { head: onward(method, path, &to, &headers), to })
}

type Header<'a> = (&'a str, &'a str);

fn headers<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Header<'a>>, Malformed> {
    let headers: Vec<Header<'a>> = lines.map(header).collect::<Result<_, _>>()?;
    if headers.len() > MOST_LINES { Err(Malformed::Header) } else { Ok(headers) }
}

fn header(line: &str) -> Result<Header<'_>, Malformed> {
    let (name, value) = line.split_once(':').ok_or(Malformed::Header)?;
    let plain = value.chars().all(|c| c == '\t' || !c.is_control());
    if is_token(name) && plain { Ok((name, value.trim_matches([' ', '\t']))) } else { Err(Malformed::Header) }
}

/// RFC 9110, 5.6.2.
fn is_token(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Host and path of `http://host[:port]/path`.
fn absolute(target: &str) -> Result<(HostPort, &str), Malformed> {
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
    let rest = scheme.map(|scheme| &target[scheme.len()..]).ok_or(Malformed::Line)?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if !(path.is_empty() || path.starts_with('/')) || path.contains('#') {
        return Err(Malformed::Target);
    }
    let to = with_port(authority, Some(80)).ok_or(Malformed::Target)?;
    Ok((to, if path.is_empty() { "/" } else { path }))
}

/// Reads `host:port`, or a host alone where a port goes without saying.
fn with_port(text: &str, usual: Option<u16>) -> Option<HostPort> {
    HostPort::parse(text).ok().or_else(|| Some(HostPort { host: Host::parse(text).ok()?, port: usual? }))
}

/// One `Host` at most, and for a request exactly one; it names the host that is asked for.
fn same_host(headers: &[Header<'_>], to: &HostPort, usual: Option<u16>) -> Result<(), Malformed> {
    let mut named = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| *value);
    let same = match (named.next(), named.next()) {
        (None, None) => usual.is_none(),
        // A tunnel's `Host` may leave out the port.
        (Some(host), None) => with_port(host, Some(usual.unwrap_or(to.port))).as_ref() == Some(to),
        _ => false,
    };
    if same { Ok(()) } else { Err(Malformed::Host) }
}

fn one_length(headers: &[Header<'_>]) -> Result<(), Malformed> {
    let is = |name: &str| name.eq_ignore_ascii_case("content-length") || name.eq_ignore_ascii_case("transfer-encoding");
    let mut told = headers.iter().filter(|(name, _)| is(name));
    let Some((name, value)) = told.next() else { return Ok(()) };
    let plain = match name.eq_ignore_ascii_case("content-length") {
        true => !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()),
        false => value.eq_ignore_ascii_case("chunked"),
    };
    if plain && told.next().is_none() { Ok(()) } else { Err(Malformed::Length) }
}

/// What is between a program and its proxy, and not for the host.
const BETWEEN: &[&str] =
    &["connection", "keep-alive", "proxy-authorization", "proxy-connection", "te", "upgrade", "host"];

fn onward(method: &str, path: &str, to: &HostPort, headers: &[Header<'_>]) -> Vec<u8> {
    let host = if to.port == 80 { to.host.to_string() } else { to.to_string() };
    // Closed after it: a second request would not be looked at any more.
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        if !BETWEEN.iter().any(|between| name.eq_ignore_ascii_case(between)) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    head.push_str("\r\n");
    head.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tunnel(target: &str) -> Result<Asked, Malformed> {
        read(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes())
    }

    #[test]
    fn a_tunnel_is_asked_for_by_name_and_port() {
        assert_eq!(
            tunnel("Registry.Example:443").map(|asked| asked.to().to_string()),
            Ok("registry.example:443".into())
        );
        assert!(read(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n").is_ok());
        assert!(read(b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n").is_ok());
        for target in ["a.example", "a.example.:443", "me@a.example:443", "a%2eexample:443", "a.example\0:443", "/"] {
            assert!(tunnel(target).is_err(), "{target:?}");
        }
        for head in [
            &b"CONNECT a.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n"[..],
            b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
            b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n",
            b"CONNECT a.example:443\r\n\r\n",
            b"CONNECT a.example:443 HTTP/2\r\n\r\n",
            b"CONNECT  a.example:443 HTTP/1.1\r\n\r\n",
            b"CONNECT a.example:443 HTTP/1.1\nHost: b.example\r\n\r\n",
            b"CONNECT a.example:443 HTTP/1.1\r\n folded\r\n\r\n",
            b"CONNECT a.example:443 HTTP/1.1\r\nHost : a.example\r\n\r\n",
            b"CONNECT a.example:443 HTTP/1.1\r\nX: \x00\r\n\r\n",
            b"CONNECT a.example:443 HTTP/1.1\r\nX: \xff\r\n\r\n",
            b"",
            b"\r\n\r\n",
        ] {
            assert!(read(head).is_err(), "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn a_request_goes_on_for_its_host_alone() {
        let head =
            b"GET http://A.example:8080/x?y=%00 HTTP/1.1\r\nhost: a.example:8080\r\nProxy-Connection: keep-alive\r\n\
            Connection: keep-alive\r\nAccept: */*\r\n\r\n";
        let Ok(Asked::Request { to, head }) = read(head) else { panic!("not understood") };
        assert_eq!(to.to_string(), "a.example:8080");
        let onward = "GET /x?y=%00 HTTP/1.1\r\nHost: a.example:8080\r\nConnection: close\r\nAccept: */*\r\n\r\n";
        assert_eq!(String::from_utf8(head).expect("text"), onward);
    }

    #[test]
    fn a_request_that_could_mean_another_host_is_refused() {
        for (target, host, refused) in [
            ("http://a.example/", "a.example", false),
            ("http://a.example", "a.example:80", false),
            ("http://a.example/", "b.example", true),
            ("http://a.example/", "a.example:81", true),
            ("http://a.example:81/", "a.example", true),
            ("http://a.example.:80/", "a.example", true),
            ("http://me@a.example/", "a.example", true),
            ("http://a.example#@b.example/", "b.example", true),
            ("http://a.example?@b.example/", "a.example", true),
            ("http://a.example\\@b.example/", "b.example", true),
            ("http://a%2eexample/", "a.example", true),
            ("https://a.example/", "a.example", true),
            ("ftp://a.example/", "a.example", true),
            ("/", "a.example", true),
            ("a.example:80", "a.example", true),
            ("http:///", "", true),
            ("http://127.1/", "127.1", true),
        ] {
            let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(read(head.as_bytes()).is_err(), refused, "{target} {host}");
        }
        assert_eq!(read(b"GET http://a.example/ HTTP/1.1\r\n\r\n"), Err(Malformed::Host));
        let two = "POST http://a.example/ HTTP/1.1\r\nHost: a.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(read(two.as_bytes()), Err(Malformed::Length));
        let many = format!("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n{}\r\n", "X: y\r\n".repeat(200));
        assert_eq!(read(many.as_bytes()), Err(Malformed::Header));
    }

    #[test]
    fn the_end_of_a_head_is_its_empty_line() {
        assert_eq!(end(b"GET / HTTP/1.1\r\n\r\nbody"), Some(18));
        assert_eq!(end(b"GET / HTTP/1.1\n\nbody"), None);
    }
}

//! What a step with `network:` may reach: hosts by name and port, read strictly, and which addresses a name may lead to.
//!
//! Listening, resolving and moving bytes is the engine's `gateway`; requests to it are read in [`head`].

pub mod address;
pub mod head;

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host with its port, in the one form in which two of them are compared.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostPort {
    /// The host.
    pub host: Host,
    /// The port, from 1.
    pub port: u16,
}

/// A host by its name or by its number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A name in small letters, without a dot at its end.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// What is no host with a port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoHost {
    /// There is no port.
    #[error("`{0}` names no port: write it as `host:port`, for example `{0}:443`")]
    Port(String),
    /// The port is not a number from 1 to 65535.
    #[error("`{0}` is no port: write a number from 1 to 65535")]
    Number(String),
    /// The host is not a name and not an address.
    #[error(
        "`{0}` is no host: write a name such as `registry.example`, or an address such as `192.0.2.1` or `[2001:db8::1]`"
    )]
    Name(String),
}

impl HostPort {
    /// Reads `host:port`; capitals count as small letters.
    ///
    /// # Errors
    /// Anything that programs read in different ways: no port, a dot at the end, user names, percent signs, numbers that are
    /// not a plain address, other signs than letters, digits and hyphens.
    pub fn parse(text: &str) -> Result<HostPort, NoHost> {
        let (host, port) = text.rsplit_once(':').ok_or_else(|| NoHost::Port(text.to_owned()))?;
        Ok(HostPort { host: Host::parse(host)?, port: number(port)? })
    }

    /// Whether it means a program on the person's own machine by its name or number.
    pub fn is_local(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost",
            Host::Address(address) => address::is_loopback(*address),
        }
    }
}

/// The variables by which programs in a box learn that the only way out is a proxy on this port of its loopback.
pub fn variables(port: u16) -> Vec<(String, String)> {
    let proxy = format!("http://127.0.0.1:{port}");
    let names = [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "npm_config_proxy",
        "npm_config_https_proxy",
        "CARGO_HTTP_PROXY",
        "PIP_PROXY",
    ];
    // Node's own `fetch` looks at the others only then.
    let node = ("NODE_USE_ENV_PROXY".to_owned(), "1".to_owned());
    names.iter().map(|name| ((*name).to_owned(), proxy.clone())).chain([node]).collect()
}

fn number(text: &str) -> Result<u16, NoHost> {
    let plain =
        !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    let port = text.parse::<u16>().ok().filter(|_| plain);
    port.ok_or_else(|| NoHost::Number(text.to_owned()))
}

impl Host {
    /// Reads a name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// It is none of them.
    pub fn parse(text: &str) -> Result<Host, NoHost> {
        let refuse = || NoHost::Name(text.to_owned());
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or_else(refuse)?;
            return inner.parse::<Ipv6Addr>().map(|a| Host::Address(a.into())).map_err(|_| refuse());
        }
        if let Ok(address) = text.parse::<Ipv4Addr>() {
            return Ok(Host::Address(address.into()));
        }
        let name = text.to_ascii_lowercase();
        if is_name(&name) { Ok(Host::Name(name)) } else { Err(refuse()) }
    }
}

/// Whether this is a name that nothing takes for a number: resolvers read `127.1` and `0x7f.1` as addresses.
fn is_name(name: &str) -> bool {
    let plain = |label: &str| {
        let signs = label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        signs && (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    name.len() <= 253 && name.split('.').all(plain) && !numeric
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Host::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_in_one_form() {
        for (text, form) in [
            ("registry.example:443", "registry.example:443"),
            ("Registry.EXAMPLE:443", "registry.example:443"),
            ("localhost:8080", "localhost:8080"),
            ("xn--bcher-kva.example:1", "xn--bcher-kva.example:1"),
            ("192.0.2.1:65535", "192.0.2.1:65535"),
            ("[2001:DB8:0::1]:443", "[2001:db8::1]:443"),
        ] {
            assert_eq!(HostPort::parse(text).map(|host| host.to_string()), Ok(form.to_owned()));
        }
        assert!(HostPort::parse("localhost:1").expect("a host").is_local());
        assert!(HostPort::parse("127.0.0.9:1").expect("a host").is_local());
        assert!(!HostPort::parse("localhost.example:1").expect("a host").is_local());
    }

    #[test]
    fn what_two_programs_could_read_in_two_ways_is_no_host() {
        for text in [
            "",
            ":443",
            "registry.example",
            "registry.example:",
            "registry.example:0",
            "registry.example:0443",
            "registry.example:+443",
            "registry.example:65536",
            "registry.example:443 ",
            " registry.example:443",
            "registry.example.:443",
            ".registry.example:443",
            "registry..example:443",
            "me@registry.example:443",
            "me:secret@registry.example:443",
            "registry.example/a:443",
            "registry%2eexample:443",
            "registry.example\0:443",
            "registry.example\r\nHost: a:443",
            "bücher.example:443",
            "registry.example\u{202e}:443",
            "*.example:443",
            "*:443",
            "-a.example:443",
            "under_score.example:443",
            "127.1:443",
            "2130706433:443",
            "0x7f000001:443",
            "0x7f.1:443",
            "127.0.0.01:443",
            "0177.0.0.1:443",
            "1.2.3.4.5:443",
            "2001:db8::1:443",
            "[::1]443",
            "[::1%lo]:443",
            "[127.0.0.1]:443",
            "https://registry.example:443",
        ] {
            assert!(HostPort::parse(text).is_err(), "{text:?}: {:?}", HostPort::parse(text));
        }
        let long = format!("{}.example:443", "a".repeat(64));
        assert!(HostPort::parse(&long).is_err());
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        let said = |text: &str| HostPort::parse(text).expect_err("no host").to_string();
        assert!(said("registry.example").contains("for example `registry.example:443`"));
        assert!(said("a:b").contains("from 1 to 65535"));
        assert!(said("a..b:1").contains("`a..b` is no host"));
    }
}

//! `network:`, `read:` and `write:` of a run step: what it may reach and see, each word of it told to the person.

use core::net::Ipv4Addr;
use std::ops::Range;

use super::faults::Faults;
use super::fields::Fields;
use super::miss::Miss;
use super::values::{first_line, inside, text};
use super::yaml::{Node, Value};
use super::{Grants, files};

/// More of one kind than this is no list that anybody reads before a confirmation.
const MOST: usize = 50;
/// The port of a host that names none: all that isn't local is reached by TLS.
const PORT: u16 = 443;

/// What the step was granted; nothing without the keys.
pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults<'_>) -> Option<Grants> {
    let network = list(fields, "network", "network: [registry.npmjs.org]", host, faults);
    let read = list(fields, "read", "read: [~/photos]", files::granted, faults);
    let write = list(fields, "write", "write: [~/backups]", files::writable, faults);
    let grants = Grants { network: network?, read: read?, write: write? };
    if let (Some(both), Some(entry)) =
        (grants.read.iter().find(|path| grants.write.contains(path)), fields.entry("read"))
    {
        let message = format!("`{both}` is granted to be read and to be written");
        faults.error("wrong-value", entry.key_at.clone(), message, "keep it under `write`, which includes reading");
    }
    Some(grants)
}

/// One value or a list of them, each told once.
fn list(
    fields: &Fields<'_>,
    key: &str,
    example: &str,
    parse: impl Fn(&str) -> Result<String, Miss>,
    faults: &mut Faults<'_>,
) -> Option<Vec<String>> {
    let Some(node) = fields.get(key) else {
        return Some(Vec::new());
    };
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.is_empty() || items.len() > MOST {
        let message = match items.len() {
            0 => format!("`{key}` grants nothing"),
            count => format!("{count} grants are more than anybody reads"),
        };
        let help =
            if items.is_empty() { format!("write `{example}`, or remove it") } else { format!("at most {MOST}") };
        faults.error("wrong-value", first_line(node, faults), message, help);
        return None;
    }
    let read: Vec<Option<String>> = items.iter().map(|item| one(item, example, &parse, faults)).collect();
    for (i, value) in read.iter().enumerate() {
        if let Some(value) = value.as_ref().filter(|_| read[..i].contains(value)) {
            let message = format!("`{value}` is given twice");
            faults.error("wrong-value", items[i].at.clone(), message, "keep one of the two");
        }
    }
    read.into_iter().collect()
}

fn one(
    node: &Node,
    example: &str,
    parse: impl Fn(&str) -> Result<String, Miss>,
    faults: &mut Faults<'_>,
) -> Option<String> {
    match parse(text(node, example, faults)?) {
        Ok(value) => Some(value),
        Err(miss) => {
            faults.error("grant", inside(node, &miss.at, faults), miss.message, miss.help);
            None
        }
    }
}

/// Reads `host`, `host:port` or `localhost:port`; printed with its port.
fn host(text: &str) -> Result<String, Miss> {
    bare(text)?;
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let local = matches!(name, "localhost" | "127.0.0.1");
    let number = |port: &str| port.parse::<u16>().ok().filter(|n| *n > 0 && n.to_string() == port);
    let port = match port.map(number) {
        Some(Some(port)) => port,
        Some(None) => {
            let at = name.len() + 1..text.len();
            return miss(at.clone(), format!("`{}` is no port", &text[at]), "ports are 1 to 65535");
        }
        None if local => {
            let message = format!("`{name}` without a port would be this whole computer");
            return miss(0..text.len(), message, &format!("write `{name}:8080`: the one port that the step needs"));
        }
        None => PORT,
    };
    let faulty = match name.parse::<Ipv4Addr>() {
        Ok(address) => address_fault(address),
        Err(_) => name_fault(name),
    };
    match faulty.filter(|_| !local) {
        Some((message, help)) => miss(0..name.len(), message, &help),
        None => Ok(format!("{name}:{port}")),
    }
}

/// What keeps an address that is written in full from being granted; none = nothing.
fn address_fault(address: Ipv4Addr) -> Option<(String, String)> {
    let all = address.octets()[0] == 0 || address.octets()[0] >= 240;
    let said = match address {
        _ if address.is_loopback() => "is this computer",
        _ if all => "is no host's own address",
        _ if address.is_link_local() => "is where computers in a cloud get their keys",
        _ if address.is_multicast() => "is not one host, but many",
        _ => return None,
    };
    let help = match address.is_loopback() {
        true => "write `localhost:8080`, with the one port that the step needs",
        false => "write the address of the one host that the step needs, as in `10.0.0.1:8080`",
    };
    Some((format!("`{address}` {said}"), help.to_owned()))
}

/// Refuses what is more than a name and a port.
fn bare(text: &str) -> Result<(), Miss> {
    if let Some(scheme) = text.find("://") {
        let rest = text[scheme + 3..].split(['/', '?', '#']).next().unwrap_or_default();
        let rest = rest.rsplit('@').next().unwrap_or(rest);
        return miss(0..scheme + 3, "a grant names a host, not an address", &format!("write `{rest}`"));
    }
    if let Some(at) = text.find('@') {
        let help = format!("write `{}`; secrets live in the keychain", &text[at + 1..]);
        return miss(0..at + 1, "a grant names a host, without a user", &help);
    }
    if let Some(at) = text.find('/') {
        let help = format!("write `{}`", &text[..at]);
        return miss(at..text.len(), "a grant is for a whole host, without a path", &help);
    }
    if let Some(at) = text.find('*') {
        let message = "a grant names its hosts one by one";
        return miss(at..at + 1, message, "name each host, as in `registry.npmjs.org`");
    }
    if text.starts_with('[') || text.matches(':').count() > 1 {
        let help = "write the host's name; for this computer `localhost:8080`";
        return miss(0..text.len(), format!("`{text}` is no name of a host"), help);
    }
    Ok(())
}

fn miss<T>(at: Range<usize>, message: impl Into<String>, help: &str) -> Result<T, Miss> {
    Err(Miss { at, message: message.into(), help: help.to_owned() })
}

/// What keeps a name from being that of a host on a network; none = nothing.
fn name_fault(name: &str) -> Option<(String, String)> {
    let say = |message: String, help: &str| Some((message, help.to_owned()));
    let plain = name.to_ascii_lowercase();
    let labels: Vec<&str> = plain.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let number = |label: &str| {
        let hex = label.strip_prefix("0x").unwrap_or(label);
        label.bytes().all(|b| b.is_ascii_digit())
            || (hex.len() < label.len() && hex.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    let fits = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !name.is_ascii() {
        return say(format!("`{name}` has letters that names on a network don't have"), "write its form in `xn--…`");
    }
    if !last.is_empty() && number(last) {
        return say(
            format!("`{name}` is a number, not a name"),
            "write the host's name; for this computer `localhost:8080`",
        );
    }
    if last == "localhost" || plain == "localhost.localdomain" {
        return say(
            format!("`{name}` is this computer"),
            "write `localhost:8080`, with the one port that the step needs",
        );
    }
    if labels.len() < 2 || !labels.iter().all(fits) || name.len() > 253 {
        return say(format!("`{name}` is no whole name of a host"), "write it whole, as in `registry.npmjs.org`");
    }
    if plain != name {
        return say(format!("`{name}` has capital letters"), &format!("write `{plain}`"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn hosts_are_names_with_a_port() {
        for (right, read) in [
            ("registry.npmjs.org", "registry.npmjs.org:443"),
            ("a.b:8443", "a.b:8443"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example:443"),
            ("localhost:8080", "localhost:8080"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("0x.example", "0x.example:443"),
            ("10.0.0.1:8080", "10.0.0.1:8080"),
            ("192.168.1.20", "192.168.1.20:443"),
            ("8.8.8.8:53", "8.8.8.8:53"),
        ] {
            assert_eq!(host(right).as_deref(), Ok(read));
        }
        for (wrong, at) in [
            ("https://a.b/x", 0..8),
            ("me:secret@a.b", 0..10),
            ("a.b/x", 3..5),
            ("*.b.c", 0..1),
            ("a.b:0", 4..5),
            ("a.b:65536", 4..9),
            ("a.b:0443", 4..8),
            ("a.b:", 4..4),
            ("a.b:https", 4..9),
            ("localhost", 0..9),
            ("127.0.0.1", 0..9),
            ("127.0.0.2:80", 0..9),
            ("169.254.169.254", 0..15),
            ("0.0.0.0:80", 0..7),
            ("0.1.2.3:80", 0..7),
            ("224.0.0.251:80", 0..11),
            ("239.1.1.1:80", 0..9),
            ("255.255.255.255:80", 0..15),
            ("010.0.0.1:80", 0..9),
            ("10.1:80", 0..4),
            ("127.1", 0..5),
            ("0x7f000001", 0..10),
            ("2130706433", 0..10),
            ("[::1]:80", 0..8),
            ("::1", 0..3),
            ("x.localhost", 0..11),
            ("a", 0..1),
            ("a..b", 0..4),
            ("a.b.", 0..4),
            ("-a.b", 0..4),
            ("a_b.c", 0..5),
            ("A.b", 0..3),
            ("bücher.example", 0..15),
            ("a.b c", 0..5),
            ("", 0..0),
        ] {
            assert_eq!(host(wrong).map_err(|miss| miss.at), Err(at), "{wrong}");
        }
    }
}

//! Which addresses a granted host may lead to: a name of the world never to the person's own machine or network.
//!
//! Resolving names is the engine's; it asks here about each address, and connects to the very one that it asked about.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Host, HostPort};

/// Whether a connection to what was granted may go to this address.
pub fn may_lead_to(granted: &HostPort, address: IpAddr) -> bool {
    match &granted.host {
        Host::Address(named) => *named == address && is_one_host(address),
        Host::Name(_) if granted.is_local() => is_loopback(address),
        Host::Name(_) => is_public(address),
    }
}

/// Whether this is one host's own address: not any, not many, and not where computers in a cloud get their keys.
fn is_one_host(address: IpAddr) -> bool {
    let v4 = match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => inner(v6),
    };
    let strange = v4.is_some_and(|v4| v4.octets()[0] == 0 || v4.octets()[0] >= 224 || v4.is_link_local());
    !strange && !address.is_unspecified() && !address.is_multicast()
}

/// Whether this address is the machine itself.
pub fn is_loopback(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback()),
    }
}

/// Whether this address is somewhere in the world: by the registries of special addresses (RFC 6890 and those after it).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match inner(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    let special = match (a, b, c) {
        (0 | 10 | 127, ..) | (192, 168, _) | (169, 254, _) => true,
        (100, 64..=127, _) | (172, 16..=31, _) => true,
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => true,
        (198, 18 | 19, _) => true,
        // Multicast, reserved, broadcast.
        (224.., ..) => true,
        _ => false,
    };
    !special
}

/// The IPv4 address that an IPv6 address only wraps: mapped, by NAT64 (RFC 6052), or by 6to4 (RFC 3056).
fn inner(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let o = v6.octets();
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => Some(Ipv4Addr::new(o[12], o[13], o[14], o[15])),
        [0x2002, ..] => Some(Ipv4Addr::new(o[2], o[3], o[4], o[5])),
        _ => v6.to_ipv4_mapped(),
    }
}

/// Only what is given out to the world at all: 2000::/3 without documentation, Teredo and other special ranges.
fn is_public_v6(v6: Ipv6Addr) -> bool {
    let [a, b, ..] = v6.segments();
    let special = a == 0x2001 && (b < 0x200 || b == 0xdb8) || a == 0x3fff && b < 0x1000;
    a & 0xe000 == 0x2000 && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(granted: &str, to: &str) -> bool {
        may_lead_to(&HostPort::parse(granted).expect("a host"), to.parse().expect("an address"))
    }

    #[test]
    fn a_name_of_the_world_leads_to_the_world_alone() {
        for to in ["93.184.216.34", "8.8.8.8", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"] {
            assert!(leads("registry.example:443", to), "the control: {to}");
        }
        for to in [
            "127.0.0.1",
            "127.8.8.8",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.251",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "fe80::1",
            "fec0::1",
            "fd00:ec2::254",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "100::1",
        ] {
            assert!(!leads("registry.example:443", to), "{to}");
        }
    }

    #[test]
    fn what_is_granted_by_its_own_name_or_number_is_reached() {
        assert!(leads("localhost:80", "127.0.0.1") && leads("localhost:80", "::1"));
        assert!(!leads("localhost:80", "10.0.0.1") && !leads("localhost:80", "8.8.8.8"));
        assert!(leads("10.0.0.1:80", "10.0.0.1") && !leads("10.0.0.1:80", "10.0.0.2"));
        assert!(leads("[fd00::1]:80", "fd00::1"));
        for none in ["0.0.0.0", "169.254.169.254", "224.0.0.251", "255.255.255.255"] {
            assert!(!leads(&format!("{none}:80"), none), "{none}");
        }
    }
}

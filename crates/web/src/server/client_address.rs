//! Who is at the other end: the peer, or the client that a declared proxy names.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use http::HeaderMap;

/// How many addresses of an `X-Forwarded-For` list are looked at: chains of proxies are short, and the list
/// is the client's to write.
const MAX_HOPS: usize = 16;

/// The address of the client, as far as it can be known. Every request carries one as an extension.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ClientAddress(pub IpAddr);

/// A network in CIDR notation, or a single address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// The text is not an address or `address/prefix`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this is not an IP address or a network such as 10.0.0.0/8")]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NetworkError)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| NetworkError)?,
            None => longest,
        };
        if prefix > longest {
            return Err(NetworkError);
        }
        Ok(Self { address, prefix })
    }
}

impl Network {
    /// Whether `address` is in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same_prefix(own.to_bits().into(), other.to_bits().into(), 32 - self.prefix)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                same_prefix(own.to_bits(), other.to_bits(), 128 - self.prefix)
            }
            _ => false,
        }
    }
}

/// Whether two addresses are equal but for their last `host_bits` bits.
fn same_prefix(own: u128, other: u128, host_bits: u8) -> bool {
    (own ^ other).checked_shr(host_bits.into()).unwrap_or(0) == 0
}

/// Whether `address` is in one of the networks.
pub(super) fn any_contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// What stands for one client where clients are counted: an IPv4 address, or the /64 of an IPv6 address, of which
/// every subscriber has at least one whole (RFC 6177, section 2) and can use each address in turn.
pub(super) fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

/// The client behind `peer`: the last address of `X-Forwarded-For` that is not a declared proxy.
///
/// Each proxy appends the address it sees, so only what stands to the right of the first undeclared address
/// can be believed. From a peer that is not declared the header is not read at all.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> ClientAddress {
    let mut client = peer.to_canonical();
    let forwarded = headers.get_all("x-forwarded-for").iter().rev();
    let hops = forwarded
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.rsplit(','))
        .take(MAX_HOPS);
    for hop in hops {
        if !any_contains(proxies, client) {
            break;
        }
        let Ok(address) = hop.trim().parse::<IpAddr>() else { break };
        client = address.to_canonical();
    }
    ClientAddress(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        let proxies = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        client(peer.parse().unwrap(), &headers, &proxies).0.to_string()
    }

    #[test]
    fn only_declared_proxies_are_believed() {
        assert_eq!(check("192.0.2.1", "198.51.100.7"), "192.0.2.1");
        assert_eq!(check("10.1.2.3", "198.51.100.7"), "198.51.100.7");
        assert_eq!(check("::1", "198.51.100.7, 10.9.9.9"), "198.51.100.7");
        assert_eq!(check("10.1.2.3", "203.0.113.1, 198.51.100.7"), "198.51.100.7");
        assert_eq!(check("10.1.2.3", "nonsense"), "10.1.2.3");
    }

    #[test]
    fn one_subscriber_is_an_ipv4_address_or_a_64_of_ipv6() {
        let subscriber = |text: &str| subscriber(text.parse().unwrap()).to_string();
        assert_eq!(subscriber("192.0.2.1"), "192.0.2.1");
        assert_eq!(subscriber("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(subscriber("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn networks_have_edges() {
        let network: Network = "10.0.0.0/8".parse().unwrap();
        assert!(network.contains("10.255.255.255".parse().unwrap()));
        assert!(!network.contains("11.0.0.0".parse().unwrap()));
        let all: Network = "::/0".parse().unwrap();
        assert!(all.contains("2001:db8::1".parse().unwrap()));
        for bad in ["10.0.0.0/33", "10.0.0/8", "", "::/129", "a/8"] {
            assert_eq!(bad.parse::<Network>(), Err(NetworkError), "{bad}");
        }
    }
}

//! Which addresses may be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::Alias;

/// Which addresses a [`Client`](crate::Client) may connect to. It is asked about the address that a name
/// resolved to, each time a connection is made, so that a name which changes its address gains nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AddressPolicy {
    /// Any address. Only with this one and [`AddressPolicy::PublicOrProxied`] are the proxies of the environment
    /// used, because behind a proxy the address that is reached cannot be judged.
    Any,
    /// Addresses of the public internet only; where the environment names a proxy, what the proxy reaches, but for
    /// other addresses that are written out in the URL.
    PublicOrProxied,
    /// Addresses of the public internet and of this machine.
    PublicOrLoopback,
    /// Addresses of the public internet only.
    PublicOnly,
}

/// An address that the policy does not allow, found when a name was looked up or read from the URL.
#[derive(Debug, thiserror::Error)]
#[error("{host} is at {address}, which may not be reached")]
pub(crate) struct Forbidden {
    pub(crate) host: String,
    pub(crate) address: IpAddr,
}

impl AddressPolicy {
    /// Whether `address` may be connected to.
    #[must_use]
    pub fn allows(self, address: IpAddr) -> bool {
        // `::ffff:127.0.0.1` reaches the same machine as `127.0.0.1`.
        let address = address.to_canonical();
        match self {
            Self::Any => true,
            Self::PublicOrLoopback => address.is_loopback() || is_public(address),
            Self::PublicOnly | Self::PublicOrProxied => is_public(address),
        }
    }

    /// Whether a request for `url` takes the proxies of the environment, if there are any.
    pub(crate) fn takes_proxies(self, url: &Url) -> bool {
        match self {
            Self::Any => true,
            Self::PublicOrProxied => is_proxied(url, variable),
            Self::PublicOrLoopback | Self::PublicOnly => false,
        }
    }

    /// Refuses a URL whose host is a forbidden address. A literal address is never looked up, so the resolver
    /// does not see it.
    pub(crate) fn check_literal(self, url: &Url) -> Result<(), Forbidden> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        self.check(&address.to_string(), address)
    }

    fn check(self, host: &str, address: IpAddr) -> Result<(), Forbidden> {
        if self.allows(address) {
            return Ok(());
        }
        Err(Forbidden { host: host.to_owned(), address })
    }
}

/// Whether `host` is this machine by its name alone: `localhost`, a name below it, or a loopback address.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => is_localhost(name),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).to_canonical().is_loopback(),
    }
}

/// Whether `host` is this machine or on its link, by its address or name alone. No proxy leads there.
pub(crate) fn is_near(host: &Host<&str>) -> bool {
    let link_local = match host {
        Host::Domain(_) => false,
        Host::Ipv4(address) => address.is_link_local(),
        Host::Ipv6(address) => address.is_unicast_link_local(),
    };
    link_local || is_loopback(host)
}

/// A variable of the environment in upper or lower case, if it says anything.
pub(crate) fn variable(name: &str) -> Option<String> {
    let of = |name: String| std::env::var(name).ok().filter(|value| !value.is_empty());
    of(name.to_owned()).or_else(|| of(name.to_ascii_lowercase()))
}

/// Whether the environment names a proxy for `url`. In doubt it does not: the address is then judged.
pub(crate) fn is_proxied(url: &Url, variable: impl Fn(&str) -> Option<String>) -> bool {
    let own = if url.scheme() == "https" { "HTTPS_PROXY" } else { "HTTP_PROXY" };
    if variable(own).or_else(|| variable("ALL_PROXY")).is_none() {
        return false;
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let exceptions = variable("NO_PROXY").unwrap_or_default().to_ascii_lowercase();
    !exceptions.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let bare = entry.trim_start_matches('*').trim_start_matches('.');
        bare.is_empty() || host.ends_with(bare)
    })
}

/// Whether `address` belongs to the public internet, by the IANA registries of special-purpose addresses.
#[must_use]
pub fn is_public_address(address: IpAddr) -> bool {
    AddressPolicy::PublicOnly.allows(address)
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Looks names up and refuses what the policy does not allow.
///
/// One forbidden address refuses the whole name: a name with a public and a private address is not one that
/// somebody honest has.
pub(crate) struct Resolver {
    policy: AddressPolicy,
    alias: Option<Alias>,
}

impl Resolver {
    /// For connections to where the policy allows, to the host of `alias` by its other name.
    pub(crate) const fn new(policy: AddressPolicy, alias: Option<Alias>) -> Self {
        Self { policy, alias }
    }

    /// For connections that may lead to a proxy, whose address nobody needs to judge.
    pub(crate) const fn for_proxies() -> Self {
        Self::new(AddressPolicy::Any, None)
    }

    /// The host that is meant by a name.
    fn host(&self, name: &str) -> Host {
        let reached = self.alias.as_ref().and_then(|alias| alias.reached(name));
        reached.unwrap_or_else(|| Host::Domain(name.to_owned()))
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let policy = self.policy;
        let host = self.host(name.as_str());
        Box::pin(async move {
            let addresses = match &host {
                Host::Domain(name) => look_up(name).await?,
                Host::Ipv4(address) => vec![SocketAddr::new((*address).into(), 0)],
                Host::Ipv6(address) => vec![SocketAddr::new((*address).into(), 0)],
            };
            for address in &addresses {
                policy.check(&host.to_string(), address.ip())?;
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

async fn look_up(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    // RFC 6761 §6.3: `localhost` is this machine, whatever a name server says.
    if is_localhost(name) {
        let addresses: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        return Ok(addresses.map(|address| SocketAddr::new(address, 0)).to_vec());
    }
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// Whether `address` belongs to the public internet, by the IANA registries of special-purpose addresses
/// (RFC 6890 and successors). In doubt, it does not.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Blocks of IPv4 that are no part of the public internet: address and prefix length.
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, where clouds keep their metadata
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // 6to4 relays, deprecated
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 3),     // multicast, reserved, broadcast
];

fn is_public_v4(address: Ipv4Addr) -> bool {
    !SPECIAL_V4
        .iter()
        .any(|(block, length)| (address.to_bits() ^ block.to_bits()) >> (32 - length) == 0)
}

/// Blocks inside 2000::/3 that are no part of the public internet, or that hide an IPv4 address.
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

fn is_public_v6(address: Ipv6Addr) -> bool {
    // RFC 6052: the well-known prefix of NAT64 leads to an IPv4 address.
    if let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() {
        return is_public_v4(Ipv4Addr::from_bits((u32::from(high) << 16) | u32::from(low)));
    }
    // Global unicast is 2000::/3; unique local, link-local and multicast addresses lie outside.
    address.segments()[0] >> 13 == 1
        && !SPECIAL_V6
            .iter()
            .any(|(block, length)| (address.to_bits() ^ block.to_bits()) >> (128 - length) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: AddressPolicy, address: &str) -> bool {
        policy.allows(address.parse().unwrap())
    }

    #[test]
    fn the_public_internet_is_public() {
        for address in ["1.1.1.1", "193.0.0.1", "172.32.0.1", "2606:4700::1111", "64:ff9b::101:101"]
        {
            assert!(allows(AddressPolicy::PublicOnly, address), "{address}");
        }
    }

    #[test]
    fn private_and_special_addresses_are_not_public() {
        let special = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.168.1.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2001::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ];
        for address in special {
            assert!(!allows(AddressPolicy::PublicOnly, address), "{address}");
        }
    }

    #[test]
    fn loopback_is_allowed_where_it_is_said() {
        for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(allows(AddressPolicy::PublicOrLoopback, address), "{address}");
        }
        assert!(!allows(AddressPolicy::PublicOrLoopback, "10.0.0.1"));
        assert!(allows(AddressPolicy::Any, "10.0.0.1"));
    }

    #[test]
    fn what_no_proxy_leads_to_is_judged() {
        let proxied = |url: &str, variables: &[(&str, &str)]| {
            let of = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            is_proxied(&Url::parse(url).unwrap(), of)
        };
        let (https, http) = (("HTTPS_PROXY", "http://p"), ("HTTP_PROXY", "http://p"));
        assert!(proxied("https://a.example", &[https]));
        assert!(proxied("https://a.example", &[("ALL_PROXY", "http://p")]));
        assert!(!proxied("https://a.example", &[http]));
        assert!(!proxied("https://a.example", &[]));
        for exception in ["vault.corp", "corp", ".corp", "*.corp", "x, CORP", "*"] {
            assert!(
                !proxied("https://vault.corp", &[https, ("NO_PROXY", exception)]),
                "{exception}"
            );
        }
        assert!(proxied("https://a.example", &[https, ("NO_PROXY", "corp,")]));
    }

    #[test]
    fn names_of_this_machine_are_known_without_looking_them_up() {
        let of = |url: &str| is_loopback(&Url::parse(url).unwrap().host().unwrap());
        for url in [
            "http://localhost",
            "http://LOCALHOST.",
            "http://a.localhost:1",
            "http://[::1]",
            "http://127.1",
        ] {
            assert!(of(url), "{url}");
        }
        for url in ["http://localhost.example", "http://notlocalhost", "http://10.0.0.1"] {
            assert!(!of(url), "{url}");
        }
    }
}

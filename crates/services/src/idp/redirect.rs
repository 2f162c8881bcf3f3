//! Where a browser may be sent back to.

use url::{Host, Url};
use wire::oidc::OUT_OF_BAND;

/// The longest redirect URI that is looked at.
const MAX_LENGTH: usize = 512;

/// Where the browser is sent back to with a code: to a program on the same machine, or nowhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RedirectUri {
    /// A listener on loopback (RFC 8252 §7.3): any port and any path, because no program can reserve one.
    Loopback(Url),
    /// The page shows the code, and the person copies it.
    OutOfBand,
}

impl RedirectUri {
    /// Reads a redirect URI; `None` for one that is not allowed.
    ///
    /// `localhost` is allowed beside the addresses, although RFC 8252 §8.3 advises against it, because it is what
    /// every Sigstore client sends.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == OUT_OF_BAND {
            return Some(Self::OutOfBand);
        }
        if text.len() > MAX_LENGTH {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(address) => address == std::net::Ipv4Addr::LOCALHOST,
            Host::Ipv6(address) => address == std::net::Ipv6Addr::LOCALHOST,
        };
        let plain = url.scheme() == "http"
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        (loopback && plain).then_some(Self::Loopback(url))
    }

    /// The redirect URI with `parameters` added to its query; `None` where there is nowhere to go.
    #[must_use]
    pub fn with(&self, parameters: &[(&str, &str)]) -> Option<String> {
        let Self::Loopback(url) = self else { return None };
        let mut url = url.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        Some(url.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_port_and_path_of_this_machine_is_fine() {
        for uri in [
            "http://localhost:34567/auth/callback",
            "http://localhost:34567",
            "http://localhost:34567/Callback",
            "http://127.0.0.1:1/x?y=z",
            "http://[::1]:8080/",
            OUT_OF_BAND,
        ] {
            assert!(RedirectUri::parse(uri).is_some(), "{uri}");
        }
    }

    #[test]
    fn anywhere_else_is_not() {
        for uri in [
            "",
            "localhost",
            "https://localhost/",
            "http://localhost.evil.example/",
            "http://evil.example/?http://localhost/",
            "http://localhost@evil.example/",
            "http://user@localhost/",
            "http://localhost\\@evil.example/",
            "http://localhost:1/#fragment",
            "http://127.0.0.2/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "javascript:alert(1)",
            "urn:ietf:wg:oauth:2.0:oob:auto",
        ] {
            // A backslash is a slash to browsers, and so to the parser: the host is localhost there.
            let host = RedirectUri::parse(uri).and_then(|uri| uri.with(&[]));
            assert!(host.is_none_or(|url| url.starts_with("http://localhost/@")), "{uri}");
        }
    }

    #[test]
    fn parameters_are_added_to_those_that_are_there() {
        let uri = RedirectUri::parse("http://localhost:1/a?b=c").unwrap();
        let sent = uri.with(&[("code", "x y"), ("state", "&")]);
        assert_eq!(sent.as_deref(), Some("http://localhost:1/a?b=c&code=x+y&state=%26"));
        assert_eq!(RedirectUri::OutOfBand.with(&[]), None);
    }
}

//! A host that is known to TLS by another name than that by which it is reached.

use url::{Host, Url};

use crate::ExpectedName;

/// One host, and the name by which it is asked for in the TLS handshake (SNI) and that its certificate must have.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Alias {
    /// The host, as a URL has it.
    pub host: String,
    /// Its other name.
    pub name: ExpectedName,
}

impl Alias {
    /// `url` with the alias for the host, if that is the host, and the alias one by which a server can be asked for.
    pub(crate) fn apply(&self, url: &Url) -> Option<Url> {
        let (mut aliased, name) = (url.clone(), self.name.dns()?);
        let applies = url.scheme() == "https" && url.host_str() == Some(&self.host);
        applies.then(|| aliased.set_host(Some(name)).ok())??;
        Some(aliased)
    }

    /// Where the host is that goes by `name`: what is to be looked up instead.
    pub(crate) fn reached(&self, name: &str) -> Option<Host> {
        let is_it = self.name.dns().is_some_and(|alias| alias.eq_ignore_ascii_case(name));
        is_it.then(|| Host::parse(&self.host).ok()).flatten()
    }
}

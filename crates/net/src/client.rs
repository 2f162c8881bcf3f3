//! The HTTP client and what it is allowed to do.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::Method;
use url::Url;

use crate::address::{self, Resolver};
use crate::{AddressPolicy, ClientIdentity, ExpectedName, Request, Retry, TlsTrust, tls};

/// Where plain HTTP, without TLS, may be spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlainHttp {
    /// To `localhost`, `127.0.0.0/8` and `[::1]` only.
    LoopbackOnly,
    /// Anywhere: for a metadata server on the link, for instance.
    Anywhere,
}

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Redirects {
    /// None: an answer with status 3xx is [`RequestError::Redirected`](crate::RequestError::Redirected).
    Never,
    /// None, and an answer with status 3xx is an answer like any other.
    Shown,
    /// Of GET requests, within one origin (scheme, host and port), this many times.
    SameOrigin(u8),
}

/// What a [`Client`] is allowed to do.
#[derive(Clone)]
pub struct Settings {
    /// The `User-Agent`.
    pub user_agent: String,
    /// Which addresses may be reached.
    pub addresses: AddressPolicy,
    /// Whom to trust for TLS.
    pub tls: TlsTrust,
    /// What to show to servers that ask for a certificate.
    pub identity: Option<ClientIdentity>,
    /// The name that servers' certificates must have, instead of the one by which they are reached.
    pub expected_name: Option<ExpectedName>,
    /// Where TLS is not demanded.
    pub plain_http: PlainHttp,
    /// Which redirects are followed.
    pub redirects: Redirects,
    /// How long the making of a connection may take.
    pub connect_timeout: Duration,
    /// How long one attempt may take from its start to the last byte of the body.
    pub timeout: Duration,
    /// How many bytes a body may have, after decompression, unless the request says otherwise.
    pub max_body: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            user_agent: concat!("bulla/", env!("CARGO_PKG_VERSION")).to_owned(),
            addresses: AddressPolicy::Any,
            tls: TlsTrust::system(),
            identity: None,
            expected_name: None,
            plain_http: PlainHttp::LoopbackOnly,
            redirects: Redirects::Never,
            connect_timeout: Duration::from_secs(10),
            // The Sigstore client specification asks for at least 20 s.
            timeout: Duration::from_secs(30),
            max_body: 4 * 1024 * 1024,
        }
    }
}

/// Sends HTTP requests. Cheap to make and to clone; clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    settings: Settings,
    /// To this machine and its link, and wherever the policy needs to see the address.
    direct: OnceLock<reqwest::Client>,
    /// Through the proxies of the environment, if there are any.
    proxied: OnceLock<reqwest::Client>,
}

impl Client {
    /// A client that does what `settings` allow. Nothing is read and nothing is opened until a request is
    /// sent.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner { settings, direct: OnceLock::new(), proxied: OnceLock::new() }))
    }

    /// A GET request; it is tried again as [`Retry::SOME`] says.
    pub fn get(&self, url: Url) -> Request {
        Request::new(self.clone(), Method::GET, url).retry(Retry::SOME)
    }

    /// A POST request; it is sent once unless the caller says otherwise.
    pub fn post(&self, url: Url) -> Request {
        self.request(Method::POST, url)
    }

    /// Any request; it is sent once unless the caller says otherwise.
    pub fn request(&self, method: Method, url: Url) -> Request {
        Request::new(self.clone(), method, url)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Whether a proxy of the environment may stand between us and `url`.
    pub(crate) fn may_be_proxied(&self, url: &Url) -> bool {
        self.takes_proxies(url) && address::is_proxied(url, address::variable)
    }

    fn takes_proxies(&self, url: &Url) -> bool {
        let near = url.host().is_some_and(|host| address::is_near(&host));
        self.0.settings.addresses.takes_proxies(url) && !near
    }

    /// The pool of connections for `url`.
    pub(crate) fn pool(&self, url: &Url) -> Result<&reqwest::Client, reqwest::Error> {
        let proxied = self.takes_proxies(url);
        let pool = if proxied { &self.0.proxied } else { &self.0.direct };
        if let Some(client) = pool.get() {
            return Ok(client);
        }
        let made = self.connect(proxied)?;
        Ok(pool.get_or_init(|| made))
    }

    fn connect(&self, proxied: bool) -> Result<reqwest::Client, reqwest::Error> {
        let settings = &self.0.settings;
        let (trust, expected) = (settings.tls.clone(), settings.expected_name.clone());
        let tls = tls::configuration(trust, settings.identity.as_ref(), expected)
            .expect("the cryptographic provider supports the default protocol versions");
        let resolver = if proxied { Resolver::for_proxies() } else { Resolver(settings.addresses) };
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(settings.connect_timeout)
            .user_agent(&settings.user_agent);
        let builder = if proxied { builder } else { builder.no_proxy() };
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn making_a_client_opens_nothing() {
        let client = Client::new(Settings::default());
        assert!(client.0.direct.get().is_none() && client.0.proxied.get().is_none());
    }
}

//! The HTTP client and what it is allowed to do.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::HOST;
use http::{HeaderValue, Method};
use url::Url;

use crate::address::{self, Resolver};
use crate::{AddressPolicy, Alias, ClientIdentity, Request, Retry, TlsTrust, tls};

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
    /// The one host that is known to TLS by another name. A client that has this is for no other host.
    pub alias: Option<Alias>,
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
            alias: None,
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
    /// As `direct`, to a host by its alias.
    aliased: OnceLock<reqwest::Client>,
    /// Through the proxies of the environment, if there are any.
    proxied: OnceLock<reqwest::Client>,
}

/// How connections are made.
#[derive(Clone, Copy)]
enum Way {
    Direct,
    Aliased,
    Proxied,
}

impl Client {
    /// A client that does what `settings` allow. Nothing is read and nothing is opened until a request is
    /// sent.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Inner {
            settings,
            direct: OnceLock::new(),
            aliased: OnceLock::new(),
            proxied: OnceLock::new(),
        }))
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

    /// A request for `url`, in the pool of connections for it.
    pub(crate) fn ask(
        &self,
        method: Method,
        url: &Url,
    ) -> Result<reqwest::RequestBuilder, reqwest::Error> {
        if let Some((aliased, host)) = self.by_alias(url) {
            let request = self.pool(&self.0.aliased, Way::Aliased)?.request(method, aliased);
            return Ok(request.header(HOST, host));
        }
        let pool = match self.takes_proxies(url) {
            true => self.pool(&self.0.proxied, Way::Proxied),
            false => self.pool(&self.0.direct, Way::Direct),
        };
        Ok(pool?.request(method, url.clone()))
    }

    /// The URL in which the host goes by its alias, and what the server is to be told instead. A proxy would look the alias
    /// up: behind one it counts for the certificate only.
    fn by_alias(&self, url: &Url) -> Option<(Url, HeaderValue)> {
        let alias = self.0.settings.alias.as_ref()?;
        let aliased = alias.apply(url)?;
        let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
        let host = HeaderValue::from_str(host).ok()?;
        (!self.may_be_proxied(url)).then_some((aliased, host))
    }

    fn pool<'a>(
        &self,
        pool: &'a OnceLock<reqwest::Client>,
        way: Way,
    ) -> Result<&'a reqwest::Client, reqwest::Error> {
        if let Some(client) = pool.get() {
            return Ok(client);
        }
        let made = self.connect(way)?;
        Ok(pool.get_or_init(|| made))
    }

    fn connect(&self, way: Way) -> Result<reqwest::Client, reqwest::Error> {
        let settings = &self.0.settings;
        let expected = settings.alias.as_ref().map(|alias| alias.name.clone());
        let mut tls =
            tls::configuration(settings.tls.clone(), settings.identity.as_ref(), expected)
                .expect("the cryptographic provider supports the default protocol versions");
        if matches!(way, Way::Aliased) {
            // HTTP/2 has no header for the host: the server would be told the alias.
            tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let resolver = match way {
            Way::Direct => Resolver::new(settings.addresses, None),
            Way::Aliased => Resolver::new(settings.addresses, settings.alias.clone()),
            Way::Proxied => Resolver::for_proxies(),
        };
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(resolver)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tcp_nodelay(true)
            .connect_timeout(settings.connect_timeout)
            .user_agent(&settings.user_agent);
        let builder = match way {
            Way::Direct | Way::Aliased => builder.no_proxy(),
            Way::Proxied => builder,
        };
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

//! The HTTP client and what it is allowed to do.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::{AddressPolicy, Request, TlsTrust};

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
            plain_http: PlainHttp::LoopbackOnly,
            redirects: Redirects::Never,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            max_body: 4 * 1024 * 1024,
        }
    }
}

/// Sends HTTP requests. Cheap to make and to clone; clones share their connections.
#[derive(Clone)]
pub struct Client(Arc<Settings>);

impl Client {
    /// A client that does what `settings` allow. Nothing is read and nothing is opened until a request is sent.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(settings))
    }

    /// A GET request; it is tried again as [`Retry::SOME`](crate::Retry::SOME) says.
    pub fn get(&self, _url: Url) -> Request {
        todo!()
    }

    /// A POST request; it is sent once unless the caller says otherwise.
    pub fn post(&self, _url: Url) -> Request {
        todo!()
    }
}

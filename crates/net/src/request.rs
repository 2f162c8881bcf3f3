//! One request and its answer.

use std::error::Error as _;
use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;
use url::form_urlencoded;

use crate::address::{self, Forbidden};
use crate::streamed::Deadline;
use crate::{Client, PlainHttp, Redirects, Retry, Streamed, Upload};

/// A request that has not been sent yet.
#[must_use]
pub struct Request {
    client: Client,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Body,
    max_body: usize,
    timeout: Duration,
    retry: Retry,
    redirects: Redirects,
    /// A header that was given and is none.
    bad_header: bool,
}

/// What is sent.
enum Body {
    None,
    Whole(Bytes),
    /// Can be sent once: it is gone after the first attempt.
    Pieces(Option<Upload>),
}

/// An answer, whatever its status.
#[derive(Debug)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, decompressed, not longer than was allowed.
    pub body: Bytes,
    /// Where it came from, after redirects.
    pub url: Url,
    /// The address that it came from, unless that may be the address of a proxy.
    pub peer: Option<IpAddr>,
}

/// Why there is no answer. `place` is the URL without query and fragment, which may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The request is none that may be sent: another scheme, plain HTTP to another machine, credentials in the
    /// URL, a header that is none.
    #[error("{place} may not be asked: {reason}")]
    Refused {
        /// Scheme, host and path.
        place: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The host has an address that may not be reached.
    #[error("{host} is at {address}, which may not be reached")]
    Address {
        /// The name that was looked up.
        host: String,
        /// Its address.
        address: IpAddr,
    },
    /// The server redirects, and that is not followed.
    #[error("{place} redirects, which is not followed here")]
    Redirected {
        /// Where the redirect came from.
        place: String,
        /// Where it points to, if it says so.
        location: Option<String>,
    },
    /// No connection could be made. Nothing was sent.
    #[error("{place} cannot be reached")]
    Connect {
        /// Scheme, host and path.
        place: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It took too long. The server may have acted on the request.
    #[error("{place} did not answer within {} s", .after.as_secs_f32())]
    Timeout {
        /// Scheme, host and path.
        place: String,
        /// How long was waited.
        after: Duration,
    },
    /// The body is longer than allowed.
    #[error("the answer of {place} is longer than {limit} bytes")]
    TooLong {
        /// Scheme, host and path.
        place: String,
        /// What was allowed.
        limit: usize,
    },
    /// The body came in pieces, which are gone, and the request would have to be sent again.
    #[error("what was to be sent to {place} can be sent only once")]
    Spent {
        /// Scheme, host and path.
        place: String,
    },
    /// The connection broke, or what came is no HTTP. The server may have acted on the request.
    #[error("the answer of {place} cannot be read")]
    Broken {
        /// Scheme, host and path.
        place: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

impl Request {
    pub(crate) fn new(client: Client, method: Method, url: Url) -> Self {
        let settings = client.settings();
        let (max_body, timeout) = (settings.max_body, settings.timeout);
        let redirects = settings.redirects;
        Self {
            client,
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::None,
            max_body,
            timeout,
            retry: Retry::NEVER,
            redirects,
            bad_header: false,
        }
    }

    /// Adds a header. A value that is none makes the request fail when it is sent.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        match HeaderValue::from_str(value) {
            Ok(mut value) => {
                value.set_sensitive(name == AUTHORIZATION);
                self.headers.append(name, value);
            }
            Err(_) => self.bad_header = true,
        }
        self
    }

    /// Sets the body and its type.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = Body::Whole(body.into());
        self.header(CONTENT_TYPE, content_type)
    }

    /// Sets a body that comes in pieces. Such a request is sent once, whatever is said of trying again.
    pub fn upload(mut self, content_type: &str, upload: Upload) -> Self {
        self.body = Body::Pieces(Some(upload));
        self.retry = Retry::NEVER;
        self.header(CONTENT_TYPE, content_type)
    }

    /// Sets a form as the body (`application/x-www-form-urlencoded`).
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", form)
    }

    /// How many bytes the body of the answer may have.
    pub const fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// How long one attempt may take.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// When to try again. Only for requests that may be repeated.
    pub const fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Which redirects are followed, if not those of the client's settings.
    pub const fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`]; of the last attempt, if there were several. A status such as 404 is an answer,
    /// not an error.
    pub async fn send(mut self) -> Result<Response, RequestError> {
        let mut attempt = 1;
        loop {
            let outcome = self.attempt().await;
            let wait = match &outcome {
                Ok(answer) => self.retry.after_status(attempt, answer.status, &answer.headers),
                Err(error) if error.may_pass() => self.retry.after_failure(attempt),
                Err(_) => None,
            };
            let Some(wait) = wait else { return outcome };
            tracing::debug!(place = place(&self.url), attempt, ?wait, "will be asked again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    /// One attempt, with the redirects that may be followed.
    async fn attempt(&mut self) -> Result<Response, RequestError> {
        let mut left = match self.redirects {
            Redirects::SameOrigin(most) if self.method == Method::GET => most,
            _ => 0,
        };
        let mut url = self.url.clone();
        loop {
            self.check(&url)?;
            let answer = self.ask(&url).await?;
            let shown = self.redirects == Redirects::Shown;
            if shown || !answer.status.is_redirection() {
                return Ok(answer);
            }
            let target = target(&answer);
            match target {
                Some(target) if left > 0 && target.origin() == url.origin() => url = target,
                _ => return Err(redirected(&answer)),
            }
            left -= 1;
        }
    }

    /// Whether `url` may be asked at all.
    fn check(&self, url: &Url) -> Result<(), RequestError> {
        let settings = self.client.settings();
        let refuse = |reason| Err(RequestError::Refused { place: place(url), reason });
        if self.bad_header {
            return refuse("a header has a character that is not allowed");
        }
        let Some(host) = url.host() else { return refuse("it has no host") };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("it has credentials in it");
        }
        let plain = settings.plain_http == PlainHttp::Anywhere || address::is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if plain => {}
            "http" => return refuse("plain HTTP is for this machine only"),
            _ => return refuse("its scheme is not https"),
        }
        settings.addresses.check_literal(url).map_err(RequestError::from)
    }

    async fn ask(&mut self, url: &Url) -> Result<Response, RequestError> {
        self.start(url).await?.whole(self.max_body).await
    }

    /// Sends it, and yields the answer as soon as its headers are there. Redirects are shown; it is sent once.
    ///
    /// # Errors
    ///
    /// See [`RequestError`].
    pub async fn open(mut self) -> Result<Streamed, RequestError> {
        let url = self.url.clone();
        self.check(&url)?;
        self.start(&url).await
    }

    async fn start(&mut self, url: &Url) -> Result<Streamed, RequestError> {
        let deadline = Deadline::after(self.timeout, place(url));
        let request = self
            .client
            .ask(self.method.clone(), url)
            .map_err(|error| failed(place(url), self.connect_timeout(), error))?
            .headers(self.headers.clone());
        let request = match &mut self.body {
            Body::None if self.method == Method::GET || self.method == Method::HEAD => request,
            // A server may insist on a length where a body is usual.
            Body::None => request.body(Bytes::new()),
            Body::Whole(bytes) => request.body(bytes.clone()),
            Body::Pieces(upload) => match upload.take() {
                Some(upload) => request.body(reqwest::Body::wrap(upload.into_body())),
                None => return Err(RequestError::Spent { place: place(url) }),
            },
        };
        let sent = deadline.guard(request.send()).await?;
        let answer = sent.map_err(|error| failed(place(url), self.connect_timeout(), error))?;
        let proxied = self.client.may_be_proxied(url);
        Ok(Streamed::new(answer, url.clone(), deadline, proxied))
    }

    fn connect_timeout(&self) -> Duration {
        self.client.settings().connect_timeout
    }
}

/// What an error of the library means.
pub(crate) fn failed(
    place: String,
    connect_timeout: Duration,
    error: reqwest::Error,
) -> RequestError {
    let error = error.without_url();
    if let Some(forbidden) = forbidden(&error) {
        return RequestError::Address { host: forbidden.host.clone(), address: forbidden.address };
    }
    if error.is_timeout() {
        return RequestError::Timeout { place, after: connect_timeout };
    }
    if error.is_connect() {
        return RequestError::Connect { place, source: error };
    }
    RequestError::Broken { place, source: error }
}

impl RequestError {
    /// Whether another attempt may have another outcome.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Connect { .. } | Self::Timeout { .. } | Self::Broken { .. } | Self::Spent { .. }
        )
    }
}

impl From<Forbidden> for RequestError {
    fn from(forbidden: Forbidden) -> Self {
        Self::Address { host: forbidden.host, address: forbidden.address }
    }
}

/// Finds the resolver's refusal among the causes of `error`.
fn forbidden(error: &reqwest::Error) -> Option<&Forbidden> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(forbidden) = error.downcast_ref() {
            return Some(forbidden);
        }
        cause = error.source();
    }
    None
}

fn target(answer: &Response) -> Option<Url> {
    answer.url.join(answer.headers.get(LOCATION)?.to_str().ok()?).ok()
}

fn redirected(answer: &Response) -> RequestError {
    let location = target(answer).map(|target| place(&target));
    RequestError::Redirected { place: place(&answer.url), location }
}

/// `url` without what may be secret: credentials, query and fragment.
pub(crate) fn place(url: &Url) -> String {
    let mut place = url.clone();
    place.set_query(None);
    place.set_fragment(None);
    // URLs without a host have no credentials to remove.
    let _ = place.set_username("");
    let _ = place.set_password(None);
    place.into()
}

//! One request and its answer.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use url::Url;

use crate::Retry;

/// A request that has not been sent yet.
#[must_use]
pub struct Request {}

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
}

/// Why there is no answer. `place` is the URL without query and fragment, which may hold secrets.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// The URL is none that may be used: another scheme, plain HTTP to another machine, or credentials in it.
    #[error("{place} may not be used: {reason}")]
    Url {
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
    /// Adds a header. A value that is no header value makes the request fail when it is sent.
    pub fn header(self, _name: HeaderName, _value: &str) -> Self {
        todo!()
    }

    /// Sets the body and its type.
    pub fn body(self, _content_type: &str, _body: impl Into<Bytes>) -> Self {
        todo!()
    }

    /// Sets a form as the body (`application/x-www-form-urlencoded`).
    pub fn form(self, _fields: &[(&str, &str)]) -> Self {
        todo!()
    }

    /// How many bytes the body of the answer may have.
    pub fn max_body(self, _bytes: usize) -> Self {
        todo!()
    }

    /// How long one attempt may take.
    pub fn timeout(self, _timeout: Duration) -> Self {
        todo!()
    }

    /// When to try again. Only for requests that may be repeated.
    pub fn retry(self, _retry: Retry) -> Self {
        todo!()
    }

    /// Sends it.
    ///
    /// # Errors
    ///
    /// See [`RequestError`]; of the last attempt, if there were several. A status such as 404 is an answer,
    /// not an error.
    pub async fn send(self) -> Result<Response, RequestError> {
        todo!()
    }
}
